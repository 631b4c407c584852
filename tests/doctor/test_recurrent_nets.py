"""Sequences: padding that is read as data, and how far back a recurrent layer learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.doctor.test_rules import FAILED, LEARNED, change, features, record

import fitwell as fw
from fitwell.doctor import recurrence
from fitwell.doctor.sequences import Memory, Padding
from fitwell.doctor.verdict import verdict
from fitwell.examples import Examples
from fitwell.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Masking,
    RandomBrightness,
    SimpleRNN,
    TimeDistributed,
)
from fitwell.training import Batch

RANDOM = np.random.default_rng(0)
BEHIND = Padding("input", "lstm", 0.0, 80, 0.9, True)

# Rules


def test_padding_behind_the_data_is_the_cause_where_nothing_is_learned() -> None:
    found = verdict(record(run=FAILED, padding=BEHIND)).above()
    assert found.codes == ["vanishing_gradient"]
    assert "the last 72 are padding (0)" in found[0].cause
    assert "mask_zero=True" in found[0].cure
    numbers = change(BEHIND, ids=False, value=-1.0)
    assert "Masking(-1)" in verdict(record(run=FAILED, padding=numbers))[0].cure


def test_padding_that_does_no_harm_is_a_fact() -> None:
    assert not verdict(record(run=LEARNED, padding=BEHIND)).above()
    short = change(BEHIND, steps=10, share=0.1)
    assert "vanishing_gradient" not in verdict(record(run=FAILED, padding=short)).codes


@pytest.mark.parametrize(
    ("early", "late", "code"),
    [
        (1e-9, 1.0, "vanishing_gradient"),
        (1.0, 1e-7, "exploding_gradient"),
        (1e-2, 1.0, "underfitting"),
    ],
)
def test_gradients_over_time(early: float, late: float, code: str) -> None:
    memory = Memory("rnn", 60, early, late)
    assert verdict(record(run=change(FAILED, memory=memory))).above().codes == [code]
    assert not verdict(record(run=change(LEARNED, memory=memory))).above()


def test_brightness_of_another_range() -> None:
    """RandomBrightness(0.2) means 51 of 255; the values lie in 0 to 1."""
    layers = [fw.Input((4, 4, 1)), RandomBrightness(0.2), Flatten(), Dense(1)]
    model = fw.Sequential(layers)
    model.compile("adam", "mse")
    pixels = RANDOM.uniform(size=(60, 4, 4, 1))
    found = model.checkup(pixels, pixels[:, 0, 0, 0])[0]
    assert found.code == "unscaled_inputs"
    assert found.evidence[0].value == pytest.approx(51, rel=0.02)
    right = fw.Sequential([layers[0], RandomBrightness(0.2, value_range=(0, 1)), *layers[2:]])
    right.compile("adam", "mse")
    assert "unscaled_inputs" not in right.checkup(pixels, pixels[:, 0, 0, 0]).codes


def test_windows_of_one_series_on_both_sides() -> None:
    mixed = features(beside=0.9, shape=(24, 3))
    (found,) = verdict(record(mixed, run=LEARNED)).above()
    assert found.code == "train_val_overlap"
    assert "share 23 of their 24 steps" in found.cause
    assert not verdict(record(features(beside=0.02, shape=(24, 3)), run=LEARNED)).above()


# What is read of networks and data


def padded(layers: list[Any], x: Any) -> Padding | None:
    model = fw.Sequential(layers)
    model.build((None, *x.shape[1:]))
    data = Examples(model, "test").inputs(x)
    return recurrence.padding(model.network, Batch(tuple(data), (), (), None))


IDS = np.array([[3, 5, 0, 0, 0], [2, 0, 0, 0, 0], [4, 1, 2, 0, 0]])


def test_padding_of_ids_and_of_numbers() -> None:
    found = padded([Embedding(9, 2), LSTM(3), Dense(1)], IDS)
    assert found is not None
    assert (found.layer, found.value, found.steps, found.ids) == ("lstm", 0.0, 5, True)
    assert found.share == pytest.approx((3 + 4 + 2) / 15)
    numbers = padded([GRU(3), Dense(1)], np.where(IDS == 0, -1.0, IDS)[..., None])
    assert numbers is not None
    assert (numbers.value, numbers.ids) == (-1.0, False)


@pytest.mark.parametrize(
    ("layers", "x"),
    [
        ([Embedding(9, 2, mask_zero=True), LSTM(3)], IDS),
        ([Embedding(9, 2), Bidirectional(LSTM(3))], IDS),
        ([Embedding(9, 2), GRU(3, return_sequences=True), GlobalAveragePooling1D()], IDS),
        ([Embedding(9, 2), GlobalAveragePooling1D()], IDS),
        ([Embedding(9, 2), LSTM(3)], IDS[:, ::-1]),  # in front
        ([Masking(), GRU(3)], 1.0 * IDS[..., None]),
        ([GRU(3)], RANDOM.normal(size=(3, 5, 1))),
        ([Dense(3)], 1.0 * IDS),
    ],
)
def test_padding_that_is_masked_or_in_front_or_read_at_every_step(layers: Any, x: Any) -> None:
    assert padded([*layers, Dense(1)], x) is None


def test_the_gradient_at_every_step_of_a_linear_rnn() -> None:
    """h_t = x_t + h_{t-1} / 2: dh_T / dx_t = 2^(t - T)."""
    model = fw.Sequential([SimpleRNN(1, activation=None, use_bias=False)])
    model.compile("sgd", "mse")
    x, y = RANDOM.normal(size=(16, 10, 1)), RANDOM.normal(size=(16, 1))
    model.build((None, 10, 1))
    model.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5)])
    examples = Examples(model, "test")
    batch = examples.batch(x, y)._replace(mask=np.ones(16, np.float32))
    found = recurrence.reach(model.network, examples.objective, model.train_state, batch)
    assert found is not None
    assert (found.layer, found.steps) == ("simple_rnn", 10)
    assert found.early == pytest.approx(0.5**9, rel=1e-4)
    assert found.late == pytest.approx(1.0, rel=1e-4)


def test_the_activation_of_an_output_at_every_step_is_seen() -> None:
    """TimeDistributed(Dense(1, "sigmoid")) gives probabilities; its loss is that of them."""
    model = fw.Sequential(
        [SimpleRNN(3, return_sequences=True), TimeDistributed(Dense(1, "sigmoid"))]
    )
    model.compile("adam", "binary_crossentropy")
    x = RANDOM.normal(size=(40, 5, 2)).astype(np.float32)
    y = (x[..., :1] > 0).astype(np.float32)
    assert not model.checkup(x, y).above()
    p = model.predict(x, verbose=0)
    truth = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(truth, rel=1e-5)


# Whole fits


def test_a_text_that_is_padded_behind_is_named_and_its_cure_masks() -> None:
    x = np.zeros((300, 40), np.int32)
    x[:, :4] = RANDOM.integers(1, 20, (300, 4))
    y = (x[:, :4] < 10).sum(1) > 2
    model = fw.Sequential([Embedding(20, 4), LSTM(8), Dense(1, "sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
    history = model.fit(x, y, epochs=4, verbose=0)
    found = history.findings.above()
    assert found.codes[0] == "vanishing_gradient"
    evidence = {one.what: one.value for one in found[0].evidence}
    assert evidence["share of the steps that are padding"] == pytest.approx(36 / 40)
    early = evidence["gradient at the first tenth of them over the largest"]
    assert float(early) < 1e-2
    cured = found[0].apply()
    assert cured.network.layers["embedding"].mask_zero
