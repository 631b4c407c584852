"""Models that read text and ids: every route of the data, files, masks, compiled programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.programs import predict_program, start_program
from fitwell.types import HostArray, Shape

PRAISE, BLAME = ["good", "great", "fun"], ["bad", "awful", "dull"]
REST = ["the", "film", "was", "a", "story", "quite"]


def reviews(n: int, seed: int) -> tuple[list[str], HostArray]:
    """Texts of 3 to 12 words whose label is which kind of word they hold."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    texts = []
    for label in labels:
        telling = rng.choice(PRAISE if label else BLAME)
        words = [*rng.choice(REST, rng.integers(2, 11)), telling]
        texts.append(" ".join(rng.permutation(words)).capitalize() + "!")
    return texts, labels


def classifier(body: list[L.Layer], texts: list[str]) -> fw.Sequential:
    vectorize = L.TextVectorization(output_sequence_length=12)
    vectorize.adapt(texts)
    embed = L.Embedding(vectorize.vocabulary_size(), 8, mask_zero=True)
    chain = [L.Input((1,), dtype="string"), vectorize, embed, *body, L.Dense(1, "sigmoid")]
    model = fw.Sequential(chain, seed=0)
    model.compile(fw.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("body", [[L.GlobalAveragePooling1D()], [L.LSTM(8)]], ids=["mean", "lstm"])
def test_a_classifier_of_texts_learns(body: list[L.Layer]) -> None:
    texts, labels = reviews(300, 0)
    model = classifier(body, texts)
    model.fit(texts, labels, epochs=15, validation_data=reviews(50, 1))
    assert model.evaluate(*reviews(200, 2))[1] > 0.97


def test_a_file_predicts_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    texts, labels = reviews(60, 0)
    model = classifier([L.GlobalAveragePooling1D()], texts)
    model.fit(texts, labels, epochs=1)
    path = tmp_path / "reviews.safetensors"
    model.save(path)
    code = f"import fitwell; print(fitwell.load({str(path)!r}).predict({texts[:5]!r}).tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(model.predict(texts[:5]).tolist())


COLORS = ["red", "blue", "red", "pink"]
ROUTES: dict[str, Any] = {
    "list": COLORS,
    "lists": [[c] for c in COLORS],
    "numpy": np.array(COLORS)[:, None],
    "objects": np.array(COLORS, object),
    "pandas": pd.Series(COLORS),
    "polars": pl.DataFrame({"color": COLORS}),
}


def palette() -> fw.Sequential:
    """red -> 1, blue -> 2, anything else -> 10."""
    lookup = L.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")
    start = L.Input((1,), dtype="string")
    model = fw.Sequential([start, lookup, L.Dense(1, use_bias=False)])
    model["dense"].set_weights([[[10.0], [1.0], [2.0]]])
    return model


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_of_text_predicts(route: str) -> None:
    model = palette()
    assert model.predict(ROUTES[route]).ravel().tolist() == [1.0, 2.0, 1.0, 10.0]
    assert np.asarray(model(ROUTES[route])).ravel().tolist() == [1.0, 2.0, 1.0, 10.0]


class Batches:
    """As a data loader: begins anew for every epoch."""

    def __init__(self, *batches: Any) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def test_batches_of_an_iterable_and_arrays_train_alike() -> None:
    batches = Batches((COLORS[:2], [3.0, 4.0]), (COLORS[2:], [3.0, 5.0]))
    streamed, whole = palette(), palette()
    for model in (streamed, whole):
        model.compile(fw.optimizers.SGD(0.1), "mse")
    streamed.fit(batches, epochs=2)
    whole.fit(COLORS, [3.0, 4.0, 3.0, 5.0], epochs=2, batch_size=2, shuffle=False)
    np.testing.assert_allclose(streamed["dense"].kernel, whole["dense"].kernel, rtol=1e-6)
    assert streamed.evaluate(batches) == pytest.approx(whole.evaluate(COLORS, [3, 4, 3, 5]))
    assert streamed.predict(iter([COLORS[:2], COLORS[2:]])).shape == (4, 1)


def test_several_inputs_of_all_kinds() -> None:
    """One input of text feeds two lookups; ids of 64 bits are not rounded."""
    color, name = L.Input((1,), dtype="string", name="color"), "id"
    number, key = L.Input((2,), name="number"), L.Input((1,), dtype="int64", name=name)
    hot = L.StringLookup(vocabulary=["red"], output_mode="one_hot")(color)
    ids = L.StringLookup(vocabulary=["red", "blue"], mask_token="")(color)
    place = L.IntegerLookup(vocabulary=[10**10, 10**10 + 1])(key)
    model = fw.Model([color, number, key], [hot, ids, place, L.Rescaling(2.0)(number)])
    data = {
        "color": ["red", "", "blue"],
        "number": [[1, 2], [3, 4], [5, 6]],
        "id": [10**10 + 1, 10**10, 10**10 + 2],
    }
    found = model.predict(data)
    assert found[0].tolist() == [[0, 1], [1, 0], [1, 0]]
    assert found[1].tolist() == [[2], [0], [3]]
    assert found[2].tolist() == [[2], [1], [0]]
    assert found[3].tolist() == [[2, 4], [6, 8], [10, 12]]


def test_an_input_of_32_bits_may_be_read_by_others_too() -> None:
    x = L.Input((2,), dtype="int32")
    ids = L.IntegerLookup(vocabulary=[4, 2])(x)
    model = fw.Model(x, [ids, L.CategoryEncoding(5, "count")(x)])
    ids, counts = model.predict([[2, 4], [3, 2]])
    assert ids.tolist() == [[2, 1], [0, 2]]
    assert counts.tolist() == [[0, 0, 1, 0, 1], [0, 0, 1, 1, 0]]


def test_padding_is_masked() -> None:
    """The mean over the real words alone, whatever the padding's vector is."""
    vectorize = L.TextVectorization(vocabulary=["a", "b"], output_sequence_length=5)
    model = fw.Sequential(
        [vectorize, L.Embedding(4, 1, mask_zero=True), L.GlobalAveragePooling1D()]
    )
    model.build((None,))
    model["embedding"].set_weights([[[100.0], [3.0], [1.0], [2.0]]])
    found = model.predict(["a", "a b b", "b unknown", ""])
    np.testing.assert_allclose(found, [[1.0], [5 / 3], [2.5], [0.0]], rtol=1e-6)


def test_models_inside_models_take_their_vocabulary_along() -> None:
    inner = palette()
    outer = fw.Sequential([inner, L.Rescaling(2.0)])
    assert outer.predict(COLORS).ravel().tolist() == [2.0, 4.0, 2.0, 20.0]
    x = L.Input((1,), dtype="string")
    y = L.Input((1,), dtype="string")
    both = fw.Model([x, y], L.Add()([inner(x), inner(y)]))
    assert both.predict([["red", "blue"], ["pink", "red"]]).tolist() == [[11.0], [3.0]]


# Vocabularies that a model learns itself


def test_a_layer_of_a_model_adapts_and_the_file_keeps_it(tmp_path: Path) -> None:
    lookup = L.StringLookup(output_mode="tf_idf", max_tokens=4, pad_to_max_tokens=True)
    model = fw.Sequential([L.Input((2,), dtype="string"), lookup])
    model["string_lookup"].adapt([["a", "b"], ["a", "a"]])
    a, b = np.log(1 + 2 / 3), np.log(1 + 2 / 2)
    wanted = [[0.0, 2 * a, 0.0, 0.0], [(a + b) / 2, 0.0, b, 0.0]]
    np.testing.assert_allclose(model.predict([["a", "a"], ["b", "z"]]), wanted, rtol=1e-6)
    model.add(L.Rescaling(1.0))  # builds it anew
    model.save(tmp_path / "m.safetensors")
    back = fw.load(tmp_path / "m.safetensors")
    np.testing.assert_allclose(back.predict([["a", "a"], ["b", "z"]]), wanted, rtol=1e-6)
    assert back.layers[0].get_vocabulary() == ["[UNK]", "a", "b"]
    back.layers[0].set_vocabulary(["z"], idf_weights=[5.0])
    assert back.predict([["z", "a"]]).tolist() == [[5.0, 5.0, 0.0, 0.0]]


def test_programs_do_not_depend_on_the_vocabulary() -> None:
    def build(terms: list[str], mode: str) -> fw.Sequential:
        lookup = L.StringLookup(vocabulary=terms, output_mode=mode)
        return fw.Sequential([L.Input((1,), dtype="string"), lookup, L.Dense(1)], seed=0)

    for mode, terms in (("int", ["c"]), ("one_hot", ["c", "d"])):
        first = build(["a", "b"], mode)
        first.predict(["a"])
        starts, predictions = start_program.cache_info(), predict_program.cache_info()
        other = build(terms, mode)
        other.predict(["a"])
        assert start_program.cache_info().misses == starts.misses
        assert predict_program.cache_info().misses == predictions.misses
        assert first.network != other.network
    assert build(["a"], "one_hot").network.program() != first.network.program()


def test_a_vocabulary_of_one_term_without_unknowns() -> None:
    only = L.StringLookup(vocabulary=["x"], num_oov_indices=0, output_mode="one_hot")
    model = fw.Sequential([L.Input((1,), dtype="string"), only])
    assert model.predict(["x", "x"]).tolist() == [[1.0], [1.0]]


def test_models_without_text_are_what_they_were() -> None:
    model = fw.Sequential([L.Input((3,)), L.Dense(2)])
    assert model.network.fed == model.network.inputs
    assert model.network.fed_outputs == model.network.input_shapes


class Length(L.Layer):
    """A user's own layer on the host: the length of a text."""

    on_host: ClassVar[bool] = True
    input_dtype: ClassVar[str] = "string"
    rows: ClassVar[list[int]] = []

    def encode(self, values: HostArray) -> HostArray:
        self.rows.append(len(values))
        return np.vectorize(len, otypes=[np.float32])(values)

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        return shape, "float32"

    def apply(self, params: Any, x: jax.Array) -> jax.Array:
        return x


def test_text_is_encoded_once_per_fit_and_by_dispatch_in_predict() -> None:
    texts = ["x" * (i % 7) for i in range(1500)]
    model = fw.Sequential([L.Input((1,), dtype="string"), Length(), L.Dense(1)])
    model.compile("sgd", "mse")
    Length.rows.clear()
    model.fit(texts, np.zeros(1500), epochs=3, batch_size=500)
    assert Length.rows == [1500]
    Length.rows.clear()
    kernel, bias = model["dense"].get_weights()
    found = model.predict(texts)
    assert Length.rows == [1024, 476]
    wanted = np.array([[i % 7] for i in range(1500)]) * kernel[0] + bias
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_summary_counts_no_memory_for_text() -> None:
    lines: list[str] = []
    palette().summary(print_fn=lines.append)
    assert "StringLookup" in lines[0]
    assert "3 weights" in lines[0]
