"""Text files with one row per line: CSV, TSV and their relatives."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from fitwell.data.values import kind_of, slips, typed
from fitwell.errors import InvalidData, InvalidFile

if TYPE_CHECKING:
    import polars as pl

_SEPARATORS = (",", "\t", ";", "|")


def read_delimited(path: Path, subject: str, text: frozenset[str]) -> pl.DataFrame:
    """The table of a text file; columns in `text` keep their text, the others get their type."""
    import polars as pl

    content = _decode(path, subject)
    if not content:
        raise no_rows(subject)
    separator = max(_SEPARATORS, key=content.partition("\n")[0].count)
    names, blank = _outline(content, separator, subject)
    try:
        frame = pl.read_csv(
            io.BytesIO(content.encode()),
            separator=separator,
            infer_schema=False,
            new_columns=names,
            has_header=False,
            skip_rows=1,
        )
    except pl.exceptions.NoDataError as error:
        raise no_rows(subject) from error
    except pl.exceptions.PolarsError as error:
        raise _unclear_quotes(subject) from error
    if blank:
        frame = frame.filter(~pl.Series(range(frame.height)).is_in(blank))
    comma = separator == ";"
    return frame.with_columns(
        [_value(c, comma) for c in frame.iter_columns() if c.name not in text]
    )


def _value(column: pl.Series, decimal_comma: bool) -> pl.Series:
    """A column of text with its type; `1,5` is a number in tables that `;` separates."""
    values = typed(column)
    if decimal_comma and kind_of(values) == "text":
        numbers = typed(column.str.replace(",", ".", literal=True))
        read = kind_of(numbers) == "number" or slips(numbers) is not None
        return numbers if read else values
    return values


def _decode(path: Path, subject: str) -> str:
    content = path.read_bytes()
    if b"\0" in content[:65536]:
        raise no_table(subject, "binary data")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFile(
            subject,
            "text in UTF-8",
            f"the byte {content[error.start]:#04x} at position {error.start}",
            "Save the table as CSV in UTF-8. If it is no text file, give it its own ending.",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")


def _outline(content: str, separator: str, subject: str) -> tuple[list[str], list[int]]:
    """The names of the columns, and which rows are blank lines.

    Raises:
        InvalidFile: a row has more or fewer values than there are names.
    """
    reader = csv.reader(io.StringIO(content), delimiter=separator)
    blank = []
    try:
        names = next(reader, [])
        _check_header(names, subject)
        for number, row in enumerate(reader):
            if len(row) == len(names) or (not row and len(names) == 1):
                continue
            if row:
                raise InvalidFile(
                    subject,
                    f"{len(names)} values in every row, as in its first line",
                    f"{len(row)} in line {reader.line_num}",
                    "Correct the line; a value that holds the separator needs quotes around it.",
                )
            blank.append(number)
    except csv.Error as error:
        raise _unclear_quotes(subject) from error
    named = [name.strip() or f"column_{i + 1}" for i, name in enumerate(names)]
    if len(set(named)) < len(named):
        raise repeated(subject, named)
    return named, blank


def _unclear_quotes(subject: str) -> InvalidFile:
    return InvalidFile(
        subject,
        "quotation marks around whole values only",
        "text it cannot separate",
        'Write "5"" pipe" for 5" pipe, and end every quoted value.',
    )


def _check_header(names: list[str], subject: str) -> None:
    def is_number(name: str) -> bool:
        return name.strip().lstrip("+-").replace(".", "", 1).isdigit()

    counted = [str(i) for i in range(len(names))]  # how pandas names columns without names
    if names and all(map(is_number, names)) and names != counted:
        raise InvalidFile(
            subject,
            "the names of the columns in the first line",
            f"numbers: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}",
            "Add a first line with a name for every column.",
        )


def no_rows(subject: str) -> InvalidData:
    return InvalidData(subject, "at least one row", "none", "Give a table with data in it.")


def no_table(subject: str, received: str) -> InvalidFile:
    cure = "Give a CSV, TSV, Parquet or JSON-lines file."
    return InvalidFile(subject, "a table", received, cure)


def repeated(subject: str, names: list[str]) -> InvalidData:
    twice = next(name for name in names if names.count(name) > 1)
    return InvalidData(
        subject,
        "every column to have a name of its own",
        f"{names.count(twice)} columns called {twice!r}",
        "Rename or delete all but one.",
    )
