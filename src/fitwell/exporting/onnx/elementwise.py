"""Operations number by number; arrays that are the same along an axis are never written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fitwell.exporting.onnx.graph import Graph, joint, onnx_dtype
from fitwell.exporting.onnx.rules import RULES, Rule
from fitwell.exporting.program import Operation, Value

Formula = Callable[..., str]


def elementwise(formula: Formula) -> Rule:
    """The rule of a formula `(graph, operation, *names) -> name`."""

    def applied(graph: Graph, op: Operation) -> None:
        ins, out = _sources(graph, op), op.outs[0]
        if ins is not None:
            out = Value(next(v.shape for v in ins if v.shape and v.array is None), out.dtype)
            graph.view(op.outs[0], out)
        found = [graph.small(value) for value in ins or op.ins]
        name = formula(graph, op, *(one.name for one in found))
        graph.name(out, name, joint([one.shape for one in found]))

    return applied


def _sources(graph: Graph, op: Operation) -> list[Value] | None:
    """The operands in the shape that they are views of, so that none has to be reshaped: the sums
    and products of batch normalization are of rows, those of convolutions of images. None where
    another operand than a row, or one number, stands in the way."""
    found = [graph.source(value) for value in op.ins]
    shapes = {source.shape for source in found if source is not None}
    if len(shapes) != 1:
        return None
    for value, source in zip(op.ins, found, strict=True):
        if source is None and any(size != 1 for size in graph.small(value).shape[:-1]):
            return None
    return [source or value for value, source in zip(op.ins, found, strict=True)]


def _plain(kind: str) -> Formula:
    return lambda graph, op, *names: graph.emit(kind, *names)


def _number(graph: Graph, op: Operation, value: float) -> str:
    """A constant of the type of the operands."""
    return graph.constant(np.array(value, onnx_dtype(op.ins[0].dtype)))


def _logical(logical: str, bitwise: str) -> Formula:
    def formula(graph: Graph, op: Operation, *names: str) -> str:
        return graph.emit(logical if op.ins[0].dtype == bool else bitwise, *names)

    return formula


def _not_equal(graph: Graph, op: Operation, x: str, y: str) -> str:
    return graph.emit("Not", graph.emit("Equal", x, y))


def _larger(graph: Graph, op: Operation, x: str, y: str) -> str:
    for zero, other in zip(op.ins, (y, x), strict=True):
        if zero.array is not None and zero.dtype.kind == "f" and not zero.array.any():
            return graph.emit("Relu", other)  # which runtimes fuse with what is before it
    return graph.emit("Max", x, y)


def _remainder(graph: Graph, op: Operation, x: str, y: str) -> str:
    return graph.emit("Mod", x, y, fmod=1)


def _square(graph: Graph, op: Operation, x: str) -> str:
    return graph.emit("Mul", x, x)


def _reciprocal_root(graph: Graph, op: Operation, x: str) -> str:
    return graph.emit("Reciprocal", graph.emit("Sqrt", x))


def _cube_root(graph: Graph, op: Operation, x: str) -> str:
    root = graph.emit("Pow", graph.emit("Abs", x), _number(graph, op, 1 / 3))
    return graph.emit("Mul", graph.emit("Sign", x), root)


def _power(graph: Graph, op: Operation, x: str) -> str:
    return graph.emit("Pow", x, _number(graph, op, op.how["y"]))


def _exp2(graph: Graph, op: Operation, x: str) -> str:
    return graph.emit("Pow", _number(graph, op, 2), x)


def _expm1(graph: Graph, op: Operation, x: str) -> str:
    # tanh(x / 2) * (exp(x) + 1): without the rounding of exp(x) - 1 near 0.
    half = graph.emit("Tanh", graph.emit("Mul", x, _number(graph, op, 0.5)))
    both = graph.emit("Add", graph.emit("Exp", x), _number(graph, op, 1))
    near = graph.emit("Mul", half, both)
    far = graph.emit("Sub", graph.emit("Exp", x), _number(graph, op, 1))
    small = graph.emit("Less", graph.emit("Abs", x), _number(graph, op, 1))
    return graph.emit("Where", small, near, far)


def _log1p(graph: Graph, op: Operation, x: str) -> str:
    # log(u) * x / (u - 1) with u = 1 + x: what u lost of x is made good (Kahan).
    one = _number(graph, op, 1)
    u = graph.emit("Add", x, one)
    lost = graph.emit("Sub", u, one)
    right = graph.emit("Div", graph.emit("Mul", graph.emit("Log", u), x), lost)
    gone = graph.emit("Equal", lost, _number(graph, op, 0))
    whole = graph.emit("IsInf", x)
    plain = graph.emit("Where", gone, x, right)
    return graph.emit("Where", whole, graph.emit("Log", u), plain)


def _erf(graph: Graph, op: Operation, x: str) -> str:
    if op.ins[0].dtype != np.float64:
        return graph.emit("Erf", x)
    # onnxruntime has it for float32 alone.
    return cast(graph, graph.emit("Erf", cast(graph, x, np.float32)), np.float64)


def _complement(graph: Graph, op: Operation, x: str) -> str:
    return graph.emit("Sub", _number(graph, op, 1), _erf(graph, op, x))


def _is_finite(graph: Graph, op: Operation, x: str) -> str:
    odd = graph.emit("Or", graph.emit("IsInf", x), graph.emit("IsNaN", x))
    return graph.emit("Not", odd)


def _round(graph: Graph, op: Operation, x: str) -> str:
    if op.how["rounding_method"].name == "TO_NEAREST_EVEN":
        return graph.emit("Round", x)
    up = graph.emit("Add", graph.emit("Abs", x), _number(graph, op, 0.5))
    return graph.emit("Mul", graph.emit("Sign", x), graph.emit("Floor", up))


def _clamp(graph: Graph, op: Operation, low: str, x: str, high: str) -> str:
    return graph.emit("Min", graph.emit("Max", x, low), high)


def _cast(graph: Graph, op: Operation, x: str) -> str:
    return cast(graph, x, op.outs[0].dtype)


def _select(graph: Graph, op: Operation, which: str, *cases: str) -> str:
    if op.ins[0].dtype == bool:
        return graph.emit("Where", which, cases[1], cases[0])
    found = cases[-1]
    for i in range(len(cases) - 2, -1, -1):
        here = graph.emit("Equal", which, _number(graph, op, i))
        found = graph.emit("Where", here, cases[i], found)
    return found


def cast(graph: Graph, name: str, dtype: Any) -> str:
    """A tensor in another type."""
    from onnx import helper

    return graph.emit("Cast", name, to=helper.np_dtype_to_tensor_dtype(onnx_dtype(dtype)))


_PLAIN = {
    "abs": "Abs", "acos": "Acos", "acosh": "Acosh", "add": "Add", "add_any": "Add",
    "asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh", "ceil": "Ceil",
    "cos": "Cos", "cosh": "Cosh", "div": "Div", "eq": "Equal", "exp": "Exp",
    "floor": "Floor", "ge": "GreaterOrEqual", "gt": "Greater", "le": "LessOrEqual",
    "le_to": "LessOrEqual", "log": "Log", "logistic": "Sigmoid", "lt": "Less", "lt_to": "Less",
    "min": "Min", "mul": "Mul", "neg": "Neg", "pow": "Pow", "sign": "Sign",
    "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "sub": "Sub", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
_FORMULAS: dict[str, Formula] = {
    "and": _logical("And", "BitwiseAnd"),
    "cbrt": _cube_root,
    "clamp": _clamp,
    "convert_element_type": _cast,
    "erf": _erf,
    "erfc": _complement,
    "exp2": _exp2,
    "expm1": _expm1,
    "integer_pow": _power,
    "is_finite": _is_finite,
    "log1p": _log1p,
    "max": _larger,
    "ne": _not_equal,
    "not": _logical("Not", "BitwiseNot"),
    "or": _logical("Or", "BitwiseOr"),
    "rem": _remainder,
    "round": _round,
    "rsqrt": _reciprocal_root,
    "select_n": _select,
    "square": _square,
    "xor": _logical("Xor", "BitwiseXor"),
}
RULES.update({kind: elementwise(_plain(name)) for kind, name in _PLAIN.items()})
RULES.update({kind: elementwise(formula) for kind, formula in _FORMULAS.items()})

__all__ = ["cast", "elementwise"]
