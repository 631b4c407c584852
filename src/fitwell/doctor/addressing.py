"""NaN with an address: the step, the row, the layer and the operation that made the first one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling
from fitwell.doctor.address import Address
from fitwell.doctor.origins import Index, Value, evaluated, numbers, origin
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.replaying import Breakdown, Failure
from fitwell.training import Batch, Objective, TrainState, loss_of
from fitwell.types import Array, HostArray, Params

_LOOPS = ("scan", "while")  # whose results do not begin with the axis of the examples


def address(found: Breakdown) -> Address:
    """Where the first value came from that is not finite; what is unknown is said in words."""
    good = found.epoch - (found.data_epoch - found.keeper.snapshot.epoch)
    seen = Address(found.what, found.value, found.epoch + 1, good=good)
    try:
        failure = found.replay()
    except Exception as error:  # whatever it is, the fit is done and its good weights are kept
        return dataclasses.replace(seen, unknown=f"the replay failed ({_named(error)})")
    if isinstance(failure, str):
        return dataclasses.replace(seen, unknown=failure)
    seen = dataclasses.replace(seen, epoch=failure.epoch + 1, step=failure.step + 1)
    try:
        return _located(seen, Search(found.network, found.objective, found.optimizer, failure))
    except Exception as error:
        return dataclasses.replace(seen, unknown=f"the search in the step failed ({_named(error)})")


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def _located(seen: Address, search: Search) -> Address:
    """The address with what the search finds."""
    rows = search.broken_rows()
    some = rows.any() and not rows.all()
    chosen = [int(rows.argmax())] if some else None
    found = search.first(chosen) or (search.first(None) if some else None)
    if found is None:
        why = "taken one by one, the operations of the step are too many, or give finite values"
        return dataclasses.replace(seen, unknown=why)
    place, value, at = found
    layer = value.scope if value.operation else value.label.partition("/")[2] or None
    result = dataclasses.replace(
        seen,
        place=place,
        layer=layer,
        operation=value.operation,
        operands=numbers(value, at),
        result=float(value.array[at]),
        row=search.row(value, at, chosen),
    )
    if value.label == "x":
        return dataclasses.replace(result, place="input", feature=at[1:])
    return result if value.operation else dataclasses.replace(result, place="before")


@dataclasses.dataclass(frozen=True)
class Search:
    """The step that broke, as a program to be looked into."""

    network: Network
    objective: Objective
    optimizer: Optimizer
    failure: Failure

    def broken_rows(self) -> HostArray:
        """Which real examples of the batch, each taken alone, have no finite loss or gradient."""
        batch = self.failure.batch
        none = np.zeros(len(batch.mask), bool)
        if self.network.remembers:  # its state has a row for each example
            return none
        program = rows_program(self.network, self.objective)
        return none | np.array(program(self.failure.train, batch)) & (batch.mask > 0)

    def row(self, value: Value, at: Index, chosen: list[int] | None) -> int | None:
        """The row of the data, where one alone did it."""
        rows, batch = self.failure.rows, self.failure.batch
        if chosen is not None:
            return int(rows[chosen[0]])
        examples = len(batch.mask)
        if value.operation in _LOOPS or value.array.shape[:1] != (examples,):
            return None
        broken = ~np.isfinite(value.array.reshape(examples, -1)).all(1) & (batch.mask > 0)
        alone = broken.sum() < (batch.mask > 0).sum() and at[0] < len(rows)
        return int(rows[at[0]]) if alone else None

    def first(self, chosen: list[int] | None) -> tuple[str, Value, Index] | None:
        """The place in the step, the value, and the index in it; for some rows of the batch."""
        train, batch = self.failure.train, self.failure.batch
        if chosen is not None:
            batch = jax.tree.map(lambda a: a[chosen], batch)
        found = self._look(self._slopes, (train, batch), _labels(train, batch))
        if found is not None or chosen is not None:
            return found
        learn, grads = slopes_program(self.network, self.objective)(train, batch)
        given = learn, grads, train.optimizer
        labels = [f"weights/{name}" for name in _names(learn)]
        labels += [f"gradients/{name}" for name in _names(grads)]
        labels += ["optimizer" for _ in jax.tree.leaves(train.optimizer)]
        return self._look(self._update, given, labels)

    def _look(
        self, function: Callable[..., Any], given: tuple[Any, ...], labels: list[str]
    ) -> tuple[str, Value, Index] | None:
        """The origin of the first output of a program that is not finite."""
        scopes = [node.name for node in self.objective.fuse(self.network)[0].nodes]
        outputs = evaluated(function, given, labels, scopes)
        for place, output in zip(self._places(function), outputs or (), strict=False):
            found = origin(output)
            if found is not None:
                value, at = found
                if place.startswith("update"):
                    value.scope, place = place.partition("/")[2], "update"
                elif value.scope is not None:
                    value.scope = value.scope.removesuffix("/activation")
                return place, value, at
        return None

    def _places(self, function: Callable[..., Any]) -> list[str]:
        """What each output of a program is; gradients of the last layers are the first made."""
        learn, _ = self.network.split_trainable(self.failure.train.params)
        if function == self._update:
            return [f"update/{name}" for name in _names(learn)]
        return ["forward", *("backward" for _ in _names(learn))]

    def _slopes(self, train: TrainState, batch: Batch) -> list[Array]:
        """The loss, and the gradients in the order in which they are made: the last layer first."""
        learn, _ = self.network.split_trainable(train.params)
        value, grads = jax.value_and_grad(
            lambda p: loss_of(self.network, self.objective, train, batch)(p)[0]
        )(learn)
        order = [name for name in reversed(self.network.layers) if name in grads]
        return [value, *(leaf for name in order for leaf in jax.tree.leaves(grads[name]))]

    def _update(self, learn: Params, grads: Params, state: Any) -> list[Array]:
        rate = jnp.float32(self.failure.rate)
        if self.optimizer.needs_value:
            return []
        moved, _ = self.optimizer.program().step(learn, grads, state, rate)
        moved = self.network.project(moved, rate)
        return [leaf for name in sorted(moved) for leaf in jax.tree.leaves(moved[name])]


def _names(params: Params) -> list[str]:
    """For each leaf, the layer it belongs to, in the order of the tree."""
    return [name for name in sorted(params) for _ in jax.tree.leaves(params[name])]


def _labels(train: TrainState, batch: Batch) -> list[str]:
    """Names of the leaves of the state and of a batch."""
    labels = [f"weights/{name}" for name in _names(train.params)]
    labels += [f"state/{name}" for name in _names(train.state)]
    labels += ["optimizer" for _ in jax.tree.leaves(train.optimizer)]
    labels += ["key", "count"]
    for name, part in batch._asdict().items():
        labels += [name for _ in jax.tree.leaves(part)]
    return labels


@compiling.program(maxsize=1)
def rows_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(train, batch) -> flags`: whose loss or gradient, taken alone, is not finite."""

    def rows(train: TrainState, batch: Batch) -> Array:
        learn, _ = network.split_trainable(train.params)

        def broken(row: Batch) -> Array:
            alone = jax.tree.map(lambda a: a[None], row)
            loss = loss_of(network, objective, train, alone)
            (value, _), grads = jax.value_and_grad(loss, has_aux=True)(learn)
            finite = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((value, grads))]
            return ~jnp.array(finite).all()

        return jax.lax.map(broken, batch)

    return compiling.compile(rows, once=True)


@compiling.program(maxsize=1)
def slopes_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(train, batch) -> (weights that learn, their gradients)`."""

    def slopes(train: TrainState, batch: Batch) -> tuple[Params, Params]:
        learn, _ = network.split_trainable(train.params)
        loss = loss_of(network, objective, train, batch)
        return learn, jax.grad(loss, has_aux=True)(learn)[0]

    return compiling.compile(slopes, once=True)
