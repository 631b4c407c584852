"""The README's programs and the pages in examples/ run, and print what they promise."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import fitwell as fw
from fitwell.history import History

ROOT = Path(__file__).parents[1]


def test_the_readme_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    history = names["history"]
    assert isinstance(history, History)
    assert history.history["val_accuracy"][-1] > 0.9  # the rule x0 * x1 > 0 is learned
    model = names["model"]
    assert isinstance(model, fw.Sequential)
    again = fw.load(tmp_path / "model.safetensors")
    assert (again.predict([[1.0, 2.0]]) == model.predict([[1.0, 2.0]])).all()
    scaled = fw.Sequential([names["Scale"](start=3.0)])  # type: ignore[operator]
    assert scaled(names["X"][:2]).tolist() == pytest.approx(3 * names["X"][:2])  # type: ignore[index]
    assert "<History: " in capsys.readouterr().out


def test_a_step_of_ones_own_learns(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "custom_step.py"), run_name="__main__")
    first, second = re.findall(r"(\d\.\d{4})", capsys.readouterr().out)
    assert first == second
    assert float(first) < 0.05
