"""forecast: operations by hand, memory by what must be in it, time against a fit."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import InvalidArgument, NotReady
from fitwell.layers import Dense, Embedding, Flatten, Input


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
    """By arithmetic: one example of data is 600 bytes, and a chunk holds many batches of them."""
    model = linear()
    monkeypatch.setattr("fitwell.forecasting.free_memory", lambda: 2.0**28)
    small = fw.forecast(model).largest_batch
    monkeypatch.setattr("fitwell.forecasting.free_memory", lambda: 2.0**31)
    assert fw.forecast(model).largest_batch == 8 * small
    assert small * 600 < 2**28


def test_ids_and_class_labels() -> None:
    model = fw.Sequential(
        [Input((4,), dtype="int32"), Embedding(9, 3), Flatten(), Dense(2, "softmax")]
    )
    model.compile()
    text = str(fw.forecast(model, batch_size=8, examples=80))
    assert re.fullmatch(
        r"batch 8: [\d.]+ MFLOPs and [\d.]+ [mu]?s a step \([\d.e-]+ GFLOP/s\), [\d.]+ [mu]?s an "
        r"epoch, [\d.]+ MiB; batches up to \d+ fit into memory", text
    )  # fmt: skip


def test_messages() -> None:
    with pytest.raises(InvalidArgument, match=r"forecast: expected batch_size >= 1, received"):
        fw.forecast(linear(), batch_size=0)
    with pytest.raises(NotReady, match=r"expected a compiled model, received none"):
        fw.forecast(fw.Sequential([Input((3,)), Dense(1)]))
    shapeless = fw.Sequential([Dense(1)])
    shapeless.compile(loss="mse")
    with pytest.raises(NotReady, match=r"expected a network whose input shape is known"):
        fw.forecast(shapeless)
