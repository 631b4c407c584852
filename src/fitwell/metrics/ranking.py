"""Scores of rankings: the areas under the ROC and the precision-recall curve, exact."""

from __future__ import annotations

import math
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from fitwell.description import check_choice
from fitwell.metrics.base import Metric, Stats
from fitwell.metrics.counts import check_truth
from fitwell.metrics.labels import check_binary
from fitwell.metrics.shapes import one_hot
from fitwell.types import Array, HostArray


class AUC(Metric):
    """Area under a curve over all thresholds, exact: ties and weights included, nothing binned.

    "ROC": ∫ TPR d(FPR) by trapezoids, the probability that a positive scores above a negative
    (ties count half). "PR": Σ (Rₙ - Rₙ₋₁) Pₙ, the average precision; Keras interpolates between
    200 thresholds there instead, which gives a slightly different number.

    y_true: 0/1 of y_pred's shape, or class numbers `(n,)` where y_pred is `(n, classes)`.
    NaN if there is one class only (in any column, with multi_label), or a score is NaN.

    Args:
        curve: "ROC" or "PR".
        multi_label: False pools all columns; True gives the mean of the columns' areas.
        from_logits: accepted as in Keras; it changes nothing, as only the order of scores counts.

    Raises:
        InvalidData: y_true holds other numbers than 0 and 1.

    Source: Fawcett, "An introduction to ROC analysis", 2006.

    >>> AUC()([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """

    curve: str = "ROC"
    multi_label: bool = False
    from_logits: bool = False

    collects: ClassVar[bool] = True

    def validate(self) -> None:
        check_choice(self, "curve", ("ROC", "PR"))

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        truth, scores = one_hot(self.label, y_true, y_pred)
        return {
            "y_true": truth.astype(jnp.float32),
            "y_pred": scores.astype(jnp.float32),
            "weight": weight,
        }

    def result(self, stats: Stats) -> float:
        weight = np.asarray(stats["weight"], np.float64)
        seen = weight > 0
        truth = np.asarray(stats["y_true"])[seen]
        scores = np.asarray(stats["y_pred"], np.float64)[seen]
        check_binary(self.label, truth)
        columns = truth.shape[-1] if self.multi_label else 1
        truth, scores = truth.reshape(-1, columns), scores.reshape(-1, columns)
        spread = np.repeat(weight[seen], len(truth) // max(1, seen.sum()))
        areas = [self._area(t, s, spread) for t, s in zip(truth.T, scores.T, strict=True)]
        return float(np.mean(areas))

    def _area(self, truth: HostArray, scores: HostArray, weight: HostArray) -> float:
        positive = weight * (truth > 0.5)
        hits, misses = positive.sum(), (weight - positive).sum()
        if hits == 0 or misses == 0 or np.isnan(scores).any():
            return math.nan
        order = np.argsort(-scores, kind="stable")
        last_of_tie = np.append(np.diff(scores[order]) != 0, True)
        found = np.cumsum(positive[order])[last_of_tie]
        alarms = np.cumsum((weight - positive)[order])[last_of_tie]
        if self.curve == "PR":
            gained = np.diff(found, prepend=0.0) / hits
            return float((gained * found / (found + alarms)).sum())
        heights = found + np.append(0, found[:-1])
        return float((np.diff(alarms, prepend=0.0) * heights).sum() / (2 * hits * misses))
