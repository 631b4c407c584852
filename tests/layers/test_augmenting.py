"""Augmentations: exact where nothing is left to chance, statistics where it is, and messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (400, 4, 6, 3))
BRIGHT = {"value_range": (-9, 9)}


def train(layer: Layer, x: Any, key: Any = KEY) -> Any:
    return np.asarray(layer.forward({}, {}, x, key=key, train=True)[0])


GOLDEN: dict[str, Layer] = {
    "rotation": L.RandomRotation((0.1, 0.1)),
    "rotation_constant": L.RandomRotation((-0.3, -0.3), "constant", fill_value=3.0),
    "rotation_nearest": L.RandomRotation((0.2, 0.2), "nearest", "nearest"),
    "translation": L.RandomTranslation((0.3, 0.3), (-0.15, -0.15)),
    "translation_wrap": L.RandomTranslation((0.5, 0.5), (0.2, 0.2), "wrap"),
    "zoom": L.RandomZoom((0.4, 0.4)),
    "zoom_both": L.RandomZoom((-0.4, -0.4), (0.3, 0.3), "constant"),
    "brightness": L.RandomBrightness((0.3, 0.3), value_range=(-2.0, 2.0)),
    "contrast": L.RandomContrast((0.0, 0.0), value_range=(-1.0, 1.0)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_without_chance_they_agree_with_keras(name: str) -> None:
    with np.load(Path(__file__).parents[1] / "golden" / "augmentation.npz") as file:
        x, wanted = file["x"], file[name]
    np.testing.assert_allclose(train(GOLDEN[name], jnp.asarray(x)), wanted, atol=1e-5)


NOTHING: list[Layer] = [
    L.RandomRotation(0.0),
    L.RandomTranslation(0, 0),
    L.RandomZoom(0),
    L.RandomBrightness(0, **BRIGHT),
    L.RandomContrast(0, **BRIGHT),
    L.RandomErasing((0, 0)),
    L.RandomErasing(scale=0, fill_value=7),
    L.RandomCrop(4, 6),
]


@pytest.mark.parametrize("layer", NOTHING, ids=lambda a: repr(a))
def test_factor_zero_is_the_identity(layer: Layer) -> None:
    np.testing.assert_allclose(train(layer, X), X, rtol=1e-5, atol=1e-5)


def test_rotations_by_quarters_are_those_of_numpy() -> None:
    square = X[:5, :4, :4]
    for quarters in (1, 2, 3, -1):
        y = train(L.RandomRotation((quarters / 4, quarters / 4)), square)
        np.testing.assert_allclose(y, np.rot90(square, quarters, axes=(1, 2)), atol=1e-5)


def test_flips_have_probability_one_half_for_each_image_and_direction() -> None:
    x = np.asarray(X)
    kinds = {
        "none": x,
        "vertical": x[:, ::-1],
        "horizontal": x[:, :, ::-1],
        "both": x[:, ::-1, ::-1],
    }
    for mode, possible in (
        ("horizontal", {"none", "horizontal"}),
        ("vertical", {"none", "vertical"}),
        ("horizontal_and_vertical", set(kinds)),
    ):
        layer = L.RandomFlip(mode)
        y = train(layer, X)
        share = {k: float((y == v).all((1, 2, 3)).mean()) for k, v in kinds.items()}
        assert sum(share.values()) == 1
        for kind in kinds:  # 5 standard errors of a share of 400 images
            expected = 1 / len(possible) if kind in possible else 0
            assert share[kind] == pytest.approx(expected, abs=5 * 0.5 / 20)
        np.testing.assert_array_equal(train(layer, jnp.asarray(y)), X)  # the same draw undoes it


def test_crops_are_windows_at_all_places() -> None:
    y = train(L.RandomCrop(3, 4), X)
    corners = [
        (i, j)
        for image, crop in zip(np.asarray(X), y, strict=True)
        for i in range(2)
        for j in range(3)
        if (image[i : i + 3, j : j + 4] == crop).all()
    ]
    assert len(corners) == 400
    counts = np.unique(corners, axis=0, return_counts=True)[1]
    # 6 places, 400 / 6 each: binomial with standard deviation 7.5
    assert len(counts) == 6
    assert abs(counts - 400 / 6).max() < 5 * 7.5
    assert L.RandomCrop(2, 2).forward({}, {}, X, key=KEY, train=False)[0].shape == (400, 2, 2, 3)


def test_translations_are_uniform_to_the_pixel() -> None:
    """Whole pixels with "wrap": each shift is a roll."""
    x = jnp.eye(8)[:1].reshape(1, 1, 8, 1) * jnp.ones((2000, 1, 1, 1))
    layer = L.RandomTranslation(0, (-0.5, 0.5), "wrap", "nearest")
    places = train(layer, x)[:, 0, :, 0].argmax(1)
    counts = np.bincount(places, minlength=8)
    assert abs(counts - 250).max() < 5 * np.sqrt(2000 * 7 / 64)


def test_brightness_and_contrast_are_uniform_per_image() -> None:
    delta = train(L.RandomBrightness(0.25, value_range=(-100, 100)), X) - np.asarray(X)
    np.testing.assert_allclose(delta, delta[:, :1, :1, :1] + 0 * delta, atol=1e-4)
    delta = delta[:, 0, 0, 0]
    assert delta.min() > -50
    assert delta.max() < 50
    # uniform on 100: standard deviation 100 / sqrt(12), of the mean 1 / 20 of that
    assert abs(delta.mean()) < 5 * 100 / np.sqrt(12) / 20
    assert delta.std() == pytest.approx(100 / np.sqrt(12), rel=0.15)
    y = train(L.RandomContrast((0.5, 1.0), value_range=(-100, 100)), X)
    means = [np.asarray(a).mean((1, 2)) for a in (X, y)]
    np.testing.assert_allclose(*means, atol=1e-5)
    factor = y.std((1, 2)) / np.asarray(X).std((1, 2))
    np.testing.assert_allclose(factor, factor[:, :1] + 0 * factor, rtol=1e-4)
    assert 0.5 < factor.min() < 0.6
    assert 1.9 < factor.max() < 2.0
    clipped = train(L.RandomBrightness((1, 1), value_range=(0, 1)), jnp.ones((1, 1, 1, 1)) / 2)
    assert clipped.item() == 1


def test_erasing_hides_a_rectangle_of_the_size_asked_for() -> None:
    x = jnp.ones((500, 20, 20, 1))
    y = train(L.RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0.0), x)[..., 0] == 0
    # Half of 20 pixels each way; the start is any real number, so it is 10 pixels exactly.
    assert (y.sum((1, 2)) == 100).all()
    assert (y.any(1).sum(1) == 10).all()
    assert (y.any(2).sum(1) == 10).all()
    assert np.unique(y.any(1).argmax(1)).size > 8  # at many places
    hit = train(L.RandomErasing(0.5, fill_value=0.0), x).min((1, 2, 3)) == 0
    assert hit.mean() == pytest.approx(0.25, abs=5 * 0.44 / 22)  # the probability is U(0, 1/2)
    noise = train(L.RandomErasing((1, 1), scale=(1, 1), value_range=(-3, 3)), x)
    # N(0, 9) clipped at one standard deviation: by tables its variance is 0.516 * 9
    assert noise.var() == pytest.approx(0.516 * 9, rel=0.02)
    one = train(L.RandomErasing((1, 1), scale=(1, 1), fill_value=(5, 6, 7)), X[:1])
    assert one[0, 0, 0].tolist() == [5, 6, 7]


RANDOM: list[Layer] = [
    L.RandomFlip(),
    L.RandomCrop(2, 3),
    L.RandomRotation(0.3),
    L.RandomTranslation(0.3, 0.3),
    L.RandomZoom((-0.5, 0.5), (-0.5, 0.5)),
    L.RandomBrightness(0.5, **BRIGHT),
    L.RandomContrast(0.5, **BRIGHT),
    L.RandomErasing(value_range=(-9, 9)),
]


@pytest.mark.parametrize("layer", RANDOM, ids=lambda a: type(a).__name__)
def test_every_image_has_its_own_draw_and_the_key_and_the_seed_decide(layer: Layer) -> None:
    same = jnp.broadcast_to(X[:1], (40, 4, 6, 3))
    y = train(layer, same)
    assert np.unique(y.reshape(40, -1).round(4), axis=0).shape[0] > 3
    assert (train(layer, same) == y).all()
    assert not (train(layer, same, jax.random.key(7)) == y).all()
    seeded = type(layer)(**{**vars(layer), "seed": 3})
    assert not (train(seeded, same) == y).all()


def test_whole_numbers_become_floats_in_training_and_in_prediction() -> None:
    x = jnp.ones((2, 4, 4, 1), jnp.uint8)
    for mode in (True, False):
        y, _ = L.RandomRotation(0.1).forward({}, {}, x, key=KEY, train=mode)
        assert y.dtype == jnp.float32


def test_in_a_model_only_training_sees_them() -> None:
    x = np.asarray(X)
    model = fw.Sequential(
        [L.Input((4, 6, 3)), L.RandomFlip(), L.RandomRotation(0.1), L.Flatten(), L.Dense(1)]
    )
    model.compile(optimizer="sgd", loss="mse")
    model.fit(x, x.mean((1, 2, 3)), epochs=1)
    kernel, bias = (np.asarray(w) for w in model.layers[-1].weights)
    wanted = x.reshape(400, -1) @ kernel + bias
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-4, atol=1e-5)


ARGUMENTS: list[tuple[Callable[[], Layer], str]] = [
    (
        lambda: L.RandomFlip("horizontl"),
        "RandomFlip: expected mode to be one of 'horizontal', 'vertical', "
        "'horizontal_and_vertical', received mode='horizontl'. Did you mean horizontal?",
    ),
    (
        lambda: L.RandomCrop(0, 3),
        "RandomCrop: expected height to be a whole number >= 1, received height=0. "
        "Pass height=1 or more.",
    ),
    (
        lambda: L.RandomRotation(90),
        "RandomRotation: expected factor to be a number in [-1, 1] or a rising pair of them, "
        "received factor=90. Write factor=0.1, or factor=(-0.1, 0.1).",
    ),
    (
        lambda: L.RandomTranslation(0.1, (0.3, 0.1)),
        "RandomTranslation: expected width_factor to be a number in [-1, 1] or a rising pair of "
        "them, received width_factor=(0.3, 0.1). Write width_factor=0.1, or "
        "width_factor=(-0.1, 0.1).",
    ),
    (
        lambda: L.RandomZoom(1.0),
        "RandomZoom: expected height_factor with a lower end above -1, where the image becomes "
        "one pixel, received height_factor=1.0. Write height_factor=0.2.",
    ),
    (
        lambda: L.RandomZoom(0.1, fill_mode="mirror"),
        "RandomZoom: expected fill_mode to be one of 'constant', 'nearest', 'reflect', 'wrap', "
        "received fill_mode='mirror'. The choices are constant, nearest, reflect, wrap.",
    ),
    (
        lambda: L.RandomRotation(0.1, interpolation="cubic"),
        "RandomRotation: expected interpolation to be one of 'nearest', 'bilinear', received "
        "interpolation='cubic'. The choices are bilinear, nearest.",
    ),
    (
        lambda: L.RandomRotation(0.1, fill_value=None),  # type: ignore[arg-type]
        "RandomRotation: expected fill_value to be a number in (-inf, inf), received "
        "fill_value=None. Choose fill_value inside it.",
    ),
    (
        lambda: L.RandomBrightness(0.1, value_range=(1, 0)),
        "RandomBrightness: expected value_range to be a rising pair of numbers, received "
        "value_range=(1, 0). Write value_range=(0, 1) for images between 0 and 1.",
    ),
    (
        lambda: L.RandomContrast((0.1, 2)),
        "RandomContrast: expected factor to be a number in [0, 1] or a pair of them, received "
        "factor=(0.1, 2). Write factor=0.2 for a contrast between 0.8 and 1.2.",
    ),
    (
        lambda: L.RandomErasing(scale=(0.5, 1.5)),
        "RandomErasing: expected scale to be a number in [0, 1] or a rising pair of them, "
        "received scale=(0.5, 1.5). Write scale=0.1, or scale=(0, 0.1).",
    ),
    (
        lambda: L.RandomErasing(fill_value="black"),
        "RandomErasing: expected fill_value to be a number, one per channel, or None, received "
        "fill_value='black'. Write fill_value=0.0, or leave it out for noise.",
    ),
    (
        lambda: L.RandomFlip(seed=1.5),  # type: ignore[arg-type]
        "RandomFlip: expected seed to be a whole number or None, received seed=1.5. "
        "Leave it out: the model's seed decides all random numbers.",
    ),
]


@pytest.mark.parametrize(("make", "message"), ARGUMENTS)
def test_arguments_they_refuse(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make()


SHAPES: list[tuple[Layer, tuple[int, ...], str]] = [
    (
        L.RandomFlip(name="flip"),
        (28, 28),
        "flip (RandomFlip): expected images of shape (height, width, channels), received shape "
        "(28, 28). For one channel put Reshape((height, width, 1)) before it.",
    ),
    (
        L.RandomCrop(30, 20),
        (28, 28, 1),
        "RandomCrop: expected images of at least 30 x 20 pixels, received shape (28, 28, 1). "
        "Put ZeroPadding2D before it, or crop less.",
    ),
]


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES)
def test_shapes_they_refuse(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, [shape], ["float32"], many=False)
