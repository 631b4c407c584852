"""Convolutions of each channel on its own, alone or followed by a mixing of channels."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from fitwell import activations, initializers
from fitwell.description import check_choice, check_positive_int
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial
from fitwell.ops.columns import add_row
from fitwell.ops.conv import convolution
from fitwell.ops.geometry import windows
from fitwell.types import Array, Key, Params, Shape


class _Channelwise(Spatial):
    """Shapes, checks and the product that both families share; their fields are below."""

    def validate(self) -> None:
        check_positive_int(self, "depth_multiplier")
        self.check_sizes("kernel_size", "strides", "dilation_rate")
        check_choice(self, "padding", ("valid", "same"))
        check_choice(self, "use_bias", (True, False))
        check_data_format(self)
        self.check_bias()

    def draw(self, key: Key, channels: int) -> Array:
        """(*kernel_size, channels, depth_multiplier), each channel a convolution of its own.

        So fan-in is the number of taps, which is what reaches an output.
        """
        one = (*self.sizes("kernel_size"), 1, self.depth_multiplier)  # type: ignore[attr-defined]
        start = self.initializer("depthwise")
        keys = jax.random.split(key, channels)
        drawn = jax.vmap(lambda each: start(each, one), out_axes=-2)(keys)
        return drawn.reshape(*one[:-2], channels, one[-1])

    def filtered(self, depthwise: Array, x: Array) -> Array:
        """Each channel with its depth_multiplier kernels: channels * depth_multiplier of them."""
        return convolution(
            x,
            depthwise.reshape(*depthwise.shape[: self.rank], 1, -1),
            strides=self.sizes("strides"),
            padding=self.padding,  # type: ignore[attr-defined]
            dilation=self.sizes("dilation_rate"),
            groups=x.shape[-1],
        )

    def check(self, shape: Shape) -> None:
        self.check_rank(shape)
        sizes, strides, dilation = map(self.sizes, ("kernel_size", "strides", "dilation_rate"))
        found = windows(shape[:-1], sizes, strides, self.padding, dilation)  # type: ignore[attr-defined]
        self.check_fits(shape, found, "kernel_size")


class _Depthwise(_Channelwise):
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    data_format: str | None = None
    dilation_rate: int | tuple[int, ...] = 1
    activation: activations.Activation = None
    use_bias: bool = True
    depthwise_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    depthwise_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    depthwise_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("depthwise_initializer", "bias_initializer")

    def init(self, key: Key, shape: Shape) -> Params:
        self.check(shape)
        kernel_key, bias_key = jax.random.split(key)
        params = {"depthwise": self.draw(kernel_key, shape[-1])}
        if self.use_bias:
            outputs = shape[-1] * self.depth_multiplier
            params["bias"] = self.initializer("bias")(bias_key, (outputs,))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        self.check(x.shape[1:])
        y = self.filtered(params["depthwise"], x)
        if self.use_bias:
            y = add_row(y, params["bias"])
        result: Array = activations.get(self.activation)(y)
        return result


class DepthwiseConv1D(_Depthwise):
    """DepthwiseConv2D along one axis: (steps, in) -> (positions, in * depth_multiplier).

    Args:
        kernel_size, strides, padding and the rest: see `DepthwiseConv2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = DepthwiseConv1D(3, depth_multiplier=2)
    >>> layer.apply(layer.init(jax.random.key(0), (5, 4)), jnp.zeros((1, 5, 4))).shape
    (1, 3, 8)
    """

    rank: ClassVar[int] = 1


class DepthwiseConv2D(_Depthwise):
    """activation(b + conv of each channel with kernels of its own); channels do not mix.

    (rows, columns, in) -> (rows', columns', in * depth_multiplier); the outputs of a channel lie
    side by side. The weight `depthwise` is (*kernel_size, in, depth_multiplier) and starts channel
    by channel, as suits the activation.

    Args:
        kernel_size: taps along rows and columns; one number for both.
        strides: steps of the kernel, >= 1.
        padding: "valid" or "same".
        depth_multiplier: kernels per channel, >= 1.
        data_format: None or "channels_last"; fitwell knows no other.
        dilation_rate: distance between taps, >= 1; may go with strides.
        activation, use_bias: see `Conv2D`.
        depthwise_initializer: "auto" follows the activation; or a name or an initializer.
        depthwise_regularizer, depthwise_constraint and the rest: see `Conv2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = DepthwiseConv2D(3, padding="same")
    >>> params = layer.init(jax.random.key(0), (8, 8, 4))
    >>> params["depthwise"].shape, layer.apply(params, jnp.zeros((1, 8, 8, 4))).shape
    ((3, 3, 4, 1), (1, 8, 8, 4))

    Source: Howard et al. 2017, arXiv:1704.04861.
    """

    rank: ClassVar[int] = 2


class _Separable(_Channelwise):
    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: int | tuple[int, ...] = 1
    depth_multiplier: int = 1
    activation: activations.Activation = None
    use_bias: bool = True
    depthwise_initializer: Any = "auto"
    pointwise_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    depthwise_regularizer: Any = None
    pointwise_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    depthwise_constraint: Any = None
    pointwise_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = (
        "depthwise_initializer",
        "pointwise_initializer",
        "bias_initializer",
    )

    def validate(self) -> None:
        check_positive_int(self, "filters")
        super().validate()

    def initializer(self, weight: str) -> Any:
        if weight == "depthwise" and self.depthwise_initializer == "auto":
            return initializers.for_activation(None)  # what follows it is the pointwise product
        return super().initializer(weight)

    def init(self, key: Key, shape: Shape) -> Params:
        self.check(shape)
        depthwise_key, pointwise_key, bias_key = jax.random.split(key, 3)
        wide = shape[-1] * self.depth_multiplier
        pointwise = (*[1] * self.rank, wide, self.filters)
        params = {
            "depthwise": self.draw(depthwise_key, shape[-1]),
            "pointwise": self.initializer("pointwise")(pointwise_key, pointwise),
        }
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.filters,))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        self.check(x.shape[1:])
        y = self.filtered(params["depthwise"], x)
        once = (1,) * self.rank
        y = convolution(y, params["pointwise"], strides=once, dilation=once)
        if self.use_bias:
            y = add_row(y, params["bias"])
        result: Array = activations.get(self.activation)(y)
        return result


class SeparableConv1D(_Separable):
    """SeparableConv2D along one axis: (steps, in) -> (positions, filters).

    Args:
        filters, kernel_size, strides and the rest: see `SeparableConv2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = SeparableConv1D(8, 3)
    >>> layer.apply(layer.init(jax.random.key(0), (5, 4)), jnp.zeros((1, 5, 4))).shape
    (1, 3, 8)
    """

    rank: ClassVar[int] = 1


class SeparableConv2D(_Separable):
    """activation(b + depthwise(x) @ pointwise): first along rows and columns, then across channels.

    (rows, columns, in) -> (rows', columns', filters). The weight `depthwise` is (*kernel_size, in,
    depth_multiplier), `pointwise` (1, 1, in * depth_multiplier, filters).

    Args:
        filters: number of output channels, >= 1.
        kernel_size: taps along rows and columns; one number for both.
        strides, padding, data_format, dilation_rate, depth_multiplier: see `DepthwiseConv2D`.
        activation, use_bias: see `Conv2D`.
        depthwise_initializer: "auto" is Glorot channel by channel: no activation follows.
        pointwise_initializer: "auto" follows the activation; or a name or an initializer.
        depthwise_regularizer, pointwise_regularizer and the rest: see `Conv2D`.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> layer = SeparableConv2D(16, 3, padding="same")
    >>> params = layer.init(jax.random.key(0), (8, 8, 4))
    >>> {name: weight.shape for name, weight in params.items()}
    {'depthwise': (3, 3, 4, 1), 'pointwise': (1, 1, 4, 16), 'bias': (16,)}

    Source: Chollet 2017, arXiv:1610.02357.
    """

    rank: ClassVar[int] = 2


__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]
