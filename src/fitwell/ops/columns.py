"""Means over the rows of a matrix, and rows repeated: each is the other's gradient.

XLA's CPU code sums over all axes but the last by walking down columns, which is four times slower
than the same sum as a product with a vector of ones. Written as products, both the sums and the
gradients of what is repeated (sums again) are fast, in every mode of differentiation.
"""

from __future__ import annotations

import jax.numpy as jnp

from fitwell.types import Array


def column_mean(matrix: Array, weight: Array | None = None) -> Array:
    """The mean of each column: (rows, columns) -> (columns,).

    Args:
        weight: (rows,), 0 for rows that do not count; None for equal ones. Rows of weight 0 must
            hold finite numbers all the same.
    """
    if weight is None:
        weight = jnp.ones(matrix.shape[:1], matrix.dtype)
    return (weight.astype(matrix.dtype) @ matrix) / weight.sum().astype(matrix.dtype)


def repeat_row(row: Array, rows: int) -> Array:
    """The same row again and again: (columns,) -> (rows, columns); fused like a broadcast."""
    return jnp.ones((rows, 1), row.dtype) @ row[None]
