"""Models of tables as files: raw columns in, predictions in the unit of the target out."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.labels import Target, fit_target
from fitwell.data.target_encoding import TargetEncodedColumn
from fitwell.data.wording import TextColumn
from fitwell.errors import InvalidArgument
from fitwell.exporting.tables import packed_table
from fitwell.tabular import MultiTargetModel, TableModel

from .running import load_script, run_onnx, session

ROWS = 40
TABLE = pl.DataFrame(
    {
        "year": [1_000_000_000.0 + i for i in range(ROWS)],
        "size": [None if i % 10 == 3 else i / 4 for i in range(ROWS)],
        "town": [("Bern", "Rome", "Oslo", None)[i % 4] for i in range(ROWS)],
        "new": [i % 2 == 0 for i in range(ROWS)],
        "garden": ["yes" if i % 3 else "no" for i in range(ROWS)],
        "sold": [f"20{10 + i % 7}-0{1 + i % 9}-11" for i in range(ROWS)],
        "price": [100.0 + 7 * i for i in range(ROWS)],
        "kind": [("flat", "house", "villa")[i % 3] for i in range(ROWS)],
        "cheap": [i < 20 for i in range(ROWS)],
    }
)
COLUMNS = ["year", "size", "town", "new", "garden", "sold"]
RAW = {
    "year": np.array([1_000_000_003.5, 1_000_000_020]),
    "size": np.array([2.25, np.nan]),
    "town": np.array(["Rome", ""], object),
    "new": np.array([1.0, 0.0]),
    "garden": np.array(["yes", "no"], object),
    "sold year": np.array([2012.0, 2015.0]),
    "sold month": np.array([3.0, 4.0]),
}
FRAME = pl.DataFrame(
    {"year": RAW["year"], "size": [2.25, None], "town": ["Rome", None], "new": [True, False],
     "garden": ["yes", "no"], "sold": ["2012-03-11", "2015-04-11"]}
)  # fmt: skip


def matrix_of(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, "<f2").tobytes()).decode()


def model_of(target: str) -> TableModel:
    """With random weights: what is tested is what lies around the network."""
    encoder = fit_encoder(TABLE, infer_columns(TABLE.select([*COLUMNS, target]), target))
    task = {"price": "regression", "kind": "multiclass", "cheap": "binary"}[target]
    fitted = fit_target(TABLE[target], task)
    units, activation = {"price": (1, None), "kind": (3, "softmax"), "cheap": (1, "sigmoid")}[
        target
    ]
    inputs = fw.Input((len(encoder.feature_names),))
    net = fw.Sequential([inputs, fw.layers.Dense(units, activation)], seed=3)
    return TableModel(net, encoder, fitted)


def given(inputs: list[str], model: TableModel) -> list[Any]:
    """The raw columns; parts of the date that are functions of others come from the frame."""
    from fitwell.data.features import date_parts

    parts = date_parts(FRAME["sold"])
    more = {f"sold {name}": part.to_numpy().astype(np.float64) for name, part in parts.items()}
    return [(RAW | more)[name] for name in inputs]


@pytest.mark.parametrize("target", ["price", "kind", "cheap"])
def test_raw_columns_give_the_predictions_of_the_table(tmp_path: Path, target: str) -> None:
    model = model_of(target)
    fw.export(model, tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    names = [one.name for one in opened.get_inputs()]
    assert [name for name in names if not name.startswith("sold")] == COLUMNS[:-1]
    types = {one.name: one.type for one in opened.get_inputs()}
    assert (types["year"], types["town"]) == ("tensor(double)", "tensor(string)")
    assert opened.get_outputs()[0].name == target
    fw.export(model, tmp_path / "predict.py")
    predict = load_script((tmp_path / "predict.py").read_text())
    columns = given(names, model)
    in_numpy = predict(*columns)
    for found in (run_onnx(opened, *columns), in_numpy if target != "price" else [in_numpy]):
        if target == "price":
            np.testing.assert_allclose(found[0], model.predict(FRAME), rtol=1e-5)
            continue
        assert found[0].tolist() == model.predict(FRAME).tolist()
        np.testing.assert_allclose(found[1], model.predict_proba(FRAME), rtol=1e-5, atol=1e-6)


def test_several_targets_of_one_network(tmp_path: Path) -> None:
    table = pl.DataFrame({"size": [-3.0, -1.0, 1.0, 3.0, 9.0], "price": [0.0, 1.0, 2.0, 3.0, 4.0]})
    encoder = fit_encoder(table, infer_columns(table, "price"))
    x = fw.Input((1,))
    net = fw.Model(x, [fw.layers.Dense(1)(x), fw.layers.Dense(1, "sigmoid")(x)])
    targets = fit_target(table["price"], "regression"), Target("cheap", "binary", (False, True))
    heads = tuple(TableModel(net, encoder, target) for target in targets)
    model = MultiTargetModel(net, heads)
    fw.export(model, tmp_path / "m.onnx")
    opened = session(tmp_path / "m.onnx")
    names = [one.name for one in opened.get_outputs()]
    assert names == ["price", "cheap", "cheap probabilities"]
    price, cheap, shares = run_onnx(opened, table["size"].to_numpy())
    frame = model.predictions(table)
    np.testing.assert_allclose(price, frame["price"].to_numpy(), rtol=1e-5, atol=1e-6)
    assert cheap.tolist() == frame["cheap"].to_list()
    np.testing.assert_allclose(shares[:, 1], frame["p(cheap=True)"].to_numpy(), rtol=1e-5)


def test_the_sum_by_hand(tmp_path: Path) -> None:
    """price = 2 * clipped((size - 1) / 4) * sd + mean, where the median is 1 and the quartiles 4
    apart."""
    table = pl.DataFrame({"size": [-3.0, -1.0, 1.0, 3.0, 9.0], "price": [0.0, 1.0, 2.0, 3.0, 4.0]})
    encoder = fit_encoder(table, infer_columns(table, "price"))
    net = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1)])
    net.set_weights([np.array([[2.0]], np.float32), np.array([0.0], np.float32)])
    fw.export(
        TableModel(net, encoder, fit_target(table["price"], "regression")), tmp_path / "m.onnx"
    )
    size = np.array([1.0, 2.0, 100.0, -1e300, np.nan])
    (price,) = run_onnx(session(tmp_path / "m.onnx"), size)
    feature = 0.25 / np.sqrt(1 + (0.25 / 3) ** 2)
    wanted = [2.0, 2 * feature * np.sqrt(2) + 2, 4.0, 0.0, 2.0]  # limited to 0 .. 4
    np.testing.assert_allclose(price, wanted, rtol=1e-6)


WORDS = TextColumn("said", "word", ("green", "red"), (2.0, 1.0), (0.25,), matrix_of(1, 3), True)
TERMS, IDF = (" ab", "ab", "b ", "\u00fc "), (1.0, 2.0, 1.0, 1.0)
PIECES = TextColumn("said", "character", TERMS, IDF, (0.0,), matrix_of(1, 2, -1, 4))
SHOPS = TargetEncodedColumn("said", ("a", "b", None), ((1,), (2,), (3,), (0.5,)), (0.5,), (2,))
LOG = 1 + np.log(2)  # the weight of a term that is there twice


@pytest.mark.parametrize(
    ("column", "texts", "z", "second"),
    [
        # green once, red twice; no known word; nothing
        (WORDS, ["Red, red; GREEN!", "a reddish", ""],
         [(2 + 3 * LOG) / np.hypot(2, LOG) - 0.25, 0, 0], [0, 0, 1]),
        # of " ab " and " xab ": " ab" once, "ab" and "b " twice; of " \u00fc ": "\u00fc " once
        (PIECES, ["AB xab", "\u00dc", ""],
         [(1 + 4 * LOG - LOG) / np.sqrt(1 + 5 * LOG**2), 4, 0], [0, 0, 0]),
        # and the place among a, b, nothing and others, from -1 to 1
        (SHOPS, ["b", "new", ""], [3, 0, 5], [-1 / 3, 1, 1 / 3]),
    ],
    ids=["words", "pieces of words", "means of the target"],
)  # fmt: skip
def test_columns_of_text(tmp_path: Path, column: Any, texts: Any, z: Any, second: Any) -> None:
    count = len(column.feature_names)
    net = fw.Sequential([fw.Input((count,)), fw.layers.Dense(1)])
    net.set_weights([np.array([[1.0], [5.0]], np.float32)[:count], np.zeros(1, np.float32)])
    target = Target("price", "regression", low=-9, high=9)
    model = TableModel(net, TableEncoder((column,)), target)
    z = np.array(z)
    wanted = z / np.sqrt(1 + (z / 3) ** 2) + 5 * np.array(second)
    given = np.array(texts, object)
    fw.export(model, tmp_path / "m.onnx")
    (found,) = run_onnx(session(tmp_path / "m.onnx"), given)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    (empty,) = run_onnx(session(tmp_path / "m.onnx"), given[2:])
    np.testing.assert_allclose(empty, wanted[2:], rtol=1e-5)
    fw.export(model, tmp_path / "m.py")
    predict = load_script((tmp_path / "m.py").read_text())
    np.testing.assert_allclose(predict(given), wanted, rtol=1e-5)


def test_tables_are_not_for_jax(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="received text that is looked up, or a table"):
        fw.export(model_of("price"), tmp_path / "m.jax")


def test_a_script_reads_what_tables_have_for_nothing(tmp_path: Path) -> None:
    model = model_of("price")
    fw.export(model, tmp_path / "predict.py")
    predict = load_script((tmp_path / "predict.py").read_text())
    opened = [port.name for port in packed_table(model).inputs]
    columns = dict(zip(opened, given(opened, model), strict=True))
    expected = predict(*columns.values())
    for nothing in (None, float("nan"), np.datetime64("NaT")):
        columns["town"] = np.array(["Rome", nothing], object)
        np.testing.assert_array_equal(predict(*columns.values()), expected)


def test_a_script_says_how_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "predict.py"
    table = pl.DataFrame({"size": [-3.0, -1.0, 1.0, 3.0, 9.0]})
    net = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1)], seed=3)
    target = Target("price", "regression", low=-9.0, high=9.0)
    fw.export(TableModel(net, fit_encoder(table, infer_columns(table)), target), path)
    usage = "usage: python predict.py size.npy result.npy"
    for given in ([], ["data.csv"], ["data.csv", "result.npy"]):
        done = subprocess.run([sys.executable, path, *given], capture_output=True, text=True)
        assert (done.returncode, done.stderr.partition("  ")[0]) == (1, usage)
    np.save(tmp_path / "size.npy", table["size"].to_numpy())
    subprocess.run([sys.executable, path, tmp_path / "size.npy", tmp_path / "r.npy"], check=True)
    assert np.load(tmp_path / "r.npy").shape == (5,)
