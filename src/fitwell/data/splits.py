"""Splitting rows into training, validation and test parts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell.data.apportioning import apportion, fill_empty, remaining
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
    groups: Any = None,
) -> Split:
    """Three disjoint parts that together hold every row; a function of its arguments alone.

    With labels the parts are stratified: in the test part, and in the validation part, the number
    of rows of each class is within 3 of its exact share. Every class has at least one row in the
    training part. With groups the shares are met as nearly as whole groups allow.

    Args:
        rows: how many rows there are, or one class label per row.
        fractions: the shares of training, validation and test; each in [0, 1], together 1.
        seed: which of the possible splits.
        groups: (n,) rows of one group come into one part.

    Raises:
        InvalidArgument: the fractions do not sum to 1.
        InvalidData: so few rows or groups that a part would be empty.

    >>> parts = split(10, (0.6, 0.2, 0.2), seed=0)
    >>> [len(part) for part in (parts.train, parts.validation, parts.test)]
    [6, 2, 2]
    >>> parts = split(6, (0.4, 0.3, 0.3), groups=["a", "b", "c", "a", "b", "c"])
    >>> sorted(part.tolist() for part in (parts.train, parts.validation, parts.test))
    [[0, 3], [1, 4], [2, 5]]
    """
    _check_fractions(fractions)
    labels = np.zeros(rows, np.int64) if isinstance(rows, int) else np.asarray(rows)
    codes = np.unique(labels, return_inverse=True)[1].reshape(-1)
    generator = np.random.default_rng(seed)
    if groups is None:
        own = np.arange(codes.size)
        part = np.full(codes.size, -1, np.int64)
    else:
        own = np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1)
        part = apportion(codes, own, fractions, generator)
    alone = np.flatnonzero(part < 0)
    order, part[alone] = _cut(codes[alone], remaining(part, fractions), generator)
    notes = _give_training_every_class(part, codes, alone[order], own) if fractions[0] > 0 else ()
    if groups is not None:
        fill_empty(part, codes, own, fractions)
    parts = [np.flatnonzero(part == number) for number in range(3)]
    _refuse_empty(parts, fractions, own.max(initial=-1) + 1, "rows" if groups is None else "groups")
    return Split(parts[0], parts[1], parts[2], notes)


def split_by_time(
    times: Any, fractions: tuple[float, float, float] = (0.64, 0.16, 0.2), *, labels: Any = None
) -> Split:
    """Training before validation before test: the past teaches, the latest rows examine.

    Rows of one time are in one part, so the shares are met as nearly as the times allow.

    Args:
        times: (n,) anything that can be ordered.
        fractions: the shares of training, validation and test; each in [0, 1], together 1.
        labels: (n,) classes, all of which the training part must have.

    Raises:
        InvalidArgument: the fractions do not sum to 1.
        InvalidData: fewer different times than parts, or a class that only comes later.

    >>> parts = split_by_time([5, 1, 4, 2, 3], (0.6, 0.2, 0.2))
    >>> parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()
    ([1, 3, 4], [2], [0])

    Source: Bergmeir and Benitez 2012, "On the use of cross-validation for time series".
    """
    _check_fractions(fractions)
    moments, codes = np.unique(np.asarray(times), return_inverse=True)
    ends = np.cumsum(np.bincount(codes))  # rows up to each moment
    wanted = [number for number, fraction in enumerate(fractions) if fraction > 0]
    part = np.zeros(codes.size, np.int64)
    part[:] = wanted[0]
    first = 0
    for place, number in enumerate(wanted[1:], 1):
        last = moments.size - (len(wanted) - place)  # later parts need a moment each
        if first >= last:
            received = f"{moments.size} different times"
            expected = f"{len(wanted)} times or more, so that every part has one"
            raise InvalidData("split", expected, received, "Add rows or leave time= out.")
        goal = codes.size * sum(fractions[:number])
        first += int(np.argmin(abs(ends[first:last] - goal))) + 1
        part[codes.reshape(-1) >= first] = number
    if labels is not None and fractions[0] > 0:
        _refuse_new_classes(np.asarray(labels), part)
    train, validation, test = (np.flatnonzero(part == number) for number in range(3))
    return Split(train, validation, test)


def _refuse_new_classes(labels: HostArray, part: HostArray) -> None:
    new = np.setdiff1d(labels, labels[part == 0])
    if new.size:
        rows = int(np.isin(labels, new).sum())
        raise InvalidData(
            "split",
            "every class among the earlier rows, the training part",
            f"{new[0]!s} only later ({rows} row{'s' if rows > 1 else ''} of such classes)",
            "Leave these rows out, or time=.",
        )


def _cut(
    codes: HostArray, fractions: tuple[float, float, float], generator: np.random.Generator
) -> tuple[HostArray, HostArray]:
    """Rows one class after the other, each in random order; and the part of every row.

    Cutting this sequence at regular distances gives every class its share.
    """
    order = np.lexsort((generator.random(codes.size), codes))
    in_test = _regular(codes.size, fractions[2], generator)
    rest = order[~in_test]
    share = fractions[1] / (fractions[0] + fractions[1]) if fractions[2] < 1 else 0.0
    in_validation = _regular(rest.size, share, generator)
    part = np.zeros(codes.size, np.int64)
    part[order[in_test]] = 2
    part[rest[in_validation]] = 1
    return order, part


def _refuse_empty(
    parts: list[HostArray], fractions: tuple[float, float, float], count: int, what: str
) -> None:
    for name, fraction, members in zip(
        ("training", "validation", "test"), fractions, parts, strict=True
    ):
        if fraction > 0 and members.size == 0:
            least = _least_rows(fractions) if what == "rows" else np.count_nonzero(fractions)
            needed = (
                f"{least} {what} or more, so that every part has one"
                if count < least
                else f"more {what} than classes, so that the {name} part has one, too"
            )
            received = f"{count} {what}" if count != 1 else f"1 {what[:-1]}"
            cure = f"Add {what} or choose other fractions."
            raise InvalidData("split", needed, received, cure)


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
    part: HostArray, codes: HostArray, order: HostArray, groups: HostArray
) -> tuple[str, ...]:
    """Moves a group of each class that training lacks; says how many classes are too small.

    A row that is alone is exchanged for one from `order`, the rows that are.
    """
    counts, sizes = np.bincount(codes), np.bincount(groups)[groups]
    for code in np.setdiff1d(np.flatnonzero(counts), codes[part == 0]):
        alone = order[codes[order] == code]
        others = np.flatnonzero(codes == code)
        row = alone[0] if alone.size else others[sizes[others].argmin()]
        in_training = np.bincount(codes[part == 0])
        if alone.size and in_training.size and in_training.max() > 1:
            spare = order[(codes[order] == in_training.argmax()) & (part[order] == 0)][:1]
            part[spare] = part[row]
        part[groups == groups[row]] = 0
    rare = int(np.sum((counts > 0) & (counts < 3)))
    if not rare:
        return ()
    verb = "class has" if rare == 1 else "classes have"
    return (f"{rare} {verb} fewer than 3 rows: in the training part, but not in every other part.",)
