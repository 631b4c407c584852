"""Maximal inputs of units whose maximal input is known."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.errors import (
    FitwellError,
    InvalidArgument,
    InvalidData,
    NotReady,
    ShapeMismatch,
    UnknownName,
)
from fitwell.plots import maximal_input

RNG = np.random.default_rng(0)


def dense(activation: str | None = None) -> fw.Sequential:
    made = fw.Sequential([fw.Input((5,)), L.Dense(3, activation)], name="net")
    made["dense"].kernel = RNG.normal(size=(5, 3))
    made["dense"].bias = [0.5, -1.0, 2.0]
    return made


@pytest.mark.parametrize("activation", [None, "sigmoid", "relu", "softmax"])
def test_a_unit_of_the_first_layer_looks_for_its_weights(activation: str | None) -> None:
    """max of w x + b over |x| <= r is at x = r w / |w|; the activation does not matter."""
    model = dense(activation)
    found = maximal_input(model, "dense", 1, norm=2.0)
    weights = np.asarray(model["dense"].kernel)[:, 1]
    length = np.linalg.norm(weights)
    np.testing.assert_allclose(found.input, 2 * weights / length, atol=2e-6)
    assert found.value == pytest.approx(2 * length - 1.0, rel=1e-6)


def test_linear_layers_together_are_one() -> None:
    chain = [fw.Input((4,)), L.Dense(6), L.BatchNormalization(), L.Dense(3), L.Activation("tanh")]
    model = fw.Sequential(chain)
    model["batch_normalization"].gamma = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    first, second = (np.asarray(model[name].kernel) for name in ("dense", "dense_1"))
    weights = first @ np.diag(np.arange(1, 7) / np.sqrt(1.001)) @ second[:, 2]
    found, value, figure = maximal_input(model, "activation", 2)
    # By default as long as inputs of mean square 1.
    np.testing.assert_allclose(found, 2 * weights / np.linalg.norm(weights), atol=1e-5)
    assert value == pytest.approx(2 * np.linalg.norm(weights), rel=1e-5)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, found)


def test_a_unit_that_is_not_linear() -> None:
    """relu(x) + 2 relu(y) over the unit disc: the best is (1, 2) / sqrt 5, where it is sqrt 5."""
    model = fw.Sequential([fw.Input((2,)), L.Dense(2, "relu"), L.Dense(1)])
    model["dense"].kernel = np.eye(2)
    model["dense_1"].kernel = [[1.0], [2.0]]
    found = maximal_input(model, "dense_1", 0, norm=1.0, starts=16, steps=128)
    np.testing.assert_allclose(found.input, np.array([1, 2]) / np.sqrt(5), atol=1e-4)
    assert found.value == pytest.approx(np.sqrt(5), rel=1e-6)


def test_the_ball_is_not_left_and_need_not_be_filled() -> None:
    """-(x - 0.3)^2 is largest inside the ball."""

    class Hill(L.Layer):
        def apply(self, params: Any, x: Any) -> Any:
            return -((x - 0.3) ** 2)

    found = maximal_input(fw.Sequential([fw.Input((1,)), Hill()]), "hill", 0, norm=2.0, steps=400)
    assert found.input == pytest.approx(0.3, abs=0.01)
    assert found.value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_convolution_looks_for_its_filter_in_the_middle(channels: int) -> None:
    model = fw.Sequential([fw.Input((9, 9, channels)), L.Conv2D(4, 3, activation="relu")])
    kernel = np.asarray(model["conv2d"].kernel)[..., 2]
    found = maximal_input(model, "conv2d", 2, norm=1.0)
    expected = np.zeros((9, 9, channels))
    expected[3:6, 3:6] = kernel / np.linalg.norm(kernel)  # the middle of 7 x 7 positions is (3, 3)
    np.testing.assert_allclose(found.input, expected, atol=2e-6)
    assert found.value == pytest.approx(np.linalg.norm(kernel), rel=1e-6)
    assert len(found.figure.axes) == (2 if channels == 1 else 1)  # signed colours have a scale
    corner = maximal_input(model, "conv2d", (0, 6, 2), norm=1.0).input
    np.testing.assert_allclose(corner[0:3, 6:9], expected[3:6, 3:6], atol=2e-6)


def test_smoothing_blurs_what_is_looked_for() -> None:
    """The fixed point of blurred steps is the blurred weights, as long as is allowed."""
    model = fw.Sequential([fw.Input((8, 8)), L.Flatten(), L.Dense(1)])
    weights = np.zeros((8, 8))
    weights[2, 5] = 1.0
    model["dense"].kernel = weights.reshape(64, 1)
    plain = maximal_input(model, "dense", 0, norm=1.0)
    smooth = maximal_input(model, "dense", 0, norm=1.0, smoothing=1.5)
    np.testing.assert_allclose(plain.input, weights, atol=1e-6)
    rows = np.exp(-0.5 * ((np.arange(8)[:, None] - np.arange(8)) / 1.5) ** 2)
    rows /= rows.sum(1, keepdims=True)
    blurred = rows @ weights @ rows.T
    np.testing.assert_allclose(smooth.input, blurred / np.linalg.norm(blurred), atol=1e-6)
    assert smooth.value < plain.value == pytest.approx(1.0)


def test_the_value_is_the_network_s_own_and_repeats() -> None:
    model = fw.Sequential([fw.Input((6, 2)), L.SimpleRNN(4), L.Dense(3)], seed=1)
    one, two = (maximal_input(model, "dense", 1, seed=3, steps=20) for _ in range(2))
    np.testing.assert_array_equal(one.input, two.input)
    assert one.value == pytest.approx(float(model.predict(one.input[None])[0, 1]), rel=1e-5)
    assert np.linalg.norm(one.input) <= np.sqrt(12) * (1 + 1e-6)
    random = RNG.normal(size=(100, 6, 2))
    random *= np.sqrt(12) / np.linalg.norm(random, axis=(1, 2), keepdims=True)
    assert one.value > model.predict(random)[:, 1].max()


def test_the_picture(tmp_path: Path) -> None:
    found = maximal_input(dense(), "dense", 0, path=tmp_path / "unit.svg")
    text = (tmp_path / "unit.svg").read_text()
    assert f">net, layer dense, unit 0: {found.value:.3g}</text>" in text


def test_an_image_in_a_row_of_numbers_is_drawn_as_an_image() -> None:
    model = fw.Sequential([fw.Input((6,)), L.Dense(1)])
    model["dense"].kernel = np.arange(6.0)[:, None]
    found = maximal_input(model, "dense", 0, shape=(2, 3))
    assert found.input.shape == (6,)
    shown = found.figure.axes[0].images[0].get_array()
    assert shown is not None
    assert shown.shape[:2] == (2, 3)
    direction = np.arange(6.0) / np.linalg.norm(np.arange(6.0)) * np.sqrt(6)
    np.testing.assert_allclose(found.input, direction, atol=1e-5)


def test_a_dead_unit_is_said() -> None:
    model = fw.Sequential([fw.Input((2,)), L.Dense(3, "relu"), L.Dense(1)])
    model["dense"].bias = [-1e6] * 3
    message = (
        "maximal_input: layer dense_1, unit 0 does not change with the input, at none of 4 starts. "
        "The picture shows noise: a unit before it may be dead."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        maximal_input(model, "dense_1", 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maximal_input(model, "dense", 0)  # its own value before the ReLU has a slope


def two_inputs() -> fw.Model:
    a, b = fw.Input((4,), name="a"), fw.Input((4,), name="b")
    return fw.Model([a, b], L.Dense(1)(L.Add()([a, b])))


def with_nan() -> fw.Sequential:
    model = dense()
    model["dense"].bias = [np.nan] * 3
    return model


def words() -> fw.Sequential:
    return fw.Sequential(
        [fw.Input((4,), dtype="int32"), L.Embedding(9, 2), L.Flatten(), L.Dense(1)]
    )


ERRORS: dict[str, tuple[Callable[[], Any], type[FitwellError], str]] = {
    "another image": (
        lambda: maximal_input(dense(), "dense", 0, shape=(2, 2)),
        ShapeMismatch,
        "maximal_input: expected the shape of an image of 5 numbers, (rows, columns) with 1 or 3 "
        "channels, received (2, 2). Pass shape=(28, 28) for 784 numbers.",
    ),
    "no image": (
        lambda: maximal_input(dense(), "dense", 0, shape=5),  # type: ignore[arg-type]
        ShapeMismatch,
        "maximal_input: expected the shape of an image of 5 numbers, (rows, columns) with 1 or 3 "
        "channels, received 5. Pass shape=(28, 28) for 784 numbers.",
    ),
    "negative rows": (
        lambda: maximal_input(dense(), "dense", 0, shape=(-1, -5)),
        ShapeMismatch,
        "maximal_input: expected the shape of an image of 5 numbers, (rows, columns) with 1 or 3 "
        "channels, received (-1, -5). Pass shape=(28, 28) for 784 numbers.",
    ),
    "unknown layer": (
        lambda: maximal_input(dense(), "dense_1", 0),
        UnknownName,
        "maximal_input: expected the name of a layer, received 'dense_1'. Did you mean dense?",
    ),
    "unit out of range": (
        lambda: maximal_input(dense(), "dense", 3),
        InvalidArgument,
        "maximal_input, layer dense (Dense): expected a unit from 0 to 2, or an index into an "
        "output of shape (3,), received unit=3. Units count from 0.",
    ),
    "negative unit": (
        lambda: maximal_input(dense(), "dense", -1),
        InvalidArgument,
        "maximal_input, layer dense (Dense): expected a unit from 0 to 2, or an index into an "
        "output of shape (3,), received unit=-1. Units count from 0.",
    ),
    "no unit": (
        lambda: maximal_input(dense(), "dense", "first"),  # type: ignore[arg-type]
        InvalidArgument,
        "maximal_input, layer dense (Dense): expected a unit from 0 to 2, or an index into an "
        "output of shape (3,), received unit='first'. Units count from 0.",
    ),
    "index of another rank": (
        lambda: maximal_input(dense(), "dense", (0, 1)),
        InvalidArgument,
        "maximal_input, layer dense (Dense): expected a unit from 0 to 2, or an index into an "
        "output of shape (3,), received unit=(0, 1). Units count from 0.",
    ),
    "several inputs": (
        lambda: maximal_input(two_inputs(), "dense", 0),
        InvalidArgument,
        "maximal_input: expected a network with one input, received 2 (a, b). Build a Model from "
        "one of them to the layer, with the same layers.",
    ),
    "whole numbers": (
        lambda: maximal_input(words(), "dense", 0),
        InvalidArgument,
        "maximal_input: expected an input of real numbers, received int32. Ask the layer after "
        "the Embedding in a Model of its own, which begins there.",
    ),
    "steps": (
        lambda: maximal_input(dense(), "dense", 0, steps=0),
        InvalidArgument,
        "maximal_input: expected steps to be a whole number >= 1, received steps=0. Leave it out "
        "for the default.",
    ),
    "starts": (
        lambda: maximal_input(dense(), "dense", 0, starts=2.0),  # type: ignore[arg-type]
        InvalidArgument,
        "maximal_input: expected starts to be a whole number >= 1, received starts=2.0. Leave it "
        "out for the default.",
    ),
    "norm": (
        lambda: maximal_input(dense(), "dense", 0, norm=0.0),
        InvalidArgument,
        "maximal_input: expected norm > 0, received norm=0.0. Leave it out for the default.",
    ),
    "smoothing": (
        lambda: maximal_input(dense(), "dense", 0, smoothing=-1.0),
        InvalidArgument,
        "maximal_input: expected smoothing >= 0, received smoothing=-1.0. Leave it out for the "
        "default.",
    ),
    "nothing to smooth": (
        lambda: maximal_input(dense(), "dense", 0, smoothing=1.0),
        InvalidArgument,
        "maximal_input: expected an image to smooth, received inputs of shape (5,). Leave "
        "smoothing out.",
    ),
    "seed": (
        lambda: maximal_input(dense(), "dense", 0, seed=-1),
        InvalidArgument,
        "maximal_input: expected seed to be a whole number >= 0, received seed=-1. Leave it out "
        "for the default.",
    ),
    "not finite": (
        lambda: maximal_input(with_nan(), "dense", 0),
        InvalidData,
        "maximal_input, layer dense, unit 0: expected a finite answer, received nan. Look for NaN "
        "in the weights: train again with a smaller learning rate.",
    ),
    "not built": (
        lambda: maximal_input(fw.Sequential([L.Dense(1)], name="later"), "dense", 0),
        NotReady,
        "later: expected a network whose input shape is known, received none so far. Begin with "
        "Input(shape=...), call build((None, n)), or fit first.",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    call, kind, message = ERRORS[case]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
