"""Reading tables: right values, and a message for everything that is no table."""

from __future__ import annotations

import datetime
import random
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.datasets

from fitwell.data.reading import read
from fitwell.data.tables import read_table
from fitwell.data.writing import write_table
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, InvalidFile, UnknownName


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


DAY = datetime.date(2020, 1, 31)

READS = {
    "types": (
        "whole,real,flag,day,word\n1,1.5,true,2020-01-31,x\n-2,1e3,False,2020-01-31,7a\n",
        {
            "whole": [1, -2],
            "real": [1.5, 1000.0],
            "flag": [True, False],
            "day": [DAY, DAY],
            "word": ["x", "7a"],
        },
    ),
    "missing words": (
        "a,b\n,x\nNA,NULL\nn/a,?\nNaN,y\nnan,z\n3,\n",
        {"a": [None, None, None, None, None, 3], "b": ["x", None, None, "y", "z", None]},
    ),
    "spaces around names and values": (" a , b\n 1 ,  x y \n", {"a": [1], "b": ["x y"]}),
    "quotes": ('a,b\n"x, ""y""",1\n"two\nlines",2\n', {"a": ['x, "y"', "two\nlines"], "b": [1, 2]}),
    "tabs": ("a\tb\n1\tx,y\n", {"a": [1], "b": ["x,y"]}),
    "semicolons, decimal commas": ("a;b\n1,5;x,y\n2;z\n", {"a": [1.5, 2.0], "b": ["x,y", "z"]}),
    "blank lines": ("\n\na,b\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
    "blank line in a single column": ("a\n1\n\n3\n", {"a": [1, None, 3]}),
    "byte order mark, CRLF, no last line end": (
        "\ufeffa,b\r\n1,2\r\n3,4",
        {"a": [1, 3], "b": [2, 4]},
    ),
    "old line ends": ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
    "no name": (",a\n0,5\n1,6\n", {"column_1": [0, 1], "a": [5, 6]}),
    "counted names": ("0,1\n5,6\n", {"0": [5], "1": [6]}),
    "very wide whole numbers": (
        "a\n123456789012345678901234\n1\n",
        {"a": [1.2345678901234568e23, 1.0]},
    ),
    "moments": (
        "t\n2020-01-31 10:30:00\n2020-01-31 11:30:00.5\n",
        {
            "t": [
                datetime.datetime(2020, 1, 31, 10, 30),
                datetime.datetime(2020, 1, 31, 11, 30, 0, 500000),
            ]
        },
    ),
    "day and month could be exchanged": ("t\n03/04/2020\n", {"t": ["03/04/2020"]}),
}


@pytest.mark.parametrize("case", READS)
def test_text_files(case: str, tmp_path: Path) -> None:
    content, expected = READS[case]
    frame = read_table(write(tmp_path, "t.csv", content))
    assert frame.to_dict(as_series=False) == expected


def test_columns_kept_as_text(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "code,n\n007,1\n008,2\n")
    assert read_table(path)["code"].to_list() == [7, 8]
    assert read_table(path, text=["code"]).to_dict(as_series=False) == {
        "code": ["007", "008"],
        "n": [1, 2],
    }


def test_json_lines_and_parquet(tmp_path: Path) -> None:
    lines = write(tmp_path, "t.jsonl", '{"a": 1, "b": "x"}\n{"a": null, "b": "007"}\n')
    assert read_table(lines).rows() == [(1, "x"), (None, "007")]
    pl.DataFrame({"a": [1.0, float("nan")], "b": ["x", None]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").rows() == [(1.0, "x"), (None, None)]


def test_bundled_sets_are_those_of_scikit_learn() -> None:
    frame = read_table("sklearn:breast_cancer")
    bunch = sklearn.datasets.load_breast_cancer()
    assert frame.columns == [*bunch.feature_names, "target"]
    assert (frame.drop("target").to_numpy() == bunch.data).all()
    assert frame["target"].to_list() == [bunch.target_names[i] for i in bunch.target]
    assert read_table("sklearn:digits")["target"].to_list() == list(range(10)) * 1 + list(
        sklearn.datasets.load_digits().target[10:]
    )
    assert read_table("sklearn:diabetes")["target"].sum() == 67243.0


def test_categoricals_decimals_and_names_of_frames() -> None:
    frame = pd.DataFrame({0: pd.Categorical(["u", None]), " b ": [1, 2]})
    assert read_table(frame).to_dict(as_series=False) == {"0": ["u", None], "b": [1, 2]}
    decimals = pl.DataFrame({"a": pl.Series(["1.5", "2"]).cast(pl.Decimal(10, 2))})
    assert read_table(decimals)["a"].to_list() == [1.5, 2.0]


def test_pandas_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    days = pd.to_datetime(["2020-01-31", None])
    frame = pd.DataFrame(
        {
            "object": pd.Series(["x", None], dtype=object),
            "text": pd.Series(["y", pd.NA], dtype=pd.StringDtype("python")),
            "category": pd.Categorical(["u", None]),
            "truth": pd.array([True, None], dtype="boolean"),
            "whole": pd.array([1, None], dtype="Int64"),
            "real": [0.5, float("nan")],
            "day": days,
        }
    )
    mixed = pd.DataFrame({"a": pd.Series([1, "x"], dtype=object)})
    for module in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    read = read_table(frame)
    assert read.row(0) == ("x", "y", "u", True, 1, 0.5, datetime.datetime(2020, 1, 31))
    assert read.row(1) == (None,) * 7
    with pytest.raises(InvalidData, match="column a: expected values of one type, received a mix"):
        read_table(mixed)


NOISE = random.Random(0).randbytes(5000)

BAD_FILES = {
    "too few": (
        "t.csv",
        "a,b\n1,2\n3\n",
        "expected 2 values in every row, as in its first line, "
        "received 1 value in line 3. Correct the line; a value that holds the separator needs "
        "quotes around it.",
    ),
    "too many": ("t.csv", "a,b\n1,2,3\n", "received 3 values in line 2."),
    "header only": (
        "t.csv",
        "a,b\n",
        "expected at least one row, received none. Give a table with data in it.",
    ),
    "blank lines only": ("t.csv", "\n\n", "expected at least one row, received none."),
    "empty": (
        "t.csv",
        "",
        "expected a table, received an empty file. Check how the file was made.",
    ),
    "repeated name": (
        "t.csv",
        "a, a\n1,2\n",
        "expected every column to have a name of its own, "
        "received 2 columns called 'a'. Rename or delete all but one.",
    ),
    "picture": (
        "t.csv",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "expected a table, received binary data. Give a CSV, TSV, Parquet, JSON-lines or "
        "NPZ file, or name the encoding of a text.",
    ),
    "noise": ("t.tsv", NOISE, "expected a table, received binary data."),
    "bytes that are no text": (
        "t.csv",
        "a,b\nä,ö\n1,ü".encode() + b"\xff\n",
        "expected characters of its encoding, received the byte 0xff in line 3, column 4. Save the "
        "table in UTF-8, or name its encoding (encoding='cp1252'). Or skip such rows: "
        "skip_bad_rows=True, --skip-bad-rows on the command line.",
    ),
    "the character zero": (
        "t.csv",
        "a,b\n1,2\n\0,3\n",
        "expected characters of its encoding, received the character zero in line 3, column 1.",
    ),
    "quote in a word": (
        "t.csv",
        'a,b\n1,5" pipe\n',
        "expected quotation marks around whole values only, received one in another place in line "
        '2, column 4. Write "5"" pipe" for 5" pipe, and end every quoted value.',
    ),
    "quote without end": (
        "t.csv",
        'a,b\n1,"x\n3,4\n',
        "received one in another place in line 2, column 3.",
    ),
    "text behind a quote": (
        "t.csv",
        'a,b\n1,2\n"x"y,4\n',
        "received one in another place in line 3, column 1.",
    ),
    "no parquet": (
        "t.parquet",
        b"PAR1 and nothing",
        "expected a table, received no Parquet file: ",
    ),
    "noise as parquet": ("t.parquet", NOISE, "expected a table, received no Parquet file: "),
    "no object": (
        "t.jsonl",
        '{"a": 1}\n[2]\n',
        'expected one JSON object per line, such as {"age": '
        '31, "city": "Bern"}, received a JSON list in line 2. ',
    ),
    "half an object": ("t.jsonl", '{"a": 1', "Write one row as one object on one line."),
    "other ending": (
        "t.xlsx",
        b"PK",
        "expected one of the endings .csv, .tsv, .tab, .txt, .parquet, "
        ".pq, .jsonl, .ndjson, .npz, received '.xlsx'. Save or export the table as CSV or "
        "Parquet.",
    ),
    "no ending": ("t", b"a", "received a name without an ending."),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_hold_no_table(case: str, tmp_path: Path) -> None:
    name, content, message = BAD_FILES[case]
    path = write(tmp_path, name, content)
    with pytest.raises(FitwellError, match=re.escape(message)) as caught:
        read_table(path)
    assert isinstance(caught.value, InvalidFile | InvalidData)
    assert name in caught.value.subject


@pytest.mark.parametrize(
    ("source", "option", "message"),
    [
        ("t.csv", {"names": ["a"]}, "no names= with a .csv file, received names=('a',). Leave it "
         "out, or rename the columns of the table."),
        ("t.jsonl", {"header": False}, "no header= with a .jsonl file, received header=False."),
        (".", {"delimiter": ";"}, "no delimiter= with a folder of images, received delimiter=';'."),
        (".", {"text": ["a"]}, "no text= with a folder of images, received text="),
        ("sklearn:iris", {"encoding": "utf-8"}, "no encoding= with a data set of scikit-learn, "),
        ({"a": [1]}, {"delimiter": ";"}, "no delimiter= with data in memory, received delimiter"),
        ("table", {"names": ["a"]}, "no names= with a Table, received names=('a',)."),
    ],
)  # fmt: skip
def test_options_that_say_nothing_are_refused(
    source: object, option: dict[str, Any], message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write(tmp_path, "t.csv", "a\n1\n")
    write(tmp_path, "t.jsonl", '{"a": 1}\n')
    monkeypatch.chdir(tmp_path)
    given = read({"a": [1]}) if source == "table" else source
    with pytest.raises(InvalidArgument, match=re.escape(f"read: expected {message}")):
        read(given, **option)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    write(tmp_path, "titanic.csv", "a\n1\n")
    with pytest.raises(InvalidFile, match=r"none of this name\. Did you mean titanic\.csv\?"):
        read_table(tmp_path / "titanik.csv")
    with pytest.raises(InvalidFile, match=r"The folder .*nowhere does not exist either\."):
        read_table(tmp_path / "nowhere" / "t.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidFile, match=r"There are no tables in .*empty\."):
        read_table(str(tmp_path / "empty" / "t.csv"))
    with pytest.raises(InvalidFile, match=r"received a folder\. Give a file inside it; "):
        read_table(tmp_path)


BAD_SOURCES = {
    "a number": (5, InvalidData, "received int. Name the columns"),
    "a lazy frame": (pl.LazyFrame({"a": [1]}), InvalidData, "call .collect() on a lazy frame."),
    "no rows": (pl.DataFrame({"a": []}), InvalidData, "expected at least one row, received none."),
    "no columns": (pl.DataFrame(), InvalidData, "expected at least one row, received none."),
    "repeated name, pandas": (
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        InvalidData,
        "received 2 columns called 'a'.",
    ),
    "repeated name, pyarrow": (
        pa.table([[1], [2]], names=["a", "a"]),
        InvalidData,
        "received 2 columns called 'a'.",
    ),
    "names equal but for spaces": (
        pl.DataFrame({"a": [1], "a ": [2]}),
        InvalidData,
        "received 2 columns called 'a'.",
    ),
    "mixture": (
        pd.DataFrame({"a": [1, "x"]}),
        InvalidData,
        "column a: expected values of one type, received a mixture: Could not convert",
    ),
    "misspelt bundled set": ("sklearn:irsi", UnknownName, "received 'irsi'. Did you mean iris?"),
    "needs a download": (
        "sklearn:california_housing",
        UnknownName,
        "received 'california_housing', which it would have to download. "
        "Download it yourself and give its CSV or Parquet file.",
    ),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_sources_that_hold_no_table(case: str) -> None:
    source, error, message = BAD_SOURCES[case]
    with pytest.raises(error, match=re.escape(message)):
        read_table(source)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    frame = pl.DataFrame({"word": ["a, b", None], "n": [0.1, 1e300], "i": [1, -(2**62)]})
    for name in ("t.csv", "t.tsv", "t.parquet", "t.jsonl"):
        write_table(frame, tmp_path / name)
        assert read_table(tmp_path / name).equals(frame)
