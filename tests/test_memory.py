"""Nothing grows: fits, predictions and models in a row leave the resident memory as it is."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import Dense, Input

X = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
Y = X.sum(1)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which Linux has")


def model(seed: int = 0, units: int = 1) -> fw.Sequential:
    made = fw.Sequential([Input((8,)), Dense(units), Dense(1)], seed=seed)
    made.compile("sgd", loss="mse")
    return made


def growth(call: Callable[[int], object], warm: int, times: int) -> float:
    """Megabytes of resident memory that calls warm, warm + 1, ... add."""

    def resident() -> float:
        gc.collect()
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise AssertionError

    for i in range(warm):
        call(i)
    before = resident()
    for i in range(warm, warm + times):
        call(i)
    return resident() - before


def test_200_fits_of_equal_models() -> None:
    assert growth(lambda i: model(i).fit(X, Y, epochs=2, verbose=0), 20, 200) < 4


def test_1000_predictions() -> None:
    trained = model()
    assert growth(lambda i: trained.predict(X[:1], verbose=0), 20, 1000) < 4


def test_different_models_are_let_go() -> None:
    """As many programs as are kept take their place; those that follow take over from others.

    A program of such a network takes 4 MB and a model has several; what XLA itself does not give
    back is below 2 MB a model.
    """
    assert growth(lambda i: model(units=2 + i).fit(X, Y, verbose=0), 17, 8) < 8 * 2
