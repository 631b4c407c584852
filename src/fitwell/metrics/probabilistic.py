"""Metrics of probabilities and margins: losses that are also watched, log loss, Brier score."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fitwell import losses
from fitwell.description import check_number
from fitwell.metrics.base import MeanMetric
from fitwell.metrics.counts import check_truth
from fitwell.metrics.labels import check_binary, check_classes
from fitwell.metrics.shapes import is_sparse, one_hot
from fitwell.types import Array, HostArray


class BinaryCrossentropy(MeanMetric):
    """mean(-y log p - (1 - y) log(1 - p)), y_true and y_pred of one shape.

    Args:
        from_logits: y_pred holds logits, not probabilities.
        label_smoothing: in [0, 1]; moves the labels 0 and 1 towards 1/2 by this share.

    >>> BinaryCrossentropy()([1, 0], [0.5, 0.5]).__round__(4)
    0.6931
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def validate(self) -> None:
        check_number(self, "label_smoothing", 0, 1)

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_binary(self.label, y_true)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.binary_crossentropy(
            y_true, y_pred, from_logits=self.from_logits, label_smoothing=self.label_smoothing
        )


class CategoricalCrossentropy(MeanMetric):
    """mean(-Σₖ yₖ log pₖ), y_true one-hot and y_pred `(n, classes)`.

    Args:
        from_logits: y_pred holds logits, not probabilities.
        label_smoothing: in [0, 1]; moves the labels towards 1/classes by this share.

    >>> CategoricalCrossentropy()([[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]).__round__(4)
    0.6931
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def validate(self) -> None:
        check_number(self, "label_smoothing", 0, 1)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.categorical_crossentropy(
            y_true, y_pred, from_logits=self.from_logits, label_smoothing=self.label_smoothing
        )


class SparseCategoricalCrossentropy(MeanMetric):
    """mean(-log p of the true class), class numbers `(n,)` or `(n, 1)`, y_pred `(n, classes)`.

    Args:
        from_logits: y_pred holds logits, not probabilities.

    Raises:
        InvalidData: a class number outside 0 .. classes-1 (whole arrays only).

    >>> SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [0.5, 0.5]]).__round__(4)
    0.6931
    """

    from_logits: bool = False

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_classes(self.label, y_true, y_pred.shape[-1])

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=self.from_logits)


class LogLoss(MeanMetric):
    """mean(-log of the probability that the truth was given): two classes or more.

    y_true: 0/1 with one column of y_pred; class numbers or one-hot rows with `(n, classes)`.

    Args:
        from_logits: y_pred holds logits, not probabilities.

    >>> LogLoss()([1, 0], [[0.5, 0.5], [0.5, 0.5]]).__round__(4)
    0.6931
    """

    from_logits: bool = False

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        if is_sparse(y_true, y_pred):
            return losses.sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)
        if y_pred.shape[-1] > 1:
            return losses.categorical_crossentropy(y_true, y_pred, self.from_logits)
        return losses.binary_crossentropy(y_true, y_pred, self.from_logits)


class BrierScore(MeanMetric):
    """mean((y - p)²) with one column; mean(Σₖ (yₖ - pₖ)²) with one column per class.

    y_true: 0/1 with one column of y_pred; class numbers or one-hot rows with `(n, classes)`. 0 is
    perfect; with one column per class the worst is 2.

    Args:
        from_logits: y_pred holds logits, not probabilities.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.

    >>> BrierScore()([1, 0], [0.5, 0.5])
    0.25
    """

    from_logits: bool = False

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        check_truth(self.label, y_true, y_pred)

    def values(self, y_true: Array, y_pred: Array) -> Array:
        truth, p = one_hot(self.label, y_true, y_pred)
        if self.from_logits:
            p = jax.nn.softmax(p) if p.shape[-1] > 1 else jax.nn.sigmoid(p)
        return jnp.sum(jnp.square(p - truth), axis=-1)


class KLDivergence(MeanMetric):
    """mean(Σₖ yₖ log(yₖ / pₖ)), both rows of probabilities, kept in [1e-7, 1].

    >>> KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).__round__(4)
    0.1438
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.kl_divergence(y_true, y_pred)


class Poisson(MeanMetric):
    """mean(y_pred - y_true log(y_pred + 1e-7)), y_true counts >= 0.

    >>> Poisson()([0, 0], [1.0, 2.0])
    1.5
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.poisson(y_true, y_pred)


class Hinge(MeanMetric):
    """mean(max(1 - y_true y_pred, 0)), y_true -1 and 1, or 0 and 1.

    >>> Hinge()([1, -1], [2.0, 0.0])
    0.5
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.hinge(y_true, y_pred)


class SquaredHinge(MeanMetric):
    """mean(max(1 - y_true y_pred, 0)²), y_true -1 and 1, or 0 and 1.

    >>> SquaredHinge()([1, -1], [2.0, 1.0])
    2.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.squared_hinge(y_true, y_pred)


class CategoricalHinge(MeanMetric):
    """mean(max(1 + highest wrong score - right score, 0)), y_true one-hot.

    >>> CategoricalHinge()([[1, 0]], [[3.0, 1.0]])
    0.0
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return losses.categorical_hinge(y_true, y_pred)
