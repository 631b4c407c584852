from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell import regularizers
from fitwell.errors import InvalidArgument, ShapeMismatch, UnknownName
from fitwell.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

GOLDEN = np.load(Path(__file__).parent / "golden" / "penalties.npz")  # Keras, float64
CASES = [name.removesuffix("/value") for name in GOLDEN.files if name.endswith("/value")]
KEY_POINTS = jnp.array([-1.0, -0.25, 0.0, 0.2, 3.0])


@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient_equal_keras(case):
    regularizer = eval(case, vars(regularizers))
    weight = jnp.asarray(GOLDEN["weight"], jnp.float32)
    value, slope = jax.value_and_grad(regularizer)(weight)
    np.testing.assert_allclose(value, GOLDEN[f"{case}/value"], rtol=1e-6)
    expected = GOLDEN[f"{case}/slope"]
    expected = np.where(np.isnan(expected), 0, expected)  # Keras' slope of a column of zeros
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("regularizer", "loss", "after"),
    [
        (L1(0.5), 2.225, KEY_POINTS),
        (L1(0.5, proximal=True), 0, jnp.array([-0.75, 0.0, 0.0, 0.0, 2.75])),
        (L2(0.5), 5.05125, KEY_POINTS),
        (L1L2(0.5, 0.5), 7.27625, KEY_POINTS),
        (L1L2(0.5, 0.5, proximal=True), 5.05125, jnp.array([-0.75, 0.0, 0.0, 0.0, 2.75])),
    ],
)
def test_the_proximal_form_moves_l1_from_the_loss_to_the_step(regularizer, loss, after):
    assert float(regularizer(KEY_POINTS)) == pytest.approx(loss)
    stepped = regularizer.proximal_step(KEY_POINTS, 0.5)  # threshold 0.5 * 0.5
    np.testing.assert_array_equal(stepped, after)
    assert regularizer.proximal == ("proximal" in repr(regularizer))


def test_proximal_gradient_solves_the_lasso_and_gradients_do_not():
    # min |x - t|^2 / 2 + l1 |x| is sign(t) max(|t| - l1, 0): exact zeros for |t| <= l1.
    target = jnp.array([0.05, -0.08, 0.5, -2.0])
    solution = np.array([0, 0, 0.4, -1.9])

    def descend(regularizer):
        @jax.jit
        def step(x):
            gradient = jax.grad(lambda x: ((x - target) ** 2).sum() / 2 + regularizer(x))(x)
            return regularizer.proximal_step(x - 0.3 * gradient, 0.3)

        x = jnp.ones(4)
        for _ in range(100):
            x = step(x)
        return np.asarray(x)

    exact, plain = descend(L1(0.1, proximal=True)), descend(L1(0.1))
    np.testing.assert_allclose(exact, solution, atol=1e-6)
    assert list(exact == 0) == [True, True, False, False]
    assert (plain != 0).all()


@settings(deadline=None)
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=4, max_size=4),
    st.floats(0, 50, width=32),
)
def test_soft_thresholding_minimises_its_objective(weights, threshold):
    w = np.float64(weights)
    got = np.float64(L1(threshold, proximal=True).proximal_step(jnp.float32(w), 1.0))

    def objective(x):
        return (x - w) ** 2 / 2 + threshold * abs(x)

    for other in (got - 0.01, got + 0.01, 0 * got, w):
        assert (objective(got) <= objective(other) + 1e-3).all()


def test_orthogonal_of_one_row_is_0_and_of_zeros_is_finite():
    assert float(OrthogonalRegularizer()(jnp.ones((1, 5)))) == 0
    value, slope = jax.value_and_grad(OrthogonalRegularizer())(jnp.zeros((3, 4)))
    assert float(value) == 0
    np.testing.assert_array_equal(slope, np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (None, None),
        ("l1", L1(0.01)),
        ("L2", L2(0.01)),
        ("l1_l2", L1L2(0.01, 0.01)),
        ("L1L2", L1L2(0.01, 0.01)),
        ("orthogonal", OrthogonalRegularizer(0.01)),
        ("orthogonal_regularizer", OrthogonalRegularizer(0.01)),
        (L2(0.5), L2(0.5)),
        (L1, L1()),
    ],
)
def test_get(identifier, expected):
    assert regularizers.get(identifier) == expected


def test_a_function_is_a_regularizer_without_a_proximal_form():
    found = regularizers.get(lambda w: 2 * w.max())
    assert float(found(KEY_POINTS)) == 6
    assert found.proximal is False
    np.testing.assert_array_equal(found.proximal_step(KEY_POINTS, 1.0), KEY_POINTS)


class Own(Regularizer):
    pass


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            UnknownName,
            lambda: regularizers.get("ortogonal"),
            "regularizer: expected a name it knows, received 'ortogonal'. Did you mean orthogonal?",
        ),
        (
            InvalidArgument,
            lambda: regularizers.get(0.5),
            "regularizer: expected a name, a regularizer, a function weight -> scalar, or None, "
            "received 0.5. Write kernel_regularizer=L2(0.5).",
        ),
        (
            InvalidArgument,
            lambda: regularizers.get(dict),
            "regularizer: expected a name, a regularizer, a function weight -> scalar, or None, "
            "received <class 'dict'>. Write kernel_regularizer=\"l2\".",
        ),
        (
            InvalidArgument,
            lambda: L1(-1.0),
            "L1: expected l1 to be a number in [0, inf), received l1=-1.0. Choose l1 inside it.",
        ),
        (
            InvalidArgument,
            lambda: L1L2(l2=float("inf")),
            "L1L2: expected l2 to be a number in [0, inf), received l2=inf. Choose l2 inside it.",
        ),
        (
            InvalidArgument,
            lambda: L1(proximal="yes"),
            "L1: expected proximal to be one of True, False, received proximal='yes'. "
            "The choices are False, True.",
        ),
        (
            InvalidArgument,
            lambda: OrthogonalRegularizer(mode="row"),
            "OrthogonalRegularizer: expected mode to be one of 'rows', 'columns', received "
            "mode='row'. Did you mean rows?",
        ),
        (
            ShapeMismatch,
            lambda: OrthogonalRegularizer()(KEY_POINTS),
            "OrthogonalRegularizer: expected a matrix: two axes, received shape (5,). "
            "Use it on kernels of Dense layers.",
        ),
        (
            InvalidArgument,
            lambda: Own()(KEY_POINTS),
            "Own: expected the method __call__(self, weight), received none. "
            "Define it in your regularizer.",
        ),
    ],
)
def test_bad_arguments_are_answered_with_the_cure(error, call, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
