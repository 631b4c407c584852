"""model.curvature against finite differences in float64, and where the answer is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.curvature import Curvature, spectrum
from fitwell.errors import InvalidArgument, InvalidData, NotReady, UnknownArgument
from fitwell.types import HostArray, Params

from .references import convolution, cross_entropy, dense, flat, hessian, recurrence

RNG = np.random.default_rng(0)
ROWS = 23  # no multiple of a batch size


def weights_of(model: fw.Sequential) -> Params:
    return {name: dict(group) for name, group in model.train_state.params.items()}


def dense_case() -> tuple[Any, ...]:
    """In inference: no dropout, and running statistics that are not the batch's."""
    model = fw.Sequential(
        [
            fw.Input((3,)),
            L.Dense(4, "tanh", kernel_regularizer=fw.regularizers.L2(0.03), name="a"),
            L.Dropout(0.5),
            L.BatchNormalization(name="m"),
            L.Dense(1, "sigmoid", name="b"),
        ]
    )
    mean, variance = np.array([0.1, 0.2, -0.3, 0.4]), np.array([0.5, 1.0, 2.0, 4.0])
    model["m"].moving_mean, model["m"].moving_variance = mean, variance

    def logits(x: HostArray, w: Params) -> HostArray:
        hidden = (np.tanh(dense(x, w["a"])) - mean) / np.sqrt(variance + 1e-3)
        return dense(hidden * w["m"]["gamma"] + w["m"]["beta"], w["b"])

    return model, RNG.normal(size=(ROWS, 3)), logits


def convolution_case() -> tuple[Any, ...]:
    model = fw.Sequential(
        [
            fw.Input((3, 3, 1)),
            L.Conv2D(2, 2, activation="sigmoid", name="a"),
            L.Flatten(),
            L.Dense(1, "sigmoid", name="b"),
        ]
    )

    def logits(x: HostArray, w: Params) -> HostArray:
        hidden = 1 / (1 + np.exp(-convolution(x, w["a"])))
        return dense(hidden.reshape(len(x), -1), w["b"])

    return model, RNG.normal(size=(ROWS, 3, 3, 1)), logits


def recurrent_case() -> tuple[Any, ...]:
    model = fw.Sequential(
        [fw.Input((4, 2)), L.SimpleRNN(2, name="a"), L.Dense(1, "sigmoid", name="b")]
    )
    return model, RNG.normal(size=(ROWS, 4, 2)), lambda x, w: dense(recurrence(x, w["a"]), w["b"])


@pytest.mark.parametrize("case", [dense_case, convolution_case, recurrent_case])
def test_equals_the_hessian_by_finite_differences(case: Callable[[], tuple[Any, ...]]) -> None:
    """Loss, eigenvalues and directions; weighted, penalised, over batches of unequal size.

    The reference takes all examples at once: so the size of the batches does not matter.
    """
    model, x, logits = case()
    y, weight = (RNG.random((ROWS, 1)) < 0.5).astype(float), RNG.uniform(0.5, 2, ROWS)
    model.compile(loss="binary_crossentropy")
    w = weights_of(model)
    decay = 0.03 if case is dense_case else 0.0

    def loss(w: Params) -> float:
        each = weight * cross_entropy(logits(x, w), y)[:, 0]
        return float(each.mean() + decay * (w["a"]["kernel"] ** 2).sum())

    wanted = hessian(loss, w)
    values = np.linalg.eigvalsh(wanted)
    found = model.curvature(x, y, weight, batch_size=5)
    assert found.exact
    assert found.loss == pytest.approx(loss(w), rel=1e-6)
    np.testing.assert_allclose(found.eigenvalues, values, atol=2e-6)
    assert found.trace == pytest.approx(np.trace(wanted), abs=1e-5)
    for value, direction in zip(found.spectrum.ends, found.directions, strict=True):
        v = flat(direction)
        assert v @ v == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(wanted @ v, value * v, atol=5e-6)
    assert {k: set(g) for k, g in found.worst.items()} == {k: set(g) for k, g in w.items()}


def test_estimate_against_the_exact_spectrum() -> None:
    model, x, _ = dense_case()
    y = (x[:, :1] * x[:, 1:2] > 0).astype(float)
    model.compile(loss="binary_crossentropy")
    given = x, y, np.ones(ROWS)  # and the numbers below: the program of the test above
    known = model.curvature(*given, batch_size=5)
    found = model.curvature(*given, batch_size=5, exact=False, probes=29, steps=14)
    assert known.exact
    assert not found.exact
    assert found.zero is None
    assert (np.abs(found.eigenvalues - known.spectrum.ends) <= found.spectrum.bounds).all()
    assert found.spectrum.bounds[[0, -1]].max() < 1e-4 * known.eigenvalues[-1]
    assert abs(found.trace - known.trace) < 4 * found.trace_error
    assert 0 < found.trace_error < 0.1 * np.abs(known.eigenvalues).sum()
    assert known.verdict == found.verdict == "saddle"
    assert 1 <= found.negative <= known.negative
    for curvature, trace in ((known, known.trace), (found, found.trace)):
        t, rho = curvature.density()
        assert np.trapezoid(rho, t) == pytest.approx(1, abs=1e-3)
        assert np.trapezoid(t * rho, t) == pytest.approx(trace / 29, abs=1e-4)
    # The same density, seen through bells a tenth of the range wide.
    width = 0.1 * np.ptp(known.eigenvalues)
    (t, rho), (s, sigma) = known.density(width), found.density(width)
    np.testing.assert_allclose(np.interp(t, s, sigma), rho, atol=0.15 * rho.max())


def test_only_what_learns() -> None:
    """Below a frozen layer: the linear layer alone, whose Hessian is 2 X'X / n, X what it sees."""
    model = fw.Sequential([fw.Input((3,)), L.Dense(4, "relu"), L.Dense(1, use_bias=False)])
    model.compile(loss="mse")
    model.layers[0].trainable = False
    x, y = RNG.normal(size=(30, 3)), np.ones((30, 1))
    seen = np.maximum(dense(x, weights_of(model)["dense"]), 0)
    found = model.curvature(x, y)
    wanted = np.linalg.eigvalsh(2 * seen.T @ seen / 30)
    np.testing.assert_allclose(found.eigenvalues, wanted, atol=1e-6)
    assert set(found.worst) == {"dense_1"}
    # Dead units: no weight above them changes the loss.
    model["dense"].bias = np.full(4, -100.0)
    found = model.curvature(x, y)
    assert (found.verdict, found.zero, found.loss) == ("flat", 4, 1.0)
    assert found.stationary


def linear(loss: Any = "mse") -> fw.Sequential:
    model = fw.Sequential([fw.Input((2,)), L.Dense(1, use_bias=False, name="only")], name="line")
    model.compile(loss=loss)
    model["only"].kernel = [[1.0], [2.0]]
    return model


X = np.array([[1.0, 0.0], [0.0, 3.0]])


def test_a_minimum_says_so() -> None:
    found = linear().curvature(X, X @ [[1.0], [2.0]])
    assert (found.verdict, found.negative, found.zero, found.positive) == ("minimum", 0, 0, 2)
    assert found.stationary
    assert found.gradient_norm == 0
    assert repr(found) == (
        "<Curvature: minimum, 0 negative, 0 zero and 2 positive of 2 directions (zero is within "
        "3e-05), eigenvalues from 1 to 9, trace 10; gradient norm 0, stationary (a gradient step "
        "lowers the loss of 0 by about 0)>"
    )


def test_a_slope_is_no_stationary_point() -> None:
    """One unit beside the minimum of 1/2 (w1^2 + 9 w2^2): along w2, g = 9, a step gains 9/2."""
    found = linear().curvature(X, X @ [[1.0], [1.0]])
    assert not found.stationary
    assert found.gradient_norm == pytest.approx(9)
    assert found.gain == pytest.approx(4.5)
    assert "not stationary (a gradient step lowers the loss of 4.5 by about 4.5)" in repr(found)


def of_values(values: list[float], exact: bool = True) -> Curvature:
    """A curvature with these eigenvalues, at a stationary point."""

    def products(vectors: HostArray) -> HostArray:
        return vectors * np.array(values)

    size = len(values)
    if exact:
        return Curvature(1.0, 0.0, 1.0, spectrum.exact(products, size), ())
    return Curvature(1.0, 0.0, 1.0, spectrum.estimated(products, size, 2, 4, seed=0), ())


def test_verdicts_go_by_the_signs() -> None:
    assert of_values([-2.0, -1.0]).verdict == "maximum"
    assert of_values([-2.0, 0.0]).verdict == "saddle"
    assert of_values([-1e-7, 0.0, 1.0]).verdict == "minimum"  # within the rounding of float32
    assert of_values([-1e-5, 0.0, 1.0]).verdict == "saddle"
    assert of_values([0.0, 0.0], exact=False).verdict == "flat"


def test_pictures(tmp_path: Path) -> None:
    figure = of_values([-3.0, 0.0, 1.0, 9.0]).plot(tmp_path / "a.svg")
    assert figure.get_suptitle() == "saddle: 1 of 4 directions lead down"
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    for label, values in (("1 negative", [-3]), ("1 zero", [0]), ("2 positive", [1, 9])):
        np.testing.assert_allclose(lines[label], values)
    assert "number of the eigenvalue" in (tmp_path / "a.svg").read_text()
    estimated = of_values([-3.0, 0.0, 1.0, 9.0], exact=False)
    assert len(estimated.plot().axes) == 1  # there is only a density
    assert "at least 1 negative and 2 positive of 4" in repr(estimated)
    with pytest.raises(InvalidArgument, match=re.escape("ends in .svg, .png or .pdf")):
        estimated.plot("a.gif")


def test_a_model_that_learns_its_shapes_from_these_data() -> None:
    """mean((w x - y)^2) with x = 1 and 3: 2 mean(x^2) = 10."""
    model = fw.Sequential([L.Dense(1, use_bias=False)])
    model.compile(loss="mse")
    found = model.curvature(np.array([[1.0], [3.0]]), np.zeros(2))
    assert found.eigenvalues == pytest.approx([10.0])
    with pytest.raises(NotReady, match="expected a compiled model, received none"):
        fw.Sequential([L.Dense(1)]).curvature(np.ones((2, 1)), np.zeros(2))


def test_errors() -> None:
    y = np.ones((2, 1))
    bare = fw.Sequential([fw.Input((2,)), L.Dense(1)], name="bare")
    with pytest.raises(NotReady, match="bare: expected a compiled model, received none"):
        bare.curvature(X, y)
    model = linear()
    with pytest.raises(InvalidArgument, match="curvature: expected x, received None"):
        model.curvature(None)  # type: ignore[arg-type]
    with pytest.raises(
        InvalidData, match="curvature: expected at least one example, received empty"
    ):
        model.curvature(X[:0], y[:0])
    with pytest.raises(InvalidArgument, match="read many times, received an iterable of batches"):
        model.curvature(iter([(X, y)]))
    with pytest.raises(
        InvalidArgument, match="expected steps to be a whole number >= 4, received steps=2"
    ):
        model.curvature(X, y, exact=False, steps=2)
    with pytest.raises(UnknownArgument, match="Did you mean probes"):
        model.curvature(X, y, probe=2)  # type: ignore[call-arg]
    model["only"].kernel = [[np.inf], [0.0]]
    with pytest.raises(InvalidData, match="expected a finite loss with a finite gradient"):
        model.curvature(X, y)
    model.trainable = False
    with pytest.raises(InvalidArgument, match="expected weights that learn, received none: every"):
        model.curvature(X, y)
    cell = L.SimpleRNN(3, stateful=True, batch_size=2)
    remembering = fw.Sequential([fw.Input((4, 2)), cell, L.Dense(1)])
    remembering.compile(loss="mse")
    with pytest.raises(InvalidArgument, match="received a network that keeps states from batch"):
        remembering.curvature(np.zeros((2, 4, 2)), y)
    sharp = linear(lambda y, z: abs(y - z) ** 1.5)
    with pytest.raises(InvalidData, match="finite second derivatives, received NaN or infinity"):
        sharp.curvature(X, X @ [[1.0], [2.0]])
