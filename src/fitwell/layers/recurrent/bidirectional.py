"""A recurrent layer in both directions."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.arguments import named
from fitwell.description import check_choice
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, Symbol, describe
from fitwell.layers.recurrent.rnn import Recurrent
from fitwell.layers.recurrent.wrapping import check_inner
from fitwell.types import Array, Key, Params, State

_NAMES = ("forward", "backward")
_MODES = ("concat", "sum", "mul", "ave", None)


class Bidirectional(Layer):
    """merge(layer(x), backward_layer(x)): a sequence read from both ends.

    With `return_sequences` the outputs of the second are turned round, so that step t of both
    belongs to x_t. With `return_state` the states of the first follow the output, then those of
    the second; initial states are taken in the same order.

    Args:
        layer: LSTM, GRU, SimpleRNN or RNN.
        merge_mode: `"concat"` (twice the features), `"sum"`, `"mul"`, `"ave"`, or None: two
            outputs.
        backward_layer: None means the same as `layer` with `go_backwards` turned round and weights
            of its own.

    Raises:
        InvalidArgument: no recurrent layer, two that do not return the same, one direction twice.
        ShapeMismatch: initial states that do not fit.

    >>> from fitwell.layers import LSTM, Input
    >>> Bidirectional(LSTM(8, return_sequences=True))(Input((5, 3))).shape
    (None, 5, 16)

    Source: Schuster & Paliwal 1997, doi:10.1109/78.650093.
    """

    layer: Any
    merge_mode: str | None = "concat"
    backward_layer: Any = None

    several_inputs: ClassVar[bool | None] = None
    uses_mask: ClassVar[bool] = True
    uses_rows: ClassVar[bool] = True

    def validate(self) -> None:
        check_choice(self, "merge_mode", _MODES)
        for name in ("layer", "backward_layer"):
            given = getattr(self, name)
            if not isinstance(given, Recurrent) and not (given is None and name != "layer"):
                raise InvalidArgument(
                    "Bidirectional",
                    f"{name} to be a recurrent layer",
                    f"{name}={given!r}",
                    "Write Bidirectional(LSTM(8)).",
                )
        first, second = self.pair
        for each in self.pair:
            check_inner(self, each)
        flags = [(each.own.return_sequences, each.own.return_state) for each in self.pair]
        if flags[0] != flags[1] or first.own.go_backwards == second.own.go_backwards:
            raise InvalidArgument(
                "Bidirectional",
                "two layers that differ in go_backwards and return the same",
                f"layer={first!r}, backward_layer={second!r}",
                "Give both the same return_sequences and return_state, one go_backwards=True.",
            )

    @property
    def pair(self) -> tuple[Recurrent, Recurrent]:
        """The two layers, the second made from the first if it was not given."""
        other = self.backward_layer
        if other is None:
            backwards = not self.layer.go_backwards
            other = dataclasses.replace(self.layer, go_backwards=backwards, name=None)
        return self.layer, other

    def inner(self) -> dict[str, Layer]:
        return dict(zip(_NAMES, self.pair, strict=True))

    def program(self) -> Layer:
        first, second = (each.program() for each in self.pair)
        return dataclasses.replace(self, layer=first, backward_layer=second)

    def initializer_names(self) -> dict[str, str]:
        names: dict[str, str] = self.layer.initializer_names()
        return names

    def init(self, key: Key, shape: Any) -> Params:
        shapes = self._shapes(shape)
        keys = jax.random.split(key)
        parts = zip(self.inner().items(), keys, shapes, strict=True)
        return {name: each.init(k, s) for (name, each), k, s in parts}

    def init_state(self, shape: Any) -> State:
        parts = zip(self.inner().items(), self._shapes(shape), strict=True)
        fresh = {name: each.init_state(s) for (name, each), s in parts}
        return {name: state for name, state in fresh.items() if state}

    def _shapes(self, shape: Any) -> tuple[Any, Any]:
        return (shape, shape) if not isinstance(shape, list) else self._divided(shape)

    def _divided(self, x: list[Any]) -> tuple[list[Any], list[Any]]:
        """The inputs of each layer, from the sequence and the initial states of both."""
        half = (len(x) - 1) // 2
        if len(x) != 2 * half + 1:
            raise ShapeMismatch(
                describe(self),
                "as many initial states for one direction as for the other",
                f"{len(x) - 1} states",
                "Pass the states of the first layer, then those of the second.",
            )
        return [x[0], *x[1 : half + 1]], [x[0], *x[half + 1 :]]

    def forward(
        self,
        params: Params,
        state: State,
        x: Any,
        *,
        key: Key,
        train: bool,
        mask: Any = None,
        rows: Array | None = None,
    ) -> tuple[Any, State]:
        real = mask[0] if isinstance(mask, list) else mask
        xs = self._divided(list(x)) if isinstance(x, list | tuple) else (x, x)
        outputs: list[Array] = []
        states: list[Array] = []
        new: State = {}
        for i, (name, layer, own) in enumerate(zip(_NAMES, self.pair, xs, strict=True)):
            y, after = layer.forward(
                params[name],
                state.get(name, {}),
                own,
                key=jax.random.fold_in(key, i),
                train=train,
                mask=real,
                rows=rows,
            )
            y, *last = y if isinstance(y, list) else [y]
            turned = layer.own.return_sequences and layer.own.go_backwards
            y = y[:, ::-1] if turned else y
            if real is not None and layer.own.return_sequences:
                y = jnp.where(real[..., None], y, 0)  # as in Keras, in this layer alone
            outputs.append(y)
            states += last
            new |= {name: after} if after else {}
        merged = _merged(self.merge_mode, *outputs)
        return (merged[0] if len(merged) == 1 and not states else [*merged, *states]), new

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        real: Array | None = mask[0] if isinstance(mask, list) else mask
        return real if self.layer.return_sequences else None

    @named
    def __call__(self, inputs: Any, initial_state: Any = None) -> Any:
        """Adds the layer to a graph; initial_state: those of the first layer, then the second's."""
        if initial_state is None:
            return super().__call__(inputs)
        states = [initial_state] if isinstance(initial_state, Symbol) else list(initial_state)
        return super().__call__([inputs, *states])


def _merged(mode: str | None, a: Array, b: Array) -> list[Array]:
    if mode is None:
        return [a, b]
    if mode == "concat":
        return [jnp.concatenate([a, b], -1)]
    return [{"sum": a + b, "mul": a * b, "ave": (a + b) / 2}[mode]]


__all__ = ["Bidirectional"]
