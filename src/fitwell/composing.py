"""Symbols as users pass them to Model, and models that become part of other models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Call, Layer, Symbol, connect
from fitwell.layers.inputs import Input
from fitwell.network import Network, pick


class Inner(Protocol):
    """What a model that becomes part of another shows of itself."""

    name: str

    @property
    def network(self) -> Network: ...
    @property
    def input_names(self) -> list[str]: ...
    def shared_layer(self, name: str) -> Layer: ...


def is_symbol(value: Any) -> bool:
    """Whether it is what `Input` or a layer of a graph returns."""
    return isinstance(value, Symbol)


def symbols_of(argument: str, value: Any) -> tuple[list[Symbol], Any]:
    """Symbols in order, and the form they were given in: None, "list" or a list of names."""
    form: Any = None
    symbols = [value]
    if isinstance(value, Mapping):
        symbols, form = list(value.values()), list(value)
    elif isinstance(value, list | tuple):
        symbols, form = list(value), "list"
    if not symbols or not all(isinstance(s, Symbol) for s in symbols):
        cure = "Write x = Input(shape=(4,)); Model(x, Dense(1)(x))."
        raise InvalidArgument("Model", f"{argument} that are symbols", repr(value), cure)
    return symbols, form


def replay(model: Inner, symbols: list[Symbol]) -> list[Symbol]:
    """The model's graph again on other symbols, with its layers and their weights."""
    made = _places(model, symbols)
    return [pick(made, ref) for ref in model.network.outputs]


def inputs_of(model: Inner) -> list[Symbol]:
    """Its inputs as symbols: `Model(model.inputs, model["code"].output)` is a part of it.

    The part has the model's layers and their weights, as in Keras.
    """
    return _symbols(model)[0]


def outputs_of(model: Inner) -> list[Symbol]:
    """Its outputs as symbols, made from `inputs`."""
    made = _symbols(model)[1]
    return [pick(made, ref) for ref in model.network.outputs]


def input_of(model: Inner) -> Symbol | list[Symbol]:
    """Its input as a symbol; a list for several."""
    return one_or_all(inputs_of(model))


def output_of(model: Inner) -> Symbol | list[Symbol]:
    """Its output as a symbol; a list for several."""
    return one_or_all(outputs_of(model))


def one_or_all(symbols: list[Symbol]) -> Any:
    return symbols[0] if len(symbols) == 1 else symbols


def at_layer(model: Inner, name: str) -> tuple[Any, Any]:
    """The symbols that go into a layer and come out of it, at its first use."""
    made = _symbols(model)[1]
    place = next(i for i, node in enumerate(model.network.nodes) if node.name == name)
    node = model.network.nodes[place]
    return one_or_all([pick(made, ref) for ref in node.inputs]), made[place]


def _symbols(model: Inner) -> tuple[list[Symbol], list[Any]]:
    """The inputs and what each node gives; the same symbols as long as the network is the same."""
    kept = model.__dict__.get("_graph")
    if kept is None or kept[0] is not model.network:
        outs = zip(model.network.input_shapes, model.network.input_names, strict=True)
        ins = [Input(shape, dtype=dtype, name=name) for (shape, dtype), name in outs]
        kept = model.__dict__["_graph"] = model.network, ins, _places(model, ins)
    return kept[1], kept[2]


def _places(model: Inner, symbols: list[Symbol]) -> list[Any]:
    """What each node gives if the model reads these symbols."""
    network = model.network
    for name, (shape, _), symbol in zip(
        model.input_names, network.input_shapes, symbols, strict=True
    ):
        if getattr(symbol, "example_shape", None) != shape:
            cure = "Bring it to that shape, or build a model for this one."
            expected = f"a symbol of shape {(None, *shape)} for {name}"
            raise ShapeMismatch(model.name, expected, repr(symbol), cure)
    given = dict(zip(network.inputs, symbols, strict=True))
    made: list[Any] = []
    bare: dict[str, Layer] = {}
    for i, node in enumerate(network.nodes):
        if i in given:
            made.append(given[i])
            continue
        layer = bare.setdefault(node.name, model.shared_layer(node.name))
        inputs = tuple(pick(made, ref) for ref in node.inputs)
        made.append(connect(Call(layer, inputs, node.many)))
    return made
