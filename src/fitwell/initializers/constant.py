"""Initializers that draw nothing."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.initializers.base import Initializer, wrong_rank
from fitwell.types import Array, Key, Shape


class Zeros(Initializer):
    """0 everywhere. For biases: units of a layer with a zero kernel stay equal for ever."""

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        return jnp.zeros(shape, dtype)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        return jnp.ones(shape, dtype)


class Constant(Initializer):
    """The given value everywhere.

    Args:
        value: a finite number, or an array that broadcasts to the weight's shape.

    Raises:
        InvalidArgument: the value is not made of finite numbers.
        ShapeMismatch: (when called) an array does not fit the weight.
    """

    value: Any = 0.0

    def validate(self) -> None:
        try:
            finite = bool(np.isfinite(np.asarray(self.value, np.float64)).all())
        except (TypeError, ValueError):
            finite = False
        if not finite:
            raise InvalidArgument(
                "Constant",
                "value to be a finite number, or an array of them",
                f"value={self.value!r}",
                "Pass one number, or an array of the weight's shape.",
            )

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        value = np.asarray(self.value)
        try:
            return jnp.asarray(np.broadcast_to(value, shape), dtype)
        except ValueError:
            raise ShapeMismatch(
                "Constant",
                f"a value that broadcasts to the weight's shape {tuple(shape)}",
                f"an array of shape {value.shape}",
                "Pass one number, or an array of the weight's shape.",
            ) from None


class Identity(Initializer):
    """gain * the identity matrix: (in, out), with zeros where in and out differ.

    Args:
        gain: factor of the ones.
    """

    gain: float = 1.0

    def validate(self) -> None:
        check_number(self, "gain", open_low=True, open_high=True)

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        if len(shape) != 2:
            raise wrong_rank("Identity", "a matrix: two axes", shape)
        return jnp.asarray(self.gain, dtype) * jnp.eye(*shape, dtype=dtype)
