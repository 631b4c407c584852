"""What the pictures read from a model: its network and weights, a layer, a kernel, an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from fitwell.data import arrays
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch, UnknownName, did_you_mean
from fitwell.layers.base import Layer
from fitwell.layers.inputs import InputLayer
from fitwell.network import Network, Node
from fitwell.training import TrainState
from fitwell.types import HostArray, Shape


class Built(Protocol):
    """What a picture needs of a model."""

    name: str

    @property
    def network(self) -> Network: ...
    @property
    def train_state(self) -> TrainState: ...


def network_of(subject: str, model: Built) -> Network:
    """The model's network.

    Raises:
        InvalidArgument: something else than a model.
        NotReady: the shape of its input is not known yet.
    """
    found = getattr(model, "network", None)
    if isinstance(found, Network):
        return found
    inside = found is not None and isinstance(getattr(found, "network", None), Network)
    cure = "Pass model.network." if inside else "Pass a Sequential or a Model."
    raise InvalidArgument(subject, "a model", f"a {type(model).__name__}", cure)


def place_of(subject: str, network: Network, layer: Any) -> int:
    """The position of a layer's first use.

    Args:
        layer: its name, or a view of it (`model["dense"]`).

    Raises:
        UnknownName: no layer of that name, or an input.
    """
    name = getattr(layer, "name", layer)
    known = [n for n, each in network.layers.items() if not isinstance(each, InputLayer)]
    if name not in known:
        raise UnknownName(
            subject, "the name of a layer", repr(name), did_you_mean(str(name), known)
        )
    return next(i for i, node in enumerate(network.nodes) if node.name == name)


def single_input(subject: str, network: Network) -> Shape:
    """The shape of the network's only input.

    Raises:
        InvalidArgument: several inputs, or text.
    """
    if network.fed != network.inputs:
        cure = "Build a Model from the ids to the layer, with the same layers."
        raise InvalidArgument(subject, "a network that reads numbers", "one that reads text", cure)
    shapes = [shape for shape, _ in network.input_shapes]
    if len(shapes) > 1:
        received = f"{len(shapes)} ({', '.join(network.input_names)})"
        cure = "Build a Model from one of them to the layer, with the same layers."
        raise InvalidArgument(subject, "a network with one input", received, cure)
    return shapes[0]


def one_example(subject: str, network: Network, x: Any) -> HostArray:
    """One example as a batch of one: `x` with or without the batch axis.

    Raises:
        InvalidData: several examples, or what is no array of numbers.
        ShapeMismatch: another shape than the network's input.
    """
    shape = single_input(subject, network)
    array = arrays.to_array(f"{subject}, x", x)
    batch = array if array.ndim > len(shape) else array[None]
    if len(batch) != 1 and batch.shape[1:] in (shape, shape[:-1]):
        received, cure = f"{len(batch)}", "Choose one, for instance x[:1]."
        raise InvalidData(f"{subject}, x", "one example", received, cure)
    return arrays.inputs(subject, batch, network.input_names, [shape])[0]


def image_shape(network: Network, node: Node) -> Shape | None:
    """The shape of the image that a layer sees pixel by pixel, through layers that keep them."""
    while node.inputs and len(node.inputs) == 1:
        node = network.nodes[node.inputs[0][0]]
        if isinstance(node.layer, InputLayer):
            shape = node.out[0][0]
            return shape if is_image(shape) else None
        if not _keeps_pixels(node.layer):
            return None
    return None


def is_image(shape: Sequence[int]) -> bool:
    """(rows, columns), or these with one channel or red, green and blue."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def checked_image(subject: str, shape: Sequence[int], numbers: int) -> Shape:
    """The shape, which a user gave, of an image that lies in a row of so many numbers.

    Raises:
        ShapeMismatch: no image, or one of another number of pixels.
    """
    whole = isinstance(shape, tuple | list) and all(
        isinstance(n, int | np.integer) and n > 0 for n in shape
    )
    if not whole or not is_image(shape) or math.prod(shape) != numbers:
        raise ShapeMismatch(
            subject,
            f"the shape of an image of {numbers} numbers, (rows, columns) with 1 or 3 channels",
            f"{shape}",
            "Pass shape=(28, 28) for 784 numbers.",
        )
    return tuple(shape)


def _keeps_pixels(layer: Layer) -> bool:
    names = {"Dropout", "Flatten", "GaussianNoise", "Normalization", "Rescaling"}
    return type(layer).__name__ in names


def as_image(values: HostArray) -> HostArray:
    """(rows, columns, 1) without its last axis; everything else as it is."""
    return values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else np.asarray(values)
