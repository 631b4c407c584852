"""Sums over the rows of matrices, and rows repeated: each is the other's gradient.

XLA's CPU code sums over all axes but the last by walking down columns, which is four times slower
than the same sum as a product with a vector of ones. Written as products, both the sums and the
gradients of what is repeated (sums again) are fast, in every mode of differentiation.

The products are those of a sum: they are never rounded to fewer digits, as an accelerator rounds
the factors of other products, and long sums are sums of sums, which keep the digits that a hundred
thousand additions in a row would lose.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from fitwell import compiling
from fitwell.ops.plain import is_plain
from fitwell.types import Array

_MOST = 1024  # rows of one product: more would be added up one by one, and lose digits
_LEAST = 31  # rows that are worth a product


def column_sum(matrices: Array) -> Array:
    """The sum of each column: (..., rows, columns) -> (..., columns)."""
    return _product(jnp.ones(matrices.shape[-2], matrices.dtype), matrices)


def column_mean(matrix: Array, weight: Array | None = None) -> Array:
    """The mean of each column: (rows, columns) -> (columns,).

    Args:
        weight: (rows,), 0 for rows that do not count; None for equal ones. Rows of weight 0 must
            hold finite numbers all the same.
    """
    if weight is None:
        return column_sum(matrix) / len(matrix)
    weight = weight.astype(matrix.dtype)
    return _product(weight, matrix) / weight.sum()


def repeat_row(row: Array, rows: int) -> Array:
    """The same row again and again: (..., columns) -> (..., rows, columns); fused like a broadcast.

    >>> repeat_row(jnp.array([1.0, 2.0]), 3).tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    """
    *batch, columns = row.shape
    parts, each = _parts(rows)
    if not each:
        return jnp.broadcast_to(jnp.expand_dims(row, -2), (*batch, rows, columns))
    # In parts, so that the gradient is a sum in parts.
    one = jnp.broadcast_to(row[..., None, None, :], (*batch, parts, 1, columns))
    ones = jnp.ones((*batch, parts, each, 1), row.dtype)
    y = jnp.matmul(ones, one, precision=lax.Precision.HIGHEST)
    return y.reshape(*batch, rows, columns)


def _product(weight: Array, matrices: Array) -> Array:
    """weight @ matrices, in parts: (rows,), (..., rows, columns) -> (..., columns)."""
    *batch, rows, columns = matrices.shape
    parts, each = _parts(rows)
    if not each:
        return (weight[:, None] * matrices).sum(-2)
    weights = jnp.broadcast_to(weight.reshape(parts, 1, each), (*batch, parts, 1, each))
    sums = jnp.matmul(
        weights, matrices.reshape(*batch, parts, each, columns), precision=lax.Precision.HIGHEST
    )
    return sums.squeeze(-2).sum(-2)


def _parts(rows: int) -> tuple[int, int]:
    """How many parts of how many rows; (0, 0) where no product of some size divides them."""
    if is_plain():
        return 0, 0
    if rows <= _MOST:
        return 1, rows
    each = next((n for n in range(_MOST, _LEAST, -1) if rows % n == 0), 0)
    return (rows // each, each) if each else (0, 0)


def add_row(x: Array, row: Array) -> Array:
    """x + row for a row of x's last axis: (..., columns) -> (..., columns)."""
    if is_plain():
        return x + row
    row = _repeated.bind(row, rows=math.prod(x.shape[:-1]))
    return x + row.reshape(x.shape)


# The gradient is a unit: it and the kernel's read one array, and XLA would otherwise compute all
# that stands behind it (of a pooling, say) once for each.
def _repeated_gradient(gradient: Array, row: Any, *, rows: int) -> list[Array]:
    return [compiling.unit(column_sum)(gradient)]


def _repeat(row: Array, *, rows: int) -> Array:
    return repeat_row(row, rows)


_repeated = Primitive("repeated_row")
_repeated.def_impl(_repeat)
_repeated.def_abstract_eval(lambda row, rows: jax.core.ShapedArray((rows, *row.shape), row.dtype))
mlir.register_lowering(_repeated, mlir.lower_fun(_repeat, multiple_results=False))
ad.deflinear2(_repeated, _repeated_gradient)
batching.primitive_batchers[_repeated] = lambda args, axes, rows: (
    repeat_row(jnp.moveaxis(args[0], axes[0], 0), rows),
    0,
)
