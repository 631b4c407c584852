"""The operations of exported programs in numpy.

`predict.py` files contain this text, so it imports nothing but numpy and the standard library.
Arguments are those of the operation of the same name in JAX, with sizes in the place of options
that inference does not need.
"""

import math
from typing import Any

import numpy as np


def divide(x: Any, y: Any) -> Any:
    """Whole numbers are divided towards 0."""
    return x / y if x.dtype.kind == "f" else np.trunc(x / y).astype(x.dtype)


def logistic(x: Any) -> Any:
    return (np.tanh(x * x.dtype.type(0.5)) + 1) * x.dtype.type(0.5)


def erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[x.dtype])(x)


def erfc(x: Any) -> Any:
    return np.vectorize(math.erfc, otypes=[x.dtype])(x)


def round_half(x: Any, to_even: Any) -> Any:
    return np.round(x) if to_even else np.sign(x) * np.floor(np.abs(x) + x.dtype.type(0.5))


def select(which: Any, *cases: Any) -> Any:
    if which.dtype == bool:
        return np.where(which, cases[1], cases[0])
    return np.choose(which, cases)


def _along(array: Any, axes: Any, ndim: Any) -> Any:
    """The array with its axes at these places among ndim."""
    shape = [1] * ndim
    for axis, size in zip(axes, array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)


def broadcast(x: Any, shape: Any, axes: Any) -> Any:
    """Axis i of x becomes axis axes[i] of the result."""
    return np.broadcast_to(_along(x, axes, len(shape)), shape)


def iota(dtype: Any, shape: Any, axis: Any) -> Any:
    return broadcast(np.arange(shape[axis], dtype=dtype), shape, (axis,))


def cut(x: Any, starts: Any, stops: Any, steps: Any) -> Any:
    return x[tuple(slice(*each) for each in zip(starts, stops, steps, strict=True))]


def pad(x: Any, value: Any, config: Any) -> Any:
    """Per axis: values in front, behind (negative numbers cut) and between."""
    sizes = [max(n + (n - 1) * inner, 0) for n, (_, _, inner) in zip(x.shape, config, strict=True)]
    spread = np.full(sizes, value, x.dtype)
    spread[tuple(slice(None, None, inner + 1) for _, _, inner in config)] = x
    spread = np.pad(
        spread,
        [(max(before, 0), max(behind, 0)) for before, behind, _ in config],
        constant_values=value,
    )
    ends = [(max(-before, 0), max(-behind, 0)) for before, behind, _ in config]
    return spread[tuple(slice(a, n - b) for (a, b), n in zip(ends, spread.shape, strict=True))]


def take_slice(x: Any, starts: Any, sizes: Any) -> Any:
    places = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, x.shape, sizes, strict=True)]
    return x[tuple(slice(p, p + k) for p, k in zip(places, sizes, strict=True))]


def put_slice(x: Any, update: Any, starts: Any) -> Any:
    places = [
        min(max(int(s), 0), n - k) for s, n, k in zip(starts, x.shape, update.shape, strict=True)
    ]
    x = x.copy()
    x[tuple(slice(p, p + k) for p, k in zip(places, update.shape, strict=True))] = update
    return x


def gather(
    x: Any,
    starts: Any,
    offset_axes: Any,
    collapsed: Any,
    index_map: Any,
    batching: Any,
    sizes: Any,
    fill: Any,
) -> Any:
    """Slices of x that begin at starts[..., :]; see jax.lax.GatherDimensionNumbers.

    batching: the axes of x and of starts that go together. fill: what stands for slices that are
    not inside of x; None moves them inside.
    """
    starts = starts.astype(np.int64)
    batch_shape = starts.shape[:-1]
    ndim = len(batch_shape) + len(offset_axes)
    batch_axes = [axis for axis in range(ndim) if axis not in offset_axes]
    offsets = [axis for axis in range(x.ndim) if axis not in (*collapsed, *batching[0])]

    index, valid = [], np.array(True)
    for axis, (size, length) in enumerate(zip(x.shape, sizes, strict=True)):
        place = np.array(0)
        if axis in index_map:
            start = starts[..., index_map.index(axis)]
            valid = valid & _along((start >= 0) & (start <= size - length), batch_axes, ndim)
            place = _along(np.clip(start, 0, size - length), batch_axes, ndim)
        if axis in batching[0]:
            i = batching[1][batching[0].index(axis)]
            place = _along(np.arange(batch_shape[i]), [batch_axes[i]], ndim)
        if axis in offsets:
            place = place + _along(np.arange(length), [offset_axes[offsets.index(axis)]], ndim)
        index.append(place)
    found = x[tuple(index)]
    return found if fill is None else np.where(valid, found, x.dtype.type(fill))


def coordinates(
    starts: Any, shape: Any, window_axes: Any, inserted: Any, index_map: Any, ndim: Any
) -> Any:
    """Where in x each number of an update of this shape goes: an array per axis of x."""
    scattered = [axis for axis in range(len(shape)) if axis not in window_axes]
    kept = [axis for axis in range(ndim) if axis not in inserted]
    found = []
    for axis in range(ndim):
        place = np.zeros((1,) * len(shape), np.int64)
        if axis in index_map:
            start = starts[..., index_map.index(axis)].astype(np.int64)
            place = place + _along(start, scattered, len(shape))
        if axis in kept:
            own = window_axes[kept.index(axis)]
            place = place + _along(np.arange(shape[own]), [own], len(shape))
        found.append(place)
    return found


def scatter(
    x: Any, starts: Any, update: Any, window_axes: Any, inserted: Any, index_map: Any, kind: Any
) -> Any:
    """x with numbers put, added, ... where starts[..., :] say; what is outside is left out."""
    places = coordinates(starts, update.shape, window_axes, inserted, index_map, x.ndim)
    places = [np.broadcast_to(place, update.shape) for place in places]
    pairs = zip(places, x.shape, strict=True)
    good = np.all([(place >= 0) & (place < size) for place, size in pairs], axis=0)
    index, values, x = tuple(place[good] for place in places), update[good], x.copy()
    if kind == "set":
        x[index] = values
    else:
        kinds = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}
        kinds[kind].at(x, index, values)
    return x


def unstack(x: Any, axis: Any) -> Any:
    return tuple(np.moveaxis(x, axis, 0))


def cumulate(x: Any, axis: Any, reverse: Any, kind: Any) -> Any:
    kinds = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
    function: Any = kinds[kind].accumulate
    flipped = np.flip(x, axis) if reverse else x
    found = function(flipped, axis=axis).astype(x.dtype)
    return np.flip(found, axis) if reverse else found


def sort(operands: Any, axis: Any, keys: Any) -> Any:
    """The first `keys` operands decide about the order of all; the first of them most."""
    order = np.lexsort(tuple(reversed(operands[:keys])), axis=axis)
    return tuple(np.take_along_axis(x, order, axis) for x in operands)


def dot(x: Any, y: Any, contracted: Any, batched: Any) -> Any:
    if not batched[0]:
        return np.tensordot(x, y, axes=contracted)
    free = [
        [axis for axis in range(a.ndim) if axis not in (*c, *b)]
        for a, c, b in zip((x, y), contracted, batched, strict=True)
    ]
    shared = tuple(x.shape[axis] for axis in batched[0])
    left = x.transpose(*batched[0], *free[0], *contracted[0])
    right = y.transpose(*batched[1], *contracted[1], *free[1])
    inner = math.prod(x.shape[axis] for axis in contracted[0])
    sizes = [tuple(a.shape[axis] for axis in f) for a, f in zip((x, y), free, strict=True)]
    product = left.reshape(*shared, math.prod(sizes[0]), inner) @ right.reshape(
        *shared, inner, math.prod(sizes[1])
    )
    return product.reshape(*shared, *sizes[0], *sizes[1])


def _padded(x: Any, windows: Any) -> Any:
    return pad(x, 0, [(0, 0, 0), *((w[4], w[5], 0) for w in windows), (0, 0, 0)])


def convolution(x: Any, kernel: Any, windows: Any, groups: Any) -> Any:
    """x (batch, *sizes, in), kernel (*taps, in / groups, out) -> (batch, *positions, out).

    windows: per axis size, taps, stride, dilation, zeros in front and behind.
    """
    axes = tuple(range(1, x.ndim - 1))
    extents = tuple((w[1] - 1) * w[3] + 1 for w in windows)
    views = np.lib.stride_tricks.sliding_window_view(_padded(x, windows), extents, axes)
    strides = tuple(slice(None, None, w[2]) for w in windows)
    taps = tuple(slice(None, None, w[3]) for w in windows)
    views = views[(slice(None), *strides, slice(None), *taps)]
    channels, units = x.shape[-1] // groups, kernel.shape[-1] // groups
    summed = [*range(x.ndim, 2 * x.ndim - 2), x.ndim - 1], [*range(x.ndim - 1)]
    parts = []
    for g in range(groups):
        part = views[(slice(None),) * (x.ndim - 1) + (slice(g * channels, (g + 1) * channels),)]
        parts.append(np.tensordot(part, kernel[..., g * units : (g + 1) * units], summed))
    return np.concatenate(parts, axis=-1)


def transposed_convolution(y: Any, kernel: Any, windows: Any, groups: Any) -> Any:
    """The map that convolution's is the transpose of: y (batch, *positions, out) -> x."""
    full = [w[0] + w[4] + w[5] for w in windows]
    channels, units = kernel.shape[-2], kernel.shape[-1] // groups
    x = np.zeros((y.shape[0], *full, channels * groups), y.dtype)
    for tap in np.ndindex(*kernel.shape[:-2]):
        place = tuple(
            slice(t * w[3], t * w[3] + (n - 1) * w[2] + 1, w[2])
            for t, w, n in zip(tap, windows, y.shape[1:-1], strict=True)
        )
        for g in range(groups):
            own = slice(g * channels, (g + 1) * channels)
            part = slice(g * units, (g + 1) * units)
            x[(slice(None), *place, own)] += y[..., part] @ kernel[tap][:, part].T
    return pad(x, 0, [(0, 0, 0), *((-w[4], -w[5], 0) for w in windows), (0, 0, 0)])


def general_convolution(
    x: Any,
    kernel: Any,
    specs: Any,
    strides: Any,
    padding: Any,
    spread: Any,
    dilation: Any,
    groups: Any,
) -> Any:
    """jax.lax.conv_general_dilated; specs: the axes of x, of the kernel and of the result."""
    x = np.transpose(x, (specs[0][0], *specs[0][2:], specs[0][1]))
    kernel = np.transpose(kernel, (*specs[1][2:], specs[1][1], specs[1][0]))
    x = pad(x, 0, [(0, 0, 0), *((0, 0, n - 1) for n in spread), (0, 0, 0)])
    sizes = zip(x.shape[1:-1], kernel.shape[:-2], strides, dilation, padding, strict=True)
    windows = [(size, taps, s, d, *both) for size, taps, s, d, both in sizes]
    y = convolution(x, kernel, windows, groups)
    return np.transpose(y, np.argsort((specs[2][0], *specs[2][2:], specs[2][1])))


def reduce_windows(
    x: Any, kind: Any, sizes: Any, strides: Any, padding: Any, gaps: Any, start: Any
) -> Any:
    """max, min or sum of each window."""
    x = pad(x, start, [(*both, 0) for both in padding])
    extents = tuple((k - 1) * d + 1 for k, d in zip(sizes, gaps, strict=True))
    views = np.lib.stride_tricks.sliding_window_view(x, extents)
    views = views[tuple(slice(None, None, s) for s in strides)]
    taps: Any = (..., *(slice(None, None, d) for d in gaps))
    views = views[taps]
    function: Any = {"max": np.max, "min": np.min, "sum": np.sum}[kind]
    return function(views, axis=tuple(range(x.ndim, 2 * x.ndim)))
