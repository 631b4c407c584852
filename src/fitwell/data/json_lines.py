"""JSON lines: files with one JSON object per line, read in blocks.

A block is read at once; line by line, which is slower and knows the line, where something in it is
wrong. Where blocks disagree on the type of a column, the file is read again with the type that all
its values have.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitwell.data.framing import to_frame
from fitwell.data.problems import first_line
from fitwell.data.records import BadRow
from fitwell.errors import InvalidFile

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 2**23
"""Bytes that are read at a time."""
_MARK = b"\xef\xbb\xbf"
_WANTED = 'one JSON object per line, such as {"age": 31, "city": "Bern"}'


def read_json_lines(
    path: Path, subject: str, skip_bad_rows: bool
) -> tuple[pl.DataFrame, list[BadRow]]:
    """The table of a file with one JSON object per line, and the rows that were skipped.

    A column is missing where an object does not have it. Its type is that of all its values: float
    for whole numbers beside others, text where some are text.

    Raises:
        InvalidFile: a line that is no object, unless these are skipped.
    """
    import polars as pl

    frames, bad = _pass(path, subject, skip_bad_rows, {})
    kinds: dict[str, set[Any]] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            kinds.setdefault(name, set()).update([] if kind == pl.Null else [kind])
    if clashes := {name: _common(found) for name, found in kinds.items() if len(found) > 1}:
        frames, bad = _pass(path, subject, skip_bad_rows, clashes)
    types = {name: next(iter(found), pl.Null()) for name, found in kinds.items()} | clashes
    blocks = [dict(zip(frame.columns, frame.get_columns(), strict=True)) for frame in frames]
    heights = [frame.height for frame in frames]
    frames.clear()
    return pl.DataFrame([_joined(name, types[name], blocks, heights) for name in kinds]), bad


def _joined(
    name: str, kind: Any, blocks: list[dict[str, pl.Series]], heights: list[int]
) -> pl.Series:
    """A column, taken out of its blocks; missing in those that lack it."""
    import polars as pl

    parts = [block.pop(name, None) for block in blocks]
    full = [
        pl.Series(name, [None] * height, kind) if part is None else part.cast(kind)
        for part, height in zip(parts, heights, strict=True)
    ]
    return pl.concat(full, rechunk=True)


def _common(kinds: set[Any]) -> Any:
    """The type of a column that is of several types in different blocks."""
    import polars as pl

    numbers = all(kind.is_numeric() or kind == pl.Boolean for kind in kinds)
    return pl.Float64() if numbers else pl.String()


def _pass(
    path: Path, subject: str, skip: bool, types: Mapping[str, Any]
) -> tuple[list[pl.DataFrame], list[BadRow]]:
    """The blocks of the file, some of their columns with a type that is known; and bad rows."""
    import polars as pl

    frames: list[pl.DataFrame] = []
    bad: list[BadRow] = []
    for line, block in _blocks(path):
        if not block.strip():
            continue
        try:
            file = io.BytesIO(block)
            frame = pl.read_ndjson(file, schema_overrides=types, infer_schema_length=None)
        except pl.exceptions.PolarsError:
            frame, wrong = _line_by_line(block, line, types)
            if wrong and not skip:
                raise _refused(subject, wrong[0]) from None
            bad += wrong
        frames.append(frame)
    return frames, bad


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines of the file, and the number of the first."""
    line, parts = 1, list[bytes]()
    with open(path, "rb") as file:
        if file.read(len(_MARK)) != _MARK:
            file.seek(0)
        while block := file.read(_BLOCK):
            whole, end, rest = block.rpartition(b"\n")
            if end:
                found = b"".join([*parts, whole, end])
                yield line, found
                line += found.count(b"\n")
                parts.clear()
            parts.append(rest)
    yield line, b"".join(parts)


def _line_by_line(
    block: bytes, first: int, types: Mapping[str, Any]
) -> tuple[pl.DataFrame, list[BadRow]]:
    rows: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    for number, line in enumerate(block.split(b"\n"), first):
        if not line.strip():
            continue
        row = _object(line, number)
        if isinstance(row, dict):
            rows.append(row)
        else:
            bad.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return to_frame({name: _alike(v, types.get(name)) for name, v in columns.items()}), bad


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


def _alike(values: list[Any], kind: Any = None) -> list[Any]:
    """Values as polars' own reader takes them: text where some are text, floats beside ints.

    Args:
        values: of one column.
        kind: what the column is as a whole, if that is known.
    """
    kinds = {type(value) for value in values if value is not None}
    numbers = kinds <= {int, float, bool}
    if (
        str(kind) == "String"
        or (str in kinds and len(kinds) > 1)
        or (kinds & {list, dict} and len(kinds) > 1)
    ):
        return [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    if numbers and (str(kind) == "Float64" or len(kinds) > 1 or any(map(_wide, values))):
        return [None if v is None else _real(v) for v in values]
    return values


def _wide(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _real(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _refused(subject: str, row: BadRow) -> InvalidFile:
    return InvalidFile(
        subject,
        row.expected,
        f"{row.received} in {row.place}",
        "Write one row as one object on one line. Or skip such rows: skip_bad_rows=True, "
        "--skip-bad-rows on the command line.",
    )
