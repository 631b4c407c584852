"""BackupAndRestore: a killed fit goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from fitwell import files
from fitwell.callbacks.monitor import check_save_freq
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.hooks import Callback, MutableLogs

__all__ = ["BackupAndRestore"]

_KIND = "backup"


class BackupAndRestore(Callback):
    """Keeps a backup of the fit; the same `fit` called again resumes it, bit for bit.

    The backup holds weights, optimizer, random key, position, history and the states of the other
    callbacks. It is one file that is replaced in one stroke, so a kill at any moment leaves a whole
    one. It is removed when the fit ends, unless Ctrl-C or the time limit ended it.

    >>> backup = BackupAndRestore("run1-backup")

    Args:
        backup_dir: a folder for this fit alone; made if it is missing.
        save_freq: `"epoch"`, or a number of batches >= 1, counted over the epochs. With a number,
            no dispatch takes more steps than that.
        delete_checkpoint: False keeps the backup of a finished fit; fitting again then trains
            nothing, unless `epochs` is larger.

    Raises:
        InvalidArgument: an empty name, or another `save_freq`.
        InvalidFile: the backup is damaged or of another model; or there is no room to write one.
    """

    comes_last: ClassVar[bool] = True  # it saves what the other callbacks decided

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        delete_checkpoint: bool = True,
    ) -> None:
        if not os.fspath(backup_dir):
            cure = 'Pass a folder, e.g. "backup".'
            raise InvalidArgument("BackupAndRestore", "a folder's name", "an empty one", cure)
        check_save_freq("BackupAndRestore", save_freq)
        self.folder, self.save_freq = Path(backup_dir), save_freq
        self.delete_checkpoint = delete_checkpoint
        self.path = self.folder / "backup.safetensors"

    @property
    def every(self) -> int | None:
        return None if self.save_freq == "epoch" else int(self.save_freq)

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            received, cure = f"{str(self.folder)!r} ({error.strerror})", "Choose another folder."
            raise InvalidFile("BackupAndRestore", "a folder to write to", received, cure) from error
        for partial in self.folder.glob(f".{self.path.name}.*.partial"):
            partial.unlink()  # of a fit that was killed while it wrote
        if self.path.exists():
            header, arrays = files.read(self.path)
            if header.get("kind") != _KIND:
                cure = "Choose a folder that nothing else writes to."
                received = "a model file"
                subject = f"BackupAndRestore, {str(self.path)!r}"
                raise InvalidFile(subject, "a backup of a fit", received, cure)
            self.model.resume(arrays, header["facts"])

    def on_train_batch_end(self, batch: int, logs: MutableLogs | None = None) -> None:
        if self.save_freq != "epoch":
            self._save(*self.model.checkpoint())

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        if self.save_freq != "epoch":
            return
        self.model.history.add(logs or {})  # with what the callbacks before this one added
        arrays, facts = self.model.checkpoint()
        # In an epoch that was cut short, the others saw the values of a part. The backup before
        # stays: from there everything happens as if there had been no interruption.
        if not facts["step"]:
            self._save(arrays, facts)

    def _save(self, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        files.write(self.path, {"kind": _KIND, "facts": facts}, arrays)

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        finished = self.model.history.stopped not in ("interrupted", "time_limit")
        if self.delete_checkpoint and finished:
            self.path.unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
