"""A full disk or a killed run leaves the last whole file: tables and models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import fitwell as fw
from fitwell.data.writing import write_table
from fitwell.errors import InvalidFile

ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl", ".npz")

LIMITED = """
import resource, sys
import numpy as np, polars as pl
import fitwell as fw
from fitwell.data import matrices
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import fit_encoder
from fitwell.data.writing import write_table
from fitwell.errors import InvalidFile, OutOfMemory

folder = sys.argv[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
large = pl.DataFrame({"a": np.random.default_rng(0).random(20_000)})
network = fw.Sequential([fw.layers.Input((100,)), fw.layers.Dense(300)])
for name in sys.argv[2:]:
    try:
        if name.endswith(".safetensors"):
            network.save(f"{folder}/{name}")
        else:
            write_table(large, f"{folder}/{name}")
    except InvalidFile as error:
        print(name, error.received)
matrices.BATCH, matrices.LARGEST = 7, 0
frame = pl.DataFrame({"a": np.arange(10_000.0)})
try:
    matrices.encode_rows(fit_encoder(frame, infer_columns(frame)), frame, np.arange(10_000))
except OutOfMemory as error:
    print(error.expected, error.received, error.cure)
"""

KILLED = """
import os, signal, sys
from fitwell import files

with files.whole(sys.argv[1]) as file:
    file.write(b"half of")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_full_disk_leaves_the_last_file(tmp_path: Path) -> None:
    old = pl.DataFrame({"a": [0.5, 1.5]})
    names = [f"t{ending}" for ending in ENDINGS]
    for name in names:
        write_table(old, tmp_path / name)
    fw.Sequential([fw.layers.Input((2,)), fw.layers.Dense(1)]).save(tmp_path / "m.safetensors")
    names.append("m.safetensors")
    command = [sys.executable, "-c", LIMITED, str(tmp_path), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*names, "room"]
    assert all("File too large" in line for line in lines)
    assert "Make room there, name another folder in TMPDIR" in lines[-1]  # a table's features
    for name in names[:-1]:
        assert fw.data.read(tmp_path / name).frame.equals(old)
    assert fw.load(tmp_path / "m.safetensors").output_shape == (None, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)  # nothing half written


def test_a_killed_process_leaves_the_last_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode < 0
    assert path.read_text() == "a\n1\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "t.csv").symlink_to(tmp_path / "there" / "t.csv")
    write_table(pl.DataFrame({"a": [1]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").is_symlink()
    assert (tmp_path / "there" / "t.csv").read_text() == "a\n1\n"


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1]})
    for name, message in {
        "t.xls": r"one of the endings .*, received '\.xls'\. Choose",
        "no/t.csv": "expected a folder that exists, .* Make the folder first",
    }.items():
        with pytest.raises(InvalidFile, match=message):
            write_table(frame, tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidFile, match="expected the path of a file, received a folder"):
        write_table(frame, tmp_path / "folder.csv")


def test_an_npz_keeps_what_it_can(tmp_path: Path) -> None:
    columns = {"file": ["x", None], "flag": [True, None], "n": [1, None], "self": [2, 3]}
    write_table(pl.DataFrame(columns), tmp_path / "t.npz")
    assert fw.data.read(tmp_path / "t.npz").frame.to_dict(as_series=False) == {
        "file": ["x", None],
        "flag": ["true", None],
        "n": [1.0, None],
        "self": [2, 3],
    }
