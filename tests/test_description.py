"""Descriptions: frozen, equal and hashed by value, checked; their JSON names nothing foreign."""

from __future__ import annotations

import inspect
import json
import math
import pydoc
import re
import sys
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fitwell as fw
from fitwell.catalog import catalog
from fitwell.description import (
    Description,
    changed_fields,
    check_choice,
    check_number,
    check_positive_int,
    freeze,
)
from fitwell.errors import (
    FitwellError,
    FrozenDescription,
    InvalidArgument,
    InvalidFile,
    UnknownArgument,
    UnknownName,
)
from fitwell.names import resolve
from fitwell.serialization import Catalog


class Box(Description):
    """One required field, one default, one that may hold anything."""

    size: Any
    fill: Any = 0.0
    label: Any = None

    def validate(self) -> None:
        if self.size == "bad":
            raise InvalidArgument("Box", "a good size", "size='bad'", "Choose another.")


class Checked(Description):
    units: Any = 1
    rate: Any = 0.5
    mode: Any = "max"

    def validate(self) -> None:
        check_positive_int(self, "units")
        check_number(self, "rate", 0, 1, open_high=True)
        check_choice(self, "mode", ("max", "min"))


def message(call: Callable[[], Any], error: type[FitwellError]) -> str:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    return str(caught.value)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (Box([1, [2, 3]]), Box((1, (2, 3)))),
        (Box({"a": [1]}), Box((("a", (1,)),))),
        (Box(np.array([[1.5, 2.0]])), Box(jnp.array([[1.5, 2.0]]))),
        (Box(np.float64(2.5), fill=np.int64(3)), Box(2.5, 3)),
        (Box({3, 1, 2}), Box((1, 2, 3))),
        (Box(Box([1])), Box(size=Box((1,)), fill=0.0)),
        (Box(np.ones(2), label=None), Box([1.0, 1.0])),
    ],
)
def test_equal_values_are_equal_and_hash_equally(a: Box, b: Box) -> None:
    assert a == b
    assert hash(a) == hash(b)
    assert len({a, b}) == 1


@pytest.mark.parametrize("other", [Box(2), Box(1, 1.0), Box(1, label="x"), Checked(1)])
def test_other_values_and_other_classes_differ(other: Description) -> None:
    assert Box(1) != other


def test_the_signature_is_that_of_the_fields() -> None:
    """For `help` and for editors: the constructor itself takes anything, and checks it."""
    shown = inspect.signature(Box).parameters
    assert [(name, one.default) for name, one in shown.items()] == [
        ("size", inspect.Parameter.empty),
        ("fill", 0.0),
        ("label", None),
    ]
    assert list(inspect.signature(fw.losses.Huber()).parameters)[:2] == ["y_true", "y_pred"]


@pytest.mark.parametrize("what", [fw.layers.Dense, fw.layers, fw.losses.Huber, Description])
def test_help_shows_classes_and_modules(what: Any) -> None:
    text = pydoc.render_doc(what, renderer=pydoc.plaintext)
    assert (what.__doc__ or "").splitlines()[0] in text


def test_repr_shows_what_was_changed_and_evaluates_to_an_equal_one() -> None:
    box = Box([1, 2], label={"a": np.float32(0.5)})
    assert repr(box) == "Box(size=(1, 2), label=(('a', 0.5),))"
    assert eval(repr(box)) == box
    assert changed_fields(Box(0.0, fill=0.0)) == {"size": 0.0}


MESSAGES: list[tuple[Callable[[], Any], type[FitwellError], str]] = [
    (
        lambda: Box(1, fil=2.0),  # type: ignore[call-arg]
        UnknownArgument,
        "Box: expected an argument it knows, received fil=2.0. Did you mean fill?",
    ),
    (
        lambda: Box(1, xyzw=2.0),  # type: ignore[call-arg]
        UnknownArgument,
        "Box: expected an argument it knows, received xyzw=2.0. The choices are fill, label, size.",
    ),
    (
        lambda: Box(),  # type: ignore[call-arg]
        UnknownArgument,
        "Box: expected the argument size, received none. Write Box(size=...).",
    ),
    (
        lambda: Box(1, 2, 3, 4),  # type: ignore[call-arg]
        UnknownArgument,
        "Box: expected at most 3 arguments without a name (size, fill, label), received 4. "
        "Name the others.",
    ),
    (
        lambda: Box(1, size=2),  # type: ignore[misc]
        UnknownArgument,
        "Box: expected size once, received 1 and size=2. Leave one of them out.",
    ),
    (
        lambda: setattr(Box(1), "size", 2),
        FrozenDescription,
        "Box: expected no change after it was made (it is a frozen description), received an "
        "assignment to .size. Make a new one with the value you want, or, if it is part of a "
        'model, set it on the model\'s own layer: model["name"].size = ....',
    ),
    (
        lambda: Box("bad"),
        InvalidArgument,
        "Box: expected a good size, received size='bad'. Choose another.",
    ),
    (
        lambda: Checked(units=0),
        InvalidArgument,
        "Checked: expected units to be a whole number >= 1, received units=0. "
        "Pass units=1 or more.",
    ),
    (
        lambda: Checked(rate=1),
        InvalidArgument,
        "Checked: expected rate to be a number in [0, 1), received rate=1. Choose rate inside it.",
    ),
    (
        lambda: Checked(mode="mix"),
        InvalidArgument,
        "Checked: expected mode to be one of 'max', 'min', received mode='mix'. Did you mean min?",
    ),
    (
        lambda: Checked(mode=3),
        InvalidArgument,
        "Checked: expected mode to be one of 'max', 'min', received mode=3. Choose one.",
    ),
    (
        lambda: resolve("loss", "mean_squard_error", {"mean_squared_error": 1}),
        UnknownName,
        "loss: expected a name it knows, received 'mean_squard_error'. "
        "Did you mean mean_squared_error?",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES)
def test_messages(call: Callable[[], Any], error: type[FitwellError], text: str) -> None:
    assert message(call, error) == text


@pytest.mark.parametrize("units", [True, 1.0, "1", None, -1, float("nan")])
def test_only_whole_numbers_count_as_counts(units: Any) -> None:
    assert f"received units={units!r}." in message(lambda: Checked(units), InvalidArgument)


@pytest.mark.parametrize("rate", [True, "0.5", None, float("nan"), float("inf"), -1e-9])
def test_only_numbers_inside_the_span_are_taken(rate: Any) -> None:
    assert f"received rate={rate!r}." in message(lambda: Checked(rate=rate), InvalidArgument)


def test_deletion_is_refused_too() -> None:
    box = Box(1)
    with pytest.raises(FrozenDescription):
        del box.size
    assert box.size == 1


def test_a_numpy_number_passes_the_checks() -> None:
    assert Checked(np.int64(3), np.float32(0.5)) == Checked(3, 0.5)


def test_resolve_ignores_case_and_separators_and_returns_what_is_no_name() -> None:
    table = {"mean_squared_error": 1, "l1_l2": 2}
    for name in ("mean_squared_error", "MeanSquaredError", "mean-squared-error"):
        assert resolve("x", name, table) == 1
    assert resolve("x", "L1L2", table) == 2
    assert resolve("x", math.sin, table) is math.sin  # type: ignore[arg-type]
    assert resolve("x", None, table) is None  # type: ignore[arg-type]


# JSON


def double(x: Any) -> Any:
    return 2 * x


KNOWN = Catalog({"boxes.Box": Box, "boxes.Checked": Checked, "functions.sin": math.sin})
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(math.sin)
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.builds(lambda a, b, c: Box([a], b, c), inner, inner, inner),
    ),
    max_leaves=8,
)


def normal(value: Any) -> Any:
    """Lists that compare with ==, in which NaN equals NaN."""
    if isinstance(value, Description):
        return [type(value).__name__, *(normal(v) for v in vars(value).values())]
    if isinstance(value, tuple):
        return [normal(item) for item in value]
    return "nan" if value != value else value


@given(values)
def test_json_round_trip(value: Any) -> None:
    frozen = freeze(value)
    text = json.dumps(KNOWN.to_json(frozen), allow_nan=False)
    assert normal(KNOWN.from_json(json.loads(text))) == normal(frozen)


def test_custom_objects_by_list_and_by_name() -> None:
    class Own(Description):
        n: int = 1

    data = json.loads(json.dumps(KNOWN.to_json(Box(Own(2), double))))
    assert data["args"] == {
        "size": {"class": "custom.Own", "args": {"n": 2}},
        "fill": {"function": "custom.double"},
    }
    for objects in ([Own, double], {"Own": Own, "double": double}):
        assert KNOWN.with_custom(objects).from_json(data) == Box(Own(2), double)
    text = message(lambda: KNOWN.from_json(data), InvalidFile)
    assert text == (
        "model file: expected only classes and functions it can find, received 'Own'. "
        "Pass your own Own: load(path, custom_objects=[Own])."
    )


@pytest.mark.parametrize("objects", [3, "Own", [3], {"Own": 3}, Box(1)], ids=repr)
def test_custom_objects_are_classes_and_functions(objects: Any) -> None:
    assert message(lambda: KNOWN.with_custom(objects), InvalidArgument) == (
        "custom_objects: expected a list of classes and functions, or a dict of them by name, "
        f"received {objects!r}. Write custom_objects=[MyLayer]."
    )


def test_a_function_without_a_name_cannot_be_written() -> None:
    text = message(lambda: KNOWN.to_json(Box(lambda x: x)), InvalidArgument)
    assert re.fullmatch(
        r"save: expected classes and functions with a name, received <function .*<lambda>.*>\. "
        r"Give the function a name with def, and pass it to load as custom_objects\.",
        text,
    )


HOSTILE: list[Any] = [
    {"class": "os.system"},
    {"function": "os.system"},
    {"function": "builtins.eval"},
    {"class": "antigravity.fly"},
    {"class": "boxes.Box.__init__"},
    {"class": ["boxes.Box"]},
    {"class": {"class": "boxes.Box"}},
    {"class": None},
    {},
    {"args": {"size": 1}},
    {"number": "os.system"},
    {"number": ["inf"]},
    {"number": 1.0},
    {"class": "functions.sin", "args": {}},
    {"class": "boxes.Box", "args": [1]},
    {"class": "boxes.Box", "args": {"size": {"function": "os.system"}}},
]


@pytest.mark.parametrize("data", HOSTILE, ids=json.dumps)
def test_hostile_json_is_refused_and_imports_nothing(data: Any) -> None:
    before = set(sys.modules)
    for known in (KNOWN, catalog()):
        if known is KNOWN or "boxes" not in json.dumps(data):
            text = message(lambda known=known: known.from_json(data), InvalidFile)
            assert text.startswith("model file: expected ")
    assert set(sys.modules) == before


def test_the_text_for_a_foreign_name() -> None:
    assert message(lambda: KNOWN.from_json({"class": "os.system"}), InvalidFile) == (
        "model file: expected only classes and functions of fitwell, received 'os.system'. "
        "The file is from another version or not from fitwell."
    )


def test_the_catalog_holds_nothing_but_fitwells_own() -> None:
    entries = catalog().entries
    assert {"layers.Dense", "losses.MeanSquaredError", "activations.relu"} <= set(entries)
    assert all(value.__module__.startswith("fitwell.") for value in entries.values())
