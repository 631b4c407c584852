"""Rows that are copies of others: a test row must not have been trained on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_MUCH_MORE = 10.0
"""Times as many equal pairs as chance makes: then they are copies."""
_FEW = 50
"""Different rows, below which a column with as many values says nothing."""


@dataclass(frozen=True)
class Duplicates:
    """Which rows are equal.

    Attributes:
        groups: (n,) of each row the first that is equal, or None if no copies were found.
        note: a sentence about them; empty if no rows are equal, or few and by chance.
    """

    groups: HostArray | None = None
    note: str = ""


def duplicates(frame: pl.DataFrame) -> Duplicates:
    """Finds rows that are equal in all columns.

    Where columns take few values, some rows are equal by chance. If two rows agree in a column
    with probability s, independent columns make n (n - 1) / 2 * prod s equal pairs; ten times as
    many, or more, are taken for copies. So is a tenth of the rows, or more, if a column alone tells
    nearly all different rows apart, such as one of measurements.

    Args:
        frame: what is known of each row: the features and the target.

    >>> import polars as pl
    >>> measured = [i / 7 for i in range(20)]
    >>> duplicates(pl.DataFrame({"a": [*measured, 0.0], "b": [*measured, 0.0]})).note
    '1 of 21 rows is a copy of another: copies stay in one part, so no test row was trained on.'
    >>> duplicates(pl.DataFrame({"a": [True, False, True]})).note
    '1 of 3 rows is equal to another, no more than chance makes.'
    """
    import polars as pl

    keys = frame.select(pl.struct(pl.all()).hash(seed=0)).to_series().to_numpy()
    first, groups, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )[1:]
    more = frame.height - len(counts)
    if not more:
        return Duplicates()
    pairs = float((counts.astype(float) * (counts - 1) / 2).sum())
    many = more > frame.height / 10
    chance = pairs < _MUCH_MORE * _expected_pairs(frame)
    if chance and not (many and _has_key(frame, len(counts))):
        said = f"{more:,} of {frame.height:,} rows {'are' if more > 1 else 'is'} equal to another"
        return Duplicates(None, f"{said}, no more than chance makes." if many else "")
    said = copies_note(more, frame.height, "row")
    return Duplicates(first[groups.reshape(-1)], said)  # numbered by the first row: hashes vary


def equal_rows(array: HostArray) -> HostArray:
    """(n,) of each row of an array (n, ...) the first that has the same bytes.

    >>> equal_rows(np.array([[1, 2], [3, 4], [1, 2]])).tolist()
    [0, 1, 0]
    """
    first: dict[bytes, int] = {}
    hashes = (hashlib.blake2b(row.tobytes()).digest() for row in array)
    return np.array([first.setdefault(each, i) for i, each in enumerate(hashes)])


def copies_note(copies: int, total: int, what: str) -> str:
    """What became of copies, in a sentence.

    >>> copies_note(2, 9, "row")
    '2 of 9 rows are copies of another: copies stay in one part, so no test row was trained on.'
    """
    kept = "are copies of another" if copies > 1 else "is a copy of another"
    found = f"{copies:,} of {total:,} {what}s {kept}"
    return f"{found}: copies stay in one part, so no test {what} was trained on."


def _expected_pairs(frame: pl.DataFrame) -> float:
    """How many pairs of rows were equal if columns did not know of one another."""
    pairs = frame.height * (frame.height - 1) / 2
    for column in frame.iter_columns():
        counts = column.value_counts()["count"].to_numpy().astype(float)
        pairs *= float((counts * (counts - 1)).sum()) / (frame.height * (frame.height - 1))
    return pairs


def _has_key(frame: pl.DataFrame, different: int) -> bool:
    """Whether a column has nearly as many values as there are different rows."""
    return different >= _FEW and any(c.n_unique() >= 0.9 * different for c in frame.iter_columns())
