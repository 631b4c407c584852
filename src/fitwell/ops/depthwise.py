"""Convolutions with one input channel per kernel: sums of shifted products, no dot.

XLA's CPU back end computes them group by group otherwise, thirty times slower.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from fitwell.ops.geometry import Window
from fitwell.ops.patches import pad, taps
from fitwell.types import Array

_PARTS = 8  # rows of the batch that are summed in one fused loop


def output(x: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """x (batch, *sizes, groups), kernel (*taps, 1, groups * m) -> (..., groups * m)."""
    weights = kernel.reshape(-1, groups, kernel.shape[-1] // groups)
    seen = taps(x, windows)
    y = sum(t[..., None] * w for t, w in zip(seen, weights, strict=True))
    return jnp.asarray(y).reshape(*y.shape[:-2], -1)


def input(y: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """y (batch, *positions, groups * m) -> (batch, *sizes, groups)."""
    between = []
    back = []
    for w in windows:
        before = w.extent - 1 - w.before
        spread = (w.positions - 1) * w.stride + 1
        between.append((before, w.size + w.extent - 1 - spread - before, w.stride - 1))
        back.append(Window(w.size + w.extent - 1, w.kernel, 1, w.dilation))
    rows = pad(y, between)
    weights = jnp.flip(kernel, tuple(range(len(windows)))).reshape(-1, kernel.shape[-1])
    x = sum(t * w for t, w in zip(taps(rows, tuple(back)), weights, strict=True))
    return jnp.asarray(x).reshape(*x.shape[:-1], groups, -1).sum(-1)


def kernel(x: Array, y: Array, windows: tuple[Window, ...], groups: int) -> Array:
    """Sums over batch and positions of x * y: (*taps, 1, groups * m).

    A sum to the last axis is slow on the CPU. So parts of the batch are added in one elementwise
    loop, and what remains in a product with ones.
    """
    parts = math.gcd(y.shape[0], _PARTS)
    rows = y.reshape(parts, -1, *y.shape[1:-1], groups, y.shape[-1] // groups)
    ones = jnp.ones((1, math.prod(y.shape[:-1]) // parts), y.dtype)
    found = []
    for seen in taps(x, windows):
        seen = seen.reshape(parts, -1, *seen.shape[1:], 1)
        product = jnp.asarray(sum(seen[i] * rows[i] for i in range(parts)))
        found.append(ones @ product.reshape(-1, y.shape[-1]))
    return jnp.stack(found).reshape(*(w.kernel for w in windows), 1, y.shape[-1])
