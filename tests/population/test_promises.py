"""A lane equals a solo fit where that is easily lost, or else it is refused."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError
from fitwell.population.folding import divide
from fitwell.schedules import ExponentialDecay

RNG = np.random.default_rng(2)
X = RNG.normal(size=(50, 2)).astype(np.float32)
Y = (X @ [1.0, -2.0] + 0.5).astype(np.float32)[:, None]
FIT: dict[str, Any] = {"batch_size": 20, "epochs": 2, "verbose": 0}


def linear(seed: int = 0, optimizer: Any = "sgd", **arguments: Any) -> fw.Sequential:
    model = fw.Sequential([L.Input((2,)), L.Dense(1)], seed=seed)
    model.compile(optimizer, **{"loss": "mse", **arguments})
    return model


def same(model: fw.Model, other: fw.Model) -> None:
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_linear_regression_by_hand() -> None:
    """Gradient descent in numpy: w <- w - rate_t * 2 mean((x w + b - y) (x, 1)), rate halved."""
    schedule = ExponentialDecay(0.2, 1, 0.5)  # 0.2 * 0.5^t
    found = fw.fit_many(
        linear(), X, Y, learning_rate=[0.1, schedule], batch_size="full", epochs=3, verbose=0
    )
    rates = [[0.1, 0.1, 0.1], [0.2, 0.1, 0.05]]
    for model, history, lane_rates in zip(found.models, found.histories, rates, strict=True):
        w, b = (a.astype(np.float64) for a in linear().get_weights())
        losses = []
        for rate in lane_rates:
            error = X @ w + b - Y
            losses.append((error**2).mean())
            w, b = w - rate * 2 * X.T @ error / 50, b - rate * 2 * error.mean(0)
        np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)
        np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-5)
        np.testing.assert_allclose(history.history["loss"], losses, rtol=1e-5)


def test_averaged_weights_at_the_end() -> None:
    """After steps w1, w2 the average is 0.9 w1 + 0.1 w2; against fit."""
    optimizer = fw.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    found = fw.fit_many(linear(optimizer=optimizer), X, Y, seeds=[3, 4], **FIT)
    for model, seed in zip(found.models, (3, 4), strict=True):
        solo = linear(seed, optimizer)
        solo.fit(X, Y, **FIT)
        same(model, solo)


def test_a_schedule_counts_the_steps_of_each_fold() -> None:
    """50 rows in 4 folds, batches of 37: some lanes have 1 step per epoch, others 2."""
    optimizer = fw.optimizers.SGD(ExponentialDecay(0.3, 1, 0.5))
    given = {**FIT, "batch_size": 37, "epochs": 3}
    found = fw.cross_validate(linear(optimizer=optimizer), X, Y, folds=4, seed=5, **given)
    lengths = set()
    for model, (train, held) in zip(found.models, divide("", 50, 4, None, None, 5), strict=True):
        solo = linear(optimizer=optimizer)
        history = solo.fit(X[train], Y[train], validation_data=(X[held], Y[held]), **given)
        lengths.add(-(-len(train) // 37))
        same(model, solo)
        assert model.history is not None
        assert model.history.history["val_loss"] == pytest.approx(history.history["val_loss"])
    assert lengths == {1, 2}


def test_weights_of_lanes_examples_and_classes_multiply_and_are_split() -> None:
    own, all_have = RNG.uniform(0.2, 2, (2, 50)), RNG.uniform(0.2, 2, 50)
    labels, classes = (Y > 0).astype(int), {0: 0.3, 1: 2.0}
    given = {**FIT, "validation_split": 0.3, "class_weight": classes}
    many = linear(loss="binary_crossentropy")
    found = fw.fit_many(many, X, labels, sample_weights=own, sample_weight=all_have, **given)
    for model, weight in zip(found.models, own, strict=True):
        solo = linear(loss="binary_crossentropy")
        history = solo.fit(X, labels, sample_weight=weight * all_have, **given).history
        same(model, solo)
        assert model.history is not None
        assert model.history.history["val_loss"] == pytest.approx(history["val_loss"])


def test_full_batches_are_not_shuffled_and_an_assigned_rate_counts() -> None:
    """Noise is drawn by place in the batch, so that the order shows."""
    given = {**FIT, "batch_size": "full"}

    def build() -> fw.Sequential:
        layers = [L.Input((2,)), L.GaussianNoise(0.5), L.Dense(1)]
        model = fw.Sequential(layers, seed=0)
        model.compile("sgd", loss="mse")
        model.learning_rate = 0.2
        return model

    found, solo = fw.fit_many(build(), X, Y, **given), build()
    solo.fit(X, Y, **given)
    same(found.best, solo)
    assert found.best.learning_rate == pytest.approx(0.2)


def test_frozen_and_adapted_layers_keep_their_arrays() -> None:
    model = fw.Sequential(
        [L.Input((2,)), L.Normalization(), L.Dense(3, "tanh", name="body"), L.Dense(1)], seed=0
    )
    model["normalization"].adapt(X + 5)
    body = [np.full((2, 3), 0.25, np.float32), np.array([1, 2, 3], np.float32)]
    model["body"].set_weights(body)
    model["body"].trainable = False
    model.compile("sgd", loss="mse")
    for found in (
        fw.fit_many(model, X, Y, seeds=2, init_scale=2.0, **FIT),
        fw.cross_validate(model, X, Y, folds=2, **FIT),
    ):
        for lane in found.models:
            for ours, theirs in zip(lane["body"].get_weights(), body, strict=True):
                np.testing.assert_array_equal(ours, theirs)
            mean = lane["normalization"].get_weights()[0]
            np.testing.assert_allclose(mean, X.mean(0) + 5, atol=1e-5)
    assert found.models[0].network.layers["body"].trainable is False


def test_a_layer_that_another_model_lends_keeps_its_weights() -> None:
    shared = L.Dense(2, name="shared")
    lender = fw.Sequential([L.Input((2,)), shared], seed=9)
    model = fw.Sequential([L.Input((2,)), shared, L.Dense(1)], seed=0)
    model.compile("sgd", loss="mse")
    found = fw.fit_many(model, X, Y, seeds=2, learning_rate=0, **FIT)
    for lane in found.models:
        np.testing.assert_array_equal(
            lane["shared"].get_weights()[0], lender["shared"].get_weights()[0]
        )


def test_a_trained_model_begins_anew_with_a_warning() -> None:
    model = linear()
    model.fit(X, Y, **FIT)
    with pytest.warns(UserWarning, match="fit_many: the model was trained for 2 epochs, but each"):
        found = fw.fit_many(model, X, Y, **FIT)
    solo = linear()
    solo.fit(X, Y, **FIT)
    same(found.best, solo)


def test_models_have_the_numbers_of_their_lanes_and_outlive_changes_of_the_model() -> None:
    hidden = [L.Dense(4, "tanh"), L.Dropout(0.1), L.Dense(1)]
    model = fw.Sequential([L.Input((2,)), *hidden], seed=0)
    model.compile(fw.optimizers.AdamW(0.01), loss="huber", metrics=["mae"])
    found = fw.fit_many(
        model, X, Y, dropout=[0.2, 0.5], weight_decay=[0.1, 0.3], vary={"loss.delta": [0.5, 2.0]},
        monitor="mae", **FIT,
    )  # fmt: skip
    model["dense"].trainable = False
    model.compile("sgd", loss="mse")
    given = zip(found.models, (0.2, 0.5), (0.1, 0.3), (0.5, 2.0), strict=True)
    for lane, rate, decay, delta in given:
        assert lane.network.layers["dropout"].rate == rate  # type: ignore[attr-defined]
        assert lane.network.layers["dense"].trainable
        assert isinstance(lane.optimizer, fw.optimizers.AdamW)
        assert lane.optimizer.weight_decay == decay
        error = np.abs(lane.predict(X) - Y)
        huber = np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2).mean()
        assert lane.evaluate(X, Y)[0] == pytest.approx(huber, rel=1e-4)


def test_which_way_metrics_are_better() -> None:
    def signs(*names: str) -> dict[str, float]:
        labels = (Y > 0).astype(int)
        model = fw.Sequential([L.Input((2,)), L.Dense(1, "sigmoid", name="leaf1")], seed=0)
        model.compile("sgd", metrics=list(names))
        given = {**FIT, "learning_rate": [0.0, 1.0], "epochs": 20}
        found = {}
        for name in names:
            population = fw.fit_many(model, X, labels, monitor=name, **given)
            best, scores = population.best_lane, population.scores
            found[name] = np.sign(scores[best] - scores[1 - best])
        return found

    assert signs("matthews_correlation", "fbeta_score", "mse") == {
        "matthews_correlation": 1, "fbeta_score": 1, "mse": -1,
    }  # fmt: skip


def chain(*layers: Any, optimizer: Any = "adam") -> fw.Model:
    model = fw.Sequential([L.Input((2,)), *layers, L.Dense(1)], seed=0)
    model.compile(optimizer, loss="mse")
    return model


def sorted_units(x: Any) -> Any:
    return jnp.sort(x, -1)


def frozen() -> fw.Model:
    model = chain(L.Dense(4))
    model["dense"].trainable = False
    return model


NARROW: dict[str, tuple[Any, str]] = {
    "softmax": (lambda: chain(L.Dense(4, "softmax")), "activation='softmax', which mixes units"),
    "a function": (lambda: chain(L.Dense(4, sorted_units)), "which mixes units"),
    "an activation": (lambda: chain(L.Dense(4), L.Activation("softmax")), "which mixes units"),
    "orthogonal": (
        lambda: chain(L.Dense(4, kernel_regularizer="orthogonal_regularizer")),
        "which is another for the narrow weight",
    ),
    "activity": (lambda: chain(L.Dense(4, "sigmoid", activity_regularizer="l2")), "which sees"),
    "adafactor": (
        lambda: chain(L.Dense(4), optimizer="adafactor"),
        "fit_many: expected an optimizer that moves each weight by itself, for width and depth, "
        "received Adafactor, whose steps depend on the size of a kernel. Choose Adam, or fit one "
        "population for each of the networks.",
    ),
    "muon": (lambda: chain(L.Dense(4), optimizer="muon"), "received Muon, whose steps"),
    "frozen": (frozen, "weights that are not the lane's own (frozen or shared)"),
    "drop connect": (
        lambda: chain(L.Dense(4), L.DropConnect(L.Dense(4), 0.5)),
        "received DropConnect",
    ),
}


@pytest.mark.parametrize("case", NARROW)
def test_narrow_lanes_that_would_be_others_are_refused(case: str) -> None:
    build, message = NARROW[case]
    with pytest.raises(FitwellError, match=re.escape(message)):
        fw.fit_many(build(), X, Y, width=[2, 4], **FIT)


def test_a_second_output_is_refused() -> None:
    x = L.Input((2,))
    h = L.Dense(4)(x)
    model = fw.Model(x, [h, L.Dense(1)(h)], seed=0)
    model.compile("adam", loss="mse")
    with pytest.raises(FitwellError, match="expected a network with one output, of its last layer"):
        fw.fit_many(model, X, [np.zeros((50, 4)), Y], width=[2, 4], **FIT)


def test_flatten_behind_dense_is_refused() -> None:
    model = fw.Sequential([L.Input((3, 2)), L.Dense(4), L.Flatten(), L.Dense(1)], seed=0)
    model.compile("adam", loss="mse")
    with pytest.raises(FitwellError, match=r"layer flatten: expected a chain.* received Flatten"):
        fw.fit_many(model, np.zeros((50, 3, 2)), Y, width=[2, 4], **FIT)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "lion", "lamb", "rmsprop"])
def test_optimizers_that_see_single_weights_or_norms(optimizer: str) -> None:
    found = fw.fit_many(chain(L.Dense(4, "tanh"), optimizer=optimizer), X, Y, width=[2, 4], **FIT)
    solo = chain(L.Dense(2, "tanh"), optimizer=optimizer)
    solo.fit(X, Y, **FIT)
    same(found.models[0], solo)


def test_layers_that_a_lane_leaves_out_are_as_wide_as_the_last_it_keeps() -> None:
    def hidden(*units: int) -> list[L.Dense]:
        return [L.Dense(n, "tanh") for n in units]

    found = fw.fit_many(chain(*hidden(8, 4, 4)), X, Y, depth=[2, 3], **FIT)
    solo = chain(*hidden(8, 4))
    solo.fit(X, Y, **FIT)
    same(found.models[0], solo)
    message = (
        "fit_many: expected layers of equal units from the last that depth=1 keeps, received "
        "(8, 4, 4). Give the model's hidden layers the same number of units."
    )
    with pytest.raises(FitwellError, match=re.escape(message)):
        fw.fit_many(chain(*hidden(8, 4, 4)), X, Y, depth=[1, 3], **FIT)


def refused(message: str, **arguments: Any) -> None:
    model = linear(optimizer="adam", loss="huber", metrics=["false_positives"])
    with pytest.raises(FitwellError, match=re.escape(message)):
        fw.fit_many(model, X, (Y > 0).astype(int), **{**FIT, **arguments})


def test_what_cannot_differ_is_refused() -> None:
    refused(
        "fit_many: expected learning rates as an argument of their own, received "
        "vary={'optimizer.learning_rate': ...}. Pass learning_rate=[...], with numbers or "
        "schedules.",
        vary={"optimizer.learning_rate": [1e-5, 1.0]},
    )
    refused(
        "fit_many: expected monitor to say what lanes are compared by, since each has a loss of "
        "its own, received loss.delta that differs, and no monitor.",
        vary={"loss.delta": [0.5, 1.0]},
    )
    refused("expected a monitor whose name says which way is better", monitor="false_positives")
    refused("fit_many: expected vary as a dict by name, received vary=[1].", vary=[1])
    refused(
        "fit_many, lane 1, sample_weight: expected finite weights >= 0, received -1.",
        sample_weights=[np.ones(50), -np.ones(50)],
    )
    refused("fit_many: expected validation_split inside (0, 1)", validation_split=2)
    refused("fit_many: expected a positive time_limit", time_limit=-1)
    model = fw.Sequential([L.Input((2,)), L.MaskedDense(1, density=0.5)], seed=0)
    model.compile("sgd", loss="mse")
    message = "masked_dense.density, which MaskedDense only needs before the first step"
    with pytest.raises(FitwellError, match=re.escape(message)):
        fw.fit_many(model, X, Y, vary={"masked_dense.density": [0.1, 0.9]}, **FIT)


def test_a_mode_says_which_way_an_unknown_name_is_better() -> None:
    labels = (Y > 0).astype(int)
    given = {**FIT, "monitor": "false_positives", "seeds": 3}
    model = linear(loss="binary_crossentropy", metrics=["false_positives"])
    for mode, extreme in (("min", np.min), ("max", np.max)):
        found = fw.fit_many(model, X, labels, mode=mode, **given)
        assert found.scores[found.best_lane] == extreme(found.scores)
