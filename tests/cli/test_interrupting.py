"""Ctrl-C outside the fit of the network: while folds are trained, and while a search goes on."""

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

from fitwell.cli import main


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


def test_a_search_keeps_the_best_so_far(capsys: Any) -> None:
    press(Path("r/trials.json").exists)
    assert main(["train", "sklearn:iris", "--tune", "10m", "-o", "r", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["stopped"] == "interrupted"
    trials = json.loads(Path("r/trials.json").read_text())["trials"]
    assert said["trials"] == len(trials) >= 1
    assert any(f"units {trial['values']['units']}" in said["network"] for trial in trials)
    assert said["scores"]["accuracy"] > 0.5  # the constant has a third
    log = Path("r/log.txt").read_text()
    assert f"s, {len(trials)} trials, interrupted by Ctrl-C, {said['network']}." in log
    assert json.loads(Path("r/run.json").read_text())["state"] == "interrupted"
