"""The column to predict: which task it is, and how its values become numbers and back."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitwell.data.columns import check_column
from fitwell.data.values import kind_of, slips, stripped, to_numbers, to_text
from fitwell.description import Description, check_choice, check_number
from fitwell.errors import InvalidArgument, InvalidData, UnknownName, nearest
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

TASKS = {"binary": "two classes", "multiclass": "classes", "regression": "a number"}
"""What the tasks are called, and what the target is in words."""

_MOST_CLASSES = 20
_ROWS_PER_CLASS = 5


def target_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """The column of that name; text without spaces around it, words for "missing" as missing.

    Raises:
        UnknownName: the table has no such column; proposes the nearest.
    """
    check_column(frame, name)
    column = frame[name]
    return stripped(column) if str(column.dtype) == "String" else column


def infer_task(column: pl.Series, task: str | None = None) -> str:
    """`"binary"`, `"multiclass"` or `"regression"`.

    Text and truth values are classes. Numbers are classes if there are just two, or if they are
    whole, at most 20 different ones, with five rows or more to each on average; otherwise
    they are a quantity.

    Args:
        column: the target; missing values are ignored.
        task: what you know it to be: checked, not inferred.

    Raises:
        InvalidData: a target that cannot be learned, for instance with one value only, or one of
            numbers with a few words in between.

    >>> import polars as pl
    >>> infer_task(pl.Series(["yes", "no", "yes"])), infer_task(pl.Series([1.5, 2.5, 7.0]))
    ('binary', 'regression')
    """
    if task is not None and task not in TASKS:
        raise InvalidArgument("task", f"one of {', '.join(TASKS)}", repr(task), "Choose one.")
    known = column.drop_nulls()
    distinct = known.n_unique() if kind_of(known) != "other" else 0
    if distinct < 2:
        raise _unfit(column, "at least two different values", f"{distinct}")
    if kind_of(known) == "date":
        raise _unfit(column, "classes or numbers", "dates")
    if task == "regression":
        _check_numbers(column, known, distinct)
        return task
    if task is None and slips(column) is not None:
        to_numbers(column)  # a quantity with a word in between: the error names the row
    classes = task is not None or distinct == 2 or _are_classes(known, distinct)
    if not classes:
        return "regression"
    found = "binary" if distinct == 2 else "multiclass"
    if task is not None and task != found:
        raise _unfit(column, "two classes" if task == "binary" else "three or more", f"{distinct}")
    if kind_of(known) == "text" and distinct > _MOST_CLASSES and distinct > known.len() / 2:
        raise _unfit(column, "classes that repeat", f"{distinct} different in {known.len()} rows")
    return found


def _check_numbers(column: pl.Series, known: pl.Series, distinct: int) -> None:
    """Raises InvalidData for what cannot be a quantity; of words, with the task that they are."""
    try:
        to_numbers(column)
    except InvalidData as error:
        if kind_of(known) != "text" or slips(column) is not None:
            raise
        task = "binary" if distinct == 2 else "multiclass"
        cure = f"Leave the task out, or choose {task}."
        expected = "numbers, for the task regression"
        received = f"text such as {known[0]!r}"
        raise InvalidData(f"target {column.name}", expected, received, cure) from error


def _are_classes(known: pl.Series, distinct: int) -> bool:
    if kind_of(known) != "number":
        return True
    whole = bool((known == known.round()).all())
    return whole and distinct <= _MOST_CLASSES and distinct * _ROWS_PER_CLASS <= known.len()


def _unfit(column: pl.Series, expected: str, received: str) -> InvalidData:
    return InvalidData(
        f"target {column.name}", expected, received, "Choose another column or another task."
    )


class Target(Description):
    """The target of a table; made by `fit_target`.

    Regression: y -> (y - mean) / sd, and back, limited to the range of the training rows.
    Classes: label -> 0 .. C - 1, and back to the label of the same type.

    Args:
        name: of the column.
        task: `"binary"`, `"multiclass"` or `"regression"`.
        classes: the labels, sorted.
        mean, sd: of the training rows, in the unit of the target.
        low, high: the smallest and the largest value of the training rows.
    """

    name: str
    task: str
    classes: tuple[bool | int | float | str, ...] = ()
    mean: float = 0.0
    sd: float = 1.0
    low: float = 0.0
    high: float = 0.0

    def validate(self) -> None:
        check_choice(self, "task", tuple(TASKS))
        for name in ("mean", "low", "high"):
            check_number(self, name, open_low=True, open_high=True)
        check_number(self, "sd", 0.0, open_low=True, open_high=True)
        if (self.task == "regression") != (len(self.classes) < 2):
            raise InvalidArgument(
                "Target", "two classes or more, or a regression", f"{self!r}", "Train it again."
            )

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values -> (n,) float32 standardised, or int32 class numbers.

        Raises:
            InvalidData: a missing value, or a class that training did not have; with its row.
        """
        self._refuse_missing(column)
        if self.task == "regression":
            standard: HostArray = (to_numbers(column).to_numpy() - self.mean) / self.sd
            return standard.astype(np.float32)
        places = {_spelling(label): place for place, label in enumerate(self.classes)}
        texts = stripped(column) if kind_of(column) == "text" else to_text(column)
        codes = [places.get(text, -1) for text in texts]
        if -1 in codes:
            row = codes.index(-1)
            raise self._bad(f"one of the classes {self._listed()}", repr(column[row]), row)
        return np.array(codes, np.int32)

    def true_values(self, column: pl.Series) -> HostArray:
        """(n,) values as scores take them: float64 in their own unit, or int32 class numbers."""
        if self.task != "regression":
            return self.encode(column)
        self._refuse_missing(column)
        values: HostArray = to_numbers(column).to_numpy()
        return values

    def _refuse_missing(self, column: pl.Series) -> None:
        if column.null_count():
            row = int(column.is_null().arg_true()[0])
            raise self._bad("a value in every row", "none", row)

    def _listed(self) -> str:
        shown = ", ".join(repr(label) for label in self.classes[:10])
        return shown + (", ..." if len(self.classes) > 10 else "")

    def _bad(self, expected: str, received: str, row: int) -> InvalidData:
        return InvalidData(
            f"target {self.name}", expected, f"{received} in row {row + 1}", "Correct the value."
        )

    def decode(self, outputs: HostArray) -> HostArray:
        """Class numbers -> labels; standardised predictions -> the unit of the target (float64)."""
        if self.task == "regression":
            values = np.asarray(outputs, np.float64) * self.sd + self.mean
            limited: HostArray = np.clip(values, self.low, self.high)
            return limited
        labels: HostArray = np.array(self.classes)[np.asarray(outputs)]
        return labels


def fit_target(column: pl.Series, task: str) -> Target:
    """Learns the classes, or mean and range, from the training rows (none missing)."""
    if task != "regression":
        return Target(column.name, task, tuple(sorted(column.unique().to_list())))
    y = to_numbers(column).to_numpy()
    largest = float(abs(y).max())
    unit = 1.0 if 1e-100 < largest < 1e100 else largest or 1.0  # squares of others leave float64
    sd = float((y / unit).std()) * unit
    return Target(
        column.name,
        task,
        mean=float((y / unit).mean()) * unit,
        sd=sd if sd > 0 and np.isfinite(sd) else 1.0,
        low=float(y.min()),
        high=float(y.max()),
    )


def _spelling(label: bool | int | float | str) -> str:
    import polars as pl

    return label if isinstance(label, str) else str(to_text(pl.Series([label]))[0])


_MOST_SIGNALS = 16
"""Classes that are told of: each makes a feature of every such category."""


def signals_of(targets: Sequence[Target], ys: Sequence[pl.Series]) -> HostArray:
    """(n, signals) float32: what categories may tell of the targets, NaN where one has no value.

    A number in units of its standard deviation; of two classes, 1 in the rows of the second; of
    more (at most the 16 that most rows have) 1 in the rows of each, else 0.
    """
    blocks = []
    for target, y in zip(targets, ys, strict=True):
        encoded = target.encode(y.drop_nulls())
        if target.task == "regression":
            told = encoded[:, None]
        else:
            counts = np.bincount(encoded, minlength=len(target.classes))
            often = np.sort(np.argsort(-counts, kind="stable")[:_MOST_SIGNALS])
            told = encoded[:, None] == (often[1:] if target.task == "binary" else often)
        block = np.full((len(y), told.shape[1]), np.nan, np.float32)
        block[y.is_not_null().to_numpy()] = told
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def true_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """The target in rows that a model is judged by.

    Raises:
        UnknownName: the table lacks it.
    """
    if name not in frame.columns:
        near = nearest(name, frame.columns)
        cure = f"Is it called {near!r} now? Rename it." if near else "Add it, or predict only."
        expected = f"the target {name!r}, which predictions are held against"
        raise UnknownName("table", expected, f"the columns {', '.join(frame.columns)}", cure)
    return target_column(frame, name)


def is_known(*ys: pl.Series) -> pl.Series:
    """Whether each row has a value of one of these targets at least.

    Raises:
        InvalidData: no row has.
    """
    known = functools.reduce(operator.or_, (y.is_not_null() for y in ys))
    if not known.any():
        names = ", ".join(y.name for y in ys)
        cure = "Give rows whose target is known; without it a model can only predict."
        raise InvalidData(f"target {names}", "a value in some rows", "none", cure)
    return known


def known_rows(frame: pl.DataFrame, *ys: pl.Series) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows of which `is_known` holds, and sentences about what is missing."""
    known = is_known(*ys)
    missing, total = len(known) - int(known.sum()), len(known)
    lack, notes = " and no ".join(y.name for y in ys), []
    if missing:
        notes.append(f"{missing:,} of {total:,} rows have no {lack}: they are left out.")
    lacking = {y.name: y.null_count() - missing for y in ys}
    notes += [
        f"{more:,} of {total:,} rows have no {name}: they count for the rest."
        for name, more in lacking.items()
        if more
    ]
    return frame.filter(known) if missing else frame, tuple(notes)
