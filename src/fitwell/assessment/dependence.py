"""How the prediction moves with one feature, the others as they are in the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell.assessment.subject import Feature, Subject, batched
from fitwell.types import HostArray

_ROWS = 200
_POINTS, _CATEGORIES = 20, 10


@dataclass(frozen=True)
class Dependence:
    """The partial dependence on one feature.

    Attributes:
        name: of the feature.
        values: numbers, moments, or names of categories.
        ordered: whether they lie on an axis.
        mean: (points, outputs) the mean prediction: of the second class, of all classes, or of the
            number.
        low, high: (points, outputs) what 10 % and 90 % of the rows lie above.
        counts: rows at each category; for numbers, (rows,) the values of the data.
    """

    name: str
    values: list[Any]
    ordered: bool
    mean: HostArray
    low: HostArray
    high: HostArray
    counts: HostArray


def partial_dependence(subject: Subject, feature: Feature, *, seed: int = 0) -> Dependence:
    """PD(v) = mean over the rows of the prediction with feature = v, everything else as it is.

    Args:
        subject: whose rows are averaged over; at most 200 of them.
        feature: one of its features, with values. The points are quantiles of them, or the most
            frequent categories.
        seed: of the rows that are drawn.

    Source: Friedman 2001, doi:10.1214/aos/1013203451; Goldstein et al. 2015, arXiv:1309.6392.
    """
    assert feature.encode is not None
    points, ordered, counts = _points(feature.values)
    sampled = subject.sample(_ROWS, seed)
    blocks = feature.encode(points)
    inputs = [feature.put(sampled.inputs, block[None]) for block in blocks]
    answers = [_shown(sampled, y) for y in batched(sampled.answer, inputs)]
    each = np.stack(answers)  # (points, rows, outputs)
    low, high = np.quantile(each, [0.1, 0.9], axis=1)
    return Dependence(feature.name, _as_list(points), ordered, each.mean(axis=1), low, high, counts)


def _shown(subject: Subject, predicted: HostArray) -> HostArray:
    if subject.task == "regression":
        return predicted.reshape(subject.rows, -1).mean(axis=1, keepdims=True)
    return predicted[:, 1:] if subject.task == "binary" else predicted


def _points(values: Any) -> tuple[Any, bool, HostArray]:
    """The values to try, in the type of the column, and how the data are spread over them."""
    if isinstance(values, np.ndarray):
        known = values[np.isfinite(values)].astype(float)
        return _quantiles(known), True, known
    known = values.drop_nulls()
    if known.dtype.is_numeric() or known.dtype.is_temporal():
        numbers = known.to_physical().cast(float).to_numpy()
        chosen = known.unique().sort()
        if len(chosen) > _POINTS:
            places = np.unique(np.linspace(0, len(known) - 1, _POINTS).round().astype(int))
            chosen = known.sort()[places].unique().sort()
        return chosen, True, numbers
    counted = known.value_counts(sort=True).head(_CATEGORIES)
    return counted[known.name], False, counted["count"].to_numpy()


def _quantiles(known: HostArray) -> HostArray:
    distinct = np.unique(known)
    if len(distinct) <= _POINTS:
        return distinct
    chosen: HostArray = np.unique(np.quantile(known, np.linspace(0, 1, _POINTS)))
    return chosen


def _as_list(points: Any) -> list[Any]:
    listed: list[Any] = points.tolist() if isinstance(points, np.ndarray) else points.to_list()
    return listed
