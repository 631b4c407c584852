"""Reading tables: files, bundled data sets and data frames, all as one polars frame."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitwell.data.bundled import is_bundled, read_bundled
from fitwell.data.delimited import no_rows, no_table, read_delimited, repeated
from fitwell.errors import InvalidData, InvalidFile, did_you_mean

if TYPE_CHECKING:
    import polars as pl


def read_table(source: Any, *, text: Iterable[str] = ()) -> pl.DataFrame:
    """A table as a polars frame: one row per example, one named column per feature.

    Files are told by their ending: `.csv`, `.tsv`, `.tab`, `.txt` (text in UTF-8; the separator,
    one of `, ; |` and tab, is found in the first line), `.parquet`, `.pq`, `.jsonl`, `.ndjson`. In
    text files nothing, `NA`, `N/A`, `NaN`, `null` and `?` mean a missing value, and a column gets
    the type that all its values have.

    Args:
        source: a path, `"sklearn:NAME"` with one of `bundled.NAMES`, or a data frame (pandas,
            polars, pyarrow or another that narwhals knows).
        text: names of columns whose text is kept as it is written (`007` stays `"007"`).

    Raises:
        InvalidFile: no such file, a folder, or a file that holds no table.
        InvalidData: a table without rows, or two columns with one name.
        UnknownName: `sklearn:` with a name that it does not bring.

    >>> read_table("sklearn:iris").shape
    (150, 5)
    """
    if is_bundled(source):
        return read_bundled(source)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        frame = _read_file(path, frozenset(text))
        subject = f"table {path.name}"
    else:
        frame = _from_frame(source)
        subject = "table"
    return _checked(frame, subject)


# Frames


def _from_frame(source: Any) -> pl.DataFrame:
    import narwhals as nw
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return source
    try:
        # A column is taken at a time, so that an error can name it.
        frame = nw.from_native(source, eager_only=True)
        return pl.DataFrame([_from_series(column) for column in frame.iter_columns()])
    except TypeError as error:
        raise InvalidData(
            "table",
            "a path, sklearn:NAME, or a data frame in memory (pandas, polars, pyarrow)",
            type(source).__name__,
            "Name the columns, for example pandas.DataFrame(array, columns=[...]); "
            "call .collect() on a lazy frame.",
        ) from error
    except nw.exceptions.DuplicateError as error:
        names = getattr(source, "column_names", None) or source.columns  # pyarrow, or pandas
        raise repeated("table", [str(name) for name in names]) from error


def _from_series(series: Any) -> pl.Series:
    try:
        native: pl.Series = series.to_polars()
    except ImportError:  # text of pandas without pyarrow
        native = _from_values(series)
    except Exception as error:  # pyarrow's own errors have no common public base class
        raise _mixture(series.name, error) from error
    return native.alias(str(series.name))


def _from_values(series: Any) -> pl.Series:
    """The column value by value: slower, but without another package."""
    import polars as pl

    missing = series.is_null().to_list()
    values = [None if m else v for v, m in zip(series.to_list(), missing, strict=True)]
    try:
        return pl.Series(values, strict=True)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise _mixture(series.name, error) from error


def _mixture(name: Any, error: Exception) -> InvalidData:
    return InvalidData(
        f"column {name}",
        "values of one type",
        f"a mixture: {_first_line(error)}",
        "Convert the column to one type, for example with .astype(str).",
    )


# Files


def _read_file(path: Path, text: frozenset[str]) -> pl.DataFrame:
    subject = f"file {path}"
    if path.is_dir():
        raise InvalidFile(subject, "a file with a table", "a folder", "Give a file inside it.")
    if not path.exists():
        raise InvalidFile(subject, "a file that exists", "none of this name", _nearby(path))
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise InvalidFile(
            subject,
            f"one of the endings {', '.join(_READERS)}",
            repr(path.suffix) if ending else "a name without an ending",
            "Save or export the table as CSV or Parquet.",
        )
    if path.stat().st_size == 0:
        raise InvalidFile(subject, "a table", "an empty file", "Check how the file was made.")
    try:
        return _READERS[ending](path, subject, text)
    except OSError as error:
        raise _unusable(path, "read", error) from error


def _nearby(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist either."
    files = [p.name for p in folder.iterdir() if p.suffix.lower() in _READERS]
    return did_you_mean(path.name, files) if files else f"There are no tables in {folder}."


def _read_parquet(path: Path, subject: str, text: frozenset[str]) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(io.BytesIO(path.read_bytes()))
    except pl.exceptions.PolarsError as error:
        raise no_table(subject, f"no Parquet file: {_first_line(error)}") from error


def _read_json_lines(path: Path, subject: str, text: frozenset[str]) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_ndjson(io.BytesIO(path.read_bytes()), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise InvalidFile(
            subject,
            'one JSON object per line, such as {"age": 31, "city": "Bern"}',
            f"something else: {_first_line(error)}",
            "Write one row as one object on one line.",
        ) from error


_READERS: dict[str, Callable[[Path, str, frozenset[str]], pl.DataFrame]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".txt": read_delimited,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".csv": lambda frame, path: frame.write_csv(path),
    ".tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    ".parquet": lambda frame, path: frame.write_parquet(path),
    ".jsonl": lambda frame, path: frame.write_ndjson(path),
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
    """Writes a table in the form that the ending of its name says; `read_table` reads it back.

    Raises:
        InvalidFile: another ending, or the file cannot be written.
    """
    check_writable(path)
    try:
        _WRITERS[Path(path).suffix.lower()](frame, Path(path))
    except OSError as error:
        raise _unusable(Path(path), "written", error) from error


def _unusable(path: Path, verb: str, error: OSError) -> InvalidFile:
    reason = error.strerror or str(error)
    return InvalidFile(f"file {path}", f"a file that can be {verb}", reason, "Check the path.")


# Checks for all


def _checked(frame: pl.DataFrame, subject: str) -> pl.DataFrame:
    import polars as pl

    names = [name.strip() for name in frame.columns]
    if len(set(names)) < len(names):
        raise repeated(subject, names)
    if not frame.height or not names:
        raise no_rows(subject)
    return pl.DataFrame(
        [_plain(c).alias(name) for c, name in zip(frame.iter_columns(), names, strict=True)]
    )


def _plain(column: pl.Series) -> pl.Series:
    """The column with one of few types: text for categoricals, float64 for decimals, no NaN."""
    import polars as pl

    kind = str(column.dtype)
    if kind.startswith(("Categorical", "Enum")):
        return column.cast(pl.String)
    if kind.startswith(("Decimal", "Float")):
        return column.cast(pl.Float64).fill_nan(None)
    return column


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
