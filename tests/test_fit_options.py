"""What descriptions ask of the engine: averages, accumulation, multipliers, penalties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.constraints import MaxNorm, NonNeg
from fitwell.layers import Dense
from fitwell.optimizers import SGD
from fitwell.regularizers import L1, L2

RNG = np.random.default_rng(2)
X = RNG.normal(size=(48, 6)).astype(np.float32)
Y = (X @ [2.0, 0.0, 0.0, -1.0, 0.0, 0.0])[:, None]


def line(optimizer: Any = None, **dense: Any) -> fw.Sequential:
    """A linear model whose training is easy to repeat in numpy."""
    model = fw.Sequential([Dense(1, use_bias=False, name="line", **dense)], seed=0)
    model.build((None, 6))
    model.set_weights([np.full((6, 1), 0.5)])
    model.compile(optimizer or SGD(0.1), loss="mse")
    return model


def descend(steps: int, extra: Any = lambda w: 0.0, rate: Any = lambda i: 0.1) -> list[Any]:
    """Full-batch gradient descent in float64: every weight after every step."""
    w, path = np.full((6, 1), 0.5), []
    for i in range(steps):
        w = w - rate(i) * (2 * X.T @ (X @ w - Y) / len(X) + extra(w))
        path.append(w)
    return path


def fitted(model: fw.Sequential, epochs: int) -> Any:
    model.fit(X, Y, batch_size="full", epochs=epochs)
    return model.get_weights()[0]


def test_l2_adds_its_gradient_and_its_value() -> None:
    model = line(kernel_regularizer=L2(0.05))
    w = fitted(model, 4)
    np.testing.assert_allclose(w, descend(4, lambda w: 0.1 * w)[-1], rtol=1e-5)
    mse = ((X @ w - Y) ** 2).mean()
    assert model.evaluate(X, Y) == pytest.approx(mse + 0.05 * (w**2).sum(), rel=1e-5)


def test_proximal_l1_gives_exact_zeros_and_the_subgradient_does_not() -> None:
    proximal = fitted(line(kernel_regularizer=L1(0.1, proximal=True)), 200)
    plain = fitted(line(kernel_regularizer=L1(0.1)), 200)
    assert (proximal[[1, 2, 4, 5]] == 0).all()
    assert (plain[[1, 2, 4, 5]] != 0).any()
    # both approach the lasso: the weights that matter are shrunk alike
    np.testing.assert_allclose(proximal[[0, 3]], plain[[0, 3]], atol=0.02)


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [(NonNeg(), lambda w: (w >= 0).all()), (MaxNorm(0.7), lambda w: np.linalg.norm(w) <= 0.7001)],
)
def test_constraints_hold_after_every_step(constraint: Any, holds: Any) -> None:
    free, bound = fitted(line(), 20), fitted(line(kernel_constraint=constraint), 20)
    assert not holds(free)
    assert holds(bound)


def test_activity_regularizer_is_a_mean_over_examples() -> None:
    model = line(activity_regularizer=L2(0.3))
    w = model.get_weights()[0]
    outputs = X @ w
    expected = ((outputs - Y) ** 2).mean() + 0.3 * (outputs**2).sum() / len(X)
    # a partial last batch weighs as much as it has rows
    assert model.evaluate(X, Y, batch_size=20) == pytest.approx(expected, rel=1e-5)


def test_a_schedule_sets_the_rate_of_every_step() -> None:
    schedule = fw.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    w = fitted(line(SGD(schedule)), 5)
    np.testing.assert_allclose(w, descend(5, rate=lambda i: 0.1 * 0.5**i)[-1], rtol=1e-5)


def test_assigning_the_learning_rate_takes_over_from_the_schedule() -> None:
    model = line(SGD(fw.schedules.ExponentialDecay(0.1, 1, 0.5)))
    assert model.learning_rate == pytest.approx(0.1)
    fitted(model, 2)
    assert model.learning_rate == pytest.approx(0.025)
    model.learning_rate = 0.0
    before = model.get_weights()[0]
    np.testing.assert_array_equal(fitted(model, 2), before)


def test_multipliers_slow_down_or_stop_a_layer() -> None:
    half = fitted(line(SGD(0.1, multipliers={"line": 0.5})), 3)
    np.testing.assert_allclose(half, descend(3, rate=lambda i: 0.05)[-1], rtol=1e-5)
    still = fitted(line(SGD(0.1, multipliers={"line/kernel": 0.0})), 3)
    np.testing.assert_array_equal(still, np.full((6, 1), 0.5, np.float32))


def test_gradient_accumulation_equals_the_larger_batch() -> None:
    accumulating = line(SGD(0.1, gradient_accumulation_steps=3))
    accumulating.fit(X, Y, batch_size=16, epochs=4, shuffle=False)
    np.testing.assert_allclose(accumulating.get_weights()[0], descend(4)[-1], rtol=1e-5)


def test_the_average_of_the_weights_is_what_the_model_keeps() -> None:
    model = line(SGD(0.1, use_ema=True, ema_momentum=0.9))
    average = None
    for w in descend(6):
        average = w if average is None else 0.9 * average + 0.1 * w
    np.testing.assert_allclose(fitted(model, 6), average, rtol=1e-5)


@pytest.mark.parametrize(
    ("clip", "move"),
    [
        ({"clipvalue": 0.01}, lambda g: np.clip(g, -0.01, 0.01)),
        ({"clipnorm": 0.5}, lambda g: g * min(1.0, 0.5 / np.linalg.norm(g))),
        ({"global_clipnorm": 0.5}, lambda g: g * min(1.0, 0.5 / np.linalg.norm(g))),
    ],
    ids=["value", "norm", "global norm"],
)
def test_clipping_in_a_fit(clip: dict[str, float], move: Any) -> None:
    w = np.full((6, 1), 0.5)
    gradient = 2 * X.T @ (X @ w - Y) / len(X)
    np.testing.assert_allclose(
        fitted(line(SGD(0.1, **clip)), 1), w - 0.1 * move(gradient), rtol=1e-5
    )


def test_loss_weights_and_outputs_without_a_loss() -> None:
    x = fw.Input(shape=(6,))
    trunk = Dense(1, use_bias=False, name="a")
    outputs = {"a": trunk(x), "b": Dense(1, name="b")(x), "c": Dense(2, name="c")(x)}
    model = fw.Model(x, outputs)
    model.compile(SGD(0.1), loss={"a": "mse", "b": "mae"}, loss_weights={"a": 2.0, "b": 0.5})
    labels = {"a": Y, "b": Y, "c": np.zeros((48, 2))}
    before = model.get_weights()
    logs = model.evaluate(X, labels, return_dict=True)
    predicted = model.predict(X)
    mse, mae = ((predicted["a"] - Y) ** 2).mean(), np.abs(predicted["b"] - Y).mean()
    assert logs["a_loss"] == pytest.approx(mse, rel=1e-5)
    assert logs["b_loss"] == pytest.approx(mae, rel=1e-5)
    assert logs["loss"] == pytest.approx(2 * mse + 0.5 * mae, rel=1e-5)
    model.fit(X, labels, epochs=1)
    np.testing.assert_array_equal(before[-1], model.get_weights()[-1])  # c has no loss
    assert not math.isclose(before[0][0, 0], model.get_weights()[0][0, 0])


def test_a_frozen_layer_rests_and_a_released_one_learns() -> None:
    model = fw.Sequential([Dense(4, activation="tanh", name="low"), Dense(1, name="head")], seed=0)
    model.compile("adam", loss="mse")
    model.build((None, 6))
    model["low"].trainable = False
    low, head = model["low"].get_weights(), model["head"].get_weights()
    model.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(model["low"].get_weights()[0], low[0])
    assert np.abs(model["head"].get_weights()[0] - head[0]).max() > 0
    model["low"].trainable = True
    model.fit(X, Y, epochs=1)
    assert np.abs(model["low"].get_weights()[0] - low[0]).max() > 0


def test_outputs_in_a_dict_are_known_by_their_keys() -> None:
    """The keys name labels, losses, metrics and logs, whatever the layers are called."""
    x = fw.Input(shape=(6,))
    model = fw.Model(x, {"a": Dense(1, name="b")(x), "b": Dense(1, name="a")(x)})
    model.compile(SGD(0.1), loss={"a": "mse", "b": "mae"}, metrics={"b": ["mae"]})
    labels = {"a": np.full((48, 1), 10.0), "b": np.full((48, 1), 3.0)}
    logs = model.evaluate(X, labels, return_dict=True)
    predicted = model.predict(X)
    assert logs["a_loss"] == pytest.approx(((predicted["a"] - 10) ** 2).mean(), rel=1e-5)
    assert logs["b_loss"] == pytest.approx(np.abs(predicted["b"] - 3).mean(), rel=1e-5)
    assert logs["b_mae"] == pytest.approx(logs["b_loss"], rel=1e-5)


def test_a_callback_after_every_batch_is_said_to_cost(capsys, monkeypatch):
    monkeypatch.setattr("fitwell.settings.progress", "plain")
    x = np.zeros((4, 2), np.float32)
    model = fw.Sequential([fw.layers.Dense(1)], seed=0)
    model.compile("sgd", loss="mse")
    seen = []
    every = fw.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(x, x[:, :1], batch_size=2, epochs=1, callbacks=[every])
    assert seen == [0, 1]
    first = capsys.readouterr().out.splitlines()[0]
    assert first == (
        "LambdaCallback is called after every batch: each step is a dispatch of its own, which "
        "takes longer."
    )
    model.fit(x, x[:, :1], batch_size=2, epochs=1, callbacks=[every], verbose=0)
    assert capsys.readouterr().out == ""
