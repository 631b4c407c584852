"""From what users pass to arrays: every route gives the same numbers, every fault its message."""

from __future__ import annotations

import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fitwell as fw
from fitwell.data.arrays import to_array
from fitwell.errors import InvalidData
from fitwell.layers import Dense, Input

NAN = float("nan")
ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]
FRAME = pd.DataFrame(ROWS, columns=["a", "b"])

SAME = {
    "numpy float64": np.array(ROWS),
    "numpy float16": np.array(ROWS, np.float16),
    "long double": np.array(ROWS, np.longdouble),
    "Fortran order": np.asfortranarray(ROWS),
    "a view with steps": np.repeat(np.array(ROWS), 2, axis=0)[::2],
    "jax": jnp.array(ROWS),
    "bfloat16": jnp.array(ROWS, jnp.bfloat16),
    "lists": ROWS,
    "tuples": tuple(map(tuple, ROWS)),
    "a list of arrays": [np.array(row) for row in ROWS],
    "objects": np.array(ROWS, object),
    "objects that are rows": np.array([*map(np.array, ROWS), None], object)[:3],
    "decimals": [[Decimal(str(v)) for v in row] for row in ROWS],
    "fractions": [[Fraction(v) for v in row] for row in ROWS],
    "pandas": FRAME,
    "pandas, numbered columns": pd.DataFrame(ROWS),
    "pandas, nullable": FRAME.convert_dtypes(),
    "pandas, objects": FRAME.astype(object),
    "polars": pl.DataFrame(ROWS, schema=["a", "b"], orient="row"),
    "polars, lazy": pl.LazyFrame(ROWS, schema=["a", "b"], orient="row"),
    "polars, a column of lists": pl.Series(ROWS),
    "pyarrow": pa.Table.from_pandas(FRAME),
}


@pytest.mark.parametrize("name", SAME)
def test_every_route_gives_the_same_numbers(name: str) -> None:
    array = to_array("x", SAME[name])
    np.testing.assert_array_equal(array, np.array(ROWS, np.float32))
    assert array.dtype in (np.float32, np.float16)


COLUMNS: list[tuple[Any, list[float], type]] = [
    (np.array([1, 2], np.int64), [1, 2], np.int32),
    (np.array([1, 2], np.uint32), [1, 2], np.int32),
    (np.array([1, 255], np.uint8), [1, 255], np.uint8),
    (np.array([-1, 2], np.int16), [-1, 2], np.int16),
    (np.array([True, False]), [1, 0], np.bool_),
    ([2**31 - 1, -(2**31)], [2**31 - 1, -(2**31)], np.int32),
    ([2**31, 0], [2**31, 0], np.float32),
    (np.array([2**63], np.uint64), [2.0**63], np.float32),
    ([2**70, 0], [2.0**70, 0], np.float32),
    ([1, None], [1, NAN], np.float32),
    ([True, None, np.bool_(False)], [1, NAN, 0], np.float32),
    (pd.Series([1, 2, None], dtype="Int64"), [1, 2, NAN], np.float32),
    (pd.Series([True, None], dtype="boolean"), [1, NAN], np.float32),
    (pd.Series([1, 2]), [1, 2], np.int32),
    (pd.Index([1, 2]), [1, 2], np.int32),
    (pl.Series([1, None]), [1, NAN], np.float32),
    (pl.Series([True, None]), [1, NAN], np.float32),
    (pa.array([1, 2]), [1, 2], np.int32),
    (pa.chunked_array([[1], [None]]), [1, NAN], np.float32),
    ([1e300], [float("inf")], np.float32),
    (np.array([], object), [], np.float32),
]


@pytest.mark.parametrize(("value", "expected", "dtype"), COLUMNS, ids=lambda v: str(v)[:30])
def test_dtypes(value: Any, expected: list[float], dtype: type) -> None:
    array = to_array("x", value)
    assert array.dtype == dtype
    np.testing.assert_array_equal(array.astype(np.float64), expected)


def test_a_frames_columns_share_the_narrowest_dtype_that_holds_all() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [True, False]}, schema={"a": pl.Int64, "b": pl.Boolean})
    assert to_array("x", frame).tolist() == [[1, 1], [2, 0]]
    assert to_array("x", frame).dtype == np.int32
    missing = pd.DataFrame({"a": pd.array([True, None], dtype="boolean"), "b": [7, 8]})
    np.testing.assert_array_equal(to_array("x", missing), [[1, 7], [NAN, 8]])
    assert to_array("x", pl.DataFrame({"a": []})).shape == (0, 1)


TEXT = (
    "Look words up with StringLookup or TextVectorization, convert digits with astype('float32'), "
    "or train from the table with fitwell.tabular."
)
ENCODE = "Encode it as numbers first, or train from the table with fitwell.tabular."
OBJECTS = "Convert it with .astype('float32') after encoding text and filling missing values."
RAGGED = (
    "x: expected rows of one length, received a ragged list (rows of different lengths). "
    "Pad the rows to one length."
)
REFUSED: dict[str, tuple[Any, str]] = {
    "text": (["a", "b"], f"x: expected numbers, received text (first value 'a'). {TEXT}"),
    "a path": ("t.csv", f"x: expected numbers, received text (first value 't.csv'). {TEXT}"),
    "text in polars": (
        pl.Series(["a"]),
        f"x: expected numbers, received text (first value 'a'). {TEXT}",
    ),
    "dates": (
        np.array(["2020-01-31"], "M8[D]"),
        f"x: expected numbers, received dates (first value '2020-01-31'). {ENCODE}",
    ),
    "complex": (
        [1j],
        "x: expected real numbers, received complex numbers. "
        "Pass the real and the imaginary part as two columns.",
    ),
    "ragged": ([[1, 2], [3]], RAGGED),
    "ragged arrays": ([np.ones(2), np.ones(3)], RAGGED),
    "ragged objects": (np.array([[1, 2], [3]], object), RAGGED),
    "objects": (
        np.array([1, None, "a"], object),
        f"x: expected numbers, received text (first value 'a'). {TEXT}",
    ),
    "numbers as text": (
        np.array(["1", "2"], object),
        f"x: expected numbers, received text (first value '1'). {TEXT}",
    ),
    "dates as objects": (
        [datetime.date(2020, 1, 31)],
        "x: expected an array of numbers, received an object array that holds date "
        f"(datetime.date(2020, 1, 31)). {OBJECTS}",
    ),
    "no array": (
        {1, 2},
        "x: expected an array of numbers, received set. Pass an array, a list or a frame.",
    ),
    "None": (
        None,
        "x: expected an array of numbers, received NoneType. Pass an array, a list or a frame.",
    ),
    "a record": (
        np.zeros(2, [("a", "f4")]),
        "x: expected an array of numbers, received a structured array. "
        "Stack its fields as columns: np.stack([a[name] for name in a.dtype.names], 1).",
    ),
    "400 digits": (
        [10**400],
        "x: expected numbers, received a whole number beyond 1e308. Rescale the column.",
    ),
    "a column of text": (
        pd.DataFrame({"age": [1], "city": ["Bern"]}),
        "x: expected columns of numbers, received column 'city' of type String. "
        "Encode (StringLookup does) or drop it, or train from the table with fitwell.tabular.",
    ),
    "a column of dates": (
        pa.table({"born": [datetime.date(2020, 1, 31)]}),
        "x: expected columns of numbers, received column 'born' of type Date. "
        "Encode or drop it, or train from the table with fitwell.tabular.",
    ),
    "two columns of one name": (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "x: expected columns of different names, received repeated names. "
        "Rename or drop the repeated ones.",
    ),
    "no columns": (
        pl.DataFrame(),
        "x: expected a frame with columns, received none. Check the selection.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_array_of_numbers_is_refused(name: str) -> None:
    value, text = REFUSED[name]
    with pytest.raises(InvalidData) as error:
        to_array("x", value)
    assert str(error.value) == text


# In a model


def test_the_same_data_train_identically_by_every_route() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    frame = pd.DataFrame(x, columns=["a", "b"])
    routes: list[tuple[Any, Any]] = [
        (x, y),
        (x.astype(np.float64), y.astype(np.uint8)),
        (jnp.array(x), jnp.array(y)),
        (x.tolist(), y.tolist()),
        (frame, pd.Series(y)),
        (pl.from_pandas(frame), pl.Series(y)),
        (pa.Table.from_pandas(frame), pa.array(y)),
        ({"numbers": x}, y.astype(bool)[:, None]),
    ]
    ends = []
    for one, labels in routes:
        model = fw.Sequential([Input((2,), name="numbers"), Dense(1, activation="sigmoid")], seed=0)
        model.compile("sgd", loss="binary_crossentropy")
        model.fit(one, labels, epochs=2)
        ends.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert len(set(ends)) == 1


def test_small_integers_train_as_the_floats_they_are() -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 2)).astype(np.uint8)
    ends = []
    for array in (x, x.astype(np.float32)):
        model = fw.Sequential([fw.layers.Rescaling(1 / 255), Dense(1)], seed=0)
        model.compile("sgd", loss="mse")
        model.fit(array, array[:, 0] / 255)
        ends.append(model.predict(x).tobytes())
    assert ends[0] == ends[1]
