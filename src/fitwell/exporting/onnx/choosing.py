"""Operations that read or write where an index says."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.exporting import numerics
from fitwell.exporting.folding import fill_of
from fitwell.exporting.onnx.elementwise import cast
from fitwell.exporting.onnx.graph import Graph, onnx_dtype
from fitwell.exporting.onnx.rules import rule
from fitwell.exporting.program import Operation, Rows, Sizes, Value


@rule("gather")
def _gather(graph: Graph, op: Operation) -> str:
    """Rows of an array by their places: x[ids], x[:, ids], x[i, j], take_along_axis."""
    (x, starts), numbers = op.ins, op.how["dimension_numbers"]
    index, sizes = list(numbers.start_index_map), op.how["slice_sizes"]
    together = list(numbers.operand_batching_dims)
    rest = [axis for axis in range(x.ndim) if axis not in (*index, *together)]
    leading = together == list(numbers.start_indices_batching_dims) == [*range(len(together))]
    if any(sizes[axis] != 1 for axis in index) or not leading or index != sorted(index):
        raise op.refused("rows chosen by an index", f"slices of {sizes} chosen by an index")
    if any(sizes[axis] != x.shape[axis] for axis in rest):
        raise op.refused("whole rows chosen by an index", f"slices of {sizes}")
    places = cast(graph, graph.read(starts), np.int64)
    bounds = [x.shape[axis] for axis in index]
    limits = _minus_one(graph, bounds)
    inside = graph.emit("Min", graph.emit("Max", places, graph.integers([0])), limits)
    found = _rows(graph, op, inside, [*together, *index, *rest])
    found = _in_place(graph, op, found, index, rest)
    fill = fill_of(op)
    if fill is None:
        return found
    good = graph.emit("Equal", places, inside)
    good = graph.emit("ReduceMin", cast(graph, good, np.int32), graph.integers([-1]), keepdims=0)
    shape = tuple(
        1 if axis in numbers.offset_dims else size for axis, size in enumerate(op.outs[0].shape)
    )
    good = cast(graph, graph.reshape(good, shape), bool)
    other = graph.constant(np.array(fill, onnx_dtype(x.dtype)))
    return graph.emit("Where", good, found, other)


def _minus_one(graph: Graph, bounds: list[Any]) -> str:
    less = tuple(Rows(b.factor, b.more - 1) if isinstance(b, Rows) else b - 1 for b in bounds)
    return graph.sizes(less)


def _rows(graph: Graph, op: Operation, places: str, order: list[int]) -> str:
    """(*places, *rest) of an array whose indexed axes come first."""
    x, numbers = op.ins[0], op.how["dimension_numbers"]
    together, count = len(numbers.operand_batching_dims), len(numbers.start_index_map)
    name = graph.transpose(graph.read(x), order)
    if count == 1 and not together:
        flat = graph.reshape(places, op.ins[1].shape[:-1])
        return graph.emit("Gather", name, flat, axis=0)
    return graph.emit("GatherND", name, places, batch_dims=together)


def _in_place(graph: Graph, op: Operation, name: str, index: list[int], rest: list[int]) -> str:
    """From (*places, *rest) to the order of the result, with the indexed axes of size 1."""
    numbers, out = op.how["dimension_numbers"], op.outs[0]
    kept = sorted(axis for axis in (*rest, *index) if axis not in numbers.collapsed_slice_dims)
    offset = dict(zip(numbers.offset_dims, kept, strict=True))
    places = out.ndim - len(kept)
    order, seen = [], 0
    for axis in range(out.ndim):
        if axis not in offset:
            order.append(seen)
            seen += 1
        elif offset[axis] in rest:
            order.append(places + rest.index(offset[axis]))
    name = graph.transpose(name, order)
    return name if len(order) == out.ndim else graph.reshape(name, out.shape)


@rule("dynamic_slice")
def _dynamic_slice(graph: Graph, op: Operation) -> str:
    x, sizes = op.ins[0], op.how["slice_sizes"]
    starts = _starts(graph, x, op.ins[1:], sizes)
    stops = graph.emit("Add", starts, graph.sizes(sizes))
    return graph.emit("Slice", graph.read(x), starts, stops, graph.integers([*range(x.ndim)]))


def _starts(graph: Graph, x: Value, starts: Any, sizes: Sizes) -> str:
    """Where a slice begins, moved so that it is inside: a vector."""
    parts = [graph.reshape(cast(graph, graph.read(s), np.int64), (1,)) for s in starts]
    found = graph.emit("Concat", *parts, axis=0)
    room = graph.emit("Sub", graph.sizes(x.shape), graph.sizes(sizes))
    return graph.emit("Min", graph.emit("Max", found, graph.integers([0])), room)


@rule("dynamic_update_slice")
def _dynamic_update(graph: Graph, op: Operation) -> str:
    """Slices that are whole along all axes but the first."""
    x, update = op.ins[:2]
    if x.shape[1:] != update.shape[1:] or not isinstance(update.shape[0], int):
        expected = "updates along the first axis"
        raise op.refused(expected, f"one of shape {update.shape} in {x.shape}")
    start = graph.emit("Slice", _starts(graph, x, op.ins[2:], update.shape),
                       graph.integers([0]), graph.integers([1]))  # fmt: skip
    rows = graph.emit("Add", start, graph.constant(np.arange(update.shape[0])[:, None]))
    return graph.emit("ScatterND", graph.read(x), rows, graph.read(update))


@rule(*(f"scatter{mark}{kind}" for mark in "-_" for kind in ("add", "max", "min", "mul")),
      "scatter")  # fmt: skip
def _scatter(graph: Graph, op: Operation) -> str:
    """x.at[places].set(update) and its kin, for places that are known."""
    (x, starts, update), numbers = op.ins, op.how["dimension_numbers"]
    if starts.array is None or numbers.operand_batching_dims:
        raise op.refused("x.at[places] with places that are constants", "places that are computed")
    kept = [axis for axis in range(x.ndim) if axis not in numbers.inserted_window_dims]
    growing = [axis for axis in range(x.ndim) if isinstance(x.shape[axis], Rows)]
    across = [numbers.update_window_dims[kept.index(axis)] for axis in growing if axis in kept]
    fixed = [axis for axis in range(x.ndim) if axis not in growing]
    if set(growing) & {*numbers.scatter_dims_to_operand_dims} or len(across) < len(growing):
        raise op.refused("places in each example", "places in the batch")
    sizes: Any = [1 if isinstance(size, Rows) else size for size in update.shape]
    found = numerics.coordinates(starts.array, sizes, numbers.update_window_dims,
                                 numbers.inserted_window_dims,
                                 numbers.scatter_dims_to_operand_dims, x.ndim)  # fmt: skip
    places = np.stack([np.broadcast_to(found[axis], sizes) for axis in fixed], axis=-1)
    if (places < 0).any() or (places >= [x.shape[axis] for axis in fixed]).any():
        raise op.refused("places inside of the array", f"{places.max()} in {x.shape}")
    rest = [axis for axis in range(update.ndim) if axis not in across]
    places = places.squeeze(tuple(across))
    kind = op.kind[len("scatter_") :] or "none"
    data = graph.transpose(graph.read(x), [*fixed, *growing])
    values = graph.transpose(graph.read(update), [*rest, *across])
    y = graph.emit("ScatterND", data, graph.constant(places), values, reduction=kind)
    return graph.transpose(y, np.argsort([*fixed, *growing]).tolist())
