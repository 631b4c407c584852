"""Checks of vocabularies and of the weights of their terms."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from fitwell.description import freeze
from fitwell.errors import InvalidArgument


class Special(NamedTuple):
    """Tokens that are no terms.

    Attributes:
        mask: stands for "no value"; None if nothing does.
        oov: stands for every value that is not in the vocabulary.
        oov_count: how many ids such values share.
    """

    mask: Any
    oov: Any
    oov_count: int


def checked_terms(
    owner: str, vocabulary: Any, kind: type, reserved: list[Any], forbidden: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The terms alone: special tokens in front, as `get_vocabulary` gives them, are taken off.

    Raises:
        InvalidArgument: no list, no terms, terms of another type, twice, or special tokens.
    """
    one = "text" if kind is str else "whole number"
    if isinstance(vocabulary, str):
        cure = "Read the file: vocabulary=open(path).read().splitlines()."
        received = f"the text {vocabulary!r}"
        raise InvalidArgument(owner, "vocabulary to be a list of terms", received, cure)
    if hasattr(vocabulary, "__iter__") and not isinstance(vocabulary, tuple):  # a range, a column
        vocabulary = freeze(list(vocabulary))
    if not isinstance(vocabulary, tuple) or not vocabulary:
        cure = "Pass a list of terms, or leave it out and call adapt(data)."
        received = repr(vocabulary) if vocabulary == () else type(vocabulary).__name__
        raise InvalidArgument(owner, "vocabulary to be a list with terms", received, cure)
    terms = vocabulary
    if reserved and list(vocabulary[: len(reserved)]) == reserved:
        terms = vocabulary[len(reserved) :]
    if set(map(type, terms)) - {kind}:
        i, odd = next((i, t) for i, t in enumerate(terms) if type(t) is not kind)
        cure = f"Convert them: [{kind.__name__}(term) for term in vocabulary]."
        expected = f"every term of the vocabulary to be a {one}"
        raise InvalidArgument(owner, expected, f"{odd!r} at place {i}", cure)
    if kind is int and not all(-(2**63) <= term < 2**63 for term in terms):
        odd = next(term for term in terms if not -(2**63) <= term < 2**63)
        cure = "Look it up as text, with StringLookup."
        raise InvalidArgument(owner, "terms of at most 64 bits", f"{odd}", cure)
    if len(set(terms)) < len(terms):
        twice = [term for term, count in Counter(terms).items() if count > 1]
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        cure = "Leave the repetitions out: list(dict.fromkeys(vocabulary))."
        received = f"{', '.join(map(repr, twice[:5]))}{more} several times"
        raise InvalidArgument(owner, "every term of the vocabulary once", received, cure)
    if reserved and list(terms[: len(reserved)]) == reserved:  # what was taken off, again
        forbidden = (*forbidden, *reserved)
    for token in forbidden:
        if token is not None and token in terms:
            received = f"the special token {token!r} at place {vocabulary.index(token)}"
            begin = f", or begin with all of them: {reserved}" if reserved else ""
            cure = f"Leave special tokens out{begin}."
            raise InvalidArgument(owner, "a vocabulary of terms", received, cure)
    return terms


def checked_weights(
    owner: str, mode: str, weights: Any, terms: tuple[Any, ...] | None, start: int
) -> None:
    """Raises InvalidArgument for weights that are not one finite number per term."""
    if terms is None:
        if weights is not None:
            cure = "Pass both, or neither and call adapt(data)."
            raise InvalidArgument(owner, "a vocabulary for its idf_weights", "none", cure)
        return
    if mode != "tf_idf":
        return
    if weights is None:
        cure = "Pass one weight per term, or call adapt(data) in place of vocabulary=."
        raise InvalidArgument(owner, "idf_weights for the vocabulary (tf_idf)", "none", cure)
    try:
        numbers = np.asarray(weights, np.float64)
        good = numbers.ndim == 1 and bool(np.isfinite(numbers).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        cure = "Pass a list of numbers."
        received = f"idf_weights={weights!r}"
        raise InvalidArgument(owner, "idf_weights to be finite numbers", received, cure)
    if len(numbers) not in (len(terms), start + len(terms)):
        cure = "Pass one for each term of the vocabulary, in its order."
        received = f"{len(numbers)} for {len(terms)} terms"
        raise InvalidArgument(owner, "as many idf_weights as terms", received, cure)
