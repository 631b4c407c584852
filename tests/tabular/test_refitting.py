"""Small tables are learned whole: what a second training leaves, and what it may not touch."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import tabular
from fitwell.tabular.refitting import refit


def line(rate: float) -> fw.Sequential:
    """y = w x with w = 0, and plain gradient descent."""
    dense = fw.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = fw.Sequential([fw.Input((1,)), dense])
    model.compile(fw.optimizers.SGD(rate), loss="mse")
    return model


X, Y = np.array([[1.0], [2.0]], np.float32), np.array([[1.0], [2.0]], np.float32)


def test_the_weights_of_the_second_training_by_hand() -> None:
    trained = line(0.1)
    trained.set_weights([np.array([[7.0]])])
    # The gradient at 0 is -2 mean(x y) = -5, at 0.5 half of it: 0, then 0.5, then 0.75.
    facts = refit(trained, line(0.1), X, Y, steps=2, batch_size=2)
    assert facts == {"refit_epochs": 2}
    assert trained.get_weights()[0].item() == pytest.approx(0.75)


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (12, 3), (13, 3), (14, 4)])
def test_its_length_is_counted_in_steps(steps: int, epochs: int) -> None:
    x = np.ones((40, 1), np.float32)  # four steps of ten rows
    facts = refit(line(0.1), line(0.1), x, x, steps=steps, batch_size=10)
    assert facts == {"refit_epochs": epochs}


def test_a_training_without_an_end_or_finite_weights_changes_nothing() -> None:
    trained = line(0.1)
    trained.set_weights([np.array([[7.0]])])
    assert refit(trained, line(1e30), X, Y, steps=9, batch_size=2) == {}
    told = refit(trained, line(0.1), X, Y, steps=10**7, batch_size=2, time_limit=0.01)
    assert told == {"stopped": "time_limit"}
    assert trained.get_weights()[0].item() == 7.0


def test_validation_rows_are_learned_from_but_tell_before_how_sure_a_model_may_be() -> None:
    """From the training rows on, y is higher by 1: a fifth of the rows to learn from."""
    draw = np.random.default_rng(0)
    when, x = np.arange(400), draw.uniform(-1, 1, 400)
    late = when >= 0.64 * 400
    frame = pl.DataFrame({"when": when, "x": x, "y": x + late + 0.05 * draw.normal(size=400)})
    model = tabular.train(frame, "y", time="when", epochs=32, verbose=0)
    assert model.facts["refit_epochs"] >= 1
    middle = frame.filter(pl.col("x").is_between(-0.5, 0.0) & pl.Series(late))
    shift = model.predict(middle) - middle["x"].to_numpy()
    assert 0.1 < shift.mean() < 0.3
    # What had seen no late row was wrong by about 1 on those of validation.
    ends = model.predict_interval(middle, 0.5)
    assert (ends[:, 1] - ends[:, 0]).mean() / 2 == pytest.approx(1.0, abs=0.15)


def test_a_time_limit_that_is_used_up_leaves_the_first_training() -> None:
    model = tabular.train("sklearn:iris", epochs=100_000, time_limit=0.5, verbose=0)
    assert model.facts["stopped"] == "time_limit"
    assert "refit_epochs" not in model.facts
