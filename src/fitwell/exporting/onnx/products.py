"""Products of matrices and convolutions."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from fitwell.exporting.onnx.arranging import padded, zero
from fitwell.exporting.onnx.elementwise import cast
from fitwell.exporting.onnx.graph import Graph
from fitwell.exporting.onnx.rules import rule
from fitwell.exporting.program import Operation, Value


@rule("dot_general")
def _dot(graph: Graph, op: Operation) -> str:
    x, y = op.ins
    names = _read(graph, x, op), _read(graph, y, op)
    (of_x, of_y), (batch_x, batch_y) = op.how["dimension_numbers"]
    shared = tuple(range(len(batch_x)))
    one = len(of_x) == 1 and tuple(batch_x) == tuple(batch_y) == shared
    matrices = y.ndim == len(shared) + 2 and (x.ndim == y.ndim or not shared)
    # As MatMul reads them: rows by columns, behind the axes that go together.
    if one and matrices and x.ndim >= 2 and of_x[0] == x.ndim - 1:
        return _product(graph, names, y.ndim, of_y[0])
    letters = iter(string.ascii_letters)
    first = [next(letters) for _ in range(x.ndim)]
    second = [next(letters) for _ in range(y.ndim)]
    for a, b in zip((*of_x, *batch_x), (*of_y, *batch_y), strict=True):
        second[b] = first[a]
    free_x = [c for i, c in enumerate(first) if i not in (*of_x, *batch_x)]
    free_y = [c for i, c in enumerate(second) if i not in (*of_y, *batch_y)]
    out = [first[a] for a in batch_x] + free_x + free_y
    equation = f"{''.join(first)},{''.join(second)}->{''.join(out)}"
    return graph.emit("Einsum", *names, equation=equation)


def _read(graph: Graph, value: Value, op: Operation) -> str:
    """A factor in the type of the product: JAX multiplies float16 by float32, ONNX does not."""
    name, dtype = graph.read(value), op.outs[0].dtype
    return name if value.dtype == dtype else cast(graph, name, dtype)


def _product(graph: Graph, names: tuple[str, str], ndim: int, contracted: int) -> str:
    x, y = names
    if contracted == ndim - 1:
        y = graph.transpose(y, [*range(ndim - 2), ndim - 1, ndim - 2])
    return graph.emit("MatMul", x, y)


# Convolutions: ONNX has the channels in front


def _forward(ndim: int) -> list[int]:
    return [0, ndim - 1, *range(1, ndim - 1)]


def _back(ndim: int) -> list[int]:
    return [0, *range(2, ndim), 1]


def _kernel(graph: Graph, op: Operation) -> str:
    """(*taps, in / groups, out) -> (out, in / groups, *taps), here where it is a weight."""
    kernel = op.ins[1]
    order = [kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2)]
    if kernel.array is not None:
        return graph.read(Value.known(kernel.array.transpose(order), kernel.name))
    return graph.transpose(graph.read(kernel), order)


@rule("conv_output")
def _convolution(graph: Graph, op: Operation) -> str:
    x, windows = op.ins[0], op.how["windows"]
    name = graph.read(x)
    cuts = [(min(w.before, 0), min(w.after, 0)) for w in windows]
    name = padded(graph, name, x.shape, [(0, 0), *cuts, (0, 0)], zero(x))
    y = graph.emit(
        "Conv",
        graph.transpose(name, _forward(x.ndim)),
        _kernel(graph, op),
        kernel_shape=[w.kernel for w in windows],
        strides=[w.stride for w in windows],
        dilations=[w.dilation for w in windows],
        pads=_ends([max(w.before, 0) for w in windows], [max(w.after, 0) for w in windows]),
        group=op.how["groups"],
    )
    return graph.transpose(y, _back(x.ndim))


@rule("conv_input")
def _transposed(graph: Graph, op: Operation) -> str:
    y, out, windows = op.ins[0], op.outs[0], op.how["windows"]
    x = graph.emit(
        "ConvTranspose",
        graph.transpose(graph.read(y), _forward(y.ndim)),
        _kernel(graph, op),
        kernel_shape=[w.kernel for w in windows],
        strides=[w.stride for w in windows],
        dilations=[w.dilation for w in windows],
        group=op.how["groups"],
    )
    # What is there without padding, then the zeros or the cuts that lead to the right size.
    full = [
        (n - 1) * w.stride + w.extent  # type: ignore[operator]
        for n, w in zip(y.shape[1:-1], windows, strict=True)
    ]
    ends = [(-w.before, w.size + w.before - n) for n, w in zip(full, windows, strict=True)]
    shape: Any = (out.shape[0], out.shape[-1], *full)
    x = padded(graph, x, shape, [(0, 0), (0, 0), *ends], zero(y))
    return graph.transpose(x, _back(y.ndim))


@rule("conv_general_dilated")
def _general(graph: Graph, op: Operation) -> str:
    """Of users' own layers; those of this library are the two above."""
    how, numbers = op.how, op.how["dimension_numbers"]
    if any(n != 1 for n in how["lhs_dilation"]) or how["batch_group_count"] != 1:
        raise op.refused("a convolution that ONNX has", "one with lhs_dilation or batch groups")
    padding = how["padding"]
    y = graph.emit(
        "Conv",
        graph.transpose(graph.read(op.ins[0]), numbers.lhs_spec),
        graph.transpose(graph.read(op.ins[1]), numbers.rhs_spec),
        strides=list(how["window_strides"]),
        dilations=list(how["rhs_dilation"]),
        pads=_ends(*zip(*padding, strict=True)),
        group=how["feature_group_count"],
    )
    return graph.transpose(y, sorted(range(op.outs[0].ndim), key=numbers.out_spec.__getitem__))


def _ends(before: Sequence[int], behind: Sequence[int]) -> list[int]:
    return [*before, *behind]
