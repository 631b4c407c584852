"""Files by suffix, notebooks, and colours that everybody can tell apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fitwell as fw
from fitwell import figures
from fitwell.errors import InvalidArgument, InvalidFile, UnknownAttribute
from fitwell.history import History
from fitwell.layers import Dense

BEGINNINGS = {".svg": b"<?xml", ".png": b"\x89PNG", ".PDF": b"%PDF"}


def model() -> fw.Sequential:
    return fw.Sequential([fw.Input((2,)), Dense(3, name="a$b$")], name="net", seed=0)


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_the_suffix_chooses_the_format(suffix: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    model().plot(first)
    fw.plots.network(model(), str(second))
    assert first.read_bytes().startswith(BEGINNINGS[suffix])
    assert first.read_bytes() == second.read_bytes()  # equal pictures, equal files: no dates


def test_text_in_an_svg_can_be_searched(tmp_path: Path) -> None:
    model().plot(tmp_path / "net.svg")
    text = (tmp_path / "net.svg").read_text()
    for words in ("net: 9 weights", "a$b$", "Dense", "input", "x2"):
        assert f">{words}</text>" in text


def test_history_is_written_too(tmp_path: Path) -> None:
    history = History()
    history.record(0, {"loss": 0.5})
    figure = history.plot(tmp_path / "history.svg")
    assert ">epoch</text>" in (tmp_path / "history.svg").read_text()
    assert len(figure.axes) == 1


def test_notebooks_show_every_figure() -> None:
    assert model().plot()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["net.jpg", "net", Path("net.gif"), 3])
def test_other_suffixes(path: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        model().plot(path)
    assert str(caught.value) == (
        "plot: expected path= to be a file name that ends in .svg, .png or .pdf, received "
        f"path={str(path)!r}. Write path='network.svg', or leave it out and use the Figure that "
        "is returned."
    )


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    for path, reason in (
        (tmp_path / "none" / "net.svg", "No such file or directory"),
        (tmp_path / "folder.svg", "Is a directory"),
    ):
        with pytest.raises(InvalidFile) as caught:
            model().plot(path)
        assert str(caught.value) == (
            f"plot to {str(path)!r}: expected a file in a folder that exists and can be written "
            f"to, received {reason}. Make the folder, or choose another."
        )


def test_unknown_pictures() -> None:
    with pytest.raises(UnknownAttribute, match=r"fitwell\.plots: .* Did you mean filters\?"):
        fw.plots.filter  # noqa: B018


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB: distances below 10 are small, 100 is black to white."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
              [0.0193339, 0.1191920, 0.9503041]]  # fmt: skip
    x = np.array(to_xyz) @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# What is seen without the long, middle or short cones. Machado, Oliveira & Fernandes 2009,
# doi:10.1109/TVCG.2009.113, severity 1.
SEEN = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


@pytest.mark.parametrize("eyes", SEEN)
def test_everybody_tells_positive_from_negative(eyes: str) -> None:
    for pair in (
        (figures.POSITIVE, figures.NEGATIVE),
        (figures.TRAINING, figures.VALIDATION),
        ("#004D45", "#A32B00"),  # the ends of the diverging colours
    ):
        one, other = (lab(np.array(SEEN[eyes]) @ linear(colour)) for colour in pair)
        assert np.linalg.norm(one - other) > 30


def test_the_diverging_colours() -> None:
    """Green above zero, red below it, at zero neither, and the further the stronger."""
    shades = figures.diverging()(np.linspace(0, 1, 255))
    red, green = shades[:, 0], shades[:, 1]
    assert (red[:127] > green[:127]).all()
    assert (green[128:] > red[128:]).all()
    assert abs(red[127] - green[127]) < 0.01
    lightness = np.array([lab(np.array(c[:3]) ** 2.2)[0] for c in shades])
    assert (np.diff(lightness[:127]) > 0).all()
    assert (np.diff(lightness[128:]) < 0).all()


def test_nothing_heavy_before_the_first_picture() -> None:
    code = (
        "import sys, fitwell as fw\n"
        "model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])\n"
        "assert 'matplotlib' not in sys.modules\n"
        "model.plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
