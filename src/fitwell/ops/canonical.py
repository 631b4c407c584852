"""Convolutions of two axes in the one form that XLA's CPU back end computes fast everywhere.

XLA rewrites a convolution into that form (batch, rows, columns, channels; kernels rows, columns,
in, out) only outside of loops; inside them, any other form is fifty times slower. So the
convolution and its two transposes are written in it. What it does not do well (few channels,
kernels of size 1, groups) is written as dots, or as convolutions without groups.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from fitwell import compiling
from fitwell.ops import depthwise, patches
from fitwell.ops.geometry import Window
from fitwell.types import Array

Windows = tuple[Window, Window]

_FORM = ("NHWC", "HWIO", "NHWC")
_FEW = 4  # channels up to which a dot of patches is faster
_ENOUGH = 16  # channels that a group should have at least


def output(x: Array, kernel: Array, windows: Windows, groups: int) -> Array:
    """The convolution: (batch, *sizes, in) -> (batch, *positions, out)."""
    if groups > 1:
        if kernel.shape[2] == 1:
            return depthwise.output(x, kernel, windows, groups)
        kernel, parts = _merge(kernel, groups)
        xs, kernels = jnp.split(x, parts, -1), jnp.split(kernel, parts, -1)
        ys = [output(a, b, windows, 1) for a, b in zip(xs, kernels, strict=True)]
        return jnp.concatenate(ys, -1)
    if kernel.shape[2] <= _FEW or _is_dot(windows):
        return patches.output(x, kernel, windows, 1)
    return _convolve(
        x,
        kernel,
        strides=[w.stride for w in windows],
        padding=[(w.before, w.after) for w in windows],
        dilation=[w.dilation for w in windows],
    )


def input(y: Array, kernel: Array, windows: Windows, groups: int) -> Array:
    """Its transpose in x: a convolution of y with the flipped kernel."""
    if groups > 1:
        if kernel.shape[2] == 1:
            return depthwise.input(y, kernel, windows, groups)
        kernel, parts = _merge(kernel, groups)
        ys, kernels = jnp.split(y, parts, -1), jnp.split(kernel, parts, -1)
        xs = [input(a, b, windows, 1) for a, b in zip(ys, kernels, strict=True)]
        return jnp.concatenate(xs, -1)
    if kernel.shape[2] <= _FEW or _is_dot(windows):
        return patches.input(y, kernel, windows, 1)
    padding = []
    for w in windows:
        before = w.extent - 1 - w.before
        spread = (w.positions - 1) * w.stride + 1
        padding.append((before, w.size + w.extent - 1 - spread - before))
    return _convolve(
        y,
        jnp.flip(kernel, (0, 1)).swapaxes(2, 3),
        padding=padding,
        spread=[w.stride for w in windows],
        dilation=[w.dilation for w in windows],
    )


def kernel(x: Array, y: Array, windows: Windows, groups: int) -> Array:
    """Its transpose in the kernel: x as (in, rows, columns, batch) with y as the kernel."""
    if groups > 1:
        each = x.shape[-1] // groups
        if each == 1:
            return depthwise.kernel(x, y, windows, groups)
        parts = groups // _merged(groups, each)
        xs, ys = jnp.split(x, parts, -1), jnp.split(y, parts, -1)
        found = [kernel(a, b, windows, 1) for a, b in zip(xs, ys, strict=True)]
        return _unmerge(jnp.concatenate(found, -1), groups, each)
    if x.shape[-1] <= _FEW or _is_dot(windows):
        return patches.kernel(x, y, windows, 1)
    padding = []
    for w in windows:
        reach = w.extent + (w.positions - 1) * w.stride
        padding.append((w.before, reach - w.size - w.before))
    found_ = _convolve(
        # A unit: fused with what makes x, the moves would wait for its arithmetic (a sixth more
        # time for groups, nothing lost elsewhere).
        compiling.unit(lambda x: x.transpose(3, 1, 2, 0))(x),
        y.transpose(1, 2, 0, 3),
        strides=[w.dilation for w in windows],
        padding=padding,
        dilation=[w.stride for w in windows],
    )
    return found_.transpose(1, 2, 0, 3)


def _is_dot(windows: Windows) -> bool:
    return all(w.kernel == 1 for w in windows)


def _convolve(
    x: Array,
    kernel: Array,
    *,
    padding: list[tuple[int, int]],
    dilation: list[int],
    strides: list[int] | None = None,
    spread: list[int] | None = None,
) -> Array:
    return lax.conv_general_dilated(
        x,
        kernel,
        strides or [1, 1],
        padding,
        lhs_dilation=spread,
        rhs_dilation=dilation,
        dimension_numbers=_FORM,
    )


# Small groups are merged: a kernel with blocks on its diagonal costs more products and less time.


def _merged(groups: int, each: int) -> int:
    """How many groups to take as one."""
    return next(
        m for m in range(1, groups + 1) if (groups % m == 0 and m * each >= _ENOUGH) or m == groups
    )


def _merge(kernel: Array, groups: int) -> tuple[Array, int]:
    """(rows, columns, in, groups * out) with zeros between groups, and how many are left."""
    rows, columns, each, outputs = kernel.shape
    many = _merged(groups, each)
    split = kernel.reshape(rows, columns, each, groups // many, many, outputs // groups)
    wide = jnp.einsum("hwcgmo,nm->hwncgmo", split, jnp.eye(many, dtype=kernel.dtype))
    return wide.reshape(rows, columns, many * each, outputs), groups // many


def _unmerge(found: Array, groups: int, each: int) -> Array:
    """The transpose of `_merge`: the blocks on the diagonal."""
    rows, columns, _, outputs = found.shape
    many = _merged(groups, each)
    shape = (rows, columns, many, each, groups // many, many, outputs // groups)
    blocks = jnp.einsum(
        "hwncgmo,nm->hwcgmo", found.reshape(shape), jnp.eye(many, dtype=found.dtype)
    )
    return blocks.reshape(rows, columns, each, outputs)
