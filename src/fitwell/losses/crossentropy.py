"""Cross-entropies: -log of the probability that the model gives to what is right.

From logits they are finite with the gradient p - y however large the logits are. From
probabilities they keep a distance of 1e-7 from 0 and 1, as Keras does.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_number, is_zero
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.losses.base import EPSILON, Loss, array, floating, pair
from fitwell.types import Array


@jax.custom_jvp
def sigmoid_crossentropy(logits: Array, y_true: Array) -> Array:
    """-y log(sigmoid(z)) - (1 - y) log(1 - sigmoid(z)) = max(z, 0) - z y + log(1 + e^-|z|)."""
    rest = jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return jnp.maximum(logits, 0) - logits * y_true + rest


@sigmoid_crossentropy.defjvp
def _sigmoid_crossentropy_jvp(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[Array, Array]:
    # p - y as it is; the formula's own derivative has a kink at z = 0 that spoils the curvature.
    (logits, y_true), (logits_dot, y_true_dot) = primals, tangents
    slope = jax.nn.sigmoid(logits) - y_true
    return sigmoid_crossentropy(logits, y_true), slope * logits_dot - logits * y_true_dot


def clip_probability(p: Array) -> Array:
    """`p` in [1e-7, 1 - 1e-7]."""
    return jnp.clip(p, EPSILON, 1 - EPSILON)


def probability_crossentropy(p: Array, y_true: Array) -> Array:
    """-y log p - (1 - y) log(1 - p); 1 - p is clipped by itself, as 1 - 1e-7 is no float32."""
    log_no = jnp.log(clip_probability(1 - p))
    return -y_true * jnp.log(clip_probability(p)) - (1 - y_true) * log_no


def log_probability(y_pred: Array, from_logits: bool, axis: int) -> Array:
    """log p from logits, or from probabilities (divided by their sum, as in Keras)."""
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    total = jnp.sum(y_pred, axis=axis, keepdims=True)
    return jnp.log(clip_probability(y_pred / jnp.where(total > 0, total, 1)))


def smooth_binary(y_true: Array, label_smoothing: float) -> Array:
    """y (1 - a) + a / 2."""
    if is_zero(label_smoothing):
        return y_true
    return y_true * (1 - label_smoothing) + label_smoothing / 2


def smooth_categorical(y_true: Array, label_smoothing: float, axis: int) -> Array:
    """y (1 - a) + a / C."""
    if is_zero(label_smoothing):
        return y_true
    return y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[axis]


def one_hot_pair(subject: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Array, Array]:
    """`pair` for y_true with one column per class."""
    cure = f"For labels that are class numbers, use sparse_{subject}."
    if subject != "categorical_crossentropy":
        cure = "Turn class numbers into columns with to_categorical."
    y_true, y_pred = pair(subject, y_true, y_pred, cure)
    _check_classes(subject, y_pred, axis)
    return y_true, y_pred


def _check_classes(subject: str, y_pred: Array, axis: int) -> None:
    if y_pred.shape[axis] < 2:
        raise ShapeMismatch(
            subject,
            "y_pred with at least 2 classes (the loss of a single one is always 0)",
            f"y_pred of shape {y_pred.shape}",
            "For one column that says yes or no, use binary_crossentropy.",
        )


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """mean(-y log p - (1 - y) log(1 - p)) along `axis`: (..., d), (..., d) -> (...).

    Args:
        y_true: 0 or 1, or a probability; each column is a label of its own.
        y_pred: p in [0, 1], or z with p = sigmoid(z) if `from_logits`.
        from_logits: y_pred are logits.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / 2.
        axis: along which the mean is taken.

    Raises:
        ShapeMismatch: the shapes differ by more than a last axis of 1.

    >>> binary_crossentropy(jnp.array([[1.0], [0.0]]), jnp.array([[0.5], [0.5]])).round(4)
    Array([0.6931, 0.6931], dtype=float32)
    >>> binary_crossentropy(jnp.array([[0.0]]), jnp.array([[1e4]]), from_logits=True)
    Array([10000.], dtype=float32)
    """
    y_true, y_pred = pair("binary_crossentropy", y_true, y_pred)
    y_true = smooth_binary(y_true, label_smoothing)
    if from_logits:
        return jnp.mean(sigmoid_crossentropy(y_pred, y_true), axis=axis)
    return jnp.mean(probability_crossentropy(y_pred, y_true), axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """-sum(y log p) along `axis`: (..., C), (..., C) -> (...).

    Args:
        y_true: one-hot, or any distribution over the C classes.
        y_pred: p in [0, 1], divided by their sum, or z with p = softmax(z) if `from_logits`.
        from_logits: y_pred are logits.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / C.
        axis: where the classes are.

    Raises:
        ShapeMismatch: the shapes differ.

    >>> categorical_crossentropy(jnp.array([[0, 1]]), jnp.array([[0.5, 0.5]])).round(4)
    Array([0.6931], dtype=float32)
    """
    y_true, y_pred = one_hot_pair("categorical_crossentropy", y_true, y_pred, axis)
    y_true = smooth_categorical(y_true, label_smoothing, axis)
    return -jnp.sum(y_true * log_probability(y_pred, from_logits, axis), axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
    label_smoothing: float = 0.0,
) -> Array:
    """-(1 - a) log p_y - a mean_k log p_k: (...) or (..., 1), (..., C) -> (...).

    From logits: C + log(sum_i e^(z_i - C)) - z_y with C = max(z), the log-sum-exp trick.

    Args:
        y_true: class numbers 0, ..., C - 1.
        y_pred: p in [0, 1], divided by their sum, or z with p = softmax(z) if `from_logits`.
        from_logits: y_pred are logits.
        ignore_class: a label whose loss is 0; the loss class leaves it out of the average, too.
        axis: where the classes are in y_pred.
        label_smoothing: a in [0, 1], as PyTorch has it: the right class gets 1 - a + a / C.

    Raises:
        ShapeMismatch: y_true is not y_pred without its classes.

    >>> sparse_categorical_crossentropy(jnp.array([1]), jnp.array([[0.0, 0.0]]), True).round(4)
    Array([0.6931], dtype=float32)
    """
    labels, y_pred = _labels_pair(y_true, y_pred, axis)
    classes = jax.lax.broadcasted_iota(labels.dtype, y_pred.shape, axis % y_pred.ndim)
    # A select and a sum instead of a gather: the gradient of a gather is a slow scatter.
    right = classes == jnp.expand_dims(labels, axis)
    if from_logits:
        highest = jax.lax.stop_gradient(jnp.max(y_pred, axis=axis, keepdims=True))
        z = y_pred - highest
        own = _of_labels(z, right, axis, label_smoothing)
        losses = jnp.log(jnp.sum(jnp.exp(z), axis=axis)) - own
    else:
        log_p = log_probability(y_pred, False, axis)
        losses = -_of_labels(log_p, right, axis, label_smoothing)
    return losses if ignore_class is None else jnp.where(labels == ignore_class, 0, losses)


def _of_labels(values: Array, right: Array, axis: int, label_smoothing: float) -> Array:
    """The mean of values (..., C) under the labels, smoothed or not: (...)."""
    own = jnp.sum(jnp.where(right, values, 0), axis=axis)
    if is_zero(label_smoothing):
        return own
    return (1 - label_smoothing) * own + label_smoothing * jnp.mean(values, axis=axis)


def _labels_pair(y_true: Any, y_pred: Any, axis: int) -> tuple[Array, Array]:
    """Class numbers (...) as int32, and y_pred (..., C) as floats."""
    subject = "sparse_categorical_crossentropy"
    y_pred, y_true = floating(subject, "y_pred", y_pred), array(subject, "y_true", y_true)
    at = axis % y_pred.ndim if y_pred.ndim else 0
    wanted = y_pred.shape[:at] + y_pred.shape[at + 1 :]
    if y_true.ndim == y_pred.ndim and y_true.ndim and y_true.shape[at] == 1:
        y_true = jnp.squeeze(y_true, at)
    if y_true.shape != wanted or not y_pred.ndim:
        cure = "Pass one class number per prediction."
        if y_true.shape == y_pred.shape:
            cure = "For one-hot labels use categorical_crossentropy."
        raise ShapeMismatch(
            subject,
            f"y_true of shape {wanted}, class numbers for y_pred's {y_pred.shape}",
            f"y_true of shape {y_true.shape}",
            cure,
        )
    _check_classes(subject, y_pred, axis)
    return y_true.astype(jnp.int32), y_pred


def check_crossentropy(owner: Any) -> None:
    """The fields that all cross-entropies share."""
    if hasattr(owner, "label_smoothing"):
        check_number(owner, "label_smoothing", 0, 1)
    if isinstance(owner.axis, bool) or not isinstance(owner.axis, int):
        raise InvalidArgument(
            type(owner).__name__, "axis to be a whole number", f"axis={owner.axis!r}", "Use -1."
        )


class BinaryCrossentropy(Loss):
    """-y log p - (1 - y) log(1 - p), the logistic loss: see `binary_crossentropy`.

    Args:
        from_logits: the predictions are logits instead of probabilities.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / 2.
        axis: along which the mean is taken.

    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> loss(jnp.array([1, 0]), jnp.array([[0.0], [0.0]])).round(4)
    Array(0.6931, dtype=float32)
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    link: ClassVar[str | None] = "sigmoid"

    def validate(self) -> None:
        check_crossentropy(self)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class CategoricalCrossentropy(Loss):
    """-sum(y log p) for one-hot labels: see `categorical_crossentropy`.

    Args:
        from_logits: the predictions are logits instead of probabilities.
        label_smoothing: a in [0, 1]: y becomes y (1 - a) + a / C.
        axis: where the classes are.

    >>> CategoricalCrossentropy()(jnp.array([[0, 1]]), jnp.array([[0.5, 0.5]])).round(4)
    Array(0.6931, dtype=float32)
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    link: ClassVar[str | None] = "softmax"

    def validate(self) -> None:
        check_crossentropy(self)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class SparseCategoricalCrossentropy(Loss):
    """-log p_y for labels that are class numbers: see `sparse_categorical_crossentropy`.

    Args:
        from_logits: the predictions are logits instead of probabilities.
        ignore_class: a label that is left out, of the average too.
        axis: where the classes are.
        label_smoothing: a in [0, 1]: the right class gets 1 - a + a / C, each other a / C.

    >>> SparseCategoricalCrossentropy()(jnp.array([1]), jnp.array([[0.5, 0.5]])).round(4)
    Array(0.6931, dtype=float32)
    """

    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1
    label_smoothing: float = field(default=0.0, kw_only=True)  # Keras has none

    link: ClassVar[str | None] = "softmax"

    def validate(self) -> None:
        check_crossentropy(self)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis, self.label_smoothing
        )

    def counted(self, y_true: Any, y_pred: Any) -> Array | None:
        if self.ignore_class is None:
            return None
        return _labels_pair(y_true, y_pred, self.axis)[0] != self.ignore_class
