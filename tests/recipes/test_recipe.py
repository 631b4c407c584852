"""`recipe` on data whose answer is known: which question is asked, and what it hears."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError

TRAINING, VALIDATION = "good on the training data?", "good on validation data?"
AGAINST_OVERFITTING = {"stop early", "weight decay", "dropout", "fewer units"}


def network(*units: int, rate: float, activation: str = "relu", out: str = "sigmoid") -> Any:
    hidden = [L.Dense(n, activation=activation) for n in units]
    model = fw.Sequential([*hidden, L.Dense(1, activation=out)], seed=0)
    loss = "mse" if out == "linear" else "binary_crossentropy"
    model.compile(fw.optimizers.Adam(rate), loss=loss)
    return model


def test_a_net_that_underfits_never_hears_of_overfitting() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 2)).astype(np.float32)
    y = x[:, 0] * x[:, 1] > 0  # no line separates these
    model = network(16, 16, rate=1e-5, activation="sigmoid")
    found = fw.recipe(model, x, y, epochs=20)
    steps = found.steps
    assert (found.answer, found.measure) == ("done", "accuracy")
    first = steps.row(0, named=True)
    assert (first["question"], first["step"]) == (TRAINING, "as it is")
    assert first["training"] < 0.7
    assert first["why"].startswith("no")
    tried = steps.filter(pl.col("question") == TRAINING)
    assert {"activation", "learning rate"} <= set(tried["step"])
    assert not AGAINST_OVERFITTING & set(steps["tried"])
    # The second question comes after the first was answered with yes, and is answered at once.
    assert steps["question"].to_list() == [TRAINING] * len(tried) + [VALIDATION]
    assert tried["why"][-1].startswith("yes")
    assert found.training > 0.9
    assert "overfit" not in repr(found).lower()

    predicted = found.model.predict(x, verbose=0)[:, 0] > 0.5
    assert (predicted == y).mean() > 0.9
    assert model.history is None  # as it was
    names: dict[str, Any] = {"X": x, "y": y}
    exec(found.code, names)
    assert [v.name for v in names["model"].layers] == [v.name for v in found.model.layers]


def test_underfitting_that_nothing_helps_is_not_called_overfitting() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 2)).astype(np.float32)
    y = x[:, 0] * x[:, 1] > 0
    model = network(4, rate=1e-6)
    found = fw.recipe(model, x, y, budget="0.1s", epochs=1)  # no time for anything
    assert found.answer == "underfits"
    assert set(found.steps["question"]) == {TRAINING}
    assert "no time left" in found.steps["why"].to_list()
    assert "training data" in found.advice


def test_a_net_that_overfits_hears_of_the_second_question_alone() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 40)).astype(np.float32)
    y = x[:, 0] + rng.normal(size=90) > 0  # one feature of forty, and half noise
    held = rng.normal(size=(300, 40)).astype(np.float32)
    found = fw.recipe(network(256, rate=3e-3), x, y, (held, held[:, 0] > 0), epochs=40)
    steps = found.steps
    assert steps.row(0, named=True)["training"] == 1.0
    assert steps["why"][0].startswith("yes")
    assert steps.filter(pl.col("question") == TRAINING).height == 1
    assert steps["why"][1].startswith("no")
    tried = steps.filter(pl.col("question") == VALIDATION)["step"].to_list()
    order = ["as it is", "early stopping", "regularisation", "dropout", "capacity"]
    assert tried[: len(order)] == order[: len(tried)]
    curve = steps.filter(pl.col("question") == "do more data help?")
    assert found.answer == "overfits"
    assert curve["step"].to_list() == ["22 rows", "45 rows", "90 rows"]  # 25, 50 and 100 %
    assert curve["validation"][0] < curve["validation"][2]
    assert curve["validation"][2] == found.validation
    assert "overfits" in found.advice


def test_a_good_net_hears_done() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).astype(np.float32)
    model = network(16, rate=0.01, out="linear")
    found = fw.recipe(model, x, x @ np.array([1.0, -2.0, 0.5]), epochs=120)
    assert (found.answer, found.measure) == ("done", "R2")
    assert found.steps["question"].to_list() == [TRAINING, VALIDATION]
    assert min(found.training, found.validation) > 0.98
    assert found.advice.startswith("Done")
    assert repr(found).startswith("<Recipe: done")
    assert "<td" in found._repr_html_()


@pytest.mark.parametrize("rate", [0.01, 1e-6])  # learnt by heart, and not learnt at all
def test_random_labels_hear_no_signal(rate: float) -> None:
    x = np.random.default_rng(0).normal(size=(200, 5))
    # A test at 5 % is fooled now and then. It is by the fourth draw, which simple models predict
    # better than they do 98 % of its permutations.
    draws = [np.random.default_rng(seed).integers(0, 2, 200) for seed in range(4)]
    found = [fw.recipe(network(32, rate=rate), x, y, epochs=40, budget="5s") for y in draws]
    answers = [one.answer for one in found]
    assert answers.count("no signal") >= 3, answers
    assert found[0].advice.startswith("No signal")
    assert set(found[0].steps["question"]) == {"is there a signal?"}


def test_labels_that_fit_refuses_get_the_right_output() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2)).astype(np.float32)
    y = np.digitize(x[:, 0], [-0.5, 0.5])  # 0, 1, 2 for a sigmoid
    found = fw.recipe(network(16, rate=0.01), x, y, epochs=60)
    assert found.steps["training"][0] is None
    assert found.steps["tried"][1] == "fit the output to the labels"
    assert found.model.output_shape == (None, 3)
    assert found.training > 0.85


def test_few_rows_leave_the_second_question_open() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 2)).astype(np.float32)
    found = fw.recipe(network(rate=0.05, out="linear"), x, x.sum(1), epochs=200)
    assert (found.answer, found.validation) == ("unknown", None)
    assert "validation_data" in found.advice


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(4), None), "recipe: expected y as an array, received None. Pass arrays."),
        (([(np.eye(2), np.eye(2))], np.eye(2)), "recipe"),
        ((np.eye(4), np.ones(4), None, "soon"), "recipe: expected a positive budget"),
    ],
)
def test_errors_have_four_parts(arguments: Any, message: str) -> None:
    with pytest.raises(FitwellError) as caught:
        fw.recipe(network(4, rate=0.01), *arguments)
    assert str(caught.value).startswith(message)
    assert all((caught.value.expected, caught.value.received, caught.value.cure))


def test_a_model_that_was_not_compiled() -> None:
    with pytest.raises(FitwellError, match="compile"):
        fw.recipe(fw.Sequential([L.Dense(1)]), np.eye(4), np.ones(4))
