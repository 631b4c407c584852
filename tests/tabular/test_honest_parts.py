"""Weights, groups, times and copies from the table to the scores."""

from __future__ import annotations

import datetime
import re
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from fitwell import tabular
from fitwell.errors import InvalidArgument, InvalidData, UnknownName
from fitwell.tabular.scores import baselines, scores


def visits(rows: int = 240) -> pl.DataFrame:
    """Rows of 30 patients over a year; what a patient has is the same in all of its rows."""
    draw = np.random.default_rng(0)
    patient = draw.integers(0, 30, rows)
    x = draw.normal(size=rows)
    start = datetime.date(2021, 1, 1)
    return pl.DataFrame(
        {
            "patient": patient,
            "x": x,
            "day": [start + datetime.timedelta(days=int(d)) for d in draw.integers(0, 365, rows)],
            "w": draw.integers(0, 4, rows),
            "y": x + 0.5 * draw.normal(size=rows) > 0,
        }
    )


def parts_of(prepared: tabular.Prepared) -> tuple[tabular.Part, ...]:
    return prepared.train, prepared.validation, prepared.test


def test_no_patient_is_in_two_parts() -> None:
    prepared = tabular.prepare(visits(), "y", group="patient")
    patients = [set(prepared.frame["patient"][part.rows]) for part in parts_of(prepared)]
    assert len(set.union(*patients)) == sum(map(len, patients)) == 30
    assert prepared.notes[-1] == (
        "Rows of one patient are in one part: {} to train on, {} to validate, {} to test.".format(
            *map(len, patients)
        )
    )
    assert prepared.groups is not None
    numbers = dict(zip(prepared.frame["patient"], prepared.groups.tolist(), strict=True))
    assert len(set(numbers.values())) == 30
    assert [numbers[p] for p in prepared.frame["patient"]] == prepared.groups.tolist()
    assert "patient" not in prepared.encoder.feature_names
    assert prepared.columns[0].kind == "group"


def test_the_past_teaches_and_the_latest_days_examine() -> None:
    prepared = tabular.prepare(visits(), "y", time="day")
    days = [prepared.frame["day"][part.rows] for part in parts_of(prepared)]
    assert days[0].max() < days[1].min()
    assert days[1].max() < days[2].min()
    assert [len(part.rows) for part in parts_of(prepared)] == pytest.approx([154, 38, 48], abs=2)
    assert prepared.notes[-1] == (
        f"Trained on the rows with day up to {days[0].max()}, validated on those up to "
        f"{days[1].max()}, tested on later ones."
    )
    assert prepared.encoder.feature_names == ("patient", "x", "w")
    named = tabular.prepare(visits(), "y", time="day", kinds={"day": "date"})
    assert "day month" in named.encoder.feature_names


def test_copies_of_a_row_are_in_one_part() -> None:
    table = visits().drop("patient", "w")
    prepared = tabular.prepare(pl.concat([table, table[:40]]), "y", seed=3)
    rows = [set(prepared.frame[part.rows].rows()) for part in parts_of(prepared)]
    assert len(set.union(*rows)) == sum(map(len, rows)) == 240
    assert prepared.notes[-1].startswith("40 of 280 rows are copies of another")
    assert prepared.groups is not None
    assert prepared.groups[240:].tolist() == list(range(40))
    assert tabular.prepare(table, "y").groups is None


def test_weights_are_1_on_average_and_of_the_rows_they_belong_to() -> None:
    table = visits().with_columns(
        pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise(pl.col("y")).alias("y")
    )
    prepared = tabular.prepare(table, "y", weights="w")
    mean = prepared.frame["w"].to_numpy()[prepared.train.rows].mean()
    for part in parts_of(prepared):
        expected = prepared.frame["w"].to_numpy()[part.rows] / mean
        np.testing.assert_allclose(part.weights, expected, rtol=1e-6)
    assert "w" not in prepared.encoder.feature_names
    assert tabular.prepare(table, "y").train.weights is None


def test_rows_without_weight_teach_nothing_and_scores_are_weighted() -> None:
    table = visits(400).drop("patient", "day")
    wrong = pl.Series(np.arange(400) % 2 == 0)  # half of the rows have the opposite label
    lying = table.with_columns(
        pl.when(wrong).then(~pl.col("y")).otherwise(pl.col("y")).alias("y"),
        pl.when(wrong).then(0.0).otherwise(2.5).alias("w"),
    )
    model = tabular.train(lying, "y", weights="w", epochs=8, verbose=0)
    assert model.facts["roles"] == {"weights": "w"}
    assert model.facts["scores"]["accuracy"] > 0.75  # unweighted, half of the rows are wrong
    assert model.facts["baselines"]["logistic regression"]["accuracy"] > 0.75
    right = lying.filter(~wrong)
    expected = pytest.approx(model.evaluate(right), rel=1e-12)  # sums of other lengths
    assert model.evaluate(lying) == expected == model.evaluate(right.drop("w"))
    assert model.evaluate(lying.drop("w"))["accuracy"] < 0.6
    with pytest.raises(
        InvalidData, match=r"column w: expected weights >= 0, received -1\.0 in row 1"
    ):
        model.evaluate(right.with_columns(pl.lit(-1.0).alias("w")))


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_a_row_of_weight_2_counts_as_two_rows(task: str) -> None:
    draw = np.random.default_rng(0)
    weights = draw.integers(0, 3, 80)
    x = draw.normal(size=(80, 2))
    if task == "regression":
        target = tabular.preparing.Target("y", task)
        y, predicted = x[:, 0] + draw.normal(size=80), draw.normal(size=80)
    else:
        classes = ("a", "b") if task == "binary" else ("a", "b", "c")
        target = tabular.preparing.Target("y", task, classes)
        y = draw.integers(0, len(classes), 80)
        predicted = draw.dirichlet(np.ones(len(classes)), 80)
    twice = np.repeat(np.arange(80), weights)
    once = scores(target, y, predicted, weights.astype(float))
    assert once == pytest.approx(scores(target, y[twice], predicted[twice]), rel=1e-9)
    simple = baselines(target, x, y, x, y, weights.astype(float), weights.astype(float))
    repeated = baselines(target, x[twice], y[twice], x[twice], y[twice])
    for name, values in repeated.items():
        assert simple[name] == pytest.approx(values, rel=1e-3, abs=1e-9)  # L-BFGS stops near it


@pytest.mark.parametrize("unit", [1e-200, 1e40, 1e200])
def test_scores_are_in_the_unit_of_the_target_however_large(unit: float) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 2)).astype(np.float32)
    y = x[:, 0].astype(float) + draw.normal(size=60)
    small, large = (tabular.preparing.Target("y", "regression", sd=sd) for sd in (1.0, unit))
    expected = baselines(small, x, y, x, y)
    found = baselines(large, x, y * unit, x, y * unit)
    for name, values in expected.items():
        scaled = {"RMSE": values["RMSE"] * unit, "MAE": values["MAE"] * unit, "R2": values["R2"]}
        assert found[name] == pytest.approx(scaled, rel=1e-4)


def test_unweighted_scores_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    y, predicted = draw.integers(0, 3, 60), draw.dirichlet(np.ones(3), 60)
    found = scores(tabular.preparing.Target("y", "multiclass", ("a", "b", "c")), y, predicted)
    expected = metrics.balanced_accuracy_score(y, predicted.argmax(axis=1))
    assert found["balanced accuracy"] == pytest.approx(expected)


def test_folds_keep_copies_together() -> None:
    table = visits(120).drop("patient", "w", "day")
    prepared = tabular.prepare(pl.concat([table, table]), "y")
    network = tabular.plain(prepared, (4,), 0)
    _, found = tabular.cross_validate(prepared, network, 3, epochs=2, verbose=0)
    chance = dict(zip(found["row"], found["p(True)"], strict=True))
    both = [row for row in range(1, 121) if row in chance and row + 120 in chance]
    assert len(both) > 80
    # Of one fold, they are predicted by one network: alike to the last bit.
    assert all(chance[row] == chance[row + 120] for row in both)
    assert len(set(found["p(True)"])) > 80


def test_rows_of_folds_are_those_of_the_data() -> None:
    x = np.arange(80)
    table = pl.DataFrame({"x": x / 7, "row": [None if i % 4 == 0 else 10.0 * i for i in x]})
    prepared = tabular.prepare(table, "row")
    places = prepared.places[prepared.test.rows]
    assert prepared.test.true.tolist() == [10.0 * i for i in places]
    _, found = tabular.cross_validate(prepared, tabular.plain(prepared, (2,), 0), 2, epochs=1,
                                      verbose=0)  # fmt: skip
    assert found.columns == ["row", "row_"]
    held = {i + 1 for i in x if i % 4} - {i + 1 for i in places}
    assert sorted(found["row_"]) == sorted(held)
    assert found["row"].dtype == pl.Float64  # predictions


def test_folds_know_no_time() -> None:
    ordered = tabular.prepare(visits(), "y", time="day")
    network = tabular.plain(ordered, (4,), 0)
    message = "cross_validate: expected rows of no order, received rows in the order of day."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        tabular.cross_validate(ordered, network)


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no such column": ({"group": "patiant"}, UnknownName, "'patiant'. Did you mean patient?"),
    "the target": ({"weights": "y"}, InvalidArgument, "received the target, weights='y'."),
    "two roles": ({"weights": "w", "time": "w"}, InvalidArgument, "one role for a column"),
    "group and time": ({"group": "patient", "time": "day"}, InvalidArgument, "by group or by time"),
    "two groups": ({"group": "y2"}, InvalidData, "expected 3 groups or more, so that every part"),
    "words for times": ({"time": "word"}, InvalidData, "column word: expected times that can be"),
}


@pytest.mark.parametrize("case", BAD)
def test_roles_that_cannot_be(case: str) -> None:
    arguments, error, message = BAD[case]
    more = [pl.col("y").alias("y2"), pl.lit("monday").alias("word")]
    with pytest.raises(error, match=re.escape(message)):
        tabular.prepare(visits().with_columns(more), "y", **arguments)
