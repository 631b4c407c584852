"""Operations against arithmetic by hand: loops count their turns, fast forms only their formula."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.arithmetic import operations
from fitwell.summary import rows


def count(function: Any, *shapes: tuple[int, ...]) -> int:
    return operations(jax.make_jaxpr(function)(*(jnp.zeros(shape) for shape in shapes)))


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        (jnp.matmul, [(3, 4), (4, 5)], 2 * 3 * 4 * 5),
        (lambda a, b: jnp.einsum("bij,bjk->bik", a, b), [(2, 3, 4), (2, 4, 5)], 2 * 2 * 3 * 4 * 5),
        (lambda a: jnp.tanh(a) + 1, [(7,)], 14),
        (lambda a: a.sum(0), [(6, 5)], 25),
        (lambda a: a.max(), [(6, 5)], 29),
        (lambda a: a.T.reshape(-1)[::2], [(6, 5)], 0),
        (lambda a: jnp.where(a == 0, 1.0, a), [(6,)], 0),
        (lambda a: jnp.cumsum(a), [(6,)], 6),
        # A row repeated by a product with ones, and a sum by one: no multiplications.
        (lambda a: jnp.ones((8, 1)) @ a[None], [(5,)], 0),
        (lambda a: jnp.ones((1, 8)) @ a, [(8, 5)], 7 * 5),
        # What no output needs is not computed.
        (lambda a: (jnp.exp(a @ a), a + 1)[1], [(4, 4)], 16),
        (lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (2,), (2,), "VALID"), [(8,)], 4),
    ],
)
def test_single_operations(function: Any, shapes: list[tuple[int, ...]], expected: int) -> None:
    assert count(function, *shapes) == expected


def test_loops_and_branches() -> None:
    def scanned(a: jax.Array, kernel: jax.Array) -> Any:
        return lax.scan(lambda c, _: (jnp.tanh(c @ kernel), None), a, length=10)

    def nested(a: jax.Array, kernel: jax.Array) -> Any:
        return lax.fori_loop(0, 5, lambda i, c: scanned(c, kernel)[0], a)

    def branched(a: jax.Array, kernel: jax.Array) -> Any:
        return lax.cond(a[0, 0] > 0, lambda: jnp.tanh(a @ kernel), lambda: a)

    def unknown(a: jax.Array) -> Any:
        return lax.while_loop(lambda c: c.sum() < 9, lambda c: c * 2, a)

    turn = 2 * 1 * 3 * 3 + 3
    assert count(scanned, (1, 3), (3, 3)) == 10 * turn
    assert count(jax.jit(nested), (1, 3), (3, 3)) == 5 * 10 * turn
    assert count(branched, (1, 3), (3, 3)) == turn + 1  # and the comparison
    assert count(unknown, (4,)) == 4 + (3 + 1)  # once; whole numbers of turns are not known


@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_of_accelerators(stride: int) -> None:
    """The form that XLA has for GPUs, forward and transposed, without running on one."""
    numbers = ("NHWC", "HWIO", "NHWC")

    def forward(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(
            x, kernel, (stride, stride), "SAME", dimension_numbers=numbers, feature_group_count=2
        )

    positions = (8 // stride) ** 2
    expected = 2 * 3 * positions * (5 * 5 * 2 * 6)
    assert count(forward, (3, 8, 8, 4), (5, 5, 2, 6)) == expected

    def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return lax.conv_transpose(x, kernel, (stride, stride), "SAME", dimension_numbers=numbers)

    assert count(plain, (3, 8, 8, 4), (5, 5, 4, 6)) == 2 * 3 * 8 * 8 * (5 * 5 * 4 * 6)


def of_layer(layer: L.Layer, *shape: int, dtype: str = "float32") -> int:
    return rows(fw.Sequential([fw.Input(shape, dtype=dtype), layer]).network)[1].flops


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        # 2 * taps * in * out per position, and the bias.
        (L.Conv1D(8, 3), (12, 4), 10 * (2 * 3 * 4 * 8 + 8)),
        (L.Conv2D(8, 3, padding="same"), (12, 10, 4), 120 * (2 * 9 * 4 * 8 + 8)),
        (L.Conv2D(8, 3, strides=2, use_bias=False), (13, 13, 4), 36 * 2 * 9 * 4 * 8),
        (L.Conv2D(8, 3, groups=2), (12, 12, 4), 100 * (2 * 9 * 2 * 8 + 8)),
        (L.Conv2D(8, 3, dilation_rate=2), (12, 12, 4), 64 * (2 * 9 * 4 * 8 + 8)),
        (L.Conv3D(8, 3, use_bias=False), (6, 6, 6, 4), 64 * 2 * 27 * 4 * 8),
        (L.DepthwiseConv2D(3, depth_multiplier=2), (12, 12, 4), 100 * (2 * 9 * 8 + 8)),
        (L.SeparableConv2D(8, 3), (12, 12, 4), 100 * (2 * 9 * 4 + 2 * 4 * 8 + 8)),
        (L.LocallyConnected1D(8, 3, use_bias=False), (12, 4), 10 * 2 * 3 * 4 * 8),
        # Transposed: the whole kernel for each entry of the input, the bias for each of the output.
        (L.Conv2DTranspose(8, 3, strides=2, padding="same"), (6, 6, 4),
         36 * 2 * 9 * 4 * 8 + 144 * 8),
        (L.MaxPooling2D(2), (12, 12, 3), 36 * 3 * 3),  # three comparisons
        # One axis after the other: a sum and a division each.
        (L.AveragePooling2D(2), (12, 12, 3), 2 * 72 * 3 + 2 * 36 * 3),
        # (x - mean) * scale + beta; scale = gamma / sqrt(variance + epsilon) once per channel.
        (L.BatchNormalization(), (6, 6, 3), 36 * 3 * 3 + 3 * 3),
        # Per step: both products, two sums, tanh.
        (L.SimpleRNN(8), (10, 4), 10 * (2 * 4 * 8 + 2 * 8 * 8 + 8 + 8 + 8)),
        (L.RNN(L.SimpleRNNCell(8)), (10, 4), 10 * (2 * 4 * 8 + 2 * 8 * 8 + 8 + 8 + 8)),
        (L.Bidirectional(L.SimpleRNN(8)), (10, 4), 2 * 10 * (2 * 12 * 8 + 3 * 8)),
        (L.TimeDistributed(L.Dense(3)), (10, 4), 10 * (2 * 4 * 3 + 3)),
    ],
)  # fmt: skip
def test_layers_by_hand(layer: L.Layer, shape: tuple[int, ...], expected: int) -> None:
    assert of_layer(layer, *shape) == expected


def test_gates_by_hand() -> None:
    """Of every step: both products, two sums of all gates, and what the gates then do."""
    time, ins, units = 10, 4, 8
    halves = ins + 1 + units  # sigmoids as tanh: the weights are halved once, not per step
    lstm = time * (2 * (ins + units) * 4 * units + 3 * 4 * units + 11 * units)
    assert of_layer(L.LSTM(units), time, ins) == lstm + halves * 4 * units
    gru = time * (2 * (ins + units) * 3 * units + 2 * 3 * units + 4 * 2 * units + 6 * units)
    assert of_layer(L.GRU(units), time, ins) == gru + (halves + 1) * 3 * units
    # Twice as long is twice as much, but for the weights.
    assert of_layer(L.LSTM(units), 2 * time, ins) == 2 * lstm + halves * 4 * units


def test_embeddings_look_up_without_arithmetic() -> None:
    assert of_layer(L.Embedding(50, 8), 10, dtype="int32") == 0


def test_attention_by_hand() -> None:
    """Four projections; scores and their use are products of (time, d) by (d, time), and back."""
    time, heads, size = 10, 2, 8
    width = heads * size
    x = fw.Input((time, width))
    products = 4 * 2 * time * width * width + 2 * 2 * time * time * width
    biases, scaled = 4 * time * width, time * width
    # Of each row: largest, difference, exp, sum, ratio.
    softmax = heads * time * ((time - 1) + time + time + (time - 1) + time)
    attention = products + biases + scaled + softmax
    assert rows(fw.Model(x, L.MultiHeadAttention(heads, size)(x, x)).network)[1].flops == attention
    feedforward = 2 * 2 * time * width * 32 + time * (32 + 32 + width)  # biases and relu
    # Mean, difference, square, mean of it, 1 / sqrt(it + epsilon), three products or sums.
    norm = time * (width + width + width + width + 2 + 3 * width)
    sums = 2 * time * width
    block = of_layer(L.TransformerEncoder(32, heads), time, width)
    assert block == attention + feedforward + 2 * norm + sums
