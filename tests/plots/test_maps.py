"""Feature maps are what the layers really compute for the example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, ShapeMismatch, UnknownName

X = np.random.default_rng(0).normal(size=(6, 5, 1)).astype(np.float32)


def model() -> fw.Sequential:
    """Its first convolution copies the image, and its negative; the second has five channels."""
    made = fw.Sequential(
        [
            fw.Input((6, 5, 1)),
            L.Conv2D(2, 1, activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(5, 1),
            L.Flatten(),
            L.Dense(2),
        ],
        name="net",
    )
    made["conv2d"].kernel = [[[[1.0, -1.0]]]]
    return made


def shown(figure: Figure) -> list[list[np.ndarray]]:
    return [[np.asarray(image.get_array()) for image in axes.images] for axes in figure.axes]


def titles(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_maps_of_every_convolution() -> None:
    figure = fw.plots.feature_maps(model(), X)
    example, first, second = shown(figure)
    spread = X[..., 0].max() - X[..., 0].min()
    np.testing.assert_allclose(example[0], (X[..., 0] - X.min()) / spread, rtol=1e-6)
    np.testing.assert_array_equal(first, [np.maximum(X[..., 0], 0), np.maximum(-X[..., 0], 0)])
    assert [image.shape for image in second] == [(3, 2)] * 5
    largest = np.abs(X).max()
    head, of_input, of_first, of_second = titles(figure)
    assert (head, of_input) == ("net: feature maps of one example", "input")
    assert of_first == f"conv2d: 2 maps, 6 x 5, from 0 to {largest:.2g}"
    assert of_second.startswith("conv2d_1: 5 maps, 3 x 2, from ")
    for image in figure.axes[1].images:  # one range of colours for the maps of a layer
        assert image.get_clim() == pytest.approx((0, largest))


def test_chosen_layers_and_how_many_maps() -> None:
    figure = fw.plots.feature_maps(model(), X[None], ["max_pooling2d", "conv2d_1"], most=3)
    _, pooled, second = shown(figure)
    clipped = np.maximum(X[:, :4, 0], 0).reshape(3, 2, 2, 2).max((1, 3))
    np.testing.assert_array_equal(pooled[0], clipped)
    assert len(second) == 3
    assert titles(figure)[3].startswith("conv2d_1: 3 of 5 maps, 3 x 2")
    labels = [text.get_text() for text in figure.axes[2].texts]
    assert labels == ["0", "1", "2"]
    assert len(shown(fw.plots.feature_maps(model(), X, "conv2d"))) == 2


def test_colours_and_inputs_that_are_no_images(tmp_path: Path) -> None:
    colour = fw.Sequential([fw.Input((4, 4, 3)), L.Conv2D(1, 3)])
    example = np.random.default_rng(0).random((4, 4, 3))
    figure = fw.plots.feature_maps(colour, example, path=tmp_path / "maps.png")
    assert shown(figure)[0][0].shape == (4, 4, 3)
    assert (tmp_path / "maps.png").read_bytes().startswith(b"\x89PNG")
    many = fw.Sequential([fw.Input((4, 4, 7)), L.Conv2D(1, 3)])
    assert len(shown(fw.plots.feature_maps(many, np.zeros((4, 4, 7))))) == 1


def two_inputs() -> fw.Model:
    a, b = fw.Input((4, 4, 1), name="a"), fw.Input((4, 4, 1), name="b")
    return fw.Model([a, b], L.Conv2D(1, 3)(L.Add()([a, b])))


ERRORS: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "unknown layer": (
        lambda: fw.plots.feature_maps(model(), X, "conv"),
        UnknownName,
        "feature_maps: expected the name of a layer, received 'conv'. Did you mean conv2d?",
    ),
    "no maps": (
        lambda: fw.plots.feature_maps(model(), X, "dense"),
        InvalidArgument,
        "feature_maps, layer dense (Dense): expected an output of (rows, columns, channels), "
        "received (2,). Name a convolution or a pooling layer.",
    ),
    "none at all": (
        lambda: fw.plots.feature_maps(fw.Sequential([fw.Input((2,)), L.Dense(1)]), [1.0, 2.0]),
        InvalidArgument,
        "feature_maps: expected a convolution over rows and columns, received none among input, "
        "dense. Name a layer whose output is (rows, columns, channels).",
    ),
    "several examples": (
        lambda: fw.plots.feature_maps(model(), np.zeros((3, 6, 5, 1))),
        InvalidData,
        "feature_maps, x: expected one example, received 3. Choose one, for instance x[:1].",
    ),
    "another shape": (
        lambda: fw.plots.feature_maps(model(), np.zeros((7, 5, 1))),
        ShapeMismatch,
        "feature_maps, layer input: expected x of shape (n, 6, 5, 1), received (1, 7, 5, 1). "
        "Change the data or the network's first layer.",
    ),
    "text": (
        lambda: fw.plots.feature_maps(model(), "cat.png"),
        InvalidData,
        "feature_maps, x: expected numbers, received text (first value 'cat.png'). Look "
        "words up with StringLookup or TextVectorization, convert digits with astype('float32'), "
        "or train from the table with fitwell.tabular.",
    ),
    "several inputs": (
        lambda: fw.plots.feature_maps(two_inputs(), X),
        InvalidArgument,
        "feature_maps: expected a network with one input, received 2 (a, b). Build a Model from "
        "one of them to the layer, with the same layers.",
    ),
    "most": (
        lambda: fw.plots.feature_maps(model(), X, most=True),
        InvalidArgument,
        "feature_maps: expected most to be a whole number >= 1, received most=True. Pass how "
        "many maps.",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    call, kind, message = ERRORS[case]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
