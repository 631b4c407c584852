"""Every message for arguments that the lookup layers refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument

ABC = ["a", "b", "c"]
ARGUMENTS: dict[str, tuple[Callable[[], Any], str]] = {
    "sparse": (
        lambda: L.StringLookup(sparse=True),
        "StringLookup: expected sparse=False, received sparse=True. "
        "Arrays are dense here: leave it out.",
    ),
    "ragged": (
        lambda: L.TextVectorization(ragged=True),
        "TextVectorization: expected ragged=False, received ragged=True. "
        "Arrays have rows of one length here: leave it out.",
    ),
    "salt": (
        lambda: L.StringLookup(salt=3),
        "StringLookup: expected salt=None, received salt=3. "
        "Leave it out: values are hashed as Keras does without one.",
    ),
    "encoding": (
        lambda: L.StringLookup(encoding="latin-1"),
        "StringLookup: expected encoding to be one of 'utf-8', received encoding='latin-1'. "
        "The choices are utf-8.",
    ),
    "output_mode": (
        lambda: L.TextVectorization(output_mode="one_hot"),
        "TextVectorization: expected output_mode to be one of 'int', 'multi_hot', 'count', "
        "'tf_idf', received output_mode='one_hot'. The choices are count, int, multi_hot, tf_idf.",
    ),
    "max_tokens": (
        lambda: L.StringLookup(max_tokens=2, mask_token=""),
        "StringLookup: expected max_tokens to be None or a whole number > 2, received "
        "max_tokens=2. 2 of its places are taken by what is no term: choose a larger one.",
    ),
    "pad": (
        lambda: L.StringLookup(output_mode="count", pad_to_max_tokens=True),
        "StringLookup: expected max_tokens, to pad to it, received pad_to_max_tokens=True alone. "
        "Pass max_tokens too.",
    ),
    "num_oov_indices": (
        lambda: L.IntegerLookup(num_oov_indices=-1),
        "IntegerLookup: expected num_oov_indices to be a whole number >= 0, received "
        "num_oov_indices=-1. Pass 1 for one id that all unknown values share.",
    ),
    "mask_token": (
        lambda: L.IntegerLookup(mask_token=""),
        "IntegerLookup: expected mask_token to be None or a whole number, received "
        "mask_token=''. Choose a value of the data's type.",
    ),
    "oov_token": (
        lambda: L.StringLookup(oov_token=0),
        "StringLookup: expected oov_token to be None or a text, received oov_token=0. "
        "Choose a value of the data's type.",
    ),
    "oov_method": (
        lambda: L.IntegerLookup(oov_method="floor"),
        "IntegerLookup: expected oov_method to be one of 'floormod', 'farmhash', received "
        "oov_method='floor'. Did you mean floormod?",
    ),
    "invert": (
        lambda: L.StringLookup(invert=True, output_mode="count"),
        'StringLookup: expected invert with output_mode="int" only, received it with '
        "output_mode='count'. Leave invert or output_mode out.",
    ),
    "a file": (
        lambda: L.StringLookup(vocabulary="words.txt"),
        "StringLookup: expected vocabulary to be a list of terms, received the text 'words.txt'. "
        "Read the file: vocabulary=open(path).read().splitlines().",
    ),
    "no list": (
        lambda: L.StringLookup(vocabulary=3),
        "StringLookup: expected vocabulary to be a list with terms, received int. "
        "Pass a list of terms, or leave it out and call adapt(data).",
    ),
    "no terms": (
        lambda: L.StringLookup(vocabulary=[]),
        "StringLookup: expected vocabulary to be a list with terms, received (). "
        "Pass a list of terms, or leave it out and call adapt(data).",
    ),
    "no texts": (
        lambda: L.StringLookup(vocabulary=["a", 1]),
        "StringLookup: expected every term of the vocabulary to be a text, received 1 at place 1. "
        "Convert them: [str(term) for term in vocabulary].",
    ),
    "no whole numbers": (
        lambda: L.IntegerLookup(vocabulary=[1.0, 2.0]),
        "IntegerLookup: expected every term of the vocabulary to be a whole number, received 1.0 "
        "at place 0. Convert them: [int(term) for term in vocabulary].",
    ),
    "too large": (
        lambda: L.IntegerLookup(vocabulary=[1, 2**63]),
        "IntegerLookup: expected terms of at most 64 bits, received 9223372036854775808. "
        "Look it up as text, with StringLookup.",
    ),
    "twice": (
        lambda: L.StringLookup(vocabulary=["a", "b", "a"]),
        "StringLookup: expected every term of the vocabulary once, received 'a' several times. "
        "Leave the repetitions out: list(dict.fromkeys(vocabulary)).",
    ),
    "many twice": (
        lambda: L.IntegerLookup(vocabulary=[*range(9), *range(9)]),
        "IntegerLookup: expected every term of the vocabulary once, received 0, 1, 2, 3, 4 and 4 "
        "more several times. Leave the repetitions out: list(dict.fromkeys(vocabulary)).",
    ),
    "the mask": (
        lambda: L.StringLookup(vocabulary=["a", "-"], mask_token="-"),
        "StringLookup: expected a vocabulary of terms, received the special token '-' at place 1. "
        "Leave special tokens out, or begin with all of them: ['-', '[UNK]'].",
    ),
    "padding": (
        lambda: L.TextVectorization(vocabulary=["a", ""]),
        "TextVectorization: expected a vocabulary of terms, received the special token '' at "
        "place 1. Leave special tokens out, or begin with all of them: ['', '[UNK]'].",
    ),
    "the unknown": (
        lambda: L.IntegerLookup(vocabulary=[1, -1], invert=True, num_oov_indices=0),
        "IntegerLookup: expected a vocabulary of terms, received the special token -1 at place 1. "
        "Leave special tokens out.",
    ),
    "special tokens twice": (
        lambda: L.StringLookup(vocabulary=["[UNK]", "[UNK]", "a"]),
        "StringLookup: expected a vocabulary of terms, received the special token '[UNK]' at "
        "place 0. Leave special tokens out, or begin with all of them: ['[UNK]'].",
    ),
    "longer than max_tokens": (
        lambda: L.StringLookup(vocabulary=ABC, max_tokens=3),
        "StringLookup: expected at most max_tokens=3 tokens, received 4. "
        "Raise max_tokens, or leave the rarest terms out.",
    ),
    "weights of another mode": (
        lambda: L.StringLookup(vocabulary=ABC, idf_weights=[1, 2, 3]),
        'StringLookup: expected idf_weights with output_mode="tf_idf" only, received them with '
        "output_mode='int'. Leave them out, or write output_mode=\"tf_idf\".",
    ),
    "no weights": (
        lambda: L.StringLookup(vocabulary=ABC, output_mode="tf_idf"),
        "StringLookup: expected idf_weights for the vocabulary (tf_idf), received none. "
        "Pass one weight per term, or call adapt(data) in place of vocabulary=.",
    ),
    "weights alone": (
        lambda: L.StringLookup(idf_weights=[1.0], output_mode="tf_idf"),
        "StringLookup: expected a vocabulary for its idf_weights, received none. "
        "Pass both, or neither and call adapt(data).",
    ),
    "weights that are none": (
        lambda: L.StringLookup(vocabulary=["a"], idf_weights=["x"], output_mode="tf_idf"),
        "StringLookup: expected idf_weights to be finite numbers, received idf_weights=('x',). "
        "Pass a list of numbers.",
    ),
    "too few weights": (
        lambda: L.StringLookup(vocabulary=ABC, idf_weights=[1.0], output_mode="tf_idf"),
        "StringLookup: expected as many idf_weights as terms, received 1 for 3 terms. "
        "Pass one for each term of the vocabulary, in its order.",
    ),
    "standardize": (
        lambda: L.TextVectorization(standardize="lowercase"),
        "TextVectorization: expected standardize to be one of None, "
        "'lower_and_strip_punctuation', 'lower', 'strip_punctuation', received "
        "standardize='lowercase'. Did you mean lower?",
    ),
    "split": (
        lambda: L.TextVectorization(split="words"),
        "TextVectorization: expected split to be one of None, 'whitespace', 'character', "
        "received split='words'. The choices are None, character, whitespace.",
    ),
    "ngrams": (
        lambda: L.TextVectorization(ngrams=(1, 0)),
        "TextVectorization: expected ngrams to be a whole number >= 1 or a tuple of them, "
        "received ngrams=(1, 0). Pass 2 for single words and pairs, (2,) for pairs alone.",
    ),
    "length": (
        lambda: L.TextVectorization(output_sequence_length=0),
        "TextVectorization: expected output_sequence_length to be None or a whole number >= 1, "
        "received output_sequence_length=0. Pass the number of tokens to keep of each text.",
    ),
    "length of counts": (
        lambda: L.TextVectorization(output_mode="count", output_sequence_length=5),
        'TextVectorization: expected output_sequence_length with output_mode="int" only, received '
        "it with output_mode='count'. Leave it out: indicators have no order.",
    ),
    "Keras 2": (
        lambda: L.IntegerLookup(mask_value=0),
        "IntegerLookup: expected an argument it knows, received mask_value=0. "
        "Did you mean mask_token?",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_they_refuse(name: str) -> None:
    make, message = ARGUMENTS[name]
    with pytest.raises((InvalidArgument, TypeError), match=f"^{re.escape(message)}$"):
        make()
