"""Sums over the rows of matrices, and rows repeated: each is the other's gradient.

XLA's CPU code sums over all axes but the last by walking down columns, which is four times slower
than the same sum as a product with a vector of ones. Written as products, both the sums and the
gradients of what is repeated (sums again) are fast, in every mode of differentiation.

The products are those of a sum: they are never rounded to fewer digits, as an accelerator rounds
the factors of other products.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from fitwell.types import Array


def column_sum(matrices: Array) -> Array:
    """The sum of each column: (..., rows, columns) -> (..., columns)."""
    ones = jnp.ones((*matrices.shape[:-2], 1, matrices.shape[-2]), matrices.dtype)
    return jnp.matmul(ones, matrices, precision=lax.Precision.HIGHEST).squeeze(-2)


def column_mean(matrix: Array, weight: Array | None = None) -> Array:
    """The mean of each column: (rows, columns) -> (columns,).

    Args:
        weight: (rows,), 0 for rows that do not count; None for equal ones. Rows of weight 0 must
            hold finite numbers all the same.
    """
    if weight is None:
        return column_sum(matrix) / len(matrix)
    weight = weight.astype(matrix.dtype)
    return jnp.matmul(weight, matrix, precision=lax.Precision.HIGHEST) / weight.sum()


def repeat_row(row: Array, rows: int) -> Array:
    """The same row again and again: (..., columns) -> (..., rows, columns); fused like a broadcast.

    >>> repeat_row(jnp.array([1.0, 2.0]), 3).tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]
    """
    ones = jnp.ones((*row.shape[:-1], rows, 1), row.dtype)
    return jnp.matmul(ones, jnp.expand_dims(row, -2), precision=lax.Precision.HIGHEST)


def add_row(x: Array, row: Array) -> Array:
    """x + row for a row of x's last axis: (..., columns) -> (..., columns)."""
    return x + repeat_row(row, x.size // row.size).reshape(x.shape)
