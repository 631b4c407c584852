"""Whatever a file holds: a right table, or an error with four parts; never another exception."""

from __future__ import annotations

import csv
import datetime
import io
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fitwell as fw
from fitwell.data import Table
from fitwell.data.writing import write_table
from fitwell.errors import FitwellError

FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

WORDS = ["1", "12", "a", "Köln", "NA", "nan", "true", "1e999", "2020-01-31", "31.12.2020", "1,5"]
MARKS = ['""', '"\n', "\r\n", "sep=;\n", '{"a": 1}\n', '{"a": [1], "b": "']
HOSTILE = st.sampled_from(
    [*',;\t| "\n\r.-+%$€é\0\ufeff\x1e\x1f', *WORDS, *MARKS, "9" * 30, "x" * 300],
)
CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(HOSTILE, max_size=40).map("".join).map(str.encode),
    st.lists(HOSTILE, max_size=40).map("".join).map(lambda text: text.encode("utf-16")),
    st.tuples(st.lists(HOSTILE, max_size=20).map("".join).map(str.encode), st.binary(max_size=9))
    .map(lambda two: b"a,b\n1,2\n" + two[0] + two[1]),
)  # fmt: skip


def read(content: bytes, name: str, **options: Any) -> Table | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            return fw.data.read(path, **options)
        except FitwellError as error:
            parts = (error.subject, error.expected, error.received, error.cure)
    assert all(parts)
    return None


@given(CONTENT, st.sampled_from(["t.csv", "t.jsonl"]), st.booleans())
@FEW
def test_anything_is_a_table_or_an_error(content: bytes, name: str, skip: bool) -> None:
    table = read(content, name, skip_bad_rows=skip)
    if table is not None:
        assert len(table) >= 1
        assert len(set(table.columns)) == len(table.columns) >= 1


@given(st.binary(max_size=80), st.sampled_from(["t.parquet", "t.npz"]), st.booleans())
@FEW
def test_damaged_archives(content: bytes, name: str, inside: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_table(pl.DataFrame({"a": [1, 2], "b": ["x", None]}), path)
        whole = path.read_bytes()
    middle = len(whole) // 2
    read(whole[:middle] + content + whole[middle + 3 :] if inside else content, name)


def by_the_csv_module(text: str) -> list[list[str]] | None:
    """The rows without blank ones; None if there are bad ones."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None
    return rows if rows and len({len(row) for row in rows}) == 1 else None


CELLS = st.lists(
    st.sampled_from([*',"\n', '""', ' ', '"a"', '"a,b"', '"\n"', "\r\n", "1", "a", "ß", ",", "\n"]),
    max_size=25,
)  # fmt: skip


@given(CELLS.map("".join))
@settings(FEW, max_examples=150)
def test_values_are_those_of_the_csv_module(text: str) -> None:
    text = "first,second\n" + text
    names = ["first", "second"]
    table = read(text.encode(), "t.csv", delimiter=",", header=True, text=names)
    rows = by_the_csv_module(text)
    if rows is None:
        # Python forgives a mark in the middle of a value, which is refused here.
        assert table is None
    elif '"' not in text and len(rows) > 1:
        assert table is not None
    if rows is not None and table is not None:
        assert table.frame.rows() == [tuple(v or None for v in row) for row in rows[1:]]
        assert table.columns == names


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (pl.String, TEXT),
    "whole": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "real": (pl.Float64, st.floats(allow_nan=False, allow_infinity=False)),
    "flag": (pl.Boolean, st.booleans()),
    "day": (pl.Date, st.dates(datetime.date(1000, 1, 1))),
}


@st.composite
def frames(draw: Any) -> pl.DataFrame:
    rows = draw(st.integers(1, 6))
    chosen = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True))
    columns = []
    for name in chosen:
        dtype, values = KINDS[name]
        some = st.lists(st.none() | values, min_size=rows, max_size=rows)
        column = draw(some.filter(lambda v: any(one is not None for one in v)))
        columns.append(pl.Series(name, column, dtype))
    return pl.DataFrame(columns)


@given(frames(), st.sampled_from(["t.csv", "t.tsv", "t.parquet", "t.jsonl"]))
@settings(FEW, max_examples=120)
def test_what_is_written_is_read_back(frame: pl.DataFrame, name: str) -> None:
    header = True if name.endswith("sv") else None
    with tempfile.TemporaryDirectory() as folder:
        write_table(frame, Path(folder) / name)
        found = fw.data.read(Path(folder) / name, text=["text"], header=header)
    if "text" in frame.columns and name.endswith("sv"):
        # A file of text does not tell "" from nothing.
        frame = frame.with_columns(pl.col("text").replace("", None))
    assert found.frame.equals(frame)
