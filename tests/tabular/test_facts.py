"""What a model file says of its training: kept as it was, or refused before anything reads it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import images, tabular
from fitwell.errors import InvalidFile
from fitwell.images.model import ImageModel
from fitwell.tabular import TableModel


@pytest.fixture(scope="module")
def model() -> TableModel:
    draw = np.random.default_rng(0)
    x = draw.normal(size=60)
    prepared = tabular.prepare(pl.DataFrame({"x": x, "y": x > 0, "w": draw.random(60)}), "y",
                               weights="w")  # fmt: skip
    return tabular.measured(prepared, tabular.plain(prepared, (2,), 0), stopped=None, seconds=1)


def saved(model: Any, folder: Path, **facts: Any) -> Path:
    path = folder / "m.safetensors"
    dataclasses.replace(model, facts={**model.facts, **facts}).save(path)
    return path


ORIGIN = {
    "command": ["train", "t.csv"],
    "data": {"path": "t.csv", "sha256": None},
    "options": {"data": "t.csv"},
    "versions": {"python": "3.11"},
}


def test_facts_come_back(model: TableModel, tmp_path: Path) -> None:
    read = tabular.load(saved(model, tmp_path, origin=ORIGIN, own=[1, {"a": None}]))
    assert read.facts == {**model.facts, "origin": ORIGIN, "own": [1, {"a": None}]}


@pytest.mark.parametrize(
    "facts",
    [
        {"origin": "x"},
        {"origin": {**ORIGIN, "command": [1]}},
        {"origin": {**ORIGIN, "data": {"path": "t.csv"}}},
        {"origin": {"data": ORIGIN["data"]}},
        {"forms": [1]},
        {"roles": 3},
        {"roles": {"weights": 1}},
        {"scores": 3},
        {"scores": {"accuracy": True}},
        {"baselines": {"a": 1}},
        {"baselines": {"constant": {}}},
        {"constant": "mean"},
        {"constant": ["a"]},
        {"differences": {"constant": [1.0]}},
        {"differences": {"other": [1.0, 2.0]}},
        {"notes": [3]},
        {"notes": "words"},
        {"columns": [{"column": "x"}]},
        {"rows": {"train": "many"}},
        {"epochs": None},
        {"calibration": {"temperature": 1.0}},
        {"interval": {"coverage": 0.9, "measured": "most"}},
        {"folds": {"folds": 3, "scores": {"accuracy": 0.5}}},
    ],
    ids=str,
)
def test_facts_of_other_types_are_refused(
    model: TableModel, tmp_path: Path, facts: dict[str, Any]
) -> None:
    (name,) = facts
    message = f"expected the description of a table, received ValueError: facts['{name}']"
    with pytest.raises(InvalidFile, match=re.escape(message)):
        tabular.load(saved(model, tmp_path, **facts))


def test_facts_of_images_and_of_several_targets(model: TableModel, tmp_path: Path) -> None:
    network = fw.Sequential(
        [fw.Input((2, 2, 1)), fw.layers.Flatten(), fw.layers.Dense(2, "softmax")]
    )
    path = saved(ImageModel(network, ("a", "b")), tmp_path, notes=["a note"])
    assert images.load(path).facts == {"notes": ["a note"]}
    with pytest.raises(InvalidFile, match=re.escape("ValueError: facts['notes'] is [3].")):
        images.load(saved(ImageModel(network, ("a", "b")), tmp_path, notes=[3]))
    several = tabular.MultiTargetModel(model.network, (model,), {})
    own = {"targets": {"y": {"scores": 3}}}
    path = saved(several, tmp_path, **own)
    with pytest.raises(InvalidFile, match=re.escape("ValueError: facts['scores'] is 3.")):
        tabular.load(path)
