"""The contract of a loss, and the one function that turns the losses of a batch into a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell.compiling import operations_of_jax
from fitwell.description import Description, check_choice
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch, did_you_mean
from fitwell.types import Array

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)

EPSILON = 1e-7
"""How far a probability is kept from 0 and 1 before its logarithm is taken, as in Keras."""


class Loss(Description):
    """A frozen description of a loss; `loss(y_true, y_pred)` is the number that training lowers.

    A loss of your own is this and nothing else:

    >>> class Fourth(Loss):
    ...     def values(self, y_true, y_pred):
    ...         return jnp.mean((y_true - y_pred) ** 4, axis=-1)
    >>> float(Fourth()(jnp.array([[1.0], [2.0]]), jnp.array([[0.0], [0.0]])))
    8.5

    Args:
        reduction: how the losses of the examples become one number. `"sum_over_batch_size"` and
            `"mean"`: sum(weight * loss) / number of losses. `"mean_with_sample_weight"`:
            sum(weight * loss) / sum(weight). `"sum"`: sum(weight * loss). `"none"` or None:
            weight * loss of each example (training then takes the mean).
        name: what the logs call it where it is a metric.

    Raises:
        InvalidArgument: for another reduction.
    """

    reduction: str | None = field(default="sum_over_batch_size", kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    link: ClassVar[str | None] = None
    """The activation (`"sigmoid"`, `"softmax"`) that this loss undoes with `from_logits=True`."""

    def __post_init__(self) -> None:
        check_choice(self, "reduction", REDUCTIONS)
        super().__post_init__()

    @property
    def subject(self) -> str:
        """What messages call it."""
        return type(self).__name__

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """The loss of each example before reduction: (batch, ...)."""
        raise InvalidArgument(
            type(self).__name__,
            "the method values(self, y_true, y_pred)",
            "none",
            "Define it in your loss.",
        )

    def counted(self, y_true: Any, y_pred: Any) -> Array | None:
        """Which of the losses enter the average, in the shape of `values`; None for all."""
        return None

    def cost(self, y_true: Any, y_pred: Any, weight: Any = None, mask: Any = None) -> Array:
        """J: the losses of a batch as one number; `cost_and_count` without the count."""
        return self.cost_and_count(y_true, y_pred, weight, mask)[0]

    def cost_and_count(
        self, y_true: Any, y_pred: Any, weight: Any = None, mask: Any = None
    ) -> tuple[Array, Array]:
        """J and what it is a mean over, padded rows left out of value and gradient.

        The mean of several batches' J, each times its count, is J of all their examples together.

        Args:
            y_true: (batch, ...), what is right; anything in padded rows, NaN included.
            y_pred: (batch, ...), what the model says.
            weight: (batch,) or the shape of `values`; None weighs all alike.
            mask: (batch,), 1 for a real row and 0 for a padded one; None means all are real.
        """
        if mask is not None:
            # A select at the input drops the rows' gradients even where the formula's is NaN.
            y_pred = jnp.asarray(y_pred)
            mask = jnp.asarray(mask) != 0
            y_pred = jnp.where(_leading("mask", mask, y_pred.shape), y_pred, 0)
        values = self._one_per_example(y_true, y_pred)
        counted = self.counted(y_true, y_pred)
        if counted is not None:
            mask = counted if mask is None else counted & _leading("mask", mask, counted.shape)
        return _reduced(values, weight, mask, self.reduction)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Array:
        """The reduced loss of whole arrays; one per example with `reduction="none"`."""
        if self.reduction not in ("none", None):
            return self.cost(y_true, y_pred, sample_weight)
        values = self._one_per_example(y_true, y_pred)
        if sample_weight is None:
            return values
        return values * _leading("sample_weight", jnp.asarray(sample_weight), values.shape)

    def _one_per_example(self, y_true: Any, y_pred: Any) -> Array:
        name = self.subject
        y_true, y_pred = align(array(name, "y_true", y_true), array(name, "y_pred", y_pred))
        with operations_of_jax(name):
            values = self.values(y_true, y_pred)
        if values.ndim == 0 or values.shape[0] != y_pred.shape[0]:
            raise ShapeMismatch(
                name,
                f"values to return one loss per example, shape ({y_pred.shape[0]}, ...)",
                f"shape {values.shape}",
                "Average over the last axis (axis=-1) and leave the batch axis as it is.",
            )
        return values


class FunctionLoss(Loss):
    """A user's own function as a loss.

    >>> absolute = FunctionLoss(lambda y_true, y_pred: jnp.abs(y_true - y_pred))
    >>> float(absolute(jnp.array([1.0, 2.0]), jnp.array([[0.0], [0.0]])))
    1.5

    Args:
        function: `f(y_true, y_pred) -> (batch, ...)`, made of JAX operations. Shapes that differ
            by a last axis of 1 are aligned before it is called.

    Raises:
        InvalidArgument: `function` cannot be called.
        ShapeMismatch: what it returns has no batch axis.
    """

    function: Callable[[Any, Any], Any]

    def validate(self) -> None:
        if not callable(self.function):
            raise InvalidArgument(
                "FunctionLoss",
                "a function of (y_true, y_pred)",
                f"function={self.function!r}",
                "Pass a function made of JAX operations.",
            )

    @property
    def subject(self) -> str:
        own: str = getattr(self.function, "__name__", type(self.function).__name__)
        return f"loss {own.strip('<>')}"

    def values(self, y_true: Any, y_pred: Any) -> Array:
        name = self.subject
        y_true, y_pred = align(array(name, "y_true", y_true), array(name, "y_pred", y_pred))
        return jnp.asarray(self.function(y_true, y_pred))


def reduce(
    values: Array,
    weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
) -> Array:
    """sum(weight * mask * values) / count: the losses of a batch as one number.

    Runs inside `jit`. A masked value never matters, NaN and infinity included. With nothing to
    average, the result is 0.

    Args:
        values: (batch, ...), the loss of each example.
        weight: (batch,) or (batch, ...); None weighs all alike.
        mask: (batch,) or (batch, ...): 1 where a value is real, 0 where it is padding; None
            means that all are real.
        reduction: `"sum"` divides by 1, `"mean_with_sample_weight"` by sum(weight * mask), all
            others by the number of real values, whatever they weigh.

    Raises:
        InvalidArgument: for another reduction.
        ShapeMismatch: `weight` or `mask` does not fit `values`.

    >>> losses, weight, mask = jnp.array([1.0, 2.0, jnp.nan]), jnp.array([3.0, 1, 1]), [1, 1, 0]
    >>> float(reduce(losses, weight, mask)), float(reduce(losses, weight, mask, "sum"))
    (2.5, 5.0)
    >>> float(reduce(losses, weight, mask, "mean_with_sample_weight"))
    1.25
    """
    if reduction not in REDUCTIONS:
        raise InvalidArgument(
            "reduce",
            "one of sum_over_batch_size, mean, mean_with_sample_weight, sum, none",
            f"reduction={reduction!r}",
            did_you_mean(str(reduction), [r for r in REDUCTIONS if r]),
        )
    return _reduced(values, weight, mask, reduction)[0]


def _reduced(values: Array, weight: Any, mask: Any, reduction: str | None) -> tuple[Array, Array]:
    """The reduced losses, and the number of values (or sum of weights) they are a mean over."""
    real, counts = None, jnp.ones((), values.dtype)
    if mask is not None:
        real = _leading("mask", jnp.asarray(mask), values.shape) != 0
        values = jnp.where(real, values, 0)
        counts = real.astype(values.dtype)
    if weight is not None:
        weight = _leading("sample_weight", jnp.asarray(weight), values.shape)
        # A padded row may have any weight, too.
        weight = (weight if real is None else jnp.where(real, weight, 0)).astype(values.dtype)
        values = values * weight
        counts = weight if reduction == "mean_with_sample_weight" else counts
    total = jnp.sum(values)
    count = jnp.sum(counts) * (values.size / counts.size if counts.size else 0)
    divisor = 1 if reduction == "sum" else jnp.where(count == 0, 1, count)
    return total / divisor, count


def _leading(name: str, x: Array, shape: tuple[int, ...]) -> Array:
    """`x` of shape (batch, ...) with axes of 1 behind, so that it multiplies `shape`."""
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if x.shape != shape[: x.ndim]:
        raise ShapeMismatch(
            name,
            f"one number per example or per loss: shape {shape[:1]} or {shape}",
            f"shape {x.shape}",
            f"Give {name} as many entries as there are examples.",
        )
    return x.reshape(x.shape + (1,) * (len(shape) - x.ndim))


# What the formulas share: arrays of numbers whose shapes fit.


def array(subject: str, name: str, x: Any) -> Array:
    """`x` as an array of JAX."""
    try:
        return jnp.asarray(x)
    except (TypeError, ValueError) as error:
        raise InvalidData(
            subject,
            f"{name} to be an array of numbers",
            f"{type(x).__name__}: {str(error).splitlines()[0]}",
            "Pass rows of equal length that hold numbers only.",
        ) from error


def floating(subject: str, name: str, x: Any) -> Array:
    """`x` in float32 or float64: what is narrower has no room for 1 - EPSILON."""
    converted = array(subject, name, x)
    return converted.astype(jnp.promote_types(converted.dtype, jnp.float32))


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Shapes that differ by a last axis of 1 made equal: (n,) and (n, 1) give (n, 1) twice."""
    if y_true.shape == (*y_pred.shape, 1):
        y_pred, y_true = align(y_pred, y_true)
    elif y_pred.shape == (*y_true.shape, 1):
        if y_true.ndim == 1:
            return y_true[:, None], y_pred
        return y_true, y_pred[..., 0]
    return y_true, y_pred


def pair(subject: str, y_true: Any, y_pred: Any, cure: str = "") -> tuple[Array, Array]:
    """Both as floating arrays of one shape; never broadcast.

    Raises:
        ShapeMismatch: the shapes differ by more than a last axis of 1.
    """
    y_pred = floating(subject, "y_pred", y_pred)
    y_true = array(subject, "y_true", y_true).astype(y_pred.dtype)
    y_true, y_pred = align(y_true, y_pred)
    if y_true.shape != y_pred.shape or y_pred.ndim == 0:
        raise ShapeMismatch(
            subject,
            f"y_true and y_pred of one shape (batch, ...), as y_pred's {y_pred.shape}",
            f"y_true of shape {y_true.shape}",
            cure or "Give the last layer as many units as y_true has columns.",
        )
    return y_true, y_pred
