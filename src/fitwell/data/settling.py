"""From columns of text to columns of numbers, dates and truth values; the table decides together.

One column may leave open what it means: `1,234` is a thousand or one, `03/04/2020` is in March or
April. Then the columns that leave nothing open decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fitwell.data.forms import COMMA, NUMBER_FORMS, POINT, explained, forms_of, mark, read_as
from fitwell.data.values import grouped_by_points, kind_of, stripped, typed

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Settled:
    """A table whose text has become numbers and dates where it is written like them.

    Attributes:
        frame: the table.
        forms: of the columns that are written in another way than Python's.
        notes: a sentence for each of them.
    """

    frame: pl.DataFrame
    forms: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def settle(
    frame: pl.DataFrame,
    *,
    text: Collection[str] = (),
    forms: Mapping[str, str] | None = None,
    codes: bool = False,
    delimiter: str = ",",
) -> Settled:
    """Gives every column of text the type that all its values have.

    Where no other column decides, a comma between digits is a decimal mark in tables that `;`
    separates and groups thousands in others, a point is a decimal mark, and dates stay text.

    Args:
        frame: the table.
        text: columns that stay as they are.
        forms: the forms of columns, where they are known.
        codes: text of nothing but whole numbers, or of truth values, stays text: in a data frame
            it has been written so on purpose.
        delimiter: what separated the values in a file.
    """
    words = [c for c in frame.iter_columns() if c.name not in text and c.dtype == _string()]
    named = {column.name for column in words}
    choices = {name: [form] for name, form in (forms or {}).items() if name in named}
    plain: dict[str, pl.Series] = {}
    for column in words:  # one after the other: of a long table each copy counts
        bare = stripped(column)
        found = typed(bare)
        meant = codes and _is_code(found)
        plain[column.name] = bare if meant else found
        if column.name in choices or meant:
            continue
        if found.dtype == _string() or grouped_by_points(bare):
            choices[column.name] = forms_of(bare)
    others = [c for c in (*frame.iter_columns(), *plain.values()) if c.name not in choices]
    marks = {mark(fitting[0]) for fitting in choices.values() if len(fitting) == 1}
    if not codes and any(column.dtype.is_float() for column in others):
        marks.add(".")
    settled = Settled(frame)
    for name, fitting in choices.items():
        bare = stripped(frame[name])
        form = _chosen(fitting, bare, marks, delimiter)
        if form is not None:
            plain[name] = _apply(name, bare, form, len(fitting) > 1, settled)
        elif fitting:
            settled.notes.append(_open_date(name, bare))
    settled.frame = frame.with_columns(plain.values())
    return settled


def _string() -> Any:
    import polars as pl

    return pl.String


def _is_code(value: pl.Series) -> bool:
    return value.dtype.is_integer() or kind_of(value) == "boolean"


def _chosen(found: list[str], text: pl.Series, marks: set[str], delimiter: str) -> str | None:
    """One of the forms that fit, or None."""
    if len(found) < 2:
        return found[0] if found else None
    agreeing = [form for form in found if mark(form) in marks]
    if len(agreeing) == 1:
        return agreeing[0]
    if found[0] not in NUMBER_FORMS:
        return None
    comma = delimiter == ";" and text.str.contains(",", literal=True).any()
    return next(form for form in found if form.startswith(COMMA if comma else POINT))


def _apply(name: str, text: pl.Series, form: str, was_open: bool, settled: Settled) -> pl.Series:
    """The column in its form; text that does not fit stays, beside numbers in Python's form."""
    import polars as pl

    values = read_as(text, form)
    simple = text.cast(pl.Float64, strict=False)
    changed = values.is_not_null() & simple.is_null()
    if was_open and form in NUMBER_FORMS:
        changed |= (values != simple).fill_null(False)
    if changed.any():
        row = int(changed.arg_true()[0])
        settled.forms[name] = form
        how = f"{text[row]!r} is read as {_said(values[row])}"
        settled.notes.append(f"{name}: {how}{explained(form)}.")
    if values.null_count() == text.null_count():
        return values.alias(name)
    spelled = values.cast(pl.String) if form in NUMBER_FORMS else text
    return pl.select(pl.when(changed).then(spelled).otherwise(text).alias(name)).to_series()


def _said(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


def _open_date(name: str, text: pl.Series) -> str:
    return (
        f"{name}: day and month of {text.drop_nulls()[0]!r} could be exchanged; it stays text. "
        "Write dates as 2026-01-31."
    )
