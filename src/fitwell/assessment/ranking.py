"""Curves over all thresholds of a score: ROC, precision and recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.assessment.resampling import share_interval
from fitwell.types import HostArray


@dataclass(frozen=True)
class Curve:
    """Points of a curve and the area under it.

    Attributes:
        x, y: the points, from left to right.
        area: ROC: P(score of a positive > score of a negative) + P(equal) / 2. Precision and
            recall: the average precision.
    """

    x: HostArray
    y: HostArray
    area: float


def roc(truth: HostArray, score: HostArray) -> Curve:
    """True positive rate over false positive rate, one point per distinct score.

    Args:
        truth: (n,) booleans: whether the row is of the class.
        score: (n,) numbers, larger for rows that look like the class.

    >>> curve = roc(np.array([True, True, False]), np.array([0.9, 0.4, 0.5]))
    >>> curve.x.tolist(), curve.y.tolist(), curve.area
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0], 0.5)
    """
    hits, misses = _counts(truth, score)
    if hits[-1] == 0 or misses[-1] == 0:
        return Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), float("nan"))
    x, y = misses / misses[-1], hits / hits[-1]
    return Curve(x, y, float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))


def precision_recall(truth: HostArray, score: HostArray) -> Curve:
    """Precision over recall; the area is sum over thresholds of (R_k - R_k-1) P_k.

    Arguments as for `roc`.

    >>> curve = precision_recall(np.array([True, True, False]), np.array([0.9, 0.4, 0.5]))
    >>> curve.x.tolist(), [round(float(p), 3) for p in curve.y], round(curve.area, 3)
    ([0.0, 0.5, 0.5, 1.0], [1.0, 1.0, 0.5, 0.667], 0.833)
    """
    hits, misses = _counts(truth, score)
    if hits[-1] == 0:
        return Curve(np.array([0.0, 1.0]), np.array([0.0, 0.0]), float("nan"))
    recall = hits / hits[-1]
    precision = np.append(1.0, hits[1:] / (hits[1:] + misses[1:]))
    return Curve(recall, precision, float(np.sum(np.diff(recall) * precision[1:])))


def _counts(truth: HostArray, score: HostArray) -> tuple[HostArray, HostArray]:
    """How many of the class, and how many others, score at least so much: from none to all."""
    order = np.argsort(-score, kind="stable")
    truth, score = np.asarray(truth, bool)[order], score[order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    hits = np.append(0, np.cumsum(truth)[ends])
    return hits, np.append(0, ends + 1) - hits


def weighted_area(truth: HostArray, score: HostArray, weights: HostArray) -> HostArray:
    """The area under the ROC curve for several weightings of the rows, (resamples, rows)."""
    order = np.argsort(score, kind="stable")
    score, ordered = score[order], weights[:, order]
    starts = np.append(0, np.flatnonzero(np.diff(score)) + 1)
    of_class = np.asarray(truth, bool)[order]
    positive = np.add.reduceat(ordered * of_class, starts, axis=1)
    negative = np.add.reduceat(ordered * ~of_class, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        area: HostArray = np.sum(positive * (below + negative / 2), axis=1) / pairs
    return area


@dataclass(frozen=True)
class Reliability:
    """Bins of predicted probability, those without a row left out.

    Attributes:
        predicted: the mean probability in each bin.
        observed: the share of rows in it that are of the class.
        low, high: Wilson's 95 % interval of that share.
        counts: its rows.
        error: the expected calibration error: sum of share of rows * |observed - predicted|.
    """

    predicted: HostArray
    observed: HostArray
    low: HostArray
    high: HostArray
    counts: HostArray
    error: float


def of_classes(
    truth: HostArray, p: HostArray, weights: HostArray | None = None, bins: int = 10
) -> Reliability:
    """`reliability` of the probability of the second of two classes, or of the predicted class.

    Args:
        truth: (n,) class numbers.
        p: (n, classes) probabilities.
        weights, bins: as for `reliability`.

    >>> round(of_classes(np.array([1] * 7 + [0] * 3), np.array([[0.2, 0.8]] * 10)).error, 6)
    0.1
    """
    if p.shape[1] == 2:
        return reliability(truth == 1, p[:, 1], weights, bins)
    return reliability(p.argmax(axis=1) == truth, p.max(axis=1), weights, bins)


def reliability(
    truth: HostArray, probability: HostArray, weights: HostArray | None = None, bins: int = 10
) -> Reliability:
    """How often what was said with probability p is true, in bins of equal width.

    Args:
        truth: (n,) booleans.
        probability: (n,) in [0, 1], that it is true.
        weights: (n,) how much each row counts, in shares, means and error; None counts all as 1.
            Intervals are those of (sum w)^2 / sum w^2 rows (Kish 1965).
        bins: how many.

    >>> found = reliability(np.array([True, False, True]), np.array([0.72, 0.78, 0.1]), bins=2)
    >>> found.counts.tolist(), found.observed.tolist()
    ([1, 2], [1.0, 0.5])

    Source: Naeini, Cooper & Hauskrecht 2015, "Obtaining well calibrated probabilities"; Guo et al.
    2017, arXiv:1706.04599.
    """
    w = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    place = np.clip((probability * bins).astype(int), 0, bins - 1)
    total = np.bincount(place, w, bins)
    kept = total > 0

    def mean(values: HostArray) -> HostArray:
        return np.bincount(place, w * values, bins)[kept] / total[kept]

    observed, predicted = mean(truth), mean(probability)
    rows = total[kept] / mean(w)
    low, high = share_interval(observed * rows, rows)
    counts = np.bincount(place, w > 0, bins)[kept].astype(int)
    error = np.sum(total[kept] * np.abs(observed - predicted)) / total.sum()
    return Reliability(predicted, observed, low, high, counts, float(error))
