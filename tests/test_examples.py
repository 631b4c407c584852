"""The README's programs and the pages in examples/ run, and print what they promise."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import diabetes_table
import digits_autoencoder
import digits_cnn
import mnist_cnn
import numpy as np
import pytest
import residual
import shakespeare_rnn
import shakespeare_transformer
from _data import path, windows

import fitwell as fw
from fitwell.doctor.watching import Doctor
from fitwell.history import History

pytestmark = pytest.mark.optimized  # whole programs, as their users run them

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _healthy(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """No page shows a finding above INFO, but where a network is too deep on purpose."""
    on_purpose = ["too_deep", "too_few_epochs"] if "depth_hurts" in request.node.name else []
    histories, ended = [], Doctor.on_train_end

    def noted(doctor: Doctor, logs: dict[str, float] | None = None) -> None:
        ended(doctor, logs)
        histories.append(doctor.model.history)

    monkeypatch.setattr(Doctor, "on_train_end", noted)
    yield
    for history in histories:
        fw.doctor.assert_healthy(history, allow=on_purpose)


RealData = Callable[[str], Path]


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


def test_a_table_with_intervals_and_a_report(tmp_path: Path) -> None:
    found = diabetes_table.main(tmp_path)
    # Of 89 rows, where the constant errs by 74, and no method known beats the line clearly.
    assert 55 < found["linear"] < 60
    assert found["network"] < 1.12 * found["linear"]
    assert 0.8 < found["coverage"] < 0.97
    assert "<svg" in (tmp_path / "diabetes.html").read_text()


def test_a_cnn_reads_handwritten_digits(
    real_data: RealData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real_data("mnist_1000.csv")
    accuracy = mnist_cnn.main(tmp_path)
    assert accuracy >= 0.92
    printed = capsys.readouterr().out
    assert f"accuracy: {accuracy:.3f} on 200 held-out images" in printed
    assert "13,066 weights" in printed  # 16 (5 * 5 + 1) + 32 (16 * 9 + 1) + 10 (800 + 1)
    pictures = {picture.name: picture.read_text() for picture in tmp_path.iterdir()}
    assert set(pictures) == {"mnist_filters.svg", "mnist_feature_maps.svg"}
    assert all("</svg>" in picture for picture in pictures.values())


def test_a_cnn_is_cross_validated_on_digits() -> None:
    accuracies = digits_cnn.main()
    assert len(accuracies) == 5
    assert np.mean(accuracies) >= 0.985


def test_a_linear_autoencoder_finds_the_principal_components() -> None:
    found = digits_autoencoder.main()
    assert found.angle < 1e-3
    assert found.linear == pytest.approx(found.components, rel=1e-4)
    assert found.deep < 0.6 * found.linear


def test_angles_between_subspaces() -> None:
    plane = np.eye(3)[:, :2]
    for turn in (1e-9, 0.3, np.pi / 2):  # about the first axis: the second leaves the plane
        turned = np.array([[1, 0], [0, np.cos(turn)], [0, np.sin(turn)]]) @ [[2, 1], [1, 1]]
        assert digits_autoencoder.angle(turned, plane) == pytest.approx(turn)


def test_depth_hurts_a_plain_network_and_not_a_residual_one() -> None:
    shallow, deep, shortcuts, from_zero = residual.main().values()
    assert deep > 5 * shallow  # on the images they are trained on
    assert shortcuts < deep / 4
    assert from_zero < shallow / 2


def test_windows_of_a_text() -> None:
    x, y = windows(np.arange(7), 3, step=2)
    assert x.tolist() == [[0, 1, 2], [2, 3, 4]]
    assert y.tolist() == [[1, 2, 3], [3, 4, 5]]


def test_a_recurrent_network_writes(real_data: RealData) -> None:
    text = real_data("tinyshakespeare.txt").read_text()
    found = shakespeare_rnn.main(steps=200)
    assert found.loss < bigram_entropy(text)
    assert len(found.written) == 300
    assert set(found.written) <= set(text)


def test_a_transformer_writes(real_data: RealData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fw.settings, "chunk_seconds", fw.settings.chunk_seconds)  # is put back
    text = real_data("tinyshakespeare.txt").read_text()
    found = shakespeare_transformer.main(steps=120, spacing=640)
    assert found.loss < 2.7  # a twentieth of the page's steps: 3.31 without any, 2.45 for pairs
    assert len(found.written) == 300
    assert set(found.written) <= set(text)


def bigram_entropy(text: str) -> float:
    """Nats per character for one who knows the last character and all counts of pairs."""
    ids = np.unique(list(text), return_inverse=True)[1]
    pairs = np.zeros((65, 65))
    np.add.at(pairs, (ids[:-1], ids[1:]), 1)
    share = pairs[pairs > 0] / len(text)
    given = (pairs / pairs.sum(axis=1, keepdims=True))[pairs > 0]
    return float(-np.sum(share * np.log(given)))


def test_missing_data_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FITWELL_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"^a\.csv is missing: FITWELL_DATA names the fol"):
        path("a.csv")
    (tmp_path / "a.csv").touch()
    assert path("a.csv") == tmp_path / "a.csv"
