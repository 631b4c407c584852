"""The encoder: values by hand, against scikit-learn, and properties for every table."""

from __future__ import annotations

import datetime
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, RobustScaler

from fitwell.data.columns import Column, infer_columns
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.features import CategoryColumn, DateColumn, NumberColumn
from fitwell.data.tables import read_table
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, InvalidFile


def encoder_of(frame: pl.DataFrame, **kinds: str) -> TableEncoder:
    return fit_encoder(frame, infer_columns(frame, kinds=kinds))


def test_numbers_equal_the_robust_scaling_of_scikit_learn() -> None:
    x = np.random.default_rng(0).lognormal(size=101)
    encoder = encoder_of(pl.DataFrame({"x": x}))
    z = RobustScaler().fit_transform(x[:, None])
    expected = z / np.sqrt(1 + (z / 3) ** 2)
    np.testing.assert_allclose(encoder.transform(pl.DataFrame({"x": x})), expected, rtol=1e-6)


def test_number_features_by_hand() -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0, 2.0, 3.0, 4.0, None]})
    encoder = encoder_of(frame)
    # Median 2, quartiles 1 and 3: z = (x - 2) / 2, feature z / sqrt(1 + (z / 3)^2).
    assert encoder.columns == (NumberColumn("x", 2.0, 0.5, True, low=0.0, high=4.0),)
    assert encoder.feature_names == ("x", "x is missing")
    one = 1 / math.sqrt(1 + 1 / 9)
    out = encoder.transform(pl.DataFrame({"x": [4.0, None, 2.0, 1e300]}))
    np.testing.assert_allclose(out, [[one, 0], [0, 1], [0, 0], [3, 0]], rtol=1e-7)


def test_quartiles_that_are_equal_fall_back_to_the_range() -> None:
    assert encoder_of(pl.DataFrame({"x": [0, 0, 0, 0, 0, 0, 0, 4]})).columns == (
        NumberColumn("x", 0.0, 0.5, low=0.0, high=4.0),  # 2 / (max - min)
    )
    constant = fit_encoder(pl.DataFrame({"x": [7.0, 7.0]}), [Column("x", "number")])
    assert constant.transform(pl.DataFrame({"x": [7.0, 8.0]})).tolist() == [[0.0], [0.0]]


def test_categories_equal_the_one_hot_encoding_of_scikit_learn() -> None:
    words = np.random.default_rng(0).choice(list("abcde"), size=60)
    frame = pl.DataFrame({"w": words})
    expected = OneHotEncoder(sparse_output=False).fit_transform(words[:, None])
    assert (encoder_of(frame).transform(frame) == expected).all()


def test_unseen_rare_and_missing_categories() -> None:
    frame = pl.DataFrame({"c": ["b", "b", "a", "a", "rare", None]})
    encoder = encoder_of(frame)
    assert encoder.feature_names == ("c=a", "c=b", "c is missing", "c=(other)")
    out = encoder.transform(pl.DataFrame({"c": ["a", "b", None, "rare", "never seen"]}))
    assert out.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_without_rare_values_the_bucket_of_the_unseen_is_zero_everywhere() -> None:
    encoder = encoder_of(pl.DataFrame({"c": ["a", "b", "c"] * 2}))
    assert encoder.transform(pl.DataFrame({"c": ["zzz", None]})).tolist() == [[0, 0, 0], [0, 0, 0]]
    two = encoder_of(pl.DataFrame({"c": ["m", "f"] * 2}))
    assert two.feature_names == ("c=m",)
    assert two.transform(pl.DataFrame({"c": ["m", "f", "x"]})).tolist() == [[1], [-1], [0]]


def test_at_most_a_hundred_categories_have_a_feature_of_their_own() -> None:
    values = [f"v{i:03}" for i in range(150) for _ in range(3 if i < 30 else 2)]
    column = encoder_of(pl.DataFrame({"c": values})).columns[0]
    assert isinstance(column, CategoryColumn)
    assert column.values == tuple(f"v{i:03}" for i in range(100))
    assert column.other


def test_truth_values_dates_and_presence() -> None:
    frame = pl.DataFrame(
        {
            "flag": [True, False, None],
            "when": [
                datetime.datetime(2020, 1, 6, 12, 30),
                datetime.datetime(2021, 1, 5),
                datetime.datetime(2022, 1, 6),
            ],
            "note": ["some words", "other words", None],
        }
    )
    encoder = fit_encoder(
        frame, [Column("flag", "boolean"), Column("when", "date"), Column("note", "id")]
    )
    assert encoder.feature_names == (
        "flag",
        "flag is missing",
        "when year",
        "when day",
        "when weekday",
        "when hour",
        "when time",
        "note is present",
    )
    dates = encoder.columns[1]
    assert isinstance(dates, DateColumn)
    assert [(p.name, p.center) for p in dates.parts] == [
        ("when year", 2021.0),
        ("when day", 6.0),
        ("when weekday", 2.0),  # Monday 6, Tuesday 5, Thursday 6 January
        ("when hour", 0.0),
        ("when time", 18632.0),  # 5 January 2021 is 51 * 365 + 13 leap days + 4 after 1970 began
    ]
    out = encoder.transform(frame)
    assert out[:, 0].tolist() == [1, -1, 0]
    assert out[:, 1].tolist() == [0, 0, 1]
    assert out[:, 7].tolist() == [1, 1, -1]
    assert out[0, 5] == pytest.approx(2 / math.sqrt(1 + 4 / 9))  # (12.5 - 0) / 6.25 = 2


def test_moments_with_a_time_zone_are_turned_into_utc() -> None:
    moment = datetime.datetime(2020, 1, 1, 23, 0)
    local = pl.Series([moment, moment + datetime.timedelta(days=40)])
    tokyo = local.dt.replace_time_zone("Asia/Tokyo").to_frame("t")
    utc = pl.DataFrame({"t": local - datetime.timedelta(hours=9)})
    encoder = encoder_of(utc)
    assert (encoder.transform(tokyo) == encoder.transform(utc)).all()


TRAIN = pl.DataFrame(
    {
        "age": [20.0, 30.0, 41.0],
        "city": ["a", "b", "a"],
        "on": [True, False, True],
        "d": ["2020-01-01", "2021-01-01", "2022-01-01"],
    }
)

REFUSED = {
    "text in numbers": (
        {"age": ["1", "abc", "2"]},
        "column age: expected numbers, received 'abc' in "
        "row 2. Correct the value or leave it empty.",
    ),
    "infinite": (
        {"age": [1.0, 2.0, math.inf]},
        "column age: expected finite numbers, received inf in row 3.",
    ),
    "dates in numbers": (
        {"age": [datetime.date(2020, 1, 1)] * 3},
        "column age: expected numbers, received datetime.date(2020, 1, 1) in row 1.",
    ),
    "numbers in truth values": (
        {"on": [0, 1, 2]},
        "column on: expected true or false, received 2 in row 3.",
    ),
    "no date": (
        {"d": ["2020-01-01", "soon", None]},
        "column d: expected dates such as 2026-01-31, received 'soon' in row 2.",
    ),
    "numbers for dates": (
        {"d": [1, 2, 3]},
        "column d: expected dates such as 2026-01-31, received 1 in row 1.",
    ),
    "lists": ({"city": [["a"], ["b"], []]}, "column city: expected single values, received "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_of_another_type(case: str) -> None:
    columns, message = REFUSED[case]
    encoder = encoder_of(TRAIN)
    frame = TRAIN.with_columns([pl.Series(name, values) for name, values in columns.items()])
    with pytest.raises(InvalidData, match=re.escape(message)):
        encoder.transform(frame)


def test_missing_and_extra_columns() -> None:
    encoder = encoder_of(TRAIN)
    extra = TRAIN.with_columns(pl.lit(5).alias("extra")).select("extra", "d", "on", "city", "age")
    assert (encoder.transform(extra) == encoder.transform(TRAIN)).all()
    message = (
        "table: expected the column 'age', as in training, received the columns Age, city, on, d. "
        "Is it called 'Age' now? Rename it."
    )
    with pytest.raises(InvalidData, match=re.escape(message)):
        encoder.transform(TRAIN.rename({"age": "Age"}))
    with pytest.raises(
        InvalidData, match=r"the column 'city'.* received the columns age, on, d\. Add it"
    ):
        encoder.transform(TRAIN.drop("city"))


def number(**changes: Any) -> dict[str, Any]:
    args = {"name": "a", "center": 0.0, "scale": 1.0, **changes}
    return {"class": "NumberColumn", "args": args}


HOSTILE = {
    "no list": {"class": "NumberColumn"},
    "a number": 5,
    "foreign class": [{"class": "os.system", "args": {"command": "true"}}],
    "unknown argument": [number(x=1)],
    "not finite": [number(center={"number": "nan"})],
    "text for a number": [number(center="0")],
    "number for a name": [{"class": "PresenceColumn", "args": {"name": 5}}],
    "values that are no list": [
        {"class": "CategoryColumn", "args": {"name": "a", "values": "abc"}}
    ],
    "parts that are no columns": [{"class": "DateColumn", "args": {"name": "a", "parts": [1]}}],
    "part of another column": [
        {"class": "DateColumn", "args": {"name": "a", "parts": [number(name="b year")]}}
    ],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_damaged_description_is_refused(case: str) -> None:
    with pytest.raises(FitwellError) as caught:
        TableEncoder.from_json(HOSTILE[case])
    assert isinstance(caught.value, InvalidFile | InvalidArgument | TypeError)


# Properties

floats = st.one_of(
    st.none(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, 1.0, 2.5])
)
words = st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["a", "b", "?", "1", "true"]))
sentences = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["red", "blue", "Haus", "\u8f66", "1"]), max_size=4).map(" ".join),
    st.text(max_size=12),
)
moments = st.one_of(
    st.none(), st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))
)
flags, whole = st.one_of(st.none(), st.booleans()), st.integers(-(2**63), 2**63 - 1)
columns = {
    "number": floats,
    "category": words,
    "text": sentences,
    "date": moments,
    "boolean": flags,
    "id": whole,
}


@st.composite
def frames(draw: Any) -> pl.DataFrame:
    rows = draw(st.integers(2, 25))
    kinds = draw(st.lists(st.sampled_from(list(columns)), min_size=1, max_size=4))
    return pl.DataFrame(
        {
            f"{kind}{i}": draw(st.lists(columns[kind], min_size=rows, max_size=rows))
            for i, kind in enumerate(kinds)
        }
    )


@given(frames(), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_table_is_encoded_and_its_encoder_survives_json(
    frame: pl.DataFrame, named: bool
) -> None:
    full = frame.with_columns(pl.Series("u", [0.5] * (frame.height - 1) + [1.5]))
    kinds = {name: name.rstrip("0123456789") for name in frame.columns} if named else {}
    encoder = encoder_of(full, **kinds)
    assert fit_encoder(full, infer_columns(full, kinds=kinds)) == encoder
    out = encoder.transform(full)
    assert out.shape == (frame.height, len(encoder.feature_names))
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert abs(out).max() <= 3
    read = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert read == encoder
    assert read.transform(full).tobytes() == out.tobytes()
    shuffled = np.random.default_rng(0).permutation(frame.height)
    assert (encoder.transform(full[shuffled]) == out[shuffled]).all()
    assert (encoder.transform(full[:1]) == out[:1]).all()


# The same table by six routes

plain_text = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=5)


@st.composite
def tables(draw: Any) -> pl.DataFrame:
    rows = draw(st.integers(3, 15))

    def column(values: Any) -> list[Any]:
        return draw(st.lists(st.one_of(st.none(), values), min_size=rows, max_size=rows))

    return pl.DataFrame(
        {
            "real": column(st.floats(-1e6, 1e6)),
            "whole": column(st.integers(-(2**40), 2**40)),
            "flag": column(st.booleans()),
            "word": column(st.one_of(plain_text, st.sampled_from(["ja", "nein", "vielleicht"]))),
            "moment": column(
                st.datetimes(datetime.datetime(1980, 1, 1), datetime.datetime(2050, 1, 1))
            ),
            "u": [0.5, 1.5] + [2.5] * (rows - 2),
        },
        schema={
            "real": pl.Float64,
            "whole": pl.Int64,
            "flag": pl.Boolean,
            "word": pl.String,
            "moment": pl.Datetime("us"),
            "u": pl.Float64,
        },
    )


@given(tables())
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_six_routes_give_one_array(tmp_path: Path, table: pl.DataFrame) -> None:
    table.write_csv(tmp_path / "t.csv")
    table.write_csv(tmp_path / "t.tsv", separator="\t")
    table.write_parquet(tmp_path / "t.parquet")
    files = [tmp_path / "t.csv", tmp_path / "t.tsv", tmp_path / "t.parquet"]
    routes = [table, table.to_pandas(), pa.table(table.to_arrow()), *files]
    read = [read_table(source) for source in routes]
    encoders = [encoder_of(frame) for frame in read]
    assert all(encoder == encoders[0] for encoder in encoders)
    arrays = [encoders[0].transform(frame) for frame in read]
    assert all(array.tobytes() == arrays[0].tobytes() for array in arrays)


def test_numbers_far_from_those_of_training_are_said() -> None:
    """Training saw 10 to 30: 20 wide, so -10 to 50 is near enough."""
    encoder = encoder_of(pl.DataFrame({"x": [10.0, 20.0, 30.0], "unit": [1.5, 1.5, 2.5]}))
    near = pl.DataFrame({"x": [-10.0, 50.0, None], "unit": [1.5, 3.0, 1.0]})
    assert [note.partition(";")[0] for note in encoder.surprises(near)] == [
        "x: 1 row has no value, as none had in training"
    ]
    far = pl.DataFrame({"x": [51.0, 20.0, -11.0], "unit": [1.5, 1.5, 1.5]})
    assert encoder.surprises(far) == (
        "x: 2 rows hold 51, ..., far from what training saw (10 to 30); the prediction is a guess "
        "there.",
    )
    assert TableEncoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


def test_dates_far_from_those_of_training_are_said() -> None:
    days = [datetime.date(2020 + i % 2, 1 + i, 3) for i in range(6)]
    encoder = encoder_of(pl.DataFrame({"day": days}))
    frame = pl.DataFrame({"day": [datetime.date(2022, 5, 1), datetime.date(2023, 5, 1)]})
    (note,) = encoder.surprises(frame)
    assert note.startswith("day year: 1 row holds 2023, far from what training saw (2020 to 2021)")
