"""A cell over time: masks, initial and kept states, direction; cells on top of each other."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp

from fitwell.arguments import named
from fitwell.description import check_choice, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, Symbol, describe
from fitwell.layers.recurrent.cell import Cell, check_fields, check_states
from fitwell.ops.recurrent import States
from fitwell.types import Array, Key, Params, Shape, State

C = TypeVar("C", bound=Cell)

_FLAGS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")


class Recurrent(Layer):
    """What every layer that runs a cell over time does; the base of RNN, LSTM, GRU, SimpleRNN.

    Each of them has `cell` and the flags below as fields, in the order of Keras' arguments.

    Args:
        batch_size: the largest batch whose states `stateful=True` keeps.
        zero_output_for_mask: True returns 0 at masked steps, False the output before them.
    """

    batch_size: int | None = field(default=None, kw_only=True)
    zero_output_for_mask: bool = field(default=False, kw_only=True)

    several_inputs: ClassVar[bool | None] = None
    uses_mask: ClassVar[bool] = True
    uses_rows: ClassVar[bool] = True

    @property
    def own(self) -> Any:
        """This layer with the fields that its class declares."""
        return self

    def validate(self) -> None:
        for name in _FLAGS:
            check_choice(self, name, (True, False))
        if hasattr(self, "units"):
            check_fields(self)
        if self.batch_size is not None:
            check_positive_int(self, "batch_size")
        if self.own.stateful != (self.batch_size is not None):
            raise InvalidArgument(
                type(self).__name__,
                "stateful=True and batch_size=n together",
                f"stateful={self.own.stateful!r}, batch_size={self.batch_size!r}",
                "States are kept from batch to batch for each of n rows: give both or neither.",
            )

    def cell_params(self, params: Params) -> Params:
        return params

    def init(self, key: Key, shape: Any) -> Params:
        params: Params = self.own.cell.init(key, self._sequence_shape(shape)[1:])
        return params

    def init_state(self, shape: Any) -> State:
        if not self.own.stateful:
            return {}
        sizes = enumerate(self.own.cell.state_sizes)
        return {f"state_{i}": jnp.zeros((self.batch_size or 1, n)) for i, n in sizes}

    def _sequence_shape(self, shape: Any) -> Shape:
        found: Shape = shape[0] if isinstance(shape, list) else shape
        if len(found) < 2:
            raise ShapeMismatch(
                describe(self),
                "a sequence per example, shape (time, features)",
                f"shape {found}",
                "After a recurrent layer: give that one return_sequences=True. For one feature per "
                "step put Reshape((-1, 1)) before it; for ids an Embedding.",
            )
        return found

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
        x, *given = x if isinstance(x, list | tuple) else [x]
        self._sequence_shape(x.shape[1:])
        real = mask[0] if isinstance(mask, list) else mask
        start = self._start(state, x, tuple(given))
        steps, real = jnp.swapaxes(x, 0, 1), None if real is None else real.T
        if self.own.go_backwards:
            steps, real = steps[::-1], None if real is None else real[::-1]
        noise = self.own.cell.noise(key, len(x), x.shape[-1], x.dtype) if train else None
        outputs, last = self.own.cell.sequence(
            self.own.cell_params(params), steps, start, real, noise
        )
        y = jnp.swapaxes(outputs, 0, 1) if self.own.return_sequences else outputs[-1]
        if self.zero_output_for_mask and real is not None and self.own.return_sequences:
            y = jnp.where(real.T[..., None], y, 0)
        return [y, *last] if self.own.return_state else y, self._kept(state, last, rows)

    def _start(self, state: State, x: Array, given: States) -> States:
        """The states before the first step: given, kept from the last batch, or zeros."""
        sizes: tuple[int, ...] = self.own.cell.state_sizes
        if given:
            check_states(self, sizes, x, given)
            return given
        if not state:
            return tuple(jnp.zeros((len(x), n), x.dtype) for n in sizes)
        if len(x) > (self.batch_size or 0):
            raise ShapeMismatch(
                describe(self),
                f"at most batch_size={self.batch_size} rows at a time (stateful=True)",
                f"{len(x)}",
                f"Pass batch_size={self.batch_size} to fit, evaluate and predict.",
            )
        return tuple(state[f"state_{i}"][: len(x)].astype(x.dtype) for i in range(len(sizes)))

    def _kept(self, state: State, last: States, rows: Array | None) -> State:
        """The state after the batch; rows of padding keep what they had."""
        new = dict(state)
        for (name, old), now in zip(state.items(), last, strict=False):
            before = old[: len(now)]
            now = now.astype(old.dtype)
            now = now if rows is None else jnp.where(rows[:, None] > 0, now, before)
            new[name] = jax.lax.stop_gradient(old.at[: len(now)].set(now))
        return new

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        real: Array | None = mask[0] if isinstance(mask, list) else mask
        if real is None or not self.own.return_sequences:
            return None
        return real[:, ::-1] if self.own.go_backwards else real

    @property
    def remembers(self) -> bool:
        stateful: bool = self.own.stateful
        return stateful

    def split_activation(self) -> tuple[Layer | None, Any]:
        return self, None  # the activation acts inside the loop

    @named
    def __call__(self, inputs: Any, initial_state: Any = None) -> Any:
        """Adds the layer to a graph; `layer(x, initial_state=[h])` is `layer([x, h])`."""
        if initial_state is None:
            return super().__call__(inputs)
        states = [initial_state] if isinstance(initial_state, Symbol) else list(initial_state)
        return super().__call__([inputs, *states])


def cell_of(layer: Layer, kind: type[C]) -> C:
    """The cell with the fields that it has in common with a layer."""
    names = {f.name for f in dataclasses.fields(kind)} - {"name", "trainable"}
    return kind(**{name: getattr(layer, name) for name in names})


class StackedRNNCells(Cell):
    """Cells on top of each other as one: the output of each is the input of the next.

    Args:
        cells: a list of cells.

    Raises:
        InvalidArgument: no cells, or something else than cells.

    >>> from fitwell.layers import GRUCell, LSTMCell
    >>> StackedRNNCells([LSTMCell(8), GRUCell(4)]).state_sizes
    (8, 8, 4)
    """

    cells: tuple[Any, ...]

    def validate(self) -> None:
        cells = self.cells
        if not isinstance(cells, tuple) or not cells or not all(isinstance(c, Cell) for c in cells):
            raise InvalidArgument(
                "StackedRNNCells",
                "cells to be a list of cells",
                f"cells={cells!r}",
                "Write StackedRNNCells([LSTMCell(8), LSTMCell(8)]).",
            )

    def inner(self) -> dict[str, Layer]:
        return {f"cell_{i}": cell for i, cell in enumerate(self.cells)}

    def program(self) -> Layer:
        return dataclasses.replace(self, cells=tuple(cell.program() for cell in self.cells))

    @property
    def state_sizes(self) -> tuple[int, ...]:
        return tuple(n for cell in self.cells for n in cell.state_sizes)

    @property
    def output_size(self) -> int:
        size: int = self.cells[-1].output_size
        return size

    def init(self, key: Key, shape: Any) -> Params:
        example: Shape = shape[0] if isinstance(shape, list) else shape
        params: Params = {}
        for i, (name, cell) in enumerate(self.inner().items()):
            params[name] = cell.init(jax.random.fold_in(key, i), example)
            example = (*example[:-1], self.cells[i].output_size)
        return params

    def noise(self, key: Key, batch: int, features: int, dtype: Any) -> Any:
        found = []
        for i, cell in enumerate(self.cells):
            found.append(cell.noise(jax.random.fold_in(key, i), batch, features, dtype))
            features = cell.output_size
        return found

    def step(
        self, params: Params, x: Array, states: States, noise: Any = None
    ) -> tuple[Array, States]:
        y, last = self.sequence(params, x[None], states, None, noise)
        return y[0], last

    def sequence(
        self, params: Params, x: Array, states: States, real: Array | None, noise: Any
    ) -> tuple[Array, States]:
        """Cell after cell over all of time: no cell feeds one below it."""
        last: list[Array] = []
        noises = noise or [None] * len(self.cells)
        for name, cell, one in zip(self.inner(), self.cells, noises, strict=True):
            before = states[len(last) : len(last) + len(cell.state_sizes)]
            x, after = cell.sequence(params.get(name, {}), x, before, real, one)
            last += after
        return x, tuple(last)


class RNN(Recurrent):
    """Any cell over time: (time, features) -> (units,), or (time, units) with return_sequences.

    Args:
        cell: a cell, or a list of them to be stacked.
        return_sequences: True returns the output of every step, False the last.
        return_state: True also returns the last states: `y, *states = layer(x)`.
        go_backwards: True runs from the last step to the first (and returns them in that order).
        stateful: True begins each batch with the states at the end of the one before.
        unroll: accepted for Keras' sake; the loop is compiled as a loop.
        batch_size: with `stateful`, the number of rows whose states are kept.
        zero_output_for_mask: True returns 0 at masked steps (with return_sequences), False the
            output before them.

    Raises:
        InvalidArgument: no cell, or stateful without batch_size.
        ShapeMismatch: the input is no sequence, or initial states that do not fit.

    >>> from fitwell.layers import GRUCell, Input
    >>> RNN([GRUCell(8), GRUCell(4)], return_sequences=True)(Input((5, 3))).shape
    (None, 5, 4)
    """

    cell: Any
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.cell, tuple):
            object.__setattr__(self, "cell", StackedRNNCells(self.cell))
        super().__post_init__()

    def validate(self) -> None:
        if not isinstance(self.cell, Cell):
            raise InvalidArgument(
                "RNN",
                "a cell, or a list of cells",
                f"cell={self.cell!r}",
                "Write RNN(LSTMCell(8)).",
            )
        super().validate()

    def cell_params(self, params: Params) -> Params:
        own: Params = params.get("cell", {})
        return own

    def init(self, key: Key, shape: Any) -> Params:
        return {"cell": super().init(key, shape)}

    def inner(self) -> dict[str, Layer]:
        return {"cell": self.cell}

    def program(self) -> Layer:
        return dataclasses.replace(self, cell=self.cell.program())


__all__ = ["RNN", "Recurrent", "StackedRNNCells", "cell_of"]
