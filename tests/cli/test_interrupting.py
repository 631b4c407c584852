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
