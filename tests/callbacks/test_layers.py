"""LayerStatistics and `history.layers`: when, of what, and that nothing of the fit changes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.callbacks import LayerStatistics
from fitwell.doctor import course
from fitwell.history import History
from fitwell.layers import GRU, Dense

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(96, 3)).astype(np.float32)
Y = X[:, 0] - X[:, 1]


def network() -> fw.Sequential:
    model = fw.Sequential([Dense(8, "relu"), Dense(1)], seed=0)
    model.compile(fw.optimizers.Adam(0.05), loss="mse")
    return model


def moments(history: History) -> list[tuple[int, int]]:
    return sorted({(one["epoch"], one["step"]) for one in history.layers})


def test_before_training_and_at_every_second_epoch() -> None:
    history = network().fit(X, Y, epochs=5, verbose=0, callbacks=LayerStatistics(every=2))
    assert moments(history) == [(0, 0), (2, 6), (4, 12)]
    assert [one["layer"] for one in history.layers] == ["dense", "dense_1"] * 3
    frame = history.layer_frame()
    assert frame.height == 6
    assert frame["dead"].null_count() == 3  # those of the linear layer
    norms = frame.filter(layer="dense")["weight_norm"].to_list()
    assert len(set(norms)) == 3  # weights move


def test_the_last_record_is_of_the_last_weights() -> None:
    model = network()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=LayerStatistics())
    size = np.sqrt(sum((w**2).sum() for w in model.get_weights()[2:]))
    assert history.layers[-1]["weight_norm"] == pytest.approx(size, rel=1e-5)


def test_the_fit_is_the_same_with_it() -> None:
    with_it, without = network(), network()
    with_it.fit(X, Y, epochs=3, verbose=0, callbacks=LayerStatistics())
    without.fit(X, Y, epochs=3, verbose=0)
    for a, b in zip(with_it.get_weights(), without.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_iterable_of_batches_needs_a_sample() -> None:
    def batches() -> Any:
        return ((X[i : i + 32], Y[i : i + 32]) for i in range(0, 96, 32))

    with pytest.raises(fw.errors.InvalidArgument) as caught:
        network().fit(batches(), verbose=0, callbacks=LayerStatistics())
    assert str(caught.value) == (
        "layer_probe: expected arrays, or a sample, received an iterable of batches. Pass "
        "sample=(x, y): some hundred rows."
    )
    given = LayerStatistics(sample=(X, Y))
    history = network().fit(batches(), verbose=0, callbacks=given)
    assert moments(history) == [(0, 0), (1, 3)]


def test_networks_that_remember_are_refused() -> None:
    model = fw.Sequential([fw.Input((5, 3)), GRU(4, stateful=True, batch_size=8), Dense(1)])
    model.compile(loss="mse")
    x = RANDOM.normal(size=(16, 5, 3))
    with pytest.raises(fw.errors.InvalidArgument, match="one that remembers the batch before"):
        model.fit(x, x[:, 0, 0], batch_size=8, verbose=0, callbacks=LayerStatistics())
    with pytest.raises(fw.errors.InvalidArgument, match="every=0"):
        LayerStatistics(every=0)


def test_records_are_saved_with_the_history() -> None:
    history = network().fit(X, Y, epochs=2, verbose=0, callbacks=LayerStatistics())
    again = History()
    again.from_json(json.loads(json.dumps(history.to_json(), allow_nan=False)))
    assert again.layers == history.layers
    state = history.to_json()
    del state["layers"]  # as older versions wrote it
    again.from_json(state)
    assert again.layers == []


def test_a_short_fit_is_left_alone_and_a_long_one_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = network().fit(X, Y, epochs=40, verbose=0)
    assert short._layers == []  # nobody asked
    monkeypatch.setattr(course, "_SHARE", 1e9)  # any fit is long enough
    history = network().fit(X, Y, epochs=40, verbose=0)
    steps = [step for _, step in moments(history)]
    assert steps[0] == 0
    assert len(steps) > 4
    assert all(later >= 1.3 * step for step, later in itertools.pairwise(steps))
    kept = network().fit(X, Y, epochs=3, verbose=0, callbacks=LayerStatistics(every=3))
    assert moments(kept) == [(0, 0), (3, 9)]  # nobody looks twice


def test_a_fit_that_failed_shows_its_first_and_last_layers() -> None:
    model = fw.Sequential([Dense(8, "tanh"), Dense(1)], seed=0)
    model.compile(fw.optimizers.Adam(0.01), loss="mse")
    history = model.fit(1e5 + 1e4 * X, Y, epochs=4, verbose=0)
    assert history.findings.above().codes == ["unscaled_inputs"]
    seen = moments(history)
    assert (seen[0], seen[-1]) == ((0, 0), (4, 12))
    first: Any = history.layers[0]
    assert first["saturated"] > 0.9
    evidence = {one.what: one.value for one in history.findings[0].evidence}
    assert "it ignores them" in str(evidence["outcome"])


def test_a_short_fit_can_be_looked_at_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says then what LayerStatistics said in the same epochs."""
    monkeypatch.setattr(course, "_COPYING", 1e9)  # copies cost nothing
    monkeypatch.setattr(course, "_SHARE", 1e-9)  # and looks too much
    later = network().fit(X, Y, epochs=9, verbose=0)
    seen = moments(later)
    assert seen == [(0, 0), (1, 3), (2, 6), (3, 9), (4, 12), (6, 18), (8, 24), (9, 27)]
    every = network().fit(X, Y, epochs=9, verbose=0, callbacks=LayerStatistics())
    known = {(one["step"], one["layer"]): one for one in every.layers}
    for one in later.layers:
        same = known[one["step"], one["layer"]]
        for key in ("weight_norm", "gradient_norm", "update_ratio", "activation_rms"):
            assert one[key] == pytest.approx(same[key], rel=1e-5)
    assert later.layer_frame().height == 16
    let_go = network().fit(X, Y, epochs=60, verbose=0)  # which learns: nobody looked
    let_go.clear()
    assert let_go.layers == []


def test_copies_stay_within_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_COPYING", 1e9)
    monkeypatch.setattr(course, "_MOST", 4)
    assert 3 <= len(moments(network().fit(X, Y, epochs=40, verbose=0))) <= 6
    monkeypatch.setattr(course, "_ROOM", 1000)  # bytes: less than three copies
    assert network().fit(X, Y, epochs=40, verbose=0).layers == []
