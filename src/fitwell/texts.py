"""Text and ids as users pass them (lists, arrays, columns of frames) as arrays in host memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.errors import InvalidData
from fitwell.types import HostArray

_FILL = "Fill it in, or leave the row out."
_TEXT = (str, bytes)
_EXACT = 2.0**53  # above it, float64 no longer holds every whole number


def to_texts(subject: str, value: Any) -> HostArray:
    """An array of Python strings (dtype object); bytes are read as UTF-8.

    Raises:
        InvalidData: numbers, missing values, one text alone, ragged lists, bytes of another code.

    >>> to_texts("x", [["red"], ["blue"]]).tolist()
    [['red'], ['blue']]
    """
    array = _array(subject, value, "a list of texts").astype(object)
    if set(map(type, array.flat)) <= {str}:
        return array
    texts = np.empty(array.shape, object)
    for place, item in np.ndenumerate(array):
        texts[place] = _text(subject, item, place)
    return texts


def to_integers(subject: str, value: Any) -> HostArray:
    """An array of int64; numbers whose fraction is 0 are whole.

    Raises:
        InvalidData: text, fractions, missing values, numbers beyond 64 bits, ragged lists.

    >>> to_integers("x", [3.0, 10**12]).tolist()
    [3, 1000000000000]
    """
    array = _array(subject, value, "a list of whole numbers")
    if array.dtype.kind in "bi" or (array.dtype.kind == "u" and array.max(initial=0) < 2**63):
        return array.astype(np.int64)
    if array.dtype.kind == "f" and (array == np.trunc(array)).all():
        if (np.abs(array) <= _EXACT).all():
            return array.astype(np.int64)
    elif set(map(type, array.flat)) == {int} and array.max() < 2**63 and array.min() >= -(2**63):
        return array.astype(np.int64)
    whole = np.empty(array.shape, np.int64)
    for place, item in np.ndenumerate(array.astype(object)):
        whole[place] = _integer(subject, item, place)
    return whole


def where(place: tuple[int, ...]) -> str:
    """A place in an array in words: `in row 3`, or `at (3, 0)`."""
    return f"in row {place[0]}" if len(place) == 1 else f"at {place}"


def _array(subject: str, value: Any, wanted: str) -> HostArray:
    if hasattr(value, "collect"):  # a lazy frame of polars
        value = value.collect()
    try:
        # Objects from the start: numpy's own texts are all as long as the longest.
        array = np.asarray(value, dtype=object if isinstance(value, list | tuple) else None)
    except ValueError:
        array = np.empty(1, object)
        array[0] = ()
    if array.ndim == 0:
        cure = f"Pass {wanted}, one entry for each example."
        raise InvalidData(subject, wanted, f"{value!r} alone", cure)
    if array.dtype == object and {list, tuple, np.ndarray} & set(map(type, array.flat)):
        received = "a ragged list (rows of different lengths)"
        raise InvalidData(subject, "rows of one length", received, "Pad the rows to one length.")
    return array


def _text(subject: str, item: Any, place: tuple[int, ...]) -> str:
    if isinstance(item, str):
        return str(item)
    if isinstance(item, bytes):
        try:
            return item.decode()
        except UnicodeDecodeError as error:
            cure = 'Decode it first, for example with .decode("latin-1").'
            raise InvalidData(
                subject, "bytes in UTF-8", f"{item!r} {where(place)}", cure
            ) from error
    _check_there(subject, "text", item, place)
    cure = "Give the model an input of numbers, or turn them into text with astype(str)."
    raise InvalidData(subject, "text", f"{item!r} {where(place)}", cure)


def _integer(subject: str, item: Any, place: tuple[int, ...]) -> int:
    received = f"{item!r} {where(place)}"
    if isinstance(item, _TEXT):
        cure = "Look text up with StringLookup."
        raise InvalidData(subject, "whole numbers", received, cure)
    _check_there(subject, "whole numbers", item, place)
    try:
        number = int(item)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if number != item or not -(2**63) <= number < 2**63 or isinstance(item, complex):
        cure = "Round it, or use Discretization for measured numbers."
        raise InvalidData(subject, "whole numbers of at most 64 bits", received, cure)
    if isinstance(item, float) and abs(item) > _EXACT:
        cure = "Pass ids as int64: float64 rounds them."
        raise InvalidData(subject, "whole numbers that are exact", received, cure)
    return number


def _check_there(subject: str, expected: str, item: Any, place: tuple[int, ...]) -> None:
    """None, NaN, pandas' NA and NaT are missing; NaN and its like differ from themselves."""
    if item is None or type(item).__name__ in ("NAType", "NaTType") or bool(item != item):
        raise InvalidData(
            subject, f"{expected} everywhere", f"a missing value ({item}) {where(place)}", _FILL
        )
