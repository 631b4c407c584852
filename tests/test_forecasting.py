"""forecast: operations by hand, memory by what must be in it, time against a fit."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument, NotReady
from fitwell.forecasting import _Job, _peak
from fitwell.layers import Dense, Embedding, Flatten, Input
from fitwell.machine import cores, free_memory, limit_left

pytestmark = pytest.mark.optimized  # what is timed, read as XLA's text or run for long


def linear() -> fw.Sequential:
    model = fw.Sequential([Input((100,)), Dense(50, use_bias=False)], seed=0)
    model.compile("sgd", loss="mse")
    return model


def test_operations_memory_and_time() -> None:
    model = linear()
    before = model.get_weights()[0]
    found = fw.forecast(model, batch_size=64, examples=1000)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    products = 2 * (2 * 64 * 100 * 50)  # forward, and the gradient of the kernel; none of the input
    others = 64 * 50 * 10 + 100 * 50 * 4  # loss and update: a few for each output and weight
    assert products < found.flops < products + others
    weights = 4 * 100 * 50
    assert found.memory > 2 * weights + 64 * 4 * (100 + 50)  # weights, gradient, a batch
    assert found.epoch_seconds == 16 * found.seconds
    assert fw.forecast(model, batch_size=128).flops == pytest.approx(2 * found.flops, rel=0.05)
    # A machine with other work takes longer than measured; three orders of magnitude are an error.
    x = np.zeros((64000, 100), np.float32)
    model.fit(x, x[:, :50], batch_size=64, verbose=0)
    began = time.perf_counter()
    model.fit(x, x[:, :50], batch_size=64, verbose=0)
    step = (time.perf_counter() - began) / 1000
    assert step / 50 < found.seconds < step * 50


def test_the_largest_batch_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the compiler says of the proposed batch and of twice as many, with a second buffer."""
    monkeypatch.setattr("fitwell.forecasting.free_memory", lambda: 2.0**29)
    job = _Job(linear())

    def held(size: int) -> int:
        room = job.room(size)
        return _peak(job.compiled(size, room)) + room * size * (100 + 50 + 1) * 4

    largest, budget = fw.forecast(linear()).largest_batch, 0.8 * 2**29
    assert held(largest) <= budget < held(2 * largest)
    assert largest & (largest - 1) == 0


def test_memory_that_is_free(tmp_path: Path) -> None:
    """A control group's limit of 1000 bytes, 300 of which are used; none; and this machine's."""
    assert limit_left(tmp_path) == np.inf
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("300\n")
    assert limit_left(tmp_path) == 700
    (tmp_path / "memory.max").write_text("max\n")
    assert limit_left(tmp_path) == np.inf
    assert 2**20 < free_memory() < 2**60
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_ids_and_class_labels() -> None:
    model = fw.Sequential(
        [Input((4,), dtype="int32"), Embedding(9, 3), Flatten(), Dense(2, "softmax")]
    )
    model.compile()
    text = str(fw.forecast(model, batch_size=8, examples=80))
    assert re.fullmatch(
        r"batch 8: [\d.]+ MFLOPs and [\d.]+ [mu]?s a step \([\d.e-]+ GFLOP/s\), [\d.]+ [mu]?s an "
        r"epoch, [\d.]+ [KM]iB; batches up to \d+ fit into memory", text
    )  # fmt: skip


def test_messages() -> None:
    with pytest.raises(
        InvalidArgument, match=r"forecast: expected batch_size to be a whole number >= 1, received"
    ):
        fw.forecast(linear(), batch_size=0)
    with pytest.raises(
        InvalidArgument, match=r"forecast: expected examples to be a whole number >= 1, received"
    ):
        fw.forecast(linear(), examples=-5)
    with pytest.raises(
        InvalidArgument, match=r"forecast: expected examples to be a whole number >= 1, .*'9'"
    ):
        fw.forecast(linear(), examples="9")  # type: ignore[arg-type]
    with pytest.raises(NotReady, match=r"forecast: expected a model, received 'm'"):
        fw.forecast("m")  # type: ignore[arg-type]
    with pytest.raises(NotReady, match=r"expected a compiled model, received none"):
        fw.forecast(fw.Sequential([Input((3,)), Dense(1)]))
    shapeless = fw.Sequential([Dense(1)])
    shapeless.compile(loss="mse")
    with pytest.raises(NotReady, match=r"expected a network whose input shape is known"):
        fw.forecast(shapeless)
