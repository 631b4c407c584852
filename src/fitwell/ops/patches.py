"""Windows as arrays: strided slices, patches and their transposes. One dot is a convolution."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax

from fitwell import compiling
from fitwell.ops.geometry import Window
from fitwell.types import Array, Shape


def pad(x: Array, padding: list[tuple[int, int, int]], value: float = 0.0) -> Array:
    """Values before, after and between along the spatial axes; negative numbers cut.

    The barrier makes it an array. Otherwise XLA pads anew in the loop of every tap, which takes
    twice as long.
    """
    if not any(any(each) for each in padding):
        return x
    return lax.optimization_barrier(
        lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0), *padding, (0, 0, 0)])
    )


def padded(x: Array, windows: tuple[Window, ...]) -> tuple[Array, tuple[Window, ...]]:
    """The input with its padding, and the windows that lie over it without any."""
    inside = [w._replace(size=w.size + w.before + w.after, before=0, after=0) for w in windows]
    return pad(x, [(w.before, w.after, 0) for w in windows]), tuple(inside)


def taps(x: Array, windows: tuple[Window, ...]) -> Iterator[Array]:
    """For each tap what it sees at every position: (batch, *positions, channels)."""
    x = pad(x, [(w.before, w.after, 0) for w in windows])
    for place in itertools.product(*(range(w.kernel) for w in windows)):
        start = [tap * w.dilation for tap, w in zip(place, windows, strict=True)]
        stop = [s + (w.positions - 1) * w.stride + 1 for s, w in zip(start, windows, strict=True)]
        yield lax.slice(
            x,
            [0, *start, 0],
            [x.shape[0], *stop, x.shape[-1]],
            [1, *(w.stride for w in windows), 1],
        )


def patches(x: Array, windows: tuple[Window, ...]) -> Array:
    """(batch, *sizes, channels) -> (batch, *positions, taps, channels).

    Axis by axis, the last first: so what is moved together grows from the channels of a point to
    those of a row of taps.
    """
    channels = x.shape[-1]
    x = pad(x, [(w.before, w.after, 0) for w in windows])
    for axis in range(len(windows), 0, -1):
        w = windows[axis - 1]
        starts = [tap * w.dilation for tap in range(w.kernel)]
        last = (w.positions - 1) * w.stride + 1
        seen = [lax.slice_in_dim(x, start, start + last, w.stride, axis) for start in starts]
        x = lax.optimization_barrier(jnp.concatenate(seen, -1))
    return x.reshape(*x.shape[:-1], -1, channels)


# A convolution as one dot of patches, and the two maps that are its transposes. `groups` parts of
# the channels have kernels of their own; a kernel is (*taps, in / groups, out). Without groups the
# dot is one of two matrices: with more axes XLA's CPU back end is three to ten times slower.


def output(x: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    cut = patches(x, windows)
    if groups == 1:
        rows = cut.reshape(-1, cut.shape[-2] * cut.shape[-1])
        return (rows @ kernel.reshape(rows.shape[1], -1)).reshape(*cut.shape[:-2], -1)
    cut = cut.reshape(*cut.shape[:-1], groups, -1)
    y = jnp.einsum("...kgc,kcgo->...go", cut, _by_group(kernel, len(windows), groups))
    return y.reshape(*y.shape[:-2], -1)


def input(y: Array, kernel: Array, windows: tuple[Window, ...], groups: int) -> Array:
    if groups == 1:
        cut = y.reshape(-1, y.shape[-1]) @ kernel.reshape(-1, y.shape[-1]).T
        cut = cut.reshape(*y.shape[:-1], -1, kernel.shape[-2])
    else:
        rows = y.reshape(*y.shape[:-1], groups, -1)
        cut = jnp.einsum("...go,kcgo->...kgc", rows, _by_group(kernel, len(windows), groups))
        cut = cut.reshape(*cut.shape[:-2], -1)
    x = jax.ShapeDtypeStruct((y.shape[0], *(w.size for w in windows), cut.shape[-1]), y.dtype)
    (result,) = jax.linear_transpose(lambda x: patches(x, windows), x)(cut)
    return result


def kernel(x: Array, y: Array, windows: tuple[Window, ...], groups: int) -> Array:
    cut = patches(x, windows)
    shape: Shape = (*(w.kernel for w in windows), x.shape[-1] // groups, y.shape[-1])
    if groups == 1:
        rows = cut.reshape(-1, cut.shape[-2] * cut.shape[-1])
        # A unit: see `columns.add_row`.
        product = compiling.unit(lambda rows, y: rows.T @ y.reshape(-1, y.shape[-1]))
        return product(rows, y).reshape(shape)
    cut = cut.reshape(-1, *cut.shape[-2:-1], groups, cut.shape[-1] // groups)
    rows = y.reshape(-1, groups, y.shape[-1] // groups)
    return jnp.einsum("mkgc,mgo->kcgo", cut, rows).reshape(shape)


def _by_group(kernel: Array, rank: int, groups: int) -> Array:
    count = math.prod(kernel.shape[:rank])
    return kernel.reshape(count, kernel.shape[rank], groups, -1)
