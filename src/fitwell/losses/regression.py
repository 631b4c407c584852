"""Losses for numbers: how far the prediction is from the target."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.losses.base import EPSILON, Loss, array, floating, pair
from fitwell.types import Array


def mean_squared_error(y_true: Any, y_pred: Any) -> Array:
    """mean((y_true - y_pred)^2) over the last axis: (..., d), (..., d) -> (...).

    >>> mean_squared_error(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]]))
    Array([2.], dtype=float32)
    """
    y_true, y_pred = pair("mean_squared_error", y_true, y_pred)
    return jnp.mean(jnp.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Array:
    """mean(|y_true - y_pred|) over the last axis: (..., d), (..., d) -> (...).

    >>> mean_absolute_error(jnp.array([[0.0, 1.0]]), jnp.array([[2.0, 1.0]]))
    Array([1.], dtype=float32)
    """
    y_true, y_pred = pair("mean_absolute_error", y_true, y_pred)
    return jnp.mean(jnp.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Array:
    """100 mean(|y_true - y_pred| / max(|y_true|, 1e-7)) over the last axis, in percent.

    >>> mean_absolute_percentage_error(jnp.array([[2.0, 4.0]]), jnp.array([[1.0, 4.0]]))
    Array([25.], dtype=float32)
    """
    y_true, y_pred = pair("mean_absolute_percentage_error", y_true, y_pred)
    return 100 * jnp.mean(jnp.abs(y_pred - y_true) / jnp.maximum(jnp.abs(y_true), EPSILON), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Array:
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis.

    Both are raised to at least 1e-7 first, so that a negative prediction has a loss (but no
    gradient).

    >>> mean_squared_logarithmic_error(jnp.array([[0.0]]), jnp.array([[jnp.e - 1]])).round(4)
    Array([1.], dtype=float32)
    """
    y_true, y_pred = pair("mean_squared_logarithmic_error", y_true, y_pred)
    logs = jnp.log1p(jnp.maximum(y_pred, EPSILON)) - jnp.log1p(jnp.maximum(y_true, EPSILON))
    return jnp.mean(jnp.square(logs), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Array:
    """mean(e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)), e = y_pred - y_true.

    Source: Huber, Robust estimation of a location parameter (1964).

    >>> huber(jnp.array([[0.0], [0.0]]), jnp.array([[0.5], [3.0]]))
    Array([0.125, 2.5  ], dtype=float32)
    """
    y_true, y_pred = pair("huber", y_true, y_pred)
    error = y_pred - y_true
    # One formula for both branches; the square of a large error is never formed.
    inner = jnp.clip(error, -delta, delta)
    return jnp.mean(inner * (error - 0.5 * inner), axis=-1)


@jax.custom_jvp
def _log_cosh(x: Array) -> Array:
    size = jnp.abs(x)
    return size + jnp.log1p(jnp.exp(-2 * size)) - math.log(2)


# The formula's own derivative is a difference that loses its digits near 0.
_log_cosh.defjvps(lambda tangent, _, x: jnp.tanh(x) * tangent)


def log_cosh(y_true: Any, y_pred: Any) -> Array:
    """mean(log(cosh(y_pred - y_true))): e^2 / 2 for small errors, |e| - log 2 for large ones.

    >>> log_cosh(jnp.array([[0.0], [0.0]]), jnp.array([[0.0], [1000.0]])).round(2)
    Array([  0.  , 999.31], dtype=float32)
    """
    y_true, y_pred = pair("log_cosh", y_true, y_pred)
    return jnp.mean(_log_cosh(y_pred - y_true), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Array:
    """-sum(y_true y_pred) / (|y_true| |y_pred|) along `axis`: -1 for one direction, 1 for opposite.

    A vector of zeros gives 0.

    >>> cosine_similarity(jnp.array([[1.0, 0.0]]), jnp.array([[3.0, 4.0]]))
    Array([-0.6], dtype=float32)
    """
    y_true, y_pred = pair("cosine_similarity", y_true, y_pred)

    def inverse_norm(x: Array) -> Array:
        return jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis), EPSILON**2))

    return -jnp.sum(y_true * y_pred, axis=axis) * (inverse_norm(y_true) * inverse_norm(y_pred))


def quantile(y_true: Any, y_pred: Any, quantile: float | tuple[float, ...] = 0.5) -> Array:
    """mean(max(q e, (q - 1) e)), e = y_true - y_pred: lowest where y_pred is the q-quantile.

    Args:
        y_true: (..., d); with several quantiles (...), (..., 1) or (..., d).
        y_pred: (..., d).
        quantile: q in (0, 1), or one q for each of the d columns.

    Raises:
        ShapeMismatch: the shapes differ, or there are not as many quantiles as columns.

    Source: Koenker and Bassett, Regression quantiles (1978); also called pinball loss.

    >>> quantile(jnp.array([[1.0]]), jnp.array([[0.0, 2.0]]), (0.25, 0.75))
    Array([0.25], dtype=float32)
    """
    if isinstance(quantile, tuple | list):
        y_true, y_pred = _one_column_each(y_true, y_pred, tuple(quantile))
    y_true, y_pred = pair("quantile", y_true, y_pred)
    error = y_true - y_pred
    q = jnp.asarray(quantile, error.dtype)
    return jnp.mean(jnp.maximum(q * error, (q - 1) * error), axis=-1)


def _one_column_each(y_true: Any, y_pred: Any, quantiles: tuple[float, ...]) -> tuple[Array, Array]:
    """A target of one column repeated for each of the quantiles."""
    y_pred, y_true = floating("quantile", "y_pred", y_pred), array("quantile", "y_true", y_true)
    if y_pred.ndim == 0 or y_pred.shape[-1] != len(quantiles):
        raise ShapeMismatch(
            "quantile",
            f"y_pred with one column for each of the {len(quantiles)} quantiles {quantiles}",
            f"y_pred of shape {y_pred.shape}",
            f"Give the last layer {len(quantiles)} units.",
        )
    if y_true.shape == y_pred.shape[:-1]:
        y_true = y_true[..., None]
    if y_true.shape == (*y_pred.shape[:-1], 1):
        y_true = jnp.broadcast_to(y_true, y_pred.shape)
    return y_true, y_pred


class MeanSquaredError(Loss):
    """mean((y_true - y_pred)^2): the loss of a normally distributed error.

    >>> float(MeanSquaredError()(jnp.array([1.0, 2.0]), jnp.array([[1.0], [4.0]])))
    2.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """mean(|y_true - y_pred|): outliers weigh no more than others.

    >>> float(MeanAbsoluteError()(jnp.array([1.0, 2.0]), jnp.array([[1.0], [4.0]])))
    1.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(Loss):
    """100 mean(|y_true - y_pred| / |y_true|), in percent.

    >>> float(MeanAbsolutePercentageError()(jnp.array([1.0, 2.0]), jnp.array([[1.0], [4.0]])))
    50.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(Loss):
    """mean((log(1 + y_true) - log(1 + y_pred))^2), for targets >= 0 of very different sizes.

    >>> float(MeanSquaredLogarithmicError()(jnp.array([3.0]), jnp.array([[3.0]])))
    0.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return mean_squared_logarithmic_error(y_true, y_pred)


class Huber(Loss):
    """Squared for errors up to `delta`, linear beyond: see `huber`.

    Args:
        delta: where the square ends, > 0, in units of the target.

    >>> float(Huber(delta=2.0)(jnp.array([0.0]), jnp.array([[3.0]])))
    4.0
    """

    delta: float = 1.0

    def validate(self) -> None:
        check_number(self, "delta", 0, open_low=True)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return huber(y_true, y_pred, self.delta)


class LogCosh(Loss):
    """mean(log(cosh(y_pred - y_true))): a smooth neighbour of `Huber(1)`.

    >>> float(LogCosh()(jnp.array([1.0]), jnp.array([[1.0]])))
    0.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return log_cosh(y_true, y_pred)


class CosineSimilarity(Loss):
    """-cos of the angle between y_true and y_pred: -1 is best.

    Args:
        axis: along which the vectors lie.

    >>> float(CosineSimilarity()(jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 2.0]])))
    -0.0
    """

    axis: int = -1

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return cosine_similarity(y_true, y_pred, self.axis)


class Quantile(Loss):
    """The pinball loss: the model learns the q-quantile instead of the mean, see `quantile`.

    Args:
        quantile: q in (0, 1), or several: one for each column of the output. The target may then
            have a single column.

    >>> float(Quantile(0.9)(jnp.array([1.0, 1.0]), jnp.array([[0.0], [2.0]])))
    0.5
    """

    quantile: float | tuple[float, ...] = 0.5

    def validate(self) -> None:
        several = self.quantile if isinstance(self.quantile, tuple) else (self.quantile,)
        numbers = all(isinstance(q, int | float) and 0 < q < 1 for q in several)
        if not several or not numbers:
            raise InvalidArgument(
                "Quantile",
                "numbers in (0, 1)",
                f"quantile={self.quantile!r}",
                "The median is 0.5; an interval that holds 80 % is (0.1, 0.9).",
            )

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return quantile(y_true, y_pred, self.quantile)
