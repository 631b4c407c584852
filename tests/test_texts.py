"""Text and ids from everything that users pass, and a message for what is neither."""

from __future__ import annotations

import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fitwell.errors import InvalidData
from fitwell.texts import to_integers, to_texts

WORDS = ["é", "a much longer one"]
NUMBERS = [3, -(10**12)]

COLUMNS_OF_TEXT = {
    "list": WORDS,
    "tuple": tuple(WORDS),
    "numpy, fixed width": np.array(WORDS),
    "numpy, objects": np.array(WORDS, object),
    "numpy, variable width": np.array(WORDS, np.dtypes.StringDType()),
    "bytes": [w.encode() for w in WORDS],
    "numpy's own scalars": list(np.array(WORDS)),
    "pandas": pd.Series(WORDS),
    "pandas, strings": pd.Series(WORDS, dtype="string"),
    "pandas, categories": pd.Series(WORDS, dtype="category"),
    "polars": pl.Series(WORDS),
    "polars, categories": pl.Series(WORDS).cast(pl.Categorical),
    "pyarrow": pa.chunked_array([WORDS]),
}
TABLES_OF_TEXT = {
    "lists": [[w] for w in WORDS],
    "a list of arrays": [np.array([w]) for w in WORDS],
    "pandas": pd.DataFrame({"word": WORDS}),
    "polars": pl.DataFrame({"word": WORDS}),
    "polars, lazy": pl.LazyFrame({"word": WORDS}),
    "pyarrow": pa.table({"word": WORDS}),
}


@pytest.mark.parametrize("name", COLUMNS_OF_TEXT)
def test_every_column_of_text_is_read(name: str) -> None:
    array = to_texts("x", COLUMNS_OF_TEXT[name])
    assert array.tolist() == WORDS
    assert set(map(type, array)) == {str}


@pytest.mark.parametrize("name", TABLES_OF_TEXT)
def test_every_table_of_text_is_read(name: str) -> None:
    assert to_texts("x", TABLES_OF_TEXT[name]).tolist() == [[w] for w in WORDS]


@pytest.mark.parametrize(
    "given",
    [
        NUMBERS,
        np.array(NUMBERS),
        np.array(NUMBERS, float),
        np.array(NUMBERS, object),
        pd.Series(NUMBERS, dtype="Int64"),
        pl.Series(NUMBERS),
        [3.0, -(10**12)],
    ],
    ids=str,
)
def test_every_column_of_whole_numbers_is_read_exactly(given: Any) -> None:
    array = to_integers("x", given)
    assert array.dtype == np.int64
    assert array.tolist() == NUMBERS


def test_other_whole_numbers() -> None:
    assert to_integers("x", [[True], [False]]).tolist() == [[1], [0]]
    assert to_integers("x", jnp.array([4, 5])).tolist() == [4, 5]
    assert to_integers("x", [2**63 - 1, -(2**63)]).tolist() == [2**63 - 1, -(2**63)]
    assert to_integers("x", np.array([7], np.uint64)).tolist() == [7]


def test_unsigned_ids_take_no_time_each() -> None:
    """Half a million in a loop of Python would take more than 0.3 s."""
    ids = np.full(500_000, 2**63 - 1, np.uint64)
    began = time.process_time()
    assert (to_integers("x", ids) == 2**63 - 1).all()
    assert time.process_time() - began < 0.15
    with pytest.raises(InvalidData, match="whole numbers of at most 64 bits"):
        to_integers("x", ids + np.uint64(1))


ANYTHING = "Give the model an input of numbers, or turn them into text with astype(str)."
FILL = "Fill it in, or leave the row out."
RAGGED = (
    "x: expected rows of one length, received a ragged list (rows of different lengths). "
    "Pad the rows to one length."
)
NO_TEXT: dict[str, tuple[Any, str]] = {
    "numbers": (np.array([[1.5], [2.0]]), f"x: expected text, received 1.5 at (0, 0). {ANYTHING}"),
    "a number in between": (["a", 3], f"x: expected text, received 3 in row 1. {ANYTHING}"),
    "None": (
        ["a", None],
        f"x: expected text everywhere, received a missing value (None) in row 1. {FILL}",
    ),
    "NaN": (
        np.array([["a"], [np.nan]], object),
        f"x: expected text everywhere, received a missing value (nan) at (1, 0). {FILL}",
    ),
    "NA": (
        pd.Series(["a", None], dtype="string"),
        f"x: expected text everywhere, received a missing value (<NA>) in row 1. {FILL}",
    ),
    "null": (
        pl.Series([None, "a"]),
        f"x: expected text everywhere, received a missing value (None) in row 0. {FILL}",
    ),
    "one text": (
        "good",
        "x: expected a list of texts, received 'good' alone. "
        "Pass a list of texts, one entry for each example.",
    ),
    "latin-1": (
        [b"caf\xe9"],
        r"x: expected bytes in UTF-8, received b'caf\xe9' in row 0. "
        'Decode it first, for example with .decode("latin-1").',
    ),
    "ragged": ([["a"], ["b", "c"]], RAGGED),
    "ragged arrays": ([np.array(["a"]), np.array(["b", "c"])], RAGGED),
}
NO_IDS: dict[str, tuple[Any, str]] = {
    "text": (
        ["7"],
        "x: expected whole numbers, received '7' in row 0. Look text up with StringLookup.",
    ),
    "a fraction": (
        [1, 1.5],
        "x: expected whole numbers of at most 64 bits, received 1.5 in row 1. "
        "Round it, or use Discretization for measured numbers.",
    ),
    "too large": (
        [2**63],
        "x: expected whole numbers of at most 64 bits, received 9223372036854775808 in row 0. "
        "Round it, or use Discretization for measured numbers.",
    ),
    "infinite": (
        [float("inf")],
        "x: expected whole numbers of at most 64 bits, received inf in row 0. "
        "Round it, or use Discretization for measured numbers.",
    ),
    "rounded": (
        np.array([1e17]),
        "x: expected whole numbers that are exact, received 1e+17 in row 0. "
        "Pass ids as int64: float64 rounds them.",
    ),
    "missing": (
        pl.Series([1, None]),
        f"x: expected whole numbers everywhere, received a missing value (nan) in row 1. {FILL}",
    ),
    "one number": (
        3,
        "x: expected a list of whole numbers, received 3 alone. "
        "Pass a list of whole numbers, one entry for each example.",
    ),
    "ragged": ([[1], [2, 3]], RAGGED),
}


@pytest.mark.parametrize("name", NO_TEXT)
def test_what_is_no_text_says_so(name: str) -> None:
    value, text = NO_TEXT[name]
    with pytest.raises(InvalidData) as error:
        to_texts("x", value)
    assert str(error.value) == text


@pytest.mark.parametrize("name", NO_IDS)
def test_what_is_no_id_says_so(name: str) -> None:
    value, text = NO_IDS[name]
    with pytest.raises(InvalidData) as error:
        to_integers("x", value)
    assert str(error.value) == text
