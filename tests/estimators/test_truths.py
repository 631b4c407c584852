"""Networks that are linear models equal those of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression

from fitwell.layers import Dense
from fitwell.optimizers import SGD
from fitwell.sklearn import NetClassifier, NetRegressor

EXACT: dict[str, Any] = {
    "optimizer": SGD(0.3, momentum=0.9),
    "epochs": 400,
    "batch_size": "full",
    "random_state": 0,
}
"""To the minimum of a convex loss."""

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
COIN = (expit(X @ [1.5, -1.0, 0.0] - 0.5) > RNG.random(200)).astype(int)  # no line separates it
NAMES = np.array(["ham", "spam"])[COIN]
TIMES = RNG.integers(0, 4, 200)  # how often a row counts: also not at all


def logistic(**options: Any) -> LogisticRegression:
    return LogisticRegression(C=np.inf, max_iter=2000, tol=1e-8, **options)


def test_one_linear_unit_is_linear_regression() -> None:
    y = np.sin(X[:, 0]) + X[:, 1] ** 2 + 3
    net, truth = NetRegressor([Dense(1)], **EXACT).fit(X, y), LinearRegression().fit(X, y)
    kernel, bias = net.model_.get_weights()
    assert np.allclose(kernel[:, 0], truth.coef_, atol=1e-5)
    assert np.allclose(bias, truth.intercept_, atol=1e-5)
    assert net.score(X, y) == pytest.approx(truth.score(X, y), abs=1e-6)


def test_several_targets_are_as_many_regressions() -> None:
    y = np.stack([np.sin(X[:, 0]), 10 * X[:, 1] ** 2], axis=1)
    net, truth = NetRegressor([Dense(2)], **EXACT).fit(X, y), LinearRegression().fit(X, y)
    assert np.allclose(net.predict(X), truth.predict(X), atol=1e-4)


def test_sample_weights_are_those_of_linear_regression() -> None:
    y = np.sin(X[:, 0]) + X[:, 1] ** 2 + 3
    net = NetRegressor([Dense(1)], **EXACT).fit(X, y, sample_weight=TIMES)
    truth = LinearRegression().fit(X, y, sample_weight=TIMES)
    assert np.allclose(net.predict(X), truth.predict(X), atol=1e-4)


@pytest.mark.parametrize(
    "layer", [Dense(1, activation="sigmoid"), Dense(1), Dense(2, activation="softmax"), Dense(2)]
)
def test_one_layer_is_logistic_regression(layer: Dense) -> None:
    net, truth = NetClassifier([layer], **EXACT).fit(X, NAMES), logistic().fit(X, NAMES)
    assert np.allclose(net.predict_proba(X), truth.predict_proba(X), atol=1e-4)
    assert np.array_equal(net.predict(X), truth.predict(X))
    assert net.classes_.tolist() == ["ham", "spam"]


@pytest.mark.parametrize("weight", [{"ham": 1.0, "spam": 5.0}, "balanced"])
def test_class_weights_are_those_of_logistic_regression(weight: Any) -> None:
    x, y = X[40:], NAMES[40:]
    net = NetClassifier([Dense(1)], class_weight=weight, **EXACT).fit(x, y)
    truth = logistic(class_weight=weight).fit(x, y)
    assert np.allclose(net.predict_proba(x), truth.predict_proba(x), atol=1e-4)


def test_class_weights_are_rows_written_several_times() -> None:
    options = {**EXACT, "epochs": 5}
    often = np.where(NAMES == "spam", 3, 1)
    weighted = NetClassifier([Dense(1)], class_weight={"spam": 3}, **options).fit(X, NAMES)
    repeated = NetClassifier([Dense(1)], **options).fit(X.repeat(often, 0), NAMES.repeat(often))
    assert np.array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_labels_are_as_many_logistic_regressions() -> None:
    y = np.stack([COIN, X[:, 2] > RNG.normal(size=200)], axis=1)
    net = NetClassifier([Dense(2)], **EXACT).fit(X, y)
    shares = [logistic().fit(X, column).predict_proba(X)[:, 1] for column in y.T]
    assert np.allclose(net.predict_proba(X), np.transpose(shares), atol=1e-4)
    assert np.array_equal(net.predict(X), np.transpose(shares) > 0.5)


def test_a_loss_by_name_reads_logits_and_one_hot_labels() -> None:
    net = NetClassifier([Dense(3)], loss="categorical_crossentropy", **EXACT)
    y = COIN + (X[:, 2] > RNG.normal(size=200))
    truth = logistic().fit(X, y)
    assert np.allclose(net.fit(X, y).predict_proba(X), truth.predict_proba(X), atol=1e-4)
