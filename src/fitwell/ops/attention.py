"""Attention: who may look at whom, the softmax over them, heads, and positions as waves.

Plain batched products: on the CPU, for 12 sequences of 64 tokens with 4 heads 128 wide, a training
step takes as long with them as with one fused product for query, key and value or with a backward
pass by hand (all within 5 %), so the simplest form stands here.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell.ops.precision import in_float32
from fitwell.types import Array, HostArray

Drop: TypeAlias = Callable[[Array], Array]
"""What dropout does to an array."""


def allowed(
    queries: int,
    keys: int,
    *,
    mask: Array | None = None,
    real: Array | None = None,
    causal: bool = False,
    window: int | None = None,
) -> Array | HostArray | None:
    """Which query may attend to which key: True where all conditions hold; None for everywhere.

    Args:
        mask: > 0 where it may: (batch, queries, keys) or (batch, heads, queries, keys), or sizes
            that broadcast to these.
        real: (batch, keys), False for padding, which nobody attends to.
        causal: only to keys at the query's own position and before.
        window: only to keys fewer than that many positions away.

    Returns:
        (batch or 1, heads or 1, queries, keys), or sizes that broadcast to it.
    """
    distance = np.arange(queries)[:, None] - np.arange(keys)
    places = np.full(distance.shape, True)
    if causal:
        places &= distance >= 0
    if window is not None:
        places &= abs(distance) < window
    conditions: list[Array | HostArray] = [] if places.all() else [places[None, None]]
    if mask is not None:
        conditions.append((mask if mask.ndim == 4 else mask[:, None]) > 0)
    if real is not None:
        conditions.append(real[:, None, None] > 0)
    return functools.reduce(operator.and_, conditions) if conditions else None


@in_float32
def softmax(scores: Array, where: Array | HostArray | None = None) -> Array:
    """exp(s_j) / sum_j exp(s_j) over the keys that are allowed, 0 for the others.

    A query that may attend to nothing gets 0 everywhere, and 0 as its gradient.
    """
    if where is not None:
        scores = jnp.where(where, scores, jnp.finfo(scores.dtype).min)
    powers = jnp.exp(scores - lax.stop_gradient(scores.max(-1, keepdims=True)))
    if where is None:
        return powers / powers.sum(-1, keepdims=True)
    powers = jnp.where(where, powers, 0)
    total = powers.sum(-1, keepdims=True)
    return powers / jnp.where(total > 0, total, 1)


def attend(
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float,
    where: Array | HostArray | None = None,
    drop: Drop | None = None,
) -> tuple[Array, Array]:
    """softmax(scale * query key^T) value, for each head.

    Args:
        query: (batch, queries, heads, d).
        key: (batch, keys, groups, d); each key's head serves heads / groups of the query's.
        value: (batch, keys, groups, d_value).
        where: as `allowed` returns it.
        drop: applied to the weights of the sum.

    Returns:
        the sums, (batch, queries, heads, d_value), and the weights before `drop`,
        (batch, heads, queries, keys).
    """
    batch, queries, heads, _ = query.shape
    keys, groups = key.shape[1:3]
    grouped = (scale * query).reshape(batch, queries, groups, heads // groups, -1)
    scores = jnp.einsum("bqghd,bkgd->bghqk", grouped, key)
    weights = softmax(scores.reshape(batch, heads, queries, keys), where)
    used = (weights if drop is None else drop(weights)).reshape(scores.shape)
    y = jnp.einsum("bghqk,bkgd->bqghd", used, value)
    return y.reshape(batch, queries, heads, -1), weights


def linear(x: Array, kernel: Array) -> Array:
    """x @ kernel: (..., in) -> (..., out), as one product of two matrices.

    With more axes the kernel's gradient would sum over several, which XLA's CPU back end computes
    several times slower.
    """
    y = x.reshape(-1, x.shape[-1]) @ kernel
    return y.reshape(*x.shape[:-1], kernel.shape[-1])


def split_heads(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """(..., features) with a kernel (features, heads, d) -> (..., heads, d)."""
    y = linear(x, kernel.reshape(kernel.shape[0], -1))
    y = y.reshape(*x.shape[:-1], *kernel.shape[1:])
    return y if bias is None else y + bias


def join_heads(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """(..., heads, d) with a kernel (heads, d, features) -> (..., features)."""
    y = linear(x.reshape(*x.shape[:-2], -1), kernel.reshape(-1, kernel.shape[-1]))
    return y if bias is None else y + bias


def sinusoids(length: int, features: int, max_wavelength: float) -> HostArray:
    """sin and cos by turns of position / max_wavelength ** (2i / features): (length, features)."""
    pair = np.arange(features) // 2
    angles = np.arange(length)[:, None] * max_wavelength ** (-2 * pair / features)
    return np.where(np.arange(features) % 2, np.cos(angles), np.sin(angles))


def rotate(x: Array, max_wavelength: float, scaling: float = 1.0) -> Array:
    """Features i and i + d/2 as a point in the plane, turned by an angle that grows with time.

    Args:
        x: (..., time, d), d even.
        max_wavelength: of the slowest turn's angle: time / scaling * max_wavelength ** (-2i / d).
        scaling: divides the positions.
    """
    length, features = x.shape[-2:]
    pair = np.arange(features // 2)
    angles = np.arange(length)[:, None] / scaling * max_wavelength ** (-2 * pair / features)
    cos, sin = jnp.asarray(np.cos(angles), x.dtype), jnp.asarray(np.sin(angles), x.dtype)
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)
