"""Transposed convolutions: the gradient of a convolution in its input, as a layer."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from fitwell import activations
from fitwell.description import check_choice, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import check_data_format, describe
from fitwell.layers.spatial.common import Spatial
from fitwell.ops.columns import add_row
from fitwell.ops.conv import transposed_convolution
from fitwell.ops.geometry import transposed_windows
from fitwell.types import Array, Key, Params, Shape


class _Transposed(Spatial):
    """What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose share."""

    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str = "valid"
    output_padding: int | tuple[int, ...] | None = None
    data_format: str | None = None
    dilation_rate: int | tuple[int, ...] = 1
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
        self.check_sizes("kernel_size", "strides", "dilation_rate")
        check_choice(self, "padding", ("valid", "same"))
        check_choice(self, "use_bias", (True, False))
        check_data_format(self)
        self.check_bias()
        if self.output_padding is not None:
            self.check_sizes("output_padding", low=0)
            pairs = zip(self.sizes("output_padding"), self.sizes("strides"), strict=True)
            if any(extra >= stride for extra, stride in pairs):
                raise InvalidArgument(
                    type(self).__name__,
                    "output_padding below strides along every axis",
                    f"output_padding={self.output_padding!r}, strides={self.strides!r}",
                    "It chooses among the sizes that a strided convolution brings to the same "
                    "output.",
                )

    def init(self, key: Key, shape: Shape) -> Params:
        self._check(shape)
        kernel_key, bias_key = jax.random.split(key)
        sizes = self.sizes("kernel_size")
        # Drawn as (in, out), so that fan-in is what an initializer takes it for.
        drawn = self.initializer("kernel")(kernel_key, (*sizes, shape[-1], self.filters))
        params = {"kernel": drawn.swapaxes(-1, -2)}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.filters,))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        self._check(x.shape[1:])
        y = transposed_convolution(
            x,
            params["kernel"],
            strides=self.sizes("strides"),
            padding=self.padding,
            dilation=self.sizes("dilation_rate"),
            output_padding=self._output_padding(),
        )
        if self.use_bias:
            y = add_row(y, params["bias"])
        result: Array = activations.get(self.activation)(y)
        return result

    def _output_padding(self) -> tuple[int, ...] | None:
        return None if self.output_padding is None else self.sizes("output_padding")

    def _check(self, shape: Shape) -> None:
        self.check_rank(shape)
        found = transposed_windows(
            shape[:-1],
            self.sizes("kernel_size"),
            self.sizes("strides"),
            self.padding,
            self.sizes("dilation_rate"),
            self._output_padding(),
        )
        for axis, window in enumerate(found):
            if window.size < 1:
                raise ShapeMismatch(
                    describe(self),
                    f"an output of at least one entry along axis {axis + 1}",
                    f"an input of shape {shape}, which gives {window.size}",
                    'Write padding="valid", or give a larger output_padding.',
                )


class Conv1DTranspose(_Transposed):
    """Conv2DTranspose along one axis: (steps, in) -> (positions, filters).

    The kernel is (kernel_size, filters, in).

    Args:
        filters, kernel_size, strides: as for `Conv2DTranspose`, with one number where that has two.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2DTranspose`.

    >>> import jax.numpy as jnp
    >>> layer = Conv1DTranspose(8, 3, strides=2, padding="same")
    >>> layer.apply(layer.init(jax.random.key(0), (5, 4)), jnp.zeros((2, 5, 4))).shape
    (2, 10, 8)

    Source: Zeiler et al. 2010, doi:10.1109/CVPR.2010.5539957.
    """

    rank: ClassVar[int] = 1


class Conv2DTranspose(_Transposed):
    """activation(b + y): x[p] adds x[p] @ kernel[t].T to y[p * stride + t], in rows and columns.

    (rows, columns, in) -> (rows', columns', filters). With extent = (kernel_size - 1) * dilation
    + 1, padding "valid" gives rows' = (rows - 1) * stride + max(extent, stride), "same" rows *
    stride; output_padding p gives (rows - 1) * stride + extent + p, or extent % 2 + p with "same".
    The kernel is (*kernel_size, filters, in): that of the convolution whose gradient this is.

    Args:
        filters: number of output channels, >= 1.
        kernel_size: taps along rows and columns; one number for both.
        strides: how far apart the inputs lie in the output, >= 1.
        padding: "valid" or "same".
        output_padding: None, or rows and columns to add to the shortest output; below strides.
        data_format: None or "channels_last"; fitwell knows no other.
        dilation_rate: distance between taps, >= 1; may go with strides.
        activation, use_bias and the rest: see `Conv2D`.

    Raises:
        InvalidArgument: a size below 1, output_padding not below strides, another data_format.
        ShapeMismatch: an input of another rank, or one that gives an empty output.

    >>> import jax.numpy as jnp
    >>> layer = Conv2DTranspose(8, 3, strides=2, padding="same")
    >>> params = layer.init(jax.random.key(0), (7, 7, 4))
    >>> params["kernel"].shape, layer.apply(params, jnp.zeros((1, 7, 7, 4))).shape
    ((3, 3, 8, 4), (1, 14, 14, 8))

    Source: Zeiler et al. 2010, doi:10.1109/CVPR.2010.5539957; Dumoulin & Visin 2016,
    arXiv:1603.07285.
    """

    rank: ClassVar[int] = 2


class Conv3DTranspose(_Transposed):
    """Conv2DTranspose with a third axis: (depth, rows, columns, in) -> the same, filters.

    The kernel is (*kernel_size, filters, in).

    Args:
        filters, kernel_size, strides: as for `Conv2DTranspose`, with three numbers where that has
            two.

    Raises:
        InvalidArgument, ShapeMismatch: see `Conv2DTranspose`.

    >>> import jax.numpy as jnp
    >>> layer = Conv3DTranspose(2, 2, strides=2)
    >>> params = layer.init(jax.random.key(0), (2, 3, 4, 1))
    >>> layer.apply(params, jnp.zeros((5, 2, 3, 4, 1))).shape
    (5, 4, 6, 8, 2)

    Source: Zeiler et al. 2010, doi:10.1109/CVPR.2010.5539957.
    """

    rank: ClassVar[int] = 3


__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"]
