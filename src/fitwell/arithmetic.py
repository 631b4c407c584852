"""The arithmetic of a program: operations on real numbers, counted in its jaxpr.

XLA's own count (`cost_analysis`) takes the body of a loop once, however often it turns, and counts
what a fast form of a layer adds to the layer's formula. Here loops count their turns, and a product
with ones, which some layers use to repeat, to add or to sum faster, counts as the sum that it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

_NAMES = """
abs acos acosh add add_any asin asinh atan atan2 atanh cbrt ceil clamp cos cosh cumlogsumexp cummax
cummin cumprod cumsum digamma div erf erf_inv erfc exp exp2 expm1 floor ge gt integer_pow le lgamma
log log1p logistic lt max min mul neg nextafter pow rem round rsqrt sign sin sinh sqrt square sub
tan tanh
"""
ELEMENTWISE = frozenset(_NAMES.split())
"""Operations whose results have the shape of what they are of, number by number."""
_KEEPS_ONES = {"broadcast_in_dim", "convert_element_type", "reshape", "squeeze", "transpose"}


def operations(program: ClosedJaxpr | Jaxpr) -> int:
    """Operations on real numbers that the outputs of a program need.

    A product of (m, k) by (k, n) is 2 m k n, a multiplication and an addition per term. An
    element-wise operation is one per number, and so is a function such as tanh; a sum of n numbers
    is n - 1. Moving and choosing numbers, arithmetic of whole numbers and drawing random ones are
    free. A `scan` counts each of its turns; a `while`, whose turns nobody knows, one.

    >>> import jax
    >>> kernel, x = jnp.ones((3, 4)), jnp.ones((1, 3))
    >>> operations(jax.make_jaxpr(lambda kernel, x: jnp.tanh(x @ kernel))(kernel, x))  # 24 + 4
    28
    """
    jaxpr: Any = program.jaxpr if isinstance(program, ClosedJaxpr) else program
    needed = {id(v) for v in jaxpr.outvars}
    used = []
    for equation in reversed(jaxpr.eqns):
        if any(id(v) in needed for v in equation.outvars):
            needed.update(id(v) for v in equation.invars)
            used.append(equation)
    total, ones = 0, set[int]()
    joined: dict[int, int] = {}  # how many columns of an array are ones that were joined to it
    for equation in reversed(used):
        name, ins, out = str(equation.primitive), equation.invars, equation.outvars[0]
        if name in _KEEPS_ONES and _is_ones(ins[0], ones):
            ones.add(id(out))
        if name in _KEEPS_ONES:
            joined[id(out)] = joined.get(id(ins[0]), 0)
        if name == "concatenate" and equation.params["dimension"] == out.aval.ndim - 1:
            joined[id(out)] = sum(v.aval.shape[-1] for v in ins if _is_ones(v, ones))
        if name == "dot_general" and any(_is_ones(v, ones) for v in ins):
            total += out.aval.size * (_terms(equation) - 1)
        else:
            total += _own(name, equation)
            if name == "dot_general":
                total -= out.aval.size * joined.get(id(ins[0]), 0)
    return total


def _is_ones(value: Any, ones: set[int]) -> bool:
    one = isinstance(value, Literal) and math.prod(value.aval.shape) == 1 and value.val == 1  # type: ignore[attr-defined]
    return one or id(value) in ones


def _own(name: str, equation: Any) -> int:
    """What one equation adds."""
    inner = _inner(name, equation.params)
    if inner is not None:
        return inner
    ins, out = [v.aval for v in equation.invars], equation.outvars[0].aval
    if not any(jnp.issubdtype(v.dtype, jnp.inexact) for v in ins):
        return 0
    if name in _PRODUCTS:
        return 2 * _PRODUCTS[name](equation)
    if name.startswith("reduce_window"):
        return int(out.size * (math.prod(equation.params["window_dimensions"]) - 1))
    if name.startswith(("reduce_", "argm")):
        return int(ins[0].size - out.size)
    return int(out.size) if name in ELEMENTWISE else 0


def _inner(name: str, params: dict[str, Any]) -> int | None:
    """The operations of the programs inside an equation; None if there are none."""
    if name.startswith("reduce"):
        return None
    if name == "cond":
        return max(operations(branch) for branch in params["branches"])
    found = [v for v in params.values() if isinstance(v, ClosedJaxpr | Jaxpr)]
    turns = params["length"] if name == "scan" else 1
    return turns * sum(map(operations, found)) if found else None


def _terms(equation: Any) -> int:
    """How many products each number of a dot's result is the sum of."""
    (contracted, _), _ = equation.params["dimension_numbers"]
    return math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)


def _dot(equation: Any) -> int:
    return int(equation.outvars[0].aval.size * _terms(equation))


def _convolution(equation: Any) -> int:
    """Of `ops.trilinear`: each position of the windows takes the whole kernel once."""
    x, kernel = (v.aval for v in equation.invars)
    return (
        int(x.shape[0] * math.prod(w.positions for w in equation.params["windows"])) * kernel.size
    )


def _native_convolution(equation: Any) -> int:
    """Of XLA; a transposed one has more positions in its output, and takes the kernel per input."""
    (x, kernel), y = (v.aval for v in equation.invars), equation.outvars[0].aval
    numbers = equation.params["dimension_numbers"]
    of_x = math.prod(x.shape[axis] for axis in numbers.lhs_spec[2:])
    of_y = math.prod(y.shape[axis] for axis in numbers.out_spec[2:])
    return int(x.shape[numbers.lhs_spec[0]] * min(of_x, of_y) * kernel.size)


_PRODUCTS: dict[str, Callable[[Any], int]] = {
    "dot_general": _dot,
    "conv_output": _convolution,
    "conv_input": _convolution,
    "conv_general_dilated": _native_convolution,
}
"""Multiplications of each kind of product; each comes with an addition."""
