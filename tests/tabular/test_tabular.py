"""From a table to a model: it learns, it takes raw tables, it survives its file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fitwell as fw
from fitwell import files, tabular
from fitwell.data.arrays import DataWarning
from fitwell.data.tables import read_table
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile, UnknownName
from fitwell.tabular import TableModel


def rule(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """A table whose targets follow from its columns, with every kind of column in it."""
    draw = np.random.default_rng(seed)
    size, color = draw.normal(size=rows), draw.choice(["red", "green", "blue"], rows)
    big = (size > 0) ^ (color == "red")  # no line separates this
    return pl.DataFrame(
        {
            "id": [f"row{i}" for i in range(rows)],
            "size": [None if i % 17 == 0 else float(v) for i, v in enumerate(size)],
            "color": color,
            "unit": ["cm"] * rows,
            "class": np.where(big, "big", "small"),
            "price": np.abs(size) * 100 + 50 * (color == "blue"),
        }
    )


@pytest.fixture(scope="module")
def binary() -> TableModel:
    return tabular.train(rule().drop("price"), "class", epochs=25, verbose=0)


@pytest.fixture(scope="module")
def number() -> TableModel:
    return tabular.train(rule().drop("class"), "price", verbose=0)


@pytest.fixture(scope="module")
def flowers() -> TableModel:
    return tabular.train("sklearn:iris", epochs=25, verbose=0)


def test_two_classes_better_than_a_line(binary: TableModel) -> None:
    facts = binary.facts
    assert facts["rows"] == {"train": 192, "validation": 48, "test": 60}
    assert facts["notes"] == [
        "id is left out: an id, different in every row.",
        "unit is left out: its value is always 'cm'.",
    ]
    assert facts["scores"]["accuracy"] > 0.9
    assert facts["baselines"]["logistic regression"]["accuracy"] < 0.8
    fresh = rule(400, seed=1)
    assert np.mean(binary.predict(fresh) == fresh["class"].to_numpy()) > 0.9


def test_what_is_prepared_is_shown_in_a_line() -> None:
    assert repr(tabular.prepare("sklearn:iris")) == (
        "<Prepared: multiclass of target, 4 features; rows: 96 train, 24 validation, 30 test>"
    )


def test_the_difference_to_each_baseline_on_the_same_rows(binary: TableModel) -> None:
    facts = binary.facts
    assert list(facts["differences"]) == list(facts["baselines"])
    for name, (low, high) in facts["differences"].items():
        ours, theirs = (one["accuracy"] for one in (facts["scores"], facts["baselines"][name]))
        assert low <= ours - theirs <= high
        assert high - low < 0.4  # of 60 rows: 4 standard deviations are 4 sqrt(0.25 / 60) at most


def test_scores_need_the_target(binary: TableModel) -> None:
    frame = rule(20).drop("class")
    message = "table: expected the target 'class', which predictions are held against, received th"
    with pytest.raises(
        UnknownName, match=message + r"e columns id, .*\. Add it, or predict only\."
    ):
        binary.evaluate(frame)
    with pytest.raises(UnknownName, match=r"Is it called 'Class' now\? Rename it\."):
        binary.labelled(rule(20).rename({"class": "Class"}))


def test_what_became_of_every_column(binary: TableModel) -> None:
    frame = binary.columns
    assert frame.columns == ["column", "kind", "decision", "why", "missing", "distinct", "example"]
    assert frame.rows() == [
        ("id", "id", "left out", "an id, different in every row", 0, 300, "row0"),
        ("size", "number", "2 features", "numbers", 18, 282, str(rule()["size"][1])),
        ("color", "category", "3 features", "3 different words", 0, 3, rule()["color"][0]),
        ("unit", "constant", "left out", "its value is always 'cm'", 0, 1, "cm"),
    ]


def test_a_number_better_than_a_line(number: TableModel) -> None:
    facts = number.facts
    assert facts["scores"]["RMSE"] < 0.7 * facts["baselines"]["linear regression"]["RMSE"]
    fresh = rule(400, seed=1)
    predicted = number.predict(fresh)
    error = np.sqrt(np.mean((predicted - fresh["price"].to_numpy()) ** 2))
    assert number.evaluate(fresh)["RMSE"] == pytest.approx(error)
    assert predicted.min() >= number.target.low
    with pytest.raises(
        InvalidData, match="expected a target with classes, received price, a number"
    ):
        number.predict_proba(fresh)


def test_the_truth_is_inside_its_interval(number: TableModel, tmp_path: Path) -> None:
    fresh = rule(2000, seed=1)
    predicted, y = number.predict(fresh), fresh["price"].to_numpy()
    ends = number.predict_interval(fresh, coverage=0.8)
    np.testing.assert_allclose(ends.mean(axis=1), predicted)
    # Of the ranks of 48 validation rows: the part inside is Beta(40, 9), of deviation 0.055.
    assert np.mean((ends[:, 0] <= y) & (y <= ends[:, 1])) == pytest.approx(40 / 49, abs=0.17)
    facts = number.facts["interval"]
    assert facts["coverage"] == 0.9
    assert 0.75 < facts["measured"] <= 1
    number.save(tmp_path / "m.safetensors")
    read = tabular.load(tmp_path / "m.safetensors")
    for coverage in (0.5, 0.9):
        wide = number.predict_interval(fresh, coverage)
        assert (read.predict_interval(fresh, coverage) == wide).all()


def test_classes_have_no_interval(binary: TableModel) -> None:
    with pytest.raises(
        InvalidData, match=r"received class, binary\. Of classes call predict_proba"
    ):
        binary.predict_interval(rule(3))


def test_facts_say_how_sure_it_may_be(binary: TableModel) -> None:
    facts = binary.facts["calibration"]
    assert binary.facts["members"] == 8
    assert facts["temperature"] == binary.temperature
    assert facts["after"]["log loss"] == binary.facts["scores"]["log loss"]
    assert set(facts["before"]) == set(facts["after"]) == {"log loss", "ECE"}


def test_more_classes(flowers: TableModel) -> None:
    assert flowers.target.classes == ("setosa", "versicolor", "virginica")
    assert flowers.facts["scores"]["accuracy"] > 0.85
    proba = flowers.predict_proba("sklearn:iris")
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    labels = flowers.predict("sklearn:iris")
    assert labels.tolist() == [flowers.target.classes[i] for i in proba.argmax(axis=1)]


def test_the_network_is_given_encoded_rows(binary: TableModel) -> None:
    fresh = rule(50, seed=2)
    p = np.asarray(binary.network.predict(binary.encoder.transform(fresh), verbose=0))[:, 0]
    odds = (p.astype(np.float64) / (1 - p)) ** (1 / binary.temperature)
    np.testing.assert_allclose(binary.predict_proba(fresh)[:, 1], odds / (1 + odds), rtol=1e-5)


def test_predictions_as_a_table(binary: TableModel, number: TableModel) -> None:
    fresh = rule(20, seed=3)
    frame = binary.predictions(fresh.drop("class"))
    assert frame.columns == ["class", "p(big)", "p(small)"]
    assert frame["class"].to_list() == binary.predict(fresh).tolist()
    assert frame["p(small)"].to_list() == binary.predict_proba(fresh)[:, 1].tolist()
    assert number.predictions(fresh)["price"].to_list() == number.predict(fresh).tolist()


def test_all_routes_give_the_same_predictions(binary: TableModel, tmp_path: Path) -> None:
    fresh = rule(30, seed=4)
    expected = binary.predict_proba(fresh)
    fresh.write_csv(tmp_path / "t.csv")
    for source in (
        fresh.to_pandas(),
        fresh.to_arrow(),
        tmp_path / "t.csv",
        str(tmp_path / "t.csv"),
    ):
        assert (binary.predict_proba(source) == expected).all()


def test_one_row_of_a_file_is_read_as_in_training(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    codes = draw.choice(["007", "7", "x1"], 200)
    table = pl.DataFrame({"code": codes, "n": draw.normal(size=200), "y": codes == "007"})
    model = tabular.train(table, "y", epochs=4, verbose=0)
    table.write_csv(tmp_path / "t.csv")
    for code in ("007", "7"):  # alone in its file, either would look like a number
        pl.DataFrame({"code": [code], "n": [0.0]}).write_csv(tmp_path / "one.csv")
        alone = model.predict_proba(tmp_path / "one.csv")
        assert (alone == model.predict_proba(pd.DataFrame({"code": [code], "n": [0.0]}))).all()
    assert model.predict(table[:3]).dtype == bool


def test_unknown_category_and_missing_column(binary: TableModel) -> None:
    fresh = rule(5, seed=5)
    note = (
        "color: 5 rows hold 'violet', unknown in training; they go to the bucket for unknown values"
    )
    with pytest.warns(DataWarning, match=re.escape(note)):
        odd = binary.predict_proba(fresh.with_columns(color=pl.lit("violet")))
    assert np.isfinite(odd).all()
    with pytest.raises(InvalidData, match=r"the column 'color', as in training.* Add it\."):
        binary.predict(fresh.drop("color"))


def test_evaluate(binary: TableModel, tmp_path: Path) -> None:
    fresh = rule(200, seed=6)
    right = np.mean(binary.predict(fresh) == fresh["class"].to_numpy())
    assert binary.evaluate(fresh)["accuracy"] == pytest.approx(right)
    holes = fresh.with_columns(
        pl.when(pl.int_range(pl.len()) < 20).then(None).otherwise(pl.col("class")).alias("class")
    )
    with pytest.raises(InvalidData, match="expected a value in every row, received none in row 1"):
        binary.evaluate(holes)
    frame, notes = binary.labelled(holes)
    assert frame.height == 180
    assert notes == ("20 of 200 rows have no class: they are left out.",)
    with pytest.raises(
        InvalidData, match="one of the classes 'big', 'small', received 'huge' in row 1"
    ):
        binary.evaluate(fresh.with_columns(pl.lit("huge").alias("class")))
    with pytest.raises(UnknownName, match="expected the target 'class'"):
        binary.evaluate(fresh.drop("class"))


def test_the_file_holds_everything(binary: TableModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    binary.save(path)
    read = tabular.load(path)
    fresh = rule(50, seed=7)
    assert (read.predict_proba(fresh) == binary.predict_proba(fresh)).all()
    assert read.encoder == binary.encoder
    assert read.target == binary.target
    assert read.temperature == binary.temperature != 1.0
    assert read.facts == json.loads(json.dumps(binary.facts))


def test_the_network_alone_takes_no_frame(flowers: TableModel, tmp_path: Path) -> None:
    flowers.save(tmp_path / "m.safetensors")
    network = fw.load(tmp_path / "m.safetensors")
    frame = read_table("sklearn:iris").drop("target")
    message = (
        "predict, x: expected an array of encoded features, for this is the network of a table "
        "model, received a data frame. Load the file with fitwell.tabular.load: that model takes "
        "frames as they are."
    )
    for given in (frame, frame.to_pandas()):
        with pytest.raises(InvalidData, match=re.escape(message)):
            network.predict(given, verbose=0)
    p = network.predict(flowers.encoder.transform(frame), verbose=0)
    powers = p.astype(np.float64) ** (1 / flowers.temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(flowers.predict_proba(frame), expected, rtol=1e-5)


def test_the_same_seed_gives_the_same_model(flowers: TableModel) -> None:
    again = tabular.train("sklearn:iris", epochs=25, verbose=0)
    assert (again.predict_proba("sklearn:iris") == flowers.predict_proba("sklearn:iris")).all()


def test_rows_without_a_target_are_left_out() -> None:
    table = rule(100).with_columns(
        pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise(pl.col("class")).alias("class")
    )
    prepared = tabular.prepare(table, "class")
    assert prepared.notes[0] == "10 of 100 rows have no class: they are left out."
    parts = prepared.train, prepared.validation, prepared.test
    assert sum(len(p.x) for p in parts) == 90
    for part in parts:  # the raw rows behind the features
        raw = prepared.frame[part.rows]
        assert raw["class"].to_list() == prepared.target.decode(part.true).tolist()
        assert (prepared.encoder.transform(raw) == part.x).all()


def test_a_stray_word_in_a_column_of_numbers_is_missing(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    a = draw.normal(size=200).round(4)
    words = ["unknown" if i == 50 else str(v).replace(".", ",") for i, v in enumerate(a)]
    target = [None, *(int(v > 0) for v in a[1:])]
    table = pl.DataFrame({"a": words, "y": target})
    table.write_csv(tmp_path / "t.csv", separator=";")
    model = tabular.train(tmp_path / "t.csv", "y", epochs=2, verbose=0)
    assert model.facts["notes"] == [
        "a: '0,1257' is read as 0.1257.",
        "1 of 200 rows have no y: they are left out.",
        "a: 199 of 200 values are numbers; row 51 holds 'unknown', read as missing.",
    ]
    model.save(tmp_path / "m.safetensors")
    read = tabular.load(tmp_path / "m.safetensors")
    given = pl.DataFrame({"a": ["unknown", "0.5"]})
    expected = model.encoder.transform(pl.DataFrame({"a": [None, 0.5]}))
    assert (read.encoder.transform(given) == expected).all()
    with pytest.raises(InvalidData, match="column a: expected numbers, received 'none' in row 2"):
        read.predict(pl.DataFrame({"a": ["0.5", "none"]}))


def test_the_encoder_has_seen_the_training_rows_alone() -> None:
    table = rule(200)
    prepared = tabular.prepare(table, "price")
    spread = np.quantile(prepared.train.true, [0, 1])
    assert (prepared.target.low, prepared.target.high) == tuple(spread)
    assert prepared.target.mean == pytest.approx(prepared.train.true.mean())
    held = np.concatenate([prepared.validation.true, prepared.test.true])
    assert sorted([*prepared.train.true, *held]) == sorted(table["price"].to_list())


def test_a_table_model_in_words(binary: TableModel, capsys: Any) -> None:
    assert repr(binary) == "<TableModel: binary of class, from 2 columns, 5 features>"
    shown = binary._repr_html_()
    assert f"{binary.facts['baselines']['constant']['log loss']:.4g}" in shown
    assert "logistic regression" in shown
    binary.summary()
    shown = capsys.readouterr().out
    binary.network.summary()
    assert shown == capsys.readouterr().out
    assert f"{binary.network.count_params():,}" in shown


def test_bad_lengths_are_found_before_the_data_are_read() -> None:
    with pytest.raises(InvalidArgument, match="received time_limit='5x'"):
        tabular.train("nowhere.csv", "y", time_limit="5x")
    with pytest.raises(InvalidArgument, match=r"train: expected .*epochs.* received epochs=0"):
        tabular.train("nowhere.csv", "y", epochs=0)


def test_time_limit_ends_the_fit() -> None:
    model = tabular.train("sklearn:iris", epochs=100_000, time_limit=1.0, verbose=0)
    assert model.facts["epochs"] < 100_000


BAD = {
    "no target": ({}, InvalidArgument, "train: expected the column to predict, received no target. "
                  "Name one (--target on the command line): id, size, color, unit, class, price."),
    "misspelt target": ({"target": "clas"}, UnknownName, "received 'clas'. Did you mean class?"),
    "unknown task": ({"target": "class", "task": "sort"}, InvalidArgument, "received 'sort'."),
    "wrong task": ({"target": "class", "task": "regression"}, InvalidData,
                   "target class: expected numbers, for the task regression, received "),
    "unknown kind": ({"target": "class", "kinds": {"size": "nmber"}}, InvalidArgument,
                     "received kind='nmber'. Did you mean number?"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str) -> None:
    arguments, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        tabular.prepare(rule(50), **arguments)


def test_files_that_hold_no_table_model(binary: TableModel, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    fw.Sequential([fw.Input(shape=(2,)), fw.layers.Dense(1)]).save(path)
    with pytest.raises(
        InvalidFile, match="expected a model that was trained on a table, received a"
    ):
        tabular.load(path)
    binary.save(path)
    header, arrays = files.read(path)
    damages: list[Any] = [
        {"encoder": [], "target": 5, "facts": {}},
        {"target": header["extra"]["table"]["target"]},
        {**header["extra"]["table"], "encoder": header["extra"]["table"]["encoder"][:1]},
        {**header["extra"]["table"], "target": 5},
        {**header["extra"]["table"], "encoder": [{"class": "os.system"}]},
        {**header["extra"]["table"], "target": {"class": "Target", "args": {"nme": 1}}},
    ]
    for damage in damages:
        files.write(path, {**header, "extra": {"table": damage}}, arrays)
        with pytest.raises(InvalidFile):
            tabular.load(path)


# Real tables, where the folder with them is there


@pytest.mark.filterwarnings("ignore::fitwell.data.arrays.DataWarning")  # of rows training never saw
def test_titanic_beats_logistic_regression(real_tables: Path) -> None:
    model = tabular.train(real_tables / "titanic.csv", "Survived", verbose=0)
    logistic = model.facts["baselines"]["logistic regression"]
    assert model.facts["scores"]["log loss"] < logistic["log loss"]
    assert model.facts["scores"]["ROC AUC"] > logistic["ROC AUC"]
    table = read_table(real_tables / "titanic.csv")
    right = model.predict(table) == table["Survived"].to_numpy()
    assert model.evaluate(table)["accuracy"] == right.mean() > 0.8


@pytest.mark.optimized  # trains for longer than it takes to compile it well
def test_california_beats_linear_regression_clearly(real_tables: Path) -> None:
    path = real_tables / "california_housing.csv"
    model = tabular.train(path, "median_house_value", epochs=16, verbose=0)
    linear = model.facts["baselines"]["linear regression"]
    assert 65_000 < linear["RMSE"] < 72_000
    assert model.facts["scores"]["RMSE"] < 0.8 * linear["RMSE"]
