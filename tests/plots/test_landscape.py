"""Landscapes of losses that are known everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.curvature.asking import point_of
from fitwell.errors import InvalidArgument, NotReady
from fitwell.plots import landscape
from fitwell.plots.planes import random_plane

RNG = np.random.default_rng(0)
X = np.array([[1.0, 0.0], [0.0, 3.0]])
Y = X @ [[1.0], [2.0]]


def bowl() -> fw.Sequential:
    """L = ((w1 - 1)^2 + 9 (w2 - 2)^2) / 2, at its minimum."""
    model = fw.Sequential([fw.Input((2,)), L.Dense(1, use_bias=False, name="only")], name="bowl")
    model.compile(loss="mse")
    model["only"].kernel = [[1.0], [2.0]]
    return model


def test_along_the_eigenvectors_a_bowl_is_its_parabolas(tmp_path: Path) -> None:
    figure = landscape(bowl(), X, Y, "curvature", span=2, resolution=5, path=tmp_path / "a.png")
    # (9 a^2 + b^2) / 2: from 0 in the middle to 20 in the corners.
    axes = figure.axes[0]
    levels = axes.collections[0].levels
    assert (levels[0], levels[-1]) == pytest.approx((0, 20), abs=1e-5)
    assert axes.get_title() == "bowl: loss 0 at the centre"
    assert axes.get_xlabel() == "a, along the eigenvector of 9"
    assert axes.get_ylabel() == "b, along the eigenvector of 1"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_random_directions_are_as_long_as_the_filters() -> None:
    """Filter by filter of a convolution (columns of a Dense kernel); biases stay."""
    model = fw.Sequential([fw.Input((5, 5, 2)), L.Conv2D(3, 3, name="a")])
    model.compile(loss="mse")
    x, y = RNG.normal(size=(4, 5, 5, 2)), RNG.normal(size=(4, 3, 3, 3))
    point = point_of("landscape", model, x, y, None, None)
    found = [point.as_tree(row)["a"] for row in random_plane(point, 0)]
    lengths = np.sqrt((np.asarray(model["a"].kernel) ** 2).sum((0, 1, 2)))
    for each in found:
        np.testing.assert_allclose(np.sqrt((each["kernel"] ** 2).sum((0, 1, 2))), lengths, 1e-5)
        assert not each["bias"].any()
    assert abs(found[0]["kernel"] - found[1]["kernel"]).max() > 0.1


def test_every_point_is_the_loss_of_moved_weights() -> None:
    """All nine of a small map, by hand; the picture's scale goes from the least to the largest."""
    model = fw.Sequential(
        [fw.Input((3,)), L.Dense(4, "relu", kernel_regularizer="l2"), L.Dense(1)], name="net"
    )
    model.compile(loss="mse")
    x, y = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 1))
    point = point_of("landscape", model, x, y, None, 7)
    plane = random_plane(point, 1)
    steps = np.array([[a, b] for b in (-0.5, 0, 0.5) for a in (-0.5, 0, 0.5)])
    wanted = []
    for step in steps:
        first, second = point.as_tree(point.weights + step @ plane).values()
        hidden = np.maximum(x @ first["kernel"] + first["bias"], 0)
        error = hidden @ second["kernel"] + second["bias"] - y
        wanted.append((error**2).mean() + 0.01 * (first["kernel"] ** 2).sum())
    np.testing.assert_allclose(point.losses(plane, steps), wanted, rtol=1e-5)
    figure = landscape(model, x, y, span=0.5, resolution=3, batch_size=7, seed=1)
    assert figure.axes[0].get_title() == f"net: loss {wanted[4]:.4g} at the centre"
    levels = figure.axes[0].collections[0].levels
    assert (levels[0], levels[-1]) == pytest.approx((min(wanted), max(wanted)), rel=1e-5)


def test_errors() -> None:
    model = bowl()
    with pytest.raises(InvalidArgument, match='to be "random", "curvature" or None, received dir'):
        landscape(model, X, Y, "steep")
    with pytest.raises(InvalidArgument, match="expected a finite span > 0, received span=-1"):
        landscape(model, X, Y, span=-1)
    with pytest.raises(InvalidArgument, match="an odd resolution >= 3, received resolution=4"):
        landscape(model, X, Y, resolution=4)
    with pytest.raises(InvalidArgument, match="landscape: expected x, received None"):
        landscape(model)
    with pytest.raises(InvalidArgument, match="landscape: expected a model, received a int"):
        landscape(3, X, Y)  # type: ignore[arg-type]
    one = fw.Sequential([fw.Input((1,)), L.Dense(1, use_bias=False)])
    with pytest.raises(NotReady, match="expected a compiled model"):
        landscape(one, X[:, :1], Y)
    one.compile(loss="mse")
    with pytest.raises(InvalidArgument, match="two directions, received one weight that learns"):
        landscape(one, X[:, :1], Y, "curvature")
    one.layers[0].kernel = [[0.0]]
    with pytest.raises(InvalidArgument, match="that learns and is not zero, received none"):
        landscape(one, X[:, :1], Y)
