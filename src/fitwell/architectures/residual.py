"""Residual networks: y = F(x) + x, for large images and for those of CIFAR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.architectures.checks import choice, image, whole
from fitwell.errors import InvalidArgument
from fitwell.layers import Input
from fitwell.model import Model

_STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3),
           152: (3, 8, 36, 3)}  # fmt: skip
_EXPANSION = 4  # the outputs of a bottleneck, per channel of its 3 x 3 convolution


def resnet(
    depth: int = 50,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    version: int = 1,
    seed: int | None = None,
) -> Model:
    """Convolution 7 x 7, max-pooling, four stages of residual blocks, the mean, dense.

    Depths 18 and 34 have basic blocks (two 3 x 3 convolutions), the others bottlenecks (1 x 1,
    3 x 3, 1 x 1 with four times the channels). Where a stage halves the image its first block has
    stride 2, in the 3 x 3 convolution (the paper: in the 1 x 1 before it; later work found this
    more accurate), and a 1 x 1 projection as its shortcut. Convolutions have no bias;
    normalisation follows them, and ReLU that. 25,557,032 weights learn in depth 50, 11,689,512 in
    18. Padding is symmetric, as in the paper.

    Args:
        depth: 18, 34, 50, 101 or 152: layers with weights.
        input_shape: (rows, columns, channels), at least 32 x 32.
        classes: >= 1.
        version: 1, relu(F(x) + x); 2, F(x) + x with normalisation and ReLU in front of every
            convolution, which keeps the path of sums free and trains deeper networks.
        seed: of the weights.

    Returns:
        a Model that is not compiled yet.

    Raises:
        InvalidArgument: another depth or version, images that are too small, classes below 1.

    >>> resnet(18, (32, 32, 3), 10).output_shape
    (None, 10)

    Source: He et al. 2016, arXiv:1512.03385; version 2: arXiv:1603.05027.
    """
    choice("resnet", "depth", depth, tuple(_STAGES))
    choice("resnet", "version", version, (1, 2))
    whole("resnet", classes=classes)
    start, y = resnet_graph(depth, image("resnet", input_shape, 32), classes, version)
    return Model(start, y, name=f"resnet{depth}" + ("v2" if version == 2 else ""), seed=seed)


def resnet_graph(
    depth: int, input_shape: tuple[int, int, int], classes: int, version: int
) -> tuple[Any, Any]:
    """Input and output of `resnet`, symbols without weights."""
    start = Input(input_shape)
    x = _convolution(start, 64, 7, 2)
    x = _normalized(x) if version == 1 else x
    x = L.MaxPooling2D(3, strides=2)(L.ZeroPadding2D(1)(x))
    inner = _basic if depth < 50 else _bottleneck
    for stage, count in enumerate(_STAGES[depth]):
        for i in range(count):
            stride = 2 if stage and not i else 1
            x = _block(x, inner, 64 * 2**stage, stride, version, free=False)
    x = _normalized(x) if version == 2 else x
    return start, L.Dense(classes, activation="softmax")(L.GlobalAveragePooling2D()(x))


def resnet_cifar(
    depth: int = 20,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    *,
    version: int = 1,
    shortcut: str = "A",
    seed: int | None = None,
) -> Model:
    """Convolution 3 x 3 of 16 channels, three stages of (depth - 2) / 6 basic blocks, mean, dense.

    The stages have 16, 32 and 64 channels. 0.27, 0.46, 0.66, 0.85 and 1.7 million weights in
    depths 20, 32, 44, 56 and 110, as the paper has it.

    Args:
        depth: 6 n + 2: 8, 14, 20, 32, 44, 56, 110, ...
        input_shape: (rows, columns, channels), at least 8 x 8.
        classes: >= 1.
        version: 1 or 2, as for `resnet`.
        shortcut: where the shape changes: "A", every second row and column and channels of zeros,
            without weights, as in the paper; "B", a 1 x 1 projection.
        seed: of the weights.

    Returns:
        a Model that is not compiled yet.

    Raises:
        InvalidArgument: a depth that is not 6 n + 2, another version or shortcut, images that are
            too small, classes below 1.

    >>> resnet_cifar(20).count_params()
    271098

    (of which 269,722 learn; the rest are running means and variances.)

    Source: He et al. 2016, arXiv:1512.03385, section 4.2.
    """
    choice("resnet_cifar", "version", version, (1, 2))
    choice("resnet_cifar", "shortcut", shortcut, ("A", "B"))
    whole("resnet_cifar", depth=depth, classes=classes)
    if depth < 8 or (depth - 2) % 6:
        raise InvalidArgument(
            "resnet_cifar",
            "depth = 6 n + 2 with n >= 1",
            f"depth={depth}",
            "Choose 20, 32, 44, 56 or 110.",
        )
    start: Any = Input(image("resnet_cifar", input_shape, 8))
    x = cifar_trunk(start, (depth - 2) // 6, version, free=shortcut == "A")
    y = L.Dense(classes, activation="softmax")(L.GlobalAveragePooling2D()(x))
    return Model(start, y, name=f"resnet{depth}_cifar", seed=seed)


def cifar_trunk(start: Any, blocks: int, version: int, *, free: bool) -> Any:
    """What `resnet_cifar` takes the mean of: `blocks` of them in each of three stages."""
    x = _convolution(start, 16, 3, 1)
    x = _normalized(x) if version == 1 else x
    for stage in range(3):
        for i in range(blocks):
            stride = 2 if stage and not i else 1
            x = _block(x, _basic, 16 * 2**stage, stride, version, free=free)
    return _normalized(x) if version == 2 else x


_Inner = Callable[..., Any]


def _block(x: Any, inner: _Inner, channels: int, stride: int, version: int, free: bool) -> Any:
    """F(x) plus the shortcut; `free` tells that the shortcut has no weights."""
    outputs = channels * (_EXPANSION if inner is _bottleneck else 1)
    changes = stride > 1 or x.shape[-1] != outputs
    # In version 2 a block that changes the shape projects what is normalised already.
    before = _normalized(x) if version == 2 else x
    y = inner(before, channels, stride, version)
    if not changes:
        shortcut = x
    elif free:
        shortcut = L.AveragePooling2D(1, strides=stride)(x)
        shortcut = L.Concatenate()([shortcut, L.Rescaling(0.0)(shortcut)])
    else:
        shortcut = _convolution(before, outputs, 1, stride)
        shortcut = _normalized(shortcut, relu=False) if version == 1 else shortcut
    y = L.Add()([y, shortcut])
    return L.ReLU()(y) if version == 1 else y


def _basic(x: Any, channels: int, stride: int, version: int) -> Any:
    y = _normalized(_convolution(x, channels, 3, stride))
    y = _convolution(y, channels, 3, 1)
    return _normalized(y, relu=False) if version == 1 else y


def _bottleneck(x: Any, channels: int, stride: int, version: int) -> Any:
    y = _normalized(_convolution(x, channels, 1, 1))
    y = _normalized(_convolution(y, channels, 3, stride))
    y = _convolution(y, _EXPANSION * channels, 1, 1)
    return _normalized(y, relu=False) if version == 1 else y


def _convolution(x: Any, channels: int, size: int, stride: int) -> Any:
    """With equal zeros on both sides, also where the stride is 2."""
    start: dict[str, Any] = {"use_bias": False, "kernel_initializer": "he_normal"}
    if stride == 1:
        return L.Conv2D(channels, size, padding="same", **start)(x)
    if size > 1:
        x = L.ZeroPadding2D(size // 2)(x)
    return L.Conv2D(channels, size, strides=stride, **start)(x)


def _normalized(x: Any, relu: bool = True) -> Any:
    y = L.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return L.ReLU()(y) if relu else y
