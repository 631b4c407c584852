"""Files of tables that are no text: Parquet, NPZ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.framing import array_columns, to_frame
from fitwell.data.problems import first_line, no_table, repeated
from fitwell.errors import InvalidData, InvalidFile
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


def read_parquet(path: Path, subject: str) -> pl.DataFrame:
    """The table of a Parquet file.

    Raises:
        InvalidFile: a file of another kind, or a damaged one.
    """
    import polars as pl

    try:
        return pl.read_parquet(path, glob=False, hive_partitioning=False, use_statistics=False)
    except pl.exceptions.PolarsError as error:
        raise no_table(subject, f"no Parquet file: {first_line(error)}") from error


def read_npz(path: Path, subject: str) -> pl.DataFrame:
    """The arrays of an `.npz` file as columns: (rows,) is one, (rows, k) are `name_1` to `name_k`.

    An array called `feature_names` or `columns` names the columns of the array with two axes.

    Raises:
        InvalidFile: no such archive, or arrays of objects (only pickle could read these).
        InvalidData: arrays of unequal length, or of more than two axes.
    """
    try:
        # Opened here: numpy leaves files open in which it finds something wrong.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # of zip, zlib, struct, numpy: they have no common base
        raise InvalidFile(
            subject,
            "an archive of arrays of numbers or text",
            first_line(error),
            "Write it with numpy.savez(path, age=ages, city=cities); text with dtype=str.",
        ) from error
    names = _names(arrays)
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        wide = array.ndim == 2 and names is not None and len(names) == array.shape[1]
        if array.ndim == 1 and not array.dtype.names:
            found: dict[str, Any] = {name: array}
        else:
            found = array_columns(f"{subject}, {name}", array, names if wide else None, name)
        if twice := [one for one in found if one in columns]:
            raise repeated(subject, [*columns, *twice])
        columns |= found
    return to_frame(columns)


def _names(arrays: dict[str, HostArray]) -> list[str] | None:
    """The names of the columns of the array with two axes, taken out of the arrays."""
    for name in ("feature_names", "columns"):
        found = arrays.get(name)
        wide = [a for a in arrays.values() if a.ndim == 2]
        if found is not None and wide and found.ndim == 1 and found.dtype.kind in "US":
            if len(found) == wide[0].shape[1]:
                return [str(one) for one in arrays.pop(name)]
            raise InvalidData(
                name,
                f"{wide[0].shape[1]} names, one per column",
                f"{len(found)}",
                "Name every column.",
            )
    return None
