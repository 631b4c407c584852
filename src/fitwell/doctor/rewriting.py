"""Networks with other layers in them: the graph is connected anew, so every shape is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from fitwell.errors import FitwellError
from fitwell.graph import from_symbols
from fitwell.layers.activation import Activation
from fitwell.layers.base import Call, Layer, connect
from fitwell.layers.dense import Dense
from fitwell.layers.inputs import Input
from fitwell.network import Network, pick

Edit: TypeAlias = Sequence[Layer] | Callable[[Any], Any]
"""Layers in the place of one (none: it is left out), or a function of its input's symbol."""


def rewritten(network: Network, edits: Mapping[str, Edit]) -> Network | None:
    """The network with edits by layer name; layers after an input are part of its edit.

    None where the layers do not fit together, or where a layer borrows another's weights.

    >>> from fitwell.layers import Dense
    >>> x = Input((3,))
    >>> network = from_symbols([x], [Dense(2, name="out")(x)])
    >>> deeper = rewritten(network, {"out": [Dense(8), network.layers["out"]]})
    >>> [node.out[0][0] for node in deeper.nodes]
    [(3,), (8,), (2,)]
    """
    if any(node.lender is not None for node in network.nodes):
        return None
    try:
        made: list[Any] = []
        for place, node in enumerate(network.nodes):
            edit = edits.get(node.name)
            if place in network.inputs:
                shape, dtype = node.out[0]
                made.append(_through(edit or (), Input(shape, dtype=dtype, name=node.name)))
                continue
            inputs = tuple(pick(made, ref) for ref in node.inputs)
            if edit is None:
                made.append(connect(Call(network.layers[node.name], inputs, node.many)))
            elif callable(edit):
                made.append(edit(inputs[0]))
            else:
                one = connect(Call(edit[0], inputs, node.many)) if edit else inputs[0]
                made.append(_through(edit[1:], one))
        starts = [_start_of(made[place]) for place in network.inputs]
        return from_symbols(starts, [pick(made, ref) for ref in network.outputs])
    except FitwellError:
        return None


def _through(layers: Any, symbol: Any) -> Any:
    for layer in layers:
        symbol = layer(symbol)
    return symbol


def _start_of(symbol: Any) -> Any:
    """The Input that a symbol comes from, where layers were put behind it."""
    while symbol.call.inputs:
        symbol = symbol.call.inputs[0]
    return symbol


def is_chain(network: Network) -> bool:
    """Whether every layer reads the one before it, so that a Sequential can hold it."""
    wanted = [((i, None),) for i in range(len(network.nodes) - 1)]
    last = network.outputs == ((len(network.nodes) - 1, None),)
    return last and [node.inputs for node in network.nodes[1:]] == wanted


def head(network: Network, output: int = 0) -> tuple[int, int]:
    """The places of an output's last Dense and of the activation that follows it, or twice one.

    Activations of their own and a Rescaling stand between the two.
    """
    last = place = network.outputs[output][0]
    while not isinstance(network.nodes[place].layer, Dense) and network.nodes[place].inputs:
        if not _small(network.nodes[place].layer):
            return last, last
        place = network.nodes[place].inputs[0][0]
    return place, last


def _small(layer: Layer) -> bool:
    kinds = ("Activation", "Softmax", "ReLU", "Rescaling", "LeakyReLU", "ELU")
    return type(layer).__name__ in kinds


def hidden(network: Network) -> list[str]:
    """The Dense layers that are no output, in order."""
    outputs = {head(network, i)[0] for i in range(len(network.outputs))}
    return [
        node.name
        for place, node in enumerate(network.nodes)
        if type(node.layer) is Dense and place not in outputs
    ]


def activation_after(network: Network, name: str) -> str | None:
    """The name of the Activation layer that alone reads a layer, or None."""
    places = {i for i, node in enumerate(network.nodes) if node.name == name}
    reading = [n for n in network.nodes if any(ref[0] in places for ref in n.inputs)]
    alone = len(reading) == 1 and isinstance(reading[0].layer, Activation)
    return reading[0].name if alone else None
