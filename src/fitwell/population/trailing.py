"""`vmap` with the lanes as the last axis, for networks so small that calls cost more than sums.

XLA's CPU code computes a product of matrices for each lane by a call, which for tiny ones takes
longer than the arithmetic, and what lies between them in rows of a layer's few units. With the
lanes last every operation, products too, runs over all lanes in vectors: about three times faster.

A function is traced for one lane, and what it consists of is evaluated with one more axis. What has
no rule here is left to `jax.vmap`, so the result is always that of `jax.vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from fitwell import compiling, equations
from fitwell.types import Array

Value: TypeAlias = tuple[Any, bool]
"""An array, and whether its last axis counts the lanes."""

_ELEMENTWISE = """
    abs acos add add_any and asin atan atan2 cbrt ceil clamp convert_element_type copy cos cosh
    div eq erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log
    log1p logistic lt max min mul ne neg nextafter not or pow rem round rsqrt select_n sign sin sinh
    sqrt square stop_gradient sub tan tanh xor
"""
_REDUCTIONS = "argmax argmin reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum"
# What runs on arrays with one more axis as it does on those of one lane.
_AS_THEY_ARE = frozenset(_REDUCTIONS.split())
_TOGETHER = frozenset(_ELEMENTWISE.split())


def trailing_vmap(function: Callable[..., Any], in_lanes: Sequence[bool], lanes: int) -> Any:
    """`function` for all lanes: `jax.vmap(function, in_axes=-1 where in_lanes, out_axes=-1)`.

    Args:
        function: of arrays (nested in tuples and dicts) of one lane.
        in_lanes: for each argument whether its arrays have a last axis of lanes.
        lanes: how many.

    >>> double = trailing_vmap(lambda x, y: x @ y, (True, False), 2)
    >>> double(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([1.0, 10.0])).tolist()
    [31.0, 42.0]
    """

    def all_lanes(*arguments: Any) -> Any:
        flat: list[Value] = []
        one = []
        for argument, has in zip(arguments, in_lanes, strict=True):
            flat += [(leaf, has) for leaf in jax.tree.leaves(argument)]
            one.append(jax.tree.map(_one if has else _whole, argument))
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*one)
        found = _evaluate(closed.jaxpr, closed.consts, flat, lanes)
        arrays = [_with_lanes(value, lanes) for value in found]
        return jax.tree.unflatten(jax.tree.structure(shape), arrays)

    return all_lanes


def _whole(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(jnp.shape(x), x.dtype)


def _one(x: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(x.shape[:-1], x.dtype)


def _evaluate(jaxpr: Any, consts: Sequence[Any], arguments: list[Value], lanes: int) -> list[Value]:
    def apply(jaxpr: Any, equation: Any, values: list[Value]) -> list[Value]:
        return _apply(jaxpr, equation, values, lanes)

    return equations.evaluate(jaxpr, consts, arguments, lambda array: (array, False), apply)


def _apply(jaxpr: Any, equation: Any, values: list[Value], lanes: int) -> list[Value]:
    """What an operation of a jaxpr makes of its operands."""
    name, parameters = equation.primitive.name, equation.params
    inner = equations.inner(equation)
    if inner is not None:
        return _evaluate(inner.jaxpr, inner.consts, values, lanes)
    operation, given = equations.alone(jaxpr, equation, values)
    arrays = [array for array, _ in given]
    if not any(has for _, has in given):
        return [(each, False) for each in operation(*arrays)]
    if name in _TOGETHER:
        arrays = list(jnp.broadcast_arrays(*map(_aligned, given)))
        return [(each, True) for each in operation(*arrays)]
    if name in _AS_THEY_ARE:
        return [(each, True) for each in operation(*arrays)]
    if name in _RULES:
        found = _RULES[name](values, lanes, **parameters)
        if found is not None:
            return [(found, True)]
    axes = [-1 if has else None for _, has in given]
    return [(each, True) for each in jax.vmap(operation, in_axes=axes, out_axes=-1)(*arrays)]


def _aligned(value: Value) -> Any:
    """With an axis for the lanes; a scalar for all lanes broadcasts as it is."""
    array, has = value
    return array if has or jnp.ndim(array) == 0 else array[..., None]


def _with_lanes(value: Value, lanes: int) -> Array:
    array, has = value
    return array if has else jnp.broadcast_to(jnp.asarray(array)[..., None], (*array.shape, lanes))


# Rules: (operands with at least one that has lanes, number of lanes, parameters) -> the result, or
# None for a case that `jax.vmap` knows better.


def _broadcast(
    values: list[Value], lanes: int, *, shape: Any, broadcast_dimensions: Any, **_: Any
) -> Array | None:
    if len(values) > 1:
        return None
    axes = *broadcast_dimensions, len(shape)
    return lax.broadcast_in_dim(values[0][0], (*shape, lanes), axes)


def _reshape(
    values: list[Value], lanes: int, *, new_sizes: Any, dimensions: Any, **_: Any
) -> Array | None:
    if len(values) > 1 or dimensions is not None:
        return None
    return lax.reshape(values[0][0], (*new_sizes, lanes))


def _squeeze(values: list[Value], lanes: int, *, dimensions: Any) -> Array:
    return lax.squeeze(values[0][0], dimensions)


def _transpose(values: list[Value], lanes: int, *, permutation: Any) -> Array:
    return lax.transpose(values[0][0], (*permutation, len(permutation)))


def _slice(
    values: list[Value], lanes: int, *, start_indices: Any, limit_indices: Any, strides: Any
) -> Array:
    strides = None if strides is None else (*strides, 1)
    return lax.slice(values[0][0], (*start_indices, 0), (*limit_indices, lanes), strides)


def _concatenate(values: list[Value], lanes: int, *, dimension: int) -> Array:
    return lax.concatenate([_with_lanes(value, lanes) for value in values], dimension)


def _dot(values: list[Value], lanes: int, *, dimension_numbers: Any, **_: Any) -> Array | None:
    """A product of two matrices as sums of products of vectors over the lanes."""
    (x, lanes_of_x), (y, lanes_of_y) = values
    (left, right), (batch, _) = dimension_numbers
    if batch or x.ndim - lanes_of_x != 2 or y.ndim - lanes_of_y != 2 or len(left) != 1:
        return None
    if not (lanes_of_x and lanes_of_y) or x.dtype != y.dtype:
        return None
    (i,), (j,) = left, right

    def sums(x: Array, y: Array) -> Array:
        x, y = jnp.moveaxis(x, i, 0), jnp.moveaxis(y, j, 0)
        return _sum([a[:, None] * b[None] for a, b in zip(x, y, strict=True)])

    return compiling.unit(sums)(x, y)


def _sum(terms: list[Array]) -> Array:
    """In pairs: shorter chains of additions, and smaller rounding errors."""
    while len(terms) > 1:
        pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(pairs) * 2 :]
    return terms[0]


_RULES: dict[str, Callable[..., Array | None]] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": _concatenate,
    "dot_general": _dot,
    "reshape": _reshape,
    "slice": _slice,
    "squeeze": _squeeze,
    "transpose": _transpose,
}

__all__ = ["trailing_vmap"]
