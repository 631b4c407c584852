"""Where in a program a value that is not finite was made: its equations, walked backward."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling, equations
from fitwell.arithmetic import ELEMENTWISE

Index: TypeAlias = tuple[int, ...]

_MOST = 2**28  # numbers that a program may make on its way: a gigabyte
_MOVES = (
    "broadcast_in_dim", "concatenate", "convert_element_type", "copy", "dynamic_slice",
    "dynamic_update_slice", "expand_dims", "gather", "max", "min", "pad", "reduce_max",
    "reduce_min", "reshape", "rev", "select_n", "slice", "squeeze", "stop_gradient", "transpose",
)  # fmt: skip
"""Operations that make no number: what is not finite in their result was so before."""
_IN_ORDER = ("reshape", "squeeze", "expand_dims")


@dataclass(eq=False)
class Value:
    """An array of a program, and what made it.

    Attributes:
        array: its numbers.
        label: of an input of the program, "" for others.
        operation: the name that JAX has for what made it; "" for inputs and constants.
        operands: what that took; `params`: of the operation.
        scope: the named scope (`jax.named_scope`) that it was made in, among those asked for.
    """

    array: Any
    label: str = ""
    operation: str = ""
    operands: tuple[Value, ...] = ()
    params: Any = None
    scope: str | None = None

    @functools.cached_property
    def broken(self) -> Index | None:
        """The first place where it is not finite, or None."""
        if not (
            isinstance(self.array, np.ndarray) and jnp.issubdtype(self.array.dtype, jnp.inexact)
        ):
            return None
        flags = ~np.isfinite(self.array)
        if not flags.any():
            return None
        return tuple(int(i) for i in np.unravel_index(int(flags.argmax()), flags.shape))

    def broken_at(self, place: Index) -> bool:
        return self.broken is not None and not np.isfinite(self.array[place])


def evaluated(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    labels: Sequence[str],
    scopes: Sequence[str],
) -> list[Value] | None:
    """The outputs of a function with all that was made on the way to them; None if it is too much.

    Args:
        arguments: a tuple of pytrees; `labels` for their leaves.
        scopes: the names of scopes to look for.
    """
    leaves, form = jax.tree.flatten(arguments)
    program = jax.make_jaxpr(lambda *given: function(*jax.tree.unflatten(form, given)))(*leaves)
    if sum(v.aval.size for equation in program.eqns for v in equation.outvars) > _MOST:
        return None
    known, made = frozenset(scopes), list[Value]()

    def new(array: Any, **facts: Any) -> Value:
        made.append(Value(array, **facts))
        return made[-1]

    def apply(around: str | None, jaxpr: Any, equation: Any, operands: list[Value]) -> list[Value]:
        names = [getattr(one, "name", "") for one in equation.source_info.name_stack.stack]
        scope = next((name for name in names if name in known), around)
        inside = equations.inner(equation)
        if inside is not None:
            return run(inside, operands, scope)
        alone, taken = equations.alone(jaxpr, equation, operands)
        facts = {
            "operation": equation.primitive.name,
            "operands": tuple(operands),
            "params": equation.params,
            "scope": scope,
        }
        return [new(array, **facts) for array in alone(*(one.array for one in taken))]

    def run(closed: Any, given: list[Value], around: str | None) -> list[Value]:
        rule = functools.partial(apply, around)
        return equations.evaluate(closed.jaxpr, closed.consts, given, new, rule)

    outputs: list[Value] = []

    def whole(*given: Any) -> list[Any]:
        made.clear()
        inputs = [new(array, label=label) for array, label in zip(given, labels, strict=True)]
        outputs[:] = run(program, inputs, None)
        return [one.array for one in made]

    for one, array in zip(made, compiling.compile(whole, once=True)(*leaves), strict=True):
        one.array = array if jnp.issubdtype(array.dtype, jax.dtypes.extended) else np.array(array)
    return outputs


def origin(value: Value) -> tuple[Value, Index] | None:
    """The value that was the first not to be finite on the way to this one, and its place there.

    That is an input of the program, or the result of an operation on numbers that are finite, or
    that the program itself set to infinity (as masks do).
    """
    place = value.broken
    if place is None:
        return None
    way = [(value, place, _suspects(value, place))]
    while way:
        value, place, rest = way[-1]
        found = next(rest, None)
        if found is None:
            if value.operation not in _MOVES:
                return value, place
            way.pop()
        elif found[0].label:
            return found
        elif found[0].operation:
            way.append((*found, _suspects(*found)))
    return None


def numbers(value: Value, place: Index) -> tuple[float, ...]:
    """What went into the operation: the numbers themselves, or the largest of an array."""
    found = []
    for one in value.operands:
        array = np.asarray(one.array)
        if not jnp.issubdtype(array.dtype, jnp.inexact) or not array.size:
            continue
        if array.ndim == 0:
            found.append(float(array))
        elif value.operation in ELEMENTWISE and array.shape == value.array.shape:
            found.append(float(array[place]))
        else:
            found.append(float(array.ravel()[np.abs(array).argmax()]))
    power = (value.params or {}).get("y") if value.operation == "integer_pow" else None
    power = 2 if value.operation == "square" else power
    return (*found, float(power)) if power is not None else tuple(found)


def _suspects(value: Value, place: Index) -> Iterator[tuple[Value, Index]]:
    """The operands that made it so, each with a place where it is not finite."""
    operands = value.operands
    if value.operation == "select_n":
        which, *cases = operands
        chosen = which.array if which.array.ndim == 0 else which.array[place]
        operands = (cases[int(chosen)],)
    for one in operands:
        first = one.broken
        if first is None:
            continue
        before = _place_before(value, one, place)
        if before is not None and one.broken_at(before):
            yield one, before
        elif value.operation not in ELEMENTWISE and value.operation != "select_n":
            yield one, first


def _place_before(value: Value, operand: Value, place: Index) -> Index | None:
    """Where the number at a place of the result was before, if it was in one place."""
    shape, name = operand.array.shape, value.operation
    if not shape:
        return ()
    if name in _IN_ORDER:
        flat = int(np.ravel_multi_index(place, value.array.shape))
        return tuple(int(i) for i in np.unravel_index(flat, shape))
    if name == "broadcast_in_dim":
        axes = value.params["broadcast_dimensions"]
        return tuple(place[a] if n > 1 else 0 for a, n in zip(axes, shape, strict=True))
    if name == "transpose":
        order = list(value.params["permutation"])
        return tuple(place[order.index(axis)] for axis in range(len(shape)))
    return place if shape == value.array.shape else None
