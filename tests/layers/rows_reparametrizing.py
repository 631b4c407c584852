"""Rows of the contract table: wrappers around a layer with a kernel, and layers close to Dense."""

from __future__ import annotations

from typing import Any

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
        "drop_connect",
        layers.DropConnect(layers.Dense(3, kernel_regularizer="l2"), 0.4, seed=2),
        (4,),
        formula=whole,
    ),
]
