"""Dense networks: the multilayer perceptron and the autoencoder."""

from __future__ import annotations

from typing import Any

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.architectures.checks import example, sizes, whole
from fitwell.errors import InvalidArgument
from fitwell.layers import Input
from fitwell.model import Model
from fitwell.sequential import Sequential


def mlp(
    input_shape: int | tuple[int, ...],
    outputs: int,
    units: Any = (128, 64),
    *,
    activation: Any = "relu",
    output_activation: Any = None,
    dropout: float = 0.0,
    normalization: bool = False,
    seed: int | None = None,
) -> Sequential:
    """x -> activation(W x + b) for each of `units`, then W x + b: the multilayer perceptron.

    Args:
        input_shape: of one example; more than one axis is flattened first.
        outputs: numbers per example, >= 1.
        units: of each hidden layer, in order.
        activation: of the hidden layers.
        output_activation: None for regression, "softmax" or "sigmoid" for probabilities.
        dropout: the part of each hidden layer that is dropped in training, in [0, 1).
        normalization: put a BatchNormalization between each hidden layer and its activation.
        seed: of the weights.

    Returns:
        a Sequential that is not compiled yet.

    Raises:
        InvalidArgument: no units, or a size that is no whole number >= 1.

    >>> mlp((784,), 10, (128, 64), output_activation="softmax").count_params()
    109386

    Source: Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0.
    """
    whole("mlp", outputs=outputs)
    input_shape = example("mlp", input_shape)
    chain: list[Any] = [Input(input_shape)]
    if len(input_shape) > 1:
        chain.append(L.Flatten())
    for n in sizes("mlp", "units", units):
        if normalization:
            chain += [
                L.Dense(n, use_bias=False),
                L.BatchNormalization(),
                L.Activation(activation),
            ]
        else:
            chain.append(L.Dense(n, activation=activation))
        if dropout:
            chain.append(L.Dropout(dropout))
    chain.append(L.Dense(outputs, activation=output_activation))
    return Sequential(chain, name="mlp", seed=seed)


def autoencoder(
    input_shape: int | tuple[int, ...],
    code: int,
    units: Any = (),
    *,
    filters: Any = (),
    activation: Any = "relu",
    code_activation: Any = None,
    output_activation: Any = None,
    tied: bool = False,
    seed: int | None = None,
) -> Model:
    """x -> code -> x': a network that learns to give its input back through few numbers.

    Dense with `units`; with `filters` each stage is a 3 x 3 convolution of stride 2 in front of
    them, and a transposed one behind. Without `units`, `filters` and activations it is linear, and
    its code spans the subspace of the first principal components (Baldi & Hornik 1989). Fit it with
    `fit(x)`: without labels the inputs are the targets. `model["code"]` is the code's layer.

    Args:
        input_shape: of one example; an image (rows, columns, channels) for `filters`.
        code: numbers that the input is squeezed into, >= 1.
        units: of the hidden layers of the encoder; the decoder has them in reverse.
        filters: of the encoder's convolutions; each halves rows and columns, which must be even.
        activation: of the hidden layers.
        code_activation, output_activation: of the code and of the output; None is linear.
        tied: the decoder uses the encoder's kernels, transposed: half the weights.
        seed: of the weights.

    Returns:
        a Model that is not compiled yet.

    Raises:
        InvalidArgument: a size below 1, or rows or columns that cannot be halved so often.

    >>> autoencoder((64,), 8, (32,)).count_params()
    4744
    >>> autoencoder((64,), 8, (32,), tied=True).count_params()
    2440

    Source: Rumelhart, Hinton & Williams 1986; tied weights: Vincent et al. 2010, JMLR 11.
    """
    whole("autoencoder", code=code)
    input_shape = example("autoencoder", input_shape)
    hidden = sizes("autoencoder", "units", units) if units else ()
    channels = sizes("autoencoder", "filters", filters) if filters else ()
    _check_image(input_shape, channels)
    x: Any = Input(input_shape)
    start = x
    encoder: list[Any] = []  # the layers with kernels, and the widths they come from
    for n in channels:
        encoder.append((L.Conv2D(n, 3, strides=2, padding="same", activation=activation), x.shape))
        x = encoder[-1][0](x)
    shape = x.shape[1:]
    if len(shape) > 1:
        x = L.Flatten()(x)
    for n in (*hidden, code):
        last = len(encoder) == len(channels) + len(hidden)
        name = "code" if last else None
        layer = L.Dense(n, activation=code_activation if last else activation, name=name)
        encoder.append((layer, x.shape))
        x = layer(x)
    for i, (layer, before) in reversed(list(enumerate(encoder))):
        function = output_activation if i == 0 else activation
        if i == len(channels) - 1:
            x = L.Reshape(shape)(x)
        x = _back(layer, before[-1], function, tied)(x)
    if not channels and len(input_shape) > 1:
        x = L.Reshape(input_shape)(x)
    return Model(start, x, name="autoencoder", seed=seed)


def _back(layer: Any, features: int, activation: Any, tied: bool) -> Any:
    """The decoder's counterpart of a layer of the encoder."""
    if tied:
        return L.Tied(layer, activation)
    if isinstance(layer, L.Dense):
        return L.Dense(features, activation=activation)
    return L.Conv2DTranspose(features, 3, strides=2, padding="same", activation=activation)


def _check_image(shape: Any, filters: tuple[int, ...]) -> None:
    factor = 2 ** len(filters)
    if filters and (len(shape) != 3 or shape[0] % factor or shape[1] % factor):
        raise InvalidArgument(
            "autoencoder",
            f"an image (rows, columns, channels) whose rows and columns {factor} divides",
            f"input_shape={shape!r} with {len(filters)} filters",
            "Pad the images (ZeroPadding2D), or give fewer filters.",
        )
