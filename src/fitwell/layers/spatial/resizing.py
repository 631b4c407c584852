"""Layers that enlarge an input."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_choice
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial
from fitwell.types import Array, Params


def _repeated(x: Array, sizes: tuple[int, ...]) -> Array:
    """Each entry `size` times along each axis; as a broadcast, whose gradient is a plain sum."""
    for axis, size in reversed(list(enumerate(sizes, start=1))):
        shape = (*x.shape[: axis + 1], size, *x.shape[axis + 1 :])
        spread = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), shape)
        x = spread.reshape(*x.shape[:axis], x.shape[axis] * size, *x.shape[axis + 1 :])
    return x


class UpSampling1D(Spatial):
    """Each step `size` times: (steps, channels) -> (steps * size, channels).

    Args:
        size: >= 1.

    Raises:
        InvalidArgument: size is no whole number >= 1.
        ShapeMismatch: an input of another rank.

    >>> UpSampling1D(2).apply({}, jnp.array([[[1.0], [2.0]]])).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    size: int | tuple[int, ...] = 2

    rank: ClassVar[int] = 1

    def validate(self) -> None:
        self.check_sizes("size")

    def apply(self, params: Params, x: Array) -> Array:
        self.check_rank(x.shape[1:])
        return _repeated(x, self.sizes("size"))


class UpSampling2D(Spatial):
    """Larger by whole factors: (rows, columns, channels) -> the same with more rows and columns.

    Args:
        size: factors of rows and columns, >= 1; one number for both.
        data_format: None or "channels_last".
        interpolation: "nearest" repeats, "bilinear" mixes the four nearest, with pixels' centres at
            halves.

    Raises:
        InvalidArgument: a size below 1, another interpolation or data_format.
        ShapeMismatch: an input of another rank.

    >>> x = jnp.array([[[[1.0], [2.0]]]])
    >>> UpSampling2D((1, 2)).apply({}, x).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]
    >>> UpSampling2D((1, 2), interpolation="bilinear").apply({}, x).ravel().tolist()
    [1.0, 1.25, 1.75, 2.0]
    """

    size: int | tuple[int, ...] = 2
    data_format: str | None = None
    interpolation: str = "nearest"

    rank: ClassVar[int] = 2

    def validate(self) -> None:
        self.check_sizes("size")
        check_data_format(self)
        check_choice(self, "interpolation", ("nearest", "bilinear"))

    def apply(self, params: Params, x: Array) -> Array:
        self.check_rank(x.shape[1:])
        if self.interpolation == "nearest":
            return _repeated(x, self.sizes("size"))
        rows, columns = (n * f for n, f in zip(x.shape[1:3], self.sizes("size"), strict=True))
        return jax.image.resize(x, (x.shape[0], rows, columns, x.shape[-1]), "bilinear")


class UpSampling3D(Spatial):
    """Larger by whole factors: (depth, rows, columns, channels) -> more of the same.

    Args:
        size: factors of the three axes, >= 1; one number for all.
        data_format: None or "channels_last".

    Raises:
        InvalidArgument: a size below 1, another data_format.
        ShapeMismatch: an input of another rank.

    >>> UpSampling3D().apply({}, jnp.zeros((1, 2, 3, 4, 5))).shape
    (1, 4, 6, 8, 5)
    """

    size: int | tuple[int, ...] = 2
    data_format: str | None = None

    rank: ClassVar[int] = 3

    def validate(self) -> None:
        self.check_sizes("size")
        check_data_format(self)

    def apply(self, params: Params, x: Array) -> Array:
        self.check_rank(x.shape[1:])
        return _repeated(x, self.sizes("size"))


__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]
