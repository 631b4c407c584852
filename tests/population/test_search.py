"""The search for structure and hyper-parameters: known answers, halving, the file, messages."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, MissingPackage
from fitwell.population.dense import SPACE, dense
from fitwell.population.grouping import Trial, families
from fitwell.population.hunting import split_rows
from fitwell.population.jobs import Job
from fitwell.population.lanes import Lane
from fitwell.population.plan import Signals
from fitwell.population.space import Choose, Random

RNG = np.random.default_rng(2)
X = RNG.normal(size=(120, 2)).astype(np.float32)
Y = (X[:, :1] - 2 * X[:, 1:]).astype(np.float32)
LONG = np.tile(X, (50, 1)), np.tile(Y, (50, 1))
SEARCH: dict[str, Any] = {"verbose": 0, "budget": "10m", "max_epochs": 6, "max_trials": 36}


def linear(choose: Choose) -> fw.Sequential:
    """A line, or a network without any use of its input; the line at a rate of about 0.1 wins."""
    body = [L.Dense(1)] if choose.option("kind", ["line", "nothing"]) == "line" else [
        L.GaussianNoise(1e4), L.Dense(1, kernel_constraint=fw.constraints.MaxNorm(1e-6))
    ]  # fmt: skip
    model = fw.Sequential([L.Input((2,)), *body], seed=0)
    model.compile(fw.optimizers.SGD(choose.number("rate", 1e-4, 0.3, log=True)), loss="mse")
    return model


def test_the_line_at_a_high_rate_wins(tmp_path: Path) -> None:
    """And a second search with the same file goes on from the trials there are."""
    path = tmp_path / "trials.json"
    found = fw.search(linear, X, Y, path=path, **SEARCH)
    assert found.best_values["kind"] == "line"
    assert found.best_values["rate"] > 0.03
    assert found.score < 0.1
    assert found.best.evaluate(X, Y) < 0.1
    table = found.frame()
    assert table["val_loss"].to_list()[0] == found.score == min(t.score for t in found.trials)
    assert sorted(table["epochs"]) == [2] * 24 + [6] * 12
    assert table["trial"].n_unique() == len(table) == len(found.trials)
    kept = json.loads(path.read_text())["trials"]
    assert [t["values"] for t in kept] == [t.values for t in found.trials]
    again = fw.search(linear, X, Y, path=path, **SEARCH)
    assert len(again.trials) == len(found.trials)
    assert not again.interrupted
    assert again.best_values == found.best_values
    np.testing.assert_array_equal(again.best.predict(X), found.best.predict(X))


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    path = tmp_path / "trials.json"

    def press() -> None:
        while not path.exists():  # of the first bracket; others would follow for ten minutes
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    found = fw.search(linear, X, Y, path=path, **SEARCH | {"max_trials": None})
    assert found.interrupted
    assert found.best_values["kind"] == "line"
    assert found.best.evaluate(X, Y) < 0.1


def test_trials_that_differ_in_numbers_are_lanes_of_one_program() -> None:
    def model(units: int, dropout: float, rate: float, decay: float) -> fw.Sequential:
        layers = [L.Dense(units), L.Dropout(dropout), L.Dense(1)]
        made = fw.Sequential([L.Input((2,)), *layers], seed=0)
        made.compile(fw.optimizers.AdamW(rate, weight_decay=decay), loss="mse")
        return made

    points = [(4, 0.1, 0.01, 0.1), (4, 0.3, 0.02, 0.2), (5, 0.1, 0.01, 0.1)]
    trials = [Trial(i, {}, model(*point)) for i, point in enumerate(points)]
    first, second = families(trials, seed=3)
    assert [trial.number for trial in first.trials] == [0, 1]
    assert [trial.number for trial in second.trials] == [2]
    values = [
        {"dropout.rate": 0.1, "optimizer.weight_decay": 0.1},
        {"dropout.rate": 0.3, "optimizer.weight_decay": 0.2},
    ]
    assert [dict(lane.values) for lane in first.lanes] == values
    assert [lane.learning_rate for lane in first.lanes] == [0.01, 0.02]
    assert [lane.values for lane in second.lanes] == [{}]


@given(
    st.integers(0, 2**31),
    st.integers(-5, 5),
    st.integers(0, 9),
    st.floats(1e-6, 1),
    st.floats(1, 9),
)
def test_what_is_chosen_is_in_its_range(seed: int, low: int, span: int, a: float, b: float) -> None:
    choose = Choose(Random([seed]))
    assert low <= choose.integer("i", low, low + span) <= low + span
    assert 1 <= choose.integer("j", 1, 1 + span, log=True) <= 1 + span
    assert a * (1 - 1e-5) <= choose.number("x", a, b) <= b * (1 + 1e-5)
    assert a * (1 - 1e-5) <= choose.number("y", a, b, log=True) <= b * (1 + 1e-5)
    assert choose.option("o", [1, "two", (3, 4)]) in [1, "two", (3, 4)]
    again = Choose(Random([seed + 1]), json.loads(json.dumps(choose.values)))
    assert again.integer("i", low, low + span) == choose.values["i"]
    assert again.option("o", [1, "two", (3, 4)]) == choose.values["o"]


def test_whole_numbers_are_drawn_evenly() -> None:
    choose = Choose(Random([0]))
    drawn = np.array([choose.integer("i", 2, 5) for _ in range(4000)])
    np.testing.assert_allclose(np.bincount(drawn)[2:], 1000, atol=5 * (4000 * 0.25 * 0.75) ** 0.5)


@pytest.mark.parametrize(
    ("y", "units", "loss"),
    [
        (np.array([0, 1, 1, 0]), (None, 1), "BinaryCrossentropy"),
        (np.array([True, False, True, True]), (None, 1), "BinaryCrossentropy"),
        (np.array([0, 2, 1, 0]), (None, 3), "SparseCategoricalCrossentropy"),
        (np.array([0.5, 2, 1, 0]), (None, 1), "MeanSquaredError"),
        (np.zeros((4, 2)), (None, 2), "MeanSquaredError"),
    ],
)
def test_the_head_of_a_dense_network_fits_the_labels(y: Any, units: Any, loss: str) -> None:
    x = np.arange(12.0).reshape(4, 3)
    model = dense(x, y)(Choose(Random([0]), {"layers": 1, "units": 32}))
    assert model.output_shape == units
    job = fw.population.jobs.Job(
        "t", model, x, y, batch_size=4, epochs=1, patience=None, monitor=None
    )
    assert type(job.objective.losses[0]).__name__ == loss


def test_optuna_proposes_one_trial_of_each_shape() -> None:
    found = fw.search(linear, X, Y, sampler="optuna", **SEARCH)
    assert [trial.number for trial in found.trials if trial.proposal is not None] == [0, 9, 18, 27]
    told = found.trials[0].proposal.study.trials
    assert [t.value for t in told] == [found.trials[i].score for i in (0, 9, 18, 27)]
    assert found.best_values["kind"] == "line"


def test_optuna_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)  # as where it is not installed
    message = (
        "search: expected the package optuna, received none. Run pip install optuna, or leave "
        "sampler out."
    )
    with pytest.raises(MissingPackage, match=re.escape(message)):
        fw.search(linear, X, Y, sampler="optuna", **SEARCH)


def test_rows_are_divided_at_random_and_once() -> None:
    n = np.arange(10)
    (x, y), (held_x, held_y) = split_rows({"a": n, "b": -n}, n, 0.3, 0)
    assert sorted([*y, *held_y]) == n.tolist()
    assert len(held_y) == 3
    np.testing.assert_array_equal(x["b"], -y)
    np.testing.assert_array_equal(held_x["a"], held_y)


def refusing(choose: Choose) -> Any:
    return fw.Sequential([L.Dense(choose.integer("units", 0, 0))])


def uncompiled(choose: Choose) -> Any:
    return fw.Sequential([L.Dense(1)])


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no space": (
        lambda: fw.search(X, Y),
        "search: expected a function build(choose) -> compiled model, a dict, or None as its "
        "space, received a ndarray. Write search(None, x, y) for dense networks.",
    ),
    "a model as the space": (
        lambda: fw.search(linear(Choose(Random([0]))), X, Y),
        "search: expected a function build(choose) -> compiled model, a dict, or None as its "
        "space, received a Sequential. Write search(None, x, y) for dense networks.",
    ),
    "no valid point": (
        lambda: fw.search(refusing, X, Y, **SEARCH),
        "search: expected a space with a valid point, received none in 50 draws; the last was "
        "refused with: Dense: expected units",
    ),
    "not compiled": (
        lambda: fw.search(uncompiled, X, Y, **SEARCH),
        "search: expected build(choose) to return a compiled model, received Sequential. End it "
        "with model.compile(...) and return model.",
    ),
    "too small": (
        lambda: fw.search(
            linear, np.tile(X, (50, 1)), np.tile(Y, (50, 1)), **{**SEARCH, "budget": 1e-3}
        ),
        "search: expected a budget for one epoch of one trial, received 0.001 s, after which none "
        "was finished. Give it more time, e.g. budget='60s'.",
    ),
    "a name": (
        lambda: fw.search({"unit": [3]}, X, Y, **SEARCH),
        "search, space: expected names of the space, received 'unit'. Did you mean units?",
    ),
    "images": (
        lambda: fw.search(None, np.zeros((9, 4, 4)), Y[:9], **SEARCH),
        "search: expected a table of numbers, (n, features), received shape (9, 4, 4). Pass a "
        "function build(choose) that makes a network for such data.",
    ),
    "split": (
        lambda: fw.search(linear, X, Y, validation_split=1.0, **SEARCH),
        "search: expected rows on both sides of the split, received validation_split=1.0. Pass "
        "validation_split=0.2, or validation_data.",
    ),
    "sampler": (
        lambda: fw.search(linear, X, Y, sampler="tpe", **SEARCH),
        "search: expected a known sampler, received sampler='tpe'. Pass sampler=\"random\" or "
        'sampler="optuna".',
    ),
    "range": (
        lambda: Choose(Random([0])).number("rate", 0, 1, log=True),
        "choose, 'rate': expected numbers with 0 < low <= high, received 0 and 1. Correct them.",
    ),
    "options": (
        lambda: Choose(Random([0])).option("kind", []),
        "choose.option('kind'): expected options, received none. Give at least one.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_answered(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(FitwellError, match=re.escape(message)):
        call()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "trials.json"
    path.write_text('{"trials": [{}]}')
    message = f"{path}: expected the trials of a search, received KeyError: 'values'. Name another"
    with pytest.raises(FitwellError, match=re.escape(message)):
        fw.search(linear, X, Y, path=path, **SEARCH)


def test_the_default_space_is_one_of_valid_networks() -> None:
    build = dense(X, Y)
    for seed in range(2):
        choose = Choose(Random([seed]))
        assert build(choose).built
        assert set(choose.values) == set(SPACE)


def test_a_group_of_which_no_lane_goes_on_has_ended() -> None:
    """Halving may find all lanes of one shape among the worse half."""
    model = fw.Sequential([L.Input((2,)), L.Dense(1)])
    model.compile("sgd", loss="mse")
    job = Job("test", model, X, Y, batch_size=32, epochs=9)
    ready = job.prepare([Lane(seed) for seed in range(3)])
    group = ready.group(ready.lanes, Signals(None, []))
    group.advance(1)
    for place in range(3):
        group.drop(place)
    group.leave_out()
    assert group.advance(9) is None
    assert group.epoch == 1
