"""Rows of the contract table: what the lookup layers compute of ids, in the compiled program.

That the ids are the right ones is tested in `test_lookups.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell import layers

from .table import row

TERMS = ["a", "b", "c"]
WEIGHTS = [0.5, 2.0, 0.25]


def counted(ids: Any, depth: int) -> Any:
    return np.eye(depth)[np.asarray(ids)].sum(axis=-2)


ROWS = [
    row(
        "string_lookup",
        layers.StringLookup(vocabulary=TERMS),
        (2,),
        ids=4,
        formula=lambda p, x: np.asarray(x),
    ),
    row(
        "string_lookup_multi_hot",
        layers.StringLookup(vocabulary=TERMS, output_mode="multi_hot"),
        (2, 3),
        ids=4,
        formula=lambda p, x: np.minimum(counted(x, 4), 1),
    ),
    row(
        "integer_lookup_one_hot",
        layers.IntegerLookup(vocabulary=[5, 7], num_oov_indices=0, output_mode="one_hot"),
        (1,),
        ids=2,
        formula=lambda p, x: np.eye(2)[np.asarray(x)[:, 0]],
    ),
    row(
        "integer_lookup_tf_idf",
        layers.IntegerLookup(vocabulary=[5, 7, 9], idf_weights=WEIGHTS, output_mode="tf_idf"),
        (5,),
        ids=4,
        formula=lambda p, x: counted(x, 4) * [np.mean(WEIGHTS), *WEIGHTS],
    ),
    row(
        "text_vectorization",
        layers.TextVectorization(vocabulary=TERMS, output_sequence_length=4),
        (1,),
        ids=5,
        formula=lambda p, x: np.asarray(x),
    ),
    row(
        "text_vectorization_count",
        layers.TextVectorization(vocabulary=TERMS, output_mode="count"),
        (),
        ids=5,
        formula=lambda p, x: np.asarray(x),
    ),
]
