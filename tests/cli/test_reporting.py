"""`fitwell report`: the page of a run, of a model file, and of other rows."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from fitwell import tabular
from fitwell.cli import main
from fitwell.data.tables import read_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reporting")
    read_table("sklearn:iris").write_csv(home / "flowers.csv")
    words = ["train", home / "flowers.csv", "--target", "target", "--layers", "8", "--epochs", 3]
    assert main([*map(str, words), "--output", str(home / "run")]) == 0
    return home / "run"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def run(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def told(path: Path) -> str:
    """The text of a page without tags, in one line."""
    return " ".join(
        re.sub(r"<style>.*?</style>|<[^>]*>", " ", path.read_text(), flags=re.S).split()
    )


def test_a_run_has_its_page(folder: Path) -> None:
    page = told(folder / "report.html")
    accuracy = tabular.load(folder / "model.safetensors").facts["scores"]["accuracy"]
    assert f"Accuracy {accuracy:.4g} (" in page
    assert "on 30 test rows, which training did not see" in page
    assert f"Command fitwell train {folder.parent / 'flowers.csv'} --target target" in page
    assert re.search(r"flowers\.csv, SHA-256 [0-9a-f]{64}", page)
    assert f"fitwell predict {folder / 'model.safetensors'} new.csv" in page


def test_it_is_written_again_from_the_file(folder: Path, capsys: Any) -> None:
    """The same split, history and findings: the same page but for the time it was written."""
    code, out, _ = run(capsys, "report", folder, "-o", "again.html")
    assert (code, out) == (0, "Report: again.html\n")
    stamp = r"Written by fitwell, [^.]*\."
    both = [re.sub(stamp, "", told(p)) for p in (folder / "report.html", Path("again.html"))]
    shared = [
        re.sub(r"\d+ epochs(, [\d.]+ s)?", "", each) for each in both
    ]  # no time in history.json
    assert shared[0] == shared[1]
    code, _, _ = run(capsys, "report", folder / "model.safetensors", folder.parent / "flowers.csv",
                     "-o", "third.html")  # fmt: skip
    assert code == 0
    assert "on 30 test rows" in told(Path("third.html"))


def test_other_rows(folder: Path, capsys: Any) -> None:
    read_table("sklearn:iris")[::3].write_csv("some.csv")
    assert run(capsys, "report", folder, "some.csv", "-o", "some.html")[0] == 0
    page = told(Path("some.html"))
    assert "on all 50 rows of some.csv" in page


def test_what_it_says_to_paste_can_be_pasted(folder: Path, capsys: Any) -> None:
    loaded = tabular.load(folder / "model.safetensors")
    Path("my run").mkdir()
    loaded.save("my run/it's.safetensors")
    words = ("report", "my run/it's.safetensors", folder.parent / "flowers.csv", "-o", "p.html")
    assert run(capsys, *words)[0] == 0
    said = re.search(
        r"fitwell predict .* --output predictions.csv", html.unescape(told(Path("p.html")))
    )
    assert said
    assert shlex.split(said[0])[2] == "my run/it's.safetensors"


def test_mistakes(folder: Path, capsys: Any, tmp_path: Path) -> None:
    loaded = tabular.load(folder / "model.safetensors")
    bare = {k: v for k, v in loaded.facts.items() if k != "origin"}
    tabular.TableModel(loaded.network, loaded.encoder, loaded.target, bare).save("bare.safetensors")
    code, _, err = run(capsys, "report", "bare.safetensors")
    assert code == 2
    assert "Name a table to judge it by: fitwell report MODEL DATA." in err
    origin = {**loaded.facts["origin"], "data": {"path": "gone.csv", "sha256": "00"}}
    moved = {**bare, "origin": origin}
    tabular.TableModel(loaded.network, loaded.encoder, loaded.target, moved).save("m.safetensors")
    code, _, err = run(capsys, "report", "m.safetensors")
    assert code == 2
    assert "file gone.csv: expected a file that exists" in err
    Path("gone.csv").write_text("a,target\n1,2\n")
    code, _, err = run(capsys, "report", "m.safetensors")
    assert code == 2
    assert "expected the data it was trained on, gone.csv, received other data there." in err
    code, _, err = run(capsys, "report", folder, "-o", "none/r.html")
    assert code == 2
    assert "Make the folder first." in err
