"""Ctrl-C while cures are tried: it ends, and what was trained before stays."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from typing import Any

import jax.numpy as jnp
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


def test_a_treatment_ends() -> None:
    before = signal.getsignal(signal.SIGINT)

    def press() -> None:
        while signal.getsignal(signal.SIGINT) is before:  # until training listens
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        fw.treat(network(), X, Y, epochs=300, budget="5m")


def test_a_fit_that_was_to_be_treated_keeps_its_weights() -> None:
    """The loss is traced anew for the trials: there Ctrl-C comes."""

    def loss(y: Any, p: Any) -> Any:
        stacks = map(traceback.extract_stack, sys._current_frames().values())  # of all threads
        if any(one.filename.endswith("treatment/trials.py") for stack in stacks for one in stack):
            raise KeyboardInterrupt
        return jnp.mean(jnp.square(y - p), axis=-1)

    def fitted(doctor: str) -> tuple[Any, Any]:
        model = network()
        model.compile(fw.optimizers.SGD(1e-4), loss=loss)
        return model, model.fit(X, Y, epochs=5, verbose=0, doctor=doctor)

    plain, _ = fitted("off")
    model, history = fitted("treat")
    assert history.stopped == "interrupted"
    assert history.treated is None
    for mine, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
