import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell import activations
from fitwell.errors import InvalidArgument, ShapeMismatch, UnknownName

GOLDEN = np.load(Path(__file__).parent / "golden" / "activations.npz")  # PyTorch, float64
CASES = [name.removesuffix("/value") for name in GOLDEN.files if name.endswith("/value")]
STEP = 1e-5  # of finite differences, in float64
FUNCTIONS = [name for name in activations.__all__ if name != "get"]

# Units in the last place: of the value, of the slope, and of 1 where a result is the small
# difference of two numbers near 1. gelu's tails go like exp(-x^2 / 2), which carries the
# rounding of x^2 into them.
ULPS = {
    "sigmoid": (4, 4, 1),
    "tanh": (4, 4, 1),
    "silu": (4, 4, 4),
    "glu": (4, 4, 1),
    "gelu": (20, 20, 1),
    "gelu_tanh": (20, 20, 1),
    "mish": (4, 4, 1),
    "softmax": (4, 4, 1),
    "log_softmax": (4, 4, 2),
}


def parse(case):
    """`"elu(alpha=0.5)"` -> the function with that argument."""
    name, _, arguments = case.partition("(")
    keywords = eval(f"dict({arguments}") if arguments else {}
    return lambda x: getattr(activations, name)(x, **keywords)


def points(case):
    vector = case.partition("(")[0] in ("softmax", "log_softmax", "glu")
    return GOLDEN["rows" if vector else "points"], vector


def evaluate_all(dtype):
    """Of every case, in one compiled program: value, slope, change of the slope along a
    direction, and the same by finite differences."""

    def run():
        results = {}
        for case in CASES:
            x, vector = points(case)
            x = jnp.asarray(x, dtype)
            y, pull = jax.vjp(parse(case), x)
            ramp = np.linspace(1, 2, y.size).reshape(y.shape)
            weight = jnp.asarray(ramp if vector else np.ones(y.shape), dtype)
            direction = jnp.asarray(np.linspace(1, 2, x.size).reshape(x.shape), dtype)

            def slope(x, case=case, weight=weight):
                return jax.vjp(parse(case), x)[1](weight)[0]

            exact = jax.jvp(slope, (x,), (direction,))[1]
            numeric = (slope(x + STEP * direction) - slope(x - STEP * direction)) / (2 * STEP)
            results[case] = y, pull(weight)[0], exact, numeric
        return results

    return {case: [np.asarray(a) for a in r] for case, r in jax.jit(run)().items()}


@pytest.fixture(scope="module")
def float32():
    return evaluate_all(jnp.float32)


@pytest.fixture(scope="module")
def float64():
    with jax.enable_x64(True):
        return evaluate_all(jnp.float64)


@pytest.mark.parametrize("case", CASES)
def test_values_and_slopes_equal_pytorch_to_a_few_ulp(case, float32):
    value_ulps, slope_ulps, slope_of_one = ULPS.get(case.partition("(")[0], (4, 4, 0))
    eps = np.finfo(np.float32).eps
    value, slope, curvature, _ = float32[case]
    tiny = 1e-37  # below it XLA rounds to 0
    value_atol = eps if case == "log_softmax" else tiny
    np.testing.assert_allclose(value, GOLDEN[f"{case}/value"], value_ulps * eps, value_atol)
    np.testing.assert_allclose(
        slope, GOLDEN[f"{case}/slope"], slope_ulps * eps, slope_of_one * eps + tiny
    )
    assert value.dtype == slope.dtype == np.float32
    assert np.isfinite(curvature).all()


@pytest.mark.parametrize("case", CASES)
def test_float64_equals_pytorch(case, float64):
    value, slope, *_ = float64[case]
    np.testing.assert_allclose(value, GOLDEN[f"{case}/value"], 1e-13, 1e-15)
    np.testing.assert_allclose(slope, GOLDEN[f"{case}/slope"], 3e-14, 2e-15)


@pytest.mark.parametrize("case", CASES)
def test_second_derivatives_equal_finite_differences(case, float64):
    x, vector = points(case)
    _, _, exact, numeric = float64[case]
    kinks = ("relu", "leaky_relu", "elu", "selu", "celu", "softsign", "relu2", "threshold")
    kinked = case.startswith(kinks)  # at 0 these have no second derivative
    there = abs(x) > 0 if kinked and not vector else np.full(x.shape, True)
    np.testing.assert_allclose(exact[there], numeric[there], rtol=2e-6, atol=1e-8)


# The value and the slope at the kinks themselves, by hand: the slope is that of the lower side,
# and 0 where it meets a flat part.
@pytest.mark.parametrize(
    ("case", "x", "value", "slope"),
    [
        ("relu", 0, 0, 0),
        ("relu(negative_slope=0.3)", 0, 0, 0.3),
        ("relu(negative_slope=0.5, threshold=2.0)", 2, 0, 0.5),
        ("relu(max_value=3.0)", 3, 3, 0),
        ("relu(threshold=-1.0)", -0.5, -0.5, 1),
        ("relu(threshold=1.0)", 1, 0, 0),
        ("relu6", 0, 0, 0),
        ("relu6", 6, 6, 0),
        ("leaky_relu", 0, 0, 0.2),
        ("elu(alpha=0.5)", 0, 0, 0.5),
        ("hard_sigmoid", -3, 0, 0),
        ("hard_sigmoid", 3, 1, 0),
        ("hard_silu", 3, 3, 1),
        ("relu2", 0, 0, 0),
        ("softsign", 0, 0, 1),
        ("threshold(threshold=1.0, default_value=-2.0)", 1, -2, 0),
        ("softplus", 37, 37, 1),
        ("mish", 20, 20, 1),
    ],
)
def test_at_a_kink(case, x, value, slope):
    got = jax.value_and_grad(parse(case))(jnp.float32(x))
    np.testing.assert_allclose(got, (value, slope), rtol=1e-6)


def test_exponential_equals_numpy_and_overflows_to_infinity():
    x = np.float32([-80, -1, 0, 0.5, 80, 1e4])
    with np.errstate(over="ignore"):
        expected = np.exp(x.astype(float)).astype(np.float32)
    np.testing.assert_allclose(activations.exponential(x), expected, rtol=3e-7)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in ("softmax", "log_softmax")])
def test_nan_stays_nan(name):
    y = activations.get(name)(jnp.array([jnp.nan, 1.0]))
    assert np.isnan(y[0])


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=6))
def test_softmax_is_a_distribution_unchanged_by_a_shift(logits):
    x = jnp.zeros(6, jnp.float32).at[: len(logits)].set(jnp.array(logits, jnp.float32))
    p = activations.softmax(x)
    assert p.min() >= 0
    assert math.isclose(float(p.sum()), 1, rel_tol=1e-6)
    np.testing.assert_allclose(jnp.exp(activations.log_softmax(x)), p, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        *((name, getattr(activations, name)) for name in FUNCTIONS),
        (None, activations.linear),
        ("ReLU", activations.relu),
        ("LeakyReLU", activations.leaky_relu),
        ("swish", activations.silu),
        ("hard_swish", activations.hard_silu),
        ("soft relu", activations.softplus),
        ("soft_relu", activations.softplus),
        ("2nd_relu", activations.relu2),
        ("log-softmax", activations.log_softmax),
        (np.sin, np.sin),
    ],
)
def test_get(name, function):
    assert activations.get(name) is function


def test_bad_arguments_are_answered_with_the_cure():
    x = jnp.ones((2, 3))
    cases = [
        (
            UnknownName,
            lambda: activations.get("rellu"),
            "activation: expected a name it knows, received 'rellu'. Did you mean relu?",
        ),
        (
            InvalidArgument,
            lambda: activations.get(3),
            "activation: expected a name, a function array -> array, or None, received 3. "
            'Write activation="relu", or pass a function of one array.',
        ),
        (
            InvalidArgument,
            lambda: activations.get(dict),
            "activation: expected a name, a function array -> array, or None, received "
            "<class 'dict'>. Write activation=\"relu\", or pass a function of one array.",
        ),
        (
            ShapeMismatch,
            lambda: activations.glu(x),
            "glu: expected an even size on axis -1, to split into two halves, received "
            "shape (2, 3). Give the layer before it twice the number of outputs you want.",
        ),
        (
            InvalidArgument,
            lambda: activations.relu(x, max_value=-1.0),
            "relu: expected max_value >= 0 or None, received max_value=-1.0. "
            "Change it or leave it out.",
        ),
        (
            InvalidArgument,
            lambda: activations.celu(x, alpha=0.0),
            "celu: expected alpha > 0, received alpha=0.0. Change it or leave it out.",
        ),
        (
            InvalidArgument,
            lambda: activations.squareplus(x, b=0),
            "squareplus: expected b > 0, received b=0. Change it or leave it out.",
        ),
    ]
    for error, call, message in cases:
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == message
