"""ModelCheckpoint: saves the model while it learns."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any

from fitwell.callbacks.monitor import Monitor, check_save_freq
from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.files import check_suffix
from fitwell.hooks import Callback, MutableLogs

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Callback):
    """Saves the model after every epoch, or only when a number is better than ever.

    >>> best = ModelCheckpoint("best.safetensors", save_best_only=True)
    >>> all_of_them = ModelCheckpoint("epoch{epoch:02d}-{val_loss:.2f}.safetensors")

    A second `fit` with the same object goes on comparing with its best. Every file is written in
    one stroke, so a kill leaves the file before.

    Args:
        filepath: where; may hold `{epoch}` (from 1), `{batch}` (from 1) and the names of the logs
            in Python's format syntax. Missing folders are made.
        monitor: the name of the logs that `save_best_only` compares.
        verbose: 1 prints a line at each file.
        save_best_only: save only if `monitor` improved. If it was not measured, the model is
            saved, with one warning.
        save_weights_only: `save_weights` instead of `save`.
        mode: `"min"`, `"max"`, or `"auto"`: known from the name.
        save_freq: `"epoch"`, or a number of batches >= 1, counted over the epochs. With a number,
            no dispatch takes more steps than that.
        initial_value_threshold: a value of `monitor` that has to be beaten.

    Raises:
        InvalidArgument: bad values here; at the start of `fit` if there is no validation to
            measure a `val_` monitor on; at the first file if a name in `filepath` is not in the
            logs.
        InvalidFile: the suffix of another format (`.keras`, `.h5`).
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        owner = "ModelCheckpoint"
        self.filepath = os.fspath(filepath)
        check_suffix(self.filepath)  # now, not after the first epoch
        try:
            self._names = {
                name for _, name, _, _ in string.Formatter().parse(self.filepath) if name
            }
        except ValueError as error:
            cure = 'Write names as in "epoch{epoch:02d}.safetensors".'
            received = f"{self.filepath!r} ({error})"
            raise InvalidArgument(owner, "a filepath in format syntax", received, cure) from error
        check_save_freq(owner, save_freq)
        # Without save_best_only nothing is compared, and any monitor will do.
        self._monitor = Monitor(owner, monitor, mode) if save_best_only else None
        self.save_weights_only, self.save_freq, self.verbose = save_weights_only, save_freq, verbose
        self.best = initial_value_threshold

    @property
    def every(self) -> int | None:
        return None if self.save_freq == "epoch" else int(self.save_freq)

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        if self._monitor is not None:
            self._monitor.begin(self.params)

    def on_epoch_begin(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        if self.save_freq != "epoch":
            self._save({"batch": batch + 1, **(logs or {})}, self._epoch)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(dict(logs or {}), epoch)

    def _save(self, logs: MutableLogs, epoch: int) -> None:
        why = self._reason(logs)
        if why is None:
            return
        path = self._path({"epoch": epoch + 1, **logs})
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}{why}.", flush=True)

    def _reason(self, logs: MutableLogs) -> str | None:
        """What is printed behind the path; None if the model is not to be saved."""
        if self._monitor is None:
            return ""
        value = self._monitor.value(logs)
        if value is None:
            return ""
        if not self._monitor.improves(value, self.best):
            return None
        before = "" if self.best is None else f"{self.best:.5g} -> "
        self.best = value
        return f", {self._monitor.name} {before}{value:.5g}"

    def _path(self, known: dict[str, Any]) -> Path:
        unknown = sorted(self._names - set(known))
        if unknown:
            expected = f"names in {self.filepath!r} that were measured"
            cure = did_you_mean(unknown[0], known)
            raise InvalidArgument("ModelCheckpoint", expected, repr(unknown[0]), cure)
        try:
            return Path(self.filepath.format(**known))
        except (ValueError, IndexError, KeyError) as error:
            received = f"{self.filepath!r} ({error})"
            cure = 'Write names as in "epoch{epoch:02d}.safetensors".'
            raise InvalidArgument(
                "ModelCheckpoint", "a filepath in format syntax", received, cure
            ) from error

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = state["best"]
