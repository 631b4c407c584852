"""A fit that is given back its best weights: what came after that epoch is no fault of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import fitwell as fw
from fitwell import tabular
from fitwell.callbacks import EarlyStopping
from fitwell.doctor import Severity


def noisy(rows: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 4)).astype(np.float32)
    noise = 0.6 * draw.normal(size=(rows, 1)).astype(np.float32)
    return x, np.sin(2 * x[:, :1]) + x[:, 1:2] + noise


@pytest.mark.parametrize("restored", [False, True])
def test_overfitting_behind_the_best_epoch_is_none(restored: bool) -> None:
    x, y = noisy(300)
    layers = [fw.layers.Dense(64, "relu"), fw.layers.Dense(64, "relu"), fw.layers.Dense(1)]
    model = fw.Sequential([fw.Input((4,)), *layers])
    model.compile(fw.optimizers.Adam(0.01), loss="mse")
    stopping = EarlyStopping(patience=100, restore_best_weights=restored)
    history = model.fit(
        x[:200], y[:200], validation_data=(x[200:], y[200:]),
        epochs=100, batch_size=16, callbacks=[stopping], verbose=0,
    )  # fmt: skip
    values = history.history["val_loss"]
    assert values[-1] > 1.25 * min(values)
    assert ("overfitting" in history.findings.codes) is not restored


@pytest.mark.parametrize("seed", [0])
def test_the_default_network_of_a_table_is_healthy(seed: int) -> None:
    x, y = noisy(300)
    frame = pl.DataFrame({f"x{i}": x[:, i] for i in range(4)}).with_columns(y=y[:, 0])
    model = tabular.train(frame, "y", seed=seed, verbose=0)
    assert model.network.history is not None
    assert all(one.severity <= Severity.INFO for one in model.network.history.findings)
