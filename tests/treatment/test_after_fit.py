"""`fit(doctor="treat")`: what goes wrong is treated with the data of the fit."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.settings import settings
from fitwell.training import Batch
from fitwell.treatment import following as module
from fitwell.types import HostArray

X = np.random.default_rng(0).uniform(-1, 1, (240, 2)).astype(np.float32)
Y = X[:, 0] * X[:, 1] > 0  # no line separates these


@pytest.fixture(autouse=True)
def _spoken() -> None:
    settings.progress = "plain"


def network(rate: float = 1e-3, optimizer: Any = None) -> fw.Sequential:
    layers = [L.Dense(32, activation="relu"), L.Dense(1, activation="sigmoid")]
    model = fw.Sequential(layers, seed=0)
    model.compile(optimizer or fw.optimizers.SGD(rate), loss="binary_crossentropy")
    return model


def accuracy(model: Any, x: HostArray) -> float:
    return float(((model.predict(x, verbose=0)[:, 0] > 0.5) == Y).mean())


def fitted(model: Any, *data: Any, verbose: int = 2, **more: Any) -> tuple[Any, str]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        history = model.fit(*data, doctor="treat", verbose=verbose, **more)
    return history, out.getvalue().splitlines()[-1] if out.getvalue() else ""


def test_the_same_network_takes_the_treated_weights() -> None:
    model = network()
    history, said = fitted(model, X, Y, epochs=10, validation_split=0.25)
    assert history.findings.above().codes
    assert said.startswith("treated: accuracy ")
    assert "on 60 validation rows" in said  # those of the fit
    # The rate of the cure is not the model's: that is said.
    assert "the model has these weights now, and its own optimizer, SGD at 0.001:" in said
    assert type(history.treated.setup.optimizer).__name__ == "Adam"
    assert history.treated._repr_html_().count("<tr>") == 1 + len(history.treated.table)
    assert accuracy(model, X) > 0.85
    np.testing.assert_array_equal(model.predict(X), history.treated.model.predict(X))
    model.fit(X, Y, verbose=0)  # it goes on, and the treated model keeps its arrays
    assert accuracy(history.treated.model, X) > 0.85


def test_another_network_is_left_to_the_user() -> None:
    raw = X * 3000 + 5000
    y = raw @ np.array([0.5, -2.0]) + 4000  # R2 of a linear model is 1
    model = fw.Sequential([L.Dense(1)], seed=0)
    model.compile(fw.optimizers.SGD(0.01), loss="mse")
    history, said = fitted(model, raw, y, epochs=20)
    assert said.startswith("treated: R2 ")
    assert said.endswith("the network is another one: model = history.treated.model")
    predicted = history.treated.model.predict(raw, verbose=0)[:, 0]
    assert 1 - ((predicted - y) ** 2).mean() / y.var() > 0.9
    assert [view.name for view in model.layers] == ["dense"]


def test_better_weights_of_earlier_fits_stay() -> None:
    model = network(optimizer=fw.optimizers.Adam(0.01))
    model.fit(X, Y, epochs=150, verbose=0)
    assert accuracy(model, X) > 0.98
    before = model.get_weights()
    treated = network()
    treated.fit(X, Y, verbose=0)
    assert not module._better(treated, model, as_batch())
    assert module._better(model, treated, as_batch())
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def as_batch() -> Any:
    return Batch((X,), (Y,), (None,), None)


def test_a_good_fit_is_not_treated() -> None:
    model = network(optimizer=fw.optimizers.Adam(0.01))
    history, said = fitted(model, X, Y, epochs=150)
    assert history.findings.above().codes == []
    assert history.treated is None
    assert said.startswith("Epoch 150/150")


def test_labels_without_signal_are_not_treated() -> None:
    y = np.random.default_rng(1).integers(0, 2, 240)
    history, said = fitted(network(1e-4), X, y, epochs=3, validation_split=0.25)
    assert history.findings.above().codes
    assert history.treated.cures == []
    assert said == f"not treated: {history.treated.reason}"
    silent, said = fitted(network(1e-4), X, y, epochs=3, validation_split=0.25, verbose=0)
    assert (said, silent.treated.reason) == ("", history.treated.reason)


def batches() -> Iterator[tuple[HostArray, HostArray]]:
    for start in range(0, 240, 40):
        yield X[start : start + 40] * 1000, X[start : start + 40, 0]


def test_batches_of_an_iterable_cannot_be_treated() -> None:
    model = fw.Sequential([L.Dense(1)], seed=0)
    model.compile(fw.optimizers.SGD(100.0), loss="mse")
    history, said = fitted(model, batches(), epochs=1, steps_per_epoch=6)
    assert history.findings.above().codes == ["lr_too_high"]
    assert "nan" in history.findings[0].symptoms
    assert history.treated is None
    assert said.startswith("not treated: batches of an iterable")
    assert said.endswith("fw.treat(model, X, y)")


def test_a_fit_with_weights_of_examples_is_not_treated() -> None:
    model = fw.Sequential([L.Dense(1, activation="softmax")], seed=0)
    model.compile("sgd", loss="mse")
    history, said = fitted(model, X, Y, sample_weight=np.ones(240))
    assert history.findings.above().codes[0] == "softmax_single_unit"
    assert history.treated is None
    assert said.startswith("not treated: cures are not tried with weights of examples")
