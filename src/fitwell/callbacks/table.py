"""CSVLogger: the logs of every epoch in a file that any program reads."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.hooks import Callback, MutableLogs

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Appends a row per epoch: `epoch` (from 0), then the logs. What was not measured is empty.

    The file is complete after every epoch, whatever happens then. A column that comes later (of a
    validation after every second epoch) is added to the rows before.

    >>> logger = CSVLogger("training.csv")

    Args:
        filename: where; its folder must exist.
        separator: one character between values.
        append: True goes on with the rows there are; False replaces the file at the first epoch.

    Raises:
        InvalidArgument: a separator that is not one character.
        InvalidFile: the file cannot be written, or, with `append`, has no column `epoch`.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            cure = 'Pass "," or ";" or "\\t".'
            received = f"separator={separator!r}"
            raise InvalidArgument("CSVLogger", "separator to be one character", received, cure)
        self.path, self.separator, self.append = Path(filename), separator, append

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._columns: list[str] = []
        if not self.path.parent.is_dir():
            cure = "Make the folder first."
            raise InvalidFile("CSVLogger", "a folder that exists", repr(str(self.path)), cure)
        if self.append:
            self._continue()

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        row = {"epoch": epoch, **(logs or {})}
        new = [name for name in row if name not in self._columns]
        try:
            if new:
                before = self._rows() if self._columns else []
                self._columns = [*self._columns, *new]
                self._write("w", [dict(zip(self._columns, self._columns, strict=True)), *before])
            self._write("a", [row])
        except OSError as error:
            received, cure = f"{str(self.path)!r} ({error.strerror})", "Choose another place."
            raise InvalidFile("CSVLogger", "a file to write to", received, cure) from error

    def _continue(self) -> None:
        """Takes the columns of the file there is; on a missing or empty one nothing is done."""
        if not self.path.is_file() or self.path.stat().st_size == 0:
            return
        with open(self.path, newline="", encoding="utf-8") as file:
            self._columns = next(csv.reader(file, delimiter=self.separator))
        if "epoch" not in self._columns:
            raise InvalidFile(
                f"CSVLogger, {str(self.path)!r}",
                "a table with a column 'epoch'",
                f"the columns {', '.join(self._columns)}",
                "Choose another file, or the separator it was written with.",
            )

    def _rows(self) -> list[dict[str, Any]]:
        with open(self.path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter=self.separator))

    def _write(self, mode: str, rows: list[dict[str, Any]]) -> None:
        with open(self.path, mode, newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, delimiter=self.separator).writerows(rows)

    def get_state(self) -> dict[str, Any]:
        written = bool(self._columns) and self.path.is_file()
        return {"bytes": self.path.stat().st_size if written else 0}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on behind the rows that were written before; drops those of repeated epochs."""
        if state["bytes"] and self.path.is_file():
            os.truncate(self.path, min(state["bytes"], self.path.stat().st_size))
            self._continue()
