"""What was measured for TABLES.md, one line of JSON each: a run that was ended goes on from there.

`table_cells/SET.jsonl` has a line for each model and repeat, `times.jsonl` one for each model that
was timed by itself, `runs.jsonl` one for each command that measured any of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "table_cells"


@dataclass(frozen=True)
class Cell:
    """One model on all folds of one repeat, or on one split.

    Attributes:
        scores: RMSE in the unit of the target, or accuracy, of each fold.
        seconds, cpu: of each fit and its predictions, by the clock and of all cores together.
        load: how many processes wanted a core before it, on average over a minute.
        run: the key of a line of `runs.jsonl`.
        facts: what fitwell says of its fits, means over folds.
    """

    model: str
    repeat: int
    scores: tuple[float, ...]
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    load: float
    run: str
    facts: Mapping[str, float] = field(default_factory=dict)


class Cells:
    """The cells of one set; of two of one model and repeat the later counts."""

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        self._path = folder / f"{name}.jsonl"
        self._cells: dict[tuple[str, int], Cell] = {}
        for line in lines(self._path):
            numbers = {key: tuple(line[key]) for key in ("scores", "seconds", "cpu")}
            self._keep(Cell(**{**line, **numbers}))

    def add(self, cell: Cell) -> None:
        """Keeps it, on the disk as well."""
        append(self._path, dataclasses.asdict(cell))
        self._keep(cell)

    def has(self, model: str, repeat: int) -> bool:
        """Whether it was measured."""
        return (model, repeat) in self._cells

    def of(self, model: str) -> list[Cell]:
        """Those of one model, by repeat."""
        return sorted(
            (cell for (name, _), cell in self._cells.items() if name == model),
            key=lambda cell: cell.repeat,
        )

    @property
    def models(self) -> list[str]:
        """That have a cell, in the order in which they were first measured."""
        return list(dict.fromkeys(name for name, _ in self._cells))

    def _keep(self, cell: Cell) -> None:
        self._cells[cell.model, cell.repeat] = cell


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Those of a file that are whole: the last may have been cut off."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Adds a line; one that was cut off before it ends here."""
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else ""
    with path.open("a") as file:
        file.write("\n" * (bool(before) and not before.endswith("\n")))
        file.write(json.dumps({key: _short(value) for key, value in line.items()}) + "\n")


def _short(value: Any) -> Any:
    """Numbers as long as they mean something."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_short(one) for one in value]
    return value
