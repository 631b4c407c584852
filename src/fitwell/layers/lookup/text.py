"""TextVectorization: from raw text to ids of its words, or to counts of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import field
from itertools import chain, repeat
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fitwell.description import check_choice
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import describe
from fitwell.layers.lookup.base import Lookup
from fitwell.layers.lookup.tokens import (
    SPLIT,
    STANDARDIZE,
    checked_text,
    checked_tokens,
    joined,
    widths,
)
from fitwell.layers.lookup.vocabulary import Special
from fitwell.texts import to_texts
from fitwell.types import Array, HostArray, Shape


class TextVectorization(Lookup):
    """ids of the words of a text: () or (1,) -> (output_sequence_length,), or (depth,) indicators.

    A text is standardized, split into words, these are joined to n-grams, and each token is looked
    up: id 0 is padding, 1 stands for unknown tokens, the terms follow. output_mode "int" gives the
    ids in the text's order, cut or padded with 0 at the end (`Embedding(mask_zero=True)` masks
    the padding). "multi_hot", "count" and "tf_idf" give, for each id from the unknown on, whether
    and how often it occurs, and that times the term's weight.

    The layer reads an input of text, `Input(shape=(1,), dtype="string")`; it may begin a
    Sequential. Called on values, `layer(["a text"])`, it returns an array.

    Args:
        max_tokens: the most ids there may be, special tokens included; None: as many as terms.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a
            function of one text. Letters of every alphabet are lowered (Keras: a to z alone); the
            punctuation is ASCII's.
        split: "whitespace" (of any alphabet), "character", None (the input holds tokens: (n,)), or
            a function from a text to a list of tokens.
        ngrams: n for all up to n tokens, a tuple of lengths, or None for single tokens.
        output_mode: "int", "multi_hot", "count" or "tf_idf".
        output_sequence_length: ids per text in mode "int". Inside a model it must be given, for
            compiled programs have fixed shapes; on arrays None pads to the longest text.
        pad_to_max_tokens: max_tokens indicators, however long the vocabulary is.
        vocabulary: the terms, or None and `adapt` learns them.
        idf_weights: a weight per term, for output_mode "tf_idf" with a vocabulary.
        sparse, ragged, encoding: for Keras' sake; only the defaults are there.

    Raises:
        InvalidArgument: arguments that contradict each other, a vocabulary with repetitions or
            special tokens.
        ShapeMismatch: several texts per example.
        NotReady: the vocabulary is needed and there is none.
        InvalidData: numbers or missing values.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The cat sat.", "the dog"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    >>> layer(["The cat!", "a dog sat on the mat"]).tolist()
    [[2, 5, 0, 0], [1, 4, 3, 1]]
    """

    standardize: Any = "lower_and_strip_punctuation"
    split: Any = "whitespace"
    ngrams: Any = None
    output_sequence_length: int | None = field(default=None, kw_only=True)
    ragged: bool = field(default=False, kw_only=True)
    encoding: str = field(default="utf-8", kw_only=True)

    input_dtype: ClassVar[str] = "string"
    modes: ClassVar[tuple[str, ...]] = ("int", "multi_hot", "count", "tf_idf")

    def validate(self) -> None:
        check_choice(self, "encoding", ("utf-8",))
        for name, known in (("standardize", STANDARDIZE), ("split", SPLIT)):
            if not callable(getattr(self, name)):
                check_choice(self, name, (None, *known))
        if self.ragged:
            cure = "Arrays have rows of one length here: leave it out."
            self._refuse("ragged=False", "ragged=True", cure)
        super().validate()
        if self.ngrams is not None:
            lengths = self.ngrams if isinstance(self.ngrams, tuple) else (self.ngrams,)
            if not lengths or any(type(n) is not int or n < 1 for n in lengths):
                cure = "Pass 2 for single words and pairs, (2,) for pairs alone."
                expected = "ngrams to be a whole number >= 1 or a tuple of them"
                self._refuse(expected, f"ngrams={self.ngrams!r}", cure)
        length = self.output_sequence_length
        if length is not None and (type(length) is not int or length < 1):
            cure = "Pass the number of tokens to keep of each text."
            expected = "output_sequence_length to be None or a whole number >= 1"
            self._refuse(expected, f"output_sequence_length={length!r}", cure)
        if length is not None and self.output_mode != "int":
            cure = "Leave it out: indicators have no order."
            received = f"it with output_mode={self.output_mode!r}"
            self._refuse('output_sequence_length with output_mode="int" only', received, cure)

    @property
    def special(self) -> Special:
        return Special("", "[UNK]", 1)

    def read(self, subject: str, values: Any) -> HostArray:
        return to_texts(subject, values)

    # On the host

    @functools.cached_property
    def _standardize(self) -> Callable[[str], str]:
        own, owner = self.standardize, describe(self)
        if callable(own):
            return lambda text: checked_text(owner, own(text))
        return str if own is None else STANDARDIZE[own]

    @functools.cached_property
    def _split(self) -> Callable[[str], list[str]]:
        own, owner = self.split, describe(self)
        return (lambda text: checked_tokens(owner, own(text))) if callable(own) else SPLIT[own]

    def documents(self, values: HostArray) -> list[list[Any]]:
        standardize = self._standardize
        if self.split is None:
            rows = values.reshape(len(values), -1).tolist()
            found = [[standardize(token) for token in row] for row in rows]
        else:
            self._check_one_text(values.shape[1:])
            split = self._split
            found = [split(standardize(text)) for text in values.ravel().tolist()]
        lengths = widths(self.ngrams)
        return found if lengths == (1,) else [joined(tokens, lengths) for tokens in found]

    def _check_one_text(self, shape: Shape) -> None:
        if shape not in ((), (1,)):
            raise ShapeMismatch(
                describe(self),
                "one text per example, an input of shape () or (1,)",
                f"shape {shape}",
                "Join the columns to one text, or pass split=None for tokens.",
            )

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        if dtype != "string":
            cure = 'Write Input(shape=(1,), dtype="string").'
            raise InvalidArgument(describe(self), "an input of text", f"dtype {dtype}", cure)
        if self.split is not None:
            self._check_one_text(shape)
        elif len(shape) > 1:
            cure = "Flatten them, or use StringLookup."
            raise ShapeMismatch(describe(self), "a row of tokens", f"shape {shape}", cure)
        if self.output_mode != "int":
            return (self.depth,), "float32"
        length = self.output_sequence_length
        if length is None and self.split is None:
            length = sum(max((*shape, 1)[0] - n + 1, 0) for n in widths(self.ngrams))
        if length is None:
            raise InvalidArgument(
                describe(self),
                "output_sequence_length inside a model, whose programs have fixed shapes",
                "output_sequence_length=None",
                "Pass how many tokens of each text to keep: output_sequence_length=100.",
            )
        return (length,), "int32"

    def check_data(self, subject: str, values: HostArray) -> None:
        self._terms()

    def encode(self, values: HostArray) -> HostArray:
        found = self.documents(values)
        unknown = int(self._masks)
        sizes = np.fromiter(map(len, found), np.int64, len(found))
        flat = map(self._ids.get, chain.from_iterable(found), repeat(unknown))
        ids = np.fromiter(flat, np.int32, int(sizes.sum()))
        if self.output_mode != "int":
            return self._counts(ids, np.repeat(np.arange(len(found)), sizes), len(found))
        length = self.output_sequence_length
        if length is None:
            length = int(sizes.max(initial=0))
        places = np.arange(ids.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = places < length
        padded = np.zeros((len(found), length), np.int32)
        padded[np.repeat(np.arange(len(found)), sizes)[kept], places[kept]] = ids[kept]
        return padded

    def _counts(self, ids: HostArray, rows: HostArray, n: int) -> HostArray:
        """How often each id occurs in each row, in the narrowest type that holds it."""
        known = ids >= 0
        keys, counts = np.unique(rows[known] * self.depth + ids[known], return_counts=True)
        if self.output_mode == "multi_hot":
            counts = np.minimum(counts, 1)
        table = np.zeros((n, self.depth), np.min_scalar_type(int(counts.max(initial=0))))
        table.reshape(-1)[keys] = counts
        return table

    # On the device

    def indicate(self, ids: Array) -> Array:
        return ids.astype(jnp.int32 if self.output_mode == "int" else jnp.float32)


__all__ = ["TextVectorization"]
