"""What is read of networks and data, against what they were made of."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell.doctor import reading, statistics
from fitwell.doctor.record import Layer
from fitwell.layers import (
    Activation,
    Add,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
    ReLU,
    Rescaling,
)
from fitwell.training import Batch

RANDOM = np.random.default_rng(0)


def read(model: Any) -> list[Layer]:
    params = jax.tree.map(np.asarray, model.train_state.params)
    return [one for one in reading.layers(model.network, params) if one.fan_in]


def test_an_activation_behind_normalization_and_dropout_is_its_dense_layers() -> None:
    chain = [Dense(8), BatchNormalization(), Dropout(0.1), ReLU(), Dense(2), Activation("softmax")]
    first, last = read(fw.Sequential([Input((4,)), *chain]))
    assert (first.activation, first.hidden, first.fan_in) == ("relu", True, 4)
    assert (last.activation, last.hidden) == ("softmax", False)


def test_an_activation_behind_a_sum_is_nobodys() -> None:
    inputs = Input((4,))
    inner = Dense(4, kernel_initializer="zeros")(Dense(4, "relu")(inputs))
    model = fw.Model(inputs, Dense(1)(ReLU()(Add()([inputs, inner]))))
    assert [layer.activation for layer in read(model)] == ["relu", "linear", "linear"]
    assert [layer.zero for layer in read(model)] == [False, True, False]


def test_the_gain_of_first_weights() -> None:
    """He's weights have variance 2 / fan-in, so a gain of sqrt(2)."""
    (layer,) = read(fw.Sequential([Input((400,)), Dense(400, "relu")]))
    assert layer.gain == pytest.approx(2**0.5, rel=0.02)


@pytest.mark.parametrize(
    ("y", "kind", "counts"),
    [
        ([0, 1, 1, 1], "binary", (1, 3)),
        ([0, 2, 1, 1], "classes", (1, 2, 1)),
        ([[0, 1], [1, 0], [0, 1]], "one_hot", (1, 2)),
        ([[0, 1], [1, 1], [0, 0]], "multi_hot", (1, 2)),
        ([[0.2, 0.8], [0.5, 0.5]], "shares", ()),
        ([0.25, 0.5], "shares", ()),
        ([-1.0, 7.5], "numbers", ()),
        ([1990, 2004, 2013], "numbers", ()),
    ],
)
def test_kinds_of_labels(y: Any, kind: str, counts: tuple[int, ...]) -> None:
    found = reading.labels(np.array(y), "linear")
    assert (found.kind, found.counts) == (kind, counts)


def test_the_share_of_targets_that_an_activation_cannot_reach() -> None:
    y = np.array([-1.0, 0.5, 2.0, 3.0])
    shares = {"sigmoid": 0.75, "tanh": 0.5, "relu": 0.25, "linear": 0.0}
    for activation, share in shares.items():
        assert reading.labels(y, activation).outside == share


def test_copies_within_and_across() -> None:
    x = RANDOM.normal(size=(200, 5)).astype(np.float32)
    x[150:] = x[:50]
    held_out = np.concatenate([x[:30], RANDOM.normal(size=(70, 5)).astype(np.float32)])
    found = statistics.features("x", x, held_out)
    assert found.duplicates == 0.25
    assert found.overlap == pytest.approx(0.3)


def test_rows_that_differ_in_a_column_that_is_not_compared_first_are_no_copies() -> None:
    x = np.zeros((100, 1000), np.float32)
    x[np.arange(100), np.arange(100) * 10 + 1] = 1
    assert statistics.features("x", x, None).duplicates == 0


def test_statistics_of_features() -> None:
    x = RANDOM.normal(size=(1000, 3)) * [1, 100, 0] + [0, 5, 7]
    x[::4, 0] = -999
    x[5, 1] = np.nan
    found = statistics.features("x", x.astype(np.float32), None)
    assert found.missing == 1
    assert found.constant == [2]
    assert found.sentinels == ((0, -999.0, 0.25),)
    assert found.mean[1] == pytest.approx(np.nanmean(x[:, 1]), rel=1e-4)
    assert found.std[1] == pytest.approx(np.nanstd(x[:, 1]), rel=1e-4)


def test_a_value_far_from_the_others() -> None:
    x = RANDOM.uniform(0, 1, size=(500, 2)).astype(np.float32)
    x[3, 1] = 50.0
    found = statistics.features("x", x, None).outlying
    assert found is not None
    assert found[0] < 1
    assert found[1] == pytest.approx(50, rel=0.05)


def test_what_float32_keeps_of_large_numbers() -> None:
    """At 3.2e9 its step is 256."""
    x = np.float32(3.2e9) + np.arange(0, 51200, 512, dtype=np.float32)[:, None]
    found = statistics.features("x", x, None)
    assert found.resolution[0] * found.std[0] == 256


@pytest.mark.parametrize("scale", [1 / 127.5, -1 / 127.5])
def test_both_parts_are_looked_at_behind_a_rescaling(scale: float) -> None:
    """Pixels of 0 to 255 become -1 to 1: mean 0, and the spread of a uniform, 2 / sqrt(12)."""
    x, held_out = RANDOM.uniform(0, 255, (400, 3)), RANDOM.uniform(0, 255, (200, 3))
    layers = [Input((3,)), Rescaling(scale, offset=-1.0 if scale > 0 else 1.0), Dense(1)]
    model = fw.Sequential(layers)
    model.compile(loss="mean_squared_error")
    y = RANDOM.normal(size=400).astype(np.float32)
    history = model.fit(x, y, validation_data=(held_out, y[:200]), verbose=0)
    assert "train_val_scale_mismatch" not in history.findings.codes
    raw = model.fit(x, y, validation_data=(held_out / 255, y[:200]), verbose=0)
    assert "train_val_scale_mismatch" in raw.findings.codes
    batch = Batch((x.astype(np.float32),), (y,), (), None)
    other = Batch((held_out.astype(np.float32),), (y[:200],), (), None)
    (found,) = reading.features(model.network, batch, other)
    assert found.held_out_mean is not None
    assert found.held_out_std is not None
    np.testing.assert_allclose([found.mean, found.held_out_mean], 0, atol=0.15)
    np.testing.assert_allclose([found.std, found.held_out_std], 2 / 12**0.5, atol=0.06)
    assert (found.low < found.high).all()
