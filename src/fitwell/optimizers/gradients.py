"""Clipping of gradients: by value, by the norm of each, by their common norm."""

from __future__ import annotations

import math

import jax.numpy as jnp

from fitwell.ops.columns import column_sum
from fitwell.types import Array


def clip(
    gradients: dict[str, Array],
    norm: float | None = None,
    value: float | None = None,
    global_norm: float | None = None,
) -> dict[str, Array]:
    """g * t / max(t, ||g||) for each gradient or all together, or g clipped to [-t, t].

    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".
    """
    if value is not None:
        return {name: jnp.clip(g, -value, value) for name, g in gradients.items()}
    if norm is not None:
        return {name: g * _scale(norm, _square(g)) for name, g in gradients.items()}
    if global_norm is not None:
        scale = _scale(global_norm, sum(map(_square, gradients.values()), jnp.zeros(())))
        return {name: g * scale for name, g in gradients.items()}
    return gradients


def _square(gradient: Array) -> Array:
    rows = math.prod(gradient.shape[:-1])
    return jnp.sum(column_sum(jnp.square(gradient).reshape(rows, -1 if gradient.size else 0)))


def _scale(threshold: float, square: Array) -> Array:
    return threshold / jnp.maximum(threshold, jnp.sqrt(square))
