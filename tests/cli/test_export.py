"""`fitwell export` in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest

import fitwell as fw
from fitwell.cli import main
from fitwell.data.columns import infer_columns
from fitwell.data.encoding import fit_encoder
from fitwell.data.labels import fit_target
from fitwell.tabular import TableModel


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A network that adds up three numbers."""
    model = fw.Sequential([fw.Input((3,), name="x"), fw.layers.Dense(1, name="sum")])
    model.set_weights([np.ones((3, 1), np.float32), np.zeros(1, np.float32)])
    model.save(tmp_path / "adder.safetensors")
    return tmp_path / "adder.safetensors"


def run(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    code = main(["export", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def predicted(path: Path, **columns: Any) -> Any:
    return onnxruntime.InferenceSession(path).run(None, columns)[0].tolist()


def test_onnx_beside_the_model(saved: Path, capsys: Any) -> None:
    code, out, _ = run(capsys, saved)
    path = saved.with_suffix(".onnx")
    assert (code, out) == (0, f"{path}: {path.stat().st_size:,} bytes\n")
    assert predicted(path, x=np.array([[1, 2, 4]], np.float32)) == [[7.0]]
    assert run(capsys, saved)[1].endswith("(replaced an older file)\n")


def test_a_python_file_by_its_ending(saved: Path, capsys: Any) -> None:
    path = saved.parent / "predict.py"
    assert run(capsys, saved, "-o", path)[0] == 0
    module: dict[str, Any] = {"__name__": "predict"}
    exec(path.read_text(), module)
    assert module["predict"]([[1, 2, 4]]).tolist() == [[7.0]]


def test_a_table_in_a_folder_of_a_run(tmp_path: Path, capsys: Any) -> None:
    table = pl.DataFrame({"town": ["a", "b", "a", "b"], "price": [1.0, 2.0, 3.0, 4.0]})
    encoder = fit_encoder(table, infer_columns(table, "price"))
    net = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1)])
    net.set_weights([np.array([[0.5]], np.float32), np.zeros(1, np.float32)])
    folder = tmp_path / "runs"
    folder.mkdir()
    target = fit_target(table["price"], "regression")
    TableModel(net, encoder, target).save(folder / "model.safetensors")
    assert run(capsys, folder)[0] == 0
    found = predicted(folder / "model.onnx", town=np.array(["a", "b"], object))
    np.testing.assert_allclose(found, 2.5 + np.array([-0.5, 0.5]) * np.sqrt(1.25), rtol=1e-6)


def test_a_function_of_a_program_is_not_overwritten(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    program = (
        "import fitwell as fw\n"
        "def build():\n"
        "    model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])\n"
        "    model.compile(loss='mse')\n"
        "    return model\n"
    )
    (tmp_path / "net.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "net.py:build", "--to", "numpy")[0] == 0
    assert (tmp_path / "net.py").read_text() == program
    assert "def predict(" in (tmp_path / "exported.py").read_text()


def test_refusals_are_one_message(saved: Path, capsys: Any) -> None:
    code, _, err = run(capsys, saved, "--to", "onxx")
    assert code == 2
    assert "Did you mean onnx?" in err
    code, _, err = run(capsys, saved.parent / "nothing.safetensors")
    assert code == 2
    assert "nothing.safetensors" in err
