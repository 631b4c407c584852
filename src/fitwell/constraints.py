"""Constraints: weight -> weight, applied after each step of the optimizer. Names are Keras'.

`axis` says over which axes a norm is taken: 0 for a Dense kernel (in, out) takes one norm per
unit, and (0, 1, 2) for a convolution's kernel (height, width, in, out) one per filter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from fitwell.description import Description, check_number
from fitwell.errors import InvalidArgument, ShapeMismatch, missing_attribute
from fitwell.names import resolve
from fitwell.types import Array

_EPSILON = 1e-7  # Keras' own: it keeps a weight of norm 0 at 0


class Constraint(Description):
    """The base: a subclass writes `__call__`.

    >>> class Clip(Constraint):
    ...     limit: float = 1.0
    ...
    ...     def __call__(self, weight):
    ...         return jnp.clip(weight, -self.limit, self.limit)
    """

    def __call__(self, weight: Array) -> Array:
        """The nearest weight that is allowed, or one on the way to it."""
        raise InvalidArgument(
            type(self).__name__,
            "the method __call__(self, weight)",
            "none",
            "Define it in your constraint.",
        )


class MaxNorm(Constraint):
    """w * min(|w|, max_value) / (|w| + 1e-7) (Srebro & Shraibman 2005).

    Args:
        max_value: the largest norm, >= 0.
        axis: an axis or several, over which the norm is taken.

    >>> MaxNorm(1.0)(jnp.array([[3.0], [4.0]])).round(3).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    max_value: float = 2
    axis: Any = 0

    def validate(self) -> None:
        check_number(self, "max_value", 0)
        _check_axis(self, self.axis)

    def __call__(self, weight: Array) -> Array:
        norm = _norm(self, weight, self.axis)
        return weight * (jnp.minimum(norm, self.max_value) / (_EPSILON + norm))


class NonNeg(Constraint):
    """max(w, 0)."""

    def __call__(self, weight: Array) -> Array:
        return jnp.maximum(weight, 0)


class UnitNorm(Constraint):
    """w / (|w| + 1e-7).

    Args:
        axis: an axis or several, over which the norm is taken.
    """

    axis: Any = 0

    def validate(self) -> None:
        _check_axis(self, self.axis)

    def __call__(self, weight: Array) -> Array:
        return weight / (_EPSILON + _norm(self, weight, self.axis))


class MinMaxNorm(Constraint):
    """w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / (|w| + 1e-7).

    Args:
        min_value: the smallest norm, >= 0.
        max_value: the largest norm, not below min_value.
        rate: how much of the way to go at each step, in [0, 1]; 1 enforces the bounds.
        axis: an axis or several, over which the norm is taken.
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Any = 0

    def validate(self) -> None:
        check_number(self, "min_value", 0)
        check_number(self, "max_value", self.min_value)
        check_number(self, "rate", 0, 1)
        _check_axis(self, self.axis)

    def __call__(self, weight: Array) -> Array:
        norm = _norm(self, weight, self.axis)
        clipped = jnp.clip(norm, self.min_value, self.max_value)
        desired = self.rate * clipped + (1 - self.rate) * norm
        return weight * (desired / (_EPSILON + norm))


def _norm(owner: Constraint, weight: Array, axis: Any) -> Array:
    axes = axis if isinstance(axis, tuple) else (axis,)
    if any(not -weight.ndim <= a < weight.ndim for a in axes):
        raise ShapeMismatch(
            type(owner).__name__,
            f"a weight that has axis {axis}",
            f"shape {weight.shape}",
            "Choose axes of the weight.",
        )
    return jnp.sqrt(jnp.square(weight).sum(axes, keepdims=True))


def _check_axis(owner: Constraint, axis: Any) -> None:
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not axes or any(isinstance(a, bool) or not isinstance(a, int) for a in axes):
        raise InvalidArgument(
            type(owner).__name__,
            "axis to be a whole number or a tuple of them",
            f"axis={axis!r}",
            "Write axis=0 for Dense kernels, axis=(0, 1, 2) for images.",
        )


# Keras' second names, so that `constraints.max_norm(3)` works as it does there.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_BY_NAME: dict[str, Constraint] = {
    "max_norm": MaxNorm(),
    "min_max_norm": MinMaxNorm(),
    "non_neg": NonNeg(),
    "unit_norm": UnitNorm(),
}


def get(identifier: Any) -> Callable[[Array], Array] | None:
    """The constraint that a name or a class stands for; None and functions are returned.

    Raises:
        UnknownName: no constraint has this name; proposes the nearest.
        InvalidArgument: neither a name, nor a constraint, nor a function.

    >>> get("MaxNorm"), get(MaxNorm(3)), get(None)
    (MaxNorm(), MaxNorm(max_value=3), None)
    """
    found = resolve("constraint", identifier, _BY_NAME)
    if isinstance(found, type) and issubclass(found, Constraint):
        return found()
    if found is None or (callable(found) and not isinstance(found, type)):
        return found
    raise InvalidArgument(
        "constraint",
        "a name, a constraint, a function weight -> weight, or None",
        repr(identifier),
        'Write kernel_constraint="max_norm".',
    )


__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get", "max_norm",
    "min_max_norm", "non_neg", "unit_norm",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
