"""The loop around the compiled chunk: epochs, callbacks, validation, Ctrl-C and time limits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fitwell import compiling
from fitwell.callbacks import Callback
from fitwell.data.arrays import DataWarning
from fitwell.data.sources import ArraySource, Source
from fitwell.errors import warn
from fitwell.history import History
from fitwell.hooks import batch_hook
from fitwell.measuring import keep_collected, measure, to_logs
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.pacing import Pace, interruptible
from fitwell.programs import train_program, zero_totals
from fitwell.replaying import Breakdown, Keeper, Position, Trainee
from fitwell.training import Batch, Objective, Stats
from fitwell.types import HostArray

_RAN_OUT = "the data ran out"
_NO_TIME = (
    "fit: expected a first step within the time limit, received none: the program was still being "
    "compiled. Give it more time; the next fit goes on with what is compiled by then."
)
_PATIENCE_SECONDS = 0.12  # a validation that ends within it after Ctrl-C or the time limit counts


class Fit:
    """One call of `fit`.

    Args:
        model: the model; its `train_state` is current whenever a callback runs.
        source: the training batches.
        validation: the validation batches, or None.
        epochs: the epoch to stop before.
        validation_freq: epochs between validations, or the epochs (from 1) to validate at.
        deadline: a `time.perf_counter()` value to stop at, or None.
        on_breakdown: called when the loss or the weights are not finite any more. The fit then ends
            with its last good weights; with None it goes on.
    """

    def __init__(
        self,
        model: Trainee,
        network: Network,
        objective: Objective,
        optimizer: Optimizer,
        source: Source,
        validation: Source | None,
        callbacks: Sequence[Callback],
        history: History,
        *,
        position: Position,
        epochs: int,
        validation_freq: int | Sequence[int] = 1,
        deadline: float | None = None,
        on_breakdown: Callable[[Breakdown], None] | None = None,
    ) -> None:
        self.model, self.objective, self.optimizer = model, objective, optimizer
        self.network = network.program()
        self.source, self.validation, self.callbacks = source, validation, callbacks
        self.history, self.position, self.epochs = history, position, epochs
        self.validation_freq, self.deadline = validation_freq, deadline
        self.on_breakdown, self.broken = on_breakdown, False
        self.program = train_program(self.network, objective, optimizer.program())
        self.pace = Pace(source.capacity)
        self.hooked = [(c, c.every) for c in callbacks if c.every is not None]
        self.every = math.gcd(*(every for _, every in self.hooked)) or None
        held = None if validation is None else validation.capacity
        self.validation_pace = None if held is None else Pace(held, first=held)
        self.zeros: Stats | None = None
        self.restored: list[HostArray] = []
        self.interrupted: list[float] = []
        self.keeper = Keeper(model, self.network, optimizer)
        self.step_number = 0
        self.stopped_by: str | None = None

    def run(self) -> History:
        """Trains until the last epoch, a callback, Ctrl-C or the time limit ends it."""
        began = time.perf_counter()
        self.model.stop_training = False
        with interruptible() as self.interrupted:
            self.call("on_train_begin")
            self.step_number = int(self.model.train_state.step)  # a callback may have resumed it
            self.keeper.begin(self.position.data_epoch, self.position.step)
            try:
                while self.position.epoch < self.epochs and not self._ended():
                    self._epoch()
            finally:
                self.history.seconds = time.perf_counter() - began
            self._look_at_the_end()
            self._average()
            self.call("on_train_end", dict(self.history.last()))
        if self.history.stopped == _RAN_OUT:
            self._warn_of_too_little_data()
        return self.history

    def call(self, hook: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)
            self._note_stop(callback)

    def _note_stop(self, callback: Callback) -> None:
        """Who asked for the end: the first callback after which it is asked for."""
        if self.model.stop_training and self.stopped_by is None:
            self.stopped_by = type(callback).__name__

    def _ended(self) -> bool:
        if self._asked():
            self.history.stopped = "interrupted" if self.interrupted else "time_limit"
        elif self.model.stop_training:
            self.history.stopped = self.history.stopped or f"callback {self.stopped_by}"
        return bool(self.history.stopped)

    def _asked(self) -> bool:
        """Whether Ctrl-C or the time limit ends the fit."""
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return bool(self.interrupted) or late

    def _overdue(self) -> bool:
        """Whether the end was asked for so long ago that not even a validation may go on."""
        asked = [*self.interrupted, *([] if self.deadline is None else [self.deadline])]
        return bool(asked) and time.perf_counter() - min(asked) > _PATIENCE_SECONDS

    def _epoch(self) -> None:
        position = self.position
        epoch = position.epoch
        self.call("on_epoch_begin", epoch)
        whole = self._train()
        if position.step == 0:
            return  # stopped before the first step of the epoch: there is nothing to report
        assert position.totals is not None
        logs = to_logs(self.objective, position.totals, position.collected)
        if self.validation is not None and self._validates(epoch):
            self.call("on_test_begin")
            train = self.model.train_state
            found = measure(
                self.network,
                self.objective,
                train.params,
                train.state,
                self.validation,
                batch_hook(self.callbacks, "test"),
                self._overdue,
                self.validation_pace,
            )
            self.call("on_test_end", found or {})
            logs.update({f"val_{name}": value for name, value in (found or {}).items()})
        self.history.record(epoch, logs)
        if self.on_breakdown is not None and not math.isfinite(logs["loss"]):
            self._break_off("loss", logs["loss"])
        elif whole:
            self.model.epoch_finished()
            if self.keeper.keep_at_times(position.data_epoch + 1) or self.on_breakdown is None:
                self.position = Position(epoch + 1, data_epoch=position.data_epoch + 1)
            else:  # the epoch counts as cut short: no backup is made of it
                self._break_off("weights", float("nan"))
        known = set(logs)
        self.call("on_epoch_end", epoch, logs)
        self.history.add({name: logs[name] for name in logs if name not in known})

    def _validates(self, epoch: int) -> bool:
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq

    def _train(self) -> bool:
        """The steps of one epoch; False if it was ended before its last."""
        position = self.position
        running, since = 0, 0.0
        while self.source.steps is None or position.step < self.source.steps:
            # The host fills the next chunk while the device computes the last.
            data, count = self.source.chunk(position.data_epoch, position.step, self._count())
            if running:
                self.pace.wait(running, position.totals)
                now = time.perf_counter()
                self.pace.update(running, now - since)
                running, since = 0, now
                self.call("on_chunk_end", position.step, self._live)
                if self._loss_broke():
                    return False
            if count == 0:
                whole = self.source.steps is None and position.step > 0
                if not whole:
                    self.history.stopped = _RAN_OUT
                return whole
            if self._ended() or not self._compiled(data):
                return False
            self._dispatch(data, count, since := since or time.perf_counter())
            running = count
            if self.every is not None:
                self._batch_hooks()
        self.pace.wait(running, position.totals)
        if running:
            self.pace.update(running, time.perf_counter() - since)
        return True

    def _warn_of_too_little_data(self) -> None:
        done = f"batches for {self.position.epoch}"
        if self.position.step:
            done += f" and {self.position.step} of {self.source.steps} steps of the next"
        warn(
            f"fit: expected batches for {self.epochs} epochs, received {done}. A generator gives "
            "its batches once: pass a list or a loader that can be iterated again, or "
            "steps_per_epoch to divide the batches among the epochs.",
            DataWarning,
        )

    def _count(self) -> int:
        count = min(self.pace.count, self.source.capacity)
        if self.every is not None:
            count = min(count, self.every - self.step_number % self.every)
        return count

    def _compiled(self, data: Batch) -> bool:
        """Before the first dispatch: False if Ctrl-C or the time limit came while it compiled."""
        if self.zeros is not None:
            return True
        train, rates = self.model.train_state, np.zeros(self.source.capacity, np.float32)

        def arguments() -> tuple[Any, ...]:
            return train, self._zeros(data), compiling.shard(data), rates, 1

        if compiling.prepared(self.program, compiling.form(data), arguments, self._asked):
            self.zeros = self._zeros(data)
        elif not self.interrupted:
            warn(_NO_TIME)
        return self.zeros is not None

    def _zeros(self, data: Batch) -> Stats:
        return zero_totals(self.network, self.objective, data)

    def _dispatch(self, data: Batch, count: int, since: float) -> None:
        position, model = self.position, self.model
        if self.every is not None:
            self.call("on_train_batch_begin", position.step)
        train = model.train_state
        assert self.zeros is not None
        if position.totals is None:
            fresh = jax.tree.map(np.copy, self.zeros)
            leaves, form = jax.tree.flatten(fresh)
            position.totals = jax.tree.unflatten(form, self.restored or leaves)
            self.restored = []
        rates = np.zeros(self.source.capacity, np.float32)
        rates[:count] = self.keeper.next_rates(self.step_number, count)
        train, totals, collected = self.program(
            train, position.totals, compiling.shard(data), rates, count
        )
        model.train_state, position.totals = train, totals
        position.step += count
        self.step_number += count
        keep_collected(position.collected, collected, count)

    def _live(self) -> dict[str, float]:
        """The epoch's logs so far; only computed if someone looks."""
        assert self.position.totals is not None
        return to_logs(self.objective, self.position.totals, self.position.collected)

    def _batch_hooks(self) -> None:
        """Batches are counted over the epochs: `every` may be longer than one."""
        due = [callback for callback, every in self.hooked if self.step_number % every == 0]
        logs = self._live() if due else {}
        for callback in due:
            callback.on_train_batch_end(self.position.step - 1, logs)
            self._note_stop(callback)

    def _average(self) -> None:
        """At the end the model takes the averaged weights, if the optimizer keeps them."""
        train = self.model.train_state
        learn, _ = self.network.split_trainable(train.params)
        averaged = self.optimizer.averaged(learn, train.optimizer)
        if averaged is not learn:
            self.model.train_state = train._replace(params={**train.params, **averaged})

    def restart(self, totals: list[HostArray], seed: int) -> None:
        """Goes on from a restored position: `totals` are the leaves of the epoch's sums so far."""
        self.restored = totals
        if isinstance(self.source, ArraySource):
            self.source.seed = seed

    # What breaks: values that are not finite, and dispatches that fail

    def _loss_broke(self) -> bool:
        """Whether the sum of the epoch's losses is not finite any more: one number is read."""
        totals = self.position.totals
        if self.on_breakdown is None or totals is None:
            return False
        return not np.isfinite(totals["loss"]["sum"])

    def _look_at_the_end(self) -> None:
        """The last step may have broken weights that no loss was computed with."""
        if self.on_breakdown is None or self.broken or not self.history.epoch:
            return
        leaves = jax.tree.leaves(self.model.train_state.params)
        if not all(np.isfinite(leaf).all() for leaf in leaves):
            self._break_off("weights", float("nan"))

    def _break_off(self, what: str, value: float) -> None:
        """Ends the fit at its last good weights, and tells who watches."""
        assert self.on_breakdown is not None
        assert self.zeros is not None
        epoch, position = self.history.epoch[-1], self.position
        found = Breakdown(
            self.network, self.objective, self.optimizer, self.source, self.keeper, self.zeros,
            what, value, epoch, position.data_epoch - (position.epoch - epoch), self.step_number,
            self._overdue,
        )  # fmt: skip
        self.broken = True
        self.history.stopped = self.history.stopped or str(found)
        self.keeper.roll_back()
        self.on_breakdown(found)

    def rescue(self) -> None:
        """After an error: a dispatch donates the weights; if it failed, the last snapshot's."""
        if any(leaf.is_deleted() for leaf in jax.tree.leaves(self.model.train_state)):
            self.keeper.restore()
