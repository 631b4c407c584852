"""The largest of several linear maps."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_choice, check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.layers.base import Layer, flat_features
from fitwell.types import Array, Key, Params, Shape


class Maxout(Layer):
    """max over k of (x @ kernel[:, k] + bias[k]): (..., in) -> (..., units).

    The kernel is (in, pieces, units), the bias (pieces, units). A unit learns its own convex
    activation of `pieces` straight pieces: with two of them, one of zeros, it is relu; with one
    `slope` times the other, leaky_relu. The default initializer keeps the mean square of what
    flows through for two pieces.

    Args:
        units: number of outputs, >= 1.
        pieces: linear maps per output, >= 1; 1 is a linear Dense.
        use_bias: False leaves the bias out.
        kernel_initializer: a name or an initializer; it sees a kernel of (in, pieces * units).
        bias_initializer: a name or an initializer.
        kernel_regularizer: added to the loss, as a function of the kernel; bias_regularizer alike.
        activity_regularizer: added to the loss, as a function of the output.
        kernel_constraint: applied to the kernel after every step; bias_constraint alike.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a rule for a bias that is not used.

    >>> layer = Maxout(1, pieces=2, use_bias=False)
    >>> absolute = {"kernel": jnp.array([[[1.0], [-1.0]]])}
    >>> layer.apply(absolute, jnp.array([[-3.0], [2.0]])).tolist()
    [[3.0], [2.0]]

    Source: Goodfellow et al. 2013, "Maxout networks", arXiv:1302.4389.
    """

    units: int
    pieces: int = 2
    use_bias: bool = True
    kernel_initializer: Any = "lecun_normal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "units", "pieces")
        check_choice(self, "use_bias", (True, False))
        for name in ("bias_regularizer", "bias_constraint"):
            if not self.use_bias and getattr(self, name) is not None:
                raise InvalidArgument(
                    "Maxout",
                    f"use_bias=True where {name} is given",
                    f"use_bias=False, {name}={getattr(self, name)!r}",
                    "Leave one of them out.",
                )

    def init(self, key: Key, shape: Shape) -> Params:
        kernel_key, bias_key = jax.random.split(key)
        inputs = flat_features(self, shape)
        kernel = self.initializer("kernel")(kernel_key, (inputs, self.pieces * self.units))
        params = {"kernel": kernel.reshape(inputs, self.pieces, self.units)}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.pieces, self.units))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        flat = params["kernel"].reshape(-1, self.pieces * self.units)
        z = (x @ flat).reshape(*x.shape[:-1], self.pieces, self.units)
        if self.use_bias:
            z = z + params["bias"]
        return jnp.max(z, axis=-2)


__all__ = ["Maxout"]
