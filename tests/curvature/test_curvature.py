"""model.curvature against finite differences in float64, and where the answer is known."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell.errors import InvalidArgument, InvalidData, NotReady, UnknownArgument
from fitwell.types import HostArray, Params

from .references import convolution, cross_entropy, dense, flat, hessian, recurrence

RNG = np.random.default_rng(0)
ROWS = 23  # no multiple of a batch size


def weights_of(model: fw.Sequential) -> Params:
    return {name: dict(group) for name, group in model.train_state.params.items()}


def dense_case() -> tuple[fw.Sequential, HostArray, Callable[[HostArray, Params], HostArray]]:
    model = fw.Sequential(
        [
            fw.Input((3,)),
            L.Dense(4, "tanh", kernel_regularizer=fw.regularizers.L2(0.03), name="a"),
            L.Dropout(0.5),
            L.Dense(1, "sigmoid", name="b"),
        ]
    )
    return model, RNG.normal(size=(ROWS, 3)), lambda x, w: dense(np.tanh(dense(x, w["a"])), w["b"])


def convolution_case() -> tuple[Any, ...]:
    model = fw.Sequential(
        [
            fw.Input((4, 4, 1)),
            L.Conv2D(2, 3, activation="sigmoid", name="a"),
            L.Flatten(),
            L.Dense(1, "sigmoid", name="b"),
        ]
    )

    def logits(x: HostArray, w: Params) -> HostArray:
        hidden = 1 / (1 + np.exp(-convolution(x, w["a"])))
        return dense(hidden.reshape(len(x), -1), w["b"])

    return model, RNG.normal(size=(ROWS, 4, 4, 1)), logits


def recurrent_case() -> tuple[Any, ...]:
    model = fw.Sequential(
        [fw.Input((4, 2)), L.SimpleRNN(3, name="a"), L.Dense(1, "sigmoid", name="b")]
    )
    return model, RNG.normal(size=(ROWS, 4, 2)), lambda x, w: dense(recurrence(x, w["a"]), w["b"])


@pytest.mark.parametrize("case", [dense_case, convolution_case, recurrent_case])
def test_equals_the_hessian_by_finite_differences(case: Callable[[], tuple[Any, ...]]) -> None:
    """Loss, eigenvalues and directions; weighted, penalised, over batches of unequal size."""
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


@functools.cache
def trained() -> tuple[fw.Sequential, HostArray, HostArray]:
    model = fw.Sequential(
        [fw.Input((5,)), L.Dense(24, "tanh"), L.BatchNormalization(), L.Dense(3, "softmax")],
        name="net",
        seed=3,
    )
    x = RNG.normal(size=(200, 5))
    y = (x[:, 0] * x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)
    model.compile(fw.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    model.fit(x, y, epochs=20, verbose=0)
    return model, x, y


def test_estimate_against_the_exact_spectrum() -> None:
    model, x, y = trained()
    known = model.curvature(x, y)
    found = model.curvature(x, y, exact=False, probes=12, steps=40)
    assert known.exact
    assert not found.exact
    assert found.zero is None
    assert (np.abs(found.eigenvalues - known.spectrum.ends) <= found.spectrum.bounds).all()
    assert found.spectrum.bounds[-1] < 1e-4 * known.eigenvalues[-1]
    assert abs(found.trace - known.trace) < 4 * found.trace_error
    assert found.trace_error < 0.2 * known.trace
    assert known.verdict == found.verdict == "saddle"
    assert 1 <= found.negative <= known.negative
    for curvature, trace in ((known, known.trace), (found, found.trace)):
        t, rho = curvature.density()
        assert np.trapezoid(rho, t) == pytest.approx(1, abs=1e-3)
        assert np.trapezoid(t * rho, t) == pytest.approx(trace / 267, abs=1e-4)
    # The same density, seen through bells a tenth of the range wide.
    width = 0.1 * np.ptp(known.eigenvalues)
    (t, rho), (s, sigma) = known.density(width), found.density(width)
    np.testing.assert_allclose(np.interp(t, s, sigma), rho, atol=0.15 * rho.max())


def test_inference_and_any_batch_size() -> None:
    """The loss is that of evaluate: running statistics, no noise; batches only divide the work."""
    model, x, y = trained()
    first = model.curvature(x, y)
    assert first.loss == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)
    other = model.curvature(x, y, batch_size=7)
    np.testing.assert_allclose(other.eigenvalues, first.eigenvalues, atol=1e-5)
    assert (other.negative, other.zero) == (first.negative, first.zero)


def test_only_what_learns() -> None:
    """Below a frozen layer: the linear layer alone, whose Hessian is 2 X'X / n, X what it sees."""
    model = fw.Sequential([fw.Input((3,)), L.Dense(4, "tanh"), L.Dense(1, use_bias=False)])
    model.compile(loss="mse")
    model.layers[0].trainable = False
    x = RNG.normal(size=(30, 3))
    seen = np.tanh(dense(x, weights_of(model)["dense"]))
    found = model.curvature(x, np.ones((30, 1)))
    np.testing.assert_allclose(
        found.eigenvalues, np.linalg.eigvalsh(2 * seen.T @ seen / 30), atol=1e-6
    )
    assert set(found.worst) == {"dense_1"}


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


def test_a_maximum_and_a_plain() -> None:
    found = linear(lambda y, z: -((y - z) ** 2).mean(-1)).curvature(X, X @ [[1.0], [2.0]])
    assert found.verdict == "maximum"
    # A dead ReLU: no weight changes the loss.
    model = fw.Sequential([fw.Input((2,)), L.Dense(3), L.Dense(1, "relu", name="dead")])
    model.compile(loss="mse")
    model["dead"].bias = [-100.0]
    found = model.curvature(X, np.ones((2, 1)))
    assert (found.verdict, found.zero, found.loss) == ("flat", 13, 1.0)
    assert found.stationary
    lanczos = model.curvature(X, np.ones((2, 1)), exact=False)
    assert lanczos.verdict == "flat"
    assert (lanczos.trace, lanczos.trace_error) == (0, 0)


def test_a_saddle_between_two_linear_layers() -> None:
    """At zero weights H has only the blocks -2 E[x y] between the layers: +-2 |E[x y]|, 3 each."""
    model = fw.Sequential(
        [
            fw.Input((2,)),
            L.Dense(3, use_bias=False, kernel_initializer="zeros", name="in"),
            L.Dense(1, use_bias=False, kernel_initializer="zeros", name="out"),
        ]
    )
    model.compile(loss="mse")
    x = RNG.normal(size=(50, 2))
    y = x @ [[1.0], [2.0]]
    size = 2 * np.linalg.norm((x * y).mean(0))
    found = model.curvature(x, y)
    np.testing.assert_allclose(found.eigenvalues, size * np.repeat([-1, 0, 1], 3), atol=1e-5)
    assert (found.verdict, found.negative, found.zero, found.positive) == ("saddle", 3, 3, 3)
    assert found.gradient_norm == 0
    # Downwards both layers move together: half of the squared length is in each.
    assert np.square(found.worst["out"]["kernel"]).sum() == pytest.approx(0.5, abs=1e-5)


def test_pictures(tmp_path: Path) -> None:
    model = linear()
    figure = model.curvature(X, X @ [[1.0], [2.0]]).plot(tmp_path / "a.svg")
    assert figure.get_suptitle() == "minimum: 0 of 2 directions lead down"
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["2 positive"], [1, 9], rtol=1e-6)
    assert len(lines["0 negative"]) == len(lines["0 zero"]) == 0
    assert "number of the eigenvalue" in (tmp_path / "a.svg").read_text()
    estimated = model.curvature(X, X @ [[1.0], [2.0]], exact=False)
    assert len(estimated.plot().axes) == 1  # there is only a density
    assert "at least 0 negative and 2 positive" in repr(estimated)
    with pytest.raises(InvalidArgument, match=re.escape("ends in .svg, .png or .pdf")):
        estimated.plot("a.gif")


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
