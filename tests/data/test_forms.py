"""How files are written: encodings, delimiters, names, numbers, dates; found, and said."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import fitwell as fw
from fitwell.data import Table
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile


def read(folder: Path, content: str | bytes, name: str = "t.csv", **options: Any) -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return fw.data.read(path, **options)


def values(table: Table) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = table.frame.to_dict(as_series=False)
    return found


# Text

ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
    "cp1252": "cp1252",
    "latin-1": "cp1252",  # the same bytes for these characters
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding: str, tmp_path: Path) -> None:
    table = read(tmp_path, "Straße,n\nZürich,1\nÖrebro,2\n".encode(encoding))
    assert values(table) == {"Straße": ["Zürich", "Örebro"], "n": [1, 2]}
    assert table.origin.encoding == ENCODINGS[encoding]
    said = ("The file is not in UTF-8: it was read as " + ENCODINGS[encoding] + ".",)
    assert table.notes == (() if encoding.startswith("utf-8") else said)


def test_an_encoding_that_is_named(tmp_path: Path) -> None:
    text = "имя,n\nМосква,1\n"
    assert values(read(tmp_path, text.encode("koi8-r"), encoding="koi8-r"))["имя"] == ["Москва"]
    with pytest.raises(
        InvalidArgument, match="expected an encoding of text, received encoding='x'"
    ):
        read(tmp_path, text, encoding="x")


DELIMITERS = {
    "commas": ("a,b\n1,x y\n2,z\n", ",", [(1, "x y"), (2, "z")]),
    "semicolons": ("a;b\n1;x, y\n2;z\n", ";", [(1, "x, y"), (2, "z")]),
    "tabs": ("a\tb\n1\tx, y\n2\tz\n", "\t", [(1, "x, y"), (2, "z")]),
    "bars": ("a|b\n1|x, y\n2|z\n", "|", [(1, "x, y"), (2, "z")]),
    "spaces": ("  a  b\n  1  7\n 10 77\n", " ", [(1, 7), (10, 77)]),
    "in quotes": ('"a;x;y","b"\n1,"x;y;z"\n', ",", [(1, "x;y;z")]),
    "one column of words": ("full name\nAda Lovelace\nAlan Turing\n", ",", None),
    "named for Excel": ("sep=;\na,b;c\n1;x|y\n2;z\n", ";", [(1, "x|y"), (2, "z")]),
}


@pytest.mark.parametrize("case", DELIMITERS)
def test_delimiters(case: str, tmp_path: Path) -> None:
    content, delimiter, rows = DELIMITERS[case]
    table = read(tmp_path, content)
    assert table.origin.delimiter == delimiter
    assert table.frame.rows() == (rows or [("Ada Lovelace",), ("Alan Turing",)])


def test_the_ending_tells_where_the_first_line_does_not(tmp_path: Path) -> None:
    assert read(tmp_path, "word\nx, y\n", "t.tsv").frame.rows() == [("x, y",)]
    two = read(tmp_path, "a, b, c\td\n1\t2\n", "t.tsv")
    assert values(two) == {"a, b, c": [1], "d": [2]}


def test_a_delimiter_that_is_named(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a:b\n1:2\n", delimiter=":")) == {"a": [1], "b": [2]}
    with pytest.raises(InvalidArgument, match="expected one ASCII character, received delim"):
        read(tmp_path, "a\n1\n", delimiter=";;")


def test_the_line_for_excel_is_no_row_and_is_counted(tmp_path: Path) -> None:
    text = "sep=;\r\na;b\r\n1;x\r\n2;y\r\n"
    for content in (text, '"sep=;"\n' + text[7:], b"\xef\xbb\xbf" + text.encode()):
        table = read(tmp_path, content)
        assert values(table) == {"a": [1, 2], "b": ["x", "y"]}
        assert table.line(0) == 3
    assert read(tmp_path, text, delimiter=",").columns == ["a;b"]
    assert len(read(tmp_path, "sep=|\n1.5|2\n3|4\n")) == 2
    with pytest.raises(InvalidFile, match=r"received 1 value in line 4\."):
        read(tmp_path, "sep=;\r\na;b\r\n1;x\r\n2\n")


def test_years_of_two_digits_are_said() -> None:
    assert fw.data.read({"c": ["31.12.20"]}).notes == (
        "c: '31.12.20' is read as 2020-12-31 (years of two digits are 1969 to 2068).",
    )


IRIS = "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,versicolor\n"
NAMES: dict[str, tuple[str, list[str]]] = {
    "measurements": (IRIS, ["column_1", "column_2", "column_3"]),
    "numbers alone": ("1.5,2\n2,3\n", ["column_1", "column_2"]),
    "letters that come again": ("x,a\ny,b\nx,a\nx,b\ny,a\nx,b\n", ["column_1", "column_2"]),
    "words over numbers": ("a,b\n1,2\n", ["a", "b"]),
    "words over words": ("a,b\nx,y\nu,v\n", ["a", "b"]),
    "years": ("city,2019,2020\nBern,1,2\n", ["city", "2019", "2020"]),
    "counted": ("0,1\n5,6\n", ["0", "1"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_of_columns(case: str, tmp_path: Path) -> None:
    content, names = NAMES[case]
    table = read(tmp_path, content)
    assert table.columns == names
    none = names[0] == "column_1"
    said = "The first line holds values, no names: the columns are called column_1 to column_"
    assert [note[:-2] for note in table.notes] == [said] * none
    assert len(table) == content.count("\n") - (not none)
    assert read(tmp_path, content, header=True).columns == content.split("\n")[0].split(",")
    assert len(read(tmp_path, content, header=False)) == content.count("\n")


# Numbers and dates

D, T = datetime.date, datetime.datetime
COLUMNS: dict[str, tuple[list[str | None], list[Any], str]] = {
    "thousands": (["1,234.5", "7"], [1234.5, 7.0], "1,234.5"),
    "groups of whole numbers": (["1,234,567", "12"], [1234567, 12], "1,234.5"),
    "decimal comma": (["1.234,50", "0,5", None], [1234.5, 0.5, None], "1.234,5"),
    "spaces and comma": (["12 345,5", "1\u202f000"], [12345.5, 1000.0], "1.234,5"),
    "apostrophes": (["1'234.50", "9"], [1234.5, 9.0], "1,234.5"),
    "percent": (["12%", "7.5 %"], [0.12, 0.075], "1,234.5%"),
    "percent with a comma": (["12,5 %", "-3%"], [0.125, -0.03], "1.234,5%"),
    "dollars": (["$1,200.50", "-$5", "$ 7"], [1200.5, -5.0, 7.0], "1,234.5"),
    "euros": (["1.200 €", "5,50 €"], [1200.0, 5.5], "1.234,5"),
    "a comma that may be either groups": (["1,234", "5,678"], [1234, 5678], "1,234.5"),
    "days first": (["31.12.2020", "1.2.2021"], [D(2020, 12, 31), D(2021, 2, 1)], "%d.%m.%Y"),
    "day shown by one": (
        ["31/12/2020", "01/02/2021"],
        [D(2020, 12, 31), D(2021, 2, 1)],
        "%d/%m/%Y",
    ),
    "month first": (["12/31/2020", "01/02/2021"], [D(2020, 12, 31), D(2021, 1, 2)], "%m/%d/%Y"),
    "words": (["31 Dec 2020", "1 Feb 2021"], [D(2020, 12, 31), D(2021, 2, 1)], "%d %b %Y"),
    "American words": (["December 31, 2020"], [D(2020, 12, 31)], "%B %d, %Y"),
    "clock": (["12/31/2020 11:30 PM"], [T(2020, 12, 31, 23, 30)], "%m/%d/%Y %I:%M %p"),
    "offset": (["2020-12-31T10:00:00+01:00"], [T(2020, 12, 31, 9)], "%Y-%m-%dT%H:%M:%S%.f%z"),
    "years of two digits": (["31.12.20", "01.02.69"], [D(2020, 12, 31), D(1969, 2, 1)], "%d.%m.%y"),
    "two digits, month first": (
        ["12/31/99", "1/2/68"],
        [D(1999, 12, 31), D(2068, 1, 2)],
        "%m/%d/%y",
    ),
    "two digits, year first": (["98-12-31"], [D(1998, 12, 31)], "%y-%m-%d"),
    "two digits, a year or a day first": (
        ["31/12/20", "28/02/19"],
        [D(2020, 12, 31), D(2019, 2, 28)],
        "%d/%m/%y",
    ),
    "two digits and words": (
        ["31-Dec-20", "1-Feb-98"],
        [D(2020, 12, 31), D(1998, 2, 1)],
        "%d-%b-%y",
    ),
    "two digits and a clock": (["31.12.20 10:30"], [T(2020, 12, 31, 10, 30)], "%d.%m.%y %H:%M"),
    "India": (["12,34,567.50", "1,000"], [1234567.5, 1000.0], "1,234.5"),
    "Brazil": (["R$ 1.234,50", "R$ 7"], [1234.5, 7.0], "1.234,5"),
    "Sweden": (["1\u2009234,5 kr", "\u22125 kr"], [1234.5, -5.0], "1.234,5"),
    "accounts": (["(1,234.50)", "20"], [-1234.5, 20.0], "1,234.5"),
    "minus behind": (["1.234,50-", "0,5"], [-1234.5, 0.5], "1.234,5"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_forms(case: str) -> None:
    text, expected, form = COLUMNS[case]
    table = fw.data.read({"c": text})
    assert values(table) == {"c": expected}
    assert dict(table.forms) == {"c": form}
    assert len(table.notes) == 1
    assert table.notes[0].startswith(f"c: {text[0]!r} is read as ")
    assert fw.data.read({"c": text[:1]}, forms=table.forms).frame["c"].to_list() == expected[:1]


STAY: dict[str, list[str]] = {
    "day or month": ["03/04/2020", "05/06/2020"],
    "versions": ["1.2.3", "1.3.0"],
    "telephones": ["030 123 456", "040 55 66"],
    "codes": ["12a", "13b"],
    "units": ["5 kg", "6 kg"],
    "mixed signs": ["1,5", "1.5,7.5"],
    "groups of wrong length": ["1,23,456", "7,1,2"],
    "a day that is none": ["31.02.2020", "01.01.2020"],
    "day or month, years of two digits": ["03/04/20", "05/06/20"],
    "addresses": ["12.10.11.200", "12.10.11.201"],
    "grades": ["1-", "2", "2-", "3"],
    "brackets everywhere": ["(1)", "(2)"],
}


@pytest.mark.parametrize("case", STAY)
def test_what_stays_text(case: str) -> None:
    table = fw.data.read({"c": STAY[case]})
    assert values(table) == {"c": STAY[case]}
    assert not table.forms
    if case == "day or month":
        assert table.notes == (
            "c: day and month of '03/04/2020' could be exchanged; it stays text. "
            "Write dates as 2026-01-31.",
        )


def test_other_columns_decide_what_one_leaves_open(tmp_path: Path) -> None:
    table = read(tmp_path, "price;people;on;end\n1,5;1.234;03/04/2020;31/12/2020\n2;950;;\n")
    assert values(table)["people"] == [1234, 950]
    assert values(table)["on"] == [D(2020, 4, 3), None]
    alone = read(tmp_path, "people;x\n1.234;1\n950;2\n")
    assert values(alone)["people"] == [1.234, 950.0]
    comma = read(tmp_path, "a;b\n1,234;x\n5,678;y\n")
    assert values(comma)["a"] == [1.234, 5.678]
    quoted = read(tmp_path, 'a,b\n"1,234",x\n"5,678",y\n')
    assert values(quoted)["a"] == [1234, 5678]


def test_slips_beside_numbers_in_a_form() -> None:
    text = [f"{i},5 €" for i in range(19)] + ["unknown"]
    table = fw.data.read({"c": text})
    assert values(table)["c"] == [f"{i}.5" for i in range(19)] + ["unknown"]


def test_text_of_data_frames_stays_where_it_may_be_meant() -> None:
    frame = pl.DataFrame({"code": ["007", "123"], "flag": ["true", "false"], "n": ["1.5", "2"]})
    table = fw.data.read(frame)
    assert values(table) == {"code": ["007", "123"], "flag": ["true", "false"], "n": [1.5, 2.0]}


# Bad rows

BAD = 'a,b\n1,5" pipe\n2,3\n4\n5,6,7\n\n"8","a ""b""\nc"\n\0,1\n9,"x"y\n10,\xff\n'.encode("latin-1")


def test_bad_rows_are_skipped_and_said(tmp_path: Path) -> None:
    table = read(tmp_path, BAD, encoding="utf-8", skip_bad_rows=True)
    assert values(table) == {"a": [2, 8], "b": ["3", 'a "b"\nc']}
    assert [(row.line, row.column) for row in table.skipped] == [
        (2, 4), (4, 0), (5, 0), (9, 1), (10, 3), (11, 4),
    ]  # fmt: skip
    assert table.notes == (
        "6 rows could not be read and are left out: line 2, column 4 (one in another place); "
        "line 4 (1 value); line 5 (3 values); ...",
    )
    assert [table.line(row) for row in range(2)] == [3, 7]


def test_bad_lines_of_json(tmp_path: Path) -> None:
    content = '{"a": 1}\nnone\n[1]\n{"a": NaN}\n{"a": 2'
    table = read(tmp_path, content, "t.jsonl", skip_bad_rows=True)
    assert values(table) == {"a": [1.0, None]}
    assert [row.line for row in table.skipped] == [2, 3, 5]
    with pytest.raises(InvalidFile, match=r"received something else \(Expecting value\) in line 2"):
        read(tmp_path, content, "t.jsonl")


def test_the_first_line_is_never_skipped(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="in line 1, column 4"):
        read(tmp_path, 'a,b"c\n1,2\n', skip_bad_rows=True)


# Data in memory

BAD_SOURCES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unequal lengths": ({"a": [1], "b": [1, 2]}, {}, "columns of one length, received a: 1, b: 2."),
    "a value for a column": ({"a": 5}, {}, "column a: expected a list of values, received int."),
    "text for a column": ({"a": "xyz"}, {}, "column a: expected a list of values, received str."),
    "one name twice": ({1: [0], "1": [0]}, {}, "received 2 columns called '1'."),
    "mixture": ({"a": [1, "x"]}, {}, "column a: expected values of one type, received a mixture"),
    "images": (pl.Series([0]).to_numpy().reshape(1, 1, 1), {}, "received shape (1, 1, 1)."),
    "names": (pl.Series([0]).to_numpy(), {"names": ["a", "b"]}, "expected 1 names, received 2."),
    "names of a frame": (pl.DataFrame({"a": [1]}), {"names": ["b"]}, "names with an array only"),
}


@pytest.mark.parametrize("case", BAD_SOURCES)
def test_what_is_no_table(case: str) -> None:
    source, options, message = BAD_SOURCES[case]
    with pytest.raises((InvalidData, InvalidArgument)) as caught:
        fw.data.read(source, **options)
    assert message in str(caught.value)


def test_where_a_table_came_from(tmp_path: Path) -> None:
    table = read(tmp_path, b"a;b\n1;2\n")
    origin = table.origin
    assert origin.sha256 == "403bea5152c251c5bc7ef420d824d191605723f99392e83a0549ad58c6d46291"
    assert (origin.format, origin.size, origin.delimiter, origin.header) == ("csv", 8, ";", True)
    assert origin.path == str(tmp_path / "t.csv")
    assert repr(table) == f"<Table: 1 rows, 2 columns, from {tmp_path / 't.csv'}>"
