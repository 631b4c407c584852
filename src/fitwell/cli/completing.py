"""What the shell offers after Tab: data sets, columns of the data, tasks, codes of the doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from fitwell.data import bundled
from fitwell.data.labels import TASKS

_ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson", ".npz")


def data(incomplete: str) -> list[str]:
    """Data files and folders beside the words so far, and the bundled data sets."""
    start = Path(incomplete or ".")
    folder = start if incomplete.endswith("/") or not incomplete else start.parent
    found = [f"sklearn:{name}" for name in bundled.NAMES]
    if folder.is_dir():
        found += [
            f"{each}/" if each.is_dir() else str(each)
            for each in sorted(folder.iterdir())
            if each.is_dir() or each.suffix.lower() in _ENDINGS
        ]
    return [each for each in found if each.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """The columns of the data file that was named before."""
    names = _columns(ctx.params.get("data"))
    return [name for name in names if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """What a target can be."""
    return [task for task in TASKS if task.startswith(incomplete)]


def codes(incomplete: str) -> list[str]:
    """Codes of the doctor."""
    from fitwell.doctor.codes import CODES

    return [code for code in CODES if code.startswith(incomplete)]


def _columns(source: Any) -> list[str]:
    from fitwell.data.tables import read_table
    from fitwell.errors import FitwellError

    try:
        return list(read_table(str(source)).columns) if source else []
    except FitwellError:
        return []
