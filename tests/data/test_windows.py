"""Windows of a long text are a view: a fit reads rows of it and never copies it as a whole."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import Dense, Embedding

WINDOWS = np.lib.stride_tricks.sliding_window_view(np.arange(100_000, dtype=np.int32) % 7, 65)
STEPS = 20


def trained(windows: np.ndarray) -> fw.Sequential:
    model = fw.Sequential([Embedding(7, 2), Dense(7)], seed=0)
    loss = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=loss)
    model.fit(windows[:, :-1], windows[:, 1:], batch_size=8, epochs=2, steps_per_epoch=STEPS)
    return model


def test_a_fit_on_windows_equals_one_on_their_copy() -> None:
    part = WINDOWS[:300]
    for view, copy in zip(trained(part).weights, trained(part.copy()).weights, strict=True):
        np.testing.assert_array_equal(view, copy)


def test_a_fit_on_windows_needs_the_memory_of_its_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fw.settings, "chunk_seconds", 1e-4)  # small buffers
    trained(WINDOWS[:300])  # compiles
    tracemalloc.start()
    trained(WINDOWS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert WINDOWS[:, 1:].nbytes > 25e6  # what a copy of the inputs or labels would take
    assert peak < 5e6
