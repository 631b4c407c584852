"""From a folder of images to a model: digits that must be told apart, and the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import fitwell as fw
from fitwell import images
from fitwell.errors import InvalidData, InvalidFile
from fitwell.images.training import described

KINDS = ("one", "seven", "zero")
DIGITS = {"zero": 0, "one": 1, "seven": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 images of each of three digits, and copies of some."""
    path = tmp_path_factory.mktemp("digits")
    bunch = load_digits()
    for name, digit in DIGITS.items():
        (path / name).mkdir()
        for place, row in enumerate(np.flatnonzero(bunch.target == digit)[:60]):
            image = Image.fromarray((bunch.images[row] * 15.9).astype(np.uint8))
            image.save(path / name / f"{place:03}.png")
            if place < 2:
                image.save(path / name / f"copy{place}.png")
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> images.ImageModel:
    return images.train(folder, epochs=15, verbose=0)


def test_digits_are_told_apart(model: images.ImageModel) -> None:
    assert model.classes == KINDS
    assert model.shape == (8, 8, 1)
    assert model.facts["rows"] == {"train": 119, "validation": 30, "test": 37}
    assert model.facts["scores"]["accuracy"] > 0.9
    assert model.facts["baselines"]["constant"]["accuracy"] < 0.5
    assert model.facts["baselines"]["logistic regression"]["accuracy"] > 0.9
    low, high = model.facts["differences"]["constant"]
    assert 0.4 < low < high < 1
    history = model.network.history
    assert history is not None
    assert "train_val_scale_mismatch" not in history.findings.codes
    assert model.facts["notes"][-1] == (
        "6 of 186 images are copies of another: copies stay in one part, so no test image was "
        "trained on."
    )


def test_what_is_prepared_is_shown_in_a_line(folder: Path) -> None:
    assert repr(images.prepare(folder)) == (
        "<Prepared: <Images: 186 of 8 x 8 x 1, 3 classes>; images: 119 train, 30 validation, "
        "37 test>"
    )


def test_copies_come_into_one_part(folder: Path) -> None:
    prepared = images.prepare(folder)
    parts = [
        {prepared.images.x[row].tobytes() for row in rows}
        for rows in (prepared.parts.train, prepared.parts.validation, prepared.parts.test)
    ]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_the_file_names_what_it_sees(
    model: images.ImageModel, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = images.load(tmp_path)
    some = sorted((folder / "zero").glob("0*.png"))[:10]
    np.testing.assert_array_equal(loaded.predict_proba(some), model.predict_proba(some))
    assert (loaded.predict(some) == "zero").mean() > 0.8
    frame = loaded.predictions(some[0])
    assert frame.columns == ["file", "class", "p(one)", "p(seven)", "p(zero)"]
    assert frame["file"].to_list() == [str(some[0])]
    assert dict(loaded.facts) == model.facts
    shown = loaded._repr_html_()
    assert "&lt;ImageModel: 3 classes, from 8 x 8 x 1&gt;" in shown
    for scores in (model.facts["scores"], *model.facts["baselines"].values()):
        assert f">{scores['accuracy']:.4g}</td>" in shown


def test_evaluate_counts_what_is_right(model: images.ImageModel, folder: Path) -> None:
    frame = model.predictions(folder)
    right = [Path(f).parent.name == c for f, c in zip(frame["file"], frame["class"], strict=True)]
    assert model.evaluate(folder)["accuracy"] == pytest.approx(np.mean(right))


def test_images_of_another_size_are_brought_to_one(
    model: images.ImageModel, folder: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    with Image.open(folder / "zero" / "003.png") as image:
        image.convert("RGB").resize((40, 40), Image.Resampling.BICUBIC).save(large)
    assert model.predict(large) == ["zero"]


def test_what_cannot_be_trained_or_loaded(
    model: images.ImageModel, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidData, match=r"two sub-folders of images or more, one per class, rec"):
        images.train(folder / "zero")
    strange = tmp_path / "strange"
    (strange / "eight").mkdir(parents=True)
    Image.new("L", (8, 8)).save(strange / "eight" / "1.png")
    with pytest.raises(InvalidData, match=r"named one, seven, zero, received eight\. Name the"):
        model.evaluate(strange)
    fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)]).save(tmp_path / "n.safetensors")
    with pytest.raises(InvalidFile, match="a model that was trained on images, received another"):
        images.load(tmp_path / "n.safetensors")


def test_what_a_network_is_in_a_line() -> None:
    flat = fw.Sequential([fw.Input((2, 2, 1)), fw.layers.Flatten(), fw.layers.Dense(3)])
    assert described(flat) == "no convolutions: 15 weights"
    wide = fw.Sequential([fw.Input((2, 2, 1)), fw.layers.Conv2D(4, 1), fw.layers.Conv2D(5, 1)])
    assert described(wide) == "convolutions of 4, 5 filters: 33 weights"
