"""The three parts of a table's rows, with a share of every class of every target in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitwell.data.roles import Rows
from fitwell.data.splits import Split
from fitwell.errors import InvalidData
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_TRIALS = 20
"""Splits that are tried until all classes of several targets are in the training part."""
_ROWS_PER_CLASS = 5
"""Combinations of classes with fewer rows are stratified together."""
_NONE = -1
"""The class of rows without a value of the target."""


def split_rows(
    ys: Sequence[pl.Series],
    tasks: Sequence[str],
    rows: Rows,
    copies: HostArray | None,
    seed: int,
) -> Split:
    """Training, validation and test part, stratified by the classes of all targets.

    Args:
        ys: the targets; each row has one of them at least.
        tasks: of each.
        rows: what is known of the rows.
        copies: (rows,) the same number for rows that are equal; they stay together.
        seed: which of the possible splits.

    Raises:
        InvalidData: too few rows, groups or times; a class that training would not have.
    """
    codes = [_codes(y, task) for y, task in zip(ys, tasks, strict=True)]
    told = [place for place, own in enumerate(codes) if np.unique(own).size > 1]
    if not told:
        return rows.split(len(ys[0]), copies, seed)
    if len(told) == 1 and not ys[told[0]].null_count():
        return rows.split(ys[told[0]].to_numpy(), copies, seed)
    classes = [codes[place] for place in told if tasks[place] != "regression"]
    labels: int | HostArray = len(ys[0])
    if rows.times is None:  # of one target each class gets into training, of several most do
        labels = classes[0] if len(classes) == 1 else _joint([codes[place] for place in told])
    for trial in range(_TRIALS):
        parts = rows.split(labels, copies, seed + trial * 1_000_003)
        lacking = [ys[place] for place in told if not _complete(codes[place], parts)]
        if not lacking:
            return parts
    expected = "a row of every class in the training part, and rows with a value in the others"
    raise InvalidData(
        f"target {lacking[0].name}",
        expected if lacking[0].null_count() else expected.partition(",")[0],
        f"none in any of {_TRIALS} splits",
        "Leave out rows of classes that are rare or only come later, or train a model for each.",
    )


def _codes(y: pl.Series, task: str) -> HostArray:
    """(n,) the number of each row's class, 0 of numbers, `_NONE` without a value."""
    known = y.is_not_null().to_numpy()
    codes = np.full(len(y), _NONE)
    if task == "regression":
        codes[known] = 0
    else:
        codes[known] = np.unique(y.drop_nulls().to_numpy(), return_inverse=True)[1].reshape(-1)
    return codes


def _joint(codes: Sequence[HostArray]) -> HostArray:
    """(n,) the combination of classes of each row; the rare ones together."""
    _, joint, counts = np.unique(
        np.stack(codes, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    labels: HostArray = np.where(counts[joint.reshape(-1)] < _ROWS_PER_CLASS, -1, joint.reshape(-1))
    return labels


def _complete(codes: HostArray, parts: Split) -> bool:
    """Whether training has every class, and each part a row with a value."""
    known = codes[codes != _NONE]
    some = all((codes[part] != _NONE).any() for part in (parts.validation, parts.test))
    return some and bool(np.isin(known, codes[parts.train]).all())
