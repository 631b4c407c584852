"""Writing tables: in one stroke, so that a full disk or a killed run leaves the last whole file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fitwell.data.problems import first_line
from fitwell.errors import InvalidFile
from fitwell.files import whole

if TYPE_CHECKING:
    import polars as pl


def _write_npz(frame: pl.DataFrame, file: BinaryIO) -> None:
    """One array per column; missing text is empty, a missing whole number makes floats of all."""
    import polars as pl

    with zipfile.ZipFile(file, "w") as archive:  # numpy.savez takes no column called "file"
        for column in frame.iter_columns():
            values = column.to_numpy()
            if values.dtype == object:
                values = column.cast(pl.String).fill_null("").to_numpy().astype(np.str_)
            with archive.open(f"{column.name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def _write_text(frame: pl.DataFrame, file: BinaryIO, separator: str) -> None:
    """Polars puts no quotation marks around a carriage return, which would then end the line."""
    import polars as pl

    words = frame.select(pl.col(pl.String).str.contains("\r", literal=True).any())
    returns = any(words.row(0)) if words.width else False
    quotes: Any = "non_numeric" if returns else "necessary"
    frame.write_csv(file, separator=separator, quote_style=quotes)


_WRITERS: dict[str, Callable[[pl.DataFrame, BinaryIO], Any]] = {
    ".csv": lambda frame, file: _write_text(frame, file, ","),
    ".tsv": lambda frame, file: _write_text(frame, file, "\t"),
    ".parquet": lambda frame, file: frame.write_parquet(file),
    ".jsonl": lambda frame, file: frame.write_ndjson(file),
    ".npz": _write_npz,
}


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises InvalidFile if `write_table` does not know the ending, or there is no such folder."""
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        expected = f"one of the endings {', '.join(_WRITERS)}"
        raise InvalidFile(f"file {target}", expected, repr(target.suffix), "Choose one.")
    if not target.parent.is_dir():
        cure = "Make the folder first."
        raise InvalidFile(f"file {target}", "a folder that exists", repr(str(target.parent)), cure)


def write_table(frame: pl.DataFrame, path: str | os.PathLike[str]) -> None:
    """Writes a table in the form that the ending of its name says; `read` reads it back.

    At any moment the path holds the old file or the whole new one.

    Raises:
        InvalidFile: another ending, or the file cannot be written.
    """
    import polars as pl

    check_writable(path)
    target = Path(path)
    try:
        with whole(target) as file:
            _WRITERS[target.suffix.lower()](frame, file)
    except pl.exceptions.PolarsError as error:  # it may turn errors of the system into its own
        cure = "Check the path, and whether there is room."
        received = first_line(error)
        raise InvalidFile(f"file {path}", "a file that can be written", received, cure) from error
