"""From symbols, and from JSON, to a network: order, names and inherited weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax

from fitwell.errors import InvalidArgument, InvalidFile, ShapeMismatch
from fitwell.layers.base import Call, Layer, Symbol, connect
from fitwell.layers.inputs import InputLayer
from fitwell.layers.naming import assign_names, ordered
from fitwell.network import Network, Node, Output, Ref
from fitwell.ops.precision import checked
from fitwell.randomness import abstract_key
from fitwell.serialization import Catalog
from fitwell.types import HOST_DTYPES


def from_symbols(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> Network:
    """The network between symbols.

    Raises:
        InvalidArgument: an output needs an Input that is not listed, one is listed twice, or a
            name stands for two.
        ShapeMismatch: two uses of a layer need weights of different shapes.
    """
    calls = _ordered(inputs, outputs)
    place = {id(call): i for i, call in enumerate(calls)}
    names = assign_names([call.layer for call in calls])
    by_identity = {id(call.layer): name for call, name in zip(calls, names, strict=True)}
    nodes = []
    for call, name in zip(calls, names, strict=True):
        nodes.append(
            Node(
                name=name,
                layer=dataclasses.replace(call.layer, name=name),
                inputs=tuple((place[id(s.call)], s.index) for s in call.inputs),
                many=call.many,
                shapes_in=tuple(s.example_shape for s in call.inputs),
                out=outputs_of(call),
                lender=by_identity.get(id(call.layer.lender)),
            )
        )
    _check_shared(nodes)
    _check_text_is_read(nodes, outputs)
    return Network(
        tuple(nodes),
        tuple(place[id(s.call)] for s in inputs),
        tuple((place[id(s.call)], s.index) for s in outputs),
    )


def instances(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> dict[str, Layer]:
    """The user's own layer instances by the names that the network gives them."""
    layers = [call.layer for call in _ordered(inputs, outputs)]
    return dict(zip(assign_names(layers), layers, strict=True))


def outputs_of(call: Call) -> tuple[Output, ...]:
    if isinstance(call.layer, InputLayer):
        return ((call.layer.shape, call.layer.dtype),)
    symbols = connect(call)
    symbols = symbols if isinstance(symbols, list) else [symbols]
    return tuple((s.example_shape, s.dtype) for s in symbols)


def _ordered(inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> list[Call]:
    """The calls between symbols, inputs first, everything before what needs it."""
    given = [symbol.call for symbol in inputs]
    if len({id(call) for call in given}) < len(given):
        cure = "Use the one array at several places in the network instead."
        raise InvalidArgument("Model", "every Input once in inputs=", "one twice", cure)
    order = ordered(outputs, given)
    for call in order[len(given) :]:
        if isinstance(call.layer, InputLayer):
            raise InvalidArgument(
                "Model",
                "every Input that the outputs need in inputs=",
                f"outputs that also need Input(shape={call.layer.shape})",
                "Add it to inputs.",
            )
    return order


def _check_shared(nodes: Sequence[Node]) -> None:
    """Nodes of one name share their weights: each must need the same shapes."""
    first: dict[str, Node] = {}
    for node in nodes:
        other = first.setdefault(node.name, node)
        if other.shapes_in == node.shapes_in or node.lender is not None:
            continue
        key = abstract_key()
        a, b = (
            jax.eval_shape(lambda k, n=n: n.layer.init(k, n.shape_in), key) for n in (other, node)
        )
        if a != b:
            raise ShapeMismatch(
                f"layer {node.name} ({type(node.layer).__name__}), used twice",
                f"inputs of one shape, as its first {other.shape_in}",
                f"{node.shape_in}",
                "Make a second layer, or bring the inputs to one shape.",
            )


def _check_text_is_read(nodes: Sequence[Node], outputs: Sequence[Symbol]) -> None:
    """An input of text must be read by a layer on the host, and nothing else can be made of it."""
    if any(symbol.dtype in HOST_DTYPES and not symbol.call.inputs for symbol in outputs):
        raise InvalidArgument(
            "Model", "outputs of numbers", "an input of text or 64-bit ids", "Leave it out."
        )
    read = {ref[0] for node in nodes for ref in node.inputs}
    for i, node in enumerate(nodes):
        text = isinstance(node.layer, InputLayer) and node.layer.dtype in HOST_DTYPES
        if text and i not in read:
            raise InvalidArgument(
                f"Model, input {node.name}",
                "a StringLookup, TextVectorization or IntegerLookup that reads it",
                "none",
                "Use it in the network, or leave it out.",
            )


def from_json(data: Any, catalog: Catalog) -> Network:
    """The inverse of `Network.to_json`; shapes are inferred anew, so a false file is found out."""
    symbols: list[Any] = []
    try:
        layers: dict[str, Layer] = {}
        for entry in data["nodes"]:
            name = str(entry["name"])
            layer = layers.get(name) or catalog.from_json(entry["layer"])
            if not isinstance(layer, Layer):
                raise TypeError(f"{name} is not a layer")
            if entry.get("lender") is not None:
                layer = dataclasses.replace(layer, of=layers[str(entry["lender"])])  # type: ignore[call-arg]
            # The same instance again: the nodes share their weights.
            layers[name] = layer if layer.name else dataclasses.replace(layer, name=name)
            layer = layers[name]
            refs = [(int(i), None if j is None else int(j)) for i, j in entry["inputs"]]
            inputs = tuple(_symbol(symbols, ref) for ref in refs)
            if isinstance(layer, InputLayer):
                call = Call(layer, (), False)
                symbols.append(Symbol(call, None, layer.shape, layer.dtype))
            else:
                symbols.append(connect(Call(layer, inputs, bool(entry["many"]))))
        ins = [_symbol(symbols, (int(i), None)) for i in data["inputs"]]
        outs = [_symbol(symbols, (int(i), j)) for i, j in data["outputs"]]
        precision = checked("network", data.get("precision", "float32"))
        return dataclasses.replace(from_symbols(ins, outs), precision=precision)
    except InvalidFile:
        raise
    except Exception as error:  # whatever false values make the layers raise
        cure = "The file is damaged: save the model again."
        received = f"{type(error).__name__}: {error}"
        raise InvalidFile("model file", "the description of a network", received, cure) from error


def _symbol(symbols: list[Any], ref: Ref) -> Symbol:
    if ref[0] < 0:
        raise IndexError("a negative position")
    found = symbols[ref[0]]
    return found if ref[1] is None else found[ref[1]]
