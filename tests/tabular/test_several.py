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
from fitwell.tabular.training import together


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


def test_outputs_are_called_like_their_columns() -> None:
    """Losses are called after outputs; what no layer or loss can be called is numbered."""
    columns = ["price / m2", "dense_1", "val_x", "target_1", "??", "Größe"]
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({"x": draw.normal(size=60), **{n: draw.normal(size=60) for n in columns}})
    views = tabular.prepare_several(frame, columns)
    expected = ["price_m2", "target_2", "target_3", "target_4", "target_5", "Größe"]
    for network in (tabular.build_several(views, epochs=1), tabular.plain(views, [2])):
        assert network.network.output_names == expected
    history = network.fit(views[0].train.x, [v.train.encoded for v in views], epochs=1, verbose=0)
    assert set(history.history) == {"loss", *(f"{name}_loss" for name in expected)}


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


def test_a_row_that_lacks_one_target_teaches_the_others() -> None:
    frame = table().with_columns(
        price=pl.when(pl.int_range(pl.len()) % 3 > 0).then("price"),
        size=pl.when(pl.int_range(pl.len()) % 5 > 0).then("size"),
        sold=pl.when(pl.int_range(pl.len()) % 15 > 0).then("sold"),
    )
    views = tabular.prepare_several(frame, NAMES)
    assert views[0].notes[:3] == (
        "16 of 240 rows have no price and no size and no sold: they are left out.",
        "64 of 240 rows have no price: they count for the rest.",
        "32 of 240 rows have no size: they count for the rest.",
    )
    assert [sum(len(p.x) for p in (v.train, v.validation, v.test)) for v in views] == [
        160,
        192,
        224,
    ]
    whole = {n: set(views[2].places[getattr(views[2], n).rows]) for n in ("train", "test")}
    for view in views:
        for name, places in whole.items():
            part = getattr(view, name)
            own = view.places[part.rows]
            assert set(own) <= places
            values = frame[view.target.name][own]
            number = view.target.task == "regression"
            known = part.true if number else view.target.decode(part.encoded)
            assert known.tolist() == values.to_list()
    x, ys, weights = together([view.train for view in views])
    rows = views[2].train.rows
    assert (x == views[2].train.x).all()
    for view, y, weight in zip(views, ys, weights, strict=True):
        known = np.isin(rows, view.train.rows)
        assert weight.tolist() == known.tolist()
        assert y[known].tolist() == view.train.encoded.tolist()


def test_training_where_targets_are_missing(tmp_path: Path) -> None:
    half = table().with_columns(price=pl.when(pl.int_range(pl.len()) % 2 > 0).then("price"))
    model = tabular.train(half, ["price", "sold"], epochs=2, verbose=0)
    rows = [sum(model[name].facts["rows"].values()) for name in ("price", "sold")]
    assert rows == [120, 240]
    model.save(tmp_path / "m.safetensors")
    again = tabular.load(tmp_path / "m.safetensors")
    assert isinstance(again, MultiTargetModel)
    found = again.evaluate(half)
    assert found["price"] == again.evaluate(half.filter(pl.col("price").is_not_null()))["price"]
    assert again.labelled(half)[0].height == 240
    with pytest.raises(InvalidData, match="target price: expected a value in some rows, received"):
        again.evaluate(half.with_columns(price=pl.lit(None, pl.Float64)))


def test_a_target_that_is_missing_in_training_rows_alone() -> None:
    """Then validation rows have no weights, and both parts are learned from in the end."""
    frame, two = table(), ["price", "sold"]
    row = int(tabular.prepare_several(frame, two)[0].train.rows[0])
    one_less = frame.with_columns(price=pl.when(pl.int_range(pl.len()) != row).then("price"))
    prepared = tabular.prepare_several(one_less, two)
    model = tabular.fit_several(prepared, tabular.plain(prepared, [4]), epochs=2, verbose=0)
    rows = [model[name].facts["rows"] for name in two]
    assert rows[0] == rows[1] | {"train": rows[1]["train"] - 1}
    assert model.facts["refit_epochs"] >= 1


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
