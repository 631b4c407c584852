"""Scores of decisions: precision, recall, F, balanced accuracy, Matthews' correlation."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fitwell.description import check_choice, check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.metrics.base import Metric, Stats, ratio
from fitwell.metrics.counts import check_truth, counted, host
from fitwell.metrics.shapes import same
from fitwell.types import Array, HostArray

Counts = dict[str, HostArray]


class _PerClass(Metric):
    """Base of scores that are a ratio of counts for each class."""

    def score(self, counts: Counts) -> Any:
        """The score for counts of any shape; 0 where the denominator is 0."""
        raise NotImplementedError

    def averaged(self, stats: Stats, average: str | None) -> Any:
        counts = host(stats)
        if counts["weight"] == 0:
            return math.nan
        if average in ("binary", "micro"):
            return self.score({key: value.sum() for key, value in counts.items()})
        scores = self.score(counts)
        if average == "macro":
            return float(scores.mean())
        if average == "weighted":
            return ratio((scores * counts["positives"]).sum(), counts["positives"].sum())
        return float(scores[0]) if len(scores) == 1 else scores

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)


class _Selective(_PerClass):
    """Precision and recall: Keras' arguments, and an average over classes."""

    thresholds: float | None = None
    class_id: int | None = None
    average: str = "binary"

    def validate(self) -> None:
        check_choice(self, "average", ("binary", "macro", "micro", "weighted"))
        if self.thresholds is not None:
            check_number(self, "thresholds", open_low=True, open_high=True)
        if self.class_id is None:
            return
        if (
            isinstance(self.class_id, bool)
            or not isinstance(self.class_id, int)
            or self.class_id < 0
        ):
            raise InvalidArgument(
                type(self).__name__,
                "class_id to be the number of a column, >= 0",
                f"class_id={self.class_id!r}",
                "Columns are counted from 0.",
            )
        if self.average != "binary":
            raise InvalidArgument(
                type(self).__name__,
                'average="binary" together with class_id',
                f"average={self.average!r}, class_id={self.class_id}",
                "Choose one class or an average over all, not both.",
            )

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        several = y_pred.ndim > 1 and y_pred.shape[-1] > 1
        largest = several and self.average != "binary" and self.thresholds is None
        threshold = 0.5 if self.thresholds is None else self.thresholds
        stats = counted(self.label, y_true, y_pred, weight, None if largest else threshold)
        if self.class_id is None:
            return stats
        columns = len(stats["positives"])
        if self.class_id >= columns:
            raise ShapeMismatch(
                f"metric {self.label}",
                f"y_pred with a column class_id={self.class_id}",
                f"{columns} columns",
                f"Choose class_id from 0 to {columns - 1}.",
            )
        one = slice(self.class_id, self.class_id + 1)
        return {key: value[one] if value.ndim else value for key, value in stats.items()}

    def result(self, stats: Stats) -> Any:
        return self.averaged(stats, self.average)


class Precision(_Selective):
    """TP / (TP + FP): the share of the predicted positives that are positive.

    y_true: 0/1 of y_pred's shape, or class numbers `(n,)` where y_pred is `(n, classes)`.
    0.0 if nothing was predicted positive; NaN without examples.

    Args:
        thresholds: one number; scores above it are a yes. None means 0.5, and the largest score of
            each example where `average` is over classes.
        class_id: look only at this column.
        average: "binary" takes every element as one yes/no decision and pools them, as Keras
            does; "macro" is the mean over classes, "weighted" the mean weighted by their size,
            "micro" pools all classes.

    >>> Precision()([0, 1, 1, 1], [1, 0, 1, 1]).__round__(4)
    0.6667
    """

    def score(self, counts: Counts) -> Any:
        return ratio(counts["true_positives"], counts["predicted"])


class Recall(_Selective):
    """TP / (TP + FN): the share of the positives that were found.

    y_true: 0/1 of y_pred's shape, or class numbers `(n,)` where y_pred is `(n, classes)`.
    0.0 if there is no positive; NaN without examples.

    Args:
        thresholds: one number; scores above it are a yes. None means 0.5, and the largest score of
            each example where `average` is over classes.
        class_id: look only at this column.
        average: "binary" takes every element as one yes/no decision and pools them, as Keras
            does; "macro" is the mean over classes, "weighted" the mean weighted by their size,
            "micro" pools all classes.

    >>> Recall()([0, 1, 1, 1], [1, 0, 1, 1]).__round__(4)
    0.6667
    """

    def score(self, counts: Counts) -> Any:
        return ratio(counts["true_positives"], counts["positives"])


class FBetaScore(_PerClass):
    """(1 + β²) P R / (β² P + R): the weighted harmonic mean of precision P and recall R.

    y_true: 0/1 of y_pred's shape, or class numbers `(n,)` where y_pred is `(n, classes)`.
    0.0 for a class that neither occurs nor is predicted; NaN without examples.

    Args:
        average: None gives one score per class (an array; a float for one column), "macro" their
            mean, "weighted" the mean weighted by the classes' size, "micro" pools all classes.
        beta: how much more recall counts than precision, > 0.
        threshold: scores above it are a yes, for each column by itself (multi-label). None: the
            largest score of each example decides, and 0.5 where there is one column.

    Source: van Rijsbergen, *Information Retrieval*, 1979, chapter 7.

    >>> FBetaScore(beta=2.0)([0, 1, 1], [0.9, 0.2, 0.8])
    0.5
    """

    average: str | None = None
    beta: float = 1.0
    threshold: float | None = None

    @property
    def label(self) -> str:
        return self.name or "fbeta_score"

    def validate(self) -> None:
        check_choice(self, "average", (None, "macro", "micro", "weighted"))
        check_number(self, "beta", 0, open_low=True, open_high=True)
        if self.threshold is not None:
            check_number(self, "threshold", open_low=True, open_high=True)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        single = y_pred.ndim == 1 or y_pred.shape[-1] == 1
        threshold = 0.5 if single and self.threshold is None else self.threshold
        return counted(self.label, y_true, y_pred, weight, threshold)

    def score(self, counts: Counts) -> Any:
        square = self.beta**2
        below = square * counts["positives"] + counts["predicted"]
        return ratio((1 + square) * counts["true_positives"], below)

    def result(self, stats: Stats) -> Any:
        return self.averaged(stats, self.average)


class F1Score(FBetaScore):
    """2 P R / (P + R): the harmonic mean of precision P and recall R.

    y_true: 0/1 of y_pred's shape, or class numbers `(n,)` where y_pred is `(n, classes)`.
    0.0 for a class that neither occurs nor is predicted; NaN without examples.

    Args:
        average: None gives one score per class (an array; a float for one column), "macro" their
            mean, "weighted" the mean weighted by the classes' size, "micro" pools all classes.
        threshold: scores above it are a yes, for each column by itself (multi-label). None: the
            largest score of each example decides, and 0.5 where there is one column.

    >>> F1Score()([0, 1, 1], [0.9, 0.2, 0.8])
    0.5
    """

    beta: float = field(default=1.0, init=False)

    @property
    def label(self) -> str:
        return self.name or "f1_score"


class _ClassCounts(Metric):
    threshold: float = 0.5

    def validate(self) -> None:
        check_number(self, "threshold", open_low=True, open_high=True)

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        if y_pred.ndim > 1 and y_pred.shape[-1] > 1:
            return counted(self.label, y_true, y_pred, weight, None)
        truth, scores = same(self.label, y_true, y_pred)
        # class 0 scores the threshold: class 1 wins above it
        scores = jnp.concatenate([jnp.full_like(scores, self.threshold), scores], axis=-1)
        truth = jnp.concatenate([1 - truth, truth], axis=-1)
        return counted(self.label, truth, scores, weight, None)


class BalancedAccuracy(_ClassCounts):
    """mean over classes of (right in the class / examples of the class): each class counts alike.

    y_true: 0/1 with one column of y_pred; one-hot or class numbers with `(n, classes)`. Classes
    without examples are left out; NaN without examples.

    Args:
        threshold: for one column, 0.0 for logits.

    >>> BalancedAccuracy()([1, 0, 0, 0], [0.9, 0.1, 0.2, 0.8]).__round__(4)
    0.8333
    """

    def result(self, stats: Stats) -> float:
        counts = host(stats)
        present = counts["positives"] > 0
        if not present.any():
            return math.nan
        return float((counts["true_positives"][present] / counts["positives"][present]).mean())


class MatthewsCorrelation(_ClassCounts):
    """(c s - Σ pₖ tₖ) / sqrt((s² - Σ pₖ²) (s² - Σ tₖ²)): correlation of truth and decision.

    c is the number of right decisions, s of examples, tₖ of examples of class k and pₖ of
    decisions for it. 1 is perfect, 0 is chance; 0.0 if all truths or all decisions are one
    class; NaN without examples.

    Args:
        threshold: for one column, 0.0 for logits.

    Source: Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", 2004.

    >>> MatthewsCorrelation()([1, 1, 1, 0], [0.9, 0.2, 0.8, 0.7]).__round__(4)
    -0.3333
    """

    def result(self, stats: Stats) -> float:
        counts = host(stats)
        t, p = counts["positives"], counts["predicted"]
        if counts["weight"] == 0:
            return math.nan
        covariance = counts["true_positives"].sum() * counts["weight"] - p @ t
        # sums of their own, so that the spread of one class only is exactly 0
        spread = (p.sum() ** 2 - p @ p) * (t.sum() ** 2 - t @ t)
        return float(covariance / math.sqrt(spread)) if spread > 0 else 0.0
