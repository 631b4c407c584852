"""Regularizers: weight -> a penalty that is added to the loss. Names and defaults are Keras'.

A gradient never makes an L1 weight exactly 0. `L1(0.01, proximal=True)` does: the penalty leaves
the loss, and its proximal operator, soft thresholding, follows every step of the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax import lax

from fitwell.description import Description, check_choice, check_number
from fitwell.errors import InvalidArgument, ShapeMismatch, missing_attribute
from fitwell.names import resolve
from fitwell.types import Array, ArrayLike

_EPSILON = 1e-7  # Keras' own


class Regularizer(Description):
    """The base: a subclass writes `__call__`.

    >>> class Variance(Regularizer):
    ...     def __call__(self, weight):
    ...         return weight.var()
    """

    def __call__(self, weight: Array) -> Array:
        """The penalty in the differentiated loss: a scalar."""
        raise InvalidArgument(
            type(self).__name__,
            "the method __call__(self, weight)",
            "none",
            "Define it in your regularizer.",
        )

    @property
    def proximal(self) -> bool:
        """True if `proximal_step` does something."""
        return False

    def proximal_step(self, weight: Array, step: ArrayLike) -> Array:
        """The weight after the proximal step that follows an optimizer's step.

        Args:
            weight: after the optimizer's step.
            step: the learning rate.
        """
        return weight


class L1(Regularizer):
    """l1 * sum |w|.

    Args:
        l1: factor, >= 0.
        proximal: leave the loss alone and soft-threshold after each step of the optimizer,
            w <- sign(w) max(|w| - step * l1, 0), which gives exact zeros. Sources: Tibshirani
            1996; Parikh & Boyd 2014, section 6.5.2.

    >>> L1(0.5, proximal=True).proximal_step(jnp.array([2.0, -0.1]), step=1.0).tolist()
    [1.5, -0.0]
    """

    l1: float = 0.01
    proximal: bool = field(default=False, kw_only=True)

    def validate(self) -> None:
        _check_factor(self, "l1")

    def __call__(self, weight: Array) -> Array:
        if self.proximal:
            return jnp.zeros((), weight.dtype)
        return self.l1 * _absolute(weight).sum()

    def proximal_step(self, weight: Array, step: ArrayLike) -> Array:
        return _shrink(weight, step * self.l1) if self.proximal else weight


class L2(Regularizer):
    """l2 * sum w^2.

    Args:
        l2: factor, >= 0.

    >>> float(L2(0.5)(jnp.array([1.0, 2.0])))
    2.5
    """

    l2: float = 0.01

    def validate(self) -> None:
        _check_factor(self, "l2")

    def __call__(self, weight: Array) -> Array:
        return self.l2 * jnp.square(weight).sum()


class L1L2(Regularizer):
    """l1 * sum |w| + l2 * sum w^2. The name `"l1_l2"` stands for L1L2(0.01, 0.01).

    Args:
        l1: factor, >= 0.
        l2: factor, >= 0.
        proximal: as in L1, for the first term; the second stays in the loss.
    """

    l1: float = 0.0
    l2: float = 0.0
    proximal: bool = field(default=False, kw_only=True)

    def validate(self) -> None:
        _check_factor(self, "l1")
        _check_factor(self, "l2")

    def __call__(self, weight: Array) -> Array:
        return L1(self.l1, proximal=self.proximal)(weight) + L2(self.l2)(weight)

    def proximal_step(self, weight: Array, step: ArrayLike) -> Array:
        return L1(self.l1, proximal=self.proximal).proximal_step(weight, step)


class OrthogonalRegularizer(Regularizer):
    """factor * the mean |cosine| between two rows (or columns) of a matrix.

    Args:
        factor: >= 0.
        mode: `"rows"` or `"columns"`: which of them are driven towards right angles.

    Raises:
        ShapeMismatch: (when called) the weight has not two axes.

    >>> float(OrthogonalRegularizer(0.1)(jnp.array([[1.0, 0.0], [2.0, 0.0]])))
    0.10000000149011612
    """

    factor: float = 0.01
    mode: str = "rows"

    def validate(self) -> None:
        _check_factor(self, "factor")
        check_choice(self, "mode", ("rows", "columns"))

    def __call__(self, weight: Array) -> Array:
        if weight.ndim != 2:
            raise ShapeMismatch(
                "OrthogonalRegularizer",
                "a matrix: two axes",
                f"shape {weight.shape}",
                "Use it on kernels of Dense layers.",
            )
        rows = weight if self.mode == "rows" else weight.T
        if len(rows) == 1:
            return jnp.zeros((), weight.dtype)  # there is no pair
        squares = jnp.square(rows).sum(1, keepdims=True)
        unit = rows * lax.rsqrt(jnp.maximum(squares, _EPSILON**2))  # 0 has no direction
        between = _absolute(unit @ unit.T) * (1 - jnp.eye(len(rows), dtype=weight.dtype))
        return self.factor * between.sum() / (len(rows) * (len(rows) - 1))


class _FromFunction(Regularizer):
    """A user's function weight -> scalar; `get` wraps it."""

    function: Callable[..., Any]

    def __call__(self, weight: Array) -> Array:
        penalty: Array = self.function(weight)
        return penalty


def _absolute(x: Array) -> Array:
    return jnp.sign(x) * x  # with slope 0 at 0, where that of jnp.abs is 1


def _shrink(weight: Array, threshold: ArrayLike) -> Array:
    return jnp.sign(weight) * jnp.maximum(jnp.abs(weight) - threshold, 0)


def _check_factor(owner: Regularizer, name: str) -> None:
    check_number(owner, name, 0, open_high=True)


# Keras' second names, so that `regularizers.l2(0.01)` works as it does there.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_BY_NAME: dict[str, Regularizer] = {
    "l1": L1(),
    "l2": L2(),
    "l1_l2": L1L2(0.01, 0.01),
    "orthogonal": OrthogonalRegularizer(),
    "orthogonal_regularizer": OrthogonalRegularizer(),
}


def get(identifier: Any) -> Regularizer | None:
    """The regularizer that a name, a class or a function stands for; None stays None.

    Raises:
        UnknownName: no regularizer has this name; proposes the nearest.
        InvalidArgument: neither a name, nor a regularizer, nor a function.

    >>> get("l1_l2"), get(L2(0.5)), get(None)
    (L1L2(l1=0.01, l2=0.01), L2(l2=0.5), None)
    """
    found = resolve("regularizer", identifier, _BY_NAME)
    if found is None or isinstance(found, Regularizer):
        return found
    if isinstance(found, type) and issubclass(found, Regularizer):
        return found()
    if callable(found) and not isinstance(found, type):
        return _FromFunction(found)
    raise InvalidArgument(
        "regularizer",
        "a name, a regularizer, a function weight -> scalar, or None",
        repr(identifier),
        f"Write kernel_regularizer=L2({identifier!r})."
        if isinstance(identifier, float)
        else 'Write kernel_regularizer="l2".',
    )


__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
