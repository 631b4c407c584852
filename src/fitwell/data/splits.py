"""Splitting rows into training, validation and test parts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell.errors import InvalidArgument, InvalidData
from fitwell.types import HostArray


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, each in ascending order, and what is worth saying."""

    train: HostArray
    validation: HostArray
    test: HostArray
    notes: tuple[str, ...] = ()


def split(
    rows: int | Any,
    fractions: tuple[float, float, float] = (0.64, 0.16, 0.2),
    *,
    seed: int = 0,
) -> Split:
    """Three disjoint parts that together hold every row; a function of its arguments alone.

    With labels the parts are stratified: in the test part, and in the validation part, the number
    of rows of each class is within 3 of its exact share. Every class has at least one row in the
    training part.

    Args:
        rows: how many rows there are, or one class label per row.
        fractions: the shares of training, validation and test; each in [0, 1], together 1.
        seed: which of the possible splits.

    Raises:
        InvalidArgument: the fractions do not sum to 1.
        InvalidData: so few rows that a part would be empty.

    >>> parts = split(10, (0.6, 0.2, 0.2), seed=0)
    >>> [len(part) for part in (parts.train, parts.validation, parts.test)]
    [6, 2, 2]
    """
    _check_fractions(fractions)
    labels = np.zeros(rows, np.int64) if isinstance(rows, int) else np.asarray(rows)
    codes = np.unique(labels, return_inverse=True)[1].reshape(-1)
    generator = np.random.default_rng(seed)
    # Classes one after the other, each in random order: cutting this sequence at regular
    # distances gives every class its share.
    order = np.lexsort((generator.random(codes.size), codes))
    in_test = _regular(codes.size, fractions[2], generator)
    rest = order[~in_test]
    share = fractions[1] / (fractions[0] + fractions[1]) if fractions[2] < 1 else 0.0
    in_validation = _regular(rest.size, share, generator)
    part = np.zeros(codes.size, np.int64)
    part[order[in_test]] = 2
    part[rest[in_validation]] = 1
    notes = _give_training_every_class(part, codes, order) if fractions[0] > 0 else ()
    parts = [np.flatnonzero(part == number) for number in range(3)]
    for name, fraction, members in zip(
        ("training", "validation", "test"), fractions, parts, strict=True
    ):
        if fraction > 0 and members.size == 0:
            least = _least_rows(fractions)
            needed = (
                f"{least} rows or more, so that every part has one"
                if codes.size < least
                else f"more rows than classes, so that the {name} part has one, too"
            )
            cure = "Add rows or choose other fractions."
            raise InvalidData("split", needed, f"{codes.size} rows", cure)
    return Split(parts[0], parts[1], parts[2], notes)


def _check_fractions(fractions: tuple[float, float, float]) -> None:
    valid = len(fractions) == 3 and all(0 <= f <= 1 for f in fractions)
    if not valid or abs(sum(fractions) - 1) > 1e-9:
        raise InvalidArgument(
            "split",
            "three fractions in [0, 1] that sum to 1 (training, validation, test)",
            f"fractions={fractions!r}",
            "For example (0.64, 0.16, 0.2).",
        )


def _least_rows(fractions: tuple[float, float, float]) -> int:
    """How many rows leave no part empty that should have some."""
    share = fractions[1] / (fractions[0] + fractions[1]) if fractions[2] < 1 else 0.0
    for rows in itertools.count(1):
        test = round(rows * fractions[2])
        validation = round((rows - test) * share)
        sizes = (rows - test - validation, validation, test)
        if all(size > 0 or not f for size, f in zip(sizes, fractions, strict=True)):
            break
    return rows


def _regular(length: int, fraction: float, generator: np.random.Generator) -> HostArray:
    """`round(length * fraction)` places at regular distances, from a random start."""
    chosen = np.zeros(length, bool)
    count = round(length * fraction)
    if count:
        start = generator.random()
        places = np.floor((np.arange(count) + start) * (length / count)).astype(np.int64)
        chosen[np.minimum(places, length - 1)] = True
    return chosen


def _give_training_every_class(
    part: HostArray, codes: HostArray, order: HostArray
) -> tuple[str, ...]:
    """Exchanges a row of each class that training lacks; says how many classes are too small."""
    counts = np.bincount(codes)
    for code in np.setdiff1d(np.flatnonzero(counts), codes[part == 0]):
        row = order[codes[order] == code][0]
        in_training = np.bincount(codes[part == 0])
        if in_training.size and in_training.max() > 1:
            spare = order[(codes[order] == in_training.argmax()) & (part[order] == 0)][0]
            part[spare] = part[row]
        part[row] = 0
    rare = int(np.sum((counts > 0) & (counts < 3)))
    if not rare:
        return ()
    verb = "class has" if rare == 1 else "classes have"
    return (f"{rare} {verb} fewer than 3 rows: in the training part, but not in every other part.",)
