"""What a population returns, what cross-validation and the search for a rate find, and messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument
from fitwell.population.folding import divide
from fitwell.population.rates import recommend

RNG = np.random.default_rng(1)
X = RNG.normal(size=(61, 2)).astype(np.float32)
Y = (X @ [1.0, -2.0]).astype(np.float32)[:, None]
FIT: dict[str, Any] = {"batch_size": 20, "epochs": 2, "verbose": 0}


def linear(seed: int = 0, **arguments: Any) -> fw.Sequential:
    model = fw.Sequential([L.Input((2,)), L.Dense(1)], seed=seed)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


@pytest.fixture(scope="module")
def three() -> fw.population.Population:
    return fw.fit_many(
        linear(), X, Y, seeds=[0, 1, 2], learning_rate=[0.1, 1e4, 0.01], validation_split=0.2, **FIT
    )


def test_the_table_and_the_best(three: fw.population.Population) -> None:
    table = three.frame()
    assert table["seed"].to_list() == [0, 1, 2]
    assert table["learning_rate"].to_list() == [0.1, 1e4, 0.01]
    assert table["epochs"].to_list() == [2, 2, 2]
    losses = [history.history["val_loss"][-1] for history in three.histories]
    assert table["val_loss"].to_list() == losses == three.scores.tolist()
    assert three.best_lane == 0
    assert three.best.evaluate(X[48:], Y[48:]) == pytest.approx(losses[0], rel=1e-5)
    assert three.best.learning_rate == 0.1


def test_mean_and_standard_deviation() -> None:
    found = fw.fit_many(linear(), X, Y, seeds=3, **FIT)
    losses = [history.history["loss"][-1] for history in found.histories]
    assert found.mean() == {"loss": pytest.approx((np.mean(losses), np.std(losses, ddof=1)))}
    assert re.match(
        r"<Population: 3 lanes, loss [\d.]+ ± [\d.]+ \(best [\d.]+, lane \d\)", repr(found)
    )


def test_cross_validation_shows_every_metric_of_the_held_out_rows() -> None:
    found = fw.cross_validate(linear(metrics=["mae"]), X, Y, folds=3, **FIT)
    errors = [history.history["val_mae"][-1] for history in found.histories]
    said = f"val_mae {np.mean(errors):.4g} ± {np.std(errors, ddof=1):.2g}"
    assert said in repr(found)
    assert re.match(r"<CrossValidation: 3 lanes, val_loss [\d.]+ ± [\d.]+ \(best", repr(found))
    assert ", mae" not in repr(found)  # of the rows that it was trained on


def test_a_lane_that_diverges_is_not_the_best_and_not_in_the_ensemble(
    three: fw.population.Population,
) -> None:
    scores = three.scores.copy()
    three.scores = np.array([scores[0], np.nan, scores[2]])
    try:
        assert three.best_lane == 0
        mean = (three.models[0].predict(X) + three.models[2].predict(X)) / 2
        np.testing.assert_allclose(three.ensemble().predict(X), mean, atol=1e-6)
        assert "1 diverged" in repr(three)
        three.scores = np.full(3, np.inf)
        message = (
            "Population: expected a lane with a finite val_loss, received none: all of them "
            "diverged. Try learning rates ten times smaller, or scale the inputs."
        )
        with pytest.raises(InvalidArgument, match=re.escape(message)):
            _ = three.best
    finally:
        three.scores = scores


def test_an_ensemble_is_one_model_in_one_file(tmp_path: Path) -> None:
    a, b = L.Input((2,), name="a"), L.Input((2,), name="b")
    first, second = L.Dense(1, name="u")(L.Add()([a, b])), L.Dense(2, "softmax", name="v")(a)
    model = fw.Model({"a": a, "b": b}, {"first": first, "second": second}, seed=0)
    model.compile(loss={"first": "mse", "second": "sparse_categorical_crossentropy"})
    x, y = {"a": X, "b": -X}, {"first": Y, "second": (Y[:, 0] > 0).astype(int)}
    found = fw.fit_many(model, x, y, seeds=3, **FIT)
    each = [model.predict(x) for model in found.models]
    ensemble = found.ensemble()
    ensemble.save(tmp_path / "e.safetensors")
    for one in (ensemble, fw.load(tmp_path / "e.safetensors")):
        for name, values in one.predict(x).items():
            np.testing.assert_allclose(values, np.mean([e[name] for e in each], 0), atol=1e-6)
    best = np.argsort(found.scores)[:2]
    pair = found.ensemble(best=2).predict(x)["first"]
    np.testing.assert_allclose(pair, np.mean([each[i]["first"] for i in best], 0), atol=1e-6)
    assert ensemble.evaluate(x, y, return_dict=True)["first_loss"] == pytest.approx(
        ((ensemble.predict(x)["first"] - Y) ** 2).mean(), rel=1e-5
    )


def test_folds_are_fits_without_them() -> None:
    """61 rows in 3 folds: the lanes differ in their number of rows and of steps."""

    def build() -> fw.Sequential:
        model = fw.Sequential([L.Input((2,)), L.Normalization(), L.Dense(1)], seed=3)
        model.compile("sgd", loss="mse")
        return model

    found = fw.cross_validate(build(), X, Y, folds=3, seed=5, **FIT)
    held_out = np.zeros((61, 1), np.float32)
    for i, (train, held) in enumerate(divide("", 61, 3, None, None, 5)):
        solo = build()
        history = solo.fit(X[train], Y[train], validation_data=(X[held], Y[held]), **FIT).history
        mean = solo["normalization"].get_weights()[0]
        np.testing.assert_allclose(mean, X[train].mean(0), atol=1e-6)
        for ours, theirs in zip(found.models[i].get_weights(), solo.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert found.histories[i].history["val_loss"] == pytest.approx(history["val_loss"])
        held_out[held] = solo.predict(X[held])
    np.testing.assert_allclose(found.predictions, held_out, atol=1e-5)


def test_divisions_respect_classes_and_groups() -> None:
    labels, groups = np.array([0] * 12 + [1] * 6), np.repeat(np.arange(6), 3)
    for train, held in divide("", 18, 3, labels, None, 0):
        assert labels[held].tolist() == [0] * 4 + [1] * 2
        assert sorted([*train, *held]) == list(range(18))
    for train, held in divide("", 18, 3, None, groups, 0):
        assert not set(groups[train]) & set(groups[held])
    again = [held.tolist() for _, held in divide("", 18, 3, labels, None, 0)]
    other = [held.tolist() for _, held in divide("", 18, 3, labels, None, 1)]
    assert again == [held.tolist() for _, held in divide("", 18, 3, labels, None, 0)] != other


def test_repeats_hold_every_example_out_once_each() -> None:
    labels = (Y[:, 0] > 0).astype(int)
    model = fw.Sequential([L.Input((2,)), L.Dense(2, "softmax")], seed=0)
    model.compile(metrics=["accuracy"])
    found = fw.cross_validate(model, X, labels, folds=2, repeats=2, **FIT)
    assert len(found) == 4
    assert found.frame()["seed"].to_list() == [0, 0, 1, 1]
    np.testing.assert_allclose(found.predictions.sum(1), 1, atol=1e-5)


def test_the_best_rate_of_a_parabola() -> None:
    """w <- w - 2 r (w - 3): the error is multiplied by 1 - 2 r, so 0.5 ends it in one step."""
    ones = np.ones((8, 1), np.float32)
    model = fw.Sequential([L.Input((1,)), L.Dense(1, use_bias=False)], seed=0)
    model.compile("sgd", loss="mse")
    rates = [0.02, 0.5, 0.9, 1.5]
    found = fw.find_learning_rate(
        model, ones, 3 * ones, rates=rates, seeds=2, epochs=200, batch_size=8
    )
    assert found.rate == float(found) == 0.5
    assert found.frame()["diverged"].to_list() == [0, 0, 0, 2]
    assert found.frame()["loss"].to_list()[1] == pytest.approx(0, abs=1e-9)
    assert "0.5 ends at the smallest mean loss" in found.reason
    axes = found.plot().axes[0]
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), rates)


def test_a_rate_is_recommended_even_if_all_diverge() -> None:
    rates, nan = np.array([0.1, 1.0]), np.nan
    rate, reason = recommend(rates, np.array([[nan, 0.2], [nan, nan]]), "loss")
    assert rate == 0.1
    assert reason == (
        "0.1, with doubt: every rate from 0.1 to 1 diverged from some start. Scale the inputs, or "
        "try smaller rates."
    )
    _, reason = recommend(rates, np.array([[0.4, 0.2], [0.1, nan]]), "loss")
    assert reason == (
        "0.1 ends at the smallest mean loss, 0.3 (sd 0.14 over 2 starts); the next larger, 1, "
        "diverges; it is the last one tried on that side: try more."
    )


def test_next_to_divergence_the_smaller_of_two_equal_rates_is_taken() -> None:
    rates, nan = np.array([0.01, 0.1, 1.0]), np.nan
    close = np.array([[0.42, 0.21], [0.4, 0.2], [nan, 0.1]])  # worse by 0.015 +- 0.005
    assert recommend(rates, close, "loss")[0] == 0.1
    as_good = np.array([[0.42, 0.19], [0.4, 0.2], [nan, 0.1]])  # worse by 0.005 +- 0.015
    assert recommend(rates, as_good, "loss") == (
        0.01,
        "0.01 is farther from divergence and as good, within the error: mean loss 0.305 (sd 0.16 "
        "over 2 starts); the next larger, 0.1, ends at 0.3; it is the last one tried on that side: "
        "try more.",
    )
    further = np.array([[0.43, 0.201], [0.4, 0.2], [nan, 0.1]])  # by 0.0155 +- 0.0145
    assert recommend(rates, further, "loss")[0] == 0.1
    stable = np.array([[0.42, 0.19], [0.4, 0.2], [0.9, 0.9]])
    assert recommend(rates, stable, "loss")[0] == 0.1


def test_a_time_limit_ends_all_lanes() -> None:
    many = {**FIT, "epochs": 10**6}
    fw.fit_many(linear(), X, Y, seeds=2, **FIT)  # compiles, which the limit would not wait for
    found = fw.fit_many(linear(), X, Y, seeds=2, time_limit=0.3, **many)
    assert [history.stopped for history in found.histories] == ["time_limit"] * 2
    assert all(1 <= len(history.epoch) < 10**6 for history in found.histories)


def test_what_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fw.settings, "progress", "plain")
    found = fw.fit_many(linear(), X, Y, seeds=2, **{**FIT, "verbose": 1})
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("Epoch 2/2  2 lanes  ")
    assert line.endswith(f"best loss {min(found.scores):.4g}")


def ids() -> fw.Sequential:
    model = fw.Sequential([L.Embedding(3, 2), L.Flatten(), L.Dense(1)])
    model.compile(loss="mse")
    return model


def many(**arguments: Any) -> Callable[[], Any]:
    return lambda: fw.fit_many(linear(), X, Y, **{**FIT, **arguments})


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "hooks": (
        lambda: fw.find_learning_rate(linear(), X, Y, callbacks=[]),  # type: ignore[call-arg]
        "find_learning_rate: expected an argument it knows, received callbacks=[]. Lanes share one "
        "program without hooks: leave it out, or fit the models one by one.",
    ),
    "of one fit": (
        many(escape_saddles=True),
        "fit_many: expected an argument it knows, received escape_saddles=True. It looks at one "
        "network: fit the models one by one, or leave it out and train more seeds, of which not "
        "all begin near the saddle.",
    ),
    "unequal": (
        many(seeds=3, learning_rate=[0.1, 0.2]),
        "fit_many: expected as many values of everything that varies, one for each lane, received "
        "3 of seeds, 2 of learning_rate. Make the lists equally long, or pass grid=True to combine "
        "every value with every other.",
    ),
    "none": (
        many(learning_rate=[]),
        "fit_many: expected at least one lane, received learning_rate=[]. Give learning_rate a "
        "value for each lane, or leave it out.",
    ),
    "seeds": (
        many(seeds=[0, -1]),
        "fit_many: expected seeds to be a number of lanes >= 1, or whole numbers >= 0, received "
        "seeds=[0, -1]. Pass seeds=16 or seeds=range(16).",
    ),
    "no dropout": (
        many(dropout=[0.1, 0.2]),
        "fit_many: expected dropout to be a number of the model, received a network without "
        "dropout. Add Dropout(0.1) to it: its rate can differ then.",
    ),
    "no such field": (
        many(vary={"optimizer.momentun": [0.1, 0.2]}),
        "fit_many: expected optimizer.momentun to be a number of the model, received 'momentun', "
        "which SGD does not have. Did you mean momentum?",
    ),
    "no such layer": (
        many(vary={"dens.rate": [0.1, 0.2]}),
        "fit_many: expected dens.rate to be a number of the model, received 'dens.rate'. Did you "
        "mean dense?",
    ),
    "a value": (
        many(vary={"optimizer.momentum": [0.5, 1.5]}),
        "SGD: expected momentum to be a number in [0, 1), received momentum=1.5. Choose momentum "
        "inside it.",
    ),
    "no number": (
        many(weight_decay=["a"]),
        "fit_many: expected weight_decay to be finite numbers, received 'a'. Pass a list with "
        "one number per lane: weight_decay=[...].",
    ),
    "weights": (
        many(sample_weights=[np.ones(61), np.ones(60)]),
        "fit_many, lane 1, sample_weight: expected 61 weights, received shape (60,). Pass an array "
        "with one number per example.",
    ),
    "wide": (
        many(width=[2, 3]),
        "fit_many: expected width to be whole numbers from 1 to the units of the model, ()",
    ),
    "no chain": (
        lambda: fw.fit_many(ids(), np.zeros((9, 2), int), np.zeros(9), width=[1, 2], **FIT),
        "fit_many, layer embedding: expected a chain of Dense layers for width and depth, with "
        "activations, dropout and batch normalization between them, received Embedding. Fit one "
        "population for each of the networks.",
    ),
    "monitor": (
        many(monitor="val_loss"),
        "fit_many: expected monitor to be measured, received 'val_loss'. The choices are loss.",
    ),
    "line search": (
        lambda: fw.fit_many(linear(optimizer="lbfgs"), X, Y, seeds=2, **FIT),
        "fit_many: expected an optimizer without a line search, received LBFGS(). Fit its models "
        "one by one, or choose Adam.",
    ),
    "no model": (
        lambda: fw.fit_many("model", X, Y),  # type: ignore[arg-type]
        "fit_many: expected a model, received 'model'. Pass Sequential([...]) or Model(inputs, "
        "outputs), compiled.",
    ),
    "iterable": (
        lambda: fw.fit_many(linear(), iter([(X, Y)]), seeds=2),
        "fit_many: expected x and y as arrays, received an iterable of batches. Pass arrays.",
    ),
    "folds": (
        lambda: fw.cross_validate(linear(), X, Y, folds=62, **FIT),
        "cross_validate: expected at least folds=62 examples, received 61. Pass fewer folds.",
    ),
    "rare": (
        lambda: divide("cross_validate", 5, 3, np.array([0, 0, 0, 1, 1]), None, 0),
        "cross_validate: expected at least folds=3 examples of the rarest class, received 2. Pass "
        "fewer folds, or stratify=False.",
    ),
    "groups": (
        lambda: fw.cross_validate(linear(), X, Y, groups=["a"] * 60, **FIT),
        "cross_validate: expected groups of shape (61,), received (60,). Name the group of every "
        "example.",
    ),
    "strata": (
        lambda: fw.cross_validate(linear(), X, np.hstack([Y, Y])[:, :1], stratify=True, folds=3),
        "cross_validate: expected at least folds=3 examples of the rarest class, received 1. Pass "
        "fewer folds, or stratify=False.",
    ),
    "rates": (
        lambda: fw.find_learning_rate(linear(), X, Y, rates=[0.1, -1]),
        "find_learning_rate: expected rates to be finite numbers > 0, received [0.1, -1]. Pass "
        "rates=[1e-4, 1e-3, 1e-2], or leave it out.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_answered(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(FitwellError, match=re.escape(message)):
        call()
