"""Layers that add zeros around an input, or cut it."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import check_data_format, describe
from fitwell.layers.spatial.common import Spatial
from fitwell.types import Array, Params

_Borders = int | tuple[int, ...] | tuple[tuple[int, int], ...]


class _Border(Spatial):
    def pairs(self, name: str) -> tuple[tuple[int, int], ...]:
        """(before, after) for each axis.

        Raises:
            InvalidArgument: not a whole number >= 0, nor one or a pair of them for each axis.
        """
        value: Any = getattr(self, name)
        each = value if isinstance(value, tuple) else (value,) * self.rank
        if self.rank == 1 and len(each) == 2:
            each = (each,)  # one axis: (before, after)
        found = tuple(pair if isinstance(pair, tuple) else (pair, pair) for pair in each)
        good = all(len(p) == 2 and all(type(n) is int and n >= 0 for n in p) for p in found)
        if len(found) != self.rank or not good:
            forms = {1: "(1, 2)", 2: "((1, 2), (3, 4))", 3: "((1, 2), (3, 4), (5, 6))"}
            raise InvalidArgument(
                type(self).__name__,
                f"{name} to be a whole number >= 0, or a pair (before, after) for each axis",
                f"{name}={value!r}",
                f"Write {name}=1, or {name}={forms[self.rank]}.",
            )
        return found


class _ZeroPadding(_Border):
    padding: _Borders = 1
    data_format: str | None = None

    def validate(self) -> None:
        self.pairs("padding")
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        self.check_rank(x.shape[1:])
        return jnp.pad(x, [(0, 0), *self.pairs("padding"), (0, 0)])


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after: (steps, channels) -> (before + steps + after, channels).

    Args:
        padding: one number for both ends, or (before, after); >= 0.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: padding is none of these.
        ShapeMismatch: an input of another rank.

    >>> ZeroPadding1D((0, 2)).apply({}, jnp.ones((1, 1, 1))).ravel().tolist()
    [1.0, 0.0, 0.0]
    """

    rank: ClassVar[int] = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around: (rows, columns, channels) -> the same with more rows and columns.

    Args:
        padding: one number for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: padding is none of these.
        ShapeMismatch: an input of another rank.

    >>> ZeroPadding2D(((1, 0), (2, 0))).apply({}, jnp.ones((1, 3, 3, 1))).shape
    (1, 4, 5, 1)
    """

    rank: ClassVar[int] = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around: (depth, rows, columns, channels) -> the same with more.

    Args:
        padding: one number for all sides, one for each axis, or a pair (before, after) for each.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: padding is none of these.
        ShapeMismatch: an input of another rank.

    >>> ZeroPadding3D((0, 1, 2)).apply({}, jnp.ones((1, 2, 2, 2, 1))).shape
    (1, 2, 4, 6, 1)
    """

    rank: ClassVar[int] = 3


class _Cropping(_Border):
    cropping: _Borders = 1
    data_format: str | None = None

    def validate(self) -> None:
        self.pairs("cropping")
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        shape = x.shape[1:]
        self.check_rank(shape)
        pairs = self.pairs("cropping")
        for axis, (before, after) in enumerate(pairs):
            if before + after >= shape[axis]:
                raise ShapeMismatch(
                    describe(self),
                    f"an input longer than the {before} + {after} cut off along axis {axis + 1}",
                    f"{shape[axis]} in shape {shape}",
                    "Cut off less.",
                )
        kept = zip(pairs, shape[:-1], strict=True)
        return x[(slice(None), *(slice(before, size - after) for (before, after), size in kept))]


class Cropping1D(_Cropping):
    """Without its ends: (steps, channels) -> (steps - before - after, channels).

    Args:
        cropping: one number for both ends, or (before, after); >= 0.

    Raises:
        InvalidArgument: cropping is none of these.
        ShapeMismatch: an input of another rank, or of which nothing would be left.

    >>> Cropping1D((1, 0)).apply({}, jnp.array([[[1.0], [2.0], [3.0]]])).ravel().tolist()
    [2.0, 3.0]
    """

    rank: ClassVar[int] = 1
    cropping: _Borders = (1, 1)


class Cropping2D(_Cropping):
    """Without its borders: (rows, columns, channels) -> fewer rows and columns.

    Args:
        cropping: one number for all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: cropping is none of these.
        ShapeMismatch: an input of another rank, or of which nothing would be left.

    >>> Cropping2D(((1, 0), (0, 1))).apply({}, jnp.ones((1, 3, 3, 1))).shape
    (1, 2, 2, 1)
    """

    rank: ClassVar[int] = 2
    cropping: _Borders = ((0, 0), (0, 0))


class Cropping3D(_Cropping):
    """Without its borders: (depth, rows, columns, channels) -> the same with fewer.

    Args:
        cropping: one number for all sides, one for each axis, or a pair (before, after) for each.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: cropping is none of these.
        ShapeMismatch: an input of another rank, or of which nothing would be left.

    >>> Cropping3D().apply({}, jnp.ones((1, 3, 4, 5, 1))).shape
    (1, 1, 2, 3, 1)
    """

    rank: ClassVar[int] = 3
    cropping: _Borders = ((1, 1), (1, 1), (1, 1))


__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]
