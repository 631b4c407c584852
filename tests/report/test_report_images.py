"""The report of a model of images: files by name, thumbnails, and folders of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _pages import Page, check
from PIL import Image

import fitwell as fw
from fitwell import images
from fitwell.errors import InvalidData
from fitwell.report.making import Origin
from fitwell.report.writing import studies_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dark and light images; one of the light ones lies with the dark ones."""
    path, random = tmp_path_factory.mktemp("shades"), np.random.default_rng(0)
    for name, level in (("dark", 40), ("light", 200)):
        (path / name).mkdir()
        for i in range(30):
            pixels = random.integers(-30, 30, (4, 4)) + (200 if (name, i) == ("dark", 5) else level)
            Image.fromarray(pixels.astype(np.uint8)).save(path / name / f"{i:02}.png")
    return path


def model() -> images.ImageModel:
    """Light where the mean is above 120."""
    network = fw.Sequential(
        [
            fw.Input((4, 4, 1)),
            fw.layers.GlobalAveragePooling2D(),
            fw.layers.Dense(2, "softmax", name="last"),
        ]
    )
    network.compile(loss="sparse_categorical_crossentropy")
    network["last"].kernel, network["last"].bias = [[-0.05, 0.05]], [6.0, -6.0]
    facts = {"baselines": {"constant": {"accuracy": 0.5}}, "notes": ["a <note>"]}
    return images.ImageModel(network, ("dark", "light"), facts)


def test_the_page_of_a_training(folder: Path, tmp_path: Path) -> None:
    page = Page(fw.report.write(tmp_path / "r.html", model(), images.prepare(folder)).read_text())
    check(page)
    assert "12 test images, which training did not see; constant reaches 0.5" in page.seen
    assert page.tags.count("img") >= 10
    assert "a <note>" in page.seen
    assert "fw.images.load('model.safetensors')" in page.seen


def test_an_image_in_the_wrong_folder_is_found(folder: Path, tmp_path: Path) -> None:
    (found,) = studies_of(model(), folder, None, Origin("shades"))
    assert found.judged == "all 60 images of shades"
    assert found.judgement.task == "binary"
    assert found.judgement.scores["accuracy"][0] == pytest.approx(59 / 60)
    assert found.suspects.rows == (("dark/05.png", "dark", "light", found.suspects.rows[0][3]),)
    assert found.worst.rows[0][:2] == ("dark/05.png", "dark")
    (tmp_path / "other").mkdir()
    Image.open(folder / "light" / "00.png").save(tmp_path / "other" / "a.png")
    with pytest.raises(InvalidData, match="sub-folders named dark, light, received other"):
        studies_of(model(), tmp_path, None, Origin())
