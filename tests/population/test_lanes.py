"""A lane equals a solo fit, whatever it differs in from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.callbacks import EarlyStopping
from fitwell.schedules import ExponentialDecay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 3)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)
ONE_HOT = np.eye(2, dtype=np.float32)[Y]
FIT: dict[str, Any] = {"batch_size": 16, "epochs": 3, "verbose": 0}


def network(seed: int = 0, dropout: float = 0.2) -> fw.Sequential:
    layers = [L.Dense(6, "tanh"), L.Dropout(dropout), L.Dense(2, activation="softmax")]
    return fw.Sequential([L.Input((3,)), *layers], seed=seed)


def compiled(model: fw.Sequential, **arguments: Any) -> fw.Sequential:
    given = {"optimizer": fw.optimizers.AdamW(0.01), "loss": "categorical_crossentropy"}
    model.compile(**{**given, **arguments})
    return model


def apart(model: fw.Model, other: fw.Model) -> float:
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def test_seeds_rates_and_numbers_of_every_kind() -> None:
    """One population that varies all of them at once against three fits."""
    seeds, rates, decays = [4, 5, 4], [0.01, 0.1, ExponentialDecay(0.1, 5, 0.5)], [0.0, 0.1, 0.3]
    dropouts, smoothings, betas = [0.0, 0.3, 0.6], [0.0, 0.1, 0.2], [0.9, 0.5, 0.8]
    found = fw.fit_many(
        compiled(network(), metrics=["accuracy", "auc"]), X, ONE_HOT,
        seeds=seeds, learning_rate=rates, weight_decay=decays, dropout=dropouts,
        label_smoothing=smoothings, vary={"optimizer.beta_1": betas}, validation_split=0.2,
        monitor="val_accuracy", **FIT,
    )  # fmt: skip
    for i in range(3):
        solo = compiled(
            network(seeds[i], dropouts[i]), metrics=["accuracy", "auc"],
            optimizer=fw.optimizers.AdamW(rates[i], weight_decay=decays[i], beta_1=betas[i]),
            loss=fw.losses.CategoricalCrossentropy(label_smoothing=smoothings[i]),
        )  # fmt: skip
        history = solo.fit(X, ONE_HOT, validation_split=0.2, **FIT).history
        assert apart(found.models[i], solo) < 1e-5
        assert list(found.histories[i].history) == list(history)
        for name, values in history.items():
            np.testing.assert_allclose(found.histories[i].history[name], values, rtol=1e-5)
    assert apart(found.models[0], found.models[1]) > 0.01


def test_sample_weights_of_a_lane() -> None:
    weights = [np.ones(70), RNG.uniform(0, 2, 70)]
    found = fw.fit_many(compiled(network()), X, ONE_HOT, sample_weights=weights, **FIT)
    for model, weight in zip(found.models, weights, strict=True):
        solo = compiled(network())
        solo.fit(X, ONE_HOT, sample_weight=weight, **FIT)
        assert apart(model, solo) < 1e-5


def test_init_scale_is_a_factor_of_the_kernels() -> None:
    found = fw.fit_many(
        compiled(network()), X, ONE_HOT, init_scale=[1, 3.0], learning_rate=0, **FIT
    )
    begun = network().get_weights()
    for model, scale in zip(found.models, (1, 3), strict=True):
        for now, then in zip(model.get_weights(), begun, strict=True):
            np.testing.assert_allclose(now, then * (scale if then.ndim > 1 else 1), rtol=1e-6)


def test_convolutions_take_turns() -> None:
    images = RNG.normal(size=(20, 6, 6, 1)).astype(np.float32)

    def build(seed: int) -> fw.Sequential:
        layers = [L.Conv2D(3, 3, activation="relu"), L.GlobalAveragePooling2D(), L.Dense(1)]
        return compiled(fw.Sequential([L.Input((6, 6, 1)), *layers], seed=seed), loss="mse")

    found = fw.fit_many(build(0), images, X[:20, 0], seeds=[2, 3], **FIT)
    for model, seed in zip(found.models, (2, 3), strict=True):
        solo = build(seed)
        solo.fit(images, X[:20, 0], **FIT)
        assert apart(model, solo) < 1e-5


def deep(units: tuple[int, ...]) -> fw.Sequential:
    hidden = [
        layer
        for n in units
        for layer in (L.Dense(n, "sigmoid", kernel_regularizer="l2"), L.BatchNormalization())
    ]
    model = fw.Sequential([L.Input((3,)), *hidden, L.Dense(2, activation="softmax")], seed=1)
    return compiled(model, optimizer=fw.optimizers.AdamW(0.01, global_clipnorm=0.1))


def test_widths_and_depths_are_those_of_truly_narrow_and_shallow_networks() -> None:
    """With units that are not 0 at 0, penalties and clipping by the common norm of all weights."""
    units = [(2, 4), (3,), (5, 5)]
    found = fw.fit_many(
        deep((5, 5)), X, ONE_HOT, width=[(2, 4), 3, None], depth=[2, 1, None], **FIT
    )
    for model, history, widths in zip(found.models, found.histories, units, strict=True):
        solo = deep(widths)
        wanted = solo.fit(X, ONE_HOT, **FIT).history["loss"]
        np.testing.assert_allclose(history.history["loss"], wanted, rtol=1e-5)
        assert apart(model, solo) < 1e-5
        np.testing.assert_allclose(model.predict(X), solo.predict(X), atol=1e-5)
    assert found.frame().select("width", "depth").rows() == [("(2, 4)", 2), ("3", 1), (None, None)]


def test_each_lane_stops_by_itself_with_its_best_weights() -> None:
    """Against EarlyStopping; with eight lanes, half of which leave the program early."""
    rates = [0.03 * 1.5**i for i in range(8)]
    many = {**FIT, "epochs": 25}
    found = fw.fit_many(
        compiled(network(), optimizer="sgd"), X, ONE_HOT, learning_rate=rates, patience=2,
        validation_data=(X[:30], ONE_HOT[:30]), **many,
    )  # fmt: skip
    lengths = set()
    for i, rate in enumerate(rates):
        solo = compiled(network(), optimizer=fw.optimizers.SGD(rate))
        stopping = EarlyStopping(patience=2, restore_best_weights=True)
        held = (X[:30], ONE_HOT[:30])
        history = solo.fit(X, ONE_HOT, validation_data=held, callbacks=stopping, **many).history
        assert found.histories[i].history["val_loss"] == pytest.approx(
            history["val_loss"], rel=1e-5
        )
        assert found.scores[i] == pytest.approx(min(history["val_loss"]), rel=1e-5)
        lengths.add(len(history["val_loss"]))
        assert apart(found.models[i], solo) < 1e-5
    assert len(lengths) > 2, "the lanes must stop at different times for this test to say anything"


def test_all_combinations_with_grid() -> None:
    model = compiled(network())
    found = fw.fit_many(model, X, ONE_HOT, seeds=2, learning_rate=[0.1, 0.2, 0.3], grid=True, **FIT)
    table = found.frame().select("seed", "learning_rate").rows()
    assert table == [(s, r) for s in (0, 1) for r in (0.1, 0.2, 0.3)]
