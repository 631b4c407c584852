"""How a run that is killed can go on."""

from __future__ import annotations

import time
from typing import Any

from fitwell.callbacks import BackupAndRestore
from fitwell.hooks import MutableLogs
from fitwell.progress import style

_SECONDS_BETWEEN_BACKUPS = 5.0


class Backup(BackupAndRestore):
    """One that spares the disk: short epochs are kept in memory until the fit is stopped."""

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        super().on_train_begin(logs)
        done = len(self.model.history.epoch)  # of the fit that is resumed
        if done and style(self.params["verbose"]) != "off":
            print(f"Goes on at epoch {done + 1} of {self.params['epochs']}.", flush=True)
        self._written = time.monotonic()
        self._waiting: tuple[dict[str, Any], dict[str, Any]] | None = None

    def _save(self, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        self._waiting = (arrays, facts)
        if time.monotonic() - self._written >= _SECONDS_BETWEEN_BACKUPS:
            self._write()

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        if self.model.history.stopped in ("interrupted", "time_limit"):
            self._write()
        super().on_train_end(logs)

    def _write(self) -> None:
        if self._waiting is not None:
            super()._save(*self._waiting)
        self._written, self._waiting = time.monotonic(), None
