"""Sums, largest numbers and their places; order; windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitwell.exporting.onnx.elementwise import cast
from fitwell.exporting.onnx.graph import Graph
from fitwell.exporting.onnx.rules import RULES, Rule, rule
from fitwell.exporting.program import Operation


def _reduction(kind: str) -> Rule:
    def applied(graph: Graph, op: Operation) -> str:
        x = graph.read(op.ins[0])
        if not op.how["axes"]:
            return x
        axes = graph.integers(list(op.how["axes"]))
        if op.ins[0].dtype != bool:
            return graph.emit(kind, x, axes, keepdims=0)
        found = graph.emit(kind, cast(graph, x, np.int32), axes, keepdims=0)
        return cast(graph, found, bool)

    return applied


RULES.update(
    reduce_sum=_reduction("ReduceSum"),
    reduce_max=_reduction("ReduceMax"),
    reduce_min=_reduction("ReduceMin"),
    reduce_prod=_reduction("ReduceProd"),
    reduce_and=_reduction("ReduceMin"),
    reduce_or=_reduction("ReduceMax"),
)


@rule("argmax", "argmin")
def _place(graph: Graph, op: Operation) -> str:
    kind = {"argmax": "ArgMax", "argmin": "ArgMin"}[op.kind]
    found = graph.emit(kind, graph.read(op.ins[0]), axis=op.how["axes"][0], keepdims=0)
    return cast(graph, found, op.outs[0].dtype)


@rule("cumsum")
def _cumulated(graph: Graph, op: Operation) -> str:
    axis = graph.constant(np.int64(op.how["axis"]))
    return graph.emit("CumSum", graph.read(op.ins[0]), axis, reverse=int(op.how["reverse"]))


@rule("sort")
def _sort(graph: Graph, op: Operation) -> list[str]:
    if op.how["num_keys"] != 1:
        raise op.refused("a sort by one array", f"one by {op.how['num_keys']}")
    axis, key = op.how["dimension"], graph.read(op.ins[0])
    length = graph.size(op.ins[0].shape[axis])
    values, order = graph.emit("TopK", key, length, axis=axis, largest=0, outputs=2)
    others = [
        graph.emit("GatherElements", graph.read(value), order, axis=axis) for value in op.ins[1:]
    ]
    return [values, *others]


@rule("top_k")
def _largest(graph: Graph, op: Operation) -> list[str]:
    axis = op.how.get("axis", op.ins[0].ndim - 1)
    count = graph.integers([op.how["k"]])
    values, places = graph.emit("TopK", graph.read(op.ins[0]), count, axis=axis, outputs=2)
    return [values, cast(graph, places, op.outs[1].dtype)]


@rule("reduce_window_max", "reduce_window_sum")
def _windows(graph: Graph, op: Operation) -> str:
    """Of users' own layers, with channels last; those of this library pool by slices."""
    how, ndim = op.how, op.ins[0].ndim
    sizes, strides, gaps = (
        how[key] for key in ("window_dimensions", "window_strides", "window_dilation")
    )
    ends = [sizes[i] == strides[i] == 1 and tuple(how["padding"][i]) == (0, 0) for i in (0, -1)]
    if ndim < 3 or not all(ends) or any(n != 1 for n in how["base_dilation"]):
        raise op.refused("windows of (batch, ..., channels)", f"windows of {sizes}")
    inner: Sequence[tuple[int, int]] = how["padding"][1:-1]
    pads = [before for before, _ in inner] + [behind for _, behind in inner]
    options = {"kernel_shape": sizes[1:-1], "strides": strides[1:-1], "pads": pads}
    x = graph.transpose(graph.read(op.ins[0]), [0, ndim - 1, *range(1, ndim - 1)])
    if op.kind == "reduce_window_max":
        y = graph.emit("MaxPool", x, dilations=gaps[1:-1], **options)
    elif any(n != 1 for n in gaps):
        raise op.refused("sums of windows without gaps", f"window_dilation={gaps}")
    else:
        mean = graph.emit("AveragePool", x, count_include_pad=1, **options)
        count = graph.constant(np.array(np.prod(sizes), op.ins[0].dtype))
        y = graph.emit("Mul", mean, count)
    return graph.transpose(y, [0, *range(2, ndim), 1])
