"""Maxout, Highway and MaskedDense: special cases, how they start, and what they refuse."""

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
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer

KEY = jax.random.key(0)


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_relu_and_leaky_relu_are_special_cases_of_maxout_to_the_last_bit(slope: float) -> None:
    """On quarters of whole numbers, whose sums and products have no rounding."""
    rng = np.random.default_rng(0)
    kernel, bias, x = (
        jnp.asarray(rng.integers(-20, 21, size=shape) / 4, jnp.float32)
        for shape in ((6, 5), (5,), (50, 6))
    )
    pieces = {
        "kernel": jnp.stack([kernel, slope * kernel], axis=1),
        "bias": jnp.stack([bias, slope * bias]),
    }
    y = L.Maxout(5, pieces=2).apply(pieces, x)
    activation: Any = "relu" if slope == 0 else L.LeakyReLU(slope)
    known = L.Dense(5, activation).apply({"kernel": kernel, "bias": bias}, x)
    assert y.tolist() == known.tolist()
    assert 0.2 < float((known < 0.01).mean()) < 0.8


def test_maxout_of_one_piece_is_a_linear_dense() -> None:
    layer, x = L.Maxout(4, pieces=1), jax.random.normal(KEY, (5, 3))
    params = layer.init(KEY, (3,))
    dense = {"kernel": params["kernel"][:, 0], "bias": params["bias"][0]}
    assert layer.apply(params, x).tolist() == L.Dense(4).apply(dense, x).tolist()


def test_two_pieces_keep_the_mean_square_over_many_layers() -> None:
    layer = L.Maxout(500)
    h = jax.random.normal(KEY, (300, 500))
    for i in range(10):
        h = layer.apply(layer.init(jax.random.fold_in(KEY, i), (500,)), h)
    assert float(jnp.square(h).mean()) == pytest.approx(1, rel=0.35)
    assert layer.initializer_names() == {"kernel": "LecunNormal", "bias": "Zeros"}


def test_maxout_learns_xor_with_one_hidden_layer() -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    model = fw.Sequential([L.Input((2,)), L.Maxout(8), L.Dense(1)])
    model.compile(optimizer=fw.optimizers.Adam(0.05), loss="mse")
    model.fit(x, [0, 1, 1, 0], epochs=300, batch_size=4)
    np.testing.assert_allclose(model.predict(x)[:, 0], [0, 1, 1, 0], atol=0.05)


def test_highway_opens_with_its_gate_and_a_deep_stack_lets_gradients_through() -> None:
    x = jax.random.normal(KEY, (20, 30))
    layer = L.Highway("tanh")
    params = layer.init(KEY, (30,))
    opened = layer.apply({**params, "gate_bias": jnp.full(30, 100.0)}, x)
    dense = L.Dense(30, "tanh").apply({k: params[k] for k in ("kernel", "bias")}, x)
    np.testing.assert_allclose(opened, dense, rtol=1e-5, atol=1e-6)
    assert params["gate_bias"].tolist() == [-2.0] * 30

    def gradient(layer: Layer) -> float:
        """Of the output of 50 layers with respect to the input."""

        def stack(h: Any) -> Any:
            for i in range(50):
                h = layer.apply(layer.init(jax.random.fold_in(KEY, i), (30,)), h)
            return h.sum()

        return float(jnp.abs(jax.grad(stack)(x)).mean())

    assert gradient(layer) > 1e3 * gradient(L.Dense(30, "sigmoid"))


def test_the_last_activation_of_highway_is_not_its_own() -> None:
    layer = L.Highway("sigmoid")
    assert layer.split_activation() == (layer, None)


def test_a_drawn_mask_gives_every_unit_as_many_inputs_and_keeps_the_variance() -> None:
    layer = L.MaskedDense(300, "relu", density=0.1)
    params, mask = layer.init(KEY, (200,)), layer.init_state((200,))["mask"]
    assert mask.sum(0).tolist() == [20.0] * 300
    # 20 of 300 on average; a row's count is binomial(300, 0.1): 6 standard deviations
    assert abs(np.asarray(mask.sum(1)) - 30).max() < 6 * np.sqrt(27)
    kernel = np.asarray(params["kernel"])
    assert ((kernel != 0) == (np.asarray(mask) > 0)).all()
    assert kernel[kernel != 0].var() == pytest.approx(2 / 20, rel=0.05)  # He for 20 inputs
    other = L.MaskedDense(300, density=0.1, seed=1).init_state((200,))["mask"]
    assert (np.asarray(other) != np.asarray(mask)).any()
    assert L.MaskedDense(3, density=0.01).init_state((4,))["mask"].sum(0).tolist() == [1.0] * 3


def test_masked_weights_stay_zero_in_a_fit_and_the_mask_is_in_the_file(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    model = fw.Sequential([L.Input((6,)), L.MaskedDense(5, "tanh", density=0.4), L.Dense(1)])
    model.compile(optimizer=fw.optimizers.AdamW(0.01), loss="mse")
    before = np.asarray(model.layers[0].kernel)
    model.fit(x, x.sum(1), epochs=5, batch_size=16)
    kernel, mask = (np.asarray(model.layers[0].weights[i]) for i in (0, 2))
    assert (kernel[mask == 0] == 0).all()
    assert (kernel != before)[mask == 1].all()
    model.save(tmp_path / "m.safetensors")
    back = fw.load(tmp_path / "m.safetensors")
    assert back.predict(x).tolist() == model.predict(x).tolist()


ARGUMENTS: list[tuple[Callable[[], Layer], str]] = [
    (
        lambda: L.Maxout(3, pieces=0),
        "Maxout: expected pieces to be a whole number >= 1, received pieces=0. "
        "Pass pieces=1 or more.",
    ),
    (
        lambda: L.Maxout(3, use_bias=False, bias_regularizer="l2"),
        "Maxout: expected use_bias=True where bias_regularizer is given, received "
        "use_bias=False, bias_regularizer='l2'. Leave one of them out.",
    ),
    (
        lambda: L.MaskedDense(3, density=0.0),
        "MaskedDense: expected density to be a number in (0, 1], received density=0.0. "
        "Choose density inside it.",
    ),
    (
        lambda: L.MaskedDense(3, seed=-1),
        "MaskedDense: expected seed to be a whole number >= 0, received seed=-1. Pass seed=0.",
    ),
    (
        lambda: L.MaskedDense(3, use_bias=False, bias_constraint="non_neg"),
        "MaskedDense: expected use_bias=True where bias_constraint is given, received "
        "use_bias=False, bias_constraint='non_neg'. Leave one of them out.",
    ),
    (
        lambda: L.MaskedDense(3, mask=np.ones((2, 3)), density=0.1),
        "MaskedDense: expected mask or density, received both, density=0.1. Leave one of them out.",
    ),
    (
        lambda: L.MaskedDense(3, mask=[0, 1, 1]),
        "MaskedDense: expected mask to be a matrix (in, units) of 0 and 1, received shape (3,). "
        "A 1 stands for a connection that is there.",
    ),
    (
        lambda: L.MaskedDense(3, mask=[[0.5, 1, 1]]),
        "MaskedDense: expected mask to be a matrix (in, units) of 0 and 1, received other "
        "numbers. A 1 stands for a connection that is there.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_arguments_they_refuse(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


SHAPES: list[tuple[Layer, tuple[int, ...], str]] = [
    (
        L.MaskedDense(3, mask=np.ones((2, 3)), name="sparse"),
        (4,),
        "sparse (MaskedDense): expected a mask of shape (4, 3) (in, units), received (2, 3). "
        "Give one row per input and one column per unit.",
    ),
    (
        L.Highway(),
        (),
        "Highway: expected at least one axis besides the batch axis, received a single number per "
        "example (shape ()). Put Reshape((1,)) before it.",
    ),
]


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES)
def test_shapes_they_refuse(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, [shape], ["float32"], many=False)
