"""Sequential: a model that is a chain of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from fitwell.arguments import named
from fitwell.collapse import collapse
from fitwell.errors import FitwellError, InvalidArgument, NotReady
from fitwell.graph import from_symbols, instances
from fitwell.layers.augmenting.mixing import Mixing
from fitwell.layers.base import Call, Layer, Symbol
from fitwell.layers.inputs import Input, InputLayer
from fitwell.layers.naming import placed
from fitwell.model import Model
from fitwell.network import Network
from fitwell.objectives import per_output
from fitwell.settings import settings
from fitwell.trainer import Trainer
from fitwell.training import TrainState
from fitwell.types import Params, State
from fitwell.views import LayerView


class Sequential(Model):
    """A chain of layers.

    >>> from fitwell.layers import Dense
    >>> model = Sequential([Dense(25, activation="relu"), Dense(1, activation="sigmoid")])
    >>> model.compile(loss="binary_crossentropy")

    The input's size is learnt from the data at the first call, or given by `Input(shape=...)` as
    the first entry, or by `build((None, n))`.

    Args:
        layers: layers, a first `Input`, other models, and layers of other models
            (`model.layers[:-1]`): their weights come along.
        name, seed: as in Model.
    """

    kind: ClassVar[str] = "Sequential"

    @named
    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        name: str | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        Trainer.__init__(self, name or "sequential", settings.next_seed() if seed is None else seed)
        self._input_form = self._output_form = None
        self._entries: list[Any] = []
        if isinstance(layers, str) or not (layers is None or hasattr(layers, "__iter__")):
            expected, received = "a list of layers", f"layers={layers!r}"
            cure = "Write Sequential([Dense(8), Dense(1)]), one layer in brackets too."
            raise InvalidArgument("Sequential", expected, received, cure)
        for layer in layers or []:
            self._append(layer)
        self._build_if_known()

    def add(self, layer: Any) -> None:
        """Appends a layer; the weights there are stay."""
        before = self._own_weights()
        self._append(layer)
        self._rebuild(before)

    def pop(self) -> Layer:
        """Removes the last layer and returns its description."""
        if not self._entries:
            raise InvalidArgument("Sequential.pop", "a layer to remove", "none", "Add one first.")
        before = self._own_weights()
        removed = self._entries.pop()
        self._rebuild(before)
        return removed

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of `(None, n, ...)`, the batch axis first as in Keras."""
        shape = tuple(input_shape) if isinstance(input_shape, list | tuple) else ()
        if not shape or (len(shape) == 1 and shape[0] is not None):
            cure = "Write model.build((None, 4)) for 4 numbers per example."
            expected, received = "a batch's shape, None in front", repr(input_shape)
            raise InvalidArgument("build", expected, received, cure)
        self.build_for(shape[1:])

    def collapse(self) -> Sequential:
        """The same map with every run of linear Dense layers merged: `W = W1 W2, b = b1 W2 + b2`.

        Shows that depth without non-linearity adds nothing; the original is left as it is.
        """
        kept = collapse(self.network, self.train_state)
        ((shape, dtype),) = self.network.input_shapes
        layers = [layer for layer, _, _ in kept]
        model = Sequential([Input(shape, dtype=dtype), *layers], name=self.name, seed=self.seed)
        for view, (_, params, state) in zip(model.layers, kept, strict=True):
            model.set_weights_of(view.name, params, state)
        return model

    @classmethod
    def from_parts(cls, network: Network, facts: Mapping[str, Any], train: TrainState) -> Self:
        """As in Model; the layers of the chain are its entries again."""
        model = super().from_parts(network, facts, train)
        layers = network.layers
        model._entries = [layers[node.name] for node in network.nodes]
        return model

    def _append(self, layer: Any) -> None:
        if isinstance(layer, type) and issubclass(layer, Layer):
            cure = f"Write {layer.__name__}(...)."
            raise InvalidArgument("Sequential", "layers", f"the class {layer.__name__}", cure)
        first_input = isinstance(layer, Symbol) and isinstance(layer.call.layer, InputLayer)
        if first_input and self._entries:
            cure = "Put it first."
            raise InvalidArgument("Sequential", "Input as the first entry", "it elsewhere", cure)
        if isinstance(layer, LayerView):  # of another model, with its weights there
            layer = layer._owner.shared_layer(layer.name)
        if isinstance(layer, Mixing):
            layer(None)  # says where it belongs
        if not (first_input or isinstance(layer, Layer | Model)):
            cure = 'Pass layers such as Dense(8, activation="relu").'
            raise InvalidArgument("Sequential", "layers", repr(layer), cure)
        self._entries.append(layer.call.layer if isinstance(layer, Symbol) else layer)

    def _build_if_known(self) -> None:
        first = self._entries[0] if self._entries else None
        while isinstance(first, Sequential):
            first = first._entries[0] if first._entries else None
        if isinstance(first, Model):
            self.build_for(first.network.input_shapes[0][0])
        elif isinstance(first, InputLayer) and (
            len(self._entries) > 1 or first is not self._entries[0]
        ):
            self.build_for(first.shape)

    @property
    def first_dtype(self) -> str:
        """What the first layer reads, whether or not the shapes are known."""
        first: Any = self._entries[0] if self._entries else None
        while isinstance(first, Model):
            first = first.network.nodes[0].layer if first._built else first._entries[0]  # type: ignore[attr-defined]
        if first is None:
            return "float32"
        return str(first.dtype if isinstance(first, InputLayer) else first.input_dtype)

    def build_for(self, shape: tuple[int, ...]) -> None:
        entries = list(self._entries)
        if not [e for e in entries if not isinstance(e, InputLayer)]:
            raise NotReady("Sequential", "at least one layer", "none", "Add one, e.g. Dense(1).")
        if isinstance(entries[0], InputLayer):
            start = connect_input(entries.pop(0))
        else:
            start = Input(tuple(shape), dtype=self.first_dtype)
        symbol: Any = start
        for number, entry in enumerate(entries, start=1):
            try:
                symbol = entry(symbol)
            except FitwellError as error:
                inside = f"{entry.name}, " if isinstance(entry, Model) else ""
                subject = f"layer {number} of {len(entries)}, {inside}{error.subject}"
                parts = error.expected, error.received, error.cure
                raise type(error)(subject, *parts) from error.__cause__
        if isinstance(symbol, list):
            raise InvalidArgument(
                f"layer {len(entries)} of {len(entries)}, {placed(symbol[0].call)}",
                "one output at the end of a Sequential",
                str(len(symbol)),
                "Leave return_state and the like out, or write Model(x, layer(x)).",
            )
        network = from_symbols([start], [symbol])
        self._begin(network, instances([start], [symbol]))
        if self._compile_arguments is not None:
            self._compiled = per_output(self.output_names, *self._compile_arguments)

    def _own_weights(self) -> dict[str, tuple[Params, State]]:
        if not self._built:
            return {}
        return {view.name: self.weights_of(view.name) for view in self.layers}

    def _rebuild(self, before: Mapping[str, tuple[Params, State]]) -> None:
        was_built, shape = self._built, self.network.input_shapes[0][0] if self._built else None
        hosts = {n: l for n, l in (self.network.layers if was_built else {}).items() if l.on_host}
        self._network, self._train_state = None, None
        if not [e for e in self._entries if not isinstance(e, InputLayer)]:
            return
        if was_built and shape is not None:
            self.build_for(shape)
            kept = {n: layer for n, layer in hosts.items() if n in self.network.layers}
            self._network = self.network.with_layers(kept)  # what they learnt since
            for name, (params, state) in before.items():
                if name in self.network.layers:
                    self.set_weights_of(name, params, state)
        else:
            self._build_if_known()


def connect_input(layer: InputLayer) -> Symbol:
    return Symbol(Call(layer, (), False), None, layer.shape, layer.dtype)
