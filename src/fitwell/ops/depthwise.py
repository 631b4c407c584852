"""Convolutions with one input channel per kernel: sums of shifted products, no dot.

XLA's CPU back end computes them group by group otherwise, thirty times slower. Where a channel has
several kernels it is repeated, which costs less than products over a short last axis.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from fitwell import compiling
from fitwell.ops.columns import column_sum
from fitwell.ops.geometry import Window
from fitwell.ops.patches import pad, padded, taps
from fitwell.types import Array

_PARTS = 8  # of batch and first axis, which are added in one fused loop


def output(x: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """x (batch, *sizes, groups), kernel (*taps, 1, groups * m) -> (..., groups * m)."""
    x, inside = padded(_repeated(x, kernel.shape[-1] // groups), windows)
    return _sum_of_taps(x, kernel, inside)


def input(y: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """y (batch, *positions, groups * m) -> (batch, *sizes, groups)."""
    between = []
    back = []
    for w in windows:
        before = w.extent - 1 - w.before
        spread = (w.positions - 1) * w.stride + 1
        between.append((before, w.size + w.extent - 1 - spread - before, w.stride - 1))
        back.append(Window(w.size + w.extent - 1, w.kernel, 1, w.dilation))
    flipped = jnp.flip(kernel, tuple(range(len(windows))))
    x = _sum_of_taps(pad(y, between), flipped, tuple(back))
    return x if x.shape[-1] == groups else x.reshape(*x.shape[:-1], groups, -1).sum(-1)


def kernel(x: Array, y: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """Sums over batch and positions of x * y: (*taps, 1, groups * m).

    A sum to the last axis is slow on the CPU. So parts of the batch are added in one elementwise
    loop, and what remains in a product with ones.
    """
    x, inside = padded(_repeated(x, y.shape[-1] // groups), windows)
    parts = math.gcd(math.prod(y.shape[:2]), _PARTS)

    def sums(x: Array, y: Array) -> Array:
        rows = y.reshape(parts, -1, *y.shape[2:])
        found = []
        for seen in taps(x, inside):
            seen = seen.reshape(rows.shape)
            product = jnp.asarray(sum(seen[i] * rows[i] for i in range(parts)))
            found.append(column_sum(product.reshape(-1, y.shape[-1])))
        return jnp.stack(found).reshape(*(w.kernel for w in windows), 1, y.shape[-1])

    return compiling.unit(sums)(x, y)


def _repeated(x: Array, times: int) -> Array:
    """Each channel several times in a row."""
    return x if times == 1 else jnp.repeat(x, times, axis=-1)


def _sum_of_taps(x: Array, kernel: Array, inside: tuple[Window, ...]) -> Array:
    """The convolution of each channel with its one kernel, without padding."""

    def sums(x: Array, kernel: Array) -> Array:
        weights = kernel.reshape(-1, kernel.shape[-1])
        return jnp.asarray(sum(t * w for t, w in zip(taps(x, inside), weights, strict=True)))

    return compiling.unit(sums)(x, kernel)
