"""Programs as data: the equations of a jaxpr, evaluated by rules other than JAX' own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from jax.extend import core

V = TypeVar("V")

_CALLS = {
    "closed_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "jit": "jaxpr",
    "pjit": "jaxpr",
}
"""The parameter in which an operation holds the operations that it consists of."""


def evaluate(
    jaxpr: Any,
    consts: Sequence[Any],
    arguments: Sequence[V],
    constant: Callable[[Any], V],
    apply: Callable[[Any, Any, list[V]], Sequence[V]],
) -> list[V]:
    """The outputs of a jaxpr, with values of any kind in the place of its arrays.

    Args:
        jaxpr, consts: as in a closed jaxpr.
        arguments: one value per input.
        constant: the value that stands for an array of the program itself.
        apply: `(jaxpr, equation, operands) -> results`: what an equation does to values.
    """
    known = {v: constant(c) for v, c in zip(jaxpr.constvars, consts, strict=True)}
    known |= dict(zip(jaxpr.invars, arguments, strict=True))

    def read(v: Any) -> V:
        return constant(v.val) if isinstance(v, core.Literal) else known[v]

    for equation in jaxpr.eqns:
        found = apply(jaxpr, equation, [read(v) for v in equation.invars])
        known |= dict(zip(equation.outvars, found, strict=True))
    return [read(v) for v in jaxpr.outvars]


def inner(equation: Any) -> Any:
    """The closed jaxpr that an equation stands for, as a call does; None if it is one operation."""
    return equation.params.get(_CALLS.get(equation.primitive.name, ""))


def alone(jaxpr: Any, equation: Any, operands: Sequence[V]) -> tuple[Callable[..., Any], list[V]]:
    """An equation of a jaxpr as a function, and those operands that it takes, each once."""
    taken = {id(v): (v, value) for v, value in zip(equation.invars, operands, strict=True)
             if not isinstance(v, core.Literal)}  # fmt: skip
    one = jaxpr.replace(
        constvars=[], invars=[v for v, _ in taken.values()], outvars=equation.outvars,
        eqns=[equation], effects=equation.effects, debug_info=jaxpr.debug_info.with_unknown_names(),
    )  # fmt: skip
    return core.jaxpr_as_fun(core.ClosedJaxpr(one, [])), [value for _, value in taken.values()]
