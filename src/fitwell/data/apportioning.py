"""Whole groups of rows into parts of the data, so that each part has its share of every class."""

from __future__ import annotations

import numpy as np

from fitwell.types import HostArray


def apportion(
    codes: HostArray,
    groups: HostArray,
    fractions: tuple[float, float, float],
    generator: np.random.Generator,
) -> HostArray:
    """(n,) the part, 0 to 2, of each row whose group has several rows; -1 where it is alone.

    The largest group is placed first. Each goes where its classes have so far the smallest
    part of their share: argmin over parts p of the mean of (A + g / 2) / (f N) over its rows,
    with A rows of the class in p already, g in the group, and N in all (Webster's divisors). So
    every part gets large groups and small ones. The last groups go to parts that have none.

    Args:
        codes: (n,) class numbers from 0.
        groups: (n,) group numbers from 0.
        fractions: the shares of the parts.
        generator: decides between groups of one size.
    """
    part = np.full(codes.size, -1, np.int64)
    by_group = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shares = np.outer(fractions, np.bincount(codes))
    with np.errstate(divide="ignore"):
        worth = 1 / shares  # infinite for a part of nothing: it is never the smallest
    filled = np.zeros(shares.shape)
    empty = {number for number, fraction in enumerate(fractions) if fraction > 0}
    several = np.flatnonzero(sizes > 1)
    order = several[np.lexsort((generator.random(several.size), -sizes[several]))]
    for place, group in enumerate(order):
        rows = by_group[starts[group] : starts[group + 1]]
        kinds, counts = np.unique(codes[rows], return_counts=True)
        costs = ((filled[:, kinds] + counts / 2) * worth[:, kinds]) @ counts
        if sizes.size - place <= len(empty):
            costs[[number for number in range(3) if number not in empty]] = np.inf
        chosen = int(np.argmin(costs))
        part[rows] = chosen
        filled[chosen, kinds] += counts
        empty.discard(chosen)
    return part


def remaining(part: HostArray, fractions: tuple[float, float, float]) -> tuple[float, float, float]:
    """The shares of those rows that have no part yet, so that in the end all have `fractions`."""
    placed = np.bincount(part[part >= 0], minlength=3)
    lacking = np.maximum(np.array(fractions) * part.size - placed, 0)
    if not placed.any() or not lacking.any():
        return fractions
    first, second, third = (lacking / lacking.sum()).tolist()
    return first, second, third


def fill_empty(
    part: HostArray, codes: HostArray, groups: HostArray, fractions: tuple[float, float, float]
) -> None:
    """Moves into each part that is empty, but should not be, the smallest group that can go.

    It can if others are left where it was, and training keeps every class. Few groups only.
    """
    smallest_first = np.argsort(np.bincount(groups), kind="stable")
    for number in range(3):
        if not fractions[number] or (part == number).any():
            continue
        for group in smallest_first:
            rows = groups == group
            left, source = ~rows, part[rows][0]
            classes = codes if fractions[0] > 0 else codes[:0]
            known = not np.setdiff1d(classes, codes[left & (part == 0)]).size
            if known and (part[left] == source).any():
                part[rows] = number
                break
