"""Layers of sequences, images and volumes: what they refuse, how they start, what they learn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import Sequential
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer
from fitwell.optimizers import Adam

CONSTRUCTION: list[tuple[Callable[[], Layer], str]] = [
    (
        lambda: L.Conv2D(0, 3),
        "Conv2D: expected filters to be a whole number >= 1, received filters=0. "
        "Pass filters=1 or more.",
    ),
    (
        lambda: L.Conv2D(4, (3, 3, 3)),
        "Conv2D: expected kernel_size to be a whole number >= 1, or 2 of them, received "
        "kernel_size=(3, 3, 3). Write kernel_size=2 or kernel_size=(2, 2).",
    ),
    (
        lambda: L.Conv1D(4, 3, strides=0),
        "Conv1D: expected strides to be a whole number >= 1, received strides=0. Write strides=2.",
    ),
    (
        lambda: L.Conv2D(4, 3, padding="causal"),
        "Conv2D: expected padding to be one of 'valid', 'same', received padding='causal'. "
        "The choices are same, valid.",
    ),
    (
        lambda: L.Conv2D(4, 3, data_format="channels_first"),
        'Conv2D: expected data_format=None or "channels_last", received '
        "data_format='channels_first'. Move the channels to the last axis: Permute before the "
        "layer, or numpy.moveaxis(x, 1, -1) on the data.",
    ),
    (
        lambda: L.Conv2D(4, 3, groups=3),
        "Conv2D: expected filters to be a multiple of groups, received filters=4, groups=3. "
        "Each group makes filters / groups of the outputs.",
    ),
    (
        lambda: L.DepthwiseConv2D(3, use_bias=False, bias_constraint="non_neg"),
        "DepthwiseConv2D: expected use_bias=True where bias_constraint is given, received "
        "use_bias=False, bias_constraint='non_neg'. Leave one of them out.",
    ),
    (
        lambda: L.Conv2DTranspose(4, 3, strides=2, output_padding=2),
        "Conv2DTranspose: expected output_padding below strides along every axis, received "
        "output_padding=2, strides=2. It chooses among the sizes that a strided convolution "
        "brings to the same output.",
    ),
    (
        lambda: L.Conv1DTranspose(4, 3, output_padding=-1),
        "Conv1DTranspose: expected output_padding to be a whole number >= 0, received "
        "output_padding=-1. Write output_padding=1.",
    ),
    (
        lambda: L.SeparableConv1D(4, 3, depth_multiplier=0),
        "SeparableConv1D: expected depth_multiplier to be a whole number >= 1, received "
        "depth_multiplier=0. Pass depth_multiplier=1 or more.",
    ),
    (
        lambda: L.MaxPooling2D("2"),  # type: ignore[arg-type]
        "MaxPooling2D: expected pool_size to be a whole number >= 1, or 2 of them, received "
        "pool_size='2'. Write pool_size=2 or pool_size=(2, 2).",
    ),
    (
        lambda: L.UpSampling2D(interpolation="bicubic"),
        "UpSampling2D: expected interpolation to be one of 'nearest', 'bilinear', received "
        "interpolation='bicubic'. The choices are bilinear, nearest.",
    ),
    (
        lambda: L.ZeroPadding2D((1, 2, 3)),
        "ZeroPadding2D: expected padding to be a whole number >= 0, or a pair (before, after) "
        "for each axis, received padding=(1, 2, 3). Write padding=1, or padding=((1, 2), (3, 4)).",
    ),
    (
        lambda: L.Cropping1D(-1),
        "Cropping1D: expected cropping to be a whole number >= 0, or a pair (before, after) "
        "for each axis, received cropping=-1. Write cropping=1, or cropping=(1, 2).",
    ),
]

SHAPES: list[tuple[Layer, tuple[int, ...], str]] = [
    (
        L.Conv2D(4, 3, name="eyes"),
        (28, 28),
        "eyes (Conv2D): expected an input of shape (rows, columns, channels), received shape "
        "(28, 28). If the channel axis is missing, put Reshape((28, 28, 1)) before it.",
    ),
    (
        L.GlobalAveragePooling1D(),
        (4, 4, 2),
        "GlobalAveragePooling1D: expected an input of shape (steps, channels), received shape "
        "(4, 4, 2). Put Reshape before it, or use a layer for inputs with 3 axes.",
    ),
    (
        L.Conv2D(4, 3, groups=2),
        (8, 8, 3),
        "Conv2D: expected a number of channels that groups=2 divides, received 3 in shape "
        "(8, 8, 3). Choose groups among the divisors of the channels.",
    ),
    (
        L.Conv2D(4, (2, 3), dilation_rate=2),
        (8, 4, 3),
        "Conv2D: expected an input at least as large as kernel_size, 3 (dilated: 5) along axis "
        '2, received 4 in shape (8, 4, 3). Make kernel_size smaller, write padding="same", or '
        "shrink the input less before.",
    ),
    (
        L.DepthwiseConv1D(5),
        (4, 3),
        "DepthwiseConv1D: expected an input at least as large as kernel_size, 5 along axis 1, "
        'received 4 in shape (4, 3). Make kernel_size smaller, write padding="same", or shrink '
        "the input less before.",
    ),
    (
        L.MaxPooling2D(3),
        (2, 8, 3),
        "MaxPooling2D: expected an input at least as large as pool_size, 3 along axis 1, "
        'received 2 in shape (2, 8, 3). Make pool_size smaller, write padding="same", or shrink '
        "the input less before.",
    ),
    (
        L.Conv1DTranspose(2, 4, padding="same", output_padding=0),
        (1, 3),
        "Conv1DTranspose: expected an output of at least one entry along axis 1, received an "
        'input of shape (1, 3), which gives 0. Write padding="valid", or give a larger '
        "output_padding.",
    ),
    (
        L.Cropping2D(((1, 0), (2, 2))),
        (4, 4, 1),
        "Cropping2D: expected an input longer than the 2 + 2 cut off along axis 2, received 4 in "
        "shape (4, 4, 1). Cut off less.",
    ),
    (
        L.AdaptiveMaxPooling2D((2, 5)),
        (4, 4, 1),
        "AdaptiveMaxPooling2D: expected an input at least as large as output_size, 5 along axis "
        "2, received 4 in shape (4, 4, 1). Make output_size smaller, or put an UpSampling layer "
        "before it.",
    ),
]


@pytest.mark.parametrize(("make", "message"), CONSTRUCTION, ids=[m[:40] for _, m in CONSTRUCTION])
def test_arguments_that_are_refused(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES, ids=lambda v: str(v)[:30])
def test_inputs_that_are_refused(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, [shape], ["float32"], many=False)
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        layer.apply({}, jnp.zeros((1, *shape)))


def test_the_place_in_the_network_is_named() -> None:
    with pytest.raises(
        ShapeMismatch, match=r"^layer 2 of 2, deep \(Conv2D\) after pool \(MaxPooling2D\): exp"
    ):
        Sequential(
            [
                L.Input((8, 8, 1)),
                L.MaxPooling2D(4, name="pool"),
                L.Conv2D(2, 3, name="deep"),
            ]
        )


@pytest.mark.parametrize(
    ("layer", "weight", "shape", "deviation"),
    [
        # He: sqrt(2 / fan-in); Glorot: sqrt(2 / (fan-in + fan-out)).
        (L.Conv2D(256, 3, activation="relu"), "kernel", (9, 9, 32), (2 / 288) ** 0.5),
        (L.Conv2D(256, 3, activation="relu", groups=4), "kernel", (9, 9, 128), (2 / 288) ** 0.5),
        (L.Conv2DTranspose(256, 3, activation="relu"), "kernel", (9, 9, 32), (2 / 288) ** 0.5),
        (L.DepthwiseConv2D(3, activation="relu"), "depthwise", (9, 9, 4096), (2 / 9) ** 0.5),
        (L.DepthwiseConv2D(3), "depthwise", (9, 9, 4096), (2 / 18) ** 0.5),
        (L.SeparableConv2D(64, 3, activation="relu"), "depthwise", (9, 9, 4096), (2 / 18) ** 0.5),
        (L.SeparableConv2D(64, 3, activation="relu"), "pointwise", (9, 9, 512), (2 / 512) ** 0.5),
        (L.LocallyConnected2D(16, 3, activation="relu"), "kernel", (9, 9, 32), (2 / 288) ** 0.5),
    ],
)
def test_weights_start_by_what_reaches_one_output(
    layer: Layer, weight: str, shape: tuple[int, ...], deviation: float
) -> None:
    start = layer.init(jax.random.key(0), shape)[weight]
    assert np.std(start) == pytest.approx(deviation, rel=0.03)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_short_names(rank: int) -> None:
    for short, long in (
        ("MaxPool", "MaxPooling"),
        ("AvgPool", "AveragePooling"),
        ("GlobalMaxPool", "GlobalMaxPooling"),
        ("GlobalAvgPool", "GlobalAveragePooling"),
    ):
        assert getattr(L, f"{short}{rank}D") is getattr(L, f"{long}{rank}D")


def test_a_causal_convolution_sees_nothing_later() -> None:
    layer = L.Conv1D(2, 3, padding="causal", dilation_rate=2)
    params = layer.init(jax.random.key(0), (8, 1))
    seen = jax.jacrev(lambda x: layer.apply(params, x[None, :, None])[0, :, 0])(jnp.ones(8))
    expected = [[t - s in (0, 2, 4) for s in range(8)] for t in range(8)]
    assert (np.asarray(seen) != 0).tolist() == expected


def test_a_model_learns_where_a_bright_spot_is() -> None:
    """Which half of an image holds the one bright pixel: a small CNN gets every image right."""
    random = np.random.default_rng(0)
    places = random.integers(8, size=(256, 2))
    x: Any = random.normal(scale=0.1, size=(256, 8, 8, 1)).astype(np.float32)
    x[np.arange(256), places[:, 0], places[:, 1]] += 1
    model = Sequential(
        [
            L.Conv2D(4, 3, padding="same", activation="relu"),
            L.MaxPooling2D((1, 2)),
            L.SeparableConv2D(8, 3, padding="same", activation="relu"),
            L.MaxPooling2D(3, strides=2, padding="same"),
            L.Flatten(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, (places[:, 0] > 3).astype(np.float32), epochs=30, batch_size=32)
    assert history.history["accuracy"][-1] == 1.0
