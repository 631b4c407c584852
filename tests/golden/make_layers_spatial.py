"""Writes layers_spatial.npz: convolution, pooling, padding and resizing in Keras and PyTorch.

    KERAS_BACKEND=torch python tests/golden/make_layers_spatial.py

The cases are recorded as in make_layers.py, in float64. Kernels are (*taps, in / groups, out);
Keras' depthwise and pointwise kernels are recorded under fitwell's names. Keras has no local
convolution any more: those rows have formulas.
"""

from pathlib import Path

import make_layers  # sets the back end, so it comes before keras
import numpy as np
import torch
from keras import layers
from make_layers import Case

CONVOLUTIONS = {
    1: torch.nn.functional.conv1d,
    2: torch.nn.functional.conv2d,
    3: torch.nn.functional.conv3d,
}


class Convolution(torch.nn.Module):
    """PyTorch's convolution on channels-last arrays, with a kernel (*taps, in / groups, out)."""

    def __init__(self, *shape: int, bias: bool = True, **options: object) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))
        self.bias = torch.nn.Parameter(torch.zeros(shape[-1:], dtype=torch.float64))
        self.options = options

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = self.kernel.movedim((-1, -2), (0, 1))
        function = CONVOLUTIONS[kernel.ndim - 2]
        y = function(x.movedim(-1, 1), kernel, self.bias, **self.options)
        return y.movedim(1, -1)


class Pool(torch.nn.Module):
    """A pooling function of PyTorch on channels-last arrays."""

    def __init__(self, function: object, *arguments: object) -> None:
        super().__init__()
        self.function, self.arguments = function, arguments

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x.movedim(-1, 1), *self.arguments).movedim(1, -1)


CASES: dict[str, Case] = {
    "conv1d": (layers.Conv1D(3, 2), ((5, 2),)),
    "conv1d_causal": (
        layers.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="tanh"),
        ((6, 2),),
    ),
    "conv1d_torch": (Convolution(3, 2, 4, stride=2, dilation=2, groups=2), ((9, 4),)),
    "conv2d": (layers.Conv2D(3, 2, activation="relu"), ((4, 4, 2),)),
    "conv2d_same": (layers.Conv2D(2, (3, 2), padding="same", use_bias=False), ((4, 3, 5),)),
    "conv2d_strides": (layers.Conv2D(2, 3, strides=(2, 1), padding="same"), ((5, 3, 5),)),
    "conv2d_point": (layers.Conv2D(3, 1, strides=2), ((3, 4, 2),)),
    "conv2d_groups": (Convolution(2, 2, 2, 4, groups=2), ((4, 3, 4),)),
    "conv2d_depthwise": (Convolution(2, 2, 1, 4, stride=2, groups=2), ((5, 4, 2),)),
    "conv2d_dilated": (Convolution(2, 2, 5, 2, stride=(1, 2), dilation=(2, 1)), ((4, 5, 5),)),
    "conv3d": (layers.Conv3D(2, 2), ((3, 3, 2, 2),)),
    "conv3d_torch": (
        Convolution(2, 1, 2, 2, 2, stride=(2, 1, 1), dilation=(1, 1, 2), groups=2),
        ((4, 2, 4, 4),),
    ),
    "conv1d_transpose": (layers.Conv1DTranspose(3, 3, strides=2, padding="same"), ((3, 2),)),
    "conv1d_transpose_output_padding": (
        layers.Conv1DTranspose(2, 2, strides=3, output_padding=2),
        ((3, 2),),
    ),
    "conv2d_transpose": (layers.Conv2DTranspose(2, 2), ((2, 3, 5),)),
    "conv2d_transpose_strides": (
        layers.Conv2DTranspose(2, (3, 1), strides=(2, 3), padding="same", activation="relu"),
        ((2, 3, 2),),
    ),
    "conv2d_transpose_wide": (layers.Conv2DTranspose(5, 2, strides=(3, 2)), ((2, 2, 2),)),
    "conv2d_transpose_dilated": (
        layers.Conv2DTranspose(2, 2, dilation_rate=2, padding="same"),
        ((3, 2, 2),),
    ),
    "conv2d_transpose_output_padding": (
        layers.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=(1, 0)),
        ((2, 2, 2),),
    ),
    "conv3d_transpose": (layers.Conv3DTranspose(2, 2, strides=(2, 1, 1)), ((2, 2, 2, 2),)),
    "depthwise1d": (layers.DepthwiseConv1D(3, strides=2, padding="same"), ((5, 3),)),
    "depthwise2d": (layers.DepthwiseConv2D(2, depth_multiplier=2), ((4, 3, 2),)),
    "depthwise2d_same": (
        layers.DepthwiseConv2D((3, 2), padding="same", dilation_rate=2, activation="relu"),
        ((4, 3, 2),),
    ),
    "separable1d": (layers.SeparableConv1D(3, 2, depth_multiplier=2), ((4, 2),)),
    "separable2d": (
        layers.SeparableConv2D(3, 3, strides=2, padding="same", activation="tanh"),
        ((4, 3, 2),),
    ),
    "max_pooling1d": (layers.MaxPooling1D(2), ((5, 2),)),
    "max_pooling2d": (layers.MaxPooling2D(), ((4, 5, 2),)),
    "max_pooling2d_overlap": (layers.MaxPooling2D(3, strides=2, padding="same"), ((5, 4, 2),)),
    "max_pooling2d_gaps": (layers.MaxPooling2D((2, 1), strides=(3, 2)), ((6, 4, 2),)),
    "max_pooling2d_torch": (Pool(torch.nn.functional.max_pool2d, 3, 1), ((4, 5, 2),)),
    "max_pooling3d": (layers.MaxPooling3D((2, 1, 2)), ((2, 2, 4, 2),)),
    "average_pooling1d": (layers.AveragePooling1D(3, strides=1), ((5, 2),)),
    "average_pooling2d": (layers.AveragePooling2D((2, 3)), ((4, 4, 2),)),
    "average_pooling2d_same": (
        layers.AveragePooling2D(3, strides=1, padding="same"),
        ((4, 3, 2),),
    ),
    "average_pooling3d": (Pool(torch.nn.functional.avg_pool3d, 2, (2, 1, 2)), ((2, 3, 4, 2),)),
    "global_max_pooling1d": (layers.GlobalMaxPooling1D(keepdims=True), ((4, 2),)),
    "global_max_pooling2d": (layers.GlobalMaxPooling2D(), ((3, 2, 2),)),
    "global_max_pooling3d": (layers.GlobalMaxPooling3D(), ((2, 3, 2, 2),)),
    "global_average_pooling1d": (layers.GlobalAveragePooling1D(), ((4, 2),)),
    "global_average_pooling2d": (layers.GlobalAveragePooling2D(keepdims=True), ((3, 2, 2),)),
    "global_average_pooling3d": (layers.GlobalAveragePooling3D(), ((2, 3, 2, 2),)),
    "adaptive_average_pooling1d": (
        Pool(torch.nn.functional.adaptive_avg_pool1d, 3),
        ((5, 2),),
    ),
    "adaptive_average_pooling2d": (
        Pool(torch.nn.functional.adaptive_avg_pool2d, (2, 3)),
        ((4, 4, 2),),
    ),
    "adaptive_average_pooling3d": (
        Pool(torch.nn.functional.adaptive_avg_pool3d, (1, 2, 3)),
        ((2, 3, 4, 2),),
    ),
    "adaptive_max_pooling1d": (Pool(torch.nn.functional.adaptive_max_pool1d, 2), ((5, 2),)),
    "adaptive_max_pooling2d": (
        Pool(torch.nn.functional.adaptive_max_pool2d, (3, 2)),
        ((4, 4, 2),),
    ),
    "adaptive_max_pooling3d": (Pool(torch.nn.functional.adaptive_max_pool3d, 2), ((2, 3, 4, 2),)),
    "up_sampling1d": (layers.UpSampling1D(3), ((2, 2),)),
    "up_sampling2d": (layers.UpSampling2D((2, 3)), ((2, 3, 2),)),
    "up_sampling2d_bilinear": (
        layers.UpSampling2D((3, 2), interpolation="bilinear"),
        ((2, 3, 2),),
    ),
    "up_sampling3d": (layers.UpSampling3D(), ((1, 2, 2, 2),)),
    "zero_padding1d": (layers.ZeroPadding1D((1, 2)), ((2, 2),)),
    "zero_padding2d": (layers.ZeroPadding2D(((1, 0), (2, 1))), ((2, 2, 2),)),
    "zero_padding3d": (layers.ZeroPadding3D((0, 1, 2)), ((1, 2, 2, 2),)),
    "cropping1d": (layers.Cropping1D((1, 2)), ((5, 2),)),
    "cropping2d": (layers.Cropping2D(((1, 0), (0, 2))), ((3, 4, 2),)),
    "cropping3d": (layers.Cropping3D((0, 1, 1)), ((2, 3, 4, 2),)),
}


def record(name: str, case: Case) -> dict[str, np.ndarray]:
    layer = case[0]
    arrays = make_layers.record(name, *case)
    if isinstance(layer, layers.DepthwiseConv1D | layers.DepthwiseConv2D):
        return {key.replace("/kernel", "/depthwise"): value for key, value in arrays.items()}
    return {key.removesuffix("_kernel"): value for key, value in arrays.items()}


if __name__ == "__main__":
    golden = {k: v for name, case in CASES.items() for k, v in record(name, case).items()}
    np.savez_compressed(Path(__file__).with_name("layers_spatial.npz"), **golden)
