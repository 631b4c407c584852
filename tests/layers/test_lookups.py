"""The lookup layers by themselves: Keras' values, and arithmetic by hand where there are none."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line

CASES = json.loads((Path(__file__).parents[1] / "golden" / "lookups.json").read_text())


def layer_of(case: dict[str, Any]) -> Any:
    layer = getattr(L, case["layer"])(**case["arguments"])
    if case["adapt"] is not None:
        layer.adapt(case["adapt"])
    return layer


@pytest.mark.parametrize("name", CASES)
def test_they_return_what_keras_returns(name: str) -> None:
    case = CASES[name]
    layer = layer_of(case)
    found, wanted = layer(case["x"]), np.array(case["y"])
    assert layer.get_vocabulary() == case["vocabulary"]
    assert layer.vocabulary_size() == len(case["vocabulary"])
    if wanted.dtype.kind == "U":
        assert found.tolist() == wanted.tolist()
        return
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    ids = np.int64 if "invert" in name else np.int32
    assert found.dtype == (ids if layer.output_mode == "int" else np.float32)


@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_a_model_predicts_what_keras_layers_return(kind: str) -> None:
    """All cases that read the same values side by side in one model."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, case in CASES.items():
        arguments = case["arguments"]
        ids = (
            arguments.get("output_mode", "int") == "int" and arguments.get("split", "") is not None
        )
        without_length = kind == "TextVectorization" and ids
        if "invert" in name or (without_length and "output_sequence_length" not in arguments):
            continue
        if case["layer"] == kind:
            groups.setdefault(str(case["x"]), []).append(case)
    for cases in groups.values():
        x = np.array(cases[0]["x"], np.int64 if kind == "IntegerLookup" else object)
        start = L.Input(x.shape[1:] or (1,), dtype="int64" if x.dtype == np.int64 else "string")
        model = fw.Model(start, [layer_of(case)(start) for case in cases])
        for y, case in zip(model.predict(x), cases, strict=True):
            np.testing.assert_allclose(y, case["y"], rtol=1e-6)


# What is not as in Keras


def test_letters_and_spaces_of_every_alphabet() -> None:
    """Keras lowers a to z alone and splits at ASCII spaces alone."""
    layer = L.TextVectorization()
    layer.adapt(["ÄRGER ÉCOLE", "ärger\u00a0école\u3000ЁЛКА", "ёлка"])
    assert layer.get_vocabulary(include_special_tokens=False) == ["ёлка", "école", "ärger"]


def test_functions_of_ones_own() -> None:
    layer = L.TextVectorization(
        standardize=lambda text: text.replace("no ", "no"),
        split=lambda text: text.split(";"),
        vocabulary=["nogood", "good"],
    )
    assert layer(["no good;good", "GOOD"]).tolist() == [[2, 3], [1, 0]]


def test_the_vocabulary_is_the_counts_of_the_data() -> None:
    rng = np.random.default_rng(0)
    data = rng.choice([f"w{i}" for i in range(40)], (500, 3), p=np.arange(1, 41) / 820)
    layer = L.StringLookup(max_tokens=21, output_mode="tf_idf")
    layer.adapt(data)
    counts = Counter(data.ravel().tolist())
    wanted = sorted(counts, key=lambda w: (-counts[w], [-ord(c) for c in w]))[:20]
    assert layer.get_vocabulary() == ["[UNK]", *wanted]
    rows = [set(row) for row in data.tolist()]
    idf = [math.log(1 + 500 / (1 + sum(w in row for row in rows))) for w in wanted]
    np.testing.assert_allclose(layer.idf_weights, idf, rtol=1e-12)
    found = layer([[wanted[0], wanted[0], "unknown"]])[0]
    np.testing.assert_allclose(found[:2], [np.mean(idf), 2 * idf[0]], rtol=1e-6)
    assert not found[2:].any()


def test_chunks_give_what_the_whole_gives() -> None:
    data = [["a", "b"], ["b", "c"], ["c", "c"], ["d", "b"]]
    whole, parts, frame = (L.StringLookup(output_mode="tf_idf") for _ in range(3))
    whole.adapt(data)
    parts.adapt(iter([np.array(data[:1]), np.array(data[1:])]))
    frame.adapt(pl.DataFrame(data, orient="row"))
    assert parts == whole == frame
    whole.adapt(pd.Series(["x", "x", "y"]))  # again: the fields are set anew
    assert whole.get_vocabulary() == ["[UNK]", "x", "y"]
    assert whole([["x"]]).tolist() == [[0.0, pytest.approx(math.log(1 + 3 / 3)), 0.0]]


def test_a_vocabulary_that_was_set_replaces_what_was_there() -> None:
    layer = L.IntegerLookup(vocabulary=[1, 2])
    assert layer([2, 3]).tolist() == [2, 0]
    layer.set_vocabulary([3, 2, 1])
    assert layer([2, 3]).tolist() == [2, 1]
    assert layer == L.IntegerLookup(vocabulary=np.array([3, 2, 1]))


def test_what_get_vocabulary_returns_is_taken_back() -> None:
    layer = L.StringLookup(vocabulary=["a", "b"], mask_token="", num_oov_indices=2)
    again = L.StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", num_oov_indices=2)
    assert again == layer
    assert layer.get_vocabulary() == ["", "[UNK]", "[UNK]", "a", "b"]


def test_shapes_of_values() -> None:
    hot = L.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    assert hot(["a", "b"]).shape == (2, 3)
    assert hot([["a"], ["b"]]).shape == (2, 3)
    assert hot([["a", "b"]]).shape == (1, 2, 3)
    assert hot([[["a", "b"]]]).shape == (1, 1, 2, 3)
    text = L.TextVectorization(vocabulary=["a"])
    assert text(["a b a", "a"]).tolist() == text([["a b a"], ["a"]]).tolist()
    assert text([""]).shape == (1, 0)
    tokens = L.TextVectorization(split=None, vocabulary=["a"], output_sequence_length=3)
    assert tokens([["a", "b"]]).tolist() == [[2, 1, 0]]
    assert tokens(["a"]).tolist() == [[2, 0, 0]]


def test_counts_beyond_a_byte_are_whole() -> None:
    layer = L.TextVectorization(vocabulary=["a", "b"], output_mode="count")
    assert layer.encode(np.array(["a " * 3], object)).dtype == np.uint8
    assert layer(["a " * 300 + "b"]).tolist() == [[0.0, 300.0, 1.0]]


def test_long_vocabularies_are_shown_short() -> None:
    layer = L.IntegerLookup(vocabulary=range(1000))
    assert repr(layer) == "IntegerLookup(vocabulary=(0, 1, 2, 3, 4, ... 1000 in all))"
    assert repr(L.IntegerLookup(vocabulary=[5])) == "IntegerLookup(vocabulary=(5,))"
