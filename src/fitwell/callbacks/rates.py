"""Callbacks that set the learning rate: ReduceLROnPlateau and LearningRateScheduler."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from fitwell.arguments import whole_number
from fitwell.callbacks.monitor import Monitor, check_number
from fitwell.errors import InvalidArgument
from fitwell.hooks import Callback, MutableLogs

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


class ReduceLROnPlateau(Callback):
    """rate <- max(factor * rate, min_lr) when a number has not improved for `patience` epochs.

    The rate of each epoch enters the history as `learning_rate`.

    >>> reduce = ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=1e-4)

    Args:
        monitor: a name of the logs.
        factor: what the rate is multiplied with, in (0, 1).
        patience: epochs without improvement to wait, >= 0.
        verbose: 1 prints a line at each reduction.
        mode: `"min"`, `"max"`, or `"auto"`: known from the name.
        min_delta: what a value must gain to count as better, in its own unit, >= 0.
        cooldown: epochs after a reduction that do not count, >= 0.
        min_lr: the smallest rate, >= 0.

    Raises:
        InvalidArgument: bad values here; at the start of `fit` if there is no validation to
            measure a `val_` monitor on. A name that is not in the logs gives one warning.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        owner = "ReduceLROnPlateau"
        self._monitor = Monitor(owner, monitor, mode, min_delta)
        check_number(owner, "factor", factor)
        check_number(owner, "min_lr", min_lr)
        if not 0.0 < factor < 1.0:
            cure = "Pass factor=0.5 to halve the rate."
            raise InvalidArgument(owner, "factor in (0, 1)", f"factor={factor!r}", cure)
        if not 0.0 <= min_lr < math.inf:
            cure = "Pass min_lr=0.0 or more."
            raise InvalidArgument(owner, "min_lr in [0, inf)", f"min_lr={min_lr!r}", cure)
        whole_number(owner, "patience", patience, 0)
        whole_number(owner, "cooldown", cooldown, 0)
        self.factor, self.min_lr, self.verbose = factor, min_lr, verbose
        self.patience, self.cooldown = patience, cooldown
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_left = 0

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._reset()
        self._monitor.begin(self.params)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = self.model.learning_rate
        value = self._monitor.value(logs)
        if value is None:
            return
        if self.cooldown_left:
            self.cooldown_left -= 1
            self.wait = 0
        if self._monitor.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_left:
            self.wait += 1
            if self.wait >= self.patience and self.model.learning_rate > self.min_lr:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = max(self.model.learning_rate * self.factor, self.min_lr)
        self.model.learning_rate = rate
        self.cooldown_left, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is now {rate:g}.", flush=True)

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown_left": self.cooldown_left}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait = state["best"], state["wait"]
        self.cooldown_left = state["cooldown_left"]


class LearningRateScheduler(Callback):
    """rate <- schedule(epoch, rate) before every epoch.

    The rate of each epoch enters the history as `learning_rate`.

    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)

    Args:
        schedule: a function of the epoch (from 0) and the current rate, or of the epoch alone,
            that returns the new rate.
        verbose: 1 prints a line at every epoch.

    Raises:
        InvalidArgument: `schedule` is not a function, or returns no number in [0, inf).
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            cure = "Pass a function of the epoch and the rate."
            raise InvalidArgument("LearningRateScheduler", "a function", repr(schedule), cure)
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: MutableLogs | None = None) -> None:
        now = self.model.learning_rate
        found = self.schedule(epoch, now) if self._takes_rate else self.schedule(epoch)
        try:
            rate = float(found)
        except (TypeError, ValueError):
            rate = math.nan
        if not 0.0 <= rate < math.inf:
            raise InvalidArgument(
                "LearningRateScheduler",
                f"schedule({epoch}, {now:g}) to return a number in [0, inf)",
                repr(found),
                "Return the rate of the epoch.",
            )
        self.model.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}.", flush=True)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = self.model.learning_rate


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function takes a second positional argument; yes if it does not tell."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # some functions written in C
        return True
    return True
