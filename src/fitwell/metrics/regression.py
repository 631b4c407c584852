"""Metrics of numbers: errors, the coefficient of determination, cosine similarity."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from fitwell import losses
from fitwell.description import check_choice
from fitwell.errors import InvalidArgument
from fitwell.metrics.base import MeanMetric, Metric, Stats
from fitwell.metrics.shapes import same
from fitwell.types import Array


class MeanSquaredError(MeanMetric):
    """mean((y_true - y_pred)²), in the target's unit squared.

    >>> MeanSquaredError()([1.0, 2.0], [1.0, 4.0])
    2.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.mean_squared_error(y_true, y_pred)


class RootMeanSquaredError(MeanMetric):
    """sqrt(mean((y_true - y_pred)²)), in the target's unit; the mean is over all examples.

    >>> RootMeanSquaredError()([1.0, 2.0], [3.0, 4.0])
    2.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.mean_squared_error(y_true, y_pred)

    def result(self, stats: Stats) -> float:
        return math.sqrt(super().result(stats))


class MeanAbsoluteError(MeanMetric):
    """mean(|y_true - y_pred|), in the target's unit.

    >>> MeanAbsoluteError()([1.0, 2.0], [1.0, 4.0])
    1.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(MeanMetric):
    """100 mean(|y_true - y_pred| / max(|y_true|, 1e-7)), in percent.

    >>> MeanAbsolutePercentageError()([1.0, 2.0], [1.0, 4.0])
    50.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(MeanMetric):
    """mean((log(1 + y_true) - log(1 + y_pred))²), both raised to at least 1e-7.

    >>> MeanSquaredLogarithmicError()([3.0], [3.0])
    0.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.mean_squared_logarithmic_error(y_true, y_pred)


class LogCoshError(MeanMetric):
    """mean(log(cosh(y_pred - y_true))).

    >>> LogCoshError()([1.0], [1.0])
    0.0
    """

    @property
    def label(self) -> str:
        return self.name or "logcosh"

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.log_cosh(y_true, y_pred)


class CosineSimilarity(MeanMetric):
    """mean(cos of the angle between y_true and y_pred): 1 for the same direction.

    The sign is opposite to the loss of the same name, which is to be lowered. A vector of zeros
    gives 0.

    Args:
        axis: along which the vectors lie; -1, or another axis of an example (>= 1).

    >>> CosineSimilarity()([[0.0, 1.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 2.0]])
    0.5
    """

    axis: int = -1

    def validate(self) -> None:
        whole = isinstance(self.axis, int) and not isinstance(self.axis, bool)
        if not whole or self.axis == 0:
            raise InvalidArgument(
                "CosineSimilarity",
                "axis to be a whole number other than 0 (the batch)",
                f"axis={self.axis!r}",
                "The last axis is -1.",
            )

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return -losses.cosine_similarity(y_true, y_pred, self.axis)


class R2Score(Metric):
    """1 - Σ wᵢ (yᵢ - ŷᵢ)² / Σ wᵢ (yᵢ - ȳ)²: the share of the variance that is explained.

    Shapes `(n,)` or `(n, ..., outputs)`; each output has a score of its own. 1 is perfect, 0 as
    good as the mean ȳ. Targets that are all equal: 1.0 if predicted exactly, else 0.0. NaN without
    examples. Exact in float32 for targets whose mean is far larger than their spread: batches
    keep their mean and the squares about it, and are joined by Chan's formula.

    Args:
        class_aggregation: "uniform_average" is the mean over outputs,
            "variance_weighted_average" weighs them by the variance of their targets, None
            gives one score per output (an array).

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances", 1979.

    >>> R2Score()([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """

    class_aggregation: str | None = "uniform_average"

    def validate(self) -> None:
        choices = ("uniform_average", "variance_weighted_average", None)
        check_choice(self, "class_aggregation", choices)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        truth, prediction = same(self.label, y_true, y_pred)
        outputs = truth.shape[-1]
        target = truth.astype(jnp.float32).reshape(-1, outputs)
        spread = jnp.repeat(weight, len(target) // len(weight))[:, None]
        target = jnp.where(spread != 0, target, 0)
        guess = jnp.where(spread != 0, prediction.reshape(-1, outputs), 0)
        total = jnp.sum(spread)
        share = spread / jnp.where(total == 0, 1, total)
        mean = jnp.sum(share * target, axis=0)
        deviation = jnp.where(spread != 0, target - mean, 0)
        # the mean has more digits than one float32 holds: it is kept as the sum of two
        rest = jnp.sum(share * deviation, axis=0)
        return {
            "weight": total,
            "mean": mean,
            "mean_rest": rest,
            "squares": jnp.sum(spread * jnp.square(deviation - rest), axis=0),
            "residual": jnp.sum(spread * jnp.square(target - guess), axis=0),
        }

    def merge(self, a: Stats, b: Stats) -> Stats:
        total = a["weight"] + b["weight"]
        share = b["weight"] / (total + (total == 0))
        apart = b["mean"] - a["mean"]
        apart_rest = b["mean_rest"] - a["mean_rest"]
        step = apart * share
        mean = a["mean"] + step
        # what rounding took from the last sum (Knuth's two-sum), exact
        added = mean - a["mean"]
        lost = (a["mean"] - (mean - added)) + (step - added)
        between = (apart + apart_rest) ** 2 * (a["weight"] * share)
        return {
            "weight": total,
            "mean": mean,
            "mean_rest": a["mean_rest"] + apart_rest * share + lost,
            "squares": a["squares"] + b["squares"] + between,
            "residual": a["residual"] + b["residual"],
        }

    def result(self, stats: Stats) -> Any:
        squares = np.asarray(stats["squares"], np.float64)
        residual = np.asarray(stats["residual"], np.float64)
        if stats["weight"] == 0:
            return math.nan
        # targets that are all equal leave a rounding rest, far below one float32 step of the mean
        rest = (1e-10 * np.asarray(stats["mean"], np.float64)) ** 2 * stats["weight"]
        constant = squares <= rest
        score = np.where(constant, residual == 0, 1 - residual / np.where(constant, 1, squares))
        if self.class_aggregation is None and len(score) > 1:
            return score
        if self.class_aggregation != "variance_weighted_average" or not squares.any():
            return float(score.mean())
        return float(score @ squares / squares.sum())
