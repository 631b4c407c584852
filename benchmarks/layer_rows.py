"""Layers that `layers.py` measures: each row makes the same work for fitwell and for PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

BATCH = 64
Torch = Any


@dataclass(frozen=True)
class Row:
    """The same work twice.

    Attributes:
        shape: of one example, channels last.
        fitwell: makes the layers, given `fitwell.layers`.
        torch: makes the same as a list of modules, given `torch.nn`.
        batch: examples per step.
        classes: of a whole network, trained by Adam and cross-entropy; 0 for a single layer,
            trained by SGD towards random numbers.
    """

    shape: tuple[int, ...]
    fitwell: Callable[[Any], list[Any]]
    torch: Callable[[Torch], list[Any]]
    batch: int = BATCH
    classes: int = 0


def conv(
    shape: tuple[int, ...], filters: int, size: int = 3, batch: int = BATCH, **more: int
) -> Row:
    """A convolution with padding "same" (PyTorch: equal zeros on both sides)."""
    rank, dilation = len(shape) - 1, more.get("dilation", 1)
    strides, groups = more.get("strides", 1), more.get("groups", 1)
    return Row(
        shape,
        lambda L: [
            getattr(L, f"Conv{rank}D")(
                filters, size, strides, "same", dilation_rate=dilation, groups=groups
            )
        ],
        lambda nn: [
            getattr(nn, f"Conv{rank}d")(
                shape[-1], filters, size, strides, size // 2 * dilation, dilation, groups
            )
        ],
        batch,
    )


def cnn(shape: tuple[int, ...], *filters: int) -> Row:
    """Convolutions 3 x 3 with ReLU, each followed by max-pooling 2 x 2, and a dense layer."""
    flat = shape[0] * shape[1] // 4 ** len(filters) * filters[-1]

    def ours(L: Any) -> list[Any]:
        blocks = [
            [L.Conv2D(f, 3, padding="same", activation="relu"), L.MaxPooling2D()] for f in filters
        ]
        return [*chain(*blocks), L.Flatten(), L.Dense(10)]

    def theirs(nn: Torch) -> list[Any]:
        inputs = (shape[-1], *filters[:-1])
        blocks = [
            [nn.Conv2d(i, f, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            for i, f in zip(inputs, filters, strict=True)
        ]
        return [*chain(*blocks), nn.Flatten(), nn.Linear(flat, 10)]

    return Row(shape, ours, theirs, classes=10)


IMAGE, WIDE = (16, 16, 32), (16, 16, 64)

ROWS = {
    "cnn_28": cnn((28, 28, 1), 32, 64),
    "cnn_32": cnn((32, 32, 3), 32, 64, 128),
    "conv1d": conv((128, 32), 64, 5),
    "conv1d_dilated": conv((128, 32), 64, 3, dilation=4),
    "conv2d": conv(IMAGE, 64),
    "conv2d_rgb": conv((32, 32, 3), 32),
    "conv2d_5x5": conv(IMAGE, 32, 5),
    "conv2d_1x1": conv(WIDE, 128, 1),
    "conv2d_strides": conv(IMAGE, 64, strides=2),
    "conv2d_dilated": conv(IMAGE, 64, dilation=2),
    "conv2d_groups_4": conv(IMAGE, 64, groups=4),
    "conv2d_groups_16": conv(WIDE, 64, groups=16),
    "conv3d": conv((8, 8, 8, 8), 16, batch=32),
    "conv1d_transpose": Row(
        (64, 32),
        lambda L: [L.Conv1DTranspose(32, 4, strides=2, padding="same")],
        lambda nn: [nn.ConvTranspose1d(32, 32, 4, 2, 1)],
    ),
    "conv2d_transpose": Row(
        (8, 8, 64),
        lambda L: [L.Conv2DTranspose(32, 4, strides=2, padding="same")],
        lambda nn: [nn.ConvTranspose2d(64, 32, 4, 2, 1)],
    ),
    "conv2d_transpose_2x2": Row(
        (8, 8, 64),
        lambda L: [L.Conv2DTranspose(32, 2, strides=2)],
        lambda nn: [nn.ConvTranspose2d(64, 32, 2, 2)],
    ),
    "conv3d_transpose": Row(
        (4, 4, 4, 16),
        lambda L: [L.Conv3DTranspose(8, 2, strides=2)],
        lambda nn: [nn.ConvTranspose3d(16, 8, 2, 2)],
        batch=32,
    ),
    "depthwise1d": Row(
        (128, 64),
        lambda L: [L.DepthwiseConv1D(5, padding="same")],
        lambda nn: [nn.Conv1d(64, 64, 5, padding=2, groups=64)],
    ),
    "depthwise2d": Row(
        WIDE,
        lambda L: [L.DepthwiseConv2D(3, padding="same")],
        lambda nn: [nn.Conv2d(64, 64, 3, padding=1, groups=64)],
    ),
    "depthwise2d_strides": Row(
        WIDE,
        lambda L: [L.DepthwiseConv2D(3, strides=2, padding="same")],
        lambda nn: [nn.Conv2d(64, 64, 3, 2, padding=1, groups=64)],
    ),
    "separable1d": Row(
        (128, 64),
        lambda L: [L.SeparableConv1D(64, 5, padding="same")],
        lambda nn: [nn.Conv1d(64, 64, 5, padding=2, groups=64, bias=False), nn.Conv1d(64, 64, 1)],
    ),
    "separable2d": Row(
        WIDE,
        lambda L: [L.SeparableConv2D(64, 3, padding="same")],
        lambda nn: [nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), nn.Conv2d(64, 64, 1)],
    ),
    "max_pooling2d": Row(WIDE, lambda L: [L.MaxPooling2D()], lambda nn: [nn.MaxPool2d(2)]),
    "max_pooling2d_overlap": Row(
        WIDE,
        lambda L: [L.MaxPooling2D(3, strides=2, padding="same")],
        lambda nn: [nn.MaxPool2d(3, 2, 1)],
    ),
    "average_pooling2d": Row(WIDE, lambda L: [L.AveragePooling2D(2)], lambda nn: [nn.AvgPool2d(2)]),
    "global_max_pooling2d": Row(
        WIDE,
        lambda L: [L.GlobalMaxPooling2D(keepdims=True)],
        lambda nn: [nn.AdaptiveMaxPool2d(1)],
    ),
    "global_average_pooling2d": Row(
        WIDE,
        lambda L: [L.GlobalAveragePooling2D(keepdims=True)],
        lambda nn: [nn.AdaptiveAvgPool2d(1)],
    ),
}
