"""Rows of the contract table: wrappers around a layer with a kernel, and layers close to Dense."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from fitwell import layers

from .table import row


def dense(kernel: Any, bias: Any, x: Any) -> Any:
    return np.asarray(x, np.float64) @ np.asarray(kernel, np.float64) + bias


def spectral(params: Any, x: Any) -> Any:
    kernel = np.asarray(params["layer"]["kernel"], np.float64)
    largest = np.linalg.svd(kernel, compute_uv=False)[0]
    return np.tanh(dense(kernel / largest, params["layer"]["bias"], x))


def weight_normal(params: Any, x: Any) -> Any:
    v = np.asarray(params["layer"]["kernel"], np.float64)
    return dense(params["g"] * v / np.linalg.norm(v, axis=0), params["layer"]["bias"], x)


def whole(params: Any, x: Any) -> Any:
    return dense(params["layer"]["kernel"], params["layer"]["bias"], x)


CONV = layers.Conv2D(3, 2)


def weight_normal_conv(params: Any, x: Any) -> Any:
    """One filter at a time, then the convolution, which has rows of its own."""
    v = np.asarray(params["layer"]["kernel"], np.float64)
    filters = [params["g"][i] * v[..., i] / np.linalg.norm(v[..., i]) for i in range(v.shape[-1])]
    kernel = jnp.asarray(np.stack(filters, -1), jnp.float32)
    return CONV.apply({**params["layer"], "kernel": kernel}, x)


ROWS = [
    row(
        "spectral_normalization",
        # So many steps that u and v no longer depend on the kernel: finite differences see it all.
        layers.SpectralNormalization(layers.Dense(3, "tanh"), power_iterations=80),
        (4,),
        formula=spectral,
    ),
    row(
        "weight_normalization",
        layers.WeightNormalization(layers.Dense(3, bias_regularizer="l2")),
        (2, 4),
        formula=weight_normal,
    ),
    row(
        "weight_normalization_conv",
        layers.WeightNormalization(CONV),
        (3, 4, 2),
        formula=weight_normal_conv,
    ),
    row(
        "drop_connect",
        layers.DropConnect(layers.Dense(3, kernel_regularizer="l2"), 0.4, seed=2),
        (4,),
        formula=whole,
    ),
]
