"""Operations that move numbers: shapes, slices, padding, joining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.exporting.onnx.elementwise import cast
from fitwell.exporting.onnx.graph import Graph
from fitwell.exporting.onnx.rules import rule
from fitwell.exporting.program import Operation, Rows, Size, Sizes, Value

_TO_THE_END = 2**31 - 1


@rule("broadcast_in_dim")
def _broadcast(graph: Graph, op: Operation) -> None:
    (x, out), axes = (op.ins[0], op.outs[0]), op.how["broadcast_dimensions"]
    found = graph.small(x)
    own = (1,) * (x.ndim - len(found.shape)) + tuple(found.shape)
    shape: list[Size] = [1] * out.ndim
    for axis, size in zip(axes, own, strict=True):
        shape[axis] = size
    # Behind leading axes of size 1 it can stay as it is.
    last = list(axes) == list(range(out.ndim - x.ndim, out.ndim)) and own == found.shape
    name = found.name if last else graph.reshape(found.name, tuple(shape))
    graph.name(out, name, found.shape if last else tuple(shape))


@rule("reshape", "squeeze", "expand_dims")
def _reshape(graph: Graph, op: Operation) -> str | None:
    x, out = op.ins[0], op.outs[0]
    source = graph.source(x) or x
    if source.shape == out.shape:
        graph.name(out, *graph.small(source))
    elif x.shape[-1:] == out.shape[-1:] != ():
        graph.view(out, source)
    else:
        return graph.reshape(graph.read(x), out.shape)
    return None


@rule("transpose")
def _transpose(graph: Graph, op: Operation) -> str:
    return graph.transpose(graph.read(op.ins[0]), op.how["permutation"])


@rule("size")
def _size(graph: Graph, op: Operation) -> str:
    size = graph.reshape(graph.size(op.how["size"]), ())
    return cast(graph, size, op.outs[0].dtype)


@rule("iota")
def _iota(graph: Graph, op: Operation) -> None:
    out, axis = op.outs[0], op.how["dimension"]
    stop = graph.reshape(graph.size(out.shape[axis]), ())
    ends = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    name = cast(graph, graph.emit("Range", ends[0], stop, ends[1]), out.dtype)
    shape = tuple(size if i == axis else 1 for i, size in enumerate(out.shape))
    graph.name(out, graph.reshape(name, shape), shape)


@rule("concatenate")
def _concatenate(graph: Graph, op: Operation) -> str:
    return graph.emit("Concat", *map(graph.read, op.ins), axis=op.how["dimension"])


@rule("stack")
def _stack(graph: Graph, op: Operation) -> str:
    axis = op.how["axis"]
    one: Any = tuple(1 if i == axis else size for i, size in enumerate(op.outs[0].shape))
    parts = [graph.reshape(graph.read(value), one) for value in op.ins]
    return graph.emit("Concat", *parts, axis=axis)


@rule("split")
def _split(graph: Graph, op: Operation) -> Any:
    sizes = graph.integers([int(n) for n in op.how["sizes"]])
    x = graph.read(op.ins[0])
    return graph.emit("Split", x, sizes, axis=op.how["axis"], outputs=len(op.outs))


@rule("unstack")
def _unstack(graph: Graph, op: Operation) -> list[str]:
    axis = op.how["axis"]
    parts = graph.emit("Split", graph.read(op.ins[0]), axis=axis, outputs=len(op.outs),
                       num_outputs=len(op.outs))  # fmt: skip
    parts = [parts] if isinstance(parts, str) else parts
    return [graph.reshape(part, value.shape) for part, value in zip(parts, op.outs, strict=True)]


@rule("rev")
def _reverse(graph: Graph, op: Operation) -> str:
    axes = list(op.how["dimensions"])
    ends = [graph.integers([n] * len(axes)) for n in (-1, -_TO_THE_END, -1)]
    return graph.emit("Slice", graph.read(op.ins[0]), *ends[:2], graph.integers(axes), ends[2])


@rule("slice")
def _slice(graph: Graph, op: Operation) -> str:
    starts, stops = op.how["start_indices"], op.how["limit_indices"]
    steps = op.how["strides"] or (1,) * len(starts)
    return cut(graph, graph.read(op.ins[0]), op.ins[0].shape, starts, stops, steps)


def cut(
    graph: Graph, name: str, shape: Sizes, starts: Sizes, stops: Sizes, steps: Sequence[int]
) -> str:
    """x[start:stop:step] along each axis."""
    cuts = [
        axis
        for axis, both in enumerate(zip(starts, stops, steps, strict=True))
        if both != (0, shape[axis], 1)
    ]
    if not cuts:
        return name
    parts = [tuple(each[axis] for axis in cuts) for each in (starts, stops, steps)]
    first, last, step = (graph.sizes(part) for part in parts)
    return graph.emit("Slice", name, first, last, graph.integers(cuts), step)


@rule("pad")
def _pad(graph: Graph, op: Operation) -> str:
    x, config = op.ins[0], op.how["padding_config"]
    name, shape = graph.read(x), list(x.shape)
    for axis, (_, _, between) in enumerate(config):
        if between:
            name = _spread(graph, name, shape, axis, between, op.ins[1])
    return padded(graph, name, tuple(shape), [each[:2] for each in config], op.ins[1])


def _spread(
    graph: Graph, name: str, shape: list[Size], axis: int, between: int, value: Value
) -> str:
    """A tensor with values put between its entries; the shape is changed in place."""
    size = shape[axis]
    if isinstance(size, Rows):
        size = Rows(size.factor * (between + 1), size.more * (between + 1))
    else:
        size = size * (between + 1)
    wide = [*shape[: axis + 1], 1, *shape[axis + 1 :]]
    ends = [0] * len(wide), [between if i == axis + 1 else 0 for i in range(len(wide))]
    pads = graph.integers([*ends[0], *ends[1]])
    name = graph.emit("Pad", graph.reshape(name, tuple(wide)), pads, graph.read(value))
    shape[axis] = size
    name = graph.reshape(name, tuple(shape))
    stop = Rows(size.factor, size.more - between) if isinstance(size, Rows) else size - between
    starts = tuple(0 for _ in shape)
    stops = tuple(stop if i == axis else n for i, n in enumerate(shape))
    name = cut(graph, name, tuple(shape), starts, stops, [1] * len(shape))
    shape[axis] = stop
    return name


def padded(
    graph: Graph, name: str, shape: Sizes, ends: Sequence[tuple[int, int]], value: Value
) -> str:
    """A tensor with values before and behind each axis; negative numbers cut."""
    if any(n < 0 for pair in ends for n in pair):
        starts = tuple(max(-before, 0) for before, _ in ends)
        stops = tuple(
            _less(size, max(-behind, 0)) for size, (_, behind) in zip(shape, ends, strict=True)
        )
        name = cut(graph, name, shape, starts, stops, [1] * len(shape))
    counts = [max(before, 0) for before, _ in ends] + [max(behind, 0) for _, behind in ends]
    if not any(counts):
        return name
    return graph.emit("Pad", name, graph.integers(counts), graph.read(value))


def _less(size: Size, count: int) -> Size:
    return Rows(size.factor, size.more - count) if isinstance(size, Rows) else size - count


def zero(like: Value) -> Value:
    """0 in the type of a value."""
    return Value.known(np.zeros((), like.dtype))


__all__ = ["cut", "padded", "zero"]
