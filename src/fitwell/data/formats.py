"""Files of tables that are not delimited text: Parquet, JSON lines, NPZ."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.framing import array_columns, to_frame
from fitwell.data.problems import first_line, no_table, repeated
from fitwell.data.records import BadRow
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


# JSON lines


def read_json_lines(
    path: Path, subject: str, skip_bad_rows: bool
) -> tuple[pl.DataFrame, list[BadRow]]:
    """The table of a file with one JSON object per line, and the rows that were skipped.

    Raises:
        InvalidFile: a line that is no object, unless these are skipped.
    """
    import polars as pl

    content = path.read_bytes()
    try:
        frame = pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return _line_by_line(content, subject, skip_bad_rows)
    return frame, []


def _line_by_line(
    content: bytes, subject: str, skip_bad_rows: bool
) -> tuple[pl.DataFrame, list[BadRow]]:
    """Slower, and knows the line: for files in which polars finds something wrong."""
    rows: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        row = _object(line, number)
        if isinstance(row, dict):
            rows.append(row)
        elif skip_bad_rows:
            bad.append(row)
        else:
            raise InvalidFile(
                subject,
                row.expected,
                f"{row.received} in {row.place}",
                "Write one row as one object on one line. Or skip such rows: skip_bad_rows=True, "
                "--skip-bad-rows on the command line.",
            )
    names = dict.fromkeys(name for row in rows for name in row)
    return to_frame({name: _alike([row.get(name) for row in rows]) for name in names}), bad


_WANTED = 'one JSON object per line, such as {"age": 31, "city": "Bern"}'


def _object(line: bytes, number: int) -> dict[str, Any] | BadRow:
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return BadRow(number, error.start + 1, _WANTED, f"the byte {line[error.start]:#04x}")
    except json.JSONDecodeError as error:
        return BadRow(number, error.colno, _WANTED, f"something else ({error.msg})")
    except (RecursionError, ValueError) as error:  # too deep, or a number of too many digits
        return BadRow(number, 0, _WANTED, f"something else ({first_line(error)})")
    if not isinstance(found, dict):
        return BadRow(number, 0, _WANTED, f"a JSON {_NAMES.get(type(found), 'value')}")
    return found


_NAMES: dict[type, str] = {list: "list", str: "string", int: "number", float: "number"}


def _alike(values: list[Any]) -> list[Any]:
    """Values as polars' own reader takes them: text where some are text, floats beside ints."""
    kinds = {type(value) for value in values if value is not None}
    if str in kinds and kinds <= {str, int, float, bool}:
        return [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    if kinds <= {int, float, bool} and (len(kinds) > 1 or any(map(_wide, values))):
        return [None if v is None else _real(v) for v in values]
    if kinds & {list, dict} and len(kinds) > 1:
        return [None if v is None else json.dumps(v) for v in values]
    return values


def _wide(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _real(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


# NPZ


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
