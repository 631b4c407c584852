"""Layers that make one array of several: sums, products, concatenation, dot products."""

from __future__ import annotations

import functools
import operator
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell.errors import FitwellError, InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Params

_EPSILON = 1e-7  # Keras': the smallest norm that is divided by


class Add(Layer):
    """x_1 + x_2 + ...: shapes that broadcast to each other.

    >>> Add().apply({}, [jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        return functools.reduce(operator.add, _aligned(self, x))


class Subtract(Layer):
    """x_1 - x_2: exactly two inputs whose shapes broadcast to each other.

    >>> Subtract().apply({}, [jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        _check_two(self, x)
        first, second = _aligned(self, x)
        return first - second


class Multiply(Layer):
    """x_1 * x_2 * ... element by element: shapes that broadcast to each other.

    >>> Multiply().apply({}, [jnp.full((1, 2), 3.0), jnp.full((1, 1), 2.0)]).tolist()
    [[6.0, 6.0]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        return functools.reduce(operator.mul, _aligned(self, x))


class Average(Layer):
    """(x_1 + ... + x_n) / n: shapes that broadcast to each other.

    >>> Average().apply({}, [jnp.zeros((1, 2)), jnp.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        return functools.reduce(operator.add, _aligned(self, x)) / len(x)


class Maximum(Layer):
    """max(x_1, x_2, ...) element by element: shapes that broadcast to each other.

    >>> Maximum().apply({}, [jnp.array([[1.0, 5.0]]), jnp.array([[4.0, 2.0]])]).tolist()
    [[4.0, 5.0]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        return functools.reduce(jnp.maximum, _aligned(self, x))


class Minimum(Layer):
    """min(x_1, x_2, ...) element by element: shapes that broadcast to each other.

    >>> Minimum().apply({}, [jnp.array([[1.0, 5.0]]), jnp.array([[4.0, 2.0]])]).tolist()
    [[1.0, 2.0]]
    """

    several_inputs: ClassVar[bool] = True

    def apply(self, params: Params, x: list[Array]) -> Array:
        return functools.reduce(jnp.minimum, _aligned(self, x))


class Concatenate(Layer):
    """The inputs one after the other along an axis: (..., a) and (..., b) -> (..., a + b).

    Args:
        axis: counted with the batch axis as 0, or from the end.

    Raises:
        InvalidArgument: axis is 0 or no whole number.
        ShapeMismatch: an axis the inputs do not have, or shapes that differ on another axis.

    >>> Concatenate().apply({}, [jnp.zeros((5, 2)), jnp.zeros((5, 3))]).shape
    (5, 5)
    """

    axis: int = -1

    several_inputs: ClassVar[bool] = True

    def validate(self) -> None:
        if type(self.axis) is not int or self.axis == 0:
            raise InvalidArgument(
                "Concatenate",
                "axis to be a whole number other than 0",
                f"axis={self.axis!r}",
                "Axis 0 is the batch; the first axis of an example is 1.",
            )

    def apply(self, params: Params, x: list[Array]) -> Array:
        _check_any(self, x)
        rank = x[0].ndim
        axis = self.axis % rank if -rank < self.axis < rank else 0
        rests = {each.shape[1:axis] + each.shape[axis + 1 :] for each in x}
        if axis == 0 or len(rests) > 1 or any(each.ndim != rank for each in x):
            raise _mismatch(
                self,
                f"inputs with the axis {self.axis} and equal sizes on all other axes",
                x,
                "Reshape or crop them first.",
            )
        return jnp.concatenate(x, axis)

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        if self.axis % x[0].ndim != 1 or all(each is None for each in mask):
            return super().output_mask(x, y, mask)
        pairs = zip(x, mask, strict=True)
        real = [jnp.ones(a.shape[:2], bool) if m is None else m for a, m in pairs]
        return jnp.concatenate(real, 1)


class Dot(Layer):
    """sum_i x_1[..., i, ...] x_2[..., i, ...] for each example: one axis of each is summed away.

    The result has the other axes of x_1, then those of x_2; two vectors give one number: shape
    (1,).

    Args:
        axes: the axis of both, or a pair, counted with the batch axis as 0, or from the end.
        normalize: True divides by the norms along the axes: the cosine of the angle.

    Raises:
        InvalidArgument: axes is 0, no whole number and no pair of them; or not two inputs.
        ShapeMismatch: an axis the inputs do not have, or of different sizes.

    >>> Dot(axes=1).apply({}, [jnp.ones((5, 3)), jnp.ones((5, 3))]).shape
    (5, 1)
    """

    axes: int | tuple[int, int]
    normalize: bool = False

    several_inputs: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        axes = self._pair()
        if len(axes) != 2 or any(type(a) is not int or a == 0 for a in axes):
            raise InvalidArgument(
                "Dot",
                "axes to be a whole number other than 0, or a pair of them",
                f"axes={self.axes!r}",
                "Axis 0 is the batch; for two vectors write Dot(axes=1).",
            )

    def _pair(self) -> tuple[int, ...]:
        return self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)

    def apply(self, params: Params, x: list[Array]) -> Array:
        _check_two(self, x)
        pairs = list(zip(x, self._pair(), strict=True))
        axes = [axis % each.ndim if -each.ndim < axis < each.ndim else 0 for each, axis in pairs]
        sizes = {each.shape[axis] for each, axis in zip(x, axes, strict=True)}
        if 0 in axes or len(sizes) > 1:
            cure = "Choose axes of equal size, one of each input."
            raise _mismatch(self, f"inputs of equal size on axes={self.axes}", x, cure)
        if self.normalize:
            x = [_unit(each, axis) for each, axis in zip(x, axes, strict=True)]
        contracting = ((axes[0],), (axes[1],))
        y: Array = lax.dot_general(x[0], x[1], (contracting, ((0,), (0,))))
        return y if y.ndim > 1 else y[:, None]


def _unit(x: Array, axis: int) -> Array:
    squares = jnp.sum(jnp.square(x), axis, keepdims=True)
    return x * lax.rsqrt(jnp.maximum(squares, _EPSILON**2))


def _aligned(owner: Layer, x: list[Array]) -> list[Array]:
    """The inputs with axes of size 1 after the batch axis, so that all have the same rank.

    Without them an example's axis would meet the batch axis of another input.
    """
    _check_any(owner, x)
    try:
        np.broadcast_shapes(*(each.shape[1:] for each in x))
    except ValueError:
        raise _mismatch(
            owner,
            "inputs whose shapes broadcast to each other",
            x,
            "Give both branches the same sizes, or 1 where one is to be repeated.",
        ) from None
    rank = max(each.ndim for each in x)
    return [each.reshape(each.shape[0], *[1] * (rank - each.ndim), *each.shape[1:]) for each in x]


def _check_any(owner: Layer, x: list[Array]) -> None:
    if not x:
        cure = "Write layer([a, b])."
        raise InvalidArgument(describe(owner), "at least one input", "an empty list", cure)


def _check_two(owner: Layer, x: list[Array]) -> None:
    if len(x) != 2:
        cure = "Write layer([a, b])."
        raise InvalidArgument(describe(owner), "exactly two inputs", str(len(x)), cure)


def _mismatch(owner: Layer, expected: str, x: list[Array], cure: str) -> FitwellError:
    shapes = " and ".join(str(each.shape[1:]) for each in x)
    return ShapeMismatch(describe(owner), expected, f"shapes {shapes}", cure)


# Keras' functions of the same names, in small letters: a layer made and called at once.


def add(inputs: Any, **arguments: Any) -> Any:
    """x_1 + x_2 + ...: `Add(**arguments)(inputs)`."""
    return Add(**arguments)(inputs)


def subtract(inputs: Any, **arguments: Any) -> Any:
    """x_1 - x_2: `Subtract(**arguments)(inputs)`."""
    return Subtract(**arguments)(inputs)


def multiply(inputs: Any, **arguments: Any) -> Any:
    """x_1 * x_2 * ...: `Multiply(**arguments)(inputs)`."""
    return Multiply(**arguments)(inputs)


def average(inputs: Any, **arguments: Any) -> Any:
    """(x_1 + ... + x_n) / n: `Average(**arguments)(inputs)`."""
    return Average(**arguments)(inputs)


def maximum(inputs: Any, **arguments: Any) -> Any:
    """max(x_1, x_2, ...): `Maximum(**arguments)(inputs)`."""
    return Maximum(**arguments)(inputs)


def minimum(inputs: Any, **arguments: Any) -> Any:
    """min(x_1, x_2, ...): `Minimum(**arguments)(inputs)`."""
    return Minimum(**arguments)(inputs)


def concatenate(inputs: Any, axis: int = -1, **arguments: Any) -> Any:
    """The inputs one after the other along axis: `Concatenate(axis, **arguments)(inputs)`."""
    return Concatenate(axis, **arguments)(inputs)


def dot(inputs: Any, axes: int | tuple[int, int] = -1, **arguments: Any) -> Any:
    """The product summed over an axis of each: `Dot(axes, **arguments)(inputs)`."""
    return Dot(axes, **arguments)(inputs)


__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
