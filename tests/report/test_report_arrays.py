"""The report of any model: images, sequences, several labels, several outputs, words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pages import Page, check

import fitwell as fw
from fitwell.errors import InvalidArgument
from fitwell.report.making import Origin
from fitwell.report.study import Study
from fitwell.report.writing import studies_of

RNG = np.random.default_rng(0)


def compiled(layers: list[Any], loss: str) -> fw.Sequential:
    model = fw.Sequential(layers, name="net")
    model.compile(loss=loss)
    return model


def of(model: fw.Model, x: Any, y: Any, **options: Any) -> Study:
    (found,) = studies_of(model, (x, y), None, Origin(), **options)
    return found


def written(folder: Path, model: fw.Model, x: Any, y: Any, **options: Any) -> Page:
    page = Page(fw.report.write(folder / "r.html", model, (x, y), **options).read_text())
    check(page)
    return page


def test_images_are_shown_and_not_shuffled(tmp_path: Path) -> None:
    layers = [fw.Input((3, 3, 1)), fw.layers.Flatten(), fw.layers.Dense(3, "softmax")]
    x, y = RNG.normal(size=(30, 3, 3, 1)), RNG.integers(0, 3, 30)
    page = written(tmp_path, compiled(layers, "sparse_categorical_crossentropy"), x, y)
    assert page.tags.count("img") >= 10
    assert "The model reads images: a pixel shuffled on its own says nothing" in page.seen
    assert "Rows count from 0" in page.seen


def test_a_regression_by_hand(tmp_path: Path) -> None:
    """y = x0 exactly, but for row 7, which is off by 50."""
    model = compiled([fw.Input((2,)), fw.layers.Dense(1, use_bias=False, name="only")], "mse")
    model["only"].kernel = [[1.0], [0.0]]
    x = RNG.normal(size=(100, 2)).astype(np.float32)
    y = x[:, 0].copy()
    y[7] += 50
    y[:7] += 0.001 * np.arange(7)
    found = of(model, x, y, names=["used", "idle"])
    assert found.judgement.scores["RMSE"][0] == pytest.approx(5, rel=1e-3)
    assert found.worst.header[:4] == ("row", "true", "predicted", "off by")
    assert (found.worst.rows[0][0], found.worst.rows[0][3]) == ("7", "50")
    constant = np.sqrt(np.mean((y - y.mean()) ** 2))
    assert found.baselines["constant"]["RMSE"] == pytest.approx(constant, rel=1e-5)
    assert [one.name for one in found.reliance.importances] == ["used", "idle"]
    assert found.reliance.importances[1].value == 0
    page = written(tmp_path, model, x, y, names=["used", "idle"], saved="mine.safetensors")
    assert "model = fw.load('mine.safetensors')" in page.seen
    assert "Residuals: mean" in page.seen
    assert "model.compile(optimizer=fw.optimizers.Adam(), loss=fw.losses.MeanSqu" in page.seen


def test_several_labels(tmp_path: Path) -> None:
    model = compiled([fw.Input((2,)), fw.layers.Dense(2, "sigmoid")], "binary_crossentropy")
    x, y = RNG.normal(size=(40, 2)), RNG.integers(0, 2, (40, 2))
    page = written(tmp_path, model, x, y, labels=["sun", "rain"])
    assert "2 labels" in page.seen
    assert "sun: area" in page.seen
    assert "suspects" not in page.ids


def test_sequences_have_channels(tmp_path: Path) -> None:
    layers = [fw.Input((4, 2)), fw.layers.Dense(3, "softmax")]
    x, y = RNG.normal(size=(20, 4, 2)), RNG.integers(0, 3, (20, 4))
    page = written(tmp_path, compiled(layers, "sparse_categorical_crossentropy"), x, y)
    assert "X[:, :, 0]" in page.seen
    assert "4 values" in page.seen
    found = of(compiled(layers, "sparse_categorical_crossentropy"), x, y)
    assert found.judgement.confusion.sum() == 80


def test_the_first_of_several_outputs(tmp_path: Path) -> None:
    x = fw.Input((2,))
    heads = [fw.layers.Dense(1, name=name)(x) for name in ("price", "area")]
    model = fw.Model(x, heads)
    model.compile(loss="mse")
    y = RNG.normal(size=(30, 1))
    page = written(tmp_path, model, RNG.normal(size=(30, 2)), [y, y])
    assert "The model has 2 outputs; this is about price." in page.seen


def test_text_is_shown(tmp_path: Path) -> None:
    texts = np.array(["good <b>film", "bad film", "good", "bad"] * 5)
    words = fw.layers.TextVectorization(vocabulary=["good", "bad", "film"], output_mode="multi_hot")
    layers = [fw.Input((), dtype="string"), words, fw.layers.Dense(1, "sigmoid")]
    page = written(tmp_path, compiled(layers, "binary_crossentropy"), texts, [1, 0, 1, 0] * 5)
    assert "good <b>film" in page.seen
    assert "The model reads text" in page.seen


def test_a_network_that_is_no_better_says_so() -> None:
    model = compiled([fw.Input((2,)), fw.layers.Dense(1, use_bias=False, name="only")], "mse")
    x = RNG.normal(size=(200, 2))
    model["only"].kernel = [[5.0], [0.0]]
    assert (
        "Constant is better by more than chance explains: use it" in of(model, x, x[:, 1]).verdict
    )
    model["only"].kernel = [[0.01], [0.0]]
    assert "may be chance: its 95 % interval on the same rows is" in of(model, x, x[:, 1]).verdict
    model["only"].kernel = [[0.0], [1.0]]
    assert "better than that by more than chance explains" in of(model, x, x[:, 1]).verdict


def test_data_in_another_form(tmp_path: Path) -> None:
    model = compiled([fw.Input((2,)), fw.layers.Dense(1)], "mse")
    with pytest.raises(InvalidArgument, match=r"expected data=\(x, y\), received a ndarray"):
        fw.report.write(tmp_path / "r.html", model, np.eye(2))
