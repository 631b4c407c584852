"""Convolutional chains: LeNet-5 and VGG."""

from __future__ import annotations

from typing import Any

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.architectures.checks import choice, image, whole
from fitwell.layers import Input
from fitwell.sequential import Sequential

_VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)


def lenet5(
    input_shape: tuple[int, int, int] = (28, 28, 1),
    classes: int = 10,
    *,
    activation: Any = "tanh",
    seed: int | None = None,
) -> Sequential:
    """Convolution 5 x 5, pooling, twice; dense layers of 120, 84 and `classes` units.

    The form that is in use: every map of the second convolution sees all six of the first, pooling
    is a plain mean and the output a softmax. The paper's second convolution sees a chosen part of
    them, its pooling has weights and its output is a distance. Images of 28 x 28 are padded to the
    paper's 32 x 32 in the first convolution. 61,706 weights.

    Args:
        input_shape: (rows, columns, channels), at least 16 x 16.
        classes: >= 1.
        activation: of all layers but the last.
        seed: of the weights.

    Returns:
        a Sequential that is not compiled yet.

    Raises:
        InvalidArgument: images that are too small, or classes below 1.

    >>> lenet5().output_shape
    (None, 10)

    Source: LeCun et al. 1998, doi:10.1109/5.726791.
    """
    whole("lenet5", classes=classes)
    chain = [
        Input(image("lenet5", input_shape, 16)),
        L.Conv2D(6, 5, padding="same", activation=activation),
        L.AveragePooling2D(2),
        L.Conv2D(16, 5, activation=activation),
        L.AveragePooling2D(2),
        L.Flatten(),
        L.Dense(120, activation=activation),
        L.Dense(84, activation=activation),
        L.Dense(classes, activation="softmax"),
    ]
    return Sequential(chain, name="lenet5", seed=seed)


def vgg(
    depth: int = 16,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    *,
    batch_norm: bool = False,
    dropout: float = 0.5,
    seed: int | None = None,
) -> Sequential:
    """Five stages of 3 x 3 convolutions, each halved by max-pooling; dense 4096, 4096, `classes`.

    138,357,544 weights for depth 16 at the paper's size, most of them in the first dense layer;
    most of the arithmetic is in the convolutions (see `summary`).

    Args:
        depth: 11, 13, 16 or 19: layers with weights.
        input_shape: (rows, columns, channels), at least 32 x 32.
        classes: >= 1.
        batch_norm: normalise between each convolution and its ReLU.
        dropout: of the two dense layers, in [0, 1).
        seed: of the weights.

    Returns:
        a Sequential that is not compiled yet.

    Raises:
        InvalidArgument: another depth, images that are too small, or classes below 1.

    >>> vgg(11, (32, 32, 3), 10).output_shape
    (None, 10)

    Source: Simonyan & Zisserman 2015, arXiv:1409.1556.
    """
    choice("vgg", "depth", depth, tuple(_VGG))
    whole("vgg", classes=classes)
    start = Input(image("vgg", input_shape, 32))
    chain = [start, *vgg_chain(depth, classes, batch_norm=batch_norm, dropout=dropout)]
    return Sequential(chain, name=f"vgg{depth}", seed=seed)


def vgg_chain(depth: int, classes: int, *, batch_norm: bool, dropout: float) -> list[L.Layer]:
    """The layers of `vgg`, without weights."""
    chain: list[L.Layer] = []
    for channels, count in zip(_CHANNELS, _VGG[depth], strict=True):
        for _ in range(count):
            if batch_norm:
                chain.append(L.Conv2D(channels, 3, padding="same"))
                chain += [L.BatchNormalization(momentum=0.9, epsilon=1e-5), L.ReLU()]
            else:
                chain.append(L.Conv2D(channels, 3, padding="same", activation="relu"))
        chain.append(L.MaxPooling2D())
    chain.append(L.Flatten())
    for _ in range(2):
        chain += [L.Dense(4096, activation="relu"), L.Dropout(dropout)]
    return [*chain, L.Dense(classes, activation="softmax")]
