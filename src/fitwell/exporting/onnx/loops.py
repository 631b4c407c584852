"""Loops over time: ONNX' Scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.exporting.onnx.graph import Graph, onnx_dtype
from fitwell.exporting.onnx.rules import rule, translate
from fitwell.exporting.program import Operation, Rows, Sizes, Value


def value_info(name: str, dtype: Any, shape: Sizes) -> Any:
    """How a graph declares what goes in or out."""
    from onnx import helper

    sizes = ["batch" if size == Rows(1) else None if isinstance(size, Rows) else size
             for size in shape]  # fmt: skip
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, element, sizes)


def _declared(name: str, value: Value) -> Any:
    return value_info(name, onnx_dtype(value.dtype), value.shape)


@rule("scan")
def _scan(graph: Graph, op: Operation) -> Any:
    """States go around, slices of arrays go in, and what each turn writes is joined."""
    from onnx import helper

    body, layer = op.body, graph.layer
    assert body is not None
    inside = Graph(graph)
    states, arrays = op.ins[: op.how["num_carry"]], list(op.ins[op.how["num_carry"] :])
    inputs = list(body.inputs)
    if not arrays:  # Scan counts its turns by what it reads
        arrays = [Value.known(np.zeros(op.how["length"], np.float32))]
        inputs.append(Value((), np.dtype(np.float32)))
    for value in inputs:
        inside.name(value, inside.fresh("turn"))
    translate(inside, body)
    # A graph may not return what it was given, or one value twice.
    outputs = [inside.emit("Identity", inside.read(value)) for value in body.outputs]
    inner = helper.make_graph(
        inside.nodes,
        inside.fresh("body"),
        [_declared(inside.small(value).name, value) for value in inputs],
        [_declared(n, value) for n, value in zip(outputs, body.outputs, strict=True)],
    )
    graph.layer, backwards = layer, int(op.how["reverse"])
    written = len(op.outs) - len(states)
    more: dict[str, Any] = {"scan_output_directions": [backwards] * written} if written else {}
    return graph.emit(
        "Scan",
        *map(graph.read, [*states, *arrays]),
        outputs=len(op.outs),
        body=inner,
        num_scan_inputs=len(arrays),
        scan_input_directions=[backwards] * len(arrays),
        **more,
    )
