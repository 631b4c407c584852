"""Normalization layers: training against prediction, padding, extremes, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import Sequential
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, ShapeMismatch, UnknownArgument
from fitwell.layers import Layer
from fitwell.layers.base import infer

KEY = jax.random.key(0)


def golden() -> dict[str, Any]:
    with np.load(Path(__file__).parents[1] / "golden" / "layers_normalizing.npz") as file:
        name = "batch_normalization_train/"
        return {k.removeprefix(name): v for k, v in file.items() if k.startswith(name)}


def batch_norm(layer: Layer, x: Any, *, train: bool = True, **more: Any) -> Any:
    params, state = layer.init(KEY, x.shape[1:]), layer.init_state(x.shape[1:])
    return layer.forward(params, state, x, key=KEY, train=train, **more)


def test_batch_normalization_in_training_agrees_with_keras() -> None:
    layer, case = L.BatchNormalization(momentum=0.8, epsilon=0.01), golden()
    params = {n: jnp.asarray(case[f"param/{n}"], jnp.float32) for n in ("gamma", "beta")}
    state = layer.init_state((4, 3))
    for i in range(2):
        x = jnp.asarray(case[f"x{i}"], jnp.float32)

        def call(params: Any, x: Any, state: Any = state) -> Any:
            return layer.forward(params, state, x, key=KEY, train=True)

        y, pull, state = jax.vjp(call, params, x, has_aux=True)
        np.testing.assert_allclose(y, case[f"y{i}"], rtol=1e-5, atol=1e-5)
        for name in ("moving_mean", "moving_variance"):
            np.testing.assert_allclose(state[name], case[f"{name}{i}"], rtol=1e-5)
    grads, grad_x = pull(jnp.asarray(case["cotangent"], jnp.float32))
    np.testing.assert_allclose(grad_x, case["grad/x"], rtol=1e-4, atol=1e-5)
    for name in ("gamma", "beta"):
        np.testing.assert_allclose(grads[name], case[f"grad/{name}"], rtol=1e-4, atol=1e-5)


def test_training_and_prediction_differ_until_the_moving_statistics_have_arrived() -> None:
    layer = L.BatchNormalization(momentum=0.5, epsilon=1e-6)
    x = jnp.array([[1.0], [5.0]])  # mean 3, variance 4
    params, state = layer.init(KEY, (1,)), layer.init_state((1,))
    before, untouched = layer.forward(params, state, x, key=KEY, train=False)
    np.testing.assert_allclose(before, x, rtol=1e-5)  # mean 0 and variance 1 at the start
    assert untouched is state
    y, state = layer.forward(params, state, x, key=KEY, train=True)
    np.testing.assert_allclose(y, [[-1], [1]], rtol=1e-5)
    # by hand: 0 / 2 + 3 / 2, and 1 / 2 + 4 / 2
    assert (float(state["moving_mean"][0]), float(state["moving_variance"][0])) == (1.5, 2.5)
    for _ in range(30):
        _, state = layer.forward(params, state, x, key=KEY, train=True)
    after, _ = layer.forward(params, state, x, key=KEY, train=False)
    np.testing.assert_allclose(after, y, rtol=1e-5)
    one, _ = layer.forward(params, state, x[:1], key=KEY, train=False)
    assert one.tolist() == after[:1].tolist()  # the other rows of the batch do not matter


@pytest.mark.parametrize("padding", [0.0, 1e30, float("nan")])
def test_padded_rows_enter_no_statistic(padding: float) -> None:
    layer = L.BatchNormalization(momentum=0.5)
    x = jax.random.normal(KEY, (3, 4, 2))
    padded = jnp.concatenate([x, jnp.full((2, 4, 2), padding)])
    alone, state = batch_norm(layer, x)
    y, padded_state = batch_norm(layer, padded, rows=jnp.array([1.0, 1, 1, 0, 0]))
    np.testing.assert_allclose(y[:3], alone, rtol=1e-5, atol=1e-6)
    for name, value in state.items():
        np.testing.assert_allclose(padded_state[name], value, rtol=1e-5)


def test_masked_steps_enter_no_statistic() -> None:
    x = jax.random.normal(KEY, (2, 3, 4))
    mask = jnp.array([[1, 1, 0], [1, 0, 0]]) > 0
    _, state = batch_norm(L.BatchNormalization(momentum=0), x, mask=mask)
    real = np.stack([x[0, 0], x[0, 1], x[1, 0]])
    np.testing.assert_allclose(state["moving_mean"], real.mean(0), rtol=1e-5)
    np.testing.assert_allclose(state["moving_variance"], real.var(0), rtol=1e-5)
    _, state = batch_norm(
        L.BatchNormalization(momentum=0), x, mask=mask, rows=jnp.array([1.0, 0.0])
    )
    np.testing.assert_allclose(state["moving_mean"], real[:2].mean(0), rtol=1e-5)


def test_a_mask_of_steps_does_not_touch_channels_that_are_steps() -> None:
    x = jax.random.normal(KEY, (4, 3, 2))
    mask = jnp.ones((4, 3), bool).at[0, 2].set(False)
    _, state = batch_norm(L.BatchNormalization(axis=1, momentum=0), x, mask=mask)
    np.testing.assert_allclose(state["moving_mean"], x.mean((0, 2)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_moving_statistics_of_a_fit_whose_last_batch_is_partial(frozen: bool) -> None:
    """10 rows in batches of 4, 4 and 2, in order: by hand over the rows alone."""
    x = np.random.default_rng(0).normal(2, 3, size=(10, 2)).astype(np.float32)
    model = Sequential([L.Input((2,)), L.BatchNormalization(momentum=0.5), L.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    if frozen:
        model.layers[0].trainable = False
    model.fit(x, x.sum(1), epochs=1, batch_size=4, shuffle=False)
    mean, variance = np.zeros(2), np.ones(2)
    for batch in () if frozen else (x[:4], x[4:8], x[8:]):
        mean = (mean + batch.mean(0)) / 2
        variance = (variance + batch.var(0)) / 2
    layer = model.layers[0]
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-5)
    assert (layer.gamma.tolist() == [1.0, 1.0]) == frozen
    together, alone = model.predict(x), model.predict(x[3:4])
    np.testing.assert_allclose(together[3:4], alone, rtol=1e-5)


def test_batch_normalization_of_a_constant_and_of_a_far_mean() -> None:
    y, _ = batch_norm(L.BatchNormalization(), jnp.full((8, 2), 7.0))
    assert y.tolist() == [[0.0, 0.0]] * 8
    # The variance is not computed as E[x^2] - E[x]^2, which loses all digits here.
    x = 4096.0 + jnp.arange(8.0).reshape(8, 1) / 8
    y, _ = batch_norm(L.BatchNormalization(epsilon=1e-9), x)
    wanted = (np.arange(8) - 3.5) / np.sqrt(5.25)
    np.testing.assert_allclose(y[:, 0], wanted, rtol=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape", "over"),
    [
        (L.LayerNormalization(epsilon=1e-9), (6, 8), (2,)),
        (L.GroupNormalization(groups=1, epsilon=1e-9), (6, 8), (1, 2)),
        (L.InstanceNormalization(epsilon=1e-9), (6, 8), (1,)),
    ],
)
def test_the_axes_that_get_mean_0_and_variance_1(
    layer: Layer, shape: tuple[int, ...], over: tuple[int, ...]
) -> None:
    x = 3 + 2 * jax.random.normal(KEY, (5, *shape))
    y = layer.apply(layer.init(KEY, shape), x)
    np.testing.assert_allclose(y.mean(over), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(over), 1, rtol=1e-4)


def test_instance_normalization_is_group_normalization_with_minus_one() -> None:
    x = jax.random.normal(KEY, (2, 5, 3))
    group, instance = L.GroupNormalization(groups=-1, axis=1), L.InstanceNormalization(axis=1)
    params = group.init(KEY, (5, 3))
    assert instance.apply(params, x).tolist() == group.apply(params, x).tolist()
    assert repr(instance) == "InstanceNormalization(axis=1)"
    with pytest.raises(UnknownArgument, match=r"received groups=2\. The choices are axis, "):
        L.InstanceNormalization(groups=2)


def test_the_zero_vector_has_a_finite_gradient() -> None:
    for layer in (L.UnitNormalization(), L.LayerNormalization(), L.RMSNormalization()):
        params = layer.init(KEY, (3,))
        grad = jax.grad(lambda x, a=layer, p=params: a.apply(p, x)[0, 0])(jnp.zeros((1, 3)))
        assert np.isfinite(grad).all()
    assert L.UnitNormalization().apply({}, jnp.zeros((1, 3))).tolist() == [[0.0] * 3]


ARGUMENTS: list[tuple[Callable[[], Layer], str]] = [
    (
        lambda: L.BatchNormalization(axis=0),
        "BatchNormalization: expected axis to be a whole number other than 0, received axis=0. "
        "Axis 0 is the batch; the channels of an image are axis -1.",
    ),
    (
        lambda: L.GroupNormalization(axis=(1, 2)),  # type: ignore[arg-type]
        "GroupNormalization: expected axis to be a whole number other than 0, received "
        "axis=(1, 2). Axis 0 is the batch; the channels of an image are axis -1.",
    ),
    (
        lambda: L.LayerNormalization(axis=(1, 1)),
        "LayerNormalization: expected axis to be different whole numbers other than 0, received "
        "axis=(1, 1). Axis 0 is the batch; the channels of an image are axis -1.",
    ),
    (
        lambda: L.UnitNormalization(axis=()),
        "UnitNormalization: expected axis to be different whole numbers other than 0, received "
        "axis=(). Axis 0 is the batch; the channels of an image are axis -1.",
    ),
    (
        lambda: L.BatchNormalization(momentum=1.0),
        "BatchNormalization: expected momentum to be a number in [0, 1), received momentum=1.0. "
        "Choose momentum inside it.",
    ),
    (
        lambda: L.RMSNormalization(epsilon=0),
        "RMSNormalization: expected epsilon to be a number in (0, inf), received epsilon=0. "
        "Choose epsilon inside it.",
    ),
    (
        lambda: L.GroupNormalization(groups=0),
        "GroupNormalization: expected groups to be a whole number >= 1, or -1 for one per "
        "channel, received groups=0. Choose a divisor of the number of channels.",
    ),
    (
        lambda: L.LayerNormalization(center="yes"),  # type: ignore[arg-type]
        "LayerNormalization: expected center to be one of True, False, received center='yes'. "
        "The choices are False, True.",
    ),
    (
        lambda: L.BatchNormalization(scale=False, gamma_regularizer="l2"),
        "BatchNormalization: expected scale=True where gamma_regularizer is given, received "
        "scale=False, gamma_regularizer='l2'. Leave one of them out.",
    ),
    (
        lambda: L.LayerNormalization(center=False, beta_constraint="non_neg"),
        "LayerNormalization: expected center=True where beta_constraint is given, received "
        "center=False, beta_constraint='non_neg'. Leave one of them out.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_arguments_they_refuse(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


SHAPES: list[tuple[Layer, tuple[int, ...], str]] = [
    (
        L.BatchNormalization(axis=3, name="bn"),
        (4, 3),
        "bn (BatchNormalization): expected an input with the axis 3, besides the batch axis, "
        "received shape (4, 3). Choose axis from 1 to 2, or -1.",
    ),
    (
        L.LayerNormalization(axis=(1, -1)),
        (4,),
        "LayerNormalization: expected an input with the axis (1, -1), besides the batch axis, "
        "received shape (4,). Choose axis from 1 to 1, or -1.",
    ),
    (
        L.UnitNormalization(axis=-2),
        (4,),
        "UnitNormalization: expected an input with the axis -2, besides the batch axis, "
        "received shape (4,). Choose axis from 1 to 1, or -1.",
    ),
    (
        L.RMSNormalization(),
        (),
        "RMSNormalization: expected an input with the axis -1, besides the batch axis, received "
        "shape (). Put Reshape((1,)) before it.",
    ),
    (
        L.GroupNormalization(),
        (5, 5, 48),
        "GroupNormalization: expected a number of channels that 32 groups divide, received 48 "
        "channels in shape (5, 5, 48). Choose groups among the divisors of the number of channels.",
    ),
]


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES)
def test_shapes_they_refuse(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, [shape], ["float32"], many=False)
