"""The classes of training and of validation labels: whether both are of one mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.types import HostArray

_FAR = 0.3  # of the distance: what a split without luck does not make
_CHANCE = 1.5  # times sqrt(classes / rows): several times what chance makes
_FEWEST = 8  # rows
_MOST = 1000  # classes


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


def mixture(y: HostArray, held_out: HostArray | None) -> Mixture | None:
    """Of labels that are whole numbers, (n,) or (n, 1), or one-hot; None of others.

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
        return None
    values = np.unique(np.concatenate([one[:, 0] for one in parts]))
    if not 2 <= len(values) <= min(_MOST, len(y) // 5):
        return None
    counts = [np.bincount(np.searchsorted(values, one[:, 0]), minlength=len(values))
              for one in parts]  # fmt: skip
    train, other = (tuple(int(n) for n in of) for of in counts)
    return Mixture(tuple(float(v) for v in values), train, other)
