"""What large logits, saturated probabilities and round-off do to a loss and its gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell import losses
from fitwell.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

HUGE = 1e4


def value_and_slope(loss, y_true, logits):
    """Of each example in float32: its loss, and the gradient of its loss before any mean."""

    @jax.jit
    def run(y, z):
        each, pull = jax.vjp(lambda x: loss.values(y, x), z)
        return each, pull(jnp.ones_like(each))[0]

    return jax.device_get(run(np.asarray(y_true), np.asarray(logits, np.float32)))


# Cross-entropies from logits (O1, O3, O4, O5)


def test_binary_crossentropy_is_finite_at_huge_logits_with_gradient_p_minus_y():
    logits, y = [[HUGE], [HUGE], [-HUGE], [-HUGE], [0.0]], [[1], [0], [1], [0], [1]]
    value, slope = value_and_slope(BinaryCrossentropy(from_logits=True), y, logits)
    np.testing.assert_array_equal(value, np.float32([0, HUGE, HUGE, 0, np.log(2)]))
    np.testing.assert_array_equal(slope[:, 0], [0, 1, -1, 0, -0.5])


@pytest.mark.parametrize("one_hot", [False, True])
def test_categorical_crossentropies_are_finite_at_huge_logits_with_gradient_p_minus_y(one_hot):
    logits = [[HUGE, -HUGE, 0], [HUGE, -HUGE, 0], [HUGE, HUGE, HUGE], [-HUGE, -HUGE, 3]]
    y = np.array([0, 1, 2, 2])
    kind = CategoricalCrossentropy if one_hot else SparseCategoricalCrossentropy
    y_true = np.eye(3)[y] if one_hot else y
    value, slope = value_and_slope(kind(from_logits=True), y_true, logits)
    np.testing.assert_array_equal(value, np.float32([0, 2 * HUGE, np.log(3), 0]))
    p = np.float32([[1, 0, 0], [1, 0, 0], [1 / 3] * 3, [0, 0, 1]])
    np.testing.assert_array_equal(slope, p - np.eye(3, dtype=np.float32)[y])


def test_gradient_is_p_minus_y_to_the_last_bit_of_p():
    z = np.linspace(-30, 30, 121)[:, None]
    y = (np.arange(121) % 2)[:, None]
    _, slope = value_and_slope(BinaryCrossentropy(from_logits=True), y, z)
    np.testing.assert_allclose(slope, 1 / (1 + np.exp(-z)) - y, 0, 1.2e-7)
    rows = np.concatenate([z, z[::-1] / 3, np.zeros_like(z)], axis=1)
    p = np.exp(rows) / np.exp(rows).sum(1, keepdims=True)
    labels = np.arange(121) % 3
    for kind, target in (
        (SparseCategoricalCrossentropy, labels),
        (CategoricalCrossentropy, np.eye(3)[labels]),
    ):
        _, slope = value_and_slope(kind(from_logits=True), target, rows)
        np.testing.assert_allclose(slope, p - np.eye(3)[labels], 0, 1.2e-7)


@given(st.floats(-HUGE, HUGE, width=32), st.floats(0, 1, width=32))
@settings(deadline=None, max_examples=60)
def test_binary_crossentropy_of_any_logit_is_that_of_float64(z, y):
    found = losses.binary_crossentropy(jnp.array([[y]]), jnp.array([[z]]), from_logits=True)
    exact = np.logaddexp(0, np.float64(z)) - np.float64(z) * np.float64(y)
    scale = max(1.0, abs(z))
    np.testing.assert_allclose(found, [exact], 1e-6, 2e-7 * scale)


def test_curvature_of_crossentropies_is_that_of_the_likelihood_even_at_logit_0():
    y = jnp.array([[1.0]])

    def cost(z):
        return losses.binary_crossentropy(y, z[None], from_logits=True)[0]

    curvature = jax.jit(jax.hessian(cost))
    for z, expected in ((0.0, 0.25), (2.0, 0.104993585), (-HUGE, 0.0)):
        np.testing.assert_allclose(curvature(jnp.array([z])), [[expected]], 1e-5)

    def softmax_cost(z):
        return losses.sparse_categorical_crossentropy(jnp.array([1]), z[None], True)[0]

    expected = np.eye(3) / 3 - np.ones((3, 3)) / 9  # diag(p) - p p^T
    np.testing.assert_allclose(jax.jit(jax.hessian(softmax_cost))(jnp.zeros(3)), expected, 0, 1e-7)


def test_the_sparse_gradient_gathers_and_scatters_nothing():
    loss = SparseCategoricalCrossentropy(from_logits=True)
    program = str(jax.make_jaxpr(jax.grad(loss, argnums=1))(jnp.array([1, 0]), jnp.zeros((2, 3))))
    assert "exp" in program
    assert "gather" not in program
    assert "scatter" not in program


def test_soft_targets_have_their_own_gradient():
    z, y = jnp.array([[1.5, -2.0]]), jnp.array([[0.25, 0.75]])
    slope = jax.grad(lambda t: losses.binary_crossentropy(t, z, from_logits=True)[0])(y)
    np.testing.assert_allclose(slope, -z / 2, 1e-6)  # d/dy (-z y) in the mean of two


def test_a_class_that_is_impossible_leaves_the_sparse_loss_finite():
    loss = SparseCategoricalCrossentropy(from_logits=True)
    value, slope = value_and_slope(loss, [1], [[-np.inf, 0, 0]])
    np.testing.assert_allclose(value, [np.log(2)], 1e-6)
    np.testing.assert_allclose(slope, [[0, -0.5, 0.5]], 1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_focal_losses_are_finite_at_huge_logits(gamma):
    logits, y = [[HUGE], [HUGE], [-HUGE], [-HUGE]], [[1], [0], [1], [0]]
    loss = BinaryFocalCrossentropy(gamma=gamma, from_logits=True)
    value, slope = value_and_slope(loss, y, logits)
    # Wrong by far, the factor (1 - p_t)^gamma is 1 and the loss is the plain cross-entropy.
    np.testing.assert_array_equal(value, np.float32([0, HUGE, HUGE, 0]))
    np.testing.assert_allclose(slope[:, 0], [0, 1, -1, 0], 0, 1e-20)
    loss = CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, from_logits=True)
    value, slope = value_and_slope(loss, np.eye(2)[[0, 1]], [[HUGE, -HUGE], [HUGE, -HUGE]])
    np.testing.assert_array_equal(value, np.float32([0, 2 * HUGE]))
    np.testing.assert_allclose(slope, [[0, 0], [1, -1]], 0, 1e-6)


def test_focal_loss_keeps_its_small_values_where_one_minus_p_rounds_to_0():
    loss = BinaryFocalCrossentropy(from_logits=True)
    value, _ = value_and_slope(loss, [[1]], [[20.0]])
    q = np.exp(-20.0)  # 1 - p; the loss is q^2 * q
    np.testing.assert_allclose(value, [q**3], 1e-5)


# Cross-entropies from probabilities


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_saturated_probabilities_give_a_finite_loss(p):
    far = -np.log(1e-7)
    value, slope = value_and_slope(BinaryCrossentropy(), [[0], [1]], [[p], [p]])
    expected = [far, 0] if p else [0, far]
    np.testing.assert_allclose(value, expected, 1e-6, 1.3e-7)
    np.testing.assert_array_equal(slope, [[0], [0]])
    value, slope = value_and_slope(SparseCategoricalCrossentropy(), [0], [[p, 1 - p]])
    np.testing.assert_allclose(value, [0 if p else far], 1e-6, 1.3e-7)
    assert np.isfinite(slope).all()


def test_probabilities_that_sum_to_nothing_give_a_finite_loss():
    for loss, y in (
        (SparseCategoricalCrossentropy(), [1]),
        (CategoricalCrossentropy(), [[0, 1]]),
        (CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0), [[0, 1]]),
    ):
        value, slope = value_and_slope(loss, y, [[0.0, 0.0]])
        np.testing.assert_allclose(value, [-np.log(1e-7)], 1e-6)
        assert np.isfinite(slope).all()


def test_probabilities_are_divided_by_their_sum_as_in_keras():
    value, _ = value_and_slope(CategoricalCrossentropy(), [[0, 1]], [[1.0, 3.0]])
    np.testing.assert_allclose(value, [-np.log(0.75)], 1e-6)


# Other losses


def test_log_cosh_has_an_exact_gradient_near_0_and_far_away():
    x = jnp.array([[1e-6], [-1e-4], [3e38], [-3e38]])
    value, slope = value_and_slope(losses.LogCosh(), jnp.zeros((4, 1)), x)
    np.testing.assert_allclose(slope[:, 0], [1e-6, -1e-4, 1, -1], 1e-6)
    np.testing.assert_allclose(value[2:], [3e38, 3e38], 1e-6)


def test_huber_never_forms_the_square_of_a_large_error():
    value, slope = value_and_slope(losses.Huber(), [[0.0], [0.0]], [[1e30], [-1e30]])
    np.testing.assert_allclose(value, [1e30, 1e30], 1e-6)
    np.testing.assert_array_equal(slope, [[1], [-1]])


def test_cosine_similarity_of_a_zero_vector_is_0_with_a_finite_gradient():
    value, slope = value_and_slope(losses.CosineSimilarity(), [[1.0, 2.0]], [[0.0, 0.0]])
    np.testing.assert_array_equal(value, [0])
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_predictions_are_scored_in_float32(dtype):
    p = jnp.array([[1.0], [0.5]], dtype)
    value = losses.binary_crossentropy(jnp.array([[0], [1]]), p)
    assert value.dtype == jnp.float32
    np.testing.assert_allclose(value, [-np.log(1e-7), np.log(2)], 1e-6)


def test_whole_number_predictions_are_taken_as_numbers():
    value = losses.mean_squared_error([[1, 2]], [[0, 5]])
    assert value.dtype == jnp.float32
    np.testing.assert_array_equal(value, [5])


# The notes' numerics (O6 - O8)


def test_round_off_of_two_expressions_for_the_same_number():
    one = jnp.float32(1)
    step = jnp.float32(1) / 10000
    direct, detour = jnp.float32(2) / 10000, (one + step) - (one - step)
    assert abs(float(direct) / 2e-4 - 1) < 6e-8
    assert round(abs(float(detour) / 2e-4 - 1), 5) == 1.7e-4


def test_one_minus_sigmoid_is_0_from_18_on_and_the_loss_is_finite():
    z = jnp.array([[18.0]])
    assert 1 - jax.nn.sigmoid(z) == 0
    assert jnp.log(1 - jax.nn.sigmoid(z)) == -jnp.inf
    value, slope = value_and_slope(BinaryCrossentropy(from_logits=True), [[0]], z)
    np.testing.assert_allclose(value, [18 + np.exp(-18)], 1e-7)
    np.testing.assert_array_equal(slope, [[1]])


def test_cost_is_the_average_loss():
    y, z = jnp.array([1, 0, 1]), jnp.array([[0.0], [0.0], [np.log(3.0)]])
    by_hand = (np.log(2) + np.log(2) - np.log(0.75)) / 3
    cost = BinaryCrossentropy(from_logits=True)(y, z)
    np.testing.assert_allclose(cost, by_hand, 1e-6)


def test_crossentropy_learns_from_a_confident_mistake_and_squared_error_does_not():
    y, z = jnp.array([[1.0]]), jnp.array([[-6.0]])
    crossentropy, squared = BinaryCrossentropy(from_logits=True), MeanSquaredError()

    def squared_cost(x):
        return squared(y, jax.nn.sigmoid(x))

    def crossentropy_cost(x):
        return crossentropy(y, x)

    p = 1 / (1 + np.exp(6.0))
    np.testing.assert_allclose(jax.grad(crossentropy_cost)(z), [[p - 1]], 1e-6)
    np.testing.assert_allclose(jax.grad(squared_cost)(z), [[2 * (p - 1) * p * (1 - p)]], 1e-5)

    def steps_until_right(cost, slope_by_hand):
        def step(x, _):
            return x - jax.grad(cost)(x), x[0, 0]

        path = np.asarray(jax.jit(lambda x: jax.lax.scan(step, x, None, 400)[1])(z))
        x, by_hand = -6.0, 0
        while x < 0:
            x, by_hand = x - slope_by_hand(1 / (1 + np.exp(-x))), by_hand + 1
        assert int((path < 0).sum()) == by_hand
        return by_hand

    fast = steps_until_right(crossentropy_cost, lambda p: p - 1)
    slow = steps_until_right(squared_cost, lambda p: 2 * (p - 1) * p * (1 - p))
    assert slow > 20 * fast


def test_smoothed_class_numbers_by_hand() -> None:
    """p = (1/4, 3/4), label 1, a = 0.2: the right class gets 0.9 and the other 0.1."""
    expected = -0.9 * np.log(0.75) - 0.1 * np.log(0.25)
    for logits, outputs in ((True, [[0.0, np.log(3.0)]]), (False, [[0.25, 0.75]])):
        loss = SparseCategoricalCrossentropy(from_logits=logits, label_smoothing=0.2)
        assert float(loss(jnp.array([1]), jnp.array(outputs))) == pytest.approx(expected, rel=1e-6)
