from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import constraints
from fitwell.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from fitwell.errors import InvalidArgument, ShapeMismatch, UnknownName

GOLDEN = np.load(Path(__file__).parent / "golden" / "penalties.npz")  # Keras, float64
CASES = [name.removesuffix("/weight") for name in GOLDEN.files if name.endswith("/weight")]


@pytest.mark.parametrize("case", CASES)
def test_equals_keras(case):
    weight = jnp.asarray(GOLDEN["weight"], jnp.float32)
    got = eval(case, vars(constraints))(weight)
    np.testing.assert_allclose(got, GOLDEN[f"{case}/weight"], rtol=1e-6, atol=1e-8)
    assert got.dtype == jnp.float32


def test_max_norm_by_hand():
    # Columns of norm 5 and 1: the first shrinks to 2, the second stays.
    got = MaxNorm(2)(jnp.array([[3.0, 0.6], [4.0, 0.8]]))
    np.testing.assert_allclose(got, [[1.2, 0.6], [1.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (None, None),
        ("max_norm", MaxNorm(2)),
        ("NonNeg", NonNeg()),
        ("non_neg", NonNeg()),
        ("unit_norm", UnitNorm()),
        ("min_max_norm", MinMaxNorm(0.0, 1.0)),
        (MaxNorm(3, axis=[0, 1]), MaxNorm(3, axis=(0, 1))),
        (UnitNorm, UnitNorm()),
        (jnp.abs, jnp.abs),
    ],
)
def test_get(identifier, expected):
    assert constraints.get(identifier) == expected


class Own(Constraint):
    pass


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            UnknownName,
            lambda: constraints.get("maxnrm"),
            "constraint: expected a name it knows, received 'maxnrm'. Did you mean max_norm?",
        ),
        (
            InvalidArgument,
            lambda: constraints.get(2),
            "constraint: expected a name, a constraint, a function weight -> weight, or None, "
            'received 2. Write kernel_constraint="max_norm".',
        ),
        (
            InvalidArgument,
            lambda: constraints.get(dict),
            "constraint: expected a name, a constraint, a function weight -> weight, or None, "
            "received <class 'dict'>. Write kernel_constraint=\"max_norm\".",
        ),
        (
            InvalidArgument,
            lambda: MaxNorm(-1),
            "MaxNorm: expected max_value to be a number in [0, inf], received max_value=-1. "
            "Choose max_value inside it.",
        ),
        (
            InvalidArgument,
            lambda: MinMaxNorm(2.0, 1.0),
            "MinMaxNorm: expected max_value to be a number in [2, inf], received max_value=1.0. "
            "Choose max_value inside it.",
        ),
        (
            InvalidArgument,
            lambda: MinMaxNorm(rate=2.0),
            "MinMaxNorm: expected rate to be a number in [0, 1], received rate=2.0. "
            "Choose rate inside it.",
        ),
        (
            InvalidArgument,
            lambda: UnitNorm(axis="0"),
            "UnitNorm: expected axis to be a whole number or a tuple of them, received axis='0'. "
            "Write axis=0 for Dense kernels, axis=(0, 1, 2) for images.",
        ),
        (
            ShapeMismatch,
            lambda: UnitNorm(axis=(0, 2))(jnp.ones((2, 3))),
            "UnitNorm: expected a weight that has axis (0, 2), received shape (2, 3). "
            "Choose axes of the weight.",
        ),
        (
            InvalidArgument,
            lambda: Own()(jnp.ones(2)),
            "Own: expected the method __call__(self, weight), received none. "
            "Define it in your constraint.",
        ),
    ],
)
def test_bad_arguments_are_answered_with_the_cure(error, call, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
