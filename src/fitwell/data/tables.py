"""Reading tables: files, bundled data sets and data in memory, all as one polars frame."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitwell.data.bundled import is_bundled, read_bundled
from fitwell.data.delimited import read_delimited
from fitwell.data.formats import read_npz, read_parquet
from fitwell.data.framing import to_frame
from fitwell.data.json_lines import read_json_lines
from fitwell.data.problems import no_rows, refuse_options, repeated
from fitwell.data.records import BadRow
from fitwell.data.settling import settle
from fitwell.data.sniffing import sniff
from fitwell.data.writing import check_writable, write_table
from fitwell.errors import InvalidArgument, InvalidFile, did_you_mean
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ENDINGS",
    "Options",
    "Origin",
    "Table",
    "check_writable",
    "left_out",
    "read_table",
    "to_table",
    "write_table",
]

_DELIMITED = (".csv", ".tsv", ".tab", ".txt")
_OTHERS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".npz": "npz",
}
ENDINGS = (*_DELIMITED, *_OTHERS)
"""Of the names of files that hold a table."""


OF_TEXT = ("encoding", "delimiter", "header")  # options of text files alone


@dataclass(frozen=True)
class Options:
    """How a table is to be read; the arguments of `read`."""

    names: tuple[str, ...] | None = None
    text: frozenset[str] = frozenset()
    forms: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    skip_bad_rows: bool = False


@dataclass(frozen=True)
class Origin:
    """Where a table came from.

    Attributes:
        path: the file, or `"sklearn:NAME"`; None for data in memory.
        format: `"csv"`, `"parquet"`, `"json lines"`, `"npz"`, `"bundled"` or `"memory"`.
        size: of the file in bytes.
        modified: seconds since 1970.
        sha256: of the file's bytes.
        encoding, delimiter, header: how a text file is written.
    """

    path: str | None = None
    format: str = "memory"
    size: int | None = None
    modified: float | None = None
    sha256: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """One row per example, one named column per feature; made by `read`.

    Attributes:
        frame: the values, as a polars frame.
        origin: where they came from.
        forms: how the text of columns was written that is numbers or dates now, such as
            `{"price": "1.234,5"}`; `read(..., forms=table.forms)` reads new rows alike.
        skipped: rows that could not be read, with their lines.
        notes: what was decided on the way, in sentences.
        source, options: what was read and how, for reading it again in another form.
        lines: see `line`.
    """

    frame: pl.DataFrame
    origin: Origin
    forms: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()
    source: Any = None
    options: Options = field(default_factory=Options)
    lines: HostArray | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.frame.columns

    def __len__(self) -> int:
        return self.frame.height

    def line(self, row: int) -> int | None:
        """The line of the text file that row `row` (from 0) begins in; None for other sources."""
        return None if self.lines is None else int(self.lines[row])

    def __repr__(self) -> str:
        rows, columns = self.frame.shape
        return f"<Table: {rows:,} rows, {columns} columns, from {self.origin.path or 'memory'}>"

    def _repr_html_(self) -> str:
        return str(self.frame._repr_html_())


def read_table(
    source: Any, *, text: Iterable[str] = (), forms: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """The frame of `to_table`."""
    return to_table(source, Options(text=frozenset(text), forms=forms or {})).frame


def to_table(source: Any, options: Options | None = None) -> Table:
    """A table from whatever holds one; see `read`.

    Columns whose form or text an older reading of a Table did not know are read again.
    """
    options = options or Options()
    if isinstance(source, Table):
        refuse_options("a Table", options, OF_TEXT, "names")
        merged = replace(source.options, text=options.text, forms=options.forms)
        return source if merged == source.options else to_table(source.source, merged)
    if is_bundled(source):
        refuse_options("a data set of scikit-learn", options, OF_TEXT, "names")
        origin = Origin(source, "bundled")
        return _checked(Table(read_bundled(source), origin, source=source, options=options))
    if isinstance(source, str | os.PathLike):
        return _checked(_read_file(Path(source), options))
    refuse_options("data in memory", options, OF_TEXT)
    frame = to_frame(source, options.names)
    return _checked(Table(frame, Origin(), source=source, options=options))


# Files


def _read_file(path: Path, options: Options) -> Table:
    subject = f"file {path}"
    if path.is_dir():
        cure = "Give a file inside it; fitwell.data.read takes folders of images."
        raise InvalidFile(subject, "a file with a table", "a folder", cure)
    if not path.exists():
        raise InvalidFile(subject, "a file that exists", "none of this name", _nearby(path))
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InvalidFile(
            subject,
            f"one of the endings {', '.join(ENDINGS)}",
            repr(path.suffix) if ending else "a name without an ending",
            "Save or export the table as CSV or Parquet.",
        )
    refuse_options(f"a {ending} file", options, () if ending in _DELIMITED else OF_TEXT, "names")
    try:
        facts = path.stat()
        if facts.st_size == 0:
            raise InvalidFile(subject, "a table", "an empty file", "Check how the file was made.")
        origin = Origin(str(path), _OTHERS.get(ending, "csv"), facts.st_size, facts.st_mtime)
        if ending in _DELIMITED:
            return _read_text(path, subject, origin, options)
        with open(path, "rb") as file:
            origin = replace(origin, sha256=hashlib.file_digest(file, "sha256").hexdigest())
        return _read_other(path, subject, origin, options)
    except OSError as error:
        reason = error.strerror or str(error)
        cure = "Check the path."
        raise InvalidFile(subject, "a file that can be read", reason, cure) from error


def _nearby(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist either."
    files = [p.name for p in folder.iterdir() if p.suffix.lower() in ENDINGS]
    return did_you_mean(path.name, files) if files else f"There are no tables in {folder}."


def _read_text(path: Path, subject: str, origin: Origin, options: Options) -> Table:
    _check_delimiter(options.delimiter)
    dialect = sniff(path, subject, options.encoding, options.delimiter, options.header)
    kept = options.text | set(options.forms)
    found = read_delimited(path, subject, dialect, frozenset(kept), options.skip_bad_rows)
    notes = []
    if dialect.encoding not in ("utf-8", "utf-8-sig", "ascii") and options.encoding is None:
        notes.append(f"The file is not in UTF-8: it was read as {dialect.encoding}.")
    if not dialect.header and options.header is None:
        last = len(found.frame.columns)
        called = "column_1" if last == 1 else f"column_1 to column_{last}"
        notes.append(f"The first line holds values, no names: the columns are called {called}.")
    origin = replace(
        origin,
        sha256=dialect.sha256,
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        header=dialect.header,
    )
    bad = tuple(found.bad)
    notes += left_out(bad)
    return Table(found.frame, origin, {}, bad, tuple(notes), path, options, found.lines)


def _check_delimiter(delimiter: str | None) -> None:
    if delimiter is None or (
        len(delimiter) == 1 and delimiter.isascii() and delimiter not in '"\n\r\0'
    ):
        return
    cure = r"For example delimiter=';' or '\t'."
    raise InvalidArgument("read", "one ASCII character", f"delimiter={delimiter!r}", cure)


def _read_other(path: Path, subject: str, origin: Origin, options: Options) -> Table:
    bad: list[BadRow] = []
    if origin.format == "json lines":
        frame, bad = read_json_lines(path, subject, options.skip_bad_rows)
    else:
        frame = (read_parquet if origin.format == "parquet" else read_npz)(path, subject)
    notes = tuple(left_out(tuple(bad)))
    return Table(frame, origin, {}, tuple(bad), notes, path, options)


def left_out(bad: Sequence[BadRow]) -> list[str]:
    """A sentence about rows that could not be read; none if there are none."""
    if not bad:
        return []
    shown = "; ".join(f"{row.place} ({row.received})" for row in bad[:3])
    rows = f"{len(bad):,} row{'s' if len(bad) > 1 else ''}"
    end = "; ..." if len(bad) > 3 else "."
    verb = "are" if len(bad) > 1 else "is"
    return [f"{rows} could not be read and {verb} left out: {shown}{end}"]


# Checks for all


def _checked(table: Table) -> Table:
    """The table with names without spaces around them and columns of few types."""
    import polars as pl

    subject = f"table {Path(table.origin.path).name}" if table.origin.path else "table"
    columns, rows = table.frame.get_columns(), table.frame.height
    names = [column.name.strip() for column in columns]
    if len(set(names)) < len(names):
        raise repeated(subject, names)
    if not rows or not names:
        raise no_rows(subject)
    table = replace(table, frame=pl.DataFrame())  # each column is let go of when it is converted
    settled = settle(
        pl.DataFrame([_plain(columns.pop(0)).alias(name) for name in names]),
        text=table.options.text,
        forms=table.options.forms,
        codes=table.origin.delimiter is None,
        delimiter=table.origin.delimiter or ",",
    )
    notes = (*table.notes, *settled.notes)
    return replace(table, frame=settled.frame, forms=settled.forms, notes=notes)


def _plain(column: pl.Series) -> pl.Series:
    """The column with one of few types: text for categoricals, float64 for decimals, no NaN."""
    import polars as pl

    kind = str(column.dtype)
    if kind.startswith(("Categorical", "Enum")):
        return column.cast(pl.String)
    if kind.startswith(("Decimal", "Float", "Int128", "UInt128")):
        numbers = column.cast(pl.Float64)
        return numbers.fill_nan(None) if numbers.is_nan().any() else numbers  # no copy in vain
    if column.dtype.is_integer() and column.dtype != pl.UInt64:
        return column.cast(pl.Int64)
    if kind.startswith("Datetime"):
        moments: Any = column
        if moments.dtype.time_zone:
            moments = moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return moments.cast(pl.Datetime("us"))
    return column
