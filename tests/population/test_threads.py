"""Groups of lanes on threads: the same result, and what ends them or divides them."""

from __future__ import annotations

import os
import re
import signal
import threading
import weakref
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, OutOfMemory
from fitwell.population import running
from fitwell.population.plan import Outcome
from fitwell.population.running import Group

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 2)).astype(np.float32)
Y = (X @ [1.0, -2.0]).astype(np.float32)[:, None]
FIT: dict[str, Any] = {"batch_size": 20, "epochs": 2, "verbose": 0}
MANY = {**FIT, "epochs": 10**9}


def linear() -> fw.Sequential:
    model = fw.Sequential([L.Input((2,)), L.Dense(1)], seed=0)
    model.compile("sgd", loss="mse")
    return model


def weights(found: fw.population.Population) -> list[list[float]]:
    return [model.get_weights()[0].ravel().tolist() for model in found.models]


@pytest.fixture
def two_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_LANES_OF_A_THREAD", 1)
    monkeypatch.setattr(running, "cores", lambda: 2)


@pytest.fixture(scope="module")
def five() -> list[list[float]]:
    return weights(fw.fit_many(linear(), X, Y, seeds=5, **FIT))


def before_run(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[Group], None]
) -> list[tuple[int, ...]]:
    """Calls `check` before a group trains; the seeds of the groups that then did, in a list."""
    trained: list[tuple[int, ...]] = []
    run = Group.run

    def checked(self: Group) -> list[Outcome]:
        check(self)
        seeds = tuple(lane.seed for lane in self.lanes)
        outcomes = run(self)
        trained.append(seeds)
        return outcomes

    monkeypatch.setattr(Group, "run", checked)
    return trained


def no_memory(seeds: set[int], most: int) -> Callable[[Group], None]:
    """What JAX raises, for more than `most` lanes one of which has one of these seeds."""
    failed: list[weakref.ref[Group]] = []

    def check(group: Group) -> None:
        assert all(ref() is None for ref in failed), "the group that failed holds its memory"
        if len(group.lanes) > most and seeds & {lane.seed for lane in group.lanes}:
            failed.append(weakref.ref(group))
            raise jax.errors.JaxRuntimeError(
                "RESOURCE_EXHAUSTED: Out of memory allocating 12000000000 bytes."
            )

    return check


@pytest.mark.usefixtures("two_groups")
def test_two_groups_are_one_population(
    monkeypatch: pytest.MonkeyPatch, five: list[list[float]]
) -> None:
    trained = before_run(monkeypatch, lambda group: None)
    found = fw.fit_many(linear(), X, Y, seeds=5, **FIT)
    assert sorted(trained) == [(0, 1), (2, 3, 4)]
    assert found.frame()["seed"].to_list() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(weights(found), five, rtol=1e-6)


def test_lanes_that_have_no_memory_are_halved(
    monkeypatch: pytest.MonkeyPatch, five: list[list[float]]
) -> None:
    trained = before_run(monkeypatch, no_memory({0, 1, 2, 3, 4}, most=2))
    with pytest.warns(UserWarning, match="fit_many: no memory for") as said:
        found = fw.fit_many(linear(), X, Y, seeds=5, **FIT)
    assert [str(w.message) for w in said] == [
        "fit_many: no memory for 5 lanes at once; 3 at a time.",
        "fit_many: no memory for 3 lanes at once; 2 at a time.",
    ]
    assert trained == [(0, 1), (2,), (3, 4)]
    np.testing.assert_allclose(weights(found), five, rtol=1e-6)


@pytest.mark.usefixtures("two_groups")
def test_a_group_that_finished_does_not_train_again(
    monkeypatch: pytest.MonkeyPatch, five: list[list[float]]
) -> None:
    trained = before_run(monkeypatch, no_memory({0}, most=1))
    with pytest.warns(UserWarning, match="no memory for 2 lanes at once; 1 at a time"):
        found = fw.fit_many(linear(), X, Y, seeds=5, **FIT)
    assert sorted(trained) == [(0,), (1,), (2, 3, 4)]
    np.testing.assert_allclose(weights(found), five, rtol=1e-6)


def test_a_lane_alone_without_memory_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    before_run(monkeypatch, no_memory({0}, most=0))
    message = "fit_many: expected arrays that fit into the memory, received one of 12.0 GB."
    with pytest.raises(OutOfMemory, match=re.escape(message)):
        fw.fit_many(linear(), X, Y, **FIT)


@pytest.mark.usefixtures("two_groups")
def test_an_error_of_one_group_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Barrier(2)

    def check(group: Group) -> None:
        started.wait()  # a group that has not begun would not be begun any more
        if group.lanes[0].seed == 0:
            raise ZeroDivisionError("of one thread")

    trained = before_run(monkeypatch, check)
    with pytest.raises(ZeroDivisionError, match="of one thread"):
        fw.fit_many(linear(), X, Y, seeds=2, **MANY)
    assert trained == [(1,)], "it ended, long before its last epoch"


@pytest.mark.usefixtures("two_groups")
def test_ctrl_c_ends_all_groups_with_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Barrier(2)

    def check(group: Group) -> None:
        if started.wait() == 0:
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    before_run(monkeypatch, check)
    found = fw.fit_many(linear(), X, Y, seeds=2, **MANY)
    for history, model in zip(found.histories, found.models, strict=True):
        assert history.stopped == "interrupted"
        assert history.history["loss"][-1] == pytest.approx(model.evaluate(X, Y), abs=1e-3)


def test_what_is_no_model_or_no_count_is_answered() -> None:
    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: fw.cross_validate("m", X, Y), "cross_validate: expected a model, received 'm'"),  # type: ignore[arg-type]
        (lambda: fw.find_learning_rate("m", X, Y), "find_learning_rate: expected a model"),  # type: ignore[arg-type]
        (
            lambda: fw.fit_many(linear(), X, Y, **FIT).ensemble(best=0),
            "ensemble: expected best to be a whole number >= 1, received best=0. Pass best=1 or "
            "more.",
        ),
        (lambda: fw.search(None, X, Y, budget="x"), "search: expected a positive budget, received"),
        (
            lambda: fw.fit_many(linear(), X, Y, learning_rate=[-1.0]),
            "fit_many: expected learning_rate to be finite numbers >= 0, received -1.0.",
        ),
    ]
    for call, message in refusals:
        with pytest.raises(FitwellError, match=re.escape(message)):
            call()
