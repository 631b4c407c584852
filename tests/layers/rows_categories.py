"""Rows of the contract table: bins and indicators."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from fitwell import layers

from .table import row

EDGES = [-1.0, 0.0, 0.5]


def bins(params: Any, x: Any) -> Any:
    return np.digitize(np.asarray(x), EDGES)


def counted(ids: Any, depth: int) -> Any:
    """How often each number occurs in a row, by a Counter."""
    rows = np.asarray(ids).reshape(-1, np.shape(ids)[-1]).astype(int).tolist()
    table = [[Counter(numbers)[k] for k in range(depth)] for numbers in rows]
    return np.array(table, float).reshape(*np.shape(ids)[:-1], depth)


def embedded(params: Any, x: Any) -> Any:
    """CategoryEmbedding of columns (2, 3) and (0, 4): the nearest of -1, 0, 1, and of four."""
    rows = []
    for example in np.asarray(x):
        places = [np.linspace(-1, 1, n) for n in (3, 4)]
        near = [
            int(abs(each - v).argmin()) for each, v in zip(places, example[[2, 0]], strict=True)
        ]
        rows.append(
            np.concatenate([params["embeddings"][near[0]], params["embeddings"][3 + near[1]]])
        )
    return np.array(rows)


ROWS = [
    row(
        "category_embedding",
        layers.CategoryEmbedding(((2, 3), (0, 4)), units=2),
        (3,),
        formula=embedded,
    ),
    row(
        "category_encoding",
        layers.CategoryEncoding(5),
        (3,),
        ids=5,
        formula=lambda p, x: np.minimum(counted(x, 5), 1),
    ),
    row(
        "category_encoding_count",
        layers.CategoryEncoding(4, "count"),
        (2, 6),
        ids=4,
        formula=lambda p, x: counted(x, 4),
    ),
    row(
        "category_encoding_one_hot",
        layers.CategoryEncoding(4, "one_hot"),
        (2, 3),
        ids=4,
        formula=lambda p, x: np.eye(4)[np.asarray(x).astype(int)],
    ),
    row(
        "category_encoding_one_hot_of_one",
        layers.CategoryEncoding(4, "one_hot"),
        (2, 1),
        ids=4,
        formula=lambda p, x: np.eye(4)[np.asarray(x).astype(int)[..., 0]],
    ),
    row(
        "category_encoding_single",
        layers.CategoryEncoding(3),
        (),
        ids=3,
        formula=lambda p, x: np.eye(3)[np.asarray(x).astype(int)],
    ),
    row("discretization", layers.Discretization(EDGES), (2, 3), formula=bins),
    row(
        "discretization_one_hot",
        layers.Discretization(EDGES, output_mode="one_hot"),
        (3,),
        formula=lambda p, x: np.eye(4)[bins(p, x)],
    ),
    row(
        "discretization_multi_hot",
        layers.Discretization(EDGES, output_mode="multi_hot"),
        (3,),
        formula=lambda p, x: np.minimum(counted(bins(p, x), 4), 1),
    ),
    row(
        "discretization_unadapted",
        layers.Discretization(num_bins=4),
        (3,),
        formula=lambda p, x: np.full(np.shape(x), -1),
    ),
]
