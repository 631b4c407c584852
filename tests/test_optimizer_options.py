"""What all optimizers share: clipping, decay, averages, accumulation, multipliers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell.optimizers import SGD, Adafactor, Adagrad, Adam, AdamW, Lion, RMSprop
from fitwell.schedules import ExponentialDecay

NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32, allow_subnormal=False), min_size=4, max_size=4)


def one_step(optimizer, weights, grads, rate=1.0):
    return optimizer.step(weights, grads, optimizer.init(weights), rate)[0]


def moves(optimizer, grads, rate=1.0):
    """What a step subtracts from weights that are 0."""
    grads = jax.tree.map(jnp.asarray, grads)
    return jax.tree.map(
        lambda w: -w, one_step(optimizer, jax.tree.map(jnp.zeros_like, grads), grads, rate)
    )


# The notes' formulas by hand


@settings(deadline=None)  # the first example compiles
@given(NUMBERS)
def test_clip_by_value_is_the_notes_np_clip(values):
    found = moves(SGD(clipvalue=2.5), {"w": np.float32(values)})["w"]
    np.testing.assert_array_equal(found, np.clip(np.float32(values), -2.5, 2.5))


@settings(deadline=None)  # the first example compiles
@given(NUMBERS)
def test_clip_by_norm_is_g_times_threshold_over_the_larger(values):
    gradient = np.float32(values)
    found = moves(SGD(clipnorm=3.0), {"w": gradient})["w"]
    norm = np.linalg.norm(gradient.astype(np.float64))
    np.testing.assert_allclose(found, gradient * 3.0 / max(3.0, norm), rtol=1e-5, atol=1e-37)


def test_the_global_norm_keeps_the_direction_of_the_whole():
    grads = {"a": {"w": np.float32([3.0, 0.0])}, "b": {"w": np.float32([[4.0]])}}
    found = moves(SGD(global_clipnorm=1.0), grads)
    np.testing.assert_allclose(found["a"]["w"], [0.6, 0.0], rtol=1e-6)
    np.testing.assert_allclose(found["b"]["w"], [[0.8]], rtol=1e-6)
    each = moves(SGD(clipnorm=1.0), grads)
    np.testing.assert_allclose([each["a"]["w"][0], each["b"]["w"][0, 0]], [1.0, 1.0], rtol=1e-6)


def test_weights_move_simultaneously():
    grads = jax.grad(lambda p: p["w"] * p["b"])({"w": 2.0, "b": 3.0})
    found = one_step(SGD(), {"w": jnp.array(2.0), "b": jnp.array(3.0)}, grads, 0.1)
    assert float(found["w"]) == pytest.approx(2.0 - 0.1 * 3.0)
    assert float(found["b"]) == pytest.approx(3.0 - 0.1 * 2.0)


def test_adagrad_is_the_formula_from_an_accumulator_of_zero():
    optimizer, weights = Adagrad(), {"w": jnp.array([1.0, -1.0])}
    state, expected, total = optimizer.init(weights), np.array([1.0, -1.0]), np.zeros(2)
    for gradient in np.array([[3.0, 0.1], [-4.0, 0.0], [0.5, 2.0]]):
        weights, state = optimizer.step(weights, {"w": jnp.asarray(gradient)}, state, 0.1)
        total += gradient**2
        expected -= 0.1 / np.sqrt(total + 1e-7) * gradient
        np.testing.assert_allclose(weights["w"], expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, 1e5])
def test_adam_moves_by_the_rate_if_the_sign_is_steady_and_hardly_if_it_alternates(scale):
    optimizer, weights = Adam(), {"steady": jnp.array(0.0), "alternating": jnp.array(0.0)}
    state, sizes = optimizer.init(weights), []
    for step in range(60):
        grads = {"steady": jnp.array(scale), "alternating": jnp.array(scale * (-1.0) ** step)}
        new, state = optimizer.step(weights, grads, state, 0.01)
        sizes.append(abs(float(new["alternating"] - weights["alternating"])) / 0.01)
        assert float(weights["steady"] - new["steady"]) == pytest.approx(0.01, rel=2e-3)
        weights = new
    # the mean of g, -g, g, ... with weights 0.9^k, corrected, is g (1 - 0.9) / (1 + 0.9)
    assert sizes[-1] == pytest.approx(0.1 / 1.9, rel=1e-2)


def test_decay_is_l2_for_sgd_and_not_for_adam():
    weights, grads = {"w": jnp.array([1.0, -2.0])}, {"w": jnp.array([0.5, 0.1])}
    penalised = jax.tree.map(lambda g, w: g + 0.3 * w, grads, weights)
    decayed = one_step(SGD(weight_decay=0.3), weights, grads, 0.1)["w"]
    np.testing.assert_allclose(decayed, one_step(SGD(), weights, penalised, 0.1)["w"], rtol=1e-6)
    np.testing.assert_allclose(decayed, [1 - 0.05 - 0.03, -2 - 0.01 + 0.06], rtol=1e-6)
    adamw = one_step(AdamW(weight_decay=0.3), weights, grads, 0.1)["w"]
    np.testing.assert_allclose(adamw, [1 - 0.03 - 0.1, -2 + 0.06 - 0.1], rtol=1e-5)
    adam = one_step(Adam(), weights, penalised, 0.1)["w"]
    np.testing.assert_allclose(adam, [1 - 0.1, -2 + 0.1], rtol=1e-5)


def test_centered_rmsprop_survives_a_steady_large_gradient():
    optimizer, weights = RMSprop(centered=True), {"w": jnp.float32([1234.567, 77.7])}
    state, grads = optimizer.init(weights), weights
    for _ in range(300):  # v - a^2 is 0 but for the rounding, which is larger than epsilon
        weights, state = optimizer.step(weights, grads, state, 1e-6)
    assert np.isfinite(weights["w"]).all()


# Options


def test_multipliers_by_layer_weight_and_kind_multiply():
    grads = {
        "dense": {"kernel": np.ones((2, 2), np.float32), "bias": np.ones(2, np.float32)},
        "dense_1": {"kernel": np.ones((2, 1), np.float32), "bias": np.ones(1, np.float32)},
    }
    found = moves(SGD(multipliers={"dense": 0.1, "bias": 2.0, "dense_1/kernel": 0.0}), grads)
    np.testing.assert_allclose(found["dense"]["kernel"], 0.1)
    np.testing.assert_allclose(found["dense"]["bias"], 0.2)
    np.testing.assert_array_equal(found["dense_1"]["kernel"], 0.0)
    np.testing.assert_allclose(found["dense_1"]["bias"], 2.0)


def test_a_multiplier_of_zero_keeps_a_weight_even_from_a_nan():
    optimizer = Adam(multipliers={"a": 0.0}, weight_decay=0.5)
    found = one_step(
        optimizer,
        {"a": jnp.ones(2), "b": jnp.ones(2)},
        {"a": jnp.full(2, jnp.nan), "b": jnp.ones(2)},
    )
    np.testing.assert_array_equal(found["a"], 1.0)
    assert (found["b"] < 1.0).all()


def test_what_is_excluded_does_not_decay():
    weights = {
        "dense": {"kernel": jnp.ones(2), "bias": jnp.ones(2)},
        "norm": {"gamma": jnp.ones(2)},
    }
    optimizer = SGD(weight_decay=0.5, exclude_from_weight_decay=["bias", "norm"])
    found = one_step(optimizer, weights, jax.tree.map(jnp.zeros_like, weights), 0.1)
    np.testing.assert_allclose(found["dense"]["kernel"], 0.95)
    np.testing.assert_array_equal(found["dense"]["bias"], 1.0)
    np.testing.assert_array_equal(found["norm"]["gamma"], 1.0)


@pytest.mark.parametrize("kind", [SGD, Adam, Lion, Adafactor])
def test_accumulating_three_steps_is_one_step_with_their_mean(kind):
    random = np.random.default_rng(0)
    weights = {"dense": {"kernel": jnp.asarray(random.normal(size=(3, 2)), jnp.float32)}}
    options = {"weight_decay": 0.1, "clipnorm": 0.5, "use_ema": True, "ema_momentum": 0.5}
    whole, parts = kind(**options), kind(gradient_accumulation_steps=3, **options)
    step = jax.jit(parts.step)
    a, state_a, b, state_b = weights, whole.init(weights), weights, parts.init(weights)
    for _ in range(2):
        grads = random.normal(size=(3, 3, 2)).astype(np.float32)
        a, state_a = whole.step(a, {"dense": {"kernel": jnp.asarray(grads.mean(0))}}, state_a, 0.1)
        before = b
        for number in range(3):
            if number:
                np.testing.assert_array_equal(b["dense"]["kernel"], before["dense"]["kernel"])
            b, state_b = step(b, {"dense": {"kernel": grads[number]}}, state_b, 0.1)
    np.testing.assert_allclose(b["dense"]["kernel"], a["dense"]["kernel"], rtol=1e-5)
    mean_a, mean_b = whole.averaged(a, state_a), parts.averaged(b, state_b)
    np.testing.assert_allclose(mean_b["dense"]["kernel"], mean_a["dense"]["kernel"], rtol=1e-5)


def test_the_average_by_hand_begins_with_the_first_new_weight():
    optimizer, weights = SGD(use_ema=True, ema_momentum=0.75), {"w": jnp.array(1.0)}
    state = optimizer.init(weights)
    assert float(optimizer.averaged(weights, state)["w"]) == 1.0
    for _ in range(3):  # weights 0, -1, -2
        weights, state = optimizer.step(weights, {"w": jnp.array(1.0)}, state, 1.0)
    average = 0.75 * (0.75 * 0.0 + 0.25 * -1.0) + 0.25 * -2.0
    assert float(optimizer.averaged(weights, state)["w"]) == average
    assert float(SGD().averaged(weights, {})["w"]) == -2.0


def test_rates_come_from_numbers_schedules_and_functions():
    steps = np.array([0, 10])
    assert SGD(0.5).rate(steps).tolist() == [0.5, 0.5]
    assert SGD(ExponentialDecay(0.5, 10, 0.1)).rate(steps).tolist() == [0.5, 0.05]
    assert SGD(lambda step: 0.5 / (1 + step)).rate(steps).tolist() == [0.5, 0.5 / 11]
