"""Products of small matrices as sums: on the CPU, what a small network spends its time with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from fitwell import compiling, equations
from fitwell.types import Array

R = TypeVar("R")

# XLA's CPU back end hands each product to Eigen, which takes a microsecond before it begins. Its
# own code for a sum has no such beginning, and is good while the loop over the terms is unrolled,
# everything stays in the first cache, and rows are whole vectors.
_NUMBERS = 3072  # in both matrices and the result together
_VECTOR = 16  # numbers
_OPERATIONS = 3200  # of vectors; those on a part of one take twice as long
_TERMS = 32  # in one unrolled loop
_FEWEST = 4  # of fewer the sum gains nothing


def with_small_products(function: Callable[..., R]) -> Callable[..., R]:
    """The same function of arrays, its small products of two matrices computed as sums.

    (m, k) by (k, n) becomes the sum over k of m * n products each: equal within the rounding of
    float32. It has to be applied after differentiation, and knows no rule for `vmap`.

    >>> function = with_small_products(lambda x, y: x @ y)
    >>> function(jnp.ones((2, 4)), jnp.arange(8.0).reshape(4, 2)).tolist()
    [[12.0, 16.0], [12.0, 16.0]]
    """

    def summed(*arguments: Any) -> R:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        found = _evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(arguments))
        result: R = jax.tree.unflatten(jax.tree.structure(shape), found)
        return result

    return summed


def _evaluate(jaxpr: Any, consts: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    return equations.evaluate(jaxpr, consts, arguments, lambda array: array, _apply)


def _apply(jaxpr: Any, equation: Any, values: list[Any]) -> Sequence[Any]:
    if _is_small(equation):
        x, y = values
        return [_product(x, y, equation.params["dimension_numbers"][0])]
    inner = equations.inner(equation)
    if inner is not None and _has_small(inner.jaxpr):
        return _evaluate(inner.jaxpr, inner.consts, values)
    operation, given = equations.alone(jaxpr, equation, values)
    found: Sequence[Any] = operation(*given)
    return found


def _has_small(jaxpr: Any) -> bool:
    inside = (equations.inner(equation) for equation in jaxpr.eqns)
    return any(map(_is_small, jaxpr.eqns)) or any(_has_small(i.jaxpr) for i in inside if i)


def _is_small(equation: Any) -> bool:
    if equation.primitive.name != "dot_general":
        return False
    (left, right), (batch, _) = equation.params["dimension_numbers"]
    x, y, result = *(v.aval for v in equation.invars), equation.outvars[0].aval
    if batch or len(left) != 1 or x.ndim != 2 or y.ndim != 2 or 1 in (*x.shape, *y.shape):
        return False  # with a vector, XLA writes the loop itself
    if any(a.dtype != jnp.float32 for a in (x, y, result)):
        return False
    columns, terms = result.shape[0 if left == right == (0,) else 1], x.shape[left[0]]
    operations = result.size // columns * terms * -(-columns // _VECTOR)
    operations *= 1 if columns % _VECTOR == 0 else 2
    few = x.size + y.size + result.size <= _NUMBERS and operations <= _OPERATIONS
    return few and terms >= _FEWEST and _block(terms) > 0


def _product(x: Array, y: Array, axes: tuple[tuple[int], tuple[int]]) -> Array:
    (of_x,), (of_y,) = axes
    if of_x == 0 == of_y:  # how JAX writes the gradient of a kernel, which it then transposes
        return _sum_over_rows(y, x).T
    return _sum_over_columns(x.T if of_x == 0 else x, y.T if of_y == 1 else y)


def _block(terms: int) -> int:
    """How many terms one loop takes, a divisor of all; 0 if there is none worth a loop."""
    if terms <= _TERMS:
        return terms
    return next((d for d in range(_TERMS, 7, -1) if terms % d == 0), 0)


# Units, so that nothing is computed inside these loops but products; blocks are units of their own
# because XLA would make one sum of two.


@compiling.unit
def _sum_over_columns(x: Array, y: Array) -> Array:
    """(m, k), (k, n) -> (m, n)."""
    size = _block(x.shape[1])
    blocks = x.reshape(len(x), -1, size), y.reshape(-1, size, y.shape[1])
    return compiling.unit(lambda x, y: jnp.sum(x[..., None] * y, 2))(*blocks).sum(1)


@compiling.unit
def _sum_over_rows(x: Array, y: Array) -> Array:
    """(k, m), (k, n) -> (m, n)."""
    size = _block(len(x))
    blocks = x.reshape(-1, size, x.shape[1]), y.reshape(-1, size, y.shape[1])
    return compiling.unit(lambda x, y: jnp.sum(x[..., None] * y[:, :, None], 1))(*blocks).sum(0)
