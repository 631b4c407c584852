"""StringLookup and IntegerLookup: the place of each value in a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from itertools import repeat
from typing import Any, ClassVar

import numpy as np

from fitwell.description import check_choice
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.layers.base import describe
from fitwell.layers.lookup.base import Lookup
from fitwell.layers.lookup.hashing import fingerprint
from fitwell.layers.lookup.vocabulary import Special
from fitwell.texts import to_integers, to_texts, where
from fitwell.types import HostArray, Shape


class IndexLookup(Lookup):
    """The base of StringLookup and IntegerLookup, not used by itself."""

    num_oov_indices: int = 1
    mask_token: Any = None
    oov_token: Any = None
    invert: bool = field(default=False, kw_only=True)
    salt: Any = field(default=None, kw_only=True)

    without_special: ClassVar[Mapping[str, Any]] = {"num_oov_indices": 0}

    def validate(self) -> None:
        count = self.num_oov_indices
        if type(count) is not int or count < 0:
            cure = "Pass 1 for one id that all unknown values share."
            expected = "num_oov_indices to be a whole number >= 0"
            self._refuse(expected, f"num_oov_indices={count!r}", cure)
        for name in ("mask_token", "oov_token"):
            token = getattr(self, name)
            if token is not None and type(token) is not self.kind:
                word = "text" if self.kind is str else "whole number"
                cure = "Choose a value of the data's type."
                self._refuse(f"{name} to be None or a {word}", f"{name}={token!r}", cure)
        if self.salt is not None:
            cure = "Leave it out: values are hashed as Keras does without one."
            self._refuse("salt=None", f"salt={self.salt!r}", cure)
        super().validate()
        if self.invert and self.output_mode != "int":
            cure = "Leave invert or output_mode out."
            received = f"it with output_mode={self.output_mode!r}"
            self._refuse('invert with output_mode="int" only', received, cure)

    @property
    def special(self) -> Special:
        return Special(self.mask_token, self.oov_token, self.num_oov_indices)

    @property
    def forbidden(self) -> tuple[Any, ...]:
        return (self.mask_token, self.oov_token if self.invert else None)

    def bucket(self, value: Any) -> int:
        """Which of several ids an unknown value gets, from 0."""
        raise NotImplementedError

    # On the host

    def documents(self, values: HostArray) -> list[list[Any]]:
        return values.reshape(len(values), -1).tolist()

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        if self.invert:
            raise InvalidArgument(
                describe(self),
                "invert=False inside a model, whose outputs are numbers",
                "invert=True",
                "Call the layer on what predict returns: layer(ids).",
            )
        return shape, "int32"

    def check_data(self, subject: str, values: HostArray) -> None:
        ids = self._ids
        if self.num_oov_indices or set(values.ravel().tolist()) <= ids.keys():
            return
        place, value = next((p, v) for p, v in np.ndenumerate(values) if v not in ids)
        raise InvalidData(
            _asked_by(subject, self),
            f"values of the vocabulary ({len(self._terms())} terms, num_oov_indices=0)",
            f"{value!r} {where(place)}" if self.kind is str else f"{value} {where(place)}",
            "Add it to the vocabulary, or pass num_oov_indices=1 for unknown values.",
        )

    def encode(self, values: HostArray) -> HostArray:
        ids, flat = self._ids, values.ravel().tolist()
        first = int(self._masks)
        if self.num_oov_indices > 1:
            found = [ids[v] if v in ids else first + self.bucket(v) for v in flat]
            return np.array(found, np.int32).reshape(values.shape)
        found_each = map(ids.get, flat, repeat(first if self.num_oov_indices else -1))
        return np.fromiter(found_each, np.int32, len(flat)).reshape(values.shape)

    def looked_up(self, values: Any) -> HostArray:
        if not self.invert:
            return super().looked_up(values)
        ids = to_integers(describe(self), values)
        known = dict(enumerate(self.get_vocabulary()))
        terms = [known.get(i, self.oov_token) for i in ids.ravel().tolist()]
        array = np.empty(ids.size, object if self.kind is str else np.int64)
        array[:] = terms
        return array.reshape(ids.shape)


def _asked_by(subject: str, layer: IndexLookup) -> str:
    return f"{subject}, for {describe(layer)}" if subject else describe(layer)


class StringLookup(IndexLookup):
    """The id of each text in a vocabulary, or indicators of it.

    Ids count from 0: the mask token if there is one (output_mode "int" alone), then
    `num_oov_indices` ids for unknown values, then the terms. output_mode "int": (...) -> (...),
    int32. "one_hot": (..., n) -> (..., n, depth), and (..., 1) -> (..., depth). "multi_hot",
    "count", "tf_idf": (..., n) -> (..., depth), 1 for every id that occurs among the n, how often
    it does, and that times its weight; the mask token is left out of all of these.

    The layer reads an input of text, `Input(shape=(1,), dtype="string")`; it may begin a
    Sequential. Called on values, `layer(["red"])`, it returns an array.

    Args:
        max_tokens: the most ids there may be, special tokens included; None: as many as terms.
        num_oov_indices: ids for unknown values, >= 0. With 0 they are errors; several share them
            by their hash (FarmHash64, as Keras).
        mask_token: a text that stands for "no value" and becomes id 0, for layers that mask it.
        oov_token: what `invert` and `get_vocabulary` return for unknown values.
        vocabulary: the terms, or None and `adapt` learns them.
        idf_weights: a weight per term, for output_mode "tf_idf" with a vocabulary.
        invert: True turns ids back into texts; for calls on arrays only.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: max_tokens indicators, however long the vocabulary is.
        sparse, encoding, salt: for Keras' sake; only the defaults are there.

    Raises:
        InvalidArgument: arguments that contradict each other, a vocabulary with repetitions or
            special tokens.
        NotReady: the vocabulary is needed and there is none.
        InvalidData: numbers or missing values; unknown values with num_oov_indices=0.

    >>> layer = StringLookup(vocabulary=["red", "blue"])
    >>> layer([["blue"], ["pink"]]).tolist()
    [[2], [0]]
    >>> layer = StringLookup(output_mode="count")
    >>> layer.adapt([["a", "b"], ["b", "c"]])
    >>> layer.get_vocabulary(), layer([["b", "b"]]).tolist()
    (['[UNK]', 'b', 'c', 'a'], [[0.0, 2.0, 0.0, 0.0]])
    """

    oov_token: Any = "[UNK]"
    encoding: str = field(default="utf-8", kw_only=True)

    input_dtype: ClassVar[str] = "string"

    def validate(self) -> None:
        check_choice(self, "encoding", ("utf-8",))
        super().validate()

    def read(self, subject: str, values: Any) -> HostArray:
        return to_texts(subject, values)

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        if dtype != "string":
            cure = 'Write Input(shape=(1,), dtype="string"), or use IntegerLookup.'
            raise InvalidArgument(describe(self), "an input of text", f"dtype {dtype}", cure)
        return super().encoded(shape, dtype)

    def bucket(self, value: Any) -> int:
        return fingerprint(value.encode()) % self.num_oov_indices


class IntegerLookup(IndexLookup):
    """The id of each whole number in a vocabulary, or indicators of it; otherwise StringLookup.

    The layer reads an input of whole numbers: `Input(shape=(1,), dtype="int64")`, or "int32" where
    none needs more bits; it may begin a Sequential.

    Args:
        mask_token: a number that stands for "no value" and becomes id 0.
        oov_token: what `invert` and `get_vocabulary` return for unknown values.
        vocabulary: whole numbers of at most 64 bits, or None and `adapt` learns them.
        oov_method: how unknown values share several ids: "floormod" (value % num_oov_indices) or
            "farmhash".
        vocabulary_dtype: for Keras' sake; "int64".
        max_tokens, num_oov_indices, idf_weights, invert, output_mode, pad_to_max_tokens, sparse,
            salt: as in StringLookup.

    Raises:
        InvalidArgument, NotReady: as StringLookup.
        InvalidData: text, fractions or missing values; unknown values with num_oov_indices=0.

    >>> layer = IntegerLookup(vocabulary=[10, 20, 10**12])
    >>> layer([20, 7, 10**12]).tolist()
    [2, 0, 3]
    """

    oov_token: Any = -1
    vocabulary_dtype: str = field(default="int64", kw_only=True)
    oov_method: str = field(default="floormod", kw_only=True)

    input_dtype: ClassVar[str] = "int64"
    kind: ClassVar[type] = int

    def validate(self) -> None:
        check_choice(self, "vocabulary_dtype", ("int64",))
        check_choice(self, "oov_method", ("floormod", "farmhash"))
        super().validate()

    def read(self, subject: str, values: Any) -> HostArray:
        return to_integers(subject, values)

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        if dtype not in ("int64", "int32", "uint8", "bool"):
            cure = 'Write Input(shape=(1,), dtype="int64"), or use StringLookup for text.'
            raise InvalidArgument(
                describe(self), "an input of whole numbers", f"dtype {dtype}", cure
            )
        return super().encoded(shape, dtype)

    def check_data(self, subject: str, values: HostArray) -> None:
        if values.dtype.kind == "f":  # of an input of 32 bits
            largest = np.abs(to_integers(_asked_by(subject, self), values)).max(initial=0)
            if largest > 2**24:
                cure = 'Write Input(..., dtype="int64").'
                expected, received = "whole numbers that float32 holds exactly", f"{largest}"
                raise InvalidData(_asked_by(subject, self), expected, received, cure)
        super().check_data(subject, values)

    def bucket(self, value: Any) -> int:
        if self.oov_method == "floormod":
            return int(value % self.num_oov_indices)
        return fingerprint(str(value).encode()) % self.num_oov_indices


__all__ = ["IntegerLookup", "StringLookup"]
