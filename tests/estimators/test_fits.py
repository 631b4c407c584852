"""fit, partial_fit and warm_start: the same steps by other ways give the same numbers."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import fitwell as fw
from fitwell.errors import InvalidArgument, InvalidData, OutOfMemory
from fitwell.layers import Dense
from fitwell.sklearn import NetClassifier, NetRegressor

X, Y = load_iris(return_X_y=True)
X = scale(X)
LAYERS = [Dense(6, activation="tanh"), Dense(3, activation="softmax")]


def classifier(**options: Any) -> NetClassifier:
    return NetClassifier(LAYERS, random_state=3, batch_size=32, **options)


def test_two_parts_are_two_epochs() -> None:
    whole = classifier(epochs=2).fit(X, Y)
    parts = classifier().partial_fit(X, Y, classes=[0, 1, 2])
    parts = pickle.loads(pickle.dumps(parts))  # the state of the optimizer comes along
    parts.partial_fit(X, Y)
    assert np.array_equal(parts.predict_proba(X), whole.predict_proba(X))
    assert parts.history_["loss"] == pytest.approx(whole.history_["loss"])
    assert parts.n_iter_ == 2


def test_the_first_part_needs_not_have_every_class() -> None:
    net = classifier().partial_fit(X[:50], Y[:50], classes=[2, 0, 1]).partial_fit(X, Y)
    assert net.predict_proba(X).shape == (150, 3)
    with pytest.raises(InvalidData, match=r"expected the classes .*\[0, 1, 2\], received \[7\]"):
        net.partial_fit(X, np.full(150, 7))
    with pytest.raises(InvalidData, match="Leave classes out"):
        net.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(InvalidArgument, match="expected classes in the first call"):
        classifier().partial_fit(X, Y)
    with pytest.raises(InvalidArgument, match="shares of classes to come are unknown"):
        classifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_a_warm_start_goes_on() -> None:
    options: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.1}  # has no state
    warm = classifier(epochs=2, warm_start=True, **options).fit(X, Y).fit(X, Y)
    assert np.array_equal(
        warm.predict_proba(X), classifier(epochs=4, **options).fit(X, Y).predict_proba(X)
    )
    cold = classifier(epochs=2, **options).fit(X, Y).fit(X, Y)
    assert cold.n_iter_ == 2
    assert warm.n_iter_ == 4
    with pytest.raises(InvalidData, match="fit anew without warm_start"):
        warm.fit(X, Y + 1)


def test_early_stopping_keeps_the_best_epoch() -> None:
    noise = np.random.default_rng(0).integers(0, 3, 150)
    net = classifier(epochs=200, learning_rate=0.05, early_stopping=True, patience=4)
    values = net.fit(X, noise).history_["val_loss"]
    assert net.n_iter_ == len(values) == np.argmin(values) + 5
    # The same split, and as many epochs as the best needed: the same weights.
    best = int(np.argmin(values)) + 1
    again = net.set_params(epochs=best, patience=best).fit(X, noise)
    assert again.history_["val_loss"] == pytest.approx(values[:best])


def test_the_random_state_decides_all_numbers() -> None:
    def build(features: int, outputs: int) -> fw.Sequential:
        return fw.Sequential([fw.Input((features,)), Dense(outputs)])  # draws a seed

    first, second, other = (
        NetClassifier(build, epochs=2, random_state=seed).fit(X, Y).predict_proba(X)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    fw.settings.set_seed(5)
    expected = fw.settings.next_seed()
    fw.settings.set_seed(5)
    NetClassifier(build, epochs=1, random_state=1).fit(X, Y)
    assert fw.settings.next_seed() == expected  # seeds of other models are as they were


def test_sparse_rows_are_dense_rows() -> None:
    x = np.where(X > 0.5, X, 0.0)
    dense, csc = classifier(epochs=3), classifier(epochs=3)
    shares = dense.fit(x, Y).predict_proba(x)
    found = csc.fit(sparse.csc_array(x), Y).predict_proba(sparse.csr_matrix(x))
    assert np.array_equal(found, shares)


def test_sparse_rows_are_predicted_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x = sparse.csr_matrix(np.where(X > 0.5, X, 0.0))
    net = classifier(epochs=3).fit(x, Y)
    expected = net.predict_proba(x)
    monkeypatch.setattr("fitwell.sklearn.base._SPARSE_ROWS", 64)
    np.testing.assert_allclose(net.predict_proba(x), expected, rtol=1e-5)


def test_sparse_rows_that_do_not_fit_are_refused() -> None:
    huge = sparse.csr_matrix((100_000, 2_000_000_000), dtype=np.float32)
    with pytest.raises(OutOfMemory, match=r"2,000,000\.0 GB\. Select columns"):
        classifier().fit(huge, np.arange(100_000) % 3)


def test_pipelines_scores_and_searches() -> None:
    def build(features: int, outputs: int, units: int = 1) -> list[Dense]:
        return [Dense(units, activation="relu"), Dense(outputs)]

    corners = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    apart = np.where(corners[:, 0] * corners[:, 1] > 0, "same", "other")  # no line separates them
    net = NetClassifier(build, epochs=60, learning_rate=0.05, random_state=0)
    grid = {"netclassifier__network__units": [1, 8]}
    search = GridSearchCV(make_pipeline(StandardScaler(), net), grid, cv=2).fit(corners, apart)
    assert search.best_params_ == {"netclassifier__network__units": 8}
    assert search.best_score_ > 0.9
    assert net.network_args is None
    assert net.set_params(network__units=8).get_params()["network__units"] == 8
    assert cross_val_score(net, corners, apart, cv=2).min() > 0.9


def test_a_search_in_threads_is_the_search() -> None:
    def build(features: int, outputs: int) -> fw.Sequential:
        return fw.Sequential([fw.Input((features,)), Dense(outputs)])  # draws a seed

    net = NetClassifier(build, epochs=3, batch_size=128, random_state=0)
    search = GridSearchCV(net, {"learning_rate": [0.001, 0.01, 0.1]}, cv=2)
    alone = search.fit(X, Y).cv_results_["mean_test_score"]
    with parallel_config("threading", n_jobs=3):
        assert np.array_equal(search.fit(X, Y).cv_results_["mean_test_score"], alone)


def test_a_column_of_targets_stays_a_column() -> None:
    net = NetRegressor([Dense(1)], epochs=1, random_state=0)
    assert net.fit(X, X[:, :1]).predict(X).shape == (150, 1)
    assert net.fit(X, X[:, 0]).predict(X).shape == (150,)
    with pytest.raises(InvalidData, match="expected 1 targets, as in the first call, received 2"):
        net.partial_fit(X, X[:, :2])
