"""Statistics of layers against numpy: norms, updates, noise, dead and saturated units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.examples import Examples
from fitwell.layers import Dense
from fitwell.layerwise import LayerProbe, network_noise, rows_of
from fitwell.programs import optimizer_program
from fitwell.training import Batch
from fitwell.types import HostArray

RANDOM = np.random.default_rng(0)
ROWS = 64
X = RANDOM.normal(size=(ROWS, 3)).astype(np.float32)
Y = (X @ np.array([1.0, -2.0, 0.5]) + 0.3 * RANDOM.normal(size=ROWS)).astype(np.float32)


def looked(
    model: Any, optimizer: Any, x: HostArray = X, y: HostArray = Y, *, rate: float = 0.1
) -> list[dict[str, Any]]:
    """The records of a model before its first step."""
    model.compile(optimizer, loss="mse")
    examples = Examples(model, "test")
    batch = examples.batch(x, y)
    train = model.train_state
    learn, _ = model.network.split_trainable(train.params)
    begin = optimizer_program(model.network.program(), optimizer.program())
    probe = LayerProbe(model.network, examples.objective, optimizer, rows_of(batch))
    return probe.look(train._replace(optimizer=begin(learn)), rate).records(0, 0)


def line() -> fw.Sequential:
    return fw.Sequential([fw.Input((3,)), Dense(1, use_bias=False)], seed=1)


def gradients(w: HostArray) -> HostArray:
    """Of each example, (rows, 3): 2 (x w - y) x."""
    return np.asarray(2 * (X @ w - Y)[:, None] * X, np.float64)


def test_norms_and_the_update_of_gradient_descent() -> None:
    model = line()
    (found,) = looked(model, fw.optimizers.SGD(0.1))
    w = np.asarray(model.get_weights()[0], np.float64)[:, 0]
    gradient = np.linalg.norm(gradients(w).mean(0))
    assert found["gradient_norm"] == pytest.approx(gradient, rel=1e-5)
    assert found["weight_norm"] == pytest.approx(np.linalg.norm(w), rel=1e-5)
    assert found["update_ratio"] == pytest.approx(0.1 * gradient / np.linalg.norm(w), rel=1e-4)
    assert found["activation_rms"] == pytest.approx(np.sqrt(((X @ w) ** 2).mean()), rel=1e-5)
    assert found["activation_mean"] == pytest.approx((X @ w).mean(), abs=1e-6)
    assert (found["layer"], found["kind"], found["weights"]) == ("dense", "Dense", 3)
    assert found["dead"] is None  # no ReLU
    assert found["saturated"] is None


def test_the_noise_scale_is_the_variance_of_an_examples_gradient_over_the_squared_mean() -> None:
    """McCandlish et al., appendix A, with the means of 8 parts of 8 rows."""
    model = line()
    (found,) = looked(model, fw.optimizers.SGD(0.1))
    each = gradients(np.asarray(model.get_weights()[0], np.float64)[:, 0])
    parts = np.stack([each[i::8].mean(0) for i in range(8)])
    trace = 8 * parts.var(0, ddof=1).sum()
    signal = (each.mean(0) ** 2).sum() - trace / ROWS
    assert found["noise_scale"] == pytest.approx(trace / signal, rel=1e-3)
    assert trace == pytest.approx(each.var(0, ddof=1).sum(), rel=0.5)  # what it estimates
    assert network_noise([found]) == pytest.approx(found["noise_scale"])


def test_rows_that_are_all_the_same_have_no_noise() -> None:
    same = np.repeat(X[:1], ROWS, 0), np.repeat(Y[:1], ROWS)
    (found,) = looked(line(), fw.optimizers.SGD(0.1), *same)
    assert found["noise_scale"] == pytest.approx(0, abs=1e-4)


def test_adam_moves_every_weight_by_its_rate_at_first() -> None:
    model = line()
    (found,) = looked(model, fw.optimizers.Adam(0.01), rate=0.01)
    size = np.linalg.norm(model.get_weights()[0])
    assert found["update_ratio"] == pytest.approx(0.01 * np.sqrt(3) / size, rel=1e-4)


def test_steps_that_are_accumulated_count_as_one_that_is_taken() -> None:
    (single,) = looked(line(), fw.optimizers.SGD(0.1, momentum=0.9))
    (summed,) = looked(line(), fw.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=4))
    assert summed["update_ratio"] == pytest.approx(single["update_ratio"], rel=1e-6)
    assert summed["update_ratio"] > 0


def test_dead_and_saturated_and_constant_units() -> None:
    model = fw.Sequential([fw.Input((3,)), Dense(4, "relu"), Dense(4, "sigmoid"), Dense(1)], seed=0)
    model["dense"].bias = np.array([-100.0, -100.0, -100.0, 100.0])
    model["dense_1"].kernel = np.zeros((4, 4))
    model["dense_1"].bias = np.array([0.0, 9.0, -9.0, 4.9])
    first, second, _ = looked(model, fw.optimizers.SGD(0.1))
    assert first["dead"] == 0.75
    assert first["constant"] == 0.75
    assert second["saturated"] == 0.5  # beyond 5 and -5
    assert second["constant"] == 1


def test_a_frozen_layer_has_weights_and_no_gradient() -> None:
    model = fw.Sequential([fw.Input((3,)), Dense(4, "relu"), Dense(1)], seed=0)
    model["dense"].trainable = False
    first, second = looked(model, fw.optimizers.SGD(0.1))
    assert (first["gradient_norm"], first["update_ratio"], first["noise_scale"]) == (None,) * 3
    assert (first["weights"], second["weights"]) == (0, 5)
    size = np.sqrt(sum((w**2).sum() for w in model.get_weights()[:2]))
    assert first["weight_norm"] == pytest.approx(size, rel=1e-5)


def test_what_is_not_finite_is_none_in_a_record() -> None:
    model = line()
    model["dense"].kernel = np.full((3, 1), 1e30)
    (found,) = looked(model, fw.optimizers.SGD(0.1))
    assert found["gradient_norm"] is None  # its square is beyond float32
    assert found["weight_norm"] is None


def test_a_sample_is_spread_evenly_and_has_a_power_of_two_of_rows() -> None:
    x = np.arange(1000, dtype=np.float32)[:, None]
    data = Batch((x,), (x,), (None,), None)
    found = rows_of(data)
    assert len(found.x[0]) == 256
    assert (found.x[0][0, 0], found.x[0][-1, 0]) == (0, 999)
    assert abs(np.diff(found.x[0][:, 0]) - 999 / 255).max() < 1
    few = rows_of(data._replace(x=(x[:5],), y=(x[:5],)))
    assert few.x[0][:, 0].tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    among = rows_of(data, 4, np.array([7, 9, 11, 800]))
    assert among.x[0][:, 0].tolist() == [7, 9, 11, 800] * 1
