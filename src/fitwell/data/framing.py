"""From data in memory to a polars frame: data frames, arrays with names, dicts of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.problems import mixture, repeated
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


def to_frame(source: Any, names: Sequence[str] | None = None) -> pl.DataFrame:
    """The data as a polars frame; nothing is read from text yet.

    Args:
        source: a data frame that narwhals knows (pandas, polars, pyarrow and others), a dict of
            columns, a structured array, or an array of one or two axes.
        names: of the columns of an array.

    Raises:
        InvalidData: something else, a column of mixed values, columns of unequal length or of
            one name.
        InvalidArgument: `names` for data that bring their own, or not one per column.
    """
    columns = _columns(source, names)
    if columns is not None:
        return _from_columns(columns)
    if names is not None:
        cure = "Leave names out, or pass an array."
        raise InvalidArgument("read", "names with an array only", type(source).__name__, cure)
    return _from_native(source)


def _columns(source: Any, names: Sequence[str] | None) -> dict[str, Any] | None:
    """The columns of a dict or an array; None for everything else."""
    if isinstance(source, Mapping):
        return _by_name(source) if names is None else None
    if not isinstance(source, np.ndarray) and type(source).__module__.split(".")[0] == "jaxlib":
        source = np.asarray(source)
    if not isinstance(source, np.ndarray):
        return None
    if source.dtype.names:
        return {name: source[name] for name in source.dtype.names} if names is None else None
    return array_columns("table", source, names)


def _by_name(source: Mapping[Any, Any]) -> dict[str, Any]:
    found = [str(name) for name in source]
    if len(set(found)) < len(found):
        raise repeated("table", found)
    return dict(zip(found, source.values(), strict=True))


def array_columns(
    subject: str, array: HostArray, names: Sequence[str] | None, stem: str = "column"
) -> dict[str, Any]:
    """An array (rows,) or (rows, columns) as columns by name: `stem_1`, ... without names.

    Raises:
        InvalidData: an array of more axes, or of none.
        InvalidArgument: not one name per column.
    """
    if array.ndim not in (1, 2):
        raise InvalidData(
            subject,
            "an array of one or two axes, (rows,) or (rows, columns)",
            f"shape {array.shape}",
            "Pass arrays of images and the like to Model.fit as they are.",
        )
    table = array.reshape(len(array), -1) if array.size or array.ndim == 1 else array
    width = table.shape[1] if table.ndim == 2 else 1
    chosen = [f"{stem}_{i + 1}" for i in range(width)] if names is None else list(map(str, names))
    if len(chosen) != width:
        cure = "Name every column of the array."
        raise InvalidArgument(subject, f"{width} names", f"{len(chosen)}", cure)
    if len(set(chosen)) < width:
        raise repeated(subject, chosen)
    return {name: table[:, i] for i, name in enumerate(chosen)}


def _from_columns(columns: Mapping[str, Any]) -> pl.DataFrame:
    import polars as pl

    series = [_series(name, values) for name, values in columns.items()]
    lengths = {s.name: len(s) for s in series}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {n}" for name, n in list(lengths.items())[:5])
        cure = "Each row needs a value in every column; None where there is none."
        raise InvalidData("table", "columns of one length", listed, cure)
    return pl.DataFrame(series)


def _series(name: str, values: Any) -> pl.Series:
    import polars as pl

    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.dtype.kind in "bifuM":
        return pl.Series(name, _known_type(array))
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        cure = "Pass a list or an array with one value per row."
        raise InvalidData(f"column {name}", "a list of values", type(values).__name__, cure)
    try:
        items = values.tolist() if hasattr(values, "tolist") else list(values)
        none = [None if _is_missing(v) else _unwrapped(v) for v in items]
        return pl.Series(name, none, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise mixture(name, error) from error


def _known_type(array: HostArray) -> HostArray:
    """Types that polars lacks as those that it has: half floats, dates in other units."""
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float64)
    if array.dtype.kind == "M":
        days = np.datetime_data(array.dtype)[0] in ("Y", "M", "W", "D")
        return array.astype("M8[D]" if days else "M8[us]")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _unwrapped(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# Data frames


def _from_native(source: Any) -> pl.DataFrame:
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
            "a path, sklearn:NAME, a data frame in memory (pandas, polars, pyarrow), an array or "
            "a dict of columns",
            type(source).__name__,
            "Name the columns, for example {'age': [31, 45], 'city': ['Bern', 'Rome']}; "
            "call .collect() on a lazy frame.",
        ) from error
    except (nw.exceptions.DuplicateError, pl.exceptions.DuplicateError) as error:
        names = getattr(source, "column_names", None) or source.columns  # pyarrow, or pandas
        raise repeated("table", [str(name) for name in names]) from error


def _from_series(series: Any) -> pl.Series:
    try:
        native: pl.Series = series.to_polars()
    except ImportError:  # text of pandas without pyarrow
        native = _from_values(series)
    except Exception as error:  # pyarrow's own errors have no common public base class
        raise mixture(series.name, error) from error
    return native.alias(str(series.name))


def _from_values(series: Any) -> pl.Series:
    """The column value by value: slower, but without another package."""
    import polars as pl

    missing = series.is_null().to_list()
    values = [None if m else v for v, m in zip(series.to_list(), missing, strict=True)]
    try:
        return pl.Series(values, strict=True)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise mixture(series.name, error) from error
