"""Columns that are for something else than predicting: weights, groups and times of the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitwell.data.columns import ROLES, check_column
from fitwell.data.splits import Split, split, split_by_time
from fitwell.data.values import kind_of, to_dates, to_numbers, to_text, typed
from fitwell.description import Description
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


class Roles(Description):
    """Which columns of a table say something about its rows.

    Args:
        weights: numbers >= 0: how much each row counts, in training and in scores.
        group: rows with one value of it come into one part (a patient, a customer, a series).
        time: numbers or dates: trained on the past, validated on later rows, tested on the latest.

    >>> Roles(weights="w").given
    {'weights': 'w'}
    """

    weights: str | None = None
    group: str | None = None
    time: str | None = None

    def validate(self) -> None:
        if len(set(self.given.values())) < len(self.given):
            cure = "Leave one of them out."
            raise InvalidArgument("train", "one role for a column", repr(self), cure)
        if self.group is not None and self.time is not None:
            raise InvalidArgument(
                "train",
                "rows in parts by group or by time",
                f"group={self.group!r} and time={self.time!r}",
                "Leave one out: a group may have rows of all times.",
            )

    @property
    def given(self) -> dict[str, str]:
        """Role and column, of those that have one."""
        columns = {role: getattr(self, role) for role in ROLES}
        return {role: name for role, name in columns.items() if name is not None}

    def check(self, frame: pl.DataFrame, targets: Iterable[str]) -> None:
        """Raises UnknownName for a column that the table lacks, InvalidArgument for a target."""
        for role, name in self.given.items():
            check_column(frame, name)
            if name in targets:
                cure = "Choose another column."
                received = f"the target, {role}={name!r}"
                raise InvalidArgument("train", f"a column of its own for {role}", received, cure)

    def of_rows(self, frame: pl.DataFrame, known: pl.Series) -> Rows:
        """What these columns say of the rows whose target is known."""
        weights, group, time = (
            read(frame[name], known) if (name := self.given.get(role)) else None
            for role, read in (("weights", row_weights), ("group", row_groups), ("time", row_times))
        )
        return Rows(weights, group, time)


@dataclass(frozen=True)
class Rows:
    """Weight, number of the group and time of each row; None where there is no such column."""

    weights: HostArray | None = None
    groups: HostArray | None = None
    times: HostArray | None = None

    def split(self, labels: int | HostArray, copies: HostArray | None, seed: int) -> Split:
        """Three parts of 64, 16 and 20 %, whole groups or in the order of time.

        Args:
            labels: how many rows, or the class of each.
            copies: (rows,) the same number for rows that are equal; they stay together.
            seed: which of the possible splits.
        """
        if self.times is not None:
            return split_by_time(self.times, labels=None if isinstance(labels, int) else labels)
        return split(labels, seed=seed, groups=copies if self.groups is None else self.groups)


def row_weights(column: pl.Series, known: pl.Series | None = None) -> HostArray:
    """(rows,) float64 weights of the rows whose target is known (None: of all).

    Raises:
        InvalidData: a weight that is no number, missing or negative, with its row; all are 0.
    """
    numbers = to_numbers(column)
    known = numbers.is_null() | True if known is None else known
    _refuse(column, known & numbers.is_null(), "a weight in every row")
    _refuse(column, known & (numbers < 0), "weights >= 0")
    weights: HostArray = numbers.filter(known).to_numpy()
    if not weights.any():
        raise InvalidData(
            f"column {column.name}", "weights > 0 in some rows", "0 in all", "Correct them."
        )
    return weights


def row_groups(column: pl.Series, known: pl.Series) -> HostArray:
    """(rows,) the number of its group for each row whose target is known.

    Raises:
        InvalidData: a row without a group, or one group only.
    """
    texts = to_text(column)
    _refuse(column, known & texts.is_null(), "a group in every row")
    groups = np.unique(texts.filter(known).to_numpy(), return_inverse=True)[1].reshape(-1)
    if groups.max(initial=0) == 0:
        cure = "Choose a column that tells groups apart, or leave group= out."
        received = f"{texts.drop_nulls()[0]!r} everywhere"
        raise InvalidData(f"column {column.name}", "several groups", received, cure)
    return groups


def row_times(column: pl.Series, known: pl.Series) -> HostArray:
    """(rows,) float64, larger for later rows, of those whose target is known.

    Raises:
        InvalidData: values that are neither numbers nor dates, or a row without one.
    """
    values = typed(column)
    if kind_of(values) not in ("number", "date"):
        texts = values.drop_nulls()
        raise InvalidData(
            f"column {column.name}",
            "times that can be ordered: numbers, or dates such as 2026-01-31",
            f"{texts[0]!r}" if texts.len() else "no values",
            "Write them so, or leave time= out.",
        )
    numbers = to_numbers(values) if kind_of(values) == "number" else to_dates(values).dt.epoch("us")
    _refuse(column, known & numbers.is_null(), "a time in every row")
    times: HostArray = numbers.filter(known).to_numpy().astype(np.float64)
    return times


def part_weights(
    roles: Roles, rows: Rows, chosen: HostArray, training: HostArray
) -> HostArray | None:
    """(chosen,) float32 weights of some rows, 1 on average over the training rows.

    Raises:
        InvalidData: those of all these rows are 0.
    """
    if rows.weights is None:
        return None
    weights = rows.weights[chosen]
    if not weights.any():
        cure = "Leave rows without weight out, or try another seed."
        received = f"0 in all {len(chosen)} rows of one"
        raise InvalidData(f"column {roles.weights}", "weights > 0 in every part", received, cure)
    scaled: HostArray = (weights / rows.weights[training].mean()).astype(np.float32)
    return scaled


def role_notes(roles: Roles, frame: pl.DataFrame, parts: Split) -> tuple[str, ...]:
    """What the roles did, in sentences."""
    notes = []
    three = (parts.train, parts.validation, parts.test)
    if roles.weights:
        notes.append(f"Rows count by {roles.weights}, in training and in scores.")
    if roles.group:
        counts = [frame[roles.group][part].n_unique() for part in three]
        listed = "{:,} to train on, {:,} to validate, {:,} to test".format(*counts)
        notes.append(f"Rows of one {roles.group} are in one part: {listed}.")
    if roles.time:
        times = typed(frame[roles.time])
        first, second = (str(times[part].max()) for part in three[:2])
        notes.append(
            f"Trained on the rows with {roles.time} up to {first}, validated on those up to "
            f"{second}, tested on later ones."
        )
    return tuple(notes)


def _refuse(column: pl.Series, bad: pl.Series, expected: str) -> None:
    rows = bad.arg_true()
    if rows.len():
        value = column[rows[0]]
        received = f"{'none' if value is None else repr(value)} in row {rows[0] + 1}"
        cure = "Correct the value or leave the row out."
        raise InvalidData(f"column {column.name}", expected, received, cure)
