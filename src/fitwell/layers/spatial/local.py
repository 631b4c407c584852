"""Convolutions without shared weights: a kernel of its own at every position."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax

from fitwell import activations
from fitwell.description import check_choice, check_positive_int
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial
from fitwell.ops.conv import local_convolution
from fitwell.ops.geometry import windows
from fitwell.types import Array, Key, Params, Shape


class _Local(Spatial):
    """What LocallyConnected1D and LocallyConnected2D share."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str | None = None
    activation: activations.Activation = None
    use_bias: bool = True
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "filters")
        self.check_sizes("kernel_size", "strides")
        check_choice(self, "padding", ("valid", "same"))
        check_choice(self, "use_bias", (True, False))
        check_data_format(self)
        self.check_bias()

    def init(self, key: Key, shape: Shape) -> Params:
        positions = self._positions(shape)
        kernel_key, bias_key = jax.random.split(key)
        one = (*self.sizes("kernel_size"), shape[-1], self.filters)
        start = self.initializer("kernel")
        # Position by position, so that fan-in is what reaches one output.
        keys = jax.random.split(kernel_key, math.prod(positions))
        kernel = jax.vmap(lambda each: start(each, one))(keys)
        params = {"kernel": kernel.reshape(len(keys), -1, self.filters)}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (*positions, self.filters))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        self._positions(x.shape[1:])
        y = local_convolution(
            x,
            params["kernel"],
            size=self.sizes("kernel_size"),
            strides=self.sizes("strides"),
            padding=self.padding,
        )
        if self.use_bias:
            y = y + params["bias"]
        result: Array = activations.get(self.activation)(y)
        return result

    def _positions(self, shape: Shape) -> tuple[int, ...]:
        self.check_rank(shape)
        sizes, strides = self.sizes("kernel_size"), self.sizes("strides")
        found = windows(shape[:-1], sizes, strides, self.padding, (1,) * self.rank)
        self.check_fits(shape, found, "kernel_size")
        return tuple(window.positions for window in found)


class LocallyConnected1D(_Local):
    """activation(b[p] + sum over taps t of x[p * stride + t] @ kernel[p, t]).

    (steps, in) -> (positions, filters): `Conv1D` with a kernel of its own at every position. The
    kernel is (positions, kernel_size * in, filters), the bias (positions, filters).

    Args:
        filters, kernel_size, strides and the rest: see `LocallyConnected2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> layer = LocallyConnected1D(8, 3)
    >>> params = layer.init(jax.random.key(0), (5, 4))
    >>> {name: weight.shape for name, weight in params.items()}
    {'kernel': (3, 12, 8), 'bias': (3, 8)}
    """

    rank: ClassVar[int] = 1


class LocallyConnected2D(_Local):
    """`Conv2D` with a kernel of its own at every position: local, but not shared.

    (rows, columns, in) -> (rows', columns', filters). The kernel is (rows' * columns', taps * in,
    filters) with the channels fastest, the bias (rows', columns', filters).

    Args:
        filters: number of output channels, >= 1.
        kernel_size: taps along rows and columns; one number for both.
        strides: steps of the kernel, >= 1.
        padding: "valid" or "same".
        data_format: None or "channels_last"; fitwell knows no other.
        activation, use_bias and the rest: see `Conv2D`; the kernel starts position by position.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = LocallyConnected2D(8, 3, strides=2)
    >>> params = layer.init(jax.random.key(0), (7, 7, 2))
    >>> params["kernel"].shape, layer.apply(params, jnp.zeros((1, 7, 7, 2))).shape
    ((9, 18, 8), (1, 3, 3, 8))

    Source: Taigman et al. 2014, doi:10.1109/CVPR.2014.220.
    """

    rank: ClassVar[int] = 2


__all__ = ["LocallyConnected1D", "LocallyConnected2D"]
