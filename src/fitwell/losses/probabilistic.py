"""Losses between distributions: Kullback-Leibler divergence and Poisson likelihood."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.losses.base import EPSILON, Loss, pair
from fitwell.types import Array


def kl_divergence(y_true: Any, y_pred: Any) -> Array:
    """sum(y_true log(y_true / y_pred)) over the last axis: (..., C), (..., C) -> (...).

    Args:
        y_true: probabilities; kept in [1e-7, 1].
        y_pred: probabilities; kept in [1e-7, 1].

    Source: Kullback and Leibler, On information and sufficiency (1951).

    >>> kl_divergence(jnp.array([[1.0, 0.0]]), jnp.array([[0.5, 0.5]])).round(4)
    Array([0.6931], dtype=float32)
    """
    y_true, y_pred = pair("kl_divergence", y_true, y_pred)
    y_true, y_pred = jnp.clip(y_true, EPSILON, 1), jnp.clip(y_pred, EPSILON, 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Array:
    """mean(y_pred - y_true log(y_pred + 1e-7)) over the last axis, for counts.

    Args:
        y_true: counts, >= 0.
        y_pred: expected counts, >= 0 (a last layer with softplus or exponential).

    >>> poisson(jnp.array([[2.0]]), jnp.array([[1.0]])).round(4)
    Array([1.], dtype=float32)
    """
    y_true, y_pred = pair("poisson", y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + EPSILON), axis=-1)


class KLDivergence(Loss):
    """sum(y_true log(y_true / y_pred)): what is lost by taking y_pred for y_true.

    >>> float(KLDivergence()(jnp.array([[0.5, 0.5]]), jnp.array([[0.5, 0.5]])))
    0.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return kl_divergence(y_true, y_pred)


class Poisson(Loss):
    """mean(y_pred - y_true log(y_pred)): minus the log-likelihood of counts.

    >>> float(Poisson()(jnp.array([0.0, 0.0]), jnp.array([[1.0], [2.0]])))
    1.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return poisson(y_true, y_pred)
