"""Products with weights take up the factors and sums that follow them, such as normalizations.

(x W) * s + t = x (W s) + t for rows s and t: batch normalization behind a convolution or a dense
layer costs nothing in an exported program.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitwell.exporting.program import Operation, Program, Value
from fitwell.types import HostArray

_SHAPING = ("reshape", "squeeze", "expand_dims")
_AFFINE = ("add", "add_any", "sub", "mul", "div")


@dataclass(frozen=True)
class _Row:
    """A product with a known kernel, times a scale, plus a shift, along its last axis: (columns,),
    both in float64."""

    product: Operation
    scale: HostArray
    shift: HostArray

    @classmethod
    def of(cls, product: Operation) -> _Row:
        columns: Any = product.outs[0].shape[-1]
        return cls(product, np.ones(columns), np.zeros(columns))

    def operations(self, result: Value) -> list[Operation]:
        """What computes it, as `result`."""
        one = self.product
        (x, kernel), out = one.ins, one.outs[0]
        array = np.asarray(kernel.array * _along(one, self.scale), kernel.dtype)
        made = [replace(one, ins=[x, Value.known(array, kernel.name)])]
        if self.shift.any():
            shift = Value.known(self.shift.astype(out.dtype), f"{one.layer}/bias" * bool(one.layer))
            made.append(Operation("add", [out, shift], [], {}, one.layer))
        if result.shape != out.shape:
            made.append(Operation("reshape", [], [], {}, one.layer))
        for i, each in enumerate(made):
            each.outs = [result if i == len(made) - 1 else Value(out.shape, out.dtype)]
            if i:
                each.ins = [made[i - 1].outs[0], *each.ins[1:]]
        return made


def merged(program: Program) -> Program:
    """The same program with fewer operations on rows.

    >>> x, kernel = Value((2, 3), np.dtype("f4")), Value.known(np.ones((3, 4), "f4"))
    >>> product, y = Value((2, 4), np.dtype("f4")), Value((2, 4), np.dtype("f4"))
    >>> how = {"dimension_numbers": (((1,), (0,)), ((), ()))}
    >>> dot = Operation("dot_general", [x, kernel], [product], how)
    >>> twice = Operation("mul", [product, Value.known(np.full(4, 2, "f4"))], [y], {})
    >>> (one,) = merged(Program([x], [dot, twice], [y])).operations
    >>> one.kind, float(one.ins[1].array.sum())
    ('dot_general', 24.0)
    """
    uses, kept = Counter(program.reads()), list[Operation]()
    waiting: dict[Value, _Row] = {}
    rows: dict[Value, HostArray] = {}

    def write(values: list[Value]) -> None:
        for value in values:
            if value in waiting:
                kept.extend(waiting.pop(value).operations(value))

    for one in program.operations:
        if one.kind == "broadcast_in_dim" and one.ins[0].array is not None:
            rows[one.outs[0]] = _spread(one)
        if one.kind in _SHAPING and one.ins[0] in rows and _keeps_rows(one):
            rows[one.outs[0]] = rows[one.ins[0]]
        alone = all(uses[value] == 1 for value in one.ins if value in waiting)
        found = _after(one, waiting, rows) if alone else None
        if found is not None:
            for value in one.ins:
                waiting.pop(value, None)
            waiting[one.outs[0]] = found
            continue
        write(list(one.reads()))
        if _is_product(one):
            waiting[one.outs[0]] = _Row.of(one)
        else:
            kept.append(one)
    write(list(program.outputs))
    return Program(program.inputs, kept, program.outputs).needed()


def _spread(broadcast: Operation) -> HostArray:
    """What is repeated, with axes of size 1 where it is."""
    (x,), out = broadcast.ins, broadcast.outs[0]
    assert x.array is not None
    shape = [1] * out.ndim
    for axis, size in zip(broadcast.how["broadcast_dimensions"], x.array.shape, strict=True):
        shape[axis] = size
    return x.array.reshape(shape)


def _after(one: Operation, waiting: dict[Value, _Row], rows: dict[Value, HostArray]) -> _Row | None:
    """A product that waits, together with the operation that follows it; None if it stays alone."""
    if one.kind in _AFFINE:
        return _combined(one, waiting, rows)
    if one.kind in _SHAPING and one.ins[0] in waiting and _keeps_rows(one):
        return waiting[one.ins[0]]
    return None


def _keeps_rows(shaping: Operation) -> bool:
    return shaping.ins[0].shape[-1:] == shaping.outs[0].shape[-1:] != ()


def _is_product(one: Operation) -> bool:
    """Whether the last axis of the result is one of a kernel that is known."""
    if one.kind not in ("conv_output", "dot_general") or one.outs[0].dtype.kind != "f":
        return False
    if one.ins[1].array is None or one.ins[1].dtype != one.outs[0].dtype:
        return False
    if one.kind == "conv_output":
        return True
    (_, contracted), _ = one.how["dimension_numbers"]
    return one.ins[1].ndim == 2 and len(contracted) == 1


def _along(product: Operation, scale: HostArray) -> HostArray:
    """The scale as it multiplies the kernel."""
    if product.kind == "dot_general" and product.how["dimension_numbers"][0][1][0] == 1:
        return scale[:, None]
    return scale


def _combined(
    one: Operation, waiting: dict[Value, _Row], rows: dict[Value, HostArray]
) -> _Row | None:
    for place, value in enumerate(one.ins):
        other = one.ins[1 - place]
        array = rows.get(other, other.array)
        if value not in waiting or array is None or value.shape != one.outs[0].shape:
            continue
        before, columns = waiting[value], len(waiting[value].scale)
        if math.prod(array.shape[:-1]) != 1 or array.size not in (1, columns):
            continue
        row = np.broadcast_to(array.astype(np.float64).ravel(), (columns,))
        found = _arithmetic(one.kind, before, row, first=place == 0)
        if found is not None and np.isfinite([found.scale, found.shift]).all():
            return found
    return None


def _arithmetic(kind: str, before: _Row, row: HostArray, *, first: bool) -> _Row | None:
    """Scale and shift after an operation with a row, which stands behind it, or before."""
    scale, shift = before.scale, before.shift
    if kind in ("add", "add_any"):
        return replace(before, shift=shift + row)
    if kind == "sub" and first:
        return replace(before, shift=shift - row)
    if kind == "sub":
        return replace(before, scale=-scale, shift=row - shift)
    if kind == "mul":
        return replace(before, scale=scale * row, shift=shift * row)
    return replace(before, scale=scale / row, shift=shift / row) if first and row.all() else None


__all__ = ["merged"]
