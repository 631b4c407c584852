"""What estimators refuse, in four parts: who, what was expected, what came, what to do."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import fitwell as fw
from fitwell.errors import FitwellError, InvalidData
from fitwell.layers import Dense, Input
from fitwell.sklearn import NetClassifier, NetRegressor, NetTransformer

X = np.random.default_rng(0).normal(size=(12, 3))
CLASSES = np.arange(12) % 3
LAYERS = [Dense(3)]


def build(features: int, outputs: int, units: int = 4) -> list[Dense]:
    return [Dense(units), Dense(outputs)]


def two_inputs() -> fw.Model:
    first, second = Input((3,)), Input((3,))
    return fw.Model([first, second], Dense(3)(fw.layers.Add()([first, second])))


def classifier(network: Any = LAYERS, **options: Any) -> NetClassifier:
    return NetClassifier(network, epochs=options.pop("epochs", 1), random_state=0, **options)


REFUSED: dict[str, tuple[Any, str]] = {
    "no network": (classifier(3), "network=3. Write network=[Dense(16"),
    "a class": (classifier(Dense), "network to be layers, a model, a function that makes them"),
    "one layer": (classifier(Dense(3)), "Write network=[Dense(16"),
    "too few outputs": (
        classifier([Dense(2)]),
        "expected a network of one input whose output has the shape (3,): one number per class, "
        "received 1 input(s), output (2,). End it with Dense(3, ...)",
    ),
    "two inputs": (classifier(two_inputs()), "received 2 input(s), output (3,)"),
    "sigmoid": (classifier([Dense(3, "sigmoid")]), 'End with Dense(3, activation="softmax").'),
    "no arguments": (classifier(lambda: LAYERS), "expected a function (features, outputs, **"),
    "returns None": (classifier(lambda f, o: None), "which returns neither. Let it return a list"),
    "misspelt": (
        classifier(build, network_args={"unit": 3}),
        "build: expected an argument it knows, received unit=3. Did you mean units?",
    ),
    "arguments of layers": (
        classifier(network_args={"units": 3}),
        "expected a function that takes network_args, received [Dense(units=3)] and",
    ),
    "epochs": (classifier(epochs=-1), "epochs to be a whole number >= 0, received epochs=-1"),
    "batch_size": (classifier(batch_size="ful"), 'Pass a number of rows, or "full" for all'),
    "early_stopping": (
        classifier(early_stopping="yes"),
        "early_stopping to be True, False or \"auto\", received early_stopping='yes'. Choose one.",
    ),
    "validation_fraction": (
        classifier(early_stopping=True, validation_fraction=1.0),
        "validation_fraction inside (0, 1), received validation_fraction=1.0. Pass 0.1",
    ),
    "patience": (classifier(early_stopping=True, patience=-1), "patience to be a whole number"),
    "rate": (classifier(learning_rate=-1.0), "learning_rate to be a number in [0, inf)"),
    "optimizer": (classifier(optimizer="adm"), "Did you mean adam?"),
    "loss": (classifier(loss="sparse_categorical"), "Did you mean sparse_categorical_"),
    "class_weight": (
        classifier(class_weight={0: 0.0, 1: 0.0, 2: 0.0}),
        "expected 12 weights, received zeros alone. Pass one number per row, and not zero for all",
    ),
    "n_components": (NetTransformer(0), "n_components to be a whole number >= 1"),
    "layer": (NetTransformer(2, [Dense(3)], layer="dens"), "Did you mean dense?"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_fit_refuses(case: str) -> None:
    estimator, message = REFUSED[case]
    with pytest.raises(FitwellError, match=re.escape(message)):
        estimator.fit(X, CLASSES)
    assert not hasattr(estimator, "history_") or estimator.history_ == {}


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        (np.ones(12), None, "expected rows of two classes or more, received 1 class: [1.0]"),
        (CLASSES, np.ones(11), "NetClassifier.fit, sample_weight: expected 12 weights, received"),
        (CLASSES, np.ones((12, 2)), "expected 12 weights, received an array of shape (12, 2)"),
        (CLASSES, -np.ones(12), "expected finite weights >= 0, received -1. Use 0 to leave"),
        (CLASSES, np.zeros(12), "expected 12 weights, received zeros alone"),
    ],
)
def test_labels_and_weights(labels: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        classifier().fit(X, labels, sample_weight=weights)


def test_weights_that_do_not_stay_finite() -> None:
    net = NetRegressor([Dense(1)], optimizer="sgd", learning_rate=1e4, epochs=30, random_state=0)
    with pytest.raises(ValueError, match=r"received NaN or infinity\. Put StandardScaler"):
        net.fit(X, CLASSES)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_before_fit(method: str) -> None:
    with pytest.raises(NotFittedError, match="This NetClassifier instance is not fitted yet"):
        getattr(classifier(), method)(X)


def test_labels_per_row_must_stay_as_many() -> None:
    y = np.eye(3, dtype=int)[CLASSES]
    net = classifier().partial_fit(X, y)
    assert net.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"expected 3 labels per row, received 2\. Each label"):
        net.partial_fit(X, y[:, :2])


@pytest.mark.parametrize("make", [partial(build, units=2), build])
def test_functions_of_every_kind_make_networks(make: Callable[..., Any]) -> None:
    net = classifier(make).fit(X, CLASSES)
    assert net.model_.layers[0].units == (2 if isinstance(make, partial) else 4)
    assert pickle.loads(pickle.dumps(net)).predict(X).shape == (12,)


def test_parameters_of_the_function_are_parameters() -> None:
    net = classifier(build, network_args={"units": 5})
    assert net.get_params()["network__units"] == 5
    assert "network__units" not in net.get_params(deep=False)
    copy = clone(net).set_params(network__units=6, epochs=2)
    assert (net.network_args, copy.network_args) == ({"units": 5}, {"units": 6})
    assert copy.fit(X, CLASSES).model_.layers[0].units == 6
    assert repr(classifier(build)).startswith("NetClassifier(epochs=1, network=<function build")


@pytest.mark.parametrize("frame", [pl.DataFrame, pd.DataFrame])
def test_columns_of_text_are_answered_with_what_takes_them(frame: Any) -> None:
    table = frame({"a": np.arange(12.0), "town": ["Bern", "Rome"] * 6})
    message = (
        r"NetClassifier: expected numbers in every column of X, received text: .*Bern.*\. Put "
    )
    with pytest.raises(InvalidData, match=message + r"OneHotEncoder.* fitwell\.tabular\.train"):
        classifier().fit(table, CLASSES)
    fitted = classifier().fit(X[:, :2], CLASSES)
    with pytest.raises(InvalidData, match=message):
        fitted.predict(np.array([[1.0, "Bern"]], object))
