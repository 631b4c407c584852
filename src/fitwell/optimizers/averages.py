"""Moving averages, and what they lack at the beginning."""

from __future__ import annotations

import math

import jax.numpy as jnp

from fitwell.description import is_zero
from fitwell.types import Array


def moving(kept: float | Array, average: Array, value: Array) -> Array:
    """kept * average + (1 - kept) * value."""
    return kept * average + (1.0 - kept) * value


def bias_correction(beta: float | Array, count: Array) -> Array:
    """1 - beta ** count, accurate in float32 also where beta is almost 1.

    >>> count = jnp.array(1)
    >>> f"{1 - jnp.float32(0.999) ** count:.6f} {bias_correction(0.999, count):.6f}"
    '0.001000 0.001000'
    """
    steps = count.astype(jnp.result_type(float))
    if is_zero(beta):
        return jnp.ones_like(steps)
    log = math.log(beta) if isinstance(beta, float) else jnp.log(beta)  # traced: one per lane
    return -jnp.expm1(steps * log)
