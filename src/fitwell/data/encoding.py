"""From a table to numbers: what was learned from the training rows, as a frozen description."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np

from fitwell.data.columns import ROLES, Column
from fitwell.data.features import (
    DATE_PARTS,
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    NumberColumn,
    PresenceColumn,
    date_parts,
)
from fitwell.data.scaling import center_and_scale
from fitwell.data.target_encoding import TargetEncodedColumn, fit_target_encoding, out_of_fold
from fitwell.data.values import to_numbers, to_text, to_truths
from fitwell.data.wording import TextColumn, fit_text
from fitwell.description import Description
from fitwell.errors import InvalidData, InvalidFile
from fitwell.serialization import Catalog
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

MOST_CATEGORIES = 100
"""Categories of more values that come again are encoded by the target, if there is one; without,
so many get a feature of their own and the rest share one."""

FittedColumn = (
    NumberColumn
    | CategoryColumn
    | TargetEncodedColumn
    | BooleanColumn
    | DateColumn
    | TextColumn
    | PresenceColumn
)
Signals = Callable[[], HostArray]
_CATALOG = Catalog({kind.__name__: kind for kind in get_args(FittedColumn)})


class TableEncoder(Description):
    """The map from a table to a float32 array (rows, features); made by `fit_encoder`.

    Columns are found by name; those it does not know are ignored.

    >>> import polars as pl
    >>> from fitwell.data.columns import infer_columns
    >>> frame = pl.DataFrame({"age": [20.0, 30.0, 40.0], "city": ["Bern", "Rome", "Bern"]})
    >>> encoder = fit_encoder(frame, infer_columns(frame))
    >>> encoder.feature_names
    ('age', 'city=Bern', 'city=(other)')
    >>> encoder.transform(pl.DataFrame({"age": [30], "city": ["Oslo"]}))
    array([[0., 0., 1.]], dtype=float32)
    """

    columns: tuple[FittedColumn, ...]

    subject: ClassVar[str] = "table"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per feature, such as `"age"`, `"age is missing"`, `"city=Bern"`."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns whose text `read_table` must keep as it is written."""
        written = CategoryColumn | TargetEncodedColumn | TextColumn
        return tuple(c.name for c in self.columns if isinstance(c, written))

    @property
    def categories(self) -> tuple[tuple[int, int], ...]:
        """Each feature that holds the place of a value among many, and how many there are."""
        found, start = [], 0
        for column in self.columns:
            start += len(column.feature_names)
            if isinstance(column, TargetEncodedColumn):
                found.append((start - 1, len(column.values) + 1))
        return tuple(found)

    def transform(self, frame: pl.DataFrame) -> HostArray:
        """(rows, features), float32, all finite.

        Raises:
            InvalidData: a column is missing, or a value is of another type than in training.
        """
        for column in self.columns:
            if column.name not in frame.columns:
                near = difflib.get_close_matches(column.name, frame.columns, n=1)
                raise InvalidData(
                    self.subject,
                    f"the column {column.name!r}, as in training",
                    f"the columns {', '.join(frame.columns)}",
                    f"Is it called {near[0]!r} now? Rename it." if near else "Add it.",
                )
        return np.concatenate([c.encode(frame[c.name]) for c in self.columns], axis=1)

    def surprises(self, frame: pl.DataFrame) -> tuple[str, ...]:
        """Sentences about values that training never saw, one per column that has them."""
        return tuple(note for c in self.columns if (note := c.surprise(frame[c.name])))

    def to_json(self) -> list[Any]:
        """What `json.dumps` takes; `from_json` gives back the same encoder to the last bit."""
        return [_CATALOG.to_json(column) for column in self.columns]

    @classmethod
    def from_json(cls, data: Any) -> TableEncoder:
        """The inverse of `to_json`.

        Raises:
            InvalidFile: anything that `to_json` does not write.
        """
        columns = _CATALOG.from_json(data)
        if not isinstance(columns, tuple) or not all(isinstance(c, FittedColumn) for c in columns):
            raise InvalidFile(
                "model file", "a list of the table's columns", repr(data)[:60], "Train it again."
            )
        return cls(columns)


def fit_encoder(
    frame: pl.DataFrame,
    columns: Iterable[Column],
    rows: HostArray | None = None,
    signals: Signals | None = None,
) -> TableEncoder:
    """Learns centres, scales, categories and what can be missing from the training rows.

    Args:
        frame: the table.
        columns: what its columns are.
        rows: the places of the training rows; None for all.
        signals: returns what `signals_of` tells of the target in these rows; None if there is none.
    """
    chosen = slice(None) if rows is None else rows  # column by column: a copy of one at a time
    fitted = (_fit(column, frame[column.name][chosen], signals) for column in columns)
    return TableEncoder(tuple(column for column in fitted if column is not None))


def put_out_of_fold(
    encoder: TableEncoder,
    features: HostArray,
    frame: pl.DataFrame,
    rows: HostArray,
    signals: Signals,
    groups: HostArray | None,
) -> None:
    """Has the features of training rows say nothing of their own targets (see `out_of_fold`).

    Args:
        encoder: learnt from these rows.
        features: (rows, features) of them, changed in place.
        frame, rows, signals: as for `fit_encoder`.
        groups: (rows,) the same number for rows that belong together; None where each is alone.
    """
    start = 0
    for column in encoder.columns:
        end = start + len(column.feature_names)
        if isinstance(column, TargetEncodedColumn):
            values = frame[column.name][rows]
            features[:, start : end - 1] = out_of_fold(column, values, signals(), groups)
        start = end


def decisions(columns: Iterable[Column], encoder: TableEncoder) -> list[dict[str, Any]]:
    """What became of every column, one row each, in JSON values.

    The keys are column, kind, decision (its features, or that it is left out), why, missing and
    distinct (numbers of rows and values) and example.

    >>> import polars as pl
    >>> from fitwell.data.columns import infer_columns
    >>> frame = pl.DataFrame({"age": [20.0, 30.0, None], "unit": ["cm"] * 3})
    >>> columns = infer_columns(frame)
    >>> for row in decisions(columns, fit_encoder(frame, columns)):
    ...     print(*row.values(), sep="; ")
    age; number; 2 features; numbers; 1; 2; 20.0
    unit; constant; left out; its value is always 'cm'; 0; 1; cm
    """
    features = {column.name: len(column.feature_names) for column in encoder.columns}
    rows = []
    for column in columns:
        count = features.get(column.name, 0)
        none = "no feature" if column.kind in ROLES else "left out"
        decision = f"{count} feature{'s' if count > 1 else ''}" if count else none
        described = {"column": column.name, "kind": column.kind, "decision": decision}
        facts = {"missing": column.missing, "distinct": column.distinct, "example": column.example}
        rows.append({**described, "why": column.why, **facts})
    return rows


def _fit(column: Column, values: pl.Series, signals: Signals | None) -> FittedColumn | None:
    if column.kind == "number":
        return _fit_number(column.name, to_numbers(values, column.words), column.words)
    if column.kind == "category":
        return _fit_category(column.name, to_text(values), signals)
    if column.kind == "boolean":
        return BooleanColumn(column.name, _some_missing(to_truths(values)))
    if column.kind == "date":
        return _fit_date(column.name, values)
    if column.kind == "text" and (text := fit_text(column.name, to_text(values))):
        return text
    if column.kind in ("text", "id") and _some_missing(to_text(values)):
        return PresenceColumn(column.name)
    return None


def _fit_number(name: str, values: pl.Series, words: tuple[str, ...] = ()) -> NumberColumn:
    missing = _some_missing(values)
    x = values.drop_nulls().to_numpy()
    if x.size == 0:
        return NumberColumn(name, 0.0, 0.0, missing, words)
    center, scale = center_and_scale(x)
    ends = float(x.min()), float(x.max())
    return NumberColumn(name, float(center), float(scale), missing, words, *ends)


def _fit_category(
    name: str, values: pl.Series, signals: Signals | None
) -> CategoryColumn | TargetEncodedColumn:
    found = values.value_counts(sort=False)
    counts = dict(zip(found[values.name], found["count"], strict=True))
    again = sum(count > 1 for value, count in counts.items() if value is not None)
    if signals is not None and again > MOST_CATEGORIES:
        return fit_target_encoding(name, values, counts, signals())
    missing = counts.pop(None, 0)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    kept = [value for value in ranked[:MOST_CATEGORIES] if counts[value] > 1]
    names: list[str | None] = [*sorted(kept), *([None] if missing else [])]
    return CategoryColumn(name, tuple(names), len(kept) < len(ranked))


def _fit_date(name: str, values: pl.Series) -> DateColumn:
    parts = date_parts(values)
    varying = [part for part, numbers in parts.items() if numbers.drop_nulls().n_unique() > 1]
    fitted = [_fit_number(f"{name} {part}", parts[part]) for part in varying or DATE_PARTS[:1]]
    first, *others = fitted
    return DateColumn(name, (first, *(dataclasses.replace(p, missing=False) for p in others)))


def _some_missing(values: pl.Series) -> bool:
    return 0 < values.null_count() < values.len()
