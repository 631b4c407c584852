"""Convolution and transposed convolution of one to three axes, channels last.

Both are exact under every composition of forward and reverse differentiation, to any order
(see `trilinear.py`): Hessian-vector products included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from fitwell.ops import patches, trilinear
from fitwell.ops.geometry import Padding, Window, transposed_windows, windows
from fitwell.types import Array


def convolution(
    x: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    padding: Padding = "valid",
    dilation: Sequence[int],
    groups: int = 1,
) -> Array:
    """y[b, p, o] = sum over taps t and channels c of x[b, p * stride + t * dilation, c] k[t, c, o].

    (batch, *sizes, in) -> (batch, *positions, out). It is a correlation: no kernel is flipped.

    Args:
        x: with one to three axes between batch and channels.
        kernel: (*taps, in / groups, out).
        strides: one per axis, >= 1.
        padding: "valid", "same", "causal", or zeros (before, after) each axis.
        dilation: one per axis, >= 1.
        groups: parts of the channels that do not see each other; divides in and out.

    >>> x = jnp.arange(5.0).reshape(1, 5, 1)
    >>> difference = jnp.array([-1.0, 1.0]).reshape(2, 1, 1)
    >>> convolution(x, difference, strides=[1], dilation=[1]).ravel().tolist()
    [1.0, 1.0, 1.0, 1.0]

    Source: LeCun et al. 1989, doi:10.1162/neco.1989.1.4.541.
    """
    x, kernel = _same_dtype(x, kernel)
    rank = x.ndim - 2
    found = windows(x.shape[1:-1], kernel.shape[:rank], strides, padding, dilation)
    if jax.default_backend() != "cpu":
        return _native(x, kernel, found, groups)
    if rank == 3:
        return _three_axes(x, kernel, found, groups)
    if rank == 1:
        y = trilinear.output(x[:, None], kernel[None], (Window(1, 1), *found), groups)
        return y[:, 0]
    return trilinear.output(x, kernel, found, groups)


def transposed_convolution(
    y: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    padding: str = "valid",
    dilation: Sequence[int],
    output_padding: Sequence[int] | None = None,
) -> Array:
    """The gradient of `convolution` in x, at y: every entry of y adds its kernel to the output.

    (batch, *positions, in) -> (batch, *sizes, out); see `transposed_windows` for the sizes.

    Args:
        y: with one to three axes between batch and channels.
        kernel: (*taps, out, in), that of the convolution it is the gradient of.
        strides, dilation: one per axis, >= 1.
        padding: "valid" or "same".
        output_padding: None, or how much longer than the shortest the output is.

    >>> y = jnp.array([1.0, 2.0]).reshape(1, 2, 1)
    >>> ones = jnp.ones((2, 1, 1))
    >>> transposed_convolution(y, ones, strides=[2], dilation=[1]).ravel().tolist()
    [1.0, 1.0, 2.0, 2.0]

    Source: Zeiler et al. 2010, doi:10.1109/CVPR.2010.5539957.
    """
    y, kernel = _same_dtype(y, kernel)
    rank = y.ndim - 2
    found = transposed_windows(
        y.shape[1:-1], kernel.shape[:rank], strides, padding, dilation, output_padding
    )
    if rank == 2 and jax.default_backend() == "cpu":
        return trilinear.input(y, kernel, found, 1)
    if rank == 1 and jax.default_backend() == "cpu":
        return trilinear.input(y[:, None], kernel[None], (Window(1, 1), *found), 1)[:, 0]
    x = jax.ShapeDtypeStruct((y.shape[0], *(w.size for w in found), kernel.shape[-2]), y.dtype)

    def forward(x: Array) -> Array:
        return convolution(
            x,
            kernel,
            strides=strides,
            padding=[(w.before, w.after) for w in found],
            dilation=dilation,
        )

    return jax.linear_transpose(forward, x)(y)[0]


def local_convolution(
    x: Array, kernel: Array, *, size: Sequence[int], strides: Sequence[int], padding: Padding
) -> Array:
    """A convolution with a kernel of its own at every position.

    (batch, *sizes, in) -> (batch, *positions, out).

    Args:
        x: with one or two axes between batch and channels.
        kernel: (number of positions, taps * in, out); channels are fastest.
        size: taps per axis.
        strides: one per axis, >= 1.
        padding: as for `convolution`.
    """
    x, kernel = _same_dtype(x, kernel)
    found = windows(x.shape[1:-1], size, strides, padding, [1] * len(size))
    cut = patches.patches(x, found).reshape(x.shape[0], *kernel.shape[:2])
    y = jnp.einsum("bpf,pfo->bpo", cut, kernel)
    return y.reshape(x.shape[0], *(w.positions for w in found), kernel.shape[-1])


def _same_dtype(*arrays: Array) -> tuple[Array, ...]:
    dtype = jnp.result_type(*arrays)
    return tuple(jnp.asarray(a, dtype) for a in arrays)


def _three_axes(x: Array, kernel: Array, found: tuple[Window, ...], groups: int) -> Array:
    """Planes as examples, with what the taps of the first axis see side by side as channels."""
    depth, *plane = found
    batch, positions = x.shape[0], depth.positions
    x = patches.pad(x, [(depth.before, depth.after, 0), (0, 0, 0), (0, 0, 0)])
    starts = [tap * depth.dilation for tap in range(depth.kernel)]
    last = (positions - 1) * depth.stride + 1
    seen = [lax.slice_in_dim(x, s, s + last, depth.stride, axis=1) for s in starts]
    parts = [s.reshape(*s.shape[:-1], groups, -1) for s in seen]
    planes = jnp.stack(parts, -2).reshape(batch * positions, *x.shape[2:-1], -1)
    stacked = jnp.moveaxis(kernel, 0, 2).reshape(*kernel.shape[1:3], -1, kernel.shape[-1])
    y = trilinear.output(planes, stacked, tuple(plane), groups)
    return y.reshape(batch, positions, *y.shape[1:])


def _native(x: Array, kernel: Array, found: tuple[Window, ...], groups: int) -> Array:
    """The convolution of an accelerator, which finds the fast forms of the gradients itself."""
    axes = "DHW"[3 - len(found) :]
    form: Any = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return lax.conv_general_dilated(
        x,
        kernel,
        [w.stride for w in found],
        [(w.before, w.after) for w in found],
        rhs_dilation=[w.dilation for w in found],
        dimension_numbers=form,
        feature_group_count=groups,
    )


__all__ = ["convolution", "local_convolution", "transposed_convolution"]
