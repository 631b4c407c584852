"""The contract of an initializer, and the fans of a kernel."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from fitwell.description import Description
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.types import Array, Key, Shape


def fans(shape: Shape) -> tuple[int, int]:
    """Fan-in and fan-out of a kernel of shape (..., in, out).

    The axes before `in` are the receptive field, which counts in both. Both fans of a vector are
    its size, as in Keras.

    >>> fans((784, 128)), fans((3, 3, 16, 32)), fans((7,))
    ((784, 128), (144, 288), (7, 7))
    """
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    receptive = math.prod(shape[:-2])
    return receptive * shape[-2], receptive * shape[-1]


class Initializer(Description):
    """The base: a subclass writes `__call__`.

    >>> class Ramp(Initializer):
    ...     def __call__(self, key, shape, dtype=jnp.float32):
    ...         return jnp.arange(math.prod(shape), dtype=dtype).reshape(shape)
    """

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        """Fresh values of `shape`."""
        raise InvalidArgument(
            type(self).__name__,
            "the method __call__(self, key, shape, dtype=float32)",
            "none",
            "Define it in your initializer.",
        )


def wrong_rank(subject: str, expected: str, shape: Shape) -> ShapeMismatch:
    """The error of an initializer that needs a matrix."""
    cure = "Choose another initializer for this weight, such as glorot_uniform or zeros."
    return ShapeMismatch(subject, expected, f"shape {tuple(shape)}", cure)
