"""evaluate and predict: equal to the whole computed by numpy and scikit-learn, for any batches."""

from __future__ import annotations

import itertools
import os
import signal
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

import fitwell as fw
from fitwell.layers import Dense, Dropout, Input

RNG = np.random.default_rng(3)
X = RNG.normal(size=(80, 3)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RNG.normal(size=80) > 0).astype(np.int32)
WEIGHT = RNG.uniform(0, 2, size=80)
KINDS = ["accuracy", "auc", "precision", "recall", "mse"]


def binary_model() -> fw.Sequential:
    layers = [Dense(4, activation="tanh"), Dropout(0.5), Dense(1, activation="sigmoid")]
    model = fw.Sequential([Input((3,)), *layers], seed=0)
    model.compile(
        loss="binary_crossentropy",
        metrics=["accuracy", "auc", "precision", "recall", "mse"],
        weighted_metrics=[fw.metrics.BinaryAccuracy(name="weighted")],
    )
    return model


@pytest.fixture(scope="module")
def model() -> fw.Sequential:
    return binary_model()


@pytest.fixture(scope="module")
def p() -> Any:
    """The model's probabilities by numpy, in float64."""
    w1, b1, w2, b2 = (w.astype(np.float64) for w in binary_model().get_weights())
    return (1 / (1 + np.exp(-(np.tanh(X @ w1 + b1) @ w2 + b2))))[:, 0]


def truth(p: Any, y: Any, weight: Any = None) -> dict[str, float]:
    """The same numbers by scikit-learn and numpy, over all rows at once."""
    yes, ones = p > 0.5, np.ones(len(y))
    each = -np.where(y == 1, np.log(p), np.log(1 - p))
    return {
        # The mean over the rows, whatever they weigh, as in Keras.
        "loss": float(np.mean(each * (ones if weight is None else weight))),
        "accuracy": sk.accuracy_score(y, yes),
        "auc": sk.roc_auc_score(y, p) if 0 < y.mean() < 1 else float("nan"),
        "precision": sk.precision_score(y, yes, zero_division=0),
        "recall": sk.recall_score(y, yes, zero_division=0),
        "mse": sk.mean_squared_error(y, p),
        "weighted": sk.accuracy_score(y, yes, sample_weight=weight),
    }


ROWS = st.integers(1, 80)
BATCHES = st.sampled_from([1, 7, 32, 128])  # every one of them compiles


@given(n=ROWS, batch_size=BATCHES, weighted=st.booleans())
@example(n=80, batch_size=7, weighted=True)
@settings(deadline=None, max_examples=40)
def test_evaluate_is_exact_for_every_batch_size(
    model: fw.Sequential, p: Any, n: int, batch_size: int, weighted: bool
) -> None:
    weight = WEIGHT[:n] if weighted else None
    found = model.evaluate(X[:n], Y[:n], batch_size, sample_weight=weight, return_dict=True)
    expected = truth(p[:n], Y[:n], weight)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5, abs=1e-6, nan_ok=True), name


@given(n=ROWS, batch_size=st.sampled_from([None, 1, 7, 32, 100]))
@settings(deadline=None, max_examples=40)
def test_predict_is_exact_for_every_batch_size(
    model: fw.Sequential, p: Any, n: int, batch_size: int | None
) -> None:
    found = model.predict(X[:n], batch_size=batch_size)
    assert found.shape == (n, 1)
    np.testing.assert_allclose(found[:, 0], p[:n], rtol=2e-6)


def test_evaluate_returns_a_list_or_a_dict_in_the_order_of_the_metrics(
    model: fw.Sequential,
) -> None:
    found = model.evaluate(X, Y, return_dict=True)
    assert list(found) == ["loss", *KINDS, "weighted"]
    assert model.evaluate(X, Y) == list(found.values())


def test_a_model_without_metrics_returns_the_loss_alone(p: Any) -> None:
    bare = binary_model()
    bare.compile(loss="binary_crossentropy")
    assert bare.evaluate(X, Y) == pytest.approx(truth(p, Y)["loss"], rel=1e-6)


class Loader:
    def __init__(self, cuts: list[int], *, weighted: bool = False) -> None:
        parts = [np.split(a, cuts) for a in (X, Y, WEIGHT)[: 3 if weighted else 2]]
        self.batches = [*zip(*parts, strict=True)]

    def __iter__(self) -> Any:
        return iter(self.batches)


@pytest.mark.parametrize("cuts", [[32, 64], [7, 10, 60], [32, 33, 34]])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_iterable_of_any_batches_gives_what_arrays_give(
    model: fw.Sequential, p: Any, cuts: list[int], weighted: bool
) -> None:
    loader = Loader(cuts, weighted=weighted)
    expected = truth(p, Y, WEIGHT if weighted else None)
    for data in (loader, iter(loader)):
        found = model.evaluate(data, return_dict=True)
        assert found == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(model.predict(Loader(cuts))[:, 0], p, rtol=2e-6)


def test_steps_read_the_first_batches_alone(model: fw.Sequential) -> None:
    first = model.evaluate(X[:64], Y[:64])
    assert model.evaluate(X, Y, 32, steps=2) == first
    assert model.evaluate(Loader([32, 64]), steps=2) == first
    assert model.predict(Loader([32, 64]), steps=2).shape == (64, 1)


def test_iterables_for_validation_are_read_anew_after_each_epoch(p: Any) -> None:
    """With a rate of 0 the weights stay: every epoch must measure the same."""
    expected = truth(p, Y)["loss"]
    first = truth(p[:32], Y[:32])["loss"]
    for steps, value in ((None, expected), (1, first)):
        for data in (Loader([32, 64]), iter(Loader([32, 64])), (X, Y)):
            still = binary_model()
            still.compile(fw.optimizers.SGD(0.0), loss="binary_crossentropy")
            history = still.fit(X[:32], Y[:32], 32, 3, validation_data=data, validation_steps=steps)
            assert history.history["val_loss"] == pytest.approx([value] * 3, rel=1e-5)


def test_class_weights_weigh_the_training_and_not_the_validation() -> None:
    table, histories = {0: 1.0, 1: 10.0}, []
    for held_out in ({"validation_split": 0.2}, {"validation_data": (X[64:], Y[64:])}):
        fresh = binary_model()
        rows = 80 if "validation_split" in held_out else 64
        histories.append(fresh.fit(X[:rows], Y[:rows], class_weight=table, **held_out).history)
        # What evaluate says, which knows of no class weights.
        assert histories[-1]["val_loss"] == [pytest.approx(fresh.evaluate(X[64:], Y[64:])[0])]
    assert histories[0] == histories[1]


# One row, forms of inputs and outputs


def test_one_row_is_a_batch_of_one(model: fw.Sequential, p: Any) -> None:
    assert model.predict(X[3:4]) == pytest.approx(p[3:4, None], rel=1e-6)
    assert model.evaluate(X[3:4], Y[3:4])[0] == pytest.approx(truth(p[3:4], Y[3:4])["loss"])


def test_predictions_are_the_users_own(model: fw.Sequential) -> None:
    for batch_size in (None, 32):
        found = model.predict(X, batch_size)
        before = found.copy()
        found[:] = 7  # a result that is a view of the device's memory refuses this
        np.testing.assert_array_equal(model.predict(X, batch_size), before)


def forked(form: str) -> fw.Model:
    x = {"a": Input((3,), name="a"), "b": Input((1,), name="b")}
    joined = fw.layers.Concatenate()([x["a"], x["b"]])
    yes = Dense(1, activation="sigmoid", name="yes")(joined)
    much = Dense(2, name="much")(joined)
    outputs: Any = {"yes": yes, "much": much} if form == "dict" else [yes, much]
    made = fw.Model(x if form == "dict" else [x["a"], x["b"]], outputs, seed=0)
    made.compile(
        loss={"yes": "binary_crossentropy", "much": "mse"},
        loss_weights={"much": 0.25},
        metrics={"yes": "accuracy", "much": "mae"},
    )
    return made


@pytest.mark.parametrize("form", ["dict", "list"])
def test_several_inputs_and_outputs(form: str) -> None:
    made = forked(form)
    much = np.stack([Y, 2 * Y], axis=1)
    x: Any = {"a": X, "b": X[:, 0]} if form == "dict" else [X, X[:, :1]]
    y: Any = {"much": much, "yes": Y} if form == "dict" else [Y, much]
    found = made.predict(x, batch_size=32)
    by_hand = made.get_weights()
    joined = np.concatenate([X, X[:, :1]], axis=1)
    p = (1 / (1 + np.exp(-(joined @ by_hand[0] + by_hand[1]))))[:, 0].astype(np.float64)
    q = joined @ by_hand[2] + by_hand[3]
    pairs = (found["yes"], found["much"]) if form == "dict" else found
    np.testing.assert_allclose(pairs[0][:, 0], p, rtol=1e-5)
    np.testing.assert_allclose(pairs[1], q, rtol=1e-4, atol=1e-6)
    bce, mse = truth(p, Y)["loss"], float(np.mean((q - much) ** 2))
    assert made.evaluate(x, y, 32, return_dict=True) == pytest.approx(
        {
            "loss": bce + 0.25 * mse,
            "yes_loss": bce,
            "much_loss": mse,
            "yes_accuracy": truth(p, Y)["accuracy"],
            "much_mae": float(np.mean(np.abs(q - much))),
        },
        rel=1e-5,
    )
    weight = {"yes": WEIGHT, "much": None}
    weighted = made.evaluate(x, y, sample_weight=weight, return_dict=True)
    assert weighted["yes_loss"] == pytest.approx(truth(p, Y, WEIGHT)["loss"], rel=1e-5)
    assert weighted["much_loss"] == pytest.approx(mse, rel=1e-5)


# The rows of padding


def test_rows_of_padding_never_matter() -> None:
    """log(0) in the rows that fill up the last batch would be infinite, its gradient NaN."""
    x, y = np.exp(X), X.sum(axis=1)  # a row of padding is log(0)
    found = []
    for batch_size in (40, 32):  # without and with a partial last batch
        model = fw.Sequential([fw.layers.Lambda(jax.numpy.log), Dense(1)], seed=0)
        model.compile(fw.optimizers.SGD(0.1), loss="mse", metrics=["mae", "r2"])
        found.append(model.evaluate(x, y, batch_size))
        history = model.fit(x, y, batch_size, epochs=30)
        assert history.history["loss"][-1] < 1e-3
        np.testing.assert_allclose(model.get_weights()[0][:, 0], np.ones(3), atol=0.05)
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("batch_size", [7, 32, 80])
def test_the_epochs_loss_is_exact_for_every_reduction(
    model: fw.Sequential, batch_size: int
) -> None:
    """Weighted means and ignored labels: a batch counts as much as its loss is a mean over."""
    probability = model.predict(X)[:, 0].astype(np.float64)
    each = -np.where(Y == 1, np.log(probability), np.log(1 - probability))
    own = fw.Sequential([Input((3,)), *(view.description for view in model.layers)])
    own.set_weights(model.get_weights())
    own.compile(loss=fw.losses.BinaryCrossentropy(reduction="mean_with_sample_weight"))
    found = own.evaluate(X, Y, batch_size=batch_size, sample_weight=WEIGHT)
    assert found == pytest.approx(np.average(each, weights=WEIGHT), rel=1e-5)

    classes = fw.Sequential([Input((3,)), Dense(3, activation="softmax")], seed=1)
    classes.compile(loss=fw.losses.SparseCategoricalCrossentropy(ignore_class=2))
    labels = np.where(WEIGHT < 0.7, 2, Y)
    picked = classes.predict(X)[np.arange(80), labels].astype(np.float64)
    expected = -np.log(picked[labels != 2]).mean()
    assert classes.evaluate(X, labels, batch_size=batch_size) == pytest.approx(expected, rel=1e-5)


def test_each_call_in_training_mode_draws_anew() -> None:
    """Monte-Carlo dropout: of eight masks of 64 units no two are the same, and the mean is x."""
    model = fw.Sequential([fw.Input((64,)), fw.layers.Dropout(0.5)], seed=1)
    x = np.ones((1, 64), np.float32)
    drawn = np.array([np.asarray(model(x, training=True))[0] for _ in range(8)])
    assert len({tuple(row) for row in drawn}) == 8
    assert set(drawn.ravel()) == {0.0, 2.0}
    assert drawn.mean() == pytest.approx(1, abs=0.2)
    np.testing.assert_array_equal(model(x), x)


def test_ctrl_c_does_not_wait_for_a_long_validation() -> None:
    """Of 10**6 batches, without which the epoch has no val_loss; what was trained is kept."""
    batch = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)

    class Endless:
        def __iter__(self) -> Any:
            return itertools.repeat(batch, 10**6)

    class Press(fw.callbacks.Callback):
        def on_test_begin(self, logs: Any = None) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    model = fw.Sequential([Dense(1)], seed=0)
    model.compile(loss="mse")
    history = model.fit(*batch, epochs=3, validation_data=Endless(), callbacks=[Press()])
    assert (history.stopped, history.epoch) == ("interrupted", [0])
    assert set(history.history) == {"loss"}
    assert int(model.train_state.step) == 1
