"""Ctrl-C outside the fit of the network."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fitwell as fw
from fitwell.cli import backing, main


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def press(ready: Callable[[], bool]) -> None:
    """Ctrl-C, as soon as it is so."""

    def wait() -> None:
        while not ready():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def test_a_fit_that_was_cut_short_says_how_it_goes_on(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing, "_SECONDS_BETWEEN_BACKUPS", 0.0)
    press(lambda: Path("my run/backup/backup.safetensors").exists())  # an epoch has ended
    words = ["train", "sklearn:iris", "--layers", "4", "--epochs", "1000000", "--no-report"]
    assert main([*words, "-o", "my run"]) == 1
    assert capsys.readouterr().out.endswith(
        "Saved in my run: model, numbers, log\nfitwell train --resume 'my run' goes on.\n"
    )


@pytest.mark.parametrize(("verbose", "said"), [(2, "Goes on at epoch 3 of 4.\n"), (0, "")])
def test_a_fit_that_goes_on_says_where(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, verbose: int, said: str
) -> None:
    monkeypatch.setattr(fw.settings, "progress", "plain")
    for backup, epochs in (
        (fw.callbacks.BackupAndRestore("b", delete_checkpoint=False), 2),
        (backing.Backup("b"), 4),
    ):
        model = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1)], seed=0)
        model.compile("sgd", loss="mse")
        model.fit([[1.0]], [[2.0]], epochs=epochs, callbacks=[backup], verbose=verbose)
        out = capsys.readouterr().out
        assert out.startswith(said) == (epochs == 4 or not said)
    assert ("Epoch 3/4" in out, "Epoch 2/4" in out) == (verbose == 2, False)


def test_folds_that_were_cut_short_measure_nothing(capsys: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    press(lambda: signal.getsignal(signal.SIGINT) is not before)  # the folds are being trained
    words = ["train", "sklearn:iris", "--layers", "4", "--epochs", "1000000", "--folds", "2"]
    assert main([*words, "-o", "my run"]) == 1
    out, err = capsys.readouterr()
    assert "folds" not in out
    assert err.endswith("Interrupted: fitwell train --resume 'my run' goes on.\n")
    assert json.loads(Path("my run/run.json").read_text())["state"] == "begun"
    assert not Path("my run/model.safetensors").exists()
