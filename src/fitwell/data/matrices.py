"""Tables as matrices of float32, in batches of rows; those too large for memory lie in a file."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitwell.data.arrays import DataWarning
from fitwell.data.encoding import TableEncoder
from fitwell.data.paging import let_go
from fitwell.errors import OutOfMemory
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

BATCH = 2**16
"""Rows that are encoded at a time: what they need on the way is small."""

LARGEST = 2 * 10**9
"""Bytes of a table's features that are kept in memory; more of them are kept in a file."""


def encode_rows(encoder: TableEncoder, frame: pl.DataFrame, rows: HostArray) -> HostArray:
    """`encoder.transform(frame[rows])`, (len(rows), features) float32.

    If all rows of the frame make more than `LARGEST` bytes, the array lies in a file without a name
    in the folder for large temporary files (`TMPDIR`, else `/var/tmp`), which ends with the array.

    Raises:
        OutOfMemory: there is no room for that file.
    """
    if len(rows) <= BATCH:
        return encoder.transform(frame[rows])
    width = len(encoder.feature_names)
    in_file = frame.height * width * 4 > LARGEST
    matrix = (_in_file if in_file else _in_memory)((len(rows), width))
    for place in slices(len(rows)):
        matrix[place] = encoder.transform(frame[rows[place]])
        let_go(matrix)
    return matrix


def answers(
    encoder: TableEncoder, frame: pl.DataFrame, predict: Callable[[HostArray], Sequence[HostArray]]
) -> list[HostArray]:
    """What `predict` makes of the features of all rows, encoded some at a time.

    Values that training never saw are said in a `DataWarning` of who called the caller.
    """
    parts = [predict(encoder.transform(frame[rows])) for rows in slices(frame.height)]
    for note in encoder.surprises(frame):
        warnings.warn(note, DataWarning, stacklevel=4)
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def slices(rows: int) -> Iterator[slice]:
    """All rows in their order, `BATCH` at a time."""
    return (slice(start, min(start + BATCH, rows)) for start in range(0, rows, BATCH))


def _in_memory(shape: tuple[int, int]) -> HostArray:
    return np.empty(shape, np.float32)


def _in_file(shape: tuple[int, int]) -> HostArray:
    size = shape[0] * shape[1] * 4
    folder = os.environ.get("TMPDIR") or ("/var/tmp" if os.path.isdir("/var/tmp") else None)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would end the process later
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.float32, "w+", shape=shape)  # keeps the file open
    except OSError as error:
        raise OutOfMemory(
            "features of the table",
            f"room for {size / 1e9:.1f} GB in {folder or tempfile.gettempdir()}",
            error.strerror or str(error),
            "Make room there, name another folder in TMPDIR, or train on fewer rows.",
        ) from error
