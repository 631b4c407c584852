"""Convolutions: plain, transposed, depthwise, separable and with a kernel for every place."""

from __future__ import annotations

from typing import Any

from layer_rows.row import BATCH, Row

IMAGE, WIDE, SERIES, VOLUME = (16, 16, 32), (16, 16, 64), (128, 32), (8, 8, 8, 8)


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


def causal(shape: tuple[int, ...], filters: int, size: int, dilation: int) -> Row:
    """A convolution that looks back only."""
    return Row(
        shape,
        lambda L: [L.Conv1D(filters, size, padding="causal", dilation_rate=dilation)],
        lambda nn: [
            nn.ConstantPad1d(((size - 1) * dilation, 0), 0.0),
            nn.Conv1d(shape[-1], filters, size, dilation=dilation),
        ],
    )


def transposed(
    shape: tuple[int, ...], filters: int, size: int, batch: int = BATCH, dilation: int = 1
) -> Row:
    """A transposed convolution that doubles the axes, or keeps them where it is dilated."""
    rank, strides = len(shape) - 1, 2 if dilation == 1 else 1
    padding = (size - strides) // 2 if dilation == 1 else size // 2 * dilation
    return Row(
        shape,
        lambda L: [
            getattr(L, f"Conv{rank}DTranspose")(
                filters, size, strides, "same", dilation_rate=dilation
            )
        ],
        lambda nn: [
            getattr(nn, f"ConvTranspose{rank}d")(
                shape[-1], filters, size, strides, padding, dilation=dilation
            )
        ],
        batch,
    )


def depthwise(shape: tuple[int, ...], size: int, **more: int) -> Row:
    """A kernel for every channel."""
    rank, channels, dilation = len(shape) - 1, shape[-1], more.get("dilation", 1)
    strides, many = more.get("strides", 1), more.get("multiplier", 1)
    return Row(
        shape,
        lambda L: [
            getattr(L, f"DepthwiseConv{rank}D")(
                size, strides, "same", depth_multiplier=many, dilation_rate=dilation
            )
        ],
        lambda nn: [
            getattr(nn, f"Conv{rank}d")(
                channels, channels * many, size, strides, size // 2 * dilation, dilation, channels
            )
        ],
    )


def separable(shape: tuple[int, ...], filters: int, size: int) -> Row:
    """A kernel for every channel, then one of size 1 for all."""
    rank, channels = len(shape) - 1, shape[-1]
    return Row(
        shape,
        lambda L: [getattr(L, f"SeparableConv{rank}D")(filters, size, padding="same")],
        lambda nn: [
            getattr(nn, f"Conv{rank}d")(
                channels, channels, size, padding=size // 2, groups=channels, bias=False
            ),
            getattr(nn, f"Conv{rank}d")(channels, filters, 1),
        ],
    )


def local(shape: tuple[int, ...], filters: int, size: int, strides: int = 1) -> Row:
    """A convolution with a kernel of its own at every position."""

    def theirs(_: Any) -> list[Any]:
        from layer_rows.modules import Local

        return [Local(shape, filters, size, strides)]

    name = f"LocallyConnected{len(shape) - 1}D"
    return Row(shape, lambda L: [getattr(L, name)(filters, size, strides)], theirs)


ROWS = {
    "conv1d": conv(SERIES, 64, 5),
    "conv1d_strides": conv(SERIES, 64, 5, strides=2),
    "conv1d_dilated": conv(SERIES, 64, 3, dilation=4),
    "conv1d_groups_4": conv(SERIES, 64, 5, groups=4),
    "conv1d_causal": causal(SERIES, 64, 3, 1),
    "conv1d_causal_dilated": causal(SERIES, 64, 3, 8),
    "conv2d": conv(IMAGE, 64),
    "conv2d_rgb": conv((32, 32, 3), 32),
    "conv2d_5x5": conv(IMAGE, 32, 5),
    "conv2d_1x1": conv(WIDE, 128, 1),
    "conv2d_1x1_strides": conv(WIDE, 128, 1, strides=2),
    "conv2d_strides": conv(IMAGE, 64, strides=2),
    "conv2d_dilated": conv(IMAGE, 64, dilation=2),
    "conv2d_groups_4": conv(IMAGE, 64, groups=4),
    "conv2d_groups_16": conv(WIDE, 64, groups=16),
    "conv2d_groups_strides": conv(WIDE, 64, groups=4, strides=2),
    "conv2d_groups_dilated": conv(WIDE, 64, groups=4, dilation=2),
    "conv3d": conv(VOLUME, 16, batch=32),
    "conv3d_strides": conv(VOLUME, 16, batch=32, strides=2),
    "conv3d_dilated": conv(VOLUME, 16, batch=32, dilation=2),
    "conv3d_groups_2": conv((8, 8, 8, 32), 32, batch=16, groups=2),
    "conv1d_transpose": transposed((64, 32), 32, 4),
    "conv2d_transpose": transposed((8, 8, 64), 32, 4),
    "conv2d_transpose_2x2": transposed((8, 8, 64), 32, 2),
    "conv2d_transpose_dilated": transposed(IMAGE, 32, 3, dilation=2),
    "conv3d_transpose": transposed((4, 4, 4, 16), 8, 2, batch=32),
    "conv3d_transpose_4x4x4": transposed((4, 4, 4, 16), 8, 4, batch=32),
    "depthwise1d": depthwise((128, 64), 5),
    "depthwise1d_dilated": depthwise((128, 64), 5, dilation=4),
    "depthwise2d": depthwise(WIDE, 3),
    "depthwise2d_strides": depthwise(WIDE, 3, strides=2),
    "depthwise2d_dilated": depthwise(WIDE, 3, dilation=2),
    "depthwise2d_multiplier": depthwise(IMAGE, 3, multiplier=2),
    "separable1d": separable((128, 64), 64, 5),
    "separable2d": separable(WIDE, 64, 3),
    "locally_connected1d": local(SERIES, 32, 5),
    "locally_connected2d": local(IMAGE, 32, 3),
    "locally_connected2d_strides": local(IMAGE, 32, 3, 2),
}
