"""Focal cross-entropies: examples that are already right weigh little, for rare classes.

Source: Lin et al., Focal loss for dense object detection (2017).
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.losses.base import Loss, pair
from fitwell.losses.crossentropy import (
    check_crossentropy,
    log_probability,
    one_hot_pair,
    probability_crossentropy,
    sigmoid_crossentropy,
    smooth_binary,
    smooth_categorical,
)
from fitwell.types import Array

_SMALLEST = 1e-30  # its powers down to -1 are finite in float32


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """mean((1 - p_t)^gamma binary_crossentropy), p_t = y p + (1 - y) (1 - p).

    Args:
        y_true: 0 or 1, (..., d).
        y_pred: p in [0, 1], or logits, (..., d).
        apply_class_balancing: multiply by alpha y + (1 - alpha) (1 - y).
        alpha: the weight of class 1, in [0, 1].
        gamma: how little what is right weighs, >= 0; 0 is the plain cross-entropy.
        from_logits: y_pred are logits.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / 2.
        axis: along which the mean is taken.

    >>> binary_focal_crossentropy(jnp.array([[1.0]]), jnp.array([[0.5]])).round(4)
    Array([0.1733], dtype=float32)
    """
    y_true, y_pred = pair("binary_focal_crossentropy", y_true, y_pred)
    y_true = smooth_binary(y_true, label_smoothing)
    if from_logits:
        # sigmoid(-z) instead of 1 - sigmoid(z), which is 0 from z = 18 on in float32.
        p, one_minus_p = jax.nn.sigmoid(y_pred), jax.nn.sigmoid(-y_pred)
        crossentropy = sigmoid_crossentropy(y_pred, y_true)
    else:
        p, one_minus_p = y_pred, 1 - y_pred
        crossentropy = probability_crossentropy(p, y_true)
    losses = _power(y_true * one_minus_p + (1 - y_true) * p, gamma) * crossentropy
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | tuple[float, ...] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """-sum(alpha (1 - p)^gamma y log p) along `axis`: (..., C), (..., C) -> (...).

    Args:
        y_true: one-hot, (..., C).
        y_pred: p in [0, 1], divided by their sum, or logits, (..., C).
        alpha: a weight >= 0 for all classes, or one for each.
        gamma: how little what is right weighs, >= 0; 0 is the plain cross-entropy times alpha.
        from_logits: y_pred are logits.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / C.
        axis: where the classes are.

    >>> categorical_focal_crossentropy(jnp.array([[0, 1]]), jnp.array([[0.5, 0.5]])).round(4)
    Array([0.0433], dtype=float32)
    """
    y_true, y_pred = one_hot_pair("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = smooth_categorical(y_true, label_smoothing, axis)
    log_p = log_probability(y_pred, from_logits, axis)
    weight = _power(-jnp.expm1(log_p), gamma) * _per_class(alpha, y_pred, axis)
    return -jnp.sum(weight * y_true * log_p, axis=axis)


def _power(base: Array, exponent: float) -> Array:
    """base^exponent for base >= 0, with a finite derivative at 0 for every exponent >= 0."""
    return jnp.maximum(base, _SMALLEST) ** exponent


def _per_class(alpha: float | tuple[float, ...], y_pred: Array, axis: int) -> Array:
    weight = jnp.asarray(alpha, y_pred.dtype)
    if weight.ndim == 0:
        return weight
    if weight.shape != (y_pred.shape[axis],):
        raise ShapeMismatch(
            "categorical_focal_crossentropy",
            f"one alpha, or one for each of the {y_pred.shape[axis]} classes",
            f"{weight.size}",
            "Pass alpha=0.25 or as many numbers as there are classes.",
        )
    shape = [1] * y_pred.ndim
    shape[axis] = weight.size
    return weight.reshape(shape)


class BinaryFocalCrossentropy(Loss):
    """(1 - p_t)^gamma times the binary cross-entropy: see `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: weigh class 1 by `alpha` and class 0 by 1 - `alpha`.
        alpha: in [0, 1].
        gamma: >= 0.
        from_logits: the predictions are logits instead of probabilities.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / 2.
        axis: along which the mean is taken.

    >>> BinaryFocalCrossentropy(gamma=0.0)(jnp.array([1]), jnp.array([[0.5]])).round(4)
    Array(0.6931, dtype=float32)
    """

    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    link: ClassVar[str | None] = "sigmoid"

    def validate(self) -> None:
        check_number(self, "alpha", 0, 1)
        check_number(self, "gamma", 0)
        check_crossentropy(self)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


class CategoricalFocalCrossentropy(Loss):
    """-sum(alpha (1 - p)^gamma y log p): see `categorical_focal_crossentropy`.

    Args:
        alpha: a weight >= 0 for all classes, or one for each.
        gamma: >= 0.
        from_logits: the predictions are logits instead of probabilities.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / C.
        axis: where the classes are.

    >>> loss = CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0)
    >>> loss(jnp.array([[0, 1]]), jnp.array([[0.5, 0.5]])).round(4)
    Array(0.6931, dtype=float32)
    """

    alpha: float | tuple[float, ...] = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    link: ClassVar[str | None] = "softmax"

    def validate(self) -> None:
        several = self.alpha if isinstance(self.alpha, tuple) else (self.alpha,)
        numbers = all(isinstance(a, int | float) and a >= 0 for a in several)
        if not several or not numbers:
            raise InvalidArgument(
                "CategoricalFocalCrossentropy",
                "alpha to be a number >= 0 or one for each class",
                f"alpha={self.alpha!r}",
                "Choose alpha=0.25, or the weights of the classes.",
            )
        check_number(self, "gamma", 0)
        check_crossentropy(self)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )
