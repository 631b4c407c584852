"""What a model rests on: how much worse it gets when a column is shuffled among the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.assessment.resampling import interval
from fitwell.assessment.subject import Feature, Subject, batched
from fitwell.types import HostArray

_ROWS, _FEWEST = 2000, 200
_OPERATIONS = 3e10  # of all predictions together: a second or two on two cores


@dataclass(frozen=True)
class Importance:
    """Of one feature.

    Attributes:
        name: of the feature.
        value: by how much the score gets worse, in its unit; 0 for what is not used.
        low, high: 95 % interval over rows and shuffles.
        place: of the feature among those of the subject.
    """

    name: str
    value: float
    low: float
    high: float
    place: int


def importances(
    subject: Subject, *, repeats: int = 5, seed: int = 0, operations: float = _OPERATIONS
) -> tuple[list[Importance], int]:
    """The importance of every feature, the largest first, and how many rows it was measured on.

    I_j = mean over shuffles of s(x with feature j shuffled) - s(x), with s = RMSE or log loss. Of
    a category, all features that it became are shuffled together. The interval is a bootstrap over
    rows and shuffles. Columns that say the same share their importance: shuffling one leaves the
    other.

    Args:
        subject: with features.
        repeats: shuffles of each, >= 1.
        seed: of the shuffles and the rows that are drawn.
        operations: of all predictions together, at most: it decides how many rows are drawn.

    Source: Breiman 2001, doi:10.1023/A:1010933404324; Fisher, Rudin & Dominici 2019,
    arXiv:1801.01489.
    """
    rows = _affordable(subject, repeats, operations)
    sampled = subject.sample(rows, seed)
    random = np.random.default_rng(seed)
    orders = [random.permutation(sampled.rows) for _ in range(repeats)]
    base = sampled.losses(sampled.predicted)
    found = []
    for place, feature in enumerate(sampled.features):
        shuffled = _shuffled(sampled, feature, orders)
        found.append(_measured(sampled, feature.name, place, base, shuffled, seed))
    return sorted(found, key=lambda one: -one.value), sampled.rows


def _affordable(subject: Subject, repeats: int, operations: float) -> int:
    each = max(subject.operations, 1) * max(len(subject.features), 1) * repeats
    return int(np.clip(operations / each, _FEWEST, _ROWS))


def _shuffled(subject: Subject, feature: Feature, orders: list[HostArray]) -> HostArray:
    """(rows, shuffles) the loss of each row with the value of another."""
    block = feature.block(subject.inputs)
    changed = [feature.put(subject.inputs, block[order]) for order in orders]
    return np.stack([subject.losses(y) for y in batched(subject.answer, changed)], axis=1)


def _measured(
    subject: Subject, name: str, place: int, base: HostArray, shuffled: HostArray, seed: int
) -> Importance:
    counts = np.ones(len(base)) if subject.counts is None else subject.counts
    all_rows = counts / counts.sum()
    each = subject.of_losses(all_rows @ shuffled)
    value = float(each.mean() - subject.of_losses(all_rows @ base))
    random = np.random.default_rng(seed)

    def worse(drawn: HostArray) -> HostArray:
        share = drawn * counts
        share /= share.sum(axis=1, keepdims=True)
        each = subject.of_losses(share @ shuffled)
        which = random.integers(0, each.shape[1], each.shape)
        change: HostArray = np.take_along_axis(each, which, axis=1).mean(axis=1)
        return change - subject.of_losses(share @ base)

    low, high = interval(worse, len(base), seed=seed)
    # What is not read changes nothing but the order in which numbers are added.
    noise = 1e-9 * float(subject.of_losses(all_rows @ base))
    value, least, most = (
        0.0 if abs(one) < noise else one for one in (value, float(low), float(high))
    )
    return Importance(name, value, least, most, place)
