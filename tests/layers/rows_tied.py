"""Rows of the contract table: weights that another layer lends."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell import layers

from .table import row


def back(params: Any, y: Any) -> Any:
    """relu(kernel @ y + bias), one example at a time."""
    kernel = np.asarray(params["lender"]["kernel"], np.float64)
    return np.maximum([kernel @ each + params["bias"] for each in np.asarray(y)], 0)


def scores(params: Any, h: Any) -> Any:
    """The inner product with every row of the table."""
    table = np.asarray(params["lender"]["embeddings"], np.float64)
    return np.array([[[step @ entry for entry in table] for step in each] for each in h])


def spread(params: Any, y: Any) -> Any:
    """Every number laid down through the kernel at the places it was read from (stride 2)."""
    kernel = np.asarray(params["lender"]["kernel"], np.float64)
    n, steps, _ = y.shape
    x = np.zeros((n, 2 * steps + 1, kernel.shape[1]))
    for p in range(steps):
        for tap in range(3):
            x[:, 2 * p + tap] += np.asarray(y)[:, p] @ kernel[tap].T
    return x + params["bias"]


ROWS = [
    row("tied_dense", layers.Tied(layers.Dense(3), "relu"), (3,), lent=(5,), formula=back),
    row(
        "tied_embedding",
        layers.Tied(layers.Embedding(7, 4), use_bias=False),
        (3, 4),
        lent=(3,),
        formula=scores,
    ),
    row(
        "tied_convolution",
        layers.Tied(layers.Conv1D(4, 3, strides=2)),
        (3, 4),
        lent=(7, 2),
        formula=spread,
    ),
]
