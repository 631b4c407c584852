"""What the shell offers after Tab: data sets, columns of the data, tasks, codes of the doctor."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

import typer

from fitwell.data import bundled
from fitwell.data.bundled import is_bundled
from fitwell.data.labels import TASKS
from fitwell.data.sniffing import names_of
from fitwell.data.tables import ENDINGS, read_table
from fitwell.doctor.codes import CODES


def data(incomplete: str) -> list[str]:
    """Data files and folders beside the words so far, and the bundled data sets."""
    start = Path(incomplete or ".")
    folder = start if incomplete.endswith("/") or not incomplete else start.parent
    found = [f"sklearn:{name}" for name in bundled.NAMES]
    if folder.is_dir():
        found += [
            f"{each}/" if each.is_dir() else str(each)
            for each in sorted(folder.iterdir())
            if each.is_dir() or each.suffix.lower() in ENDINGS
        ]
    return [each for each in found if each.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """The columns of the data file that was named before."""
    names = columns_of(ctx.params.get("data"))
    return [name for name in names if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """What a target can be."""
    return [task for task in TASKS if task.startswith(incomplete)]


def codes(incomplete: str) -> list[str]:
    """Codes of the doctor."""
    return [code for code in CODES if code.startswith(incomplete)]


def columns_of(source: Any) -> list[str]:
    """The names of columns, as the beginning of a file tells them; none of what cannot be read."""
    import polars as pl

    path = Path(str(source or ""))
    look = _LOOKS.get(path.suffix.lower(), names_of)
    try:
        return read_table(source).columns if is_bundled(source) else look(path)
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return []


def _of_parquet(path: Path) -> list[str]:
    import polars as pl

    return list(pl.read_parquet_schema(path))


def _of_lines(path: Path) -> list[str]:
    with open(path, "rb") as file:
        return list(json.loads(file.readline().removeprefix(BOM_UTF8)))


def _of_arrays(path: Path) -> list[str]:
    return read_table(path).columns


_LOOKS = {
    ".parquet": _of_parquet,
    ".pq": _of_parquet,
    ".jsonl": _of_lines,
    ".ndjson": _of_lines,
    ".npz": _of_arrays,
}
