"""Pooling: one number for each window and channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from fitwell.description import check_choice
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial
from fitwell.ops import pool
from fitwell.ops.geometry import windows
from fitwell.types import Array, Params


class _Pooling(Spatial):
    pool_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] | None = None
    padding: str = "valid"
    data_format: str | None = None

    reduce: ClassVar[Callable[..., Array]]

    def validate(self) -> None:
        self.check_sizes("pool_size")
        if self.strides is not None:
            self.check_sizes("strides")
        check_choice(self, "padding", ("valid", "same"))
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        shape = x.shape[1:]
        self.check_rank(shape)
        size = self.sizes("pool_size")
        strides = size if self.strides is None else self.sizes("strides")
        found = windows(shape[:-1], size, strides, self.padding, (1,) * self.rank)
        self.check_fits(shape, found, "pool_size")
        return type(self).reduce(x, size, strides, self.padding)


class _MaxPooling(_Pooling):
    pool_size: int | tuple[int, ...] = 2

    reduce: ClassVar[Callable[..., Array]] = staticmethod(pool.max_pool)


class _AveragePooling(_Pooling):
    reduce: ClassVar[Callable[..., Array]] = staticmethod(pool.average_pool)


class MaxPooling1D(_MaxPooling):
    """The largest of each window of steps: (steps, channels) -> (positions, channels).

    Args:
        pool_size, strides, padding, data_format: see `MaxPooling2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `MaxPooling2D`.

    >>> import jax.numpy as jnp
    >>> MaxPooling1D(2).apply({}, jnp.array([[[1.0], [3.0], [2.0], [0.0]]])).ravel().tolist()
    [3.0, 2.0]
    """

    rank: ClassVar[int] = 1


class MaxPooling2D(_MaxPooling):
    """The largest of each window and channel: (rows, columns, channels) -> (rows', columns', ...).

    Of equal values the first in reading order gets the gradient. NaN in a window gives NaN.

    Args:
        pool_size: of the window along rows and columns; one number for both.
        strides: steps of the window; None takes pool_size, so that windows touch.
        padding: "valid" (what fills no window is left out) or "same" (ceil(rows / stride)
            windows; what lies outside never wins).
        data_format: None or "channels_last"; fitwell knows no other.

    Raises:
        InvalidArgument: a size below 1, an unknown padding, another data_format.
        ShapeMismatch: an input of another rank, or smaller than the window.

    >>> import jax.numpy as jnp
    >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    >>> MaxPooling2D().apply({}, x)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]

    Source: Zhou & Chellappa 1988, doi:10.1109/ICNN.1988.23914.
    """

    rank: ClassVar[int] = 2


class MaxPooling3D(_MaxPooling):
    """The largest of each window: (depth, rows, columns, channels) -> the same with fewer.

    Args:
        pool_size, strides, padding, data_format: see `MaxPooling2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `MaxPooling2D`.

    >>> import jax.numpy as jnp
    >>> MaxPooling3D().apply({}, jnp.zeros((1, 4, 6, 6, 2))).shape
    (1, 2, 3, 3, 2)
    """

    rank: ClassVar[int] = 3


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps: (steps, channels) -> (positions, channels).

    Args:
        pool_size, strides, padding, data_format: see `AveragePooling2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `MaxPooling2D`.

    >>> import jax.numpy as jnp
    >>> AveragePooling1D(2).apply({}, jnp.array([[[1.0], [3.0], [2.0], [0.0]]])).ravel().tolist()
    [2.0, 1.0]
    """

    rank: ClassVar[int] = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window and channel: (rows, columns, channels) -> (rows', columns', ...).

    Args:
        pool_size: of the window along rows and columns; one number for both.
        strides: steps of the window; None takes pool_size, so that windows touch.
        padding: "valid" or "same"; what lies outside is not counted.
        data_format: None or "channels_last"; fitwell knows no other.

    Raises:
        InvalidArgument, ShapeMismatch: see `MaxPooling2D`.

    >>> import jax.numpy as jnp
    >>> x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    >>> AveragePooling2D(2).apply({}, x)[0, :, :, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]

    Source: LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541.
    """

    rank: ClassVar[int] = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window: (depth, rows, columns, channels) -> the same with fewer.

    Args:
        pool_size, strides, padding, data_format: see `AveragePooling2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `MaxPooling2D`.

    >>> import jax.numpy as jnp
    >>> AveragePooling3D(2).apply({}, jnp.zeros((1, 4, 6, 6, 2))).shape
    (1, 2, 3, 3, 2)
    """

    rank: ClassVar[int] = 3


__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]
