"""What the columns of a table are: numbers, categories, and those that are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fitwell.data.values import kind_of, to_dates, to_numbers, to_text, to_truths, typed
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
        note: why it is left out, as a sentence; empty if there is nothing to say.
    """

    name: str
    kind: str
    note: str = ""

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
        Column(column.name, known[column.name])
        if column.name in known
        else _infer(column.name, typed(column))
        for column in frame.iter_columns()
        if column.name != target
    )
    for column in columns:
        if column.used:
            _CHECKS[column.kind](frame[column.name])
    if not any(column.used for column in columns):
        raise InvalidData(
            "table",
            "at least one column to predict from",
            "; ".join(c.note.rstrip(".") or c.name for c in columns) or "only the target",
            "Add a column, or name its kind (kinds={'column': 'category'}).",
        )
    return columns


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
    return _KINDS[kind](name, column)


def _is_id(name: str, column: pl.Series, kind: str) -> bool:
    simple = name.lower().strip()
    named = (
        simple in _ID_NAMES or simple.endswith(("_id", " id", "-id")) or name.endswith(("Id", "ID"))
    )
    few = column.len() < _FEW_ROWS
    if kind == "text":
        return named or (not few and not column.str.contains(" ").any())
    if not column.dtype.is_integer():
        return False
    low, high = column.min(), column.max()
    counts = isinstance(low, int) and isinstance(high, int) and high - low == column.len() - 1
    return named or (counts and not few)


def _text(name: str, column: pl.Series) -> Column:
    values = column.drop_nulls()
    distinct = values.n_unique()
    if values.len() < _FEW_ROWS or distinct <= values.len() / 2:
        return Column(name, "category")
    note = f"{name} is left out: free text or names ({distinct} different in {values.len()} rows)."
    if column.null_count():
        note = note.replace("left out", "used only as present or missing")
    return Column(name, "text", note)


_KINDS: dict[str, Callable[[str, pl.Series], Column]] = {
    "number": lambda name, column: Column(name, "number"),
    "boolean": lambda name, column: Column(name, "boolean"),
    "date": lambda name, column: Column(name, "date"),
    "text": _text,
}

_CHECKS: dict[str, Callable[[pl.Series], Any]] = {
    "number": to_numbers,
    "boolean": to_truths,
    "date": to_dates,
    "category": to_text,
}
