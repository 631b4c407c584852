"""Losses with a margin: right by enough costs nothing."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.losses.base import Loss, pair
from fitwell.types import Array


def _missing_margin(subject: str, y_true: Any, y_pred: Any) -> Array:
    y_true, y_pred = pair(subject, y_true, y_pred)
    # Label by label, so that neither jit nor a padded row changes what 0 means.
    sign = jnp.where(y_true == 0, -1, y_true)
    return jnp.maximum(1 - sign * y_pred, 0)


def hinge(y_true: Any, y_pred: Any) -> Array:
    """mean(max(1 - y_true y_pred, 0)) over the last axis: (..., d), (..., d) -> (...).

    Args:
        y_true: labels -1 and 1; a label 0 counts as -1.
        y_pred: scores, any real number; the sign is the decision.

    >>> hinge(jnp.array([[1.0], [0.0]]), jnp.array([[0.5], [0.5]]))
    Array([0.5, 1.5], dtype=float32)
    """
    return jnp.mean(_missing_margin("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Array:
    """mean(max(1 - y_true y_pred, 0)^2) over the last axis; labels as in `hinge`.

    >>> squared_hinge(jnp.array([[1.0], [0.0]]), jnp.array([[0.5], [0.5]]))
    Array([0.25, 2.25], dtype=float32)
    """
    return jnp.mean(jnp.square(_missing_margin("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Array:
    """max(neg - pos + 1, 0), pos = sum(y_true y_pred), neg = max((1 - y_true) y_pred).

    Args:
        y_true: (..., C), one-hot.
        y_pred: (..., C), scores.

    Source: Crammer and Singer, On the algorithmic implementation of multiclass kernel-based
    vector machines (2001).

    >>> categorical_hinge(jnp.array([[0, 1]]), jnp.array([[0.6, 0.4]]))
    Array([1.2], dtype=float32)
    """
    y_true, y_pred = pair("categorical_hinge", y_true, y_pred)
    positive = jnp.sum(y_true * y_pred, axis=-1)
    negative = jnp.max((1 - y_true) * y_pred, axis=-1)
    return jnp.maximum(negative - positive + 1, 0)


class Hinge(Loss):
    """mean(max(1 - y_true y_pred, 0)), labels -1 and 1 or 0 and 1: see `hinge`.

    >>> float(Hinge()(jnp.array([1, -1]), jnp.array([[2.0], [0.0]])))
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return hinge(y_true, y_pred)


class SquaredHinge(Loss):
    """mean(max(1 - y_true y_pred, 0)^2), labels -1 and 1 or 0 and 1: see `squared_hinge`.

    >>> float(SquaredHinge()(jnp.array([1, -1]), jnp.array([[2.0], [1.0]])))
    2.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(Loss):
    """The right class must lead by 1: see `categorical_hinge`.

    >>> float(CategoricalHinge()(jnp.array([[1, 0]]), jnp.array([[3.0, 1.0]])))
    0.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return categorical_hinge(y_true, y_pred)
