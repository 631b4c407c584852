"""Training and validation labels: whether both are of one mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.types import HostArray

_FAR = 0.3  # of the distance: what a split without luck does not make
_CHANCE = 1.5  # times sqrt(classes / rows): several times what chance makes
_FEWEST = 8  # rows
_MOST = 1000  # classes
_APART = 0.8  # of the distance of two samples of numbers; chance makes 1.4 / sqrt(rows)
_SORTED = 10_000  # numbers


@dataclass(frozen=True)
class Mixture:
    """How often each class is among the labels.

    Attributes:
        classes: their labels, in order.
        training, held_out: examples of each.
    """

    classes: tuple[float, ...]
    training: tuple[int, ...]
    held_out: tuple[int, ...]

    @property
    def shares(self) -> tuple[HostArray, HostArray]:
        """Of each class, in training and in validation data."""
        parts = np.array(self.training, np.float64), np.array(self.held_out, np.float64)
        return parts[0] / parts[0].sum(), parts[1] / parts[1].sum()

    @property
    def distance(self) -> float:
        """sum |p - q| / 2: the total variation distance, from 0 to 1."""
        p, q = self.shares
        return float(np.abs(p - q).sum() / 2)

    @property
    def differs(self) -> bool:
        """Whether validation rows were chosen by their class, as of rows that stand in order.

        >>> Mixture((0, 1), (60, 70), (0, 45)).differs, Mixture((0, 1), (60, 70), (18, 27)).differs
        (True, False)
        """
        rows = sum(self.held_out)
        chance = _CHANCE * (len(self.classes) / max(rows, 1)) ** 0.5
        return rows >= _FEWEST and self.distance > max(_FAR, chance)


@dataclass(frozen=True)
class Shift:
    """Where targets that are numbers lie.

    Attributes:
        training, held_out: mean and standard deviation.
        distance: max over t of |share of training targets <= t - the same of the others|, 0 to 1.
        rows: how many targets are held out.
    """

    training: tuple[float, float]
    held_out: tuple[float, float]
    distance: float
    rows: int

    @property
    def differs(self) -> bool:
        """Whether hardly any validation target is like those of training: rows stand in order."""
        return self.rows >= _FEWEST and self.distance > _APART


def shift(y: HostArray, held_out: HostArray) -> Shift | None:
    """Of one column of numbers; None of others.

    >>> shift(np.arange(80.0), np.arange(80.0, 100.0)).distance
    1.0

    Source: the statistic of Kolmogorov and Smirnov.
    """
    parts = [np.asarray(one, np.float64).reshape(len(one), -1) for one in (y, held_out)]
    if any(one.shape[1] != 1 or not np.isfinite(one).all() for one in parts):
        return None
    ordered = [np.sort(one[:: 1 + len(one) // _SORTED, 0]) for one in parts]
    at = np.concatenate(ordered)
    below = [np.searchsorted(one, at, side="right") / len(one) for one in ordered]
    train, other = ((float(one.mean()), float(one.std())) for one in ordered)
    return Shift(train, other, float(abs(below[0] - below[1]).max()), len(parts[1]))


def mixture(y: HostArray, held_out: HostArray | None) -> Mixture | Shift | None:
    """Of labels that are whole numbers, (n,) or (n, 1), or one-hot; of numbers their Shift.

    >>> mixture(np.array([0, 0, 1] * 5), np.array([2, 1])).held_out
    (0, 1, 1)
    """
    if held_out is None or not len(held_out) or not len(y):
        return None
    parts = [np.asarray(one).reshape(len(one), -1) for one in (y, held_out)]
    if any(not np.isfinite(one.astype(np.float64)).all() for one in parts):
        return None
    if parts[0].shape[1] > 1:
        if any(not ((one == 0) | (one == 1)).all() or (one.sum(1) != 1).any() for one in parts):
            return None
        parts = [one.argmax(1)[:, None] for one in parts]
    if any((one != np.round(one)).any() for one in parts):
        return shift(*parts)
    values = np.unique(np.concatenate([one[:, 0] for one in parts]))
    if not 2 <= len(values) <= min(_MOST, len(y) // 5):
        return shift(*parts)
    counts = [np.bincount(np.searchsorted(values, one[:, 0]), minlength=len(values))
              for one in parts]  # fmt: skip
    train, other = (tuple(int(n) for n in of) for of in counts)
    return Mixture(tuple(float(v) for v in values), train, other)
