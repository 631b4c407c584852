"""`fitwell checkup`: exit codes, what it prints, and one clear message for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import tabular
from fitwell.cli import main

PROGRAM = """
import beside
import fitwell as fw
from fitwell.layers import Dense, Normalization

def make(units, activation, loss, *before):
    model = fw.Sequential([*before, Dense(units, activation=activation)], seed=0)
    model.compile("adam", loss=loss)
    return model

def good():
    hidden = Normalization(), Dense(16, activation="relu")
    return make(3, "softmax", "sparse_categorical_crossentropy", *hidden)

def one_hot():
    hidden = Normalization(), Dense(16, activation="relu")
    return make(3, "softmax", "categorical_crossentropy", *hidden)

def sick():
    return make(1, "softmax", "mse")

def words():
    return make(beside.UNITS, "sigmoid", "binary_crossentropy")

def bare():
    return fw.Sequential([Dense(1)])

def broken():
    return 1 / 0

def three():
    return 3
"""


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(PROGRAM)
    Path("beside.py").write_text("UNITS = 1\n")


def run(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    code = main(["checkup", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def codes(out: str) -> list[str]:
    return [one["code"] for one in json.loads(out)["findings"]]


def test_nothing_above_info_is_0(capsys: Any) -> None:
    for build in ("good", "one_hot"):  # classes of a table become what the loss reads
        code, out, err = run(capsys, f"net.py:{build}", "sklearn:iris")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[0] == f"Checkup of net.py:{build} with 150 rows of sklearn:iris"
        assert lines[-1] == "Nothing found."


def test_a_finding_is_1_with_its_evidence_and_cure(capsys: Any) -> None:
    np.savez("data.npz", X=np.eye(40), y=np.arange(40) % 2)
    code, out, err = run(capsys, "net.py:sick", "data.npz")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    place = lines.index("CRITICAL softmax_single_unit in dense")
    assert "A softmax of one unit is 1 for every input" in lines[place + 1]
    assert "  - units of the softmax: 1" in lines
    assert '  cure: fw.layers.Dense(1, activation="sigmoid")  # the last layer' in lines
    assert lines[-1].endswith("fitwell explain CODE says more.")
    assert "1 CRITICAL" in lines[-1]


def test_json(capsys: Any) -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    x[3, 1] = np.nan
    np.savez("data.npz", x=x, y=np.arange(40) % 2, x_val=x, y_val=np.arange(40) % 2)
    code, out, err = run(capsys, "net.py:sick", "data.npz", "--json", "--epochs", 3)
    assert code == 1
    assert "NaN or infinity in 1 of 40 rows" in err  # not in what a program reads
    found = {one["code"]: one for one in json.loads(out)["findings"]}
    assert found["nan_in_data"]["severity"] == "CRITICAL"
    assert found["nan_in_data"]["evidence"] == [
        {"what": "values that are not finite", "value": 1.0, "unit": ""}
    ]
    assert "train_val_overlap" in found  # validation data are read
    assert "missing_validation" not in found
    assert "outliers" not in found


def test_saved_models(capsys: Any) -> None:
    tabular.train("sklearn:iris", epochs=2, verbose=0).save("table.safetensors")
    code, out, _ = run(capsys, "table.safetensors", "sklearn:iris", "--json")
    assert (code, codes(out)) == (0, [])  # encoded and standardised, as in training
    code, _, err = run(capsys, "table.safetensors", "sklearn:iris", "--target", "sepal")
    assert (code, "Leave --target out" in err) == (2, True)
    Path("run").mkdir()
    Path("table.safetensors").rename("run/model.safetensors")
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savez("raw.npz", X=x, y=(x[:, 0] > 0).astype(int))
    assert run(capsys, "run", "sklearn:iris")[0] == 0
    tabular.train("raw.npz", "y", epochs=2, verbose=0).save("raw.safetensors")
    code, out, _ = run(capsys, "raw.safetensors", "raw.npz")
    assert code == 0
    assert out.startswith("Checkup of raw.safetensors with 60 rows of raw.npz\n")
    model = fw.Sequential([fw.layers.Dense(1, activation="softmax")], seed=0)
    model.compile("adam", loss="mse")
    model.build((None, 3))
    model.save("sick.safetensors")
    np.savez("data.npz", X=np.eye(3), y=np.eye(3)[0])
    code, out, _ = run(capsys, "sick.safetensors", "data.npz", "--json")
    assert (code, codes(out)[0]) == (1, "softmax_single_unit")


def test_words_and_truth_values_are_classes(capsys: Any) -> None:
    values = np.random.default_rng(0).normal(size=40)
    table = {"a": values, "b": -values, "t": ["no", "yes"] * 20, "u": [True, False] * 20}
    pl.DataFrame(table).write_csv("data.csv")
    pl.DataFrame(table).drop("t").write_parquet("data.parquet")
    assert run(capsys, "net.py:words", "data.parquet", "--target", "u")[0] == 0
    code, out, err = run(capsys, "net.py:words", "data.csv", "--target", "u")
    assert code == 0
    assert (
        err
        == "- Not all columns are numbers: they are encoded and split as fitwell train does it.\n"
    )
    assert "with 26 rows of data.csv" in out
    words = {"t": ["red", "blue", "green"] * 20, "n": np.arange(60) / 7, "u": ["a", "b", "c"] * 20}
    pl.DataFrame(words).write_csv("words.csv")
    code, _, _ = run(capsys, "net.py:one_hot", "words.csv", "--target", "u")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.safetensors", "sklearn:iris"), "a file that fitwell saved"),
        (("none.py:build", "sklearn:iris"), "expected a Python file, received none of that name"),
        (("net.py", "sklearn:iris"), "For example net.py:build"),
        (("net.py:lost", "sklearn:iris"), "received no lost. Write def lost(): ... return model"),
        (("net.py:three", "sklearn:iris"), "MODEL net.py:three: expected a function that returns"),
        (("net.py:broken", "sklearn:iris"), "received ZeroDivisionError: division by zero"),
        (("net.py:bare", "sklearn:iris"), "Call model.compile"),
        (("net.py:good", "none.csv"), "none.csv"),
        (("net.py:good", "none.npz"), "Write it with numpy.savez"),
        (("net.py:good", "other.npz"), "expected arrays X and y, received z"),
        (("net.py:good", "other.npz", "--target", "z"), "the labels are the array y"),
        (("net.py:good", "some.csv"), "Name one of a, b with --target."),
        (("net.py:good", "some.csv", "--target", "c"), "The choices are a, b."),
        (("net.py:good", "sklearn:moons"), "moons"),
    ],
)
def test_bad_input_is_2_with_one_message(capsys: Any, arguments: Any, message: str) -> None:
    np.savez("other.npz", z=np.eye(3))
    Path("some.csv").write_text("a,b\n1,2\n2,1\n")
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("Error ")
    assert err.count("Error ") == 1
    assert "Traceback" not in err


def test_an_npz_file_with_objects_is_not_unpickled(capsys: Any) -> None:
    np.savez("evil.npz", X=np.array([{}], object), y=np.zeros(1))
    code, _, err = run(capsys, "net.py:good", "evil.npz")
    assert code == 2
    assert "allow_pickle=False" in err
