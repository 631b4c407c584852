"""Convolutions with one kernel for all positions."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from fitwell import activations
from fitwell.description import check_choice, check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.layers.base import check_data_format
from fitwell.layers.spatial.common import Spatial, check_divides
from fitwell.ops.columns import add_row
from fitwell.ops.conv import convolution, transposed_convolution
from fitwell.ops.geometry import windows
from fitwell.types import Array, Key, Params, Shape


class _Convolution(Spatial):
    """What Conv1D, Conv2D and Conv3D share."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: int | tuple[int, ...] = 1
    groups: int = 1
    activation: activations.Activation = None
    use_bias: bool = True
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "filters", "groups")
        self.check_sizes("kernel_size", "strides", "dilation_rate")
        check_choice(self, "padding", self.paddings)
        check_choice(self, "use_bias", (True, False))
        check_data_format(self)
        self.check_bias()
        if self.filters % self.groups:
            raise InvalidArgument(
                type(self).__name__,
                "filters to be a multiple of groups",
                f"filters={self.filters}, groups={self.groups}",
                "Each group makes filters / groups of the outputs.",
            )

    def init(self, key: Key, shape: Shape) -> Params:
        self._check(shape)
        kernel_key, bias_key = jax.random.split(key)
        kernel_shape = (*self.sizes("kernel_size"), shape[-1] // self.groups, self.filters)
        params = {"kernel": self.initializer("kernel")(kernel_key, kernel_shape)}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.filters,))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        self._check(x.shape[1:])
        y = convolution(
            x,
            params["kernel"],
            strides=self.sizes("strides"),
            padding=self.padding,
            dilation=self.sizes("dilation_rate"),
            groups=self.groups,
        )
        if self.use_bias:
            y = add_row(y, params["bias"])
        result: Array = activations.get(self.activation)(y)
        return result

    def transposed(self, params: Params, y: Array) -> Array:
        if self.groups > 1 or self.padding == "causal":
            raise InvalidArgument(
                f"Tied({type(self).__name__})",
                'groups=1 and padding "same" or "valid"',
                f"groups={self.groups}, padding={self.padding!r}",
                "Give the decoder weights of its own.",
            )
        return transposed_convolution(
            y,
            params["kernel"],
            strides=self.sizes("strides"),
            padding=self.padding,
            dilation=self.sizes("dilation_rate"),
        )

    def _check(self, shape: Shape) -> None:
        self.check_rank(shape)
        check_divides(self, self.groups, shape[-1], shape)
        sizes, strides, dilation = map(self.sizes, ("kernel_size", "strides", "dilation_rate"))
        found = windows(shape[:-1], sizes, strides, self.padding, dilation)
        self.check_fits(shape, found, "kernel_size")


class Conv1D(_Convolution):
    """activation(b + sum over taps t of x[p * stride + t * dilation] @ kernel[t]).

    (steps, in) -> (positions, filters); the kernel is (kernel_size, in / groups, filters). The
    arguments are those of `Conv2D` with one number where that has two.

    Args:
        filters, kernel_size, strides: see `Conv2D`.
        padding: also "causal": zeros in front only, so that no output sees a later input.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = Conv1D(8, 3, padding="causal", dilation_rate=2)
    >>> layer.apply(layer.init(jax.random.key(0), (10, 4)), jnp.zeros((2, 10, 4))).shape
    (2, 10, 8)

    Source: LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541; causal: van den Oord et al. 2016,
    arXiv:1609.03499.
    """

    rank: ClassVar[int] = 1
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal")


class Conv2D(_Convolution):
    """activation(b + sum over taps s, t of x[p * stride + s, q * stride + t] @ kernel[s, t]).

    (rows, columns, in) -> (rows', columns', filters), with a dilation of 1. With padding "valid"
    rows' is floor((rows - extent) / stride) + 1 where extent = (kernel_size - 1) * dilation + 1;
    with "same" it is ceil(rows / stride). The kernel is (*kernel_size, in / groups, filters) and
    starts as suits the activation: He for the ReLU family, LeCun for selu, Glorot for the rest.

    Args:
        filters: number of output channels, >= 1.
        kernel_size: taps along rows and columns; one number for both.
        strides: steps of the kernel along rows and columns, >= 1.
        padding: "valid" (none) or "same" (zeros all round, the odd one behind).
        data_format: None or "channels_last"; fitwell knows no other.
        dilation_rate: distance between taps, >= 1; may go with strides.
        groups: parts of the channels with kernels of their own; divides in and filters.
        activation: a name, a function array -> array, or None for none.
        use_bias: False leaves the bias out.
        kernel_initializer: "auto" follows the activation; or a name or an initializer.
        bias_initializer: a name or an initializer.
        kernel_regularizer: added to the loss, as a function of the kernel; bias_regularizer alike.
        activity_regularizer: added to the loss, as a function of the output.
        kernel_constraint: applied to the kernel after every step; bias_constraint alike.

    Raises:
        InvalidArgument: a size below 1, groups that do not divide filters, another data_format.
        ShapeMismatch: an input of another rank, of channels that groups does not divide, or
            smaller than the kernel.

    >>> import jax.numpy as jnp
    >>> layer = Conv2D(32, 3, activation="relu")
    >>> params = layer.init(jax.random.key(0), (28, 28, 1))
    >>> {name: weight.shape for name, weight in params.items()}
    {'kernel': (3, 3, 1, 32), 'bias': (32,)}
    >>> layer.apply(params, jnp.zeros((2, 28, 28, 1))).shape
    (2, 26, 26, 32)

    Source: LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541.
    """

    rank: ClassVar[int] = 2


class Conv3D(_Convolution):
    """Conv2D with a third axis: (depth, rows, columns, in) -> (depth', rows', columns', filters).

    The kernel is (*kernel_size, in / groups, filters).

    Args:
        filters, kernel_size, strides: as for `Conv2D`, with three numbers where that has two.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2D`.

    >>> import jax.numpy as jnp
    >>> layer = Conv3D(8, (1, 3, 3), strides=(1, 2, 2))
    >>> layer.apply(layer.init(jax.random.key(0), (4, 9, 9, 2)), jnp.zeros((5, 4, 9, 9, 2))).shape
    (5, 4, 4, 4, 8)

    Source: Ji et al. 2013, doi:10.1109/TPAMI.2012.59.
    """

    rank: ClassVar[int] = 3


__all__ = ["Conv1D", "Conv2D", "Conv3D"]
