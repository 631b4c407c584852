"""What the columns of a table are: numbers, categories, and those that are left out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
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
from fitwell.data.wording import tells_rows_apart
from fitwell.description import Description, check_choice
from fitwell.errors import InvalidArgument, InvalidData, UnknownName, did_you_mean

if TYPE_CHECKING:
    import polars as pl

ID = "an id, different in "
"""How the reason of a column of ids begins."""
SAID = "as you said"

USED = ("number", "category", "boolean", "date", "text")
LEFT_OUT = ("id", "constant", "other", "ignore")
KINDS = USED + LEFT_OUT
ROLES = ("weights", "group", "time")
"""What a column can be for beside the features; its name is then given by that argument."""

_ID_NAMES = ("id", "uuid", "guid", "key", "index", "rownumber", "rowid", "unnamed: 0")
_LONGEST = 30
"""Characters of an example."""
_FEW_ROWS = 20
"""In so few rows all values may differ by chance: nothing is concluded from that."""


class Column(Description):
    """A column of a table and what it is taken for.

    Args:
        name: as in the table.
        kind: `"number"`, `"category"`, `"boolean"`, `"date"` or `"text"` if it is used; `"id"`
            (of which only is used whether there is a value), `"constant"`, `"other"` or
            `"ignore"` if it is left out; `"weights"`, `"group"` or `"time"` if that is its role.
        note: why it is left out, or what was done to it, as a sentence; empty if there is nothing
            to say.
        words: text between the numbers of the column, which is read as missing.
        why: the reason for the kind, in a few words.
        missing: rows without a value.
        distinct: different values, the missing one aside; 0 of lists, which are not counted.
        example: the first value, shortened.
    """

    name: str
    kind: str
    note: str = ""
    words: tuple[str, ...] = ()
    why: str = ""
    missing: int = 0
    distinct: int = 0
    example: str = ""

    def validate(self) -> None:
        check_choice(self, "kind", KINDS + ROLES)

    @property
    def used(self) -> bool:
        """Whether the values of the column are features."""
        return self.kind in USED


def infer_columns(
    frame: pl.DataFrame,
    target: str | Iterable[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> tuple[Column, ...]:
    """What every column but the target is.

    The rules, in this order:

    - one value everywhere: a constant;
    - whole numbers, or text without spaces, with another value in every row that is no copy of
      another: an id if the name says so, if they are text, or if they count without a gap (a number
      of the row);
    - numbers, and text of which every value is a number: numbers, also if they are few and whole
      (the class of a cabin, the number of rooms): order is information;
    - text of which nine tenths are numbers: numbers, too; the rest is read as missing;
    - `true`/`false`: boolean; days and moments: dates;
    - text: categories, unless more than half of the values are different: then it is free text
      if at least two words are in several rows, yet not in all, and otherwise an id;
    - lists and other nested values: left out.

    Args:
        frame: the table.
        target: the column that is to be predicted, or several.
        kinds: columns whose kind you know better: `{"Pclass": "category", "note": "ignore"}`.
        roles: columns that are no features, unless `kinds` has them: `{"weights": "w"}`, and
            so for `"group"` and `"time"`.

    Raises:
        UnknownName: the target, or a name in `kinds`, is no column.
        InvalidArgument: the kind of a target.
        InvalidData: no column is left to predict from; a value that a column of its kind
            cannot hold, such as an infinite number.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, 45, 28], "city": ["Bern", "Rome", "Bern"]})
    >>> [(column.name, column.kind, column.why) for column in infer_columns(frame)]
    [('age', 'number', 'numbers'), ('city', 'category', '2 different words')]
    """
    known, role_of = dict(kinds or {}), {name: role for role, name in (roles or {}).items()}
    targets = [target] if isinstance(target, str) else list(target or [])
    for name in (*known, *targets):
        check_column(frame, name)
    _check_kinds(known, targets)
    different = functools.cache(lambda: _different(frame))
    columns = tuple(
        _described(
            _column(column, known.get(column.name), role_of.get(column.name), different), column
        )
        for column in frame.iter_columns()
        if column.name not in targets
    )
    for column in columns:
        if column.used:
            _check(column, frame[column.name])
    if not any(column.used for column in columns):
        raise _nothing_left(frame, columns)
    return columns


def _nothing_left(frame: pl.DataFrame, columns: Iterable[Column]) -> InvalidData:
    """Of columns that are all left out."""
    notes = "; ".join(c.note.rstrip(".") or f"{c.name} is for {c.kind}" for c in columns)
    received, cure = f"none: {notes}" if notes else "only the target", "Add a column."
    varied = [c for c in columns if c.kind == "id"]
    if varied:
        name = varied[0].name
        kind = "number" if frame[name].dtype.is_numeric() else "text"
        asked = f"kinds={{{name!r}: {kind!r}}}, on the command line --columns {name}={kind}"
        cure = f"Add a column, or say what one is: {asked}."
    return InvalidData("table", "at least one column to predict from", received, cure)


def _different(frame: pl.DataFrame) -> int:
    """How many rows are no copies of others."""
    kept = [c.name for c in frame.iter_columns() if not c.dtype.is_nested() and c.dtype != object]
    return frame.select(kept).n_unique()


def _check_kinds(kinds: Mapping[str, str], targets: Iterable[str]) -> None:
    for name, kind in kinds.items():
        if kind in ROLES:
            cure = f"Pass {kind}={name!r}."
            raise InvalidArgument("kinds", f"one of {', '.join(KINDS)}", f"{name}={kind!r}", cure)
        if name in targets:
            cure = "Leave it out; task= says whether it is a class or a number."
            raise InvalidArgument("kinds", "columns to predict from", f"the target {name!r}", cure)


def _column(
    values: pl.Series, kind: str | None, role: str | None, different: Callable[[], int]
) -> Column:
    if kind is not None:
        return _known(values.name, kind, values)
    if role is not None:
        return Column(values.name, role, why=_ROLES[role])
    return _infer(values.name, typed(values), different)


_ROLES = {
    "weights": "how much each row counts",
    "group": "rows of one group stay in one part",
    "time": "the order of the rows: trained on the past",
}


def _described(column: Column, values: pl.Series) -> Column:
    """The same with how many values there are, and one of them."""
    known = stripped(values) if str(values.dtype) == "String" else values
    full = known.drop_nulls()
    example = str(full[0]) if full.len() else ""
    return dataclasses.replace(
        column,
        missing=known.len() - full.len(),
        distinct=0 if values.dtype.is_nested() else full.n_unique(),
        example=example if len(example) <= _LONGEST else example[: _LONGEST - 3] + "...",
    )


def _known(name: str, kind: str, column: pl.Series) -> Column:
    if kind == "number" and (numbers := _numbers_with_slips(name, typed(column))):
        return numbers
    return Column(name, kind, why=SAID)


def check_column(frame: pl.DataFrame, name: str) -> None:
    """Raises UnknownName with the nearest right name if the table has no such column."""
    if name not in frame.columns:
        cure = did_you_mean(name, frame.columns)
        raise UnknownName("table", "the name of one of its columns", repr(name), cure)


def _infer(name: str, column: pl.Series, different: Callable[[], int]) -> Column:
    kind = kind_of(column)
    if kind == "other":
        return _left_out(name, "other", f"{column.dtype} is no kind of feature")
    distinct = column.n_unique()
    if distinct == 1:
        value = "it has no values" if column[0] is None else f"its value is always {column[0]!r}"
        return _left_out(name, "constant", value)
    copied = distinct < column.len()
    if _in_every_row(distinct, column.len(), different) and _is_id(name, column, kind, distinct):
        every = "every row that is no copy of another" if copied else "every row"
        return _left_out(name, "id", f"{ID}{every}")
    if kind == "text" and (numbers := _numbers_with_slips(name, column)):
        return numbers
    return _text(name, column) if kind == "text" else Column(name, kind, why=_TYPES[kind])


_TYPES = {"number": "numbers", "boolean": "true or false", "date": "dates"}


def _left_out(name: str, kind: str, why: str, so: str = "left out") -> Column:
    return Column(name, kind, f"{name} is {so}: {why}.", why=why)


def _in_every_row(distinct: int, rows: int, different: Callable[[], int]) -> bool:
    """Whether all rows have another value, copies of a row aside (if they are the fewer)."""
    if distinct == rows or distinct < _FEW_ROWS or 2 * distinct <= rows:
        return distinct == rows
    return distinct == different()


def _is_id(name: str, column: pl.Series, kind: str, distinct: int) -> bool:
    simple = name.lower().strip()
    named = (
        simple in _ID_NAMES or simple.endswith(("_id", " id", "-id")) or name.endswith(("Id", "ID"))
    )
    few = distinct < _FEW_ROWS
    if kind == "text":
        codes = not few and not column.str.contains(" ").any() and like_numbers(column) <= 0.5
        return named or codes
    if not column.dtype.is_integer():
        return False
    low, high = column.min(), column.max()
    counts = isinstance(low, int) and isinstance(high, int) and high - low == distinct - 1
    return named or (counts and not few)


def _numbers_with_slips(name: str, column: pl.Series) -> Column | None:
    others = slips(column)
    if others is None:
        return None
    text = stripped(column)
    known, rows = text.len() - text.null_count(), others.arg_true()
    words = tuple(sorted(text.filter(others).unique().to_list()))
    more = f" like {len(rows) - 1} other rows" if len(rows) > 2 else " like one other row"
    why = f"{known - len(rows):,} of {known:,} values are numbers"
    note = (
        f"{name}: {why}; row {rows[0] + 1} holds "
        f"{text[rows[0]]!r}, read as missing{more if len(rows) > 1 else ''}."
    )
    return Column(name, "number", note, words, why=why)


def _text(name: str, column: pl.Series) -> Column:
    values = column.drop_nulls()
    distinct = values.n_unique()
    if values.len() < _FEW_ROWS or distinct <= values.len() / 2:
        return Column(name, "category", why=f"{distinct} different words")
    counted = f"{distinct} different in {values.len()} rows"
    if like_numbers(column) >= 0.9:
        odd = values.filter(values.str.contains(r"[^\d.+-]"))[0]
        return _unused(column, f"it looks like numbers, but {odd!r} is not read as one")
    if tells_rows_apart(values):
        return Column(name, "text", why=f"free text ({counted})")
    return _unused(column, f"free text or names ({counted})")


def _unused(column: pl.Series, why: str) -> Column:
    so = "used only as present or missing" if column.null_count() else "left out"
    return _left_out(column.name, "id", why, so)


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
    "text": to_text,
}
