"""Pooling of channels-last arrays, one axis after the other.

The largest (or the mean) of a box is the largest of the largest of its rows, so each function here
works along one axis. Where windows touch without overlap they are an axis of a reshaped array;
otherwise shifted slices. `lax.reduce_window` is not used: its gradient is a scatter, thirty times
slower on the CPU.

Among equal largest values the first in reading order gets the whole gradient, as in PyTorch.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from fitwell.ops.geometry import Padding, Window, windows
from fitwell.types import Array


def max_pool(
    x: Array, size: Sequence[int], strides: Sequence[int], padding: Padding = "valid"
) -> Array:
    """The largest value in each window: (batch, *sizes, channels) -> (batch, *positions, channels).

    NaN in a window gives NaN. Padding never wins.

    >>> max_pool(jnp.array([1.0, 3.0, 2.0, 0.0]).reshape(1, 4, 1), [2], [2]).ravel().tolist()
    [3.0, 2.0]
    """
    found = windows(x.shape[1:-1], size, strides, padding, [1] * len(size))
    for axis in reversed(range(len(found))):  # so that ties are won in reading order
        padded = _padded(x, axis + 1, found[axis], lowest(x.dtype))
        x = _largest(padded, axis + 1, _inside(found[axis]))
    return x


def average_pool(
    x: Array, size: Sequence[int], strides: Sequence[int], padding: Padding = "valid"
) -> Array:
    """The mean of each window; padding is not counted.

    (batch, *sizes, channels) -> (batch, *positions, channels).

    >>> average_pool(jnp.array([1.0, 3.0, 2.0]).reshape(1, 3, 1), [2], [2], "same").ravel().tolist()
    [2.0, 2.0]
    """
    found = windows(x.shape[1:-1], size, strides, padding, [1] * len(size))
    for axis in reversed(range(len(found))):
        x = _mean(x, axis + 1, found[axis])
    return x


def adaptive_max_pool(x: Array, sizes: Sequence[int]) -> Array:
    """The largest value in each of `sizes` bins per axis: see `adaptive_average_pool`."""
    for axis in reversed(range(len(sizes))):
        x = _adaptive(x, axis + 1, sizes[axis], _largest)
    return x


def adaptive_average_pool(x: Array, sizes: Sequence[int]) -> Array:
    """The mean of each of `sizes` bins per axis.

    Bin i of o covers the n entries of an axis from floor(i n / o) up to ceil((i + 1) n / o).

    >>> adaptive_average_pool(jnp.arange(5.0).reshape(1, 5, 1), [2]).ravel().tolist()
    [1.0, 3.0]
    """
    for axis in reversed(range(len(sizes))):
        x = _adaptive(x, axis + 1, sizes[axis], _mean)
    return x


@jax.custom_jvp
def global_max_pool(x: Array) -> Array:
    """The largest value of each channel: (batch, *sizes, channels) -> (batch, channels)."""
    return x.max(tuple(range(1, x.ndim - 1)))


@global_max_pool.defjvp
def _global_max_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    largest, winner = _first_largest_of(flat, 1, jnp.int32)
    chosen = _places(flat, 1, jnp.int32) == winner
    return largest[:, 0], jnp.where(chosen, dx.reshape(flat.shape), 0).sum(1)


def lowest(dtype: Any) -> float:
    """What never is the largest: -inf, or the least whole number."""
    return -jnp.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min


def global_average_pool(x: Array) -> Array:
    """The mean of each channel: (batch, *sizes, channels) -> (batch, channels)."""
    return x.mean(tuple(range(1, x.ndim - 1)))


def _padded(x: Array, axis: int, window: Window, value: float) -> Array:
    if not (window.before or window.after):
        return x
    widths = [(0, 0, 0)] * x.ndim
    widths[axis] = (window.before, window.after, 0)
    return lax.pad(x, jnp.asarray(value, x.dtype), widths)


def _inside(window: Window) -> Window:
    """The same window on an input that is padded already."""
    return window._replace(size=window.size + window.before + window.after, before=0, after=0)


def _touching(x: Array, axis: int, window: Window) -> Array:
    """Windows as an axis behind `axis`, for windows that touch without overlap."""
    x = lax.slice_in_dim(x, 0, window.positions * window.stride, axis=axis)
    return x.reshape(*x.shape[:axis], window.positions, window.kernel, *x.shape[axis + 1 :])


def _slices(x: Array, axis: int, window: Window) -> list[Array]:
    """What each tap sees, without strides: the transpose of a strided slice is slow."""
    rows = window.positions + (window.kernel - 1) // window.stride
    missing = rows * window.stride - x.shape[axis]
    x = _padded(x, axis, Window(x.shape[axis], 1, after=missing), 0)
    x = x.reshape(*x.shape[:axis], rows, window.stride, *x.shape[axis + 1 :])
    found = []
    for tap in range(window.kernel):
        row, place = divmod(tap, window.stride)
        seen = lax.slice_in_dim(x, row, row + window.positions, axis=axis)
        found.append(lax.index_in_dim(seen, place, axis + 1, keepdims=False))
    return found


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _largest(x: Array, axis: int, window: Window) -> Array:
    return _first_largest(x, axis, window)[0]


@_largest.defjvp
def _largest_jvp(
    axis: int, window: Window, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    y, winner = _first_largest(x, axis, window)
    if window.kernel == window.stride:
        rows = _touching(dx, axis, window)
        chosen = jnp.expand_dims(winner, axis + 1) == _places(rows, axis + 1, winner.dtype)
        return y, jnp.where(chosen, rows, 0).sum(axis + 1)
    seen = enumerate(_slices(dx, axis, window))
    return y, jnp.asarray(sum(jnp.where(winner == tap, dx, 0) for tap, dx in seen))


def _first_largest(x: Array, axis: int, window: Window) -> tuple[Array, Array]:
    """The largest value in each window, and which tap it is."""
    dtype = jnp.int8 if window.kernel < 127 else jnp.int32
    if window.kernel == window.stride:
        rows = _touching(x, axis, window)
        largest, winner = _first_largest_of(rows, axis + 1, dtype)
        return largest.squeeze(axis + 1), winner.squeeze(axis + 1)
    last = (window.positions - 1) * window.stride + 1
    largest = lax.slice_in_dim(x, 0, last, window.stride, axis)
    winner = jnp.zeros(largest.shape, dtype)
    for tap in range(1, window.kernel):
        seen = lax.slice_in_dim(x, tap, tap + last, window.stride, axis)
        larger = (seen > largest) | (seen != seen)
        largest = jnp.where(larger, seen, largest)
        winner = jnp.where(larger, dtype(tap), winner)
    return largest, winner


def _first_largest_of(x: Array, axis: int, dtype: Any) -> tuple[Array, Array]:
    """The largest value along an axis, and its first place; the axis is kept.

    Two reductions, which XLA computes once. A chain of selects over the places is computed anew in
    the loop of the gradient, for every entry of x; argmax is four times slower on the CPU.
    """
    largest = x.max(axis, keepdims=True)
    won = (x == largest) | (x != x)  # NaN wins
    places = jnp.where(won, _places(x, axis, dtype), x.shape[axis])
    return largest, places.min(axis, keepdims=True)


def _places(x: Array, axis: int, dtype: Any) -> Array:
    """0, 1, 2, ... along an axis."""
    return jnp.arange(x.shape[axis], dtype=dtype).reshape(-1, *[1] * (x.ndim - axis - 1))


def _mean(x: Array, axis: int, window: Window) -> Array:
    padded = _padded(x, axis, window, 0)
    if window.kernel == window.stride:
        total = _touching(padded, axis, _inside(window)).sum(axis + 1)
    else:
        total = jnp.asarray(sum(_slices(padded, axis, _inside(window))))
    starts = [p * window.stride - window.before for p in range(window.positions)]
    ends = [min(start + window.kernel, window.size) for start in starts]
    counts = jnp.array([e - max(s, 0) for s, e in zip(starts, ends, strict=True)], x.dtype)
    return total / counts.reshape(-1, *[1] * (x.ndim - axis - 1))


def _adaptive(
    x: Array, axis: int, bins: int, reduce: Callable[[Array, int, Window], Array]
) -> Array:
    size = x.shape[axis]
    if size % bins == 0:
        return reduce(x, axis, Window(size, size // bins, size // bins))
    # A bin may share its last entry with the next. Pieces without overlap: the transpose of a split
    # is one concatenation, that of slices as many sums of whole arrays.
    starts = [i * size // bins for i in range(bins + 1)]
    pieces = lax.split(x, [b - a for a, b in itertools.pairwise(starts)], axis)
    found = []
    for i, piece in enumerate(pieces):
        if (i + 1) * size % bins:
            next_entry = lax.slice_in_dim(pieces[i + 1], 0, 1, axis=axis)
            piece = jnp.concatenate([piece, next_entry], axis)
        count = piece.shape[axis]
        found.append(reduce(piece, axis, Window(count, count, count)))
    return jnp.concatenate(found, axis)


__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "global_average_pool",
    "global_max_pool",
    "lowest",
    "max_pool",
]
