"""Rows of the contract table: layers close to Dense."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell import layers

from .table import row

MASK = [[1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1]]


def maxout(params: Any, x: Any) -> Any:
    """One linear map after another."""
    kernel, bias = (np.asarray(params[name], np.float64) for name in ("kernel", "bias"))
    pieces = [np.asarray(x) @ kernel[:, k] + bias[k] for k in range(kernel.shape[1])]
    return np.maximum.reduce(pieces)


def highway(params: Any, x: Any) -> Any:
    x, w = np.asarray(x, np.float64), {k: np.asarray(v, np.float64) for k, v in params.items()}
    gate = 1 / (1 + np.exp(-(x @ w["gate_kernel"] + w["gate_bias"])))
    return gate * np.tanh(x @ w["kernel"] + w["bias"]) + (1 - gate) * x


def masked(params: Any, x: Any) -> Any:
    """Sums over the connections that are there, one by one."""
    x, kernel = np.asarray(x, np.float64), np.asarray(params["kernel"], np.float64)
    y = np.tile(np.asarray(params["bias"], np.float64), (len(x), 1))
    for i, j in np.argwhere(MASK):
        y[:, j] += x[:, i] * kernel[i, j]
    return np.maximum(y, 0)


ROWS = [
    row("maxout", layers.Maxout(2, pieces=3), (4,), formula=maxout),
    row(
        "maxout_no_bias",
        layers.Maxout(3, use_bias=False, kernel_regularizer="l2"),
        (2, 4),
        formula=lambda p, x: maxout({**p, "bias": np.zeros((2, 3))}, x),
    ),
    row("highway", layers.Highway("tanh"), (2, 3), formula=highway),
    row("masked_dense", layers.MaskedDense(3, "relu", mask=MASK), (4,), formula=masked),
    row(
        "masked_dense_full",
        layers.MaskedDense(3, density=1.0, seed=4),
        (2, 4),
        formula=lambda p, x: np.asarray(x) @ p["kernel"] + p["bias"],
    ),
]
