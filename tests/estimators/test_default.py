"""network=None: scales, missing values and targets in any unit."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logit
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss

from fitwell.data.splits import split
from fitwell.layers import Dense
from fitwell.sklearn import NetClassifier, NetRegressor
from fitwell.sklearn.rows import Scaling, full_batch, merged

RNG = np.random.default_rng(0)


def test_where_a_value_is_missing_is_a_feature() -> None:
    x = RNG.normal(size=(300, 2))
    y = RNG.integers(0, 2, 300)
    x[y == 1, 0] = np.nan
    net = NetClassifier(epochs=10, early_stopping=False, random_state=0).fit(x, y)
    assert net.model_.input_shape == (None, 3)
    assert net.score(x, y) == 1.0
    assert net.predict([[np.nan, 0.0], [0.0, np.nan]]).tolist() == [1, 0]  # one never missing


def test_probabilities_are_calibrated_on_rows_put_aside() -> None:
    x = RNG.normal(size=(600, 3))
    y = np.where(RNG.random(600) < 0.4, RNG.integers(0, 2, 600), x[:, 0] > 0)  # never sure
    net = NetClassifier(epochs=10, validation_fraction=0.5, random_state=0).fit(x, y)
    calibrated, temperature = net.predict_proba(x), net.temperature_
    net.temperature_ = 1.0
    plain = net.predict_proba(x)
    assert temperature != 1.0
    assert np.allclose(logit(calibrated), logit(plain) / temperature, atol=1e-5)
    held = split(y, (0.5, 0.5, 0.0), seed=net.model_.seed).validation
    assert log_loss(y[held], calibrated[held]) < log_loss(y[held], plain[held])
    assert NetClassifier([Dense(1)], epochs=1, early_stopping=True).fit(x, y).temperature_ == 1.0


def test_rows_put_aside_are_learned_from_in_the_end() -> None:
    x = RNG.normal(size=(200, 1))
    net = NetRegressor(epochs=2, validation_fraction=0.5, random_state=0).fit(x, x[:, 0])
    (edges,) = (w for w in net.model_.layers[0].get_weights() if w.shape == (1, 3))
    # Two bins between the smallest and the largest of the rows that it has learned from: of all.
    seen = net._inputs(x)
    assert np.allclose([edges[0, 0], edges[0, 2]], [seen.min(), seen.max()], atol=1e-5)


def test_ctrl_c_ends_the_whole_fit() -> None:
    """Rows put aside are not learned from then."""
    before = signal.getsignal(signal.SIGINT)

    def press() -> None:
        while signal.getsignal(signal.SIGINT) is before:  # until the network is being trained
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    x = np.random.default_rng(0).normal(size=(200, 1))
    net = NetRegressor(epochs=10**6, validation_fraction=0.5, random_state=0).fit(x, x[:, 0])
    (edges,) = (w for w in net.model_.layers[0].get_weights() if w.shape == (1, 3))
    seen = net._inputs(x)
    assert not np.allclose([edges[0, 0], edges[0, 2]], [seen.min(), seen.max()], atol=1e-5)


def test_a_network_of_ones_own_refuses_missing_values() -> None:
    with pytest.raises(ValueError, match="NetClassifier does not accept missing values"):
        NetClassifier([Dense(1)]).fit([[np.nan], [1.0]], [0, 1])


def test_units_of_features_and_targets_do_not_matter() -> None:
    x, y = load_diabetes(return_X_y=True)
    net = NetRegressor(epochs=12, random_state=0)
    found = net.fit(x, y).predict(x)
    assert 0.25 < net.score(x, y) < 1.0  # a constant has 0; how good it is, benchmarks say
    assert len(net.history_["val_loss"]) == net.n_iter_ <= 12  # it stops early by itself
    scaled = net.fit(sparse.csr_matrix(x * 2.0**20), y * 1024).predict(x * 2.0**20)
    assert np.allclose(scaled / 1024, found, rtol=1e-3)


def test_several_outputs() -> None:
    x, y = load_diabetes(return_X_y=True)
    both = np.stack([y, 1000 * x[:, 2] - 5], axis=1)
    net = NetRegressor(epochs=12, random_state=0).fit(x, both)
    assert net.score(x, both) > 0.3
    labels = both > both.mean(axis=0)
    shares = NetClassifier(epochs=12, random_state=0).fit(x, labels).predict_proba(x)
    assert ((shares > 0.5) == labels).mean() > 0.8


def test_parts_are_learnt_at_a_constant_rate() -> None:
    x, y = load_diabetes(return_X_y=True)
    net = NetRegressor(random_state=0)
    for start in 20 * [0, 50, 100, 150]:  # a step each, which no schedule survives
        net.partial_fit(x[start : start + 50], y[start : start + 50])
    rates = net.model_.optimizer.rate(np.array([0, 10_000]))
    assert rates[0] == rates[1] > 0
    assert net.score(x[200:], y[200:]) > 0.2  # rows it never saw


def test_features_are_robust_scales() -> None:
    x = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0], [4.0, 1.0], [np.nan, 1.0]])
    features = Scaling.of(x)(np.array([[4.0, 5.0], [np.nan, np.nan], [-1e300, 0.0]]))
    far = 1 / np.sqrt(1 + 1 / 9)  # (4 - 2) / (3 - 1), clipped smoothly
    assert np.allclose(features, [[far, 0, 0], [0, 0, 1], [-3, 0, 0]])
    nothing = np.full((3, 1), np.nan)
    assert Scaling.of(nothing)(nothing).tolist() == [[0.0], [0.0], [0.0]]


def test_equal_rows_are_one_row() -> None:
    x = np.array([[2.0, 1.0], [0.0, 3.0], [2.0, 1.0], [2.0, 1.0]])
    rows, targets, weight = merged(x, np.array([5.0, 6.0, 5.0, 7.0]), np.array([1.0, 1.0, 3.0, 2]))
    assert rows.tolist() == [[0.0, 3.0], [2.0, 1.0], [2.0, 1.0]]
    assert targets.tolist() == [6.0, 5.0, 7.0]
    assert weight.tolist() == [1.0, 4.0, 2.0]


def test_full_batches_are_a_little_larger_than_the_rows() -> None:
    sizes = {rows: full_batch(rows) for rows in range(1, 3000)}
    assert all(rows <= size <= max(32, rows + max(8, rows / 8)) for rows, size in sizes.items())
    assert len(set(sizes.values())) < 75


@pytest.mark.parametrize("kind", [NetClassifier, NetRegressor])
def test_a_weight_of_few_rows_is_how_often_they_are_written(kind: Any) -> None:
    """Bit for bit, in any order: also of rows with missing values, and of dropout."""
    rng = np.random.default_rng(1)
    x, y, times = rng.normal(size=(20, 3)), rng.integers(0, 3, 20), rng.integers(0, 5, 20)
    x[::4, 1] = np.nan
    written = rng.permutation(np.repeat(np.arange(20), times))
    weighted = kind(epochs=4, random_state=0).fit(x, y, sample_weight=times)
    repeated = kind(epochs=4, random_state=0).fit(x[written], y[written])
    how = "predict_proba" if kind is NetClassifier else "predict"
    assert np.array_equal(getattr(weighted, how)(x), getattr(repeated, how)(x))
    plain = kind(epochs=4, random_state=0).fit(x, y)
    assert not np.array_equal(getattr(plain, how)(x), getattr(repeated, how)(x))
