"""From a function of JAX to a program whose batch may have any size.

JAX traces with sizes that are numbers, and layers may compute with them. So the function is traced
twice, with batches of 1031 and of 2063 rows: a number that differs between the two traces grows
with the batch, and how is a line through two points. Whatever else differs cannot be exported and
is refused. Both numbers are prime, and larger than the few rows for which layers have forms of
their own.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from fitwell import equations
from fitwell.errors import InvalidArgument
from fitwell.exporting import folding
from fitwell.exporting.merging import merged
from fitwell.exporting.program import Operation, Program, Rows, Size, Value
from fitwell.ops.plain import plainly
from fitwell.types import Shape

_BATCHES = 1031, 2063
_FAR = 512  # what a size may add to a multiple of the batch
_SAME = {"copy", "copy_p", "optimization_barrier", "stop_gradient", "reduce_precision"}
"""Operations that return what they are given."""


def trace(
    function: Callable[..., Any],
    weights: Any,
    examples: Sequence[tuple[Shape, Any]],
    scopes: Iterable[str] = (),
) -> Program:
    """The program of `function(weights, *arrays)`, which returns arrays.

    What can be computed of the weights alone is computed here, and operations that no output needs
    are left out.

    Args:
        function: of JAX.
        weights: nested dicts of arrays, or a tuple of such.
        examples: shape and dtype of one example of each array.
        scopes: names of scopes (of layers) to remember with the operations.

    Raises:
        InvalidArgument: it computes with the number of examples in a way no file can hold.

    >>> weights = {"kernel": np.ones((3, 2), np.float32)}
    >>> found = trace(lambda w, x: x @ w["kernel"], weights, [((3,), "float32")])
    >>> [one.kind for one in found.operations], found.outputs[0].shape
    (['dot_general'], (batch, 2))
    """
    leaves, form = jax.tree.flatten(weights)

    def flat(given: Any, *arrays: Any) -> Any:
        return jax.tree.leaves(function(jax.tree.unflatten(form, given), *arrays))

    with plainly():
        first, second = (
            jax.make_jaxpr(flat)(
                leaves, *(jax.ShapeDtypeStruct((rows, *s), dtype) for s, dtype in examples)
            )
            for rows in _BATCHES
        )
    paths = jax.tree_util.tree_flatten_with_path(weights)[0]
    known = [Value.known(array, _name(path)) for path, array in paths]
    inputs = [Value((Rows(1), *s), np.dtype(dtype)) for s, dtype in examples]
    reader = _Reader(frozenset(scopes))
    outputs = reader.read((first.jaxpr, second.jaxpr), (first, second), [*known, *inputs], "")
    return merged(Program(inputs, reader.operations, outputs).needed())


def _name(path: Any) -> str:
    return "/".join(str(key.key) for key in path if hasattr(key, "key"))


class _Reader:
    """Walks two traces side by side."""

    def __init__(self, scopes: frozenset[str]) -> None:
        self.scopes = scopes
        self.operations: list[Operation] = []

    def read(
        self, jaxprs: tuple[Any, Any], closed: Any, arguments: Sequence[Value], around: str
    ) -> list[Value]:
        """The outputs of a jaxpr for these arguments; its operations are added to the list."""
        first, second = jaxprs
        known: dict[Any, Value] = dict(zip(first.invars, arguments, strict=True))
        held = zip(closed[0].consts, closed[1].consts, strict=True)
        constants = dict(zip(first.constvars, held, strict=True))

        def operand(one: Any, other: Any, layer: str) -> Value:
            if isinstance(one, core.Literal):
                return self._constant(one.val, other.val, one.aval, layer)
            if one not in known:
                ours, theirs = constants[one]
                known[one] = self._constant(ours, theirs, one.aval, layer)
            return known[one]

        if len(first.eqns) != len(second.eqns):
            raise _refused(around, "other operations for another number of examples")
        for pair in zip(first.eqns, second.eqns, strict=True):
            layer = self._layer(pair[0], around)
            ins = [
                operand(v, other, layer)
                for v, other in zip(pair[0].invars, pair[1].invars, strict=True)
            ]
            known |= dict(zip(pair[0].outvars, self._equation(pair, ins, layer), strict=True))
        outputs = zip(first.outvars, second.outvars, strict=True)
        return [operand(v, other, around) for v, other in outputs]

    def _layer(self, equation: Any, around: str) -> str:
        names = [getattr(one, "name", "") for one in equation.source_info.name_stack.stack]
        return next((name for name in names if name in self.scopes), around)

    def _constant(self, one: Any, other: Any, aval: Any, layer: str) -> Value:
        """An array that a trace holds, or one number that grows with the batch."""
        dtype = _dtype(aval)
        if dtype.kind == "O":  # a key
            return Value(np.shape(one), dtype)
        a, b = np.asarray(one), np.asarray(other)
        if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            return Value.known(a.astype(dtype))
        if a.ndim or a != int(a) or b != int(b):
            what = f"an array of shape {a.shape}" if a.ndim else f"{a}"
            rows = f"for {_BATCHES[0]} examples and another for {_BATCHES[1]}"
            raise _refused(layer, f"{what} {rows}")
        made, size = Value((), dtype), _size(int(a), int(b), layer)
        self.operations.append(Operation("size", [], [made], {"size": size}, layer))
        return made

    def _equation(self, pair: Any, ins: list[Value], layer: str) -> Sequence[Value]:
        kinds = {equation.primitive.name for equation in pair}
        if len(kinds) > 1:
            raise _refused(layer, " or ".join(sorted(kinds)))
        kind = kinds.pop()
        inner = [_inner(equation) for equation in pair]
        if inner[0] is not None:
            jaxprs = inner[0].jaxpr, inner[1].jaxpr
            return self.read(jaxprs, inner, ins, layer)
        if kind in _SAME:
            return ins
        outs = [
            Value(_merged(v.aval.shape, other.aval.shape, layer), _dtype(v.aval))
            for v, other in zip(pair[0].outvars, pair[1].outvars, strict=True)
        ]
        how = {k: _merged(v, pair[1].params[k], layer) for k, v in pair[0].params.items()}
        made = Operation(kind, ins, outs, how, layer)
        if kind == "scan":
            made = self._scan(pair, made)
        if folding.fold(made):
            return outs
        if kind == "mul" and (same := _times_one(made)):
            return [same]
        self.operations.append(made)
        return outs

    def _scan(self, pair: Any, scan: Operation) -> Operation:
        """The body reads the loop's constants where they are, and gets states and slices."""
        around, bodies = scan.how["num_consts"], [equation.params["jaxpr"] for equation in pair]
        inputs = [
            Value(_merged(v.aval.shape, other.aval.shape, scan.layer), _dtype(v.aval))
            for v, other in zip(*(body.jaxpr.invars[around:] for body in bodies), strict=True)
        ]
        inside = _Reader(self.scopes)
        jaxprs = bodies[0].jaxpr, bodies[1].jaxpr
        outputs = inside.read(jaxprs, bodies, [*scan.ins[:around], *inputs], scan.layer)
        # All outputs stay: states go around, whether the program needs them or not.
        body = Program(inputs, inside.operations, outputs).needed()
        how = {key: scan.how[key] for key in ("length", "reverse", "num_carry")}
        return Operation("scan", scan.ins[around:], scan.outs, how, scan.layer, body)


def _times_one(product: Operation) -> Value | None:
    """The factor that a product with ones is."""
    (a, b), (out,) = product.ins, product.outs
    for one, other in ((a, b), (b, a)):
        if one.array is not None and other.shape == out.shape and (one.array == 1).all():
            return other
    return None


def _inner(equation: Any) -> Any:
    """The closed jaxpr of a call; None for an operation."""
    if equation.primitive.name in ("remat", "remat2", "checkpoint"):
        return core.ClosedJaxpr(equation.params["jaxpr"], [])
    return equations.inner(equation)


def _dtype(aval: Any) -> np.dtype[Any]:
    try:
        return np.dtype(aval.dtype)
    except TypeError:  # keys of random numbers, which no output of inference depends on
        return np.dtype(object)


def _merged(one: Any, other: Any, layer: str) -> Any:
    """A parameter, with numbers that grow with the batch as `Rows`."""
    if isinstance(one, tuple | list) and type(one) is type(other) and len(one) == len(other):
        parts = [_merged(a, b, layer) for a, b in zip(one, other, strict=True)]
        return type(one)(*parts) if hasattr(one, "_fields") else type(one)(parts)
    if isinstance(one, bool | np.bool_ | enum.Enum) or not hasattr(one, "__index__"):
        return one
    return _size(operator.index(one), operator.index(other), layer)


def _size(one: int, other: int, layer: str) -> Size:
    if one == other:
        return one
    factor, rest = divmod(other - one, _BATCHES[1] - _BATCHES[0])
    more = one - factor * _BATCHES[0]
    if rest or abs(more) > _FAR:
        sizes = f"{one} for {_BATCHES[0]} examples and {other} for {_BATCHES[1]}"
        raise _refused(layer, f"a size of {sizes}")
    return Rows(factor, more)


def _refused(layer: str, received: str) -> InvalidArgument:
    cure = "Have it treat each example by itself, whatever their number."
    subject = f"export, layer {layer}" if layer else "export"
    return InvalidArgument(subject, "operations that any number of examples can go through",
                           received, cure)  # fmt: skip
