"""Layers that move numbers around, or not even that, and change none."""

from __future__ import annotations

import math
from typing import ClassVar

import jax.numpy as jnp

from fitwell.description import check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, check_data_format, describe
from fitwell.types import Array, Params, Shape


class Identity(Layer):
    """x: the shape of x. Stands where a layer may be or not be.

    >>> Identity().apply({}, jnp.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    moves_only: ClassVar[bool] = True

    def apply(self, params: Params, x: Array) -> Array:
        return x


class Flatten(Layer):
    """All numbers of an example on one axis: (a, b, ...) -> (a * b * ...,), last axis fastest.

    Args:
        data_format: None or "channels_last"; fitwell knows no other.

    Raises:
        InvalidArgument: another data_format.

    >>> Flatten().apply({}, jnp.zeros((2, 3, 4))).shape
    (2, 12)
    """

    data_format: str | None = None

    moves_only: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Reshape(Layer):
    """The same numbers in another shape: shape -> target_shape, last axis fastest.

    Args:
        target_shape: one example's, without the batch axis; one entry may be -1 (the rest).

    Raises:
        InvalidArgument: an entry that is no whole number >= 1 or -1, or two -1.
        ShapeMismatch: a shape of another size.

    >>> Reshape((-1, 2)).apply({}, jnp.zeros((5, 6))).shape
    (5, 3, 2)
    """

    target_shape: tuple[int, ...]

    moves_only: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        sizes = self.target_shape
        good = isinstance(sizes, tuple) and all(
            type(n) is int and (n >= 1 or n == -1) for n in sizes
        )
        if not good or sizes.count(-1) > 1:
            raise InvalidArgument(
                "Reshape",
                "target_shape to be a tuple of whole numbers >= 1, at most one of them -1",
                f"target_shape={sizes!r}",
                "Give one example's shape, without the batch axis: Reshape((28, 28, 1)).",
            )

    def apply(self, params: Params, x: Array) -> Array:
        size, known = math.prod(x.shape[1:]), abs(math.prod(self.target_shape))
        if size % known or (-1 not in self.target_shape and size != known):
            raise ShapeMismatch(
                describe(self),
                f"an input of {_numbers(self.target_shape, known)} for target_shape="
                f"{self.target_shape}",
                f"{size} in shape {x.shape[1:]}",
                "Choose a target_shape whose product is the input's size.",
            )
        target = tuple(size // known if n == -1 else n for n in self.target_shape)
        return x.reshape(x.shape[0], *target)


def _numbers(target: Shape, known: int) -> str:
    return f"a multiple of {known} numbers" if -1 in target else f"{known} numbers"


class Permute(Layer):
    """Axes in another order: y's axis i is x's axis dims[i - 1].

    Args:
        dims: a permutation of 1 ... number of axes; the batch axis is 0 and stays.

    Raises:
        InvalidArgument: dims is no permutation.
        ShapeMismatch: an input with another number of axes.

    >>> Permute((2, 1)).apply({}, jnp.zeros((5, 10, 64))).shape
    (5, 64, 10)
    """

    dims: tuple[int, ...]

    moves_only: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        dims = self.dims
        good = isinstance(dims, tuple) and all(type(d) is int for d in dims)
        if not good or sorted(dims) != list(range(1, len(dims) + 1)):
            raise InvalidArgument(
                "Permute",
                "dims to hold each of 1, 2, ... once",
                f"dims={dims!r}",
                "The batch axis is 0 and stays; to swap two axes write Permute((2, 1)).",
            )

    def apply(self, params: Params, x: Array) -> Array:
        if x.ndim - 1 != len(self.dims):
            raise ShapeMismatch(
                describe(self),
                f"an input with {len(self.dims)} axes for dims={self.dims}",
                f"shape {x.shape[1:]}",
                f"Give dims {x.ndim - 1} entries.",
            )
        return jnp.transpose(x, (0, *self.dims))


class RepeatVector(Layer):
    """The same vector n times: (features,) -> (n, features).

    Args:
        n: how many times, >= 1.

    Raises:
        InvalidArgument: n is no whole number >= 1.
        ShapeMismatch: the input is no vector.

    >>> RepeatVector(3).apply({}, jnp.zeros((5, 2))).shape
    (5, 3, 2)
    """

    n: int

    moves_only: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        check_positive_int(self, "n")

    def apply(self, params: Params, x: Array) -> Array:
        if x.ndim != 2:
            raise ShapeMismatch(
                describe(self),
                "one vector per example, shape (features,)",
                f"shape {x.shape[1:]}",
                "Put Flatten() before it.",
            )
        return jnp.repeat(x[:, None, :], self.n, axis=1)


__all__ = ["Flatten", "Identity", "Permute", "RepeatVector", "Reshape"]
