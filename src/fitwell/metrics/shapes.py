"""How targets and predictions are laid against each other: never by broadcasting."""

from __future__ import annotations

import jax.numpy as jnp

from fitwell.errors import ShapeMismatch
from fitwell.types import Array, HostArray


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Both with at least two axes; a last axis of 1 that only one of them has is given to both."""
    if y_true.ndim == y_pred.ndim == 1:
        return y_true[:, None], y_pred[:, None]
    if y_true.shape == (*y_pred.shape, 1):
        return y_true, y_pred[..., None]
    if y_pred.shape == (*y_true.shape, 1):
        return y_true[..., None], y_pred
    return y_true, y_pred


def same(subject: str, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Aligned targets and predictions of equal shape `(batch, ..., columns)`."""
    truth, prediction = align(y_true, y_pred)
    if truth.shape != prediction.shape:
        raise ShapeMismatch(
            f"metric {subject}",
            "y_true and y_pred of the same shape",
            f"{y_true.shape} and {y_pred.shape}",
            "Reshape one of them, or, if y_true holds class numbers, use a Sparse... metric.",
        )
    return truth, prediction


def is_sparse(y_true: Array | HostArray, y_pred: Array | HostArray) -> bool:
    """True if y_true holds class numbers and y_pred one column per class."""
    *front, columns = y_pred.shape
    return columns > 1 and tuple(y_true.shape) in ((*front,), (*front, 1)) and y_pred.ndim > 1


def labels(subject: str, y_true: Array, y_pred: Array) -> Array:
    """Class numbers of shape `y_pred.shape[:-1]`."""
    if y_pred.ndim < 2 or y_true.shape not in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
        raise ShapeMismatch(
            f"metric {subject}",
            "y_true with one class number where y_pred has one column per class",
            f"{y_true.shape} and {y_pred.shape}",
            "If y_true is one-hot, use the metric without Sparse in its name.",
        )
    return y_true.reshape(y_pred.shape[:-1])


def one_hot(subject: str, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets as columns like the predictions, whether they are class numbers or columns."""
    if is_sparse(y_true, y_pred):
        return is_class(labels(subject, y_true, y_pred), y_pred.shape[-1]), y_pred
    return same(subject, y_true, y_pred)


def is_class(numbers: Array, count: int) -> Array:
    """One-hot booleans `(..., count)`; a number outside `0 .. count-1` gives no True."""
    return numbers[..., None] == jnp.arange(count)
