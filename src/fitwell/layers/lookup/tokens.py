"""From a text to its tokens: standardized, split, joined to n-grams."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from typing import Any

from fitwell.errors import InvalidData

_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


def lower(text: str) -> str:
    """Small letters, of every alphabet."""
    return text.lower()


def strip_punctuation(text: str) -> str:
    """The text without ASCII's 32 punctuation marks.

    >>> strip_punctuation("don't (stop)!")
    'dont stop'
    """
    return _PUNCTUATION.sub("", text)


def lower_and_strip_punctuation(text: str) -> str:
    return _PUNCTUATION.sub("", text.lower())


STANDARDIZE: dict[str, Callable[[str], str]] = {
    "lower_and_strip_punctuation": lower_and_strip_punctuation,
    "lower": lower,
    "strip_punctuation": strip_punctuation,
}
SPLIT: dict[str, Callable[[str], list[str]]] = {"whitespace": str.split, "character": list}


def widths(ngrams: Any) -> tuple[int, ...]:
    """The lengths of n-grams: 3 means 1, 2 and 3; None the tokens alone."""
    if ngrams is None:
        return (1,)
    return tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else tuple(ngrams)


def joined(tokens: list[str], lengths: Iterable[int]) -> list[str]:
    """The n-grams of tokens, one length after the other.

    >>> joined(["a", "b", "c"], (2, 1))
    ['a b', 'b c', 'a', 'b', 'c']
    """
    return [" ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)]


def checked_text(owner: str, value: Any) -> str:
    """What a user's `standardize` returned."""
    if isinstance(value, str):
        return value
    cure = "Write a function of one text: lambda text: text.lower()."
    raise InvalidData(owner, "standardize to return a text for a text", f"{value!r}", cure)


def checked_tokens(owner: str, value: Any) -> list[str]:
    """What a user's `split` returned."""
    if isinstance(value, list | tuple) and all(isinstance(token, str) for token in value):
        return list(value)
    cure = 'Write a function of one text: lambda text: text.split(",").'
    raise InvalidData(owner, "split to return a list of texts for a text", f"{value!r}", cure)
