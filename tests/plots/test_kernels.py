"""Filters are the weights themselves, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import fitwell as fw
from fitwell import figures
from fitwell import layers as L  # noqa: N812
from fitwell.errors import FitwellError, InvalidArgument, NotReady, ShapeMismatch, UnknownName

RNG = np.random.default_rng(0)


def images(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def title(figure: Figure) -> str:
    (text,) = figure.texts
    return text.get_text()


def convolution(channels: int, units: int = 4) -> fw.Sequential:
    return fw.Sequential([fw.Input((9, 9, channels)), L.Conv2D(units, (3, 2))])


def dense() -> fw.Sequential:
    return fw.Sequential([fw.Input((4, 5)), L.Flatten(), L.Dropout(0.1), L.Dense(3), L.Dense(2)])


def test_filters_of_one_channel() -> None:
    model = convolution(1)
    kernel = RNG.normal(size=(3, 2, 1, 4)).astype(np.float32)
    model["conv2d"].kernel = kernel
    figure = fw.plots.filters(model)
    assert labels(figure) == ["0", "1", "2", "3"]
    assert title(figure) == "conv2d: 4 filters, 3 x 2"
    most = np.abs(kernel).max()
    for unit, image in enumerate(images(figure)):
        own = kernel[:, :, 0, unit]
        np.testing.assert_allclose(image, figures.diverging()((own / most + 1) / 2)[..., :3])
        # Green for positive, red for negative.
        strong = np.abs(own) > 0.02 * most
        assert (np.sign(image[..., 1] - image[..., 0]) == np.sign(own))[strong].all()
    low, zero, high = (t.get_text() for t in figure.axes[1].get_xticklabels())
    assert (low, zero, high) == (f"−{most:.2g}", "0", f"{most:.2g}")


def test_filters_of_red_green_and_blue() -> None:
    model = convolution(3)
    kernel = RNG.normal(size=(3, 2, 3, 4)).astype(np.float32)
    model["conv2d"].kernel = kernel
    figure = fw.plots.filters(model, most=3)
    assert title(figure) == "conv2d: 3 of 4 filters, 3 x 2"
    for unit, image in enumerate(images(figure)):
        expected = 0.5 + 0.5 * kernel[..., unit] / np.abs(kernel).max()
        np.testing.assert_allclose(image, expected, atol=1e-6)
    assert len(figure.axes) == 1  # the scale of signed colours would be wrong


def test_filters_of_more_channels_are_shown_channel_by_channel() -> None:
    model = convolution(5, units=2)
    kernel = np.zeros((3, 2, 5, 2), np.float32)
    kernel[2, 1, 4, 1] = 1  # of filter 1, in channel 4
    model["conv2d"].kernel = kernel
    figure = fw.plots.filters(model)
    assert labels(figure) == [f"{unit}.{channel}" for unit in (0, 1) for channel in range(5)]
    assert title(figure) == "conv2d: 10 kernels (filter.channel), 3 x 2"
    neutral = figures.diverging()(0.5)[:3]
    for label, image in zip(labels(figure), images(figure), strict=True):
        odd = np.argwhere(np.abs(image - neutral).max(-1) > 0.1).tolist()
        assert odd == ([[2, 1]] if label == "1.4" else [])


def test_dense_layers_on_images() -> None:
    model = dense()
    kernel = np.zeros((20, 3), np.float32)
    kernel[2 * 5 + 4, 1] = -2.0  # row 2, column 4
    model["dense"].kernel = kernel
    figure = fw.plots.filters(model)
    assert title(figure) == "dense: 3 filters, 4 x 5"
    neutral = figures.diverging()(0.5)[:3]
    for unit, image in enumerate(images(figure)):
        assert image.shape == (4, 5, 3)
        odd = np.argwhere(np.abs(image - neutral).max(-1) > 0.1).tolist()
        assert odd == ([[2, 4]] if unit == 1 else [])
    assert images(figure)[1][2, 4, 0] > images(figure)[1][2, 4, 1]  # red


def test_images_as_rows_of_numbers() -> None:
    model = fw.Sequential([fw.Input((12,)), L.Dense(2)])
    assert images(fw.plots.filters(model, shape=(2, 2, 3)))[0].shape == (2, 2, 3)
    assert images(fw.plots.filters(model, "dense", shape=[3, 4]))[0].shape == (3, 4, 3)


def test_the_first_layer_that_can_be_shown_is_taken() -> None:
    chain = [fw.Input((9, 9, 1)), L.Rescaling(0.1), L.Conv2D(2, 3), L.Conv2D(3, 3), L.Flatten()]
    model = fw.Sequential([*chain, L.Dense(2)])
    assert title(fw.plots.filters(model)) == "conv2d: 2 filters, 3 x 3"
    assert (
        title(fw.plots.filters(model, "conv2d_1")) == "conv2d_1: 6 kernels (filter.channel), 3 x 3"
    )
    assert title(fw.plots.filters(model, model["conv2d"])) == "conv2d: 2 filters, 3 x 3"


def test_one_axis_and_one_filter_per_channel() -> None:
    sequence = fw.Sequential([fw.Input((9, 2)), L.Conv1D(3, 4)])
    kernel = np.zeros((4, 2, 3), np.float32)
    kernel[3, 0, 2] = 1  # the last tap of channel 0
    sequence["conv1d"].kernel = kernel
    figure = fw.plots.filters(sequence)
    assert title(figure) == "conv1d: 3 filters, 2 x 4"  # time goes to the right
    strong = np.abs(images(figure)[2] - figures.diverging()(0.5)[:3]).max(-1) > 0.1
    assert np.argwhere(strong).tolist() == [[0, 3]]
    for layer in (
        L.DepthwiseConv2D(3, depth_multiplier=2),
        L.SeparableConv2D(5, 3, depth_multiplier=2),
    ):
        figure = fw.plots.filters(fw.Sequential([fw.Input((9, 9, 3)), layer]))
        assert labels(figure) == ["0", "1", "2", "3", "4", "5"]  # signed, not red, green and blue
        assert len(figure.axes) == 2


ERRORS: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "unknown layer": (
        lambda: fw.plots.filters(dense(), "dens"),
        UnknownName,
        "filters: expected the name of a layer, received 'dens'. Did you mean dense?",
    ),
    "the input": (
        lambda: fw.plots.filters(dense(), "input"),
        UnknownName,
        "filters: expected the name of a layer, received 'input'. The choices are dense, dense_1, "
        "dropout, flatten.",
    ),
    "no filters": (
        lambda: fw.plots.filters(dense(), "flatten"),
        InvalidArgument,
        "filters, layer flatten (Flatten): expected a convolution of one or two axes, or a Dense "
        "layer, received a layer whose weights are no images. fw.plots.feature_maps shows what "
        "comes out of a layer.",
    ),
    "three axes": (
        lambda: fw.plots.filters(fw.Sequential([fw.Input((4, 4, 4, 1)), L.Conv3D(1, 2)]), "conv3d"),
        InvalidArgument,
        "filters, layer conv3d (Conv3D): expected a convolution of one or two axes, or a Dense "
        "layer, received a layer whose weights are no images. fw.plots.feature_maps shows what "
        "comes out of a layer.",
    ),
    "a kernel per position": (
        lambda: fw.plots.filters(
            fw.Sequential([fw.Input((4, 2)), L.LocallyConnected1D(1, 2)]), "locally_connected1d"
        ),
        InvalidArgument,
        "filters, layer locally_connected1d (LocallyConnected1D): expected a convolution of one "
        "or two axes, or a Dense layer, received a layer whose weights are no images. "
        "fw.plots.feature_maps shows what comes out of a layer.",
    ),
    "none at all": (
        lambda: fw.plots.filters(fw.Sequential([fw.Input((12,)), L.Dense(2)])),
        InvalidArgument,
        "filters: expected a convolution, or a Dense layer on images, received neither among "
        "input, dense. For a network that takes images as rows of numbers pass "
        "shape=(rows, columns).",
    ),
    "input is no image": (
        lambda: fw.plots.filters(dense(), "dense_1"),
        InvalidArgument,
        "filters, layer dense_1 (Dense): expected an image as its input, received 3 numbers. If "
        "they are the pixels of an image pass shape=(rows, columns).",
    ),
    "another number of pixels": (
        lambda: fw.plots.filters(dense(), shape=(5, 5)),
        ShapeMismatch,
        "filters, layer dense (Dense): expected the shape of an image of 20 numbers, (rows, "
        "columns) with 1 or 3 channels, received (5, 5). Pass shape=(28, 28) for 784 numbers.",
    ),
    "most": (
        lambda: fw.plots.filters(dense(), most=0),
        InvalidArgument,
        "filters: expected most to be a whole number >= 1, received most=0. Pass how many images.",
    ),
    "not built": (
        lambda: fw.plots.filters(fw.Sequential([L.Dense(1)], name="later")),
        NotReady,
        "later: expected a network whose input shape is known, received none so far. Begin with "
        "Input(shape=...), call build((None, n)), or fit first.",
    ),
    "no model": (
        lambda: fw.plots.filters(None),  # type: ignore[arg-type]
        InvalidArgument,
        "filters: expected a model, received a NoneType. Pass a Sequential or a Model.",
    ),
    "the file first": (
        lambda: fw.plots.filters(dense(), path="filters.bmp"),
        InvalidArgument,
        "plot: expected path= to be a file name that ends in .svg, .png or .pdf, received "
        "path='filters.bmp'. Write path='network.svg', or leave it out and use the Figure that is "
        "returned.",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    call, kind, message = ERRORS[case]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
