"""The statistics of dropout's relatives, what they share, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(9), (400, 500))  # 200,000 numbers: their mean is good to 0.01


def train(layer: Layer, x: Any, key: Any = KEY) -> Any:
    return layer.forward({}, {}, x, key=key, train=True)[0]


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_0_and_variance_1(rate: float) -> None:
    y = np.asarray(train(L.AlphaDropout(rate), X))
    assert abs(y.mean()) < 0.012
    assert y.var() == pytest.approx(1, abs=0.02)
    # The dropped ones all hold one number: a * floor + b, by hand for each rate.
    values, counts = np.unique(y, return_counts=True)
    floor = -1.7580993408473766
    a = ((1 - rate) * (1 + rate * floor**2)) ** -0.5
    assert values[counts.argmax()] == pytest.approx(a * floor * (1 - rate), rel=1e-5)
    # 5 standard errors of a share of 200,000 draws.
    assert counts.max() / X.size == pytest.approx(rate, abs=5 * 0.5 / 447)


def test_alpha_dropout_keeps_a_selu_network_normal_where_dropout_does_not() -> None:
    """Eight layers of selu with LeCun's weights, as in the paper."""

    def through(drop: Layer) -> Any:
        h = X
        for i in range(8):
            key = jax.random.fold_in(KEY, i)
            dense = L.Dense(500, "selu")
            h = train(drop, dense.apply(dense.init(key, (500,)), h), key)
        return float(h.mean()), float(h.var())

    mean, variance = through(L.AlphaDropout(0.2))
    assert abs(mean) < 0.1
    assert 0.8 < variance < 1.2
    assert through(L.Dropout(0.2))[1] > 1.3


def test_gaussian_dropout_has_the_mean_and_variance_of_dropout() -> None:
    ratio = np.asarray(train(L.GaussianDropout(0.2), jnp.full((400, 500), 3.0))) / 3
    # variance 0.2 / 0.8 = 1/4; 5 standard errors
    assert ratio.mean() == pytest.approx(1, abs=5 * 0.5 / 447)
    assert ratio.var() == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (L.SpatialDropout1D(0.4), (5, 300)),
        (L.SpatialDropout2D(0.4), (3, 4, 300)),
        (L.SpatialDropout3D(0.4), (2, 2, 3, 300)),
    ],
)
def test_spatial_dropout_drops_whole_channels_of_each_example(
    layer: Layer, shape: tuple[int, ...]
) -> None:
    y = np.asarray(train(layer, jnp.ones((50, *shape)))).reshape(50, -1, 300)
    assert (y == y[:, :1]).all()  # one decision for all places
    kept = y[:, 0] > 0
    assert np.unique(y).tolist() == [0.0, pytest.approx(1 / 0.6)]
    assert kept.mean() == pytest.approx(0.6, abs=5 * 0.49 / 122)
    assert not (kept == kept[:1]).all()  # each example has its own


RATES: list[Callable[..., Layer]] = [
    L.AlphaDropout,
    L.GaussianDropout,
    L.SpatialDropout1D,
    L.SpatialDropout2D,
    L.SpatialDropout3D,
]


@pytest.mark.parametrize("make", RATES)
def test_rate_zero_seeds_and_false_arguments(make: Callable[..., Layer]) -> None:
    name = make(0.5).__class__.__name__
    axes = int(name[-2]) if name.endswith("D") else 1
    x = jax.random.normal(KEY, (4, *(3,) * axes, 8))
    assert train(make(0.0), x) is x
    results = [np.asarray(train(make(0.5, seed=s), x)).tobytes() for s in (None, 1, 2, 1)]
    assert len(set(results)) == 3
    assert results[1] == results[3]
    for arguments, message in (
        (
            {"rate": 1.0},
            "expected rate to be a number in [0, 1), received rate=1.0. Choose rate inside it.",
        ),
        (
            {"rate": 0.5, "seed": 0.5},
            "expected seed to be a whole number or None, received seed=0.5. Leave it out: the "
            "model's seed decides all random numbers.",
        ),
    ):
        with pytest.raises(InvalidArgument, match=f"^{name}: {re.escape(message)}$"):
            make(**arguments)


SHAPES: list[tuple[Layer, tuple[int, ...], str]] = [
    (
        L.SpatialDropout1D(0.5),
        (4, 4, 3),
        "SpatialDropout1D: expected an input of shape (time, channels), received shape (4, 4, 3). "
        "For such an input use SpatialDropout2D.",
    ),
    (
        L.SpatialDropout2D(0.5, name="drop"),
        (3,),
        "drop (SpatialDropout2D): expected an input of shape (height, width, channels), received "
        "shape (3,). For such an input use Dropout.",
    ),
    (
        L.SpatialDropout3D(0.5),
        (4, 3),
        "SpatialDropout3D: expected an input of shape (depth, height, width, channels), received "
        "shape (4, 3). For such an input use SpatialDropout1D.",
    ),
    (
        L.AlphaDropout(0.5, noise_shape=(None, 1)),
        (4, 3),
        "AlphaDropout: expected an input that noise_shape=(None, 1) can be stretched to, received "
        "shape (4, 3). Give noise_shape 3 entries, each None, 1 or the input's size.",
    ),
]


@pytest.mark.parametrize(("layer", "shape", "message"), SHAPES)
def test_shapes_it_refuses(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, [shape], ["float32"], many=False)
