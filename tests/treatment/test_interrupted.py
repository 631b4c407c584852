"""Ctrl-C while cures are tried: it ends, and what was trained before stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line

X = np.random.default_rng(0).uniform(-1, 1, (240, 2)).astype(np.float32)
Y = X[:, 0] * X[:, 1] > 0


def network() -> fw.Sequential:
    layers = [L.Dense(8, activation="relu"), L.Dense(1, activation="sigmoid")]
    model = fw.Sequential(layers, seed=0)
    model.compile(fw.optimizers.SGD(1e-4), loss="binary_crossentropy")
    return model


def press_after(*steps: Callable[[], bool]) -> None:
    """Ctrl-C when one thing after the other has become so."""

    def wait() -> None:
        for step in steps:
            while not step():
                time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def listening(before: Any) -> Callable[[], bool]:
    """Whether training listens for Ctrl-C."""
    return lambda: signal.getsignal(signal.SIGINT) is not before


def test_a_treatment_ends() -> None:
    press_after(listening(signal.getsignal(signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        fw.treat(network(), X, Y, epochs=300, budget="5m")


def test_a_fit_that_was_to_be_treated_keeps_its_weights(capsys: Any) -> None:
    plain = network()
    plain.fit(X, Y, epochs=300, verbose=0, doctor="off")
    model = network()
    busy = listening(signal.getsignal(signal.SIGINT))
    press_after(busy, lambda: not busy(), busy)
    history = model.fit(X, Y, epochs=300, verbose=2, doctor="treat")
    assert history.stopped == "interrupted"
    assert history.treated is None
    assert capsys.readouterr().out.endswith("not treated: interrupted by Ctrl-C\n")
    for mine, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
