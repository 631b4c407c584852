"""What the columns of a table are: numbers, categories, and those that are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fitwell.data.values import (
    kind_of,
    like_numbers,
    slips,
    stripped,
    to_dates,
    to_numbers,
    to_text,
    to_truths,
    typed,
)
from fitwell.description import Description, check_choice
from fitwell.errors import InvalidData, UnknownName, did_you_mean

if TYPE_CHECKING:
    import polars as pl

USED = ("number", "category", "boolean", "date")
LEFT_OUT = ("text", "id", "constant", "other")
KINDS = USED + LEFT_OUT

_ID_NAMES = ("id", "uuid", "guid", "key", "index", "rownumber", "rowid", "unnamed: 0")
_FEW_ROWS = 20
"""In so few rows all values may differ by chance: nothing is concluded from that."""


class Column(Description):
    """A column of a table and what it is taken for.

    Args:
        name: as in the table.
        kind: `"number"`, `"category"`, `"boolean"` or `"date"` if it is used; `"text"` (only
            whether there is a value is used), `"id"`, `"constant"` or `"other"` if it is left out.
        note: why it is left out, or what was done to it, as a sentence; empty if there is nothing
            to say.
        words: text between the numbers of the column, which is read as missing.
    """

    name: str
    kind: str
    note: str = ""
    words: tuple[str, ...] = ()

    def validate(self) -> None:
        check_choice(self, "kind", KINDS)

    @property
    def used(self) -> bool:
        """Whether the values of the column are features."""
        return self.kind in USED


def infer_columns(
    frame: pl.DataFrame, target: str | None = None, kinds: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """What every column but the target is.

    The rules, in this order:

    - one value everywhere: a constant;
    - whole numbers, or text without spaces, with another value in every row: an id if the name says
      so, if they are text, or if they count without a gap (a number of the row);
    - numbers, and text of which every value is a number: numbers, also if they are few and whole
      (the class of a cabin, the number of rooms): order is information;
    - text of which nine tenths are numbers: numbers, too; the rest is read as missing;
    - `true`/`false`: boolean; days and moments: dates;
    - text: categories, unless more than half of the values are different: then it is free text,
      names or codes that a network of this kind cannot learn from;
    - lists and other nested values: left out.

    Args:
        frame: the table.
        target: the column that is to be predicted.
        kinds: columns whose kind you know better: `{"Pclass": "category"}`.

    Raises:
        UnknownName: the target, or a name in `kinds`, is no column.
        InvalidData: no column is left to predict from; a value that a column of its kind
            cannot hold, such as an infinite number.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, 45, 28], "city": ["Bern", "Rome", "Bern"]})
    >>> infer_columns(frame)
    (Column(name='age', kind='number'), Column(name='city', kind='category'))
    """
    known = dict(kinds or {})
    for name in (*known, *([target] if target is not None else [])):
        check_column(frame, name)
    columns = tuple(
        _known(column.name, known[column.name], column)
        if column.name in known
        else _infer(column.name, typed(column))
        for column in frame.iter_columns()
        if column.name != target
    )
    for column in columns:
        if column.used:
            _check(column, frame[column.name])
    if not any(column.used for column in columns):
        raise InvalidData(
            "table",
            "at least one column to predict from",
            "; ".join(c.note.rstrip(".") or c.name for c in columns) or "only the target",
            "Add a column, or name its kind (kinds={'column': 'category'}).",
        )
    return columns


def _known(name: str, kind: str, column: pl.Series) -> Column:
    if kind == "number" and (numbers := _numbers_with_slips(name, typed(column))):
        return numbers
    return Column(name, kind)


def check_column(frame: pl.DataFrame, name: str) -> None:
    """Raises UnknownName with the nearest right name if the table has no such column."""
    if name not in frame.columns:
        cure = did_you_mean(name, frame.columns)
        raise UnknownName("table", "the name of one of its columns", repr(name), cure)


def _infer(name: str, column: pl.Series) -> Column:
    kind = kind_of(column)
    if kind == "other":
        return Column(name, "other", f"{name} is left out: {column.dtype} is no kind of feature.")
    distinct = column.n_unique()
    if distinct == 1:
        value = "it has no values" if column[0] is None else f"its value is always {column[0]!r}"
        return Column(name, "constant", f"{name} is left out: {value}.")
    if distinct == column.len() and _is_id(name, column, kind):
        return Column(name, "id", f"{name} is left out: an id, different in every row.")
    if kind == "text" and (numbers := _numbers_with_slips(name, column)):
        return numbers
    return _KINDS[kind](name, column)


def _is_id(name: str, column: pl.Series, kind: str) -> bool:
    simple = name.lower().strip()
    named = (
        simple in _ID_NAMES or simple.endswith(("_id", " id", "-id")) or name.endswith(("Id", "ID"))
    )
    few = column.len() < _FEW_ROWS
    if kind == "text":
        codes = not few and not column.str.contains(" ").any() and like_numbers(column) <= 0.5
        return named or codes
    if not column.dtype.is_integer():
        return False
    low, high = column.min(), column.max()
    counts = isinstance(low, int) and isinstance(high, int) and high - low == column.len() - 1
    return named or (counts and not few)


def _numbers_with_slips(name: str, column: pl.Series) -> Column | None:
    others = slips(column)
    if others is None:
        return None
    text = stripped(column)
    known, rows = text.len() - text.null_count(), others.arg_true()
    words = tuple(sorted(text.filter(others).unique().to_list()))
    more = f" like {len(rows) - 1} other rows" if len(rows) > 2 else " like one other row"
    note = (
        f"{name}: {known - len(rows):,} of {known:,} values are numbers; row {rows[0] + 1} holds "
        f"{text[rows[0]]!r}, read as missing{more if len(rows) > 1 else ''}."
    )
    return Column(name, "number", note, words)


def _text(name: str, column: pl.Series) -> Column:
    values = column.drop_nulls()
    distinct = values.n_unique()
    if values.len() < _FEW_ROWS or distinct <= values.len() / 2:
        return Column(name, "category")
    what = f"free text or names ({distinct} different in {values.len()} rows)"
    if like_numbers(column) >= 0.9:
        odd = values.filter(values.str.contains(r"[^\d.+-]"))[0]
        what = f"it looks like numbers, but {odd!r} is not read as one"
    note = f"{name} is left out: {what}."
    if column.null_count():
        note = note.replace("left out", "used only as present or missing")
    return Column(name, "text", note)


_KINDS: dict[str, Callable[[str, pl.Series], Column]] = {
    "number": lambda name, column: Column(name, "number"),
    "boolean": lambda name, column: Column(name, "boolean"),
    "date": lambda name, column: Column(name, "date"),
    "text": _text,
}


def _check(column: Column, values: pl.Series) -> None:
    if column.words:
        to_numbers(values, column.words)
    else:
        _CHECKS[column.kind](values)


_CHECKS: dict[str, Callable[[pl.Series], Any]] = {
    "number": to_numbers,
    "boolean": to_truths,
    "date": to_dates,
    "category": to_text,
}
