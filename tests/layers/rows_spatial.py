"""Rows of the contract table: convolution, pooling, borders, against golden/layers_spatial.npz."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell import layers as L  # noqa: N812 - read in every line

from .table import row


def local1d(params: Any, x: Any) -> Any:
    """Stride 2, three taps, no padding: one position at a time."""
    rows = [
        np.tensordot(
            np.asarray(x)[:, 2 * p : 2 * p + 3].reshape(len(x), -1), params["kernel"][p], 1
        )
        for p in range(2)
    ]
    return np.stack(rows, 1) + params["bias"]


def local2d(params: Any, x: Any) -> Any:
    """Kernel (2, 3), padding "same": a zero row behind, a zero column at both sides."""
    padded = np.pad(np.asarray(x), ((0, 0), (0, 1), (1, 1), (0, 0)))
    y = np.zeros((len(x), 3, 2, 2))
    for i in range(3):
        for j in range(2):
            patch = padded[:, i : i + 2, j : j + 3].reshape(len(x), -1)
            y[:, i, j] = patch @ np.asarray(params["kernel"][2 * i + j])
    return np.maximum(y, 0)


ROWS = [
    row("conv1d", L.Conv1D(3, 2), (5, 2)),
    row("conv1d_causal", L.Conv1D(3, 3, 1, "causal", None, 2, activation="tanh"), (6, 2)),
    row("conv1d_torch", L.Conv1D(4, 3, strides=2, dilation_rate=2, groups=2), (9, 4)),
    row("conv2d", L.Conv2D(3, 2, activation="relu"), (4, 4, 2)),
    row("conv2d_same", L.Conv2D(2, (3, 2), padding="same", use_bias=False), (4, 3, 5)),
    row("conv2d_strides", L.Conv2D(2, 3, (2, 1), "same", kernel_regularizer="l2"), (5, 3, 5)),
    row("conv2d_point", L.Conv2D(3, 1, strides=2, kernel_initializer="orthogonal"), (3, 4, 2)),
    row("conv2d_groups", L.Conv2D(4, 2, groups=2), (4, 3, 4)),
    row("conv2d_depthwise", L.Conv2D(4, 2, strides=2, groups=2), (5, 4, 2)),
    row("conv2d_dilated", L.Conv2D(2, 2, strides=(1, 2), dilation_rate=(2, 1)), (4, 5, 5)),
    row("conv3d", L.Conv3D(2, 2), (3, 3, 2, 2)),
    row(
        "conv3d_torch",
        L.Conv3D(2, (2, 1, 2), strides=(2, 1, 1), dilation_rate=(1, 1, 2), groups=2),
        (4, 2, 4, 4),
    ),
    row("conv1d_transpose", L.Conv1DTranspose(3, 3, strides=2, padding="same"), (3, 2)),
    row(
        "conv1d_transpose_output_padding",
        L.Conv1DTranspose(2, 2, strides=3, output_padding=2),
        (3, 2),
    ),
    row("conv2d_transpose", L.Conv2DTranspose(2, 2), (2, 3, 5)),
    row(
        "conv2d_transpose_strides",
        L.Conv2DTranspose(2, (3, 1), strides=(2, 3), padding="same", activation="relu"),
        (2, 3, 2),
    ),
    row("conv2d_transpose_wide", L.Conv2DTranspose(5, 2, strides=(3, 2)), (2, 2, 2)),
    row(
        "conv2d_transpose_dilated",
        L.Conv2DTranspose(2, 2, dilation_rate=2, padding="same"),
        (3, 2, 2),
    ),
    row(
        "conv2d_transpose_output_padding",
        L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=(1, 0)),
        (2, 2, 2),
    ),
    row("conv3d_transpose", L.Conv3DTranspose(2, 2, strides=(2, 1, 1)), (2, 2, 2, 2)),
    row("depthwise1d", L.DepthwiseConv1D(3, strides=2, padding="same"), (5, 3)),
    row("depthwise2d", L.DepthwiseConv2D(2, depth_multiplier=2), (4, 3, 2)),
    row(
        "depthwise2d_same",
        L.DepthwiseConv2D((3, 2), padding="same", dilation_rate=2, activation="relu"),
        (4, 3, 2),
    ),
    row("separable1d", L.SeparableConv1D(3, 2, depth_multiplier=2), (4, 2)),
    row("separable2d", L.SeparableConv2D(3, 3, 2, "same", activation="tanh"), (4, 3, 2)),
    row("local1d", L.LocallyConnected1D(2, 3, strides=2), (5, 2), formula=local1d),
    row(
        "local2d",
        L.LocallyConnected2D(2, (2, 3), padding="same", activation="relu", use_bias=False),
        (3, 2, 2),
        formula=local2d,
    ),
    row("max_pooling1d", L.MaxPooling1D(2), (5, 2)),
    row("max_pooling2d", L.MaxPooling2D(), (4, 5, 2)),
    row("max_pooling2d_overlap", L.MaxPool2D(3, strides=2, padding="same"), (5, 4, 2)),
    row("max_pooling2d_gaps", L.MaxPooling2D((2, 1), strides=(3, 2)), (6, 4, 2)),
    row("max_pooling2d_torch", L.MaxPooling2D(3, strides=1), (4, 5, 2)),
    row("max_pooling3d", L.MaxPooling3D((2, 1, 2)), (2, 2, 4, 2)),
    row("average_pooling1d", L.AveragePooling1D(3, strides=1), (5, 2)),
    row("average_pooling2d", L.AveragePooling2D((2, 3)), (4, 4, 2)),
    row("average_pooling2d_same", L.AvgPool2D(3, strides=1, padding="same"), (4, 3, 2)),
    row("average_pooling3d", L.AveragePooling3D(2, strides=(2, 1, 2)), (2, 3, 4, 2)),
    row("global_max_pooling1d", L.GlobalMaxPooling1D(keepdims=True), (4, 2)),
    row("global_max_pooling2d", L.GlobalMaxPooling2D(), (3, 2, 2)),
    row("global_max_pooling3d", L.GlobalMaxPooling3D(), (2, 3, 2, 2)),
    row("global_average_pooling1d", L.GlobalAveragePooling1D(), (4, 2)),
    row("global_average_pooling2d", L.GlobalAveragePooling2D(keepdims=True), (3, 2, 2)),
    row("global_average_pooling3d", L.GlobalAveragePooling3D(), (2, 3, 2, 2)),
    row("adaptive_average_pooling1d", L.AdaptiveAveragePooling1D(3), (5, 2)),
    row("adaptive_average_pooling2d", L.AdaptiveAveragePooling2D((2, 3)), (4, 4, 2)),
    row("adaptive_average_pooling3d", L.AdaptiveAveragePooling3D((1, 2, 3)), (2, 3, 4, 2)),
    row("adaptive_max_pooling1d", L.AdaptiveMaxPooling1D(2), (5, 2)),
    row("adaptive_max_pooling2d", L.AdaptiveMaxPooling2D((3, 2)), (4, 4, 2)),
    row("adaptive_max_pooling3d", L.AdaptiveMaxPooling3D(2), (2, 3, 4, 2)),
    row("up_sampling1d", L.UpSampling1D(3), (2, 2)),
    row("up_sampling2d", L.UpSampling2D((2, 3)), (2, 3, 2)),
    row("up_sampling2d_bilinear", L.UpSampling2D((3, 2), None, "bilinear"), (2, 3, 2)),
    row("up_sampling3d", L.UpSampling3D(), (1, 2, 2, 2)),
    row("zero_padding1d", L.ZeroPadding1D((1, 2)), (2, 2)),
    row("zero_padding2d", L.ZeroPadding2D(((1, 0), (2, 1))), (2, 2, 2)),
    row("zero_padding3d", L.ZeroPadding3D((0, 1, 2)), (1, 2, 2, 2)),
    row("cropping1d", L.Cropping1D((1, 2)), (5, 2)),
    row("cropping2d", L.Cropping2D(((1, 0), (0, 2))), (3, 4, 2)),
    row("cropping3d", L.Cropping3D((0, 1, 1)), (2, 3, 4, 2)),
]
