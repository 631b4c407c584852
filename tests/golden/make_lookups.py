"""Writes lookups.json: what Keras' StringLookup, IntegerLookup and TextVectorization return.

Run with Keras 3 and TensorFlow installed:
`KERAS_BACKEND=tensorflow python tests/golden/make_lookups.py`.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

COLORS = [["red", "blue", "red"], ["green", "red", "?"], ["blue", "none", "green"]]
IDS = [[7, -3, 7], [10**12, 7, 0], [0, 0, -3]]
TEXTS = [
    "The cat (sat) on the mat!",
    "  A dog; a cat:\tand a MOUSE...  ",
    "the mat, the mat -- the end",
    "don't",
    "",
]
NEW = ["The dog sat on a rug.", "mouse", "", "mat mat mat the cat the unknown"]
TERMS = ["red", "blue", "green"]
WEIGHTS = [0.5, 1.25, 2.0]
WORDS = ["the", "mat", "cat", "a", "dog", "mat the"]
UNKNOWN = [["".join(chr(97 + (i * i + n) % 26) for i in range(n))] for n in range(1, 140, 3)]

LOOKUPS = {
    "int": {},
    "mask": {"mask_token": "none"},
    "int_two_unknown": {"num_oov_indices": 2},
    "mask_three_unknown": {"mask_token": "none", "num_oov_indices": 3},
    "one_hot": {"output_mode": "one_hot"},
    "multi_hot": {"output_mode": "multi_hot", "mask_token": "none"},
    "count": {"output_mode": "count", "num_oov_indices": 2},
    "count_padded": {"output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True},
    "tf_idf": {"output_mode": "tf_idf"},
    "tf_idf_padded": {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True},
    "most_frequent": {"max_tokens": 3},
}
NUMBERS = {
    "int": {},
    "mask": {"mask_token": 0},
    "int_three_unknown": {"num_oov_indices": 3},
    "farmhash": {"num_oov_indices": 3, "oov_method": "farmhash"},
    "one_hot": {"output_mode": "one_hot"},
    "multi_hot": {"output_mode": "multi_hot", "mask_token": 0},
    "count": {"output_mode": "count"},
    "tf_idf": {"output_mode": "tf_idf", "num_oov_indices": 2},
}
VECTORS = {
    "int": {},
    "int_cut": {"output_sequence_length": 3},
    "int_long": {"output_sequence_length": 9},
    "max_tokens": {"max_tokens": 5},
    "lower": {"standardize": "lower"},
    "strip_punctuation": {"standardize": "strip_punctuation"},
    "raw": {"standardize": None},
    "characters": {"split": "character"},
    "pairs": {"ngrams": 2},
    "pairs_then_words": {"ngrams": (2, 1)},
    "threes_counted": {"ngrams": (3,), "output_mode": "count"},
    "multi_hot": {"output_mode": "multi_hot"},
    "multi_hot_padded": {"output_mode": "multi_hot", "max_tokens": 20, "pad_to_max_tokens": True},
    "count": {"output_mode": "count", "max_tokens": 4},
    "tf_idf": {"output_mode": "tf_idf", "ngrams": 2},
    "tf_idf_padded": {"output_mode": "tf_idf", "max_tokens": 30, "pad_to_max_tokens": True},
}


def plain(values):
    array = np.asarray(values)
    if array.dtype.kind in "OSU":
        return np.vectorize(lambda v: v.decode() if isinstance(v, bytes) else str(v), otypes=[object])(array).tolist()  # fmt: skip # noqa: E501
    return array.tolist()


def case(kind, arguments, data, x, adapt):
    """`adapt` to the data, or the vocabulary that is in the arguments."""
    layer = getattr(keras.layers, kind)(**arguments)
    typed = np.array(x, np.int64) if kind == "IntegerLookup" else x
    if adapt:
        layer.adapt(np.array(data, np.int64) if kind == "IntegerLookup" else data)
    vocabulary = layer.get_vocabulary()
    if kind == "IntegerLookup":
        vocabulary = [int(v) for v in vocabulary]
    return {
        "layer": kind,
        "arguments": arguments,
        "adapt": data if adapt else None,
        "x": x,
        "y": plain(layer(tf.constant(typed))),
        "vocabulary": [v if isinstance(v, int) else str(v) for v in vocabulary],
    }


def known(arguments, terms, weights):
    """The same arguments with a vocabulary."""
    more = {"idf_weights": weights} if arguments.get("output_mode") == "tf_idf" else {}
    return {**arguments, "vocabulary": terms, **more}


def main():
    cases = {}
    for name, arguments in LOOKUPS.items():
        cases[f"string/{name}"] = case("StringLookup", arguments, COLORS, COLORS, True)
        if name != "most_frequent":
            given = known(arguments, TERMS, WEIGHTS)
            cases[f"string/{name}/given"] = case("StringLookup", given, None, COLORS, False)
    given = {"output_mode": "one_hot", "vocabulary": TERMS}
    cases["string/one_hot_of_one"] = case("StringLookup", given, None, [["red"], ["?"]], False)
    whole = {"output_mode": "tf_idf", "vocabulary": ["[UNK]", *TERMS], "idf_weights": [9, *WEIGHTS]}
    cases["string/tf_idf_all_given"] = case("StringLookup", whole, None, COLORS, False)
    hashed = {"num_oov_indices": 1000, "vocabulary": ["none"]}
    cases["string/hashed"] = case("StringLookup", hashed, None, UNKNOWN, False)
    for name, more in {"invert": {}, "invert_mask": {"mask_token": "none"}}.items():
        given = {"vocabulary": TERMS, "invert": True, **more}
        cases[f"string/{name}"] = case("StringLookup", given, None, [[0, 1, 2], [3, 4, 99]], False)
    for name, arguments in NUMBERS.items():
        cases[f"integer/{name}"] = case("IntegerLookup", arguments, IDS, IDS, True)
        given = known(arguments, [7, -3, 10**12], WEIGHTS)
        cases[f"integer/{name}/given"] = case("IntegerLookup", given, None, IDS, False)
    given = {"vocabulary": [7, -3, 10**12], "invert": True}
    cases["integer/invert"] = case("IntegerLookup", given, None, [[0, 1], [3, 99]], False)
    for name, arguments in VECTORS.items():
        cases[f"text/{name}"] = case("TextVectorization", arguments, TEXTS, NEW, True)
        if "ngrams" not in arguments and "max_tokens" not in arguments:
            given = known(arguments, WORDS, list(np.arange(6) / 4))
            cases[f"text/{name}/given"] = case("TextVectorization", given, None, NEW, False)
    rows = {"split": None, "ngrams": 2, "standardize": "lower"}
    cases["text/tokens"] = case("TextVectorization", rows, COLORS, COLORS, True)
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in cases.items()]
    Path(__file__).with_name("lookups.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
