"""Accuracies: the share of examples that are right."""

from __future__ import annotations

import jax.numpy as jnp

from fitwell.description import check_number, check_positive_int
from fitwell.metrics.base import MeanMetric
from fitwell.metrics.labels import check_binary, check_classes
from fitwell.metrics.shapes import is_class, labels, same
from fitwell.types import Array, HostArray


class Accuracy(MeanMetric):
    """mean(y_true = y_pred): predictions that are labels themselves, any shape.

    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        truth, prediction = same(self.label, y_true, y_pred)
        return truth == prediction


class BinaryAccuracy(MeanMetric):
    """mean((y_pred > threshold) = y_true), y_true in {0, 1}; (n,), (n, 1) or (n, labels).

    Labels of training that are soft or -1 and 1 are read as y_true > 1/2; others, numbers of more
    than two classes or quantities beyond 1, count as wrong, as in Keras.

    Args:
        threshold: predictions above it mean class 1; 0.0 for logits.

    Raises:
        InvalidData: labels outside [0, 1] (whole arrays only).

    >>> BinaryAccuracy()([1, 1, 0, 0], [0.98, 1.0, 0.0, 0.6])
    0.75
    """

    threshold: float = 0.5

    def validate(self) -> None:
        check_number(self, "threshold", open_low=True, open_high=True)

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_binary(self.label, y_true)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        truth, prediction = same(self.label, y_true, y_pred)
        right = (prediction > self.threshold) == (truth > 0.5)
        return right & (jnp.abs(truth) <= 1)  # of more classes than two none is met, as in Keras


class CategoricalAccuracy(MeanMetric):
    """mean(argmax y_pred = argmax y_true): one-hot targets (n, classes).

    >>> CategoricalAccuracy()([[1, 0], [0, 1]], [[0.8, 0.2], [0.7, 0.3]])
    0.5
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        truth, prediction = same(self.label, y_true, y_pred)
        return jnp.argmax(truth, axis=-1) == jnp.argmax(prediction, axis=-1)


class SparseCategoricalAccuracy(MeanMetric):
    """mean(argmax y_pred = y_true): class numbers (n,) or (n, 1), y_pred (n, classes).

    Raises:
        InvalidData: a class number outside 0 .. classes-1 (whole arrays only; in training such an
            example counts as wrong).

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_classes(self.label, y_true, y_pred.shape[-1])

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return labels(self.label, y_true, y_pred) == jnp.argmax(y_pred, axis=-1)


class TopKCategoricalAccuracy(MeanMetric):
    """Share of examples whose class is among the k highest scores; one-hot targets (n, classes).

    A score equal to that of the true class does not push it out.

    Args:
        k: how many guesses are allowed, >= 1.

    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.1, 0.5, 0.4]])
    1.0
    """

    k: int = 5

    def validate(self) -> None:
        check_positive_int(self, "k")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        truth, prediction = same(self.label, y_true, y_pred)
        return _among_best(jnp.argmax(truth, axis=-1), prediction, self.k)


class SparseTopKCategoricalAccuracy(MeanMetric):
    """Share of examples whose class is among the k highest scores; class numbers (n,) or (n, 1).

    Args:
        k: how many guesses are allowed, >= 1.

    Raises:
        InvalidData: a class number outside 0 .. classes-1 (whole arrays only).

    >>> SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.5, 0.4]] * 2)
    0.5
    """

    k: int = 5

    def validate(self) -> None:
        check_positive_int(self, "k")

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_classes(self.label, y_true, y_pred.shape[-1])

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return _among_best(labels(self.label, y_true, y_pred), y_pred, self.k)


def _among_best(label: Array, scores: Array, k: int) -> Array:
    chosen = is_class(label, scores.shape[-1])
    own = jnp.max(jnp.where(chosen, scores, -jnp.inf), axis=-1, keepdims=True)
    # "not <=" and not ">": comparisons with NaN are false, and NaN must not count as a hit
    better = jnp.sum(~(scores <= own), axis=-1)
    return (better < k) & chosen.any(axis=-1)
