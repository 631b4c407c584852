"""Several targets: one network, an output for each, and each as good as if it were alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitwell import files, tabular
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile, UnknownName
from fitwell.tabular import MultiTargetModel, TableModel


def table(rows: int = 240, seed: int = 0) -> pl.DataFrame:
    """A number, a class of three and a truth value that follow from three columns."""
    a, b, c = np.random.default_rng(seed).normal(size=(3, rows))
    return pl.DataFrame(
        {
            "a": a,
            "b": b,
            "c": c,
            "price": 1000 + 50 * a + 10 * b,
            "size": np.where(a > 0.4, "large", np.where(a < -0.4, "small", "middle")),
            "sold": c > 0,
        }
    )


NAMES = ["price", "size", "sold"]


@pytest.fixture(scope="module")
def model() -> MultiTargetModel:
    return tabular.train(table(), NAMES, epochs=25, verbose=0)


def test_each_target_is_learned(model: MultiTargetModel) -> None:
    assert [target.task for target in model.targets] == ["regression", "multiclass", "binary"]
    own = model.facts["targets"]
    assert own["price"]["scores"]["R2"] > 0.8
    assert (
        own["size"]["scores"]["accuracy"] > own["size"]["baselines"]["constant"]["accuracy"] + 0.2
    )
    assert own["sold"]["scores"]["ROC AUC"] > 0.9
    assert model.encoder.feature_names == ("a", "b", "c")  # no target is a feature of another
    assert model.facts["rows"] == {"train": 154, "validation": 38, "test": 48}


def test_predictions_in_all_forms(model: MultiTargetModel) -> None:
    fresh = table(20, seed=1).drop(NAMES)
    predicted = model.predict(fresh)
    assert predicted.shape == (20, 3)
    frame = model.predictions(fresh)
    assert frame.columns == [
        *NAMES,
        "p(size=large)",
        "p(size=middle)",
        "p(size=small)",
        "p(sold=False)",
        "p(sold=True)",
    ]
    assert frame.select(NAMES).rows() == [tuple(row) for row in predicted.tolist()]
    for name in NAMES:
        alone = model[name]
        assert isinstance(alone, TableModel)
        assert alone.predict(fresh).tolist() == frame[name].to_list()
    proba = model["size"].predict_proba(fresh)
    assert frame["p(size=small)"].to_list() == proba[:, 2].tolist()
    with pytest.raises(InvalidData, match=r"expected one of price, size, sold, received 'a'\."):
        model["a"]


def test_predictions_take_some_rows_at_a_time(
    model: MultiTargetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = table(20, seed=1).drop(NAMES)
    expected = model.predict(fresh)
    monkeypatch.setattr("fitwell.data.matrices.BATCH", 7)
    heights = []
    transform = type(model.encoder).transform
    monkeypatch.setattr(
        type(model.encoder), "transform", lambda *a: heights.append(len(a[1])) or transform(*a)
    )
    assert model.predict(fresh).tolist() == expected.tolist()
    assert heights == [7, 7, 6]


def test_scores_of_each_target(model: MultiTargetModel) -> None:
    fresh = table(100, seed=2)
    found = model.evaluate(fresh)
    predicted = model.predictions(fresh)
    error = (predicted["price"] - fresh["price"]).to_numpy()
    assert found["price"]["RMSE"] == pytest.approx(np.sqrt(np.mean(error**2)))
    for name in ("size", "sold"):
        right = (predicted[name] == fresh[name]).mean()
        assert found[name]["accuracy"] == pytest.approx(right)
    with pytest.raises(UnknownName, match="'sold'"):
        model.evaluate(fresh.drop("sold"))


def test_the_file_holds_everything(model: MultiTargetModel, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model.save(path)
    read = tabular.load(path)
    assert isinstance(read, MultiTargetModel)
    fresh = table(30, seed=3)
    assert read.predictions(fresh).equals(model.predictions(fresh))
    assert read.targets == model.targets
    assert read.facts == json.loads(json.dumps(model.facts))
    assert read["sold"].facts == json.loads(json.dumps(dict(model["sold"].facts)))
    assert (
        repr(read)
        == repr(model)
        == (
            "<MultiTargetModel: regression of price, multiclass of size, binary of sold, "
            "from 3 columns, 3 features>"
        )
    )
    header, arrays = files.read(path)
    whole = header["extra"]["table"]
    for damage in ({**whole, "targets": []}, {**whole, "targets": 5}, {**whole, "facts": {}}):
        files.write(path, {**header, "extra": {"table": damage}}, arrays)
        with pytest.raises(InvalidFile):
            tabular.load(path)


def test_parts_and_features_are_the_same_for_all_targets() -> None:
    views = tabular.prepare_several(table(), NAMES, seed=4)
    for part in ("train", "validation", "test"):
        first = getattr(views[0], part)
        for view in views[1:]:
            assert getattr(view, part).x is first.x
            assert getattr(view, part).rows is first.rows
    frame = views[0].frame
    assert views[0].test.true.tolist() == frame["price"][views[0].test.rows].to_list()
    for view in views[1:]:
        known = frame[view.target.name][view.test.rows].to_list()
        assert view.target.decode(view.test.encoded).tolist() == known
    mean = frame["price"].to_numpy()[views[0].train.rows].mean()
    assert views[0].target.mean == pytest.approx(mean)


def test_rows_that_lack_a_target_are_left_out_and_counted() -> None:
    holes = table().with_columns(
        pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise(pl.col("price")).alias("price"),
        pl.when(pl.int_range(pl.len()) > 235).then(None).otherwise(pl.col("sold")).alias("sold"),
    )
    views = tabular.prepare_several(holes, ["price", "sold"])
    assert views[0].notes[0] == "11 of 240 rows have no price or no sold: they are left out."
    assert sum(len(part.x) for part in (views[0].train, views[0].validation, views[0].test)) == 229


def test_many_labels_are_each_in_their_share_and_all_in_training() -> None:
    draw = np.random.default_rng(0)
    labels = {f"label{i}": draw.random(400) < 0.1 + 0.1 * i for i in range(5)}
    frame = pl.DataFrame({"x": draw.normal(size=400), **labels})
    for seed in range(5):
        for view in tabular.prepare_several(frame, list(labels), seed=seed):
            share = labels[view.target.name].mean()
            assert set(view.train.encoded.tolist()) == {0, 1}
            assert abs(view.test.encoded.mean() - share) < 0.07  # 80 rows
    rare = frame.with_columns(pl.Series("rare", np.arange(400) == 7))
    for seed in range(5):
        views = tabular.prepare_several(rare, ["label1", "rare"], seed=seed)
        assert views[1].train.encoded.sum() == 1


def test_roles_hold_for_all_targets() -> None:
    draw = np.random.default_rng(0)
    frame = table().with_columns(
        pl.Series("patient", draw.integers(0, 30, 240)), pl.Series("w", draw.integers(1, 4, 240))
    )
    views = tabular.prepare_several(frame, NAMES, group="patient", weights="w")
    parts = views[2].train, views[2].validation, views[2].test
    patients = [set(views[2].frame["patient"][part.rows]) for part in parts]
    assert len(set.union(*patients)) == sum(map(len, patients)) == 30
    assert views[0].train.weights is views[2].train.weights
    assert "patient" not in views[0].encoder.feature_names
    late = tabular.prepare_several(frame, ["size", "sold"], time="price")
    prices = [late[0].frame["price"][part.rows] for part in (late[0].train, late[0].test)]
    assert prices[0].max() < prices[1].min()


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "one": ({"targets": ["price"]}, InvalidArgument, "two different targets or more, received ['p"),
    "twice": ({"targets": ["price", "price"]}, InvalidArgument, "two different targets or more"),
    "no column": ({"targets": ["price", "sizes"]}, UnknownName, "'sizes'. Did you mean size?"),
    "task of none": (
        {"targets": ["price", "size"], "task": {"prize": "regression"}},
        InvalidArgument,
        "expected tasks of targets, received task of 'prize'. Did you mean price?",
    ),
    "wrong task": (
        {"targets": ["price", "size"], "task": {"size": "binary"}},
        InvalidData,
        "target size: expected two classes, received 3.",
    ),
    "only later": (
        {"targets": ["size", "sold"], "time": "a"},
        InvalidData,
        "target size: expected a row of every class in the training part, received none in any",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_targets_that_cannot_be(case: str) -> None:
    arguments, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        tabular.prepare_several(table(), **arguments)


def test_one_task_for_one_target() -> None:
    with pytest.raises(InvalidArgument, match=r"received task=\{'price': 'regression'\}"):
        tabular.train(table(), "price", task={"price": "regression"})
