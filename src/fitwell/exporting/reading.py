"""How `predict.py` files read what they are given; part of their text, as `numerics` is."""

import re
from typing import Any

import numpy as np


def checked(name: str, x: Any, dtype: str, shape: Any) -> Any:
    x = np.asarray(x, dtype)
    if x.shape[1:] != shape:
        raise ValueError(f"{name}: expected rows of shape {shape}, received {x.shape}")
    return x


def scaled(x: Any, center: float, scale: float) -> Any:
    return ((x - center) * scale).astype(np.float32)


def plain(values: Any) -> Any:
    """One list of values; what tables have where there is none (None, NaN, NA) is no text."""
    found = values.ravel().tolist()
    missing = ("None", "nan", "NaT", "<NA>")
    return [v if isinstance(v, str) or str(v) not in missing else "" for v in found]


def look_up(values: Any, terms: Any, ids: Any, unknown: int) -> Any:
    known = dict(zip(terms, ids, strict=True))
    flat = [known.get(value, unknown) for value in plain(values)]
    return np.array(flat, np.int32).reshape(values.shape)


def count_terms(values: Any, terms: Any, unit: str) -> Any:
    """How often each term is in each text, (rows, terms)."""
    places = {term: place for place, term in enumerate(terms)}
    counts = np.zeros((len(values), len(terms)), np.float32)
    for row, text in enumerate(plain(values)):
        for term in pieces(text.lower(), unit):
            if term in places:
                counts[row, places[term]] += 1
    return counts


def pieces(text: str, unit: str) -> Any:
    """The words of a text; or pieces of 2 to 4 characters of each, a space around it."""
    if unit == "word":
        return re.findall(r"\b\w+\b", text)
    found = []
    for word in (f" {word} " for word in text.split()):
        for size in (2, 3, 4):
            found += [word[i : i + size] for i in range(max(len(word) - size, 0) + 1)]
            if len(word) <= size:
                break
    return found
