"""Every message for graphs and data that the lookup layers refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import files
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import (
    FitwellError,
    InvalidArgument,
    InvalidData,
    InvalidFile,
    NotReady,
    ShapeMismatch,
)

ABC = ["a", "b", "c"]


def text(shape: tuple[int, ...] = (1,)) -> Any:
    return L.Input(shape, dtype="string", name="words")


GRAPHS: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "numbers": (
        lambda: L.StringLookup()(L.Input((1,))),
        InvalidArgument,
        "string_lookup (StringLookup) after input (InputLayer): expected an input of text, "
        "received dtype float32. "
        'Write Input(shape=(1,), dtype="string"), or use IntegerLookup.',
    ),
    "numbers to vectorize": (
        lambda: L.TextVectorization()(L.Input((1,))),
        InvalidArgument,
        "text_vectorization (TextVectorization) after input (InputLayer): expected an input of "
        "text, received dtype float32. "
        'Write Input(shape=(1,), dtype="string").',
    ),
    "fractions": (
        lambda: L.IntegerLookup()(L.Input((1,))),
        InvalidArgument,
        "integer_lookup (IntegerLookup) after input (InputLayer): expected an input of whole "
        "numbers, received dtype "
        'float32. Write Input(shape=(1,), dtype="int64"), or use StringLookup for text.',
    ),
    "text to a layer of numbers": (
        lambda: L.Dense(2)(text()),
        InvalidArgument,
        "dense (Dense) after words (InputLayer): expected numbers of at most 32 bits, received "
        "an input "
        "of dtype string. Put StringLookup or TextVectorization between.",
    ),
    "64 bits to a layer of numbers": (
        lambda: L.Embedding(3, 2)(L.Input((1,), dtype="int64")),
        InvalidArgument,
        "embedding (Embedding) after input (InputLayer): expected numbers of at most 32 bits, "
        "received an input of "
        'dtype int64. Write Input(..., dtype="int32").',
    ),
    "deep in a network": (
        lambda: L.IntegerLookup()(L.Discretization([0.0])(L.Input((1,)))),
        InvalidArgument,
        "integer_lookup (IntegerLookup) after discretization (Discretization): expected an input "
        "of the model (values are looked up "
        "before anything is compiled), received what Discretization returns. "
        "Let it read Input(...) directly.",
    ),
    "inside a wrapper": (
        lambda: L.TimeDistributed(L.IntegerLookup())(L.Input((3, 1), dtype="int32")),
        InvalidArgument,
        "time_distributed (TimeDistributed) after input (InputLayer): expected a layer of the "
        "compiled program inside, received "
        "IntegerLookup. Use IntegerLookup itself, on an input of the model.",
    ),
    "invert": (
        lambda: L.StringLookup(vocabulary=ABC, invert=True)(text()),
        InvalidArgument,
        "string_lookup (StringLookup) after words (InputLayer): expected invert=False inside a "
        "model, whose "
        "outputs are numbers, received invert=True. "
        "Call the layer on what predict returns: layer(ids).",
    ),
    "no length": (
        lambda: L.TextVectorization()(text()),
        InvalidArgument,
        "text_vectorization (TextVectorization) after words (InputLayer): expected "
        "output_sequence_length inside a "
        "model, whose programs have fixed shapes, received output_sequence_length=None. "
        "Pass how many tokens of each text to keep: output_sequence_length=100.",
    ),
    "several texts": (
        lambda: L.TextVectorization(output_sequence_length=3)(text((2,))),
        ShapeMismatch,
        "text_vectorization (TextVectorization) after words (InputLayer): expected one text per "
        "example, an input of "
        "shape () or (1,), received shape (2,). "
        "Join the columns to one text, or pass split=None for tokens.",
    ),
    "a table of tokens": (
        lambda: L.TextVectorization(split=None)(text((2, 3))),
        ShapeMismatch,
        "text_vectorization (TextVectorization) after words (InputLayer): expected a row of "
        "tokens, received shape "
        "(2, 3). Flatten them, or use StringLookup.",
    ),
    "indicators of nothing": (
        lambda: L.StringLookup(output_mode="one_hot")(text()),
        NotReady,
        "string_lookup (StringLookup) after words (InputLayer): expected a vocabulary, received "
        "none so far. "
        "Call adapt(data) of the layer first, or pass vocabulary=[...].",
    ),
    "text as an output": (
        lambda: fw.Model(x := text(), [x, L.StringLookup()(x)]),
        InvalidArgument,
        "Model: expected outputs of numbers, received an input of text or 64-bit ids. "
        "Leave it out.",
    ),
    "text that nobody reads": (
        lambda: fw.Model([text(), y := L.Input((1,))], L.Dense(1)(y)),
        InvalidArgument,
        "Model, input words: expected a StringLookup, TextVectorization or IntegerLookup that "
        "reads it, received none. Use it in the network, or leave it out.",
    ),
    "an own layer without encode": (
        lambda: type("Own", (L.Layer,), {"on_host": True, "input_dtype": "string"})()(text()),
        InvalidArgument,
        "own (Own) after words (InputLayer): expected the method encode(self, values) with "
        "encoded(self, shape, dtype), received neither. Define both in your layer.",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_they_refuse(name: str) -> None:
    make, kind, message = GRAPHS[name]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()


def chain(*layers: L.Layer, dtype: str = "string", name: str = "words") -> fw.Sequential:
    model = fw.Sequential([L.Input((1,), dtype=dtype, name=name), *layers])
    model.compile("sgd", "mse")
    return model


STRICT = L.StringLookup(vocabulary=ABC, num_oov_indices=0)
ASTYPE = "Give the model an input of numbers, or turn them into text with astype(str)."
DATA: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "no vocabulary": (
        lambda: chain(L.StringLookup()).fit(["a"], [0.0]),
        NotReady,
        "string_lookup (StringLookup): expected a vocabulary, received none so far. "
        'Call adapt(data) of model["string_lookup"] first, or pass vocabulary=[...].',
    ),
    "no vocabulary on arrays": (
        lambda: L.TextVectorization()(["a"]),
        NotReady,
        "TextVectorization: expected a vocabulary, received none so far. "
        "Call adapt(data) of the layer first, or pass vocabulary=[...].",
    ),
    "an unknown value": (
        lambda: chain(STRICT).predict(["a", "b", "d"]),
        InvalidData,
        "predict, x, for string_lookup (StringLookup): expected values of the vocabulary (3 "
        "terms, num_oov_indices=0), received 'd' at (2, 0). "
        "Add it to the vocabulary, or pass num_oov_indices=1 for unknown values.",
    ),
    "an unknown value in an array": (
        lambda: L.IntegerLookup(vocabulary=[5], num_oov_indices=0)([5, 7]),
        InvalidData,
        "IntegerLookup: expected values of the vocabulary (1 terms, num_oov_indices=0), received "
        "7 in row 1. Add it to the vocabulary, or pass num_oov_indices=1 for unknown values.",
    ),
    "numbers": (
        lambda: chain(STRICT).fit([[1.0], [2.0]], [0, 1]),
        InvalidData,
        f"fit, x: expected text, received 1.0 at (0, 0). {ASTYPE}",
    ),
    "numbers for one of two": (
        lambda: fw.Model([a := text(), b := L.Input((1,))], [STRICT(a), L.Dense(1)(b)]).predict(
            [[["a"], [3]], [1, 2]]
        ),
        InvalidData,
        f"predict, words: expected text, received 3 at (1, 0). {ASTYPE}",
    ),
    "missing": (
        lambda: chain(STRICT).evaluate(["a", None], [0, 1]),
        InvalidData,
        "evaluate, x: expected text everywhere, received a missing value (None) in row 1. "
        "Fill it in, or leave the row out.",
    ),
    "missing in adapt": (
        lambda: L.StringLookup().adapt(["a", float("nan")]),
        InvalidData,
        "StringLookup, adapt: expected text everywhere, received a missing value (nan) in row 1. "
        "Fill it in, or leave the row out.",
    ),
    "no term to adapt to": (
        lambda: L.TextVectorization().adapt(["", "!"]),
        InvalidData,
        "TextVectorization: expected data to adapt to, received no term at all. "
        "Check where the data come from.",
    ),
    "two columns": (
        lambda: chain(STRICT).predict([["a", "b"], ["b", "c"]]),
        ShapeMismatch,
        "predict, layer words: expected x of shape (n, 1), received (2, 2). "
        "Change the data or the network's first layer.",
    ),
    "a text alone": (
        lambda: chain(STRICT).predict("a"),
        InvalidData,
        "predict, x: expected a list of texts, received 'a' alone. "
        "Pass a list of texts, one entry for each example.",
    ),
    "nothing": (
        lambda: chain(STRICT).predict([]),
        InvalidData,
        "predict: expected at least one example, received empty data. "
        "Check the file or the filter that made it.",
    ),
    "text for numbers": (
        lambda: chain(L.Dense(1), dtype="float32").predict(["a", "b"]),
        InvalidData,
        "predict, x: expected numbers, received text (first value 'a'). Look words up with "
        "StringLookup or TextVectorization, convert digits with astype('float32'), or train from "
        "the table with fitwell.tabular.",
    ),
    "text for ids": (
        lambda: chain(L.IntegerLookup(vocabulary=[1]), dtype="int64").predict(["1"]),
        InvalidData,
        "predict, x: expected whole numbers, received '1' in row 0. "
        "Look text up with StringLookup.",
    ),
    "ids that float32 rounds": (
        lambda: chain(L.IntegerLookup(vocabulary=[1], name="ids"), dtype="int32").predict([10**10]),
        InvalidData,
        "predict, x, for ids (IntegerLookup): expected whole numbers that float32 holds exactly, "
        'received 10000000000. Write Input(..., dtype="int64").',
    ),
    "fractions of an input of 32 bits": (
        lambda: chain(L.IntegerLookup(vocabulary=[1], name="ids"), dtype="int32").predict([1.5]),
        InvalidData,
        "predict, x, for ids (IntegerLookup): expected whole numbers of at most 64 bits, received "
        "1.5 at (0, 0). Round it, or use Discretization for measured numbers.",
    ),
    "an embedding that is too small": (
        lambda: chain(L.StringLookup(vocabulary=ABC), L.Embedding(3, 2)).predict(["a", "c"]),
        InvalidData,
        "predict, ids from string_lookup, for embedding (Embedding): expected whole numbers from 0 "
        "to 2 (input_dim=3), received 3 at (1, 0). Give input_dim the largest id plus 1, or map "
        "unknown ids to one of their own.",
    ),
    "the same, far behind": (
        lambda: chain(L.StringLookup(vocabulary=ABC), L.Embedding(3, 2)).predict(
            [*["a"] * 1030, "c"]
        ),
        InvalidData,
        "predict, ids from string_lookup (rows from 1024 on), for embedding (Embedding): expected "
        "whole numbers from 0 to 2 (input_dim=3), received 3 at (6, 0). Give input_dim the "
        "largest id plus 1, or map unknown ids to one of their own.",
    ),
    "texts towards themselves": (
        lambda: chain(STRICT).fit(["a", "b"]),
        InvalidData,
        "fit, x as y (none was given): expected numbers, received text (first value 'a'). Look "
        "words up with StringLookup or TextVectorization, convert digits with astype('float32'), "
        "or train from the table with fitwell.tabular. No labels were passed: if there are any, "
        "pass (x, y).",
    ),
    "standardize": (
        lambda: L.TextVectorization(standardize=len, vocabulary=ABC)(["a b"]),
        InvalidData,
        "TextVectorization: expected standardize to return a text for a text, received 3. "
        "Write a function of one text: lambda text: text.lower().",
    ),
    "split": (
        lambda: L.TextVectorization(split=str.upper, vocabulary=ABC)(["a b"]),
        InvalidData,
        "TextVectorization: expected split to return a list of texts for a text, received 'A B'. "
        'Write a function of one text: lambda text: text.split(",").',
    ),
    "another length of vocabulary": (
        lambda: (
            chain(L.StringLookup(vocabulary=ABC, output_mode="count"))
            .layers[0]
            .set_vocabulary(["x"])
        ),
        InvalidArgument,
        "layer string_lookup (StringLookup): expected a vocabulary of 4 tokens, as when the model "
        "was built, received 2. Build the model with the new vocabulary, or pass max_tokens and "
        "pad_to_max_tokens=True.",
    ),
    "a layer without vocabulary": (
        lambda: chain(L.Dense(1), dtype="float32").layers[0].set_vocabulary(["x"]),
        InvalidArgument,
        "<dense: Dense(name='dense', units=1)>: expected a layer with a vocabulary, received "
        "set_vocabulary. StringLookup, IntegerLookup and TextVectorization have one.",
    ),
    "a picture of what text becomes": (
        lambda: fw.plots.feature_maps(chain(STRICT), "a"),
        InvalidArgument,
        "feature_maps: expected a network that reads numbers, received one that reads text. "
        "Build a Model from the ids to the layer, with the same layers.",
    ),
    "a function of one's own in a file": (
        lambda: chain(
            L.TextVectorization(split=lambda t: [t], vocabulary=ABC, output_sequence_length=1)
        ).save("unused.safetensors"),
        InvalidArgument,
        "",
    ),
}


@pytest.mark.parametrize("name", DATA)
def test_data_they_refuse(name: str) -> None:
    call, kind, message = DATA[name]
    with pytest.raises(kind) as error:
        call()
    if message:
        assert str(error.value) == message
    else:
        assert re.match(
            "save: expected classes and functions with a name, received <function .*>. Give the "
            "function a name with def, and pass it to load as custom_objects.",
            str(error.value),
        )


def commas(text: str) -> list[str]:
    return text.split(",")


def test_a_function_with_a_name_is_passed_to_load(tmp_path: Path) -> None:
    layer = L.TextVectorization(
        standardize=None, split=commas, vocabulary=["x", "y z"], output_sequence_length=2
    )
    model = chain(layer)
    model.save(tmp_path / "m.safetensors")
    back = fw.load(tmp_path / "m.safetensors", custom_objects=[commas])
    assert back.predict(["y z,x"]).tolist() == [[3, 2]]


def test_a_file_cannot_name_another_file(tmp_path: Path) -> None:
    """A vocabulary that is a path, in a file of somebody else's, is never opened."""
    path, secret = tmp_path / "m.safetensors", tmp_path / "secret.txt"
    secret.write_text("password")
    chain(L.StringLookup(vocabulary=ABC)).save(path)
    header, arrays = files.read(path)
    header["network"]["nodes"][1]["layer"]["args"]["vocabulary"] = str(secret)
    files.write(path, header, arrays)
    with pytest.raises(InvalidFile, match=r"expected vocabulary to be a list of terms, received"):
        fw.load(path)


def test_a_refused_vocabulary_changes_nothing() -> None:
    layer = L.StringLookup(vocabulary=ABC)
    with pytest.raises(InvalidArgument):
        layer.set_vocabulary(["a", "a"])
    assert layer(ABC).tolist() == [1, 2, 3]
    model = chain(STRICT)
    before = model.predict(["a"])
    with pytest.raises(InvalidData):
        model.predict(np.array([["z"]]))
    assert model.predict(["a"]).tolist() == before.tolist()
