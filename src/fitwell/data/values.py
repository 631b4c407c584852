"""What the text in a column means: numbers, dates, truth values, missing values.

The same rules read a text file and the strings of a data frame, so that one table gives one result
by whichever route it comes. Rows in messages are counted from 1, without the line of names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from fitwell.errors import InvalidData

if TYPE_CHECKING:
    import polars as pl

MISSING_WORDS = ("", "na", "n/a", "nan", "null", "?")
"""Text that stands for "no value", in any mixture of capitals."""

TRUTHS = {"true": True, "false": False, "yes": True, "no": False, "ja": True, "nein": False}
"""Words for truth values, in any mixture of capitals."""

_MOMENTS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
)
_DAYS = ("%Y-%m-%d", "%Y/%m/%d")
_CURE = "Correct the value or leave it empty."
_MOSTLY = 0.9
"""The part of a column's text that has to be numbers for the rest to count as slips."""


def stripped(column: pl.Series) -> pl.Series:
    """Text without spaces around it; the words for "missing" become missing.

    The column itself where nothing changes, so that a long one is not kept twice.
    """
    import polars as pl

    text = column.str.strip_chars()
    missing = text.str.to_lowercase().is_in(MISSING_WORDS)
    if not missing.any() and text.equals(column):
        return column
    return pl.select(pl.when(~missing).then(text).alias(column.name)).to_series()


def typed(column: pl.Series) -> pl.Series:
    """A column of text as what all of its values are: whole numbers, numbers, truth values, days,
    moments, and otherwise the text itself. Columns of other types are returned as they are.

    Only days and times in the order year, month, day (ISO 8601) are read: in all others, day and
    month may be taken for one another.

    >>> import polars as pl
    >>> typed(pl.Series(["1", " 2.5", "NA"])).to_list()
    [1.0, 2.5, None]
    """
    if str(column.dtype) != "String":
        return column
    text = stripped(column)
    if text.null_count() == text.len():
        return text
    head = text.drop_nulls().head(_HEAD)  # spares most columns the trial of a whole reading
    for reading in _readings(str(head[0])):
        if reading(head).null_count() == 0:
            values = reading(text)
            if values.null_count() == text.null_count():
                return values
    return text


def as_numbers(column: pl.Series) -> pl.Series | None:
    """A column of text as int64 or float64 if all of its values are numbers, else None.

    None, too, where all points may group thousands (`1.234`): other columns decide about those.

    >>> import polars as pl
    >>> as_numbers(pl.Series(["1", "2.5"])).to_list(), as_numbers(pl.Series(["1.234", "950"]))
    ([1.0, 2.5], None)
    """
    import polars as pl

    numbers = _numbers(column)
    if numbers is None:  # words for "missing", or spaces: most columns are spared this
        numbers = _numbers(column := stripped(column))
    if numbers is None or numbers.dtype == pl.Int64:
        return numbers
    return None if grouped_by_points(column) else numbers.fill_nan(None)


def _numbers(text: pl.Series) -> pl.Series | None:
    import polars as pl

    found = (text.cast(kind, strict=False) for kind in (pl.Int64, pl.Float64))
    return next((n for n in found if n.null_count() == text.null_count()), None)


def grouped_by_points(text: pl.Series) -> bool:
    """Whether every point in a column of numbers may group thousands, and there is one."""

    def may(values: pl.Series) -> bool:
        dotted = values.filter(values.str.contains(".", literal=True))
        return bool(dotted.str.contains(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$").all())

    known = text.drop_nulls()
    if not may(known.head(_HEAD)):  # spares a look at all of a long column
        return False
    return bool(known.str.contains(".", literal=True).any()) and may(known)


_HEAD = 1000


def _readings(first: str) -> Iterator[Callable[[pl.Series], pl.Series]]:
    """What text may be, by its first value: functions that give missing where it is not that."""
    import polars as pl

    yield lambda text: text.cast(pl.Int64, strict=False)
    yield lambda text: text.cast(pl.Float64, strict=False)
    yield _truths
    if first[:4].isdigit():
        for day in _DAYS:
            yield functools.partial(_days, form=day)
        for moment in _MOMENTS:
            yield functools.partial(_moments, form=moment)


def _days(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_date(form, strict=False)


def _moments(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_datetime(form, strict=False)


def _truths(text: pl.Series) -> pl.Series:
    import polars as pl

    words = {"true": True, "false": False}  # "yes" and "no" stay words: labels are given back so
    return text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def slips(column: pl.Series, numbers: pl.Series | None = None) -> pl.Series | None:
    """Which rows of a column of numbers hold other text, such as a stray "unknown"; else None.

    A column is one of numbers if nine tenths of its values are, and if there are more different
    numbers than different words: a code that is nearly always `0`, else `a` or `b`, is none.
    `numbers` are those of the column, if they are written in a form of their own.

    >>> import polars as pl
    >>> mask = slips(pl.Series([*"1234567890123456789", "unknown"]))
    >>> mask.arg_true().to_list()
    [19]
    """
    import polars as pl

    if kind_of(column) != "text":
        return None
    text = stripped(column.cast(pl.String))
    if numbers is None:
        numbers = text.cast(pl.Float64, strict=False)
    others = text.is_not_null() & numbers.is_null()
    known, strange = text.len() - text.null_count(), int(others.sum())
    if not 0 < strange <= (1 - _MOSTLY) * known + 1e-9:
        return None
    varied = numbers.drop_nulls().n_unique() > text.filter(others).n_unique()
    return others if varied else None


def like_numbers(column: pl.Series) -> float:
    """The part of the text that is written like numbers: also as `1,234.50`, `12 %` and `$5`."""
    plain = column.drop_nulls().str.replace_all(r"[\s,'$€£%_]", "")
    found = plain.str.contains(r"^[+-]?\d+(\.\d*)?$").sum()
    return float(found / plain.len()) if plain.len() else 0.0


def kind_of(column: pl.Series) -> str:
    """`"number"`, `"boolean"`, `"date"`, `"text"` or `"other"`: what the column's type holds."""
    if column.dtype.is_numeric():
        return "number"
    names = {"Boolean": "boolean", "String": "text", "Null": "text"}
    if column.dtype.is_temporal():
        return "date" if str(column.dtype).startswith("Date") else "other"
    return names.get(str(column.dtype), "other")


def to_numbers(column: pl.Series, words: Collection[str] = ()) -> pl.Series:
    """The column as float64; missing stays missing, and so is what one of the `words` stands for.

    Raises:
        InvalidData: a value that is no number, or infinite; names column, row and value.
    """
    import polars as pl

    kind = kind_of(column)
    if kind not in ("number", "boolean", "text"):
        _refuse(column, column.is_not_null(), "numbers")
    known = stripped(column.cast(pl.String)) if kind == "text" else column
    if words and kind == "text":
        known = known.set(known.is_in(list(words)).fill_null(False), None)
    numbers = known.cast(pl.Float64, strict=False).fill_nan(None)
    _refuse(column, known.is_not_null() & numbers.is_null(), "numbers")
    _refuse(column, numbers.is_infinite().fill_null(False), "finite numbers")
    return numbers


def to_truths(column: pl.Series) -> pl.Series:
    """The column as true and false; 1 and 0, yes and no, ja and nein are taken for them.

    Raises:
        InvalidData: any other value; names column, row and value.
    """
    import polars as pl

    words = {"1": True, "0": False, **TRUTHS}
    text = to_text(column)
    truths = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    _refuse(column, text.is_not_null() & truths.is_null(), "true or false")
    return truths


def to_dates(column: pl.Series) -> pl.Series:
    """The column as moments without a time zone (moments with one are turned into UTC).

    Raises:
        InvalidData: a value that is no date; names column, row and value.
    """
    import polars as pl

    dates = typed(column)
    if dates.null_count() == dates.len():
        return dates.cast(pl.String).str.to_datetime(_MOMENTS[0], strict=False)
    if kind_of(dates) == "text":
        good = pl.coalesce(
            *(pl.lit(dates).str.to_datetime(f, strict=False) for f in _MOMENTS),
            *(pl.lit(dates).str.to_date(f, strict=False).cast(pl.Datetime) for f in _DAYS),
        )
        moments = pl.select(good.alias(column.name)).to_series()
        _refuse(column, dates.is_not_null() & moments.is_null(), "dates such as 2026-01-31")
        return moments
    if kind_of(dates) != "date":
        _refuse(column, dates.is_not_null(), "dates such as 2026-01-31")
    if getattr(dates.dtype, "time_zone", None):
        dates = dates.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return dates.cast(pl.Datetime("us"))


def to_text(column: pl.Series) -> pl.Series:
    """The column as text in one spelling: 3 and 3.0 are both `"3"`, true is `"true"`."""
    import polars as pl

    if column.dtype.is_nested():
        _refuse(column, column.is_not_null(), "single values")
    text = stripped(column.cast(pl.String))
    return text.str.replace(r"^(-?\d+)\.0+$", "${1}")


def _refuse(column: pl.Series, bad: pl.Series, expected: str) -> None:
    rows = bad.arg_true()
    if rows.len():
        raise InvalidData(
            f"column {column.name}",
            expected,
            f"{column[rows[0]]!r} in row {rows[0] + 1}",
            _CURE,
        )
