"""A run: the folder in which `fitwell train` leaves everything that belongs to one training."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from fitwell import files
from fitwell.errors import InvalidFile
from fitwell.machine import versions

MODEL = "model.safetensors"
ORDER = "run.json"
METRICS = "metrics.json"
HISTORY = "history.json"
LOG = "log.txt"
OUT_OF_FOLD = "out_of_fold.csv"
COMMAND = "command.txt"
REPORT = "report.html"
_HOME = Path("runs")
_COMPLETE = "complete"


@dataclass(frozen=True)
class Run:
    """One folder.

    - `command.txt`: what was typed; `run.json`: all options, versions, when it began and ended;
    - `log.txt`: what the terminal showed, and a line per epoch;
    - `model.safetensors`, `history.json`, `metrics.json`, `report.html`;
    - `out_of_fold.csv` of `--folds`, `trials.json` of `--tune`.

    Every file is written whole or not at all.
    """

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / MODEL

    @property
    def backup(self) -> Path:
        """Where an unfinished fit keeps what it needs to go on."""
        return self.folder / "backup"

    def begin(self, order: Mapping[str, Any], words: list[str]) -> None:
        """Makes the folder, and notes what is to be done before it is done."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidFile(
                f"run {self.folder}",
                "a folder that can be written to",
                str(error.strerror),
                "Choose another with --output.",
            ) from error
        began = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(COMMAND, shlex.join(["fitwell", *words]) + "\n")
        self.note(ORDER, {**order, "began": began, "versions": versions(), "state": "begun"})

    def end(self, state: str = _COMPLETE) -> None:
        """Notes how the run ended."""
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self.note(ORDER, {**self.read(ORDER), "ended": ended, "state": state})

    @property
    def complete(self) -> bool:
        return bool(self.read(ORDER).get("state") == _COMPLETE)

    def note(self, name: str, values: Any) -> None:
        """Writes a JSON file."""
        self._write(name, json.dumps(values, indent=1, default=str) + "\n")

    def read(self, name: str) -> dict[str, Any]:
        """What `note` wrote.

        Raises:
            InvalidFile: the folder is no run, or the file is damaged.
        """
        try:
            found = json.loads((self.folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidFile(
                f"run {self.folder}",
                f"the file {name} that fitwell train wrote",
                "none" if isinstance(error, OSError) else "a damaged one",
                "Name the folder of a run.",
            ) from error
        return dict(found) if isinstance(found, dict) else {}

    def log(self, text: str) -> None:
        """Writes the log; the older one of a run that is resumed stays above it."""
        path = self.folder / LOG
        older = path.read_text("utf-8") if path.exists() else ""
        self._write(LOG, older + text)

    def _write(self, name: str, text: str) -> None:
        with files.whole(self.folder / name) as file:
            file.write(text.encode("utf-8"))


def new(data: str, output: Path | None) -> Run:
    """The folder of the next run: `--output`, or `runs/<data>-<number>`.

    Raises:
        InvalidFile: the output is a file, or a folder with something in it.
    """
    if output is None:
        stem = Path(data.removeprefix("sklearn:").rstrip("/")).stem or "data"
        number = 1
        while (_HOME / f"{stem}-{number}").exists():
            number += 1
        return Run(_HOME / f"{stem}-{number}")
    if output.suffix == ".safetensors":
        folder = shlex.quote(str(output.with_suffix("")))
        raise InvalidFile(
            f"--output {output}",
            "the folder of the run",
            "the name of a model file",
            f"Write --output {folder}: the model is {MODEL} in it.",
        )
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InvalidFile(
            f"--output {output}",
            "a new or empty folder",
            "one with files in it" if output.is_dir() else "a file",
            "Choose another name, or go on with --resume.",
        )
    return Run(output)


def model_of(path: Path) -> Path:
    """The model file that a user means who names a run's folder.

    >>> model_of(Path("houses.safetensors"))
    PosixPath('houses.safetensors')
    """
    if not path.is_dir():
        return path
    if (path / ORDER).exists() and not (path / MODEL).exists():
        raise InvalidFile(
            f"run {path}",
            "a run with a model",
            "one that did not come to its end",
            f"Go on with fitwell train --resume {shlex.quote(str(path))}.",
        )
    return path / MODEL


class Diary:
    """A console whose words are also kept for the log, without colours."""

    def __init__(self, *, stderr: bool = False, quiet: bool = False) -> None:
        self._text = io.StringIO()
        self._file = Console(file=self._text, width=100, highlight=False, no_color=True)
        self._console = Console(stderr=stderr, quiet=quiet, highlight=False)

    @property
    def width(self) -> int:
        return self._console.width

    def print(self, *things: Any, **how: Any) -> None:
        """As `rich.console.Console.print`."""
        self._console.print(*things, **how)
        self._file.print(*things, **how)

    def text(self) -> str:
        """All that was printed."""
        return "\n".join(line.rstrip() for line in self._text.getvalue().splitlines()) + "\n"
