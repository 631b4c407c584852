"""What is exported: a program, the inputs that a user gives, and what lies between the two."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.exporting.program import Program
from fitwell.exporting.tracing import trace
from fitwell.layers.lookup.index import IndexLookup
from fitwell.layers.nodes import Node
from fitwell.network import Network, pick
from fitwell.training import TrainState
from fitwell.types import Shape


@dataclass(frozen=True)
class Port:
    """An input or an output: its name, the shape of one example, and the type of its values.

    `labels`, of an output of whole numbers: what is written for each of them.
    """

    name: str
    shape: Shape
    dtype: str
    labels: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """The whole number that stands for each value: `ids[i]` for `terms[i]`, else `unknown`."""

    terms: tuple[Any, ...]
    ids: tuple[int, ...]
    unknown: int


@dataclass(frozen=True)
class Terms:
    """How often each term is in a text: words, or characters (pieces of 2 to 4 of a word)."""

    terms: tuple[str, ...]
    unit: str


@dataclass(frozen=True)
class Feed:
    """What the program is given of an input: its values, or one of these.

    Attributes:
        port: which input.
        lookup: ids of its values.
        scaling: (center, scale) of (x - center) * scale, in float64, so that large numbers with
            small differences keep them.
        terms: counts of the terms in its texts.
    """

    port: int
    lookup: Lookup | None = None
    scaling: tuple[float, float] | None = None
    terms: Terms | None = None

    @property
    def plain(self) -> bool:
        return self.lookup is None and self.scaling is None and self.terms is None


Function: TypeAlias = Callable[..., Any]
"""`(weights, *arrays) -> a list of arrays`, of JAX."""


@dataclass
class Package:
    """Everything that a file needs.

    Attributes:
        name: of the model.
        inputs, outputs: what users see, by name.
        feeds: what the function is given, one per array.
        function, weights, examples: the function of JAX; shape and dtype of one example of each
            array.
        scopes: names of its layers.
    """

    name: str
    inputs: list[Port]
    outputs: list[Port]
    feeds: list[Feed]
    function: Function
    weights: Any
    examples: list[tuple[Shape, str]]
    scopes: frozenset[str]

    @functools.cached_property
    def program(self) -> Program:
        """As operations; see `tracing.trace`."""
        return trace(self.function, self.weights, self.examples, self.scopes)


def packed(
    name: str,
    network: Network,
    train: TrainState,
    input_names: Sequence[str],
    output_names: Sequence[str],
) -> Package:
    """A network with its weights, in inference and in float32.

    Raises:
        InvalidArgument: a layer whose prediction depends on those before it, or that reads text
            by rules that no file format has.
    """
    _check(network)
    network = dataclasses.replace(network, precision="float32")

    def function(weights: Any, *xs: Any) -> list[Any]:
        params, state = weights
        key = jax.random.key(0)  # of noise, which inference does not draw
        values, _ = network.forward(params, state, xs, key=key, train=False)
        return [pick(values, ref) for ref in network.outputs]

    inputs = [
        Port(title, shape, dtype)
        for title, (shape, dtype) in zip(input_names, network.input_shapes, strict=True)
    ]
    outputs = [
        Port(title, shape, dtype)
        for title, (shape, dtype) in zip(output_names, network.output_shapes, strict=True)
    ]
    feeds = [_feed(network, place) for place in network.fed]
    examples = list(network.fed_outputs)
    weights = train.params, train.state
    scopes = frozenset(network.layers)
    return Package(name, inputs, outputs, feeds, function, weights, examples, scopes)


def _check(network: Network) -> None:
    for name, layer in network.layers.items():
        if layer.remembers:
            cure = "Build the model with stateful=False and copy the weights."
            expected, received = "a layer that predicts the same again", "one that remembers"
            raise _refused(name, layer, expected, received, cure)
    for place in network.inputs:
        node = network.nodes[place]
        if node.out[0][1] == "bfloat16":
            cure = 'Write Input(..., dtype="float32").'
            raise _refused(node.name, node.layer, "numbers that numpy has", "bfloat16", cure)


def _feed(network: Network, place: int) -> Feed:
    node = network.nodes[place]
    if place in network.inputs:
        return Feed(network.inputs.index(place))
    return Feed(network.inputs.index(node.inputs[0][0]), _lookup(node))


def _lookup(node: Node) -> Lookup:
    """How StringLookup and IntegerLookup number values."""
    layer = node.layer
    if not isinstance(layer, IndexLookup):
        cure = (
            "Export the model behind it, fw.Model from its ids, and make the ids in your program."
        )
        received = type(layer).__name__
        raise _refused(node.name, layer, "text that is looked up as a whole", received, cure)
    if layer.num_oov_indices > 1:
        cure = "Build the layer with num_oov_indices=1."
        received = f"{layer.num_oov_indices}"
        raise _refused(node.name, layer, "one id for all unknown values", received, cure)
    terms = layer.get_vocabulary(include_special_tokens=False)
    known = {**dict.fromkeys([layer.mask_token] if layer.mask_token is not None else []),
             **dict.fromkeys(terms)}  # fmt: skip
    kind = object if layer.input_dtype == "string" else np.int64
    ids = layer.encode(np.array(list(known), kind))
    # An unknown value shares the id behind that of the mask token, or has none.
    unknown = int(layer.mask_token is not None and layer.output_mode == "int")
    return Lookup(tuple(known), tuple(ids.tolist()), unknown if layer.num_oov_indices else -1)


def _refused(name: str, layer: Any, expected: str, received: str, cure: str) -> InvalidArgument:
    return InvalidArgument(f"export, layer {name} ({type(layer).__name__})", expected, received,
                           cure)  # fmt: skip
