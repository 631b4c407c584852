"""fit(escape_saddles=True) at saddles that were built, where gradients are exactly zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812
from fitwell import tree
from fitwell.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback
from fitwell.errors import InvalidArgument

X = np.random.default_rng(0).normal(size=(64, 2))
Y = X @ [[1.0], [2.0]]


def at_the_saddle(optimizer: Any = None, units: int = 30, **how: Any) -> fw.Sequential:
    """Two linear layers of zeros: each gradient is a product with the other layer.

    With 90 weights the escape estimates the worst direction, with 9 (3 units) it is exact.
    """
    how = {"use_bias": False, "kernel_initializer": "zeros", **how}
    model = fw.Sequential([fw.Input((2,)), L.Dense(units, **how), L.Dense(1, **how)], seed=1)
    model.compile(optimizer or fw.optimizers.SGD(0.05), loss="mse")
    return model


def test_the_curvature_at_the_saddle() -> None:
    """H has only the blocks -2 E[x y] between the layers: +-2 |E[x y]|, once for each unit."""
    found = at_the_saddle().curvature(X, Y)
    size = 2 * np.linalg.norm((X * Y).mean(0))
    np.testing.assert_allclose(found.eigenvalues, size * np.repeat([-1, 0, 1], 30), atol=1e-5)
    assert (found.verdict, found.negative, found.zero, found.positive) == ("saddle", 30, 30, 30)
    assert found.gradient_norm == 0
    # Downwards both layers move together: half of the squared length is in each.
    assert np.square(found.worst["dense_1"]["kernel"]).sum() == pytest.approx(0.5, abs=1e-5)


def test_sgd_stays_and_the_step_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    level = float((Y**2).mean())
    staying, leaving = at_the_saddle(), at_the_saddle()
    stays = staying.fit(X, Y, epochs=30, verbose=0)
    assert stays.history["loss"] == pytest.approx([level] * 30)
    assert not any(w.any() for w in staying.get_weights())
    assert list(stays.history) == ["loss"]
    fw.settings.progress = "plain"
    leaves = leaving.fit(X, Y, epochs=30, verbose=1, escape_saddles=True)
    assert leaves.history["loss"][:4] == pytest.approx([level] * 4)
    assert leaves.history["loss"][4] < 0.7 * level
    assert leaves.history["loss"][-1] < 1e-6 * level
    worst = -2 * np.linalg.norm((X * Y).mean(0))
    assert leaves.history["saddle_curvature"] == pytest.approx([worst])
    assert leaves.frame()["saddle_curvature"].is_not_null().to_list() == [i == 3 for i in range(30)]
    printed = capsys.readouterr().out
    line = f"Epoch 4: a saddle, curvature {worst:.3g} along the worst direction. A step along it"
    assert printed.count(line) == 1
    assert f"takes the loss from {level:.4g} to " in printed


def test_the_optimizer_begins_anew() -> None:
    """Moments of before the saddle: at a rate of 0 only the step along the curvature moves."""
    for escape in (False, True):
        model = at_the_saddle("adam")
        model.set_weights([np.ones((2, 30)), np.ones((30, 1))])
        model.fit(X, Y, epochs=1, verbose=0)
        model.set_weights([np.zeros((2, 30)), np.zeros((30, 1))])
        model.learning_rate = 0.0
        history = model.fit(X, Y, epochs=4, verbose=0, escape_saddles=escape)
        assert ("saddle_curvature" in history.history) == escape
        moments = [m for m in jax.tree.leaves(model.train_state.optimizer) if m.ndim == 2]
        assert [bool(np.any(m)) for m in moments] == [not escape] * 4
        assert any(w.any() for w in model.get_weights()) == escape


def test_no_step_where_there_is_no_saddle() -> None:
    """At a minimum, and on a slope that is only too slow: the fit is the same to the last bit."""
    for rate in (0.05, 1e-7):
        fits = []
        for escape in (False, True):
            model = at_the_saddle(kernel_initializer="glorot_uniform")
            model.learning_rate = rate
            history = model.fit(X, Y, epochs=15, verbose=0, escape_saddles=escape)
            fits.append((history.history, model.get_weights()))
        assert fits[0][0] == fits[1][0]
        assert tree.host_equal(fits[0][1], fits[1][1])


def test_early_stopping_that_waits_longer_lets_it_step() -> None:
    model = at_the_saddle()
    history = model.fit(X, Y, epochs=20, verbose=0, escape_saddles=True,
                        callbacks=EarlyStopping("loss", patience=4))  # fmt: skip
    assert history.history["loss"][-1] < 1e-3


def test_constraints_hold_after_the_step() -> None:
    """Targets that need weights of different signs: with both kept >= 0 there is no way down."""
    model = at_the_saddle(units=3, kernel_constraint="non_neg")
    history = model.fit(X[:, :1] * [1, 0], -X[:, :1], epochs=10, verbose=0, escape_saddles=True)
    assert "saddle_curvature" not in history.history
    model = at_the_saddle(units=3, kernel_constraint="non_neg")
    history = model.fit(X[:, :1] * [1, 0], X[:, :1], epochs=20, verbose=0, escape_saddles=True)
    assert history.history["loss"][-1] < 1e-3
    assert min(w.min() for w in model.get_weights()) >= 0


def test_a_killed_fit_goes_on_with_its_wait(tmp_path: Path) -> None:
    whole = at_the_saddle()
    expected = whole.fit(X, Y, epochs=8, verbose=0, escape_saddles=True)

    def kill(epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"epochs": 8, "verbose": 0, "escape_saddles": True}
    both = [BackupAndRestore(tmp_path), LambdaCallback(on_epoch_begin=kill)]
    with pytest.raises(KeyboardInterrupt):
        at_the_saddle().fit(X, Y, callbacks=both, **how)
    resumed = at_the_saddle()
    history = resumed.fit(X, Y, callbacks=BackupAndRestore(tmp_path), **how)
    assert history.history == expected.history
    assert tree.host_equal(resumed.get_weights(), whole.get_weights())


def test_an_iterable_of_batches_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="escape_saddles=True: expected arrays: the curv"):
        at_the_saddle().fit([(X, Y)].__iter__(), epochs=2, escape_saddles=True)
