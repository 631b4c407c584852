"""Callbacks that end a fit: EarlyStopping and TerminateOnNaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fitwell.arguments import whole_number
from fitwell.callbacks.monitor import Monitor, check_number
from fitwell.errors import InvalidData
from fitwell.hooks import Callback, MutableLogs
from fitwell.types import HostArray

__all__ = ["EarlyStopping", "TerminateOnNaN"]


class EarlyStopping(Callback):
    """Ends the fit when a number has not improved for `patience` epochs.

    An epoch improves if its value is better than the best so far by more than `min_delta`. It is
    what keeps a network from learning its training data by heart (Prechelt, "Early Stopping - But
    When?", 1998).

    >>> stopping = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)

    Args:
        monitor: a name of the logs.
        min_delta: what a value must gain to count as better, in its own unit, >= 0.
        patience: epochs without improvement to wait, >= 0; 0 ends at the first.
        verbose: 1 prints a line when it ends the fit.
        mode: `"min"`, `"max"`, or `"auto"`: known from the name.
        baseline: a value that has to be beaten; while it is not, epochs count as idle.
        restore_best_weights: give the model the weights of its best epoch when the fit ends, for
            whatever reason it ends; else it keeps the last.
        start_from_epoch: epochs at the beginning that are not looked at.

    Raises:
        InvalidArgument: bad values here; at the start of `fit` if there is no validation to
            measure a `val_` monitor on. A name that is not in the logs gives one warning.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        self._monitor = Monitor("EarlyStopping", monitor, mode, min_delta)
        whole_number("EarlyStopping", "patience", patience, 0)
        whole_number("EarlyStopping", "start_from_epoch", start_from_epoch, 0)
        if baseline is not None:
            check_number("EarlyStopping", "baseline", baseline)
        self.patience, self.start_from_epoch = patience, start_from_epoch
        self.verbose, self.baseline = verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.keeps_best = restore_best_weights and monitor.startswith("val_")
        self._reset()

    def _reset(self) -> None:
        self.wait = self.best_epoch = self.stopped_epoch = 0
        self.best: float | None = None
        self.best_weights: list[HostArray] | None = None

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._reset()
        self._monitor.begin(self.params)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        value = self._monitor.value(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # even a model that never improves has a best epoch
        self.wait += 1
        if self._monitor.improves(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self._monitor.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            best = f" Best: epoch {self.best_epoch + 1}, {self._monitor.name} {self.best}."
            print(f"Epoch {self.stopped_epoch + 1}: early stopping.{best}", flush=True)
        if self.best_weights is not None:
            if self.verbose:
                print(f"Weights are those of epoch {self.best_epoch + 1}.", flush=True)
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        return {
            "wait": self.wait,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stopped_epoch": self.stopped_epoch,
            "best_weights": self.best_weights,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self.wait, self.best = state["wait"], state["best"]
        self.best_epoch, self.stopped_epoch = state["best_epoch"], state["stopped_epoch"]
        self.best_weights = state["best_weights"]
        if self.stopped_epoch:  # killed between its decision and the end of the fit
            self.model.stop_training = True


class TerminateOnNaN(Callback):
    """Ends the fit as soon as the training loss is NaN or infinite.

    It looks between dispatches (several times a second) and at the end of every epoch: a loss that
    is not finite makes the epoch's mean so, and no step is slowed down.

    Args:
        raise_error: True ends it with an error, so that what follows the fit does not run.

    Raises:
        InvalidData: with raise_error, a loss that is NaN or infinite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_chunk_end(self, step: int, live: Callable[[], MutableLogs]) -> None:
        self._check(live(), f"step {step}")

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self._check(logs or {}, f"the end of epoch {epoch + 1}")

    def _check(self, logs: MutableLogs, place: str) -> None:
        loss = logs.get("loss", 0.0)
        if math.isfinite(loss) or self.model.stop_training:
            return
        if self.raise_error:
            cure = "Lower the learning rate, or look for NaN and very large numbers in the data."
            raise InvalidData("TerminateOnNaN", "a finite loss", f"{loss} at {place}", cure)
        print(f"The loss is {loss} at {place}: the fit ends.", flush=True)
        self.model.stop_training = True
