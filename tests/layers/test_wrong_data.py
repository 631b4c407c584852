"""Data that layers cannot read: refused before anything is computed, with the layer's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidData, OutOfMemory, ShapeMismatch

from .test_wrong_use import chain, image, symbols

IDS = (3,)


def looked_up() -> fw.Sequential:
    model = chain(IDS, L.Embedding(5, 1), L.Flatten(), L.Dense(1), dtype="int32")
    model.compile(loss="mse")
    return model


WRONG: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "ids that are fractions": (
        lambda: chain(IDS, L.Embedding(5, 2)).predict([[0, 1.5, 4]]),
        InvalidData,
        "predict, x, for embedding (Embedding): expected whole numbers from 0 to 4 "
        "(input_dim=5), received 1.5 at (0, 1). Give input_dim the largest id plus 1, or map "
        "unknown ids to one of their own.",
    ),
    "ids beyond the table, moved before": (
        lambda: chain((4,), L.Reshape((2, 2)), L.Permute((2, 1)), L.Embedding(5, 2)).predict(
            [[0, 1, 5, 2]]
        ),
        InvalidData,
        "predict, x, for embedding (Embedding): expected whole numbers from 0 to 4 "
        "(input_dim=5), received 5 at (0, 2). Give input_dim the largest id plus 1, or map "
        "unknown ids to one of their own.",
    ),
    "ids beyond a table in a wrapper": (
        lambda: chain((1, 2), L.TimeDistributed(L.Embedding(5, 2)), dtype="int32").predict(
            [[[0, 9]]]
        ),
        InvalidData,
        "predict, x, for Embedding: expected whole numbers from 0 to 4 (input_dim=5), received "
        "9 at (0, 0, 1). Give input_dim the largest id plus 1, or map unknown ids to one of "
        "their own.",
    ),
    "ids beyond the table in a fit": (
        lambda: looked_up().fit([[0, 1, 2], [3, 4, 5]], [0.0, 0.0]),
        InvalidData,
        "fit, x, for embedding (Embedding): expected whole numbers from 0 to 4 (input_dim=5), "
        "received 5 at (1, 2). Give input_dim the largest id plus 1, or map unknown ids to one "
        "of their own.",
    ),
    "ids beyond the table in validation": (
        lambda: looked_up().fit([[0, 1, 2]], [0.0], validation_data=([[0, 1, 7]], [0.0])),
        InvalidData,
        "validation_data, x, for embedding (Embedding): expected whole numbers from 0 to 4 "
        "(input_dim=5), received 7 at (0, 2). Give input_dim the largest id plus 1, or map "
        "unknown ids to one of their own.",
    ),
    "ids beyond the table in a generator": (
        lambda: looked_up().fit(iter([([[0, 6, 2]], [0.0])])),
        InvalidData,
        "fit, x, for embedding (Embedding): expected whole numbers from 0 to 4 (input_dim=5), "
        "received 6 at (0, 1). Give input_dim the largest id plus 1, or map unknown ids to one "
        "of their own.",
    ),
    "a term that no vocabulary has": (
        lambda: chain(
            IDS, L.StringLookup(vocabulary=["a"], num_oov_indices=0), dtype="string"
        ).predict([["a", "a", "b"]]),
        InvalidData,
        "predict, x, for string_lookup (StringLookup): expected values of the vocabulary (1 "
        "terms, num_oov_indices=0), received 'b' at (0, 2). Add it to the vocabulary, or pass "
        "num_oov_indices=1 for unknown values.",
    ),
    "words for numbers": (
        lambda: chain(IDS, L.Dense(3)).predict([["a", "b", "c"]]),
        InvalidData,
        "predict, x: expected numbers, received text (first value 'a'). Look words up with "
        "StringLookup or TextVectorization, convert digits with astype('float32'), or train "
        "from the table with fitwell.tabular.",
    ),
    "other channels than before": (
        lambda: image(L.Flatten()).predict(np.zeros((2, 8, 8, 3))),
        ShapeMismatch,
        "predict, layer input: expected x of shape (n, 8, 8, 1), received (2, 8, 8, 3). Change "
        "the data or the network's first layer.",
    ),
    "several arrays for one input": (
        lambda: chain(IDS, L.Dense(3)).predict([np.zeros((2, 3)), np.zeros((2, 3))]),
        ShapeMismatch,
        "predict, layer input: expected x of shape (n, 3), received (2, 2, 3). That is an axis "
        "too many: for one input pass one array, no list of them.",
    ),
    "one array for several inputs": (
        lambda: fw.Model(x := symbols((3,), (3,)), L.add(x)).predict(np.zeros((2, 3))),
        InvalidData,
        "predict, x: expected 2 arrays (input, input_1), received ndarray. Pass a list in that "
        "order, or a dict by name.",
    ),
    "more than the memory": (
        lambda: chain((8, 8, 1), L.UpSampling2D(10**6)).predict(np.zeros((1, 8, 8, 1))),
        OutOfMemory,
        "predict: expected arrays that fit into the memory, received one of 256,000.0 GB. Lower"
        " batch_size, or make the layers smaller: model.summary() shows their sizes.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_data_are_answered_in_words(name: str) -> None:
    call, kind, text = WRONG[name]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == text
