"""Counts of decisions per class, and the plain counts as metrics."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.description import check_number, check_positive_int
from fitwell.errors import ShapeMismatch
from fitwell.metrics.base import Metric, Stats
from fitwell.metrics.labels import check_binary, check_classes
from fitwell.metrics.shapes import is_class, is_sparse, labels, one_hot
from fitwell.types import Array, HostArray


def counted(
    subject: str, y_true: Array, y_pred: Array, weight: Array, threshold: float | None
) -> Stats:
    """Weighted counts for each column of y_pred, `(columns,)` each, and the weight they are out of.

    Args:
        subject: the metric's label, for errors.
        y_true: 0/1 columns, or class numbers where y_pred has several columns.
        y_pred: scores, `(batch, ..., columns)` or `(batch,)`.
        weight: `(batch,)`.
        threshold: scores above it are a yes; None lets the largest score of the example decide.
    """
    truth, scores = one_hot(subject, y_true, y_pred)
    columns = scores.shape[-1]
    decided = is_class(jnp.argmax(scores, -1), columns) if threshold is None else scores > threshold
    yes = (truth if truth.dtype == bool else truth > 0.5).reshape(-1, columns)
    decided = decided.reshape(-1, columns)
    spread = jnp.repeat(weight, len(yes) // len(weight))

    def total(chosen: Array) -> Array:
        return jnp.sum(jnp.where(chosen, spread[:, None], 0), axis=0)

    return {
        "true_positives": total(yes & decided),
        "predicted": total(decided),
        "positives": total(yes),
        "weight": jnp.sum(spread),
    }


def check_truth(subject: str, y_true: HostArray, y_pred: HostArray) -> None:
    """Raises InvalidData for class numbers out of range, or columns that are not 0 and 1."""
    if is_sparse(y_true, y_pred):
        check_classes(subject, y_true, y_pred.shape[-1])
    else:
        check_binary(subject, y_true)


def host(stats: Stats) -> dict[str, HostArray]:
    """The same counts in numpy's float64."""
    return {key: np.asarray(value, np.float64) for key, value in stats.items()}


class _Count(Metric):
    thresholds: float | None = None

    def validate(self) -> None:
        if self.thresholds is not None:
            check_number(self, "thresholds", open_low=True, open_high=True)

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        threshold = 0.5 if self.thresholds is None else self.thresholds
        return counted(self.label, y_true, y_pred, weight, threshold)


class TruePositives(_Count):
    """Weight of the elements with y_true = 1 and y_pred > thresholds.

    Args:
        thresholds: one number; None means 0.5.

    >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
    2.0
    """

    def result(self, stats: Stats) -> float:
        return float(host(stats)["true_positives"].sum())


class FalsePositives(_Count):
    """Weight of the elements with y_true = 0 and y_pred > thresholds.

    Args:
        thresholds: one number; None means 0.5.

    >>> FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])
    2.0
    """

    def result(self, stats: Stats) -> float:
        counts = host(stats)
        return float((counts["predicted"] - counts["true_positives"]).sum())


class FalseNegatives(_Count):
    """Weight of the elements with y_true = 1 and y_pred <= thresholds.

    Args:
        thresholds: one number; None means 0.5.

    >>> FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0])
    2.0
    """

    def result(self, stats: Stats) -> float:
        counts = host(stats)
        return float((counts["positives"] - counts["true_positives"]).sum())


class TrueNegatives(_Count):
    """Weight of the elements with y_true = 0 and y_pred <= thresholds.

    Args:
        thresholds: one number; None means 0.5.

    >>> TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0])
    2.0
    """

    def result(self, stats: Stats) -> float:
        counts = host(stats)
        either = counts["positives"] + counts["predicted"] - counts["true_positives"]
        return float((counts["weight"] - either).sum())


class ConfusionMatrix(Metric):
    """C[i, j] = weight of the examples of class i that were predicted as class j.

    y_true holds class numbers or one-hot rows. y_pred holds one column of scores per class, or,
    in a single column, the probability of class 1 (num_classes = 2) or predicted class numbers.

    Args:
        num_classes: how many classes there are, >= 1.
        threshold: for one column and two classes; 0.0 for logits.

    Raises:
        InvalidData: class numbers outside 0 .. num_classes-1 (whole arrays only; in training such
            an example is left out).
        ShapeMismatch: y_pred has neither one column nor num_classes.

    >>> ConfusionMatrix(2)([0, 1, 1], [0.2, 0.9, 0.4]).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """

    num_classes: int
    threshold: float = 0.5

    def validate(self) -> None:
        check_positive_int(self, "num_classes")
        check_number(self, "threshold", open_low=True, open_high=True)

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_classes(self.label, y_true, self.num_classes)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        columns = 1 if y_pred.ndim == 1 else y_pred.shape[-1]
        if columns not in (1, self.num_classes):
            raise ShapeMismatch(
                f"metric {self.label}",
                f"y_pred with 1 or num_classes={self.num_classes} columns",
                f"{columns} columns (shape {y_pred.shape})",
                f"Write ConfusionMatrix(num_classes={columns}).",
            )
        if columns > 1 and is_sparse(y_true, y_pred):
            truth, predicted = labels(self.label, y_true, y_pred), jnp.argmax(y_pred, axis=-1)
        elif columns > 1:
            truth, predicted = (jnp.argmax(a, -1) for a in one_hot(self.label, y_true, y_pred))
        else:
            truth, predicted = (a[..., 0] for a in one_hot(self.label, y_true, y_pred))
            if self.num_classes == 2:
                predicted = predicted > self.threshold
        rows = is_class(truth.reshape(-1), self.num_classes)
        spread = jnp.repeat(weight, len(rows) // len(weight))
        weighted = jnp.where(rows, spread[:, None], 0)
        chosen = is_class(predicted.reshape(-1), self.num_classes).astype(weighted.dtype)
        # accelerators multiply in fewer digits unless told otherwise, and counts must be exact
        return {"matrix": jnp.matmul(weighted.T, chosen, precision=jax.lax.Precision.HIGHEST)}

    def result(self, stats: Stats) -> Any:
        return np.asarray(stats["matrix"], np.float64)
