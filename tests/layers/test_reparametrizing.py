"""Wrappers of a kernel: against the definition, inside a model, in files, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument
from fitwell.layers import Layer

KEY = jax.random.key(0)


def sigma_after(kernel: Any, u: Any, steps: int) -> tuple[float, Any, Any]:
    """The power method on a matrix, in numpy."""
    for _ in range(steps):
        v = kernel @ u / np.linalg.norm(kernel @ u)
        u = kernel.T @ v / np.linalg.norm(kernel.T @ v)
    return float(v @ kernel @ u), u, v


def test_spectral_normalization_step_by_step() -> None:
    """Output, vector and gradient of two training steps: dL/dW = (G - <G, W> u v' / s) / s."""
    layer = L.SpectralNormalization(L.Dense(3, use_bias=False), power_iterations=2)
    params, state = layer.init(KEY, (5,)), layer.init_state((5,))
    kernel = np.asarray(params["layer"]["kernel"], np.float64)
    u = np.asarray(state["vector_u"], np.float64)[0]
    x = jnp.eye(5)
    weight = jax.random.normal(KEY, (5, 3))
    for _ in range(2):
        s, u, v = sigma_after(kernel, u, 2)

        def loss(params: Any, state: Any = state) -> Any:
            y, new = layer.forward(params, state, x, key=KEY, train=True)
            return jnp.sum(weight * y), (y, new)

        grads, (y, new) = jax.jit(jax.grad(loss, has_aux=True))(params)
        np.testing.assert_allclose(y, kernel / s, rtol=1e-5)
        np.testing.assert_allclose(new["vector_u"][0], u, rtol=1e-4)
        G = np.asarray(weight, np.float64)
        wanted = (G - (G * kernel).sum() / s * np.outer(v, u)) / s
        np.testing.assert_allclose(grads["layer"]["kernel"], wanted, rtol=1e-4, atol=1e-5)
        state = new
    y, kept = layer.forward(params, state, x, key=KEY, train=False)
    assert kept["vector_u"].tolist() == state["vector_u"].tolist()


def test_spectral_normalization_bounds_the_largest_singular_value_in_a_fit() -> None:
    x = np.random.default_rng(0).normal(size=(64, 6))
    model = fw.Sequential(
        [L.Input((6,)), L.SpectralNormalization(L.Dense(6, use_bias=False), name="sn")]
    )
    model.compile(optimizer=fw.optimizers.SGD(0.05), loss="mse")
    model.fit(x, x * [5, 1, 0.5, 0.4, 0.3, 0.2], epochs=40, batch_size=16)
    stretch = np.linalg.svd(model.predict(np.eye(6)), compute_uv=False)
    assert stretch[0] == pytest.approx(1, abs=1e-3)
    assert stretch[1] < 0.9


def test_weight_normalization_starts_as_the_layer_without_it() -> None:
    dense = L.Dense(4, "relu")
    x = jax.random.normal(KEY, (8, 3))
    layer = L.WeightNormalization(dense)
    params = layer.init(KEY, (3,))
    assert params["g"].shape == (4,)
    y, _ = layer.forward(params, {}, x, key=KEY, train=False)
    np.testing.assert_allclose(y, dense.apply(dense.init(KEY, (3,)), x), rtol=1e-5, atol=1e-6)


def test_weight_normalization_keeps_the_gradient_of_v_across_it() -> None:
    """Salimans & Kingma 2016, section 2.1: the gradient has no part along v."""
    layer = L.WeightNormalization(L.Dense(4))
    params, x = layer.init(KEY, (3,)), jax.random.normal(KEY, (8, 3))

    def loss(params: Any) -> Any:
        return jnp.sum(jnp.sin(layer.forward(params, {}, x, key=KEY, train=True)[0]))

    grad = jax.jit(jax.grad(loss))(params)["layer"]["kernel"]
    assert float(jnp.abs(grad).max()) > 0.1
    along = jnp.sum(grad * params["layer"]["kernel"], 0)
    np.testing.assert_allclose(along, 0, atol=1e-5)


def test_drop_connect_drops_connections_and_keeps_the_mean() -> None:
    layer = L.DropConnect(L.Dense(300, kernel_initializer="ones", bias_initializer="ones"), 0.3)
    params = layer.init(KEY, (200,))
    x = jnp.eye(200)
    y, _ = layer.forward(params, {}, x, key=KEY, train=True)
    kernel = np.asarray(y) - 1  # the bias is never dropped
    np.testing.assert_allclose(np.unique(kernel.round(5)), [0, 1 / 0.7], rtol=1e-4)
    # 60,000 draws: 5 standard errors
    assert (kernel > 0.5).mean() == pytest.approx(0.7, abs=5 * 0.46 / 245)
    again, _ = layer.forward(params, {}, x, key=KEY, train=True)
    other, _ = layer.forward(params, {}, x, key=jax.random.key(1), train=True)
    assert (again == y).all()
    assert not (other == y).all()


WRAPPED: list[Layer] = [
    L.SpectralNormalization(L.Dense(2, "sigmoid", kernel_regularizer="l2"), power_iterations=30),
    L.WeightNormalization(L.Dense(2, "sigmoid", bias_regularizer="l2")),
    L.DropConnect(L.Dense(2, "sigmoid", kernel_constraint="non_neg"), 0.2),
]


@pytest.mark.parametrize("layer", WRAPPED, ids=lambda a: type(a).__name__)
def test_a_model_with_a_wrapper_trains_and_comes_back_from_its_file(
    layer: Layer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = (x[:, :2] > 0).astype(int)
    model = fw.Sequential([L.Input((3,)), layer])
    model.compile(optimizer="adam", loss="binary_crossentropy")
    losses = model.fit(x, y, epochs=8, batch_size=16).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "m.safetensors")
    back = fw.load(tmp_path / "m.safetensors")
    assert back.network.layers[model.layers[0].name] == model.network.layers[model.layers[0].name]
    assert back.predict(x).tolist() == model.predict(x).tolist()
    with np.errstate(over="ignore"):
        extreme = back.evaluate(1e6 * x, 1 - y, verbose=0)
    assert np.isfinite(extreme)  # the loss is computed from the logits, through the wrapper


def test_rules_inside_a_wrapper_act() -> None:
    x = np.ones((4, 3))
    model = fw.Sequential([L.Input((3,)), L.DropConnect(L.Dense(2, kernel_regularizer="l2"), 0.5)])
    model.compile(optimizer="sgd", loss="mse")
    kernel = np.asarray(model.layers[0].weights[0])
    penalty = 0.01 * (kernel**2).sum()
    plain = ((model.predict(x) - 1) ** 2).mean()
    assert model.evaluate(x, np.ones((4, 2)), verbose=0) == pytest.approx(plain + penalty, rel=1e-5)
    model = fw.Sequential(
        [L.Input((3,)), L.DropConnect(L.Dense(2, kernel_constraint="non_neg"), 0.5)]
    )
    model.compile(optimizer="sgd", loss="mse")
    model.fit(x, -np.ones((4, 2)), epochs=5)
    assert np.asarray(model.layers[0].weights[0]).min() == 0


ARGUMENTS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: L.SpectralNormalization("dense"),  # type: ignore[arg-type]
        "SpectralNormalization: expected a layer with a kernel and one input, received "
        "layer='dense'. Wrap the layer whose kernel is meant: SpectralNormalization(Dense(10)).",
    ),
    (
        lambda: L.WeightNormalization(L.Add()),
        "WeightNormalization: expected a layer with a kernel and one input, received layer=Add(). "
        "Wrap the layer whose kernel is meant: WeightNormalization(Dense(10)).",
    ),
    (
        lambda: L.DropConnect(L.Dense(3, trainable=False), 0.5),
        "DropConnect: expected a layer without trainable=False, which acts on whole layers, "
        "received layer=Dense(trainable=False, units=3). Write DropConnect(..., trainable=False).",
    ),
    (
        lambda: L.DropConnect(L.Dense(3, activity_regularizer="l1"), 0.5),
        "DropConnect: expected a layer without activity_regularizer, which acts on whole layers, "
        "received layer=Dense(units=3, activity_regularizer='l1'). Put ActivityRegularization "
        "after it.",
    ),
    (
        lambda: L.DropConnect(L.Dense(3), 1),
        "DropConnect: expected rate to be a number in [0, 1), received rate=1. "
        "Choose rate inside it.",
    ),
    (
        lambda: L.DropConnect(L.Dense(3), 0.5, seed="a"),  # type: ignore[arg-type]
        "DropConnect: expected seed to be a whole number or None, received seed='a'. "
        "Leave it out: the model's seed decides all random numbers.",
    ),
    (
        lambda: L.SpectralNormalization(L.Dense(3), power_iterations=0),
        "SpectralNormalization: expected power_iterations to be a whole number >= 1, received "
        "power_iterations=0. Pass power_iterations=1 or more.",
    ),
    (
        lambda: L.WeightNormalization(L.Dense(3, kernel_constraint="non_neg")),
        "WeightNormalization: expected a layer without kernel_constraint: it would act on v, "
        "whose length has no effect, received kernel_constraint='non_neg'. Leave it out.",
    ),
    (
        lambda: L.SpectralNormalization(L.Flatten(), name="sn")(L.Input((3,))),
        "sn (SpectralNormalization) after input (InputLayer): expected a layer with a weight "
        "called kernel "
        "or embeddings, received Flatten() with no weights. Wrap the layer whose kernel is meant, "
        "not a wrapper of it.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_what_they_refuse(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()
