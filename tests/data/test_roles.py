"""Weights, groups and times of rows, and rows that are copies of others."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitwell.data.duplicates import duplicates
from fitwell.data.roles import Roles, Rows, row_groups, row_times, row_weights
from fitwell.errors import InvalidArgument, InvalidData, UnknownName

FRAME = pl.DataFrame({"w": [1.0, 2.0, None], "g": ["a", "b", "a"], "t": [3, 1, 2], "y": [0, 1, 0]})
ALL = pl.Series([True, True, True])


def test_only_rows_with_a_target_count() -> None:
    known = pl.Series([True, True, False])
    rows = Roles(weights="w", group="g").of_rows(FRAME, known)
    assert np.array_equal(rows.weights, [1.0, 2.0])
    assert np.array_equal(rows.groups, [0, 1])
    assert rows.times is None
    assert np.array_equal(Roles(time="t").of_rows(FRAME, known).times, [3.0, 1.0])


def test_times_of_all_kinds_are_ordered() -> None:
    day = datetime.date(2020, 1, 1)
    for values in ([day, datetime.date(2019, 1, 1)], ["2020-01-01", "2019-12-31"], ["2", "1.5"]):
        late, early = row_times(pl.Series("t", values), ALL[:2])
        assert late > early
    one_day = row_times(pl.Series("t", [day, day + datetime.timedelta(days=1)]), ALL[:2])
    assert np.diff(one_day).tolist() == [86_400e6]  # microseconds


def test_groups_are_told_by_their_text() -> None:
    assert row_groups(pl.Series("g", [3, 1, 3]), ALL).tolist() == [1, 0, 1]
    alike = pl.Series("g", ["3", " 3", "3.0", "x"])
    assert row_groups(alike, pl.Series([True] * 4)).tolist() == [0, 0, 0, 1]


BAD: dict[str, tuple[Callable[..., Any], list[Any], str]] = {
    "negative weight": (
        row_weights,
        [1.0, -0.5, 1.0],
        "column c: expected weights >= 0, received -0.5 in row 2. Correct the value or leave the",
    ),
    "missing weight": (
        row_weights,
        [1.0, 1.0, None],
        "column c: expected a weight in every row, received none in row 3.",
    ),
    "word for a weight": (
        row_weights,
        ["1", "heavy", "2"],
        "column c: expected numbers, received 'heavy' in row 2.",
    ),
    "infinite weight": (
        row_weights,
        [1.0, float("inf"), 1.0],
        "column c: expected finite numbers, received inf in row 2.",
    ),
    "no weight at all": (
        row_weights,
        [0, 0, 0],
        "column c: expected weights > 0 in some rows, received 0 in all. Correct them.",
    ),
    "missing group": (
        row_groups,
        ["a", None, "b"],
        "column c: expected a group in every row, received none in row 2.",
    ),
    "one group": (
        row_groups,
        ["a", "a", "a"],
        "column c: expected several groups, received 'a' everywhere. Choose a column that tells",
    ),
    "time that is no time": (
        row_times,
        ["soon", "later", "now"],
        "column c: expected times that can be ordered: numbers, or dates such as 2026-01-31, "
        "received 'soon'. Write them so, or leave time= out.",
    ),
    "missing time": (
        row_times,
        [1, 2, None],
        "column c: expected a time in every row, received none in row 3.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_values_that_no_role_can_have(case: str) -> None:
    read, values, message = BAD[case]
    with pytest.raises(InvalidData, match=re.escape(message)):
        read(pl.Series("c", values), ALL)


def test_roles_that_contradict() -> None:
    message = "expected one role for a column, received Roles(weights='w', group='w')."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        Roles(weights="w", group="w")
    message = "expected rows in parts by group or by time, received group='g' and time='t'."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        Roles(group="g", time="t")
    message = "expected a column of its own for weights, received the target, weights='y'."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        Roles(weights="y").check(FRAME, ["y"])
    with pytest.raises(UnknownName, match=r"received 'grp'\. The choices are"):
        Roles(group="grp").check(FRAME, ["y"])


# Copies


def measurements(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    return pl.DataFrame(
        {"x": draw.normal(size=rows), "n": draw.integers(0, 50, rows), "y": [0] * rows}
    )


def test_copies_are_found_counted_and_kept_together() -> None:
    frame = measurements(60)
    found = duplicates(pl.concat([frame, frame[:7], frame[:2]]))
    assert found.note == (
        "9 of 69 rows are copies of another: copies stay in one part, so no test row was trained "
        "on."
    )
    assert found.groups is not None
    assert found.groups.tolist() == [*range(60), *range(7), 0, 1]
    for seed in range(10):
        parts = Rows().split(69, found.groups, seed)
        held = [set(found.groups[part]) for part in (parts.train, parts.validation, parts.test)]
        assert len(held[0] | held[1] | held[2]) == sum(map(len, held)) == 60


def test_a_table_that_is_there_three_times_is_full_of_copies() -> None:
    frame = measurements(60)
    assert duplicates(pl.concat([frame] * 3)).groups is not None


def test_missing_values_are_equal_and_nothing_is_said_without_copies() -> None:
    frame = measurements(30).with_columns(pl.lit(None, pl.Float64).alias("empty"))
    assert duplicates(frame).note == ""
    assert duplicates(pl.concat([frame, frame[:1]])).note.startswith("1 of 31 rows is a copy of")


def test_few_values_are_equal_by_chance() -> None:
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({name: draw.integers(0, 3, 400) for name in "abc"})
    found = duplicates(frame)
    assert found.groups is None
    assert found.note == (
        "373 of 400 rows are equal to another, no more than chance makes."
    )  # 27 different rows
    a_few = pl.DataFrame({name: draw.integers(0, 60, 400) for name in "ab"})
    assert duplicates(a_few).note == ""  # about 400 * 399 / 2 / 3600 = 22 pairs


def test_one_column_of_measurements_is_enough() -> None:
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({"x": draw.normal(size=100), "y": draw.integers(0, 2, 100)})
    found = duplicates(pl.concat([frame, frame]))
    assert found.groups is not None
    assert found.groups.tolist() == [*range(100), *range(100)]
