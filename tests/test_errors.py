"""Every error has its four parts, survives pickling and is the builtin that users expect."""

from __future__ import annotations

import inspect
import pickle

import pytest

from fitwell import errors
from fitwell.errors import FitwellError, did_you_mean

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, FitwellError)
]
BUILTIN = {
    "InvalidArgument": ValueError,
    "UnknownArgument": TypeError,
    "UnknownName": ValueError,
    "ShapeMismatch": ValueError,
    "InvalidData": ValueError,
    "InvalidFile": ValueError,
    "NotReady": RuntimeError,
    "FrozenDescription": AttributeError,
    "UnknownAttribute": AttributeError,
    "Unhealthy": AssertionError,
    "OutOfMemory": MemoryError,
    "MissingPackage": ImportError,
}


@pytest.mark.parametrize("kind", CLASSES)
def test_four_parts_in_one_message(kind: type[FitwellError]) -> None:
    error = kind("Dense", "units >= 1", "units=0", "Pass the number of outputs.")
    text = "Dense: expected units >= 1, received units=0. Pass the number of outputs."
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (kind, text)
    parts = (again.subject, again.expected, again.received, again.cure)
    assert parts == ("Dense", "units >= 1", "units=0", "Pass the number of outputs.")


def test_each_is_the_builtin_that_users_catch() -> None:
    found = {kind.__name__: kind for kind in CLASSES if kind is not FitwellError}
    assert set(found) == set(BUILTIN)
    assert all(issubclass(found[name], builtin) for name, builtin in BUILTIN.items())


@pytest.mark.parametrize(
    ("name", "choices", "sentence"),
    [
        ("epoch", ["x", "epochs"], "Did you mean epochs?"),
        ("ADM", ["adam", "sgd"], "Did you mean adam?"),
        ("optimiser", ["loss", "optimizer"], "Did you mean optimizer?"),
        ("meansquarederror", ["MeanSquaredError"], "Did you mean MeanSquaredError?"),
        ("q", ["b", "a", "b"], "The choices are a, b."),
        ("", ["b"], "The choices are b."),
    ],
)
def test_did_you_mean(name: str, choices: list[str], sentence: str) -> None:
    assert did_you_mean(name, choices) == sentence
