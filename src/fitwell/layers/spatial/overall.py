"""Pooling over a whole example: one number for each channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import jax.numpy as jnp

from fitwell.description import check_choice
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial
from fitwell.ops import pool
from fitwell.types import Array, Key, Params, State


class _Global(Spatial):
    data_format: str | None = None
    keepdims: bool = False

    reduce: ClassVar[Callable[[Array], Array]]
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        check_data_format(self)
        check_choice(self, "keepdims", (True, False))

    def apply(self, params: Params, x: Array) -> Array:
        self.check_rank(x.shape[1:])
        y = type(self).reduce(x)
        return y.reshape(y.shape[0], *[1] * self.rank, -1) if self.keepdims else y


class _OverTime(_Global):
    """A sequence's pooling, which leaves masked steps out."""

    rank: ClassVar[int] = 1
    uses_mask: ClassVar[bool] = True

    def of_real(self, x: Array, real: Array) -> Array:
        """The pooling over the steps that are real, (batch, steps, 1) -> (batch, channels)."""
        raise NotImplementedError

    def forward(
        self,
        params: Params,
        state: State,
        x: Array,
        *,
        key: Key,
        train: bool,
        mask: Array | None = None,
    ) -> tuple[Array, State]:
        if mask is None:
            return self.apply(params, x), state
        self.check_rank(x.shape[1:])
        y = self.of_real(x, mask[..., None])
        return y[:, None] if self.keepdims else y, state


class _GlobalMax(_Global):
    reduce: ClassVar[Callable[[Array], Array]] = staticmethod(pool.global_max_pool)


class _GlobalAverage(_Global):
    reduce: ClassVar[Callable[[Array], Array]] = staticmethod(pool.global_average_pool)


class GlobalMaxPooling1D(_GlobalMax, _OverTime):
    """The largest over all steps: (steps, channels) -> (channels,).

    Masked steps are left out; where all are, the result is 0.

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling1D().apply({}, jnp.array([[[1.0, 5.0], [3.0, 2.0]]])).tolist()
    [[3.0, 5.0]]
    """

    def of_real(self, x: Array, real: Array) -> Array:
        largest = pool.global_max_pool(jnp.where(real, x, pool.lowest(x.dtype)))
        return jnp.where(real.any(axis=1), largest, 0)


class GlobalMaxPooling2D(_GlobalMax):
    """The largest over rows and columns: (rows, columns, channels) -> (channels,).

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, 1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling2D().apply({}, jnp.arange(8.0).reshape(1, 2, 2, 2)).tolist()
    [[6.0, 7.0]]
    """

    rank: ClassVar[int] = 2


class GlobalMaxPooling3D(_GlobalMax):
    """The largest over depth, rows and columns: (depth, rows, columns, channels) -> (channels,).

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, 1, 1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalMaxPooling3D(keepdims=True).apply({}, jnp.zeros((5, 2, 3, 4, 2))).shape
    (5, 1, 1, 1, 2)
    """

    rank: ClassVar[int] = 3


class GlobalAveragePooling1D(_GlobalAverage, _OverTime):
    """The mean over all steps: (steps, channels) -> (channels,).

    Masked steps are left out; where all are, the mean is 0.

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling1D().apply({}, jnp.array([[[1.0, 5.0], [3.0, 2.0]]])).tolist()
    [[2.0, 3.5]]
    """

    def of_real(self, x: Array, real: Array) -> Array:
        return jnp.where(real, x, 0).sum(axis=1) / jnp.maximum(real.sum(axis=1), 1).astype(x.dtype)


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean over rows and columns: (rows, columns, channels) -> (channels,).

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, 1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling2D().apply({}, jnp.arange(8.0).reshape(1, 2, 2, 2)).tolist()
    [[3.0, 4.0]]

    Source: Lin, Chen & Yan 2014, arXiv:1312.4400.
    """

    rank: ClassVar[int] = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean over depth, rows and columns: (depth, rows, columns, channels) -> (channels,).

    Args:
        data_format: None or "channels_last".
        keepdims: True gives (1, 1, 1, channels).

    >>> import jax.numpy as jnp
    >>> GlobalAveragePooling3D().apply({}, jnp.ones((5, 2, 3, 4, 2))).shape
    (5, 2)
    """

    rank: ClassVar[int] = 3


__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]
