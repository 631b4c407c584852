"""A run: what its folder holds, how it goes on, and networks other than the default."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score

from fitwell import files, tabular
from fitwell.cli import main, runs
from fitwell.cli.completing import codes, columns, data, tasks
from fitwell.cli.order import targets
from fitwell.data.tables import read_table
from fitwell.report.making import origin_of
from fitwell.settings import settings


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)


def run(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_folder_of_a_run(capsys: Any) -> None:
    words = ["train", "sklearn:iris", "--layers", "8", "--epochs", "3", "--folds", "3", "--json"]
    code, out, err = run(capsys, *words)
    assert code == 0
    said = json.loads(out)
    folder = Path(said["run"])
    assert folder == Path("runs/iris-1")
    assert (folder / "command.txt").read_text() == f"fitwell {' '.join(words)}\n"
    kept = json.loads((folder / "run.json").read_text())
    assert kept["order"] == {"data": "sklearn:iris", "layers": [8], "folds": 3, "epochs": 3}
    assert kept["state"] == "complete"
    assert kept["versions"]["fitwell"]
    metrics = json.loads((folder / "metrics.json").read_text())
    model = tabular.load(folder / "model.safetensors")
    assert metrics == json.loads(json.dumps(dict(model.facts)))
    assert metrics["scores"] == said["scores"]
    history = json.loads((folder / "history.json").read_text())
    assert len(history["history"]["val_loss"]) == 3
    log = (folder / "log.txt").read_text()
    assert "Scores on 30 test rows" in log
    assert f"epoch 2  loss {history['history']['loss'][2]:.5g}" in log
    assert "Scores on 30 test rows" in err  # for people; stdout is JSON alone

    held_out = pl.read_csv(folder / "out_of_fold.csv")
    true = read_table("sklearn:iris")["target"]
    rows = held_out["row"].to_numpy() - 1
    assert sorted(rows) == sorted(set(rows))
    assert len(rows) == 120
    words = "Each row was judged by a network that had not seen it."
    assert words in (folder / "report.html").read_text()
    assert run(capsys, "report", folder, "-o", "again.html")[0] == 0
    assert words in Path("again.html").read_text()
    folds = said["folds"]["scores"]["accuracy"]
    # Folds of equal size: the mean over folds is the mean over rows.
    own = accuracy_score(true.to_numpy()[rows], held_out["target"].to_numpy())
    assert folds["mean"] == pytest.approx(own)


def test_a_run_repeats_its_numbers_and_gets_its_own_folder(capsys: Any) -> None:
    words = ("train", "sklearn:wine", "--layers", "8", "--epochs", 4, "--seed", 3, "--no-report")
    one, other = (json.loads(run(capsys, *words, "--json")[1]) for _ in range(2))
    assert (one["run"], other["run"]) == ("runs/wine-1", "runs/wine-2")
    assert one["scores"] == other["scores"]
    np.testing.assert_array_equal(
        tabular.load(one["model"]).predict_proba("sklearn:wine"),
        tabular.load(other["model"]).predict_proba("sklearn:wine"),
    )


def test_predict_and_evaluate_take_the_folder(capsys: Any) -> None:
    words = ("train", "sklearn:iris", "--layers", "8", "--epochs", 2, "--no-report", "-o", "r")
    assert run(capsys, *words)[0] == 0
    code, out, _ = run(capsys, "predict", "r", "sklearn:iris", "--json")
    rows = json.loads(out)
    assert code == 0
    assert rows == tabular.load("r/model.safetensors").predictions("sklearn:iris").to_dicts()
    said = json.loads(run(capsys, "evaluate", "r", "sklearn:iris", "--json")[1])
    shown = [row["target"] for row in rows]
    true = read_table("sklearn:iris")["target"].to_list()
    assert said["scores"]["accuracy"] == pytest.approx(
        np.mean([a == b for a, b in zip(shown, true, strict=True)])
    )


ROOT = Path(__file__).parents[2]
LONG = [
    "train",
    "t.csv",
    "--target",
    "y",
    "--layers",
    "64,64",
    "--epochs",
    "60",
    "--no-report",
    "--json",
]


def _table(path: str) -> None:
    x = np.random.default_rng(0).normal(size=(1500, 6))
    frame = pl.DataFrame({f"x{i}": x[:, i] for i in range(6)})
    frame.with_columns(y=pl.Series(x[:, 0] * x[:, 1] + x[:, 2])).write_csv(path)


def _child(*words: str) -> subprocess.Popen[str]:
    program = (
        "import sys; from fitwell.cli import backing, main;"
        "backing._SECONDS_BETWEEN_BACKUPS = 0.0; sys.exit(main(sys.argv[1:]))"
    )
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait(child: subprocess.Popen[str], file: Path) -> None:
    """Until the child has written the file."""
    until = time.monotonic() + 120
    while not file.exists():
        assert child.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_killed_run_goes_on_bit_for_bit(capsys: Any) -> None:
    _table("t.csv")
    killed = _child(*LONG, "-o", "killed")
    backup = Path("killed/backup/backup.safetensors")
    _wait(killed, backup)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not Path("killed/model.safetensors").exists()
    assert " ".join(run(capsys, "predict", "killed", "t.csv")[2].split()) == (
        "Error run killed: expected a run with a model, received one that did not come to its end. "
        "Go on with fitwell train --resume killed."
    )

    out, _ = _child("train", "--resume", "killed", "--json").communicate(timeout=120)
    whole, _ = _child(*LONG, "-o", "whole").communicate(timeout=120)
    assert json.loads(out)["scores"] == json.loads(whole)["scores"]
    assert not backup.exists()
    code, _, err = run(capsys, "train", "--resume", "killed")
    assert code == 2
    assert " ".join(err.split()) == (
        "Error --resume killed: expected an unfinished run, received a complete one. Start a new "
        "run: leave --resume out."
    )


def test_a_run_that_the_clock_ended_goes_on(capsys: Any) -> None:
    _table("t.csv")
    limited = json.loads(run(capsys, *LONG, "-o", "r", "--time-limit", "0.05")[1])
    assert limited["stopped"] == "time_limit"
    assert Path("r/model.safetensors").exists()
    went_on = json.loads(run(capsys, "train", "--resume", "r", "--time-limit", "10m", "--json")[1])
    whole = json.loads(run(capsys, *LONG, "-o", "whole")[1])
    assert went_on["scores"] == whole["scores"]


def test_data_that_changed_are_no_way_to_go_on(capsys: Any) -> None:
    _table("t.csv")
    run(capsys, *LONG, "-o", "r", "--time-limit", "0.1")
    with Path("t.csv").open("a") as file:
        file.write("1,2,3,4,5,6,7\n")
    code, _, err = run(capsys, "train", "--resume", "r")
    assert code == 2
    assert err.strip() == (
        "Error run r: expected the data it began with (t.csv), received another version. "
        "Start a new run."
    )


def test_ctrl_c_keeps_the_best_model_and_says_so_by_the_exit_code(tmp_path: Path) -> None:
    _table("t.csv")
    words = [*LONG, "-o", "r"]
    words[words.index("60")] = "100000"
    child = _child(*words)
    backup = Path("r/backup/backup.safetensors")
    _wait(child, backup)
    while files.read(backup)[0]["facts"]["epoch"] < 5:  # validated at least once
        _wait(child, backup)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    said = json.loads(out)
    assert said["stopped"] == "interrupted"
    assert said["best_epoch"] >= 1
    assert tabular.load("r/model.safetensors").facts["scores"] == said["scores"]


def test_a_network_of_ones_own(capsys: Any) -> None:
    Path("net.py").write_text(
        "import fitwell as fw\n"
        "def build():\n"
        "    model = fw.Sequential([fw.layers.Dense(5, activation='tanh'),\n"
        "                           fw.layers.Dense(3, activation='softmax')], seed=1)\n"
        "    model.compile(fw.optimizers.Adam(0.05), loss='sparse_categorical_crossentropy')\n"
        "    return model\n"
    )
    words = ("train", "sklearn:iris", "--model", "net.py:build", "--epochs", 30, "--no-report")
    assert run(capsys, *words, "-o", "r")[0] == 0
    model = tabular.load("r/model.safetensors")
    assert [layer.units for layer in model.network.layers] == [5, 3]
    assert model.facts["scores"]["accuracy"] > 0.9  # the classes are nearly separable
    program = Path("net.py").read_text()
    assert json.loads(Path("r/run.json").read_text())["program"] == program
    assert origin_of(model.facts).program == program  # what the report shows
    _begun_again("r")
    Path("net.py").write_text(program.replace("5,", "6,"))
    code, _, err = run(capsys, "train", "--resume", "r")
    assert code == 2
    assert err.strip() == (
        "Error run r: expected the program it began with (net.py:build), received another "
        "version. Start a new run."
    )


def _begun_again(folder: str) -> None:
    """As if it had been killed."""
    path = Path(folder) / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "begun"}))


def test_a_run_that_goes_on_keeps_its_command(capsys: Any) -> None:
    words = ["train", "sklearn:iris", "--layers", "4", "--epochs", "2", "--no-report", "-o", "r"]
    code, out, _ = run(capsys, *words)
    assert (code, out.endswith("Saved in r: model, numbers, log\n")) == (0, True)
    _begun_again("r")
    assert run(capsys, "train", "--resume", "r")[0] == 0
    assert Path("r/command.txt").read_text() == f"fitwell {' '.join(words)}\n"
    assert tabular.load("r").facts["origin"]["command"] == words


def test_a_network_that_breaks(capsys: Any) -> None:
    _table("t.csv")
    Path("net.py").write_text(
        "import fitwell as fw, jax.numpy as jnp\n"
        "def build():\n"
        "    model = fw.Sequential([fw.layers.Dense(1), fw.layers.Lambda(jnp.log)], seed=1)\n"
        "    model.compile('adam', loss='mse')\n"
        "    return model\n"
    )
    words = ("train", "t.csv", "--target", "y", "--model", "net.py:build", "--epochs", 2)
    code, _, err = run(capsys, *words, "-o", "r")
    assert code == 2
    assert re.fullmatch(
        r"Error trained network: expected finite predictions for the validation and test rows, "
        r"received NaN or infinity for \d+ of 540\. See what the doctor says about the fit "
        r"\(history\.findings\)\.",
        err.strip(),
    )
    assert "NaN in layer lambda" in Path("r/log.txt").read_text()


def test_a_searched_network(capsys: Any) -> None:
    code, out, _ = run(
        capsys, "train", "sklearn:iris", "--tune", "6s", "-o", "r", "--json", "--no-report"
    )
    assert code == 0
    said = json.loads(out)
    assert said["stopped"] is None
    trials = json.loads(Path("r/trials.json").read_text())["trials"]
    assert said["trials"] in (0, len(trials))  # 0 where none had time for an epoch
    ours = "default network 8 members that share 2 x 256 relu"  # unless a trial is better
    names = [ours, *(f"units {trial['values']['units']}" for trial in trials)]
    assert any(name in said["network"] for name in names)
    assert said["scores"]["accuracy"] > 0.5  # the constant has a third


def stuck() -> None:
    """A network whose units start equal."""
    Path("net.py").write_text(
        "import fitwell as fw\n"
        "def build():\n"
        "    model = fw.Sequential([fw.layers.Dense(16, activation='relu', "
        "kernel_initializer='zeros'),\n"
        "                           fw.layers.Dense(3, activation='softmax', "
        "kernel_initializer='zeros')], seed=1)\n"
        "    model.compile(fw.optimizers.SGD(0.1), loss='sparse_categorical_crossentropy')\n"
        "    return model\n"
    )


def test_what_is_said_beside_a_finding_can_be_typed_in_the_shell(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck()
    monkeypatch.setattr(settings, "progress", "plain")
    words = "train", "sklearn:iris", "--model", "net.py:build", "--epochs", 2, "--no-report"
    _, out, _ = run(capsys, *words, "-o", "r")
    assert "zero_init" in out
    assert "the same command with --treat measures cures and keeps those that help" in out
    assert "history.findings" not in out
    _begun_again("r")  # a run that goes on takes no other options
    _, out, _ = run(capsys, "train", "--resume", "r")
    assert "zero_init" in out
    assert "--treat" not in out


def test_what_does_not_learn_is_treated(capsys: Any) -> None:
    stuck()
    words = (
        "train",
        "sklearn:iris",
        "--model",
        "net.py:build",
        "--epochs",
        30,
        "--treat",
        "--json",
        "--no-report",
    )
    code, out, _ = run(capsys, *words, "-o", "r")
    said = json.loads(out)
    assert code == 0
    assert said["treated"]
    assert said["scores"]["accuracy"] > 0.9


def test_the_doctors_findings_of_a_run(capsys: Any) -> None:
    found = {
        "code": "lr_too_low", "severity": "WARNING", "layer": None, "cause": "Slow.",
        "evidence": [{"what": "rate", "value": 1e-9, "unit": ""}], "cure": "Raise it.",
        "symptoms": [],
    }  # fmt: skip
    folder = runs.Run(Path("r"))
    folder.begin({}, [])
    folder.note(runs.HISTORY, {"findings": [found]})
    code, out, _ = run(capsys, "doctor", "r")
    assert code == 1
    assert "WARNING lr_too_low" in out
    assert json.loads(run(capsys, "doctor", "r", "--json")[1]) == {"findings": [found]}
    folder.note(runs.HISTORY, {"findings": []})
    assert run(capsys, "doctor", "r")[:2] == (0, "Checkup of the run r\n\nNothing found.\n")


def test_the_installation_is_checked(capsys: Any) -> None:
    code, out, _ = run(capsys, "doctor", "--json")
    checks = json.loads(out)
    assert code == 0
    assert checks["sums"] == [True, "the square of 32,768 comes out as 1,073,741,824"]
    assert checks["learning"][1].startswith("3 x + 2 is learned as 3.000 x + 2.000")
    assert f"python {sys.version.split()[0]}" in checks["versions"][1]


def test_data_sets(capsys: Any, tmp_path: Path) -> None:
    listed = json.loads(run(capsys, "datasets", "--json")[1])
    iris = next(each for each in listed if each["name"] == "iris")
    assert (iris["rows"], iris["columns"], iris["task"], iris["classes"]) == (
        150, 4, "multiclass", 3,
    )  # fmt: skip
    assert run(capsys, "datasets", "wine", "-o", "w.csv")[0] == 0
    assert read_table("w.csv").equals(read_table("sklearn:wine"))
    assert run(capsys, "datasets", "wnie")[2].strip().endswith("Did you mean wine?")


def test_columns_by_a_file(capsys: Any, tmp_path: Path) -> None:
    rows = {"a": [1, 2, 3] * 20, "b": list(np.linspace(0, 1, 60)), "y": [0, 1] * 30}
    pl.DataFrame(rows).write_csv("t.csv")
    Path("kinds.json").write_text('{"a": "category"}')
    words = ("train", "t.csv", "--target", "y", "--layers", "4", "--epochs", 1, "-o", "r")
    assert run(capsys, *words, "--columns", "kinds.json")[0] == 0
    features = tabular.load("r/model.safetensors").encoder.feature_names
    assert features == ("a=1", "a=2", "a=3", "b")
    Path("kinds.json").write_text("[1]")
    code, _, err = run(capsys, *words[:-1], "s", "--columns", "kinds.json")
    assert code == 2
    assert err.strip() == (
        'Error --columns kinds.json: expected a JSON file such as {"Pclass": "category", "Name": '
        '"text"}, received another form. Write it like this.'
    )


def test_columns_with_a_role(capsys: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    rows = {"x": x, "who": np.arange(120) // 6, "w": np.repeat([1.0, 2.0], 60), "y": x > 0}
    pl.DataFrame(rows).write_csv("t.csv")
    words = ("train", "t.csv", "--target", "y", "--layers", "4", "--epochs", 2, "--folds", 3)
    code, out, _ = run(
        capsys, *words, "--weights", "w", "--group", "who", "--json", "-o", "r", "--no-report"
    )
    assert code == 0
    held = pl.read_csv("r/out_of_fold.csv")["row"].to_numpy() - 1
    test = sorted(set(range(120)) - set(held))
    assert not set(np.array(rows["who"])[held]) & set(np.array(rows["who"])[test])
    assert tabular.load("r/model.safetensors").encoder.feature_names == ("x",)
    assert json.loads(out)["rows"]["test"] == len(test)


def test_rows_that_cannot_be_read(capsys: Any) -> None:
    lines = [f"{i},{i % 7},{i % 2}" for i in range(60)]
    Path("t.csv").write_text("\n".join(["a,b,y", *lines[:30], "1,2", *lines[30:]]) + "\n")
    words = ("train", "t.csv", "--target", "y", "--layers", "4", "--epochs", 1, "-o", "r")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "line 32" in err
    assert "--skip-bad-rows" in err
    code, out, _ = run(capsys, *words, "--skip-bad-rows")
    assert code == 0
    assert "t.csv, 60 rows" in out
    assert "line 32" in out


def test_a_folder_of_images(capsys: Any) -> None:
    bunch = load_digits()
    for digit in (0, 1):
        Path(f"digits/{digit}").mkdir(parents=True)
        for place, row in enumerate(np.flatnonzero(bunch.target == digit)[:40]):
            values = (bunch.images[row] * 15.9).astype(np.uint8)
            Image.fromarray(values).save(f"digits/{digit}/{place:02}.png")
    code, out, _ = run(capsys, "train", "digits", "--epochs", 15)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "Data digits, 80 images of 8 x 8 x 1"
    assert "Classes 2 (0, 1)" in lines
    folder = Path("runs/digits-1")
    assert "<svg" in (folder / "report.html").read_text()
    assert run(capsys, "report", folder, "-o", "again.html")[:2] == (0, "Report: again.html\n")
    scores = json.loads((folder / "metrics.json").read_text())["scores"]
    assert scores["accuracy"] > 0.9
    _another_image(capsys, folder)
    Path("digits/0/broken.png").write_text("no image")
    code, _, err = run(capsys, "evaluate", folder, "digits")
    assert (code, "--skip-bad-rows on the command line" in err) == (2, True)
    code, out, err = run(capsys, "evaluate", folder, "digits", "--skip-bad-rows", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 80)
    assert "1 file is no image and left out: " in err
    Path("digits/0/broken.png").unlink()
    predicted = json.loads(run(capsys, "predict", folder, "digits", "--json")[1])
    right = np.mean([Path(row["file"]).parent.name == row["class"] for row in predicted])
    said = json.loads(run(capsys, "evaluate", folder, "digits", "--json")[1])
    assert said["rows"] == 80
    assert said["scores"]["accuracy"] == pytest.approx(right)
    code, _, err = run(capsys, "train", "digits", "--target", "y")
    assert code == 2
    assert err.strip() == (
        "Error train: expected options for a folder of images, received --target. Leave it out: "
        "the classes are the sub-folders."
    )


def _another_image(capsys: Any, folder: Path) -> None:
    """Images that changed since are said, by the hash that sha256sum would give."""
    paths = sorted(each for each in Path("digits").rglob("*.png"))
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.parent.name}/{p.name}\n" for p in paths
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    order = json.loads((folder / "run.json").read_text())
    assert order["data"] == {"path": "digits", "sha256": digest}
    (folder / "run.json").write_text(json.dumps({**order, "state": "begun"}))
    first = paths[0].read_bytes()
    paths[0].write_bytes(paths[1].read_bytes())
    code, _, err = run(capsys, "report", folder)
    assert code == 2
    assert "expected the data it was trained on, digits, received other data there." in err
    code, _, err = run(capsys, "train", "--resume", folder)
    assert code == 2
    assert "expected the data it began with (digits), received another version." in err
    paths[0].write_bytes(first)


def test_several_targets(capsys: Any) -> None:
    x = np.random.default_rng(0).normal(size=(200, 2))
    rows = {"a": x[:, 0], "b": x[:, 1], "sum": x.sum(1), "up": x[:, 0] > 0}
    pl.DataFrame(rows).write_csv("t.csv")
    words = ("train", "t.csv", "--target", "sum,up", "--epochs", 4)
    code, out, _ = run(capsys, *words, "--layers", "8", "-o", "r")
    assert code == 0
    inner = tabular.load("r").network.network.layers
    assert [layer.units for layer in inner.values() if hasattr(layer, "units")] == [8, 1, 1]
    assert re.search(r"Scores on 40 test rows: sum\n.*\n.*linear regression", out)
    assert re.search(r"Scores on 40 test rows: up\n.*\n.*logistic regression", out)
    assert "<svg" in Path("r/report.html").read_text()
    assert run(capsys, "report", "r", "-o", "again.html")[:2] == (0, "Report: again.html\n")
    said = run(capsys, "predict", "r", "t.csv", "-o", "p.csv")[1]
    assert said == "200 predictions of sum, up: p.csv\n"
    code, out, _ = run(capsys, "checkup", "r", "t.csv")
    assert code == 0
    assert out.startswith("Checkup of r with 200 rows of t.csv\n")
    code, out, _ = run(capsys, "predict", "r", "t.csv", "--json")
    assert list(json.loads(out)[0]) == ["sum", "up", "p(up=False)", "p(up=True)"]
    rows = json.loads(run(capsys, "predict", "r", "t.csv", "--interval", 0.9, "--json")[1])
    assert list(rows[0])[2:4] == ["sum low", "sum high"]
    assert all(row["sum low"] <= row["sum"] <= row["sum high"] for row in rows)
    code, _, err = run(capsys, *words, "--folds", 3)
    assert code == 2
    assert err.strip() == (
        "Error train: expected options for several targets, received --folds. Leave it out, or "
        "train on one target at a time."
    )


def test_a_target_whose_name_holds_a_comma(capsys: Any) -> None:
    pl.DataFrame({"a": [1, 2], "size, m2": [3, 4]}).write_csv("t.csv")
    assert targets(["size, m2", "a"], "t.csv") == ("size, m2", "a")
    assert targets(["size, m2,a"], "t.csv") == ("size", "m2", "a")
    code, _, err = run(capsys, "train", "t.csv", "--target", "a,b")
    assert (code, "received 'b'" in err) == (2, True)


def test_intervals(capsys: Any) -> None:
    _table("t.csv")
    code, out, _ = run(capsys, *LONG[:-1], "-o", "r")
    assert code == 0
    facts = tabular.load("r/model.safetensors").facts["interval"]
    said = f"hold {facts['measured']:.0%} of these; mean width {facts['width']:#.4g}."
    assert f"Intervals that should hold 90% of true values {said}" in out
    code, out, _ = run(capsys, "predict", "r", "t.csv", "--interval", 0.8, "--json")
    rows = pl.DataFrame(json.loads(out))
    true = read_table("t.csv")["y"].to_numpy()
    inside = (rows["y low"].to_numpy() <= true) & (true <= rows["y high"].to_numpy())
    assert 0.7 < inside.mean() < 0.95
    code, _, err = run(capsys, "predict", "r", "t.csv", "--interval", 2)
    assert code == 2
    assert "coverage" in err


class _Typed:
    """What typer hands to a completion: the words so far."""

    def __init__(self, **params: Any) -> None:
        self.params = params


def _typed(name: str) -> Any:
    return _Typed(data=name)


def test_columns_are_read_from_the_beginning_of_a_file() -> None:
    """With 3 GB of rows, of which the disk holds none, below the names."""
    with Path("t.csv").open("wb") as file:
        file.write(b"price,place\n" + b"1,2\n" * 100_000)
        file.truncate(3 * 2**30)
    began = time.process_time()
    assert columns(_typed("t.csv"), "pl") == ["place"]
    assert time.process_time() - began < 1


def test_what_the_shell_offers(tmp_path: Path) -> None:
    pl.DataFrame({"price": [1], "place": [2], "area": [3]}).write_csv("t.csv")
    assert data("t") == ["t.csv"]
    assert data("sklearn:w") == ["sklearn:wine"]
    table = read_table("t.csv")
    table.write_parquet("t.parquet")
    table.write_ndjson("t.jsonl")
    Path("t.tsv").write_bytes("price\tplace\tarea\n1\t2\t3\n".encode("utf-16"))
    for name in ("t.csv", "t.parquet", "t.jsonl", "t.tsv"):
        assert columns(_typed(name), "p") == ["price", "place"]
    Path("t.csv").write_text("1,2.5\n3,4.5\n")
    assert columns(_typed("t.csv"), "") == ["column_1", "column_2"]
    assert columns(_typed("sklearn:iris"), "t") == ["target"]
    for broken in ("t.csv", "t.parquet", "t.jsonl", "t.npz"):
        Path(broken).write_bytes(b"")
        assert columns(_typed(broken), "") == []
    nothing: Any = _Typed(data="nowhere.csv")
    assert columns(nothing, "") == []
    assert tasks("r") == ["regression"]
    assert "dying_relu" in codes("dy")
