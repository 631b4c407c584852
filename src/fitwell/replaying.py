"""The last state of a fit that is known to be good, and the way from there to the step that breaks.

A step is a pure function of state, batch and rate, and its randomness is one of (key, step): so
what a fit did once it does again, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling
from fitwell.data.sources import ArraySource, Source
from fitwell.measuring import Collected
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.programs import copy_program, train_program
from fitwell.training import Batch, Objective, Stats, TrainState
from fitwell.types import HostArray

_SECONDS = 1.0  # a step that fails costs at most this much work, and the epoch around it


class Trainee(Protocol):
    """What the loop needs of the model."""

    stop_training: bool
    train_state: TrainState
    learning_rate_override: float | None
    epochs_trained: int
    seed: int

    def epoch_finished(self) -> None: ...


@dataclass
class Position:
    """Where a fit is; saved and restored by BackupAndRestore."""

    epoch: int
    step: int = 0
    data_epoch: int = 0
    totals: Stats | None = None
    collected: Collected = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A copy of everything that steps change, and where it was taken.

    Attributes:
        epochs_trained: of the model, then.
        epoch: as the source counts; `step`: of this epoch.
        count: steps of the model, over all epochs.
    """

    train: TrainState
    epochs_trained: int
    epoch: int
    step: int
    count: int


class Keeper:
    """Keeps the last good state of a fit, and the rates since.

    Args:
        model: the model, with the state that its next step begins with.
        network: a program's.
    """

    def __init__(self, model: Trainee, network: Network, optimizer: Optimizer) -> None:
        self.model, self.network, self.optimizer = model, network, optimizer
        self.snapshot = self._here(model.train_state, 0, 0)
        self._assigned: list[tuple[int, float | None]] = []

    def _here(self, train: TrainState, epoch: int, step: int) -> Snapshot:
        return Snapshot(train, self.model.epochs_trained, epoch, step, int(train.step))

    def begin(self, epoch: int, step: int) -> None:
        """The first copy, of the host: a short fit needs no other, and none is compiled for it."""
        train = self.model.train_state
        key: Any = np.array(jax.random.key_data(train.key))
        bare = jax.tree.map(np.array, train._replace(key=()))  # type: ignore[arg-type]
        own = jax.random.wrap_key_data(key, impl=jax.random.key_impl(train.key))
        self._note(bare._replace(key=own), epoch, step)

    def keep(self, epoch: int, step: int) -> bool:
        """Copies the state as it is; False, and the last copy stays, if weights are not finite."""
        train, finite = copy_program(self.network)(self.model.train_state)
        if finite:
            self._note(train, epoch, step)
        return bool(finite)

    def _note(self, train: TrainState, epoch: int, step: int) -> None:
        self.snapshot, self._time = self._here(train, epoch, step), time.perf_counter()
        self._assigned = self._assigned[-1:]

    def keep_at_times(self, epoch: int) -> bool:
        """`keep` before an epoch, unless the last copy is a second old at most."""
        return time.perf_counter() - self._time < _SECONDS or self.keep(epoch, 0)

    def roll_back(self) -> None:
        """The model is what it was at the snapshot."""
        self.restore()
        self.model.epochs_trained = self.snapshot.epochs_trained

    def restore(self) -> None:
        """The model has the arrays of the snapshot; of those of the host, copies."""
        self.model.train_state = jax.tree.map(
            lambda a: jnp.array(a) if isinstance(a, np.ndarray) else a, self.snapshot.train
        )

    def next_rates(self, step: int, count: int) -> Any:
        """The rates of the steps to come; a rate that was assigned holds in place of a schedule."""
        assigned = self.model.learning_rate_override
        if not self._assigned or self._assigned[-1][1] != assigned:
            self._assigned.append((step, assigned))
        return self.rates(step, count)

    def rates(self, step: int, count: int) -> Any:
        """The rates of steps, those since the snapshot included."""
        assigned = next(rate for begin, rate in reversed(self._assigned) if begin <= step)
        return self.optimizer.rate(np.arange(step, step + count)) if assigned is None else assigned


@dataclass(frozen=True)
class Failure:
    """The step that made a value which is not finite.

    Attributes:
        train: before it: the weights are finite.
        batch: what it was given, of the host.
        rate: its learning rate.
        epoch, step: of the fit and of the epoch, from 0.
        rows: which rows of the data the batch has.
    """

    train: TrainState
    batch: Batch
    rate: float
    epoch: int
    step: int
    rows: HostArray


@dataclass(frozen=True)
class Breakdown:
    """A fit whose loss or weights are not finite any more, with all it takes to go there again.

    Attributes:
        keeper: with the last good state: the weights that the model has now.
        zeros: the sums of an epoch before its first step.
        what: "loss" or "weights"; `value`: NaN or infinity.
        epoch: in which it was seen, from 0, as the history counts.
        data_epoch: the same as the source counts.
        count: steps of the model at the end.
        stop: whether the user, or the clock, wants the end.
    """

    network: Network
    objective: Objective
    optimizer: Optimizer
    source: Source
    keeper: Keeper
    zeros: Stats
    what: str
    value: float
    epoch: int
    data_epoch: int
    count: int
    stop: Callable[[], bool]

    def __str__(self) -> str:
        kind = "NaN" if np.isnan(self.value) else "infinite"
        return f"the {self.what} became {kind} in epoch {self.epoch + 1}"

    def replay(self) -> Failure | str:
        """The first step that breaks; or why it was not found, in words.

        Chunks as the fit's; the one that breaks is halved until it is one step.
        """
        source, at = self.source, self.keeper.snapshot
        if not isinstance(source, ArraySource):
            return "the batches came from an iterable, which gives them once"
        copy = copy_program(self.network)
        train, (given, _) = at.train, copy(at.train)
        epoch, step, done, most = at.epoch, at.step, at.count, source.capacity
        while done < self.count:
            if self.stop():
                return "the replay was ended by Ctrl-C or the time limit"
            if step == source.steps:
                epoch, step = epoch + 1, 0
            data, count = source.chunk(epoch, step, min(most, self.count - done))
            after, loss = self._run(given, data, done, count)
            given, finite = copy(after)
            if finite and np.isfinite(loss):
                train, step, done = after, step + count, done + count
                continue
            given, most = copy(train)[0], max(count // 2, 1)
            if count == 1:
                batch = jax.tree.map(lambda a: np.array(a[0]), data)
                rate = float(np.ravel(self.keeper.rates(done, 1))[0])
                rows = source.rows_of(epoch, step)
                seen = self.epoch - (self.data_epoch - epoch)
                return Failure(train, batch, rate, seen, step, rows)
        return "a replay of the steps met none: something beside them changed the weights"

    def _run(
        self, train: TrainState, data: Batch, done: int, count: int
    ) -> tuple[TrainState, float]:
        """The state after `count` steps, and the sum of their losses; `train` is used up."""
        program = train_program(self.network, self.objective, self.optimizer.program())
        rates = np.zeros(self.source.capacity, np.float32)
        rates[:count] = self.keeper.rates(done, count)
        totals = jax.tree.map(np.copy, self.zeros)
        after, totals, _ = program(train, totals, compiling.shard(data), rates, count)
        return after, float(totals["loss"]["sum"])
