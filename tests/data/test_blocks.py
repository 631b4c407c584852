"""Large tables: blocks of a file and batches of rows give what the whole gives at once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fitwell as fw
from fitwell.data import delimited, json_lines, matrices
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import fit_encoder
from fitwell.data.sources import ArraySource
from fitwell.errors import FitwellError
from fitwell.training import Batch

LINES = ["1,2", "3,b", "4.5,", ",NA", '"x, y",1', '"two\nlines",2', "1.234,7", '"""",""', "ä,ö"]
BAD = ['5" pipe,1', '"a"b,1', "1,2,3", "1", "", "\0,1", '"open,1']
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", '"', ""])
PIECES = st.builds(str.__add__, st.sampled_from([*LINES, *LINES, *BAD]), ENDS)


def outcome(path: Path, block: int, skip: bool) -> object:
    """What reading gives: values, lines, skipped rows; or the error's text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK", block)
        patch.setattr(json_lines, "_BLOCK", block)
        given: dict[str, Any] = (
            {} if path.suffix == ".jsonl" else {"delimiter": ",", "header": True}
        )
        try:
            table = fw.data.read(path, skip_bad_rows=skip, **given)
        except FitwellError as error:
            return str(error)
    lines = [table.line(row) for row in range(len(table))]
    return table.frame.to_dict(as_series=False), lines, table.skipped, table.notes


@given(st.lists(PIECES, max_size=25).map("".join), st.integers(1, 40), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_blocks_make_no_difference(text: str, block: int, skip: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(("p,q\n" + text).encode())
        assert outcome(path, block, skip) == outcome(path, 2**20, skip)


OBJECTS = ['{"a": 1, "b": "x"}', '{"a": 2}', '{"a": -7, "b": null}', '{"b": "007", "c": true}']
OTHERS = [
    '{"a": 2.5}',
    '{"a": "x"}',
    '{"c": 3}',
    '{"d": [1]}',
    '{"a": 1e400}',
    '{"a": 9223372036854775808}',
]
SPOILT = ["", "none", "[1]", '{"a": NaN}', '{"a": 1', '{"d": {"e": "f"}}']
JSON = st.sampled_from([*OBJECTS * 3, *OTHERS, *SPOILT])


@given(st.lists(JSON, max_size=20).map("\n".join), st.integers(1, 90), st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_blocks_of_json_lines_make_no_difference(text: str, block: int, skip: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text('{"b": "y"}\n' + text)
        assert outcome(path, block, skip) == outcome(path, 2**20, skip)


def test_json_lines_by_hand(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"a": 1, "b": 2}\n{"a": "x"}\n{"b": 2.5, "c": 1}\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_BLOCK", 5)
        frame = fw.data.read(tmp_path / "t.jsonl").frame
    assert frame.to_dict(as_series=False) == {
        "a": ["1", "x", None],
        "b": [2.0, None, 2.5],
        "c": [None, None, 1],
    }


def test_a_column_whose_later_blocks_are_no_numbers_is_read_again(tmp_path: Path) -> None:
    rows = [f"{i:03},{i}" for i in range(500)] + ["x7,1"]
    (tmp_path / "t.csv").write_text("code,n\n" + "\n".join(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK", 100)
        frame = fw.data.read(tmp_path / "t.csv").frame
    assert frame["code"].to_list() == [f"{i:03}" for i in range(500)] + ["x7"]
    assert frame["n"].to_list() == [*range(500), 1]


def encoder_and_frame() -> tuple[fw.data.encoding.TableEncoder, pl.DataFrame]:
    draw = np.random.default_rng(0)
    words = draw.choice(["a", "b", "c"], 90)
    frame = pl.DataFrame({"x": draw.normal(size=90), "w": words, "n": draw.integers(0, 9, 90)})
    return fit_encoder(frame, infer_columns(frame)), frame


@pytest.mark.parametrize("largest", [0, 10**9])
def test_batches_of_rows(largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, frame = encoder_and_frame()
    rows = np.arange(0, 90, 2)
    whole = matrices.encode_rows(encoder, frame, rows)
    assert (whole == encoder.transform(frame)[rows]).all()
    monkeypatch.setattr(matrices, "BATCH", 7)
    monkeypatch.setattr(matrices, "LARGEST", largest)
    batched = matrices.encode_rows(encoder, frame, rows)
    assert batched.tobytes() == whole.tobytes()
    assert isinstance(batched, np.memmap) == (largest == 0)


def test_pages_of_a_file_are_given_back(tmp_path: Path) -> None:
    data = np.memmap(tmp_path / "x", np.float32, "w+", shape=(2**16 + 64, 256))  # 64 MB
    data[:] = np.arange(len(data), dtype=np.float32)[:, None]
    ones = np.ones(len(data), np.float32)
    source = ArraySource(Batch((data[:],), (ones,), (None,), ones), 64, 64, shuffle=False)

    def mapped() -> int:
        text = Path("/proc/self/status").read_text()
        return int(text.split("RssFile:")[1].split()[0])

    before = mapped()
    batch, count = source.chunk(0, 1000, 2)
    assert count == 2
    assert batch.x[0][1, 3, 5] == 1001 * 64 + 3  # what was written is there
    assert mapped() < before - 50_000


def test_the_linear_model_learns_from_some_of_very_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from fitwell.tabular import training

    monkeypatch.setattr(training, "_MOST_ROWS", 10)
    assert training._joined(np.arange(12), np.arange(100, 108)).tolist() == [
        *range(0, 12, 2),
        *range(100, 108, 2),
    ]
