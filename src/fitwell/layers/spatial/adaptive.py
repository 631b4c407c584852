"""Pooling to a given size, whatever the size of the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from fitwell.errors import ShapeMismatch
from fitwell.layers.base import check_data_format, describe
from fitwell.layers.spatial.common import Spatial
from fitwell.ops import pool
from fitwell.types import Array, Params


class _Adaptive(Spatial):
    output_size: int | tuple[int, ...]
    data_format: str | None = None

    reduce: ClassVar[Callable[..., Array]]

    def validate(self) -> None:
        self.check_sizes("output_size")
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        shape = x.shape[1:]
        self.check_rank(shape)
        sizes = self.sizes("output_size")
        for axis, (size, bins) in enumerate(zip(shape[:-1], sizes, strict=True)):
            if size < bins:
                raise ShapeMismatch(
                    describe(self),
                    f"an input at least as large as output_size, {bins} along axis {axis + 1}",
                    f"{size} in shape {shape}",
                    "Make output_size smaller, or put an UpSampling layer before it.",
                )
        return type(self).reduce(x, sizes)


class _AdaptiveAverage(_Adaptive):
    reduce: ClassVar[Callable[..., Array]] = staticmethod(pool.adaptive_average_pool)


class _AdaptiveMax(_Adaptive):
    reduce: ClassVar[Callable[..., Array]] = staticmethod(pool.adaptive_max_pool)


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """The mean of each of output_size bins: (steps, channels) -> (output_size, channels).

    Bin i of o covers the n steps from floor(i n / o) up to ceil((i + 1) n / o).

    Args:
        output_size: number of bins, 1 up to the number of steps.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: a size below 1, another data_format.
        ShapeMismatch: an input of another rank, or with fewer steps than bins.

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling1D(2).apply({}, jnp.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
    [1.0, 3.0]
    """

    rank: ClassVar[int] = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """The mean of each of output_size bins: (rows, columns, channels) -> (*output_size, channels).

    Args:
        output_size: bins along rows and columns, as for `AdaptiveAveragePooling1D`; one for both.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument, ShapeMismatch: see `AdaptiveAveragePooling1D`.

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling2D((1, 7)).apply({}, jnp.zeros((1, 9, 9, 4))).shape
    (1, 1, 7, 4)
    """

    rank: ClassVar[int] = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """The mean of each bin: (depth, rows, columns, channels) -> (*output_size, channels).

    Args:
        output_size: bins along the three axes, as for `AdaptiveAveragePooling1D`; one for all.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument, ShapeMismatch: see `AdaptiveAveragePooling1D`.

    >>> import jax.numpy as jnp
    >>> AdaptiveAveragePooling3D(2).apply({}, jnp.zeros((1, 5, 6, 7, 4))).shape
    (1, 2, 2, 2, 4)
    """

    rank: ClassVar[int] = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """The largest in each of output_size bins: (steps, channels) -> (output_size, channels).

    Args:
        output_size, data_format: see `AdaptiveAveragePooling1D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `AdaptiveAveragePooling1D`.

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling1D(2).apply({}, jnp.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
    [2.0, 4.0]
    """

    rank: ClassVar[int] = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """The largest in each bin: (rows, columns, channels) -> (*output_size, channels).

    Args:
        output_size, data_format: see `AdaptiveAveragePooling2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `AdaptiveAveragePooling1D`.

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling2D(3).apply({}, jnp.zeros((1, 9, 8, 4))).shape
    (1, 3, 3, 4)
    """

    rank: ClassVar[int] = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """The largest in each bin: (depth, rows, columns, channels) -> (*output_size, channels).

    Args:
        output_size, data_format: see `AdaptiveAveragePooling3D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `AdaptiveAveragePooling1D`.

    >>> import jax.numpy as jnp
    >>> AdaptiveMaxPooling3D(2).apply({}, jnp.zeros((1, 5, 6, 7, 4))).shape
    (1, 2, 2, 2, 4)
    """

    rank: ClassVar[int] = 3


__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]
