"""The command line: what it prints, writes and answers to mistakes."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import fitwell
from fitwell import tabular
from fitwell.cli import main
from fitwell.cli.showing import course, number, scores
from fitwell.data.tables import read_table


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)


def run(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


WEIGHTS = (
    4 * (16 + 16 + 2 * 16)  # weight, bias and the heights of two bins
    + (4 * 3 + 1)  # their edges, and how many rows they come from
    + 8 * 64  # what each member makes of the features
    + (64 + 1) * 256
    + (256 + 1) * 256
    + 8 * (256 + 1) * 3
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "iris.safetensors"
    tabular.train("sklearn:iris", epochs=20, verbose=0).save(path)
    return path


def test_train_says_what_it_does_and_saves(capsys: Any, tmp_path: Path) -> None:
    table = read_table("sklearn:iris").with_row_index("id")
    table.write_csv(tmp_path / "flowers.csv")
    code, out, err = run(capsys, "train", "flowers.csv", "--target", "target", "--epochs", 20)
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[:7] == [
        "Data flowers.csv, 150 rows",
        "Target target: 3 classes (setosa, versicolor, virginica)",
        "Columns 4 numbers -> 4 features",
        "4 numbers: sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)",
        "Rows 96 training, 24 validation, 30 test",
        "Network 8 members that share 2 x 256 relu, 2 bins of 4 features, dropout 0.3: "
        f"{WEIGHTS:,} weights",
        "- id is left out: an id, different in every row.",
    ]
    assert "Scores on 30 test rows" in lines
    saved = tabular.load(tmp_path / "runs/flowers-1/model.safetensors")
    scores = saved.facts["scores"]
    linear = saved.facts["baselines"]["logistic regression"]
    constant = saved.facts["baselines"]["constant"]
    for name in ("accuracy", "balanced accuracy", "log loss"):
        shown = [number(column[name]) for column in (scores, linear, constant)]
        assert re.search(rf"{name}\W+" + r"\W+".join(map(re.escape, shown)), out), name
    assert re.search(
        r"Trained in \d+\.\d s, 20 of 20 epochs: best epoch \d+; then \d+ on training", out
    )
    assert "\nSaved in runs/flowers-1: model, numbers, log, report\n" in out
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_train_options(capsys: Any, tmp_path: Path) -> None:
    rows = {"a": [1, 2, 3] * 20, "b": list(np.linspace(0, 1, 60)), "y": [0, 1] * 30}
    pl.DataFrame(rows).write_csv(tmp_path / "t.tsv", separator="\t")
    code, out, _ = run(
        capsys, "train", "t.tsv", "--target", "y", "--task", "regression",
        "--columns", "a=category", "--epochs", 2, "--seed", 5, "--time-limit", "1m", "-o", "m",
        "--no-report",
    )  # fmt: skip
    assert code == 0
    assert "y: a number" in out
    assert "Columns  1 category, 1 number -> 4 features" in out
    saved = tabular.load(tmp_path / "m/model.safetensors")
    assert saved.encoder.feature_names == ("a=1", "a=2", "a=3", "b")
    assert saved.network.seed == 5
    assert saved.facts["epochs"] == 2


def test_what_is_replaced_is_said_and_what_is_read_is_not_replaced(
    capsys: Any, model: Path, tmp_path: Path
) -> None:
    table = tmp_path / "flowers.csv"
    read_table("sklearn:iris").write_csv(table)
    before = table.read_bytes()
    message = (
        "Error file flowers.csv: expected a name for the output that no input has, received a file "
        "that this command reads. Choose another, for example --output new-flowers.csv."
    )
    code, _, err = run(capsys, "predict", model, table, "-o", "flowers.csv")
    assert (code, err.strip()) == (2, message)
    code, _, err = run(capsys, "train", table, "--target", "target", "-o", "flowers.csv")
    assert (code, err.strip()) == (
        2,
        "Error --output flowers.csv: expected a new or empty folder, received a file. "
        "Choose another name, or go on with --resume.",
    )
    assert table.read_bytes() == before
    assert run(capsys, "predict", model, table, "-o", "p.csv")[1].endswith("target: p.csv\n")
    _, out, _ = run(capsys, "predict", model, table, "-o", "p.csv")
    assert out == "150 predictions of target: p.csv (replaced an older file)\n"


def test_values_that_training_never_saw_are_said_on_stderr(
    capsys: Any, model: Path, tmp_path: Path
) -> None:
    table = read_table("sklearn:iris")[:3]
    first = table.columns[0]
    holes = table.with_columns(pl.Series(first, [None, 5.0, None]))
    holes.write_csv(tmp_path / "t.csv")
    center = tabular.load(model).encoder.columns[0].center
    note = (
        f"- {first}: 2 rows have no value, as none had in training; read as the median of "
        f"training, {center:g}.\n"
    )
    for command in ("predict", "evaluate"):
        code, out, err = run(capsys, command, model, "t.csv")
        assert (code, err) == (0, note)
        assert note not in out


ROOT = Path(__file__).parents[2]

ENDS: dict[tuple[Any, ...], str] = {
    (None, 7): "9 of 20 epochs: best epoch 7 kept",
    ("callback EarlyStopping", 7): "9 of 20 epochs: stopped early, best epoch 7 kept",
    ("interrupted", 7): "9 of 20 epochs: interrupted by Ctrl-C, best epoch 7 kept",
    (None, 7, 5): "9 of 20 epochs: best epoch 7; then 5 on training and validation rows together",
    ("time_limit", None): "9 of 20 epochs: ended by the time limit, before the first epoch ended",
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_fit_in_words(end: tuple[Any, ...]) -> None:
    facts = {"epochs": 9, "planned_epochs": 20, "stopped": end[0], "best_epoch": end[1]}
    facts |= dict(zip(["refit_epochs"], end[2:], strict=False))
    assert course(facts) == ENDS[end]


def test_the_end_of_a_search_in_words() -> None:
    facts = {"trials": 7, "stopped": "interrupted", "network": "units (8,)"}
    assert course(facts) == "7 trials, interrupted by Ctrl-C, units (8,)"
    assert course(facts | {"stopped": None}) == "7 trials, units (8,)"


def test_a_time_limit_is_said(capsys: Any, model: Path) -> None:
    """With the programs of the model above: half a second is not for compiling."""
    assert model.exists()
    _, out, _ = run(
        capsys, "train", "sklearn:iris", "--epochs", 90_000, "--time-limit", "0.5", "-o", "i",
        "--no-report",
    )  # fmt: skip
    assert re.search(r"s, \d+ of 90000 epochs: ended by the time limit, best epoch \d+ kept", out)


def test_ratings_may_be_a_quantity(capsys: Any) -> None:
    pl.DataFrame({"a": list(range(0, 120, 2)), "y": [1, 2, 3] * 20}).write_csv("r.csv")
    train = ("train", "r.csv", "--target", "y", "--epochs", 1, "--no-report")
    hint = "classes (1, 2, 3) (whole numbers: --task regression to predict a quantity)"
    assert hint in run(capsys, *train)[1]
    assert "whole numbers" not in run(capsys, *train, "--task", "multiclass")[1]


def test_an_r2_below_its_last_digit_is_nothing(capsys: Any) -> None:
    scores(Console(), "t", 5, {"RMSE": 0.00001, "R2": -5.4e-08}, {}, ())
    out = capsys.readouterr().out
    assert re.search(r"R2\W+0 ", out)
    assert "1.000e-05" in out


def test_predict_prints_csv_or_writes_a_file(capsys: Any, model: Path, tmp_path: Path) -> None:
    expected = tabular.load(model).predictions("sklearn:iris")
    code, out, err = run(capsys, "predict", model, "sklearn:iris")
    assert (code, err) == (0, "")
    assert out == expected.write_csv()
    for name in ("p.csv", "p.tsv", "p.parquet", "p.jsonl"):
        code, out, _ = run(capsys, "predict", model, "sklearn:iris", "-o", name)
        assert (code, out) == (0, f"150 predictions of target: {name}\n")
        read = read_table(tmp_path / name)
        assert read.columns == expected.columns
        assert read["target"].to_list() == expected["target"].to_list()
        np.testing.assert_array_equal(read.to_numpy()[:, 1:], expected.to_numpy()[:, 1:])


def test_predictions_stand_beside_the_ids_of_their_rows(capsys: Any, model: Path) -> None:
    net = tabular.load(model)
    facts = {"columns": [*net.facts["columns"], {**net.facts["columns"][0], **ID_COLUMN}]}
    dataclasses.replace(net, facts=facts).save("m.safetensors")
    table = read_table("sklearn:iris")[:3]
    for ids, written in ((["007", "8", "10"], ["007", "8", "10"]), ([7, None, 9], ["7", "", "9"])):
        table.with_columns(pl.Series("no", ids)).write_csv("t.csv")
        lines = run(capsys, "predict", "m.safetensors", "t.csv")[1].splitlines()
        assert lines[0].startswith("no,target,p(setosa),")
        assert [line.split(",")[0] for line in lines[1:]] == written
    rows = json.loads(run(capsys, "predict", "m.safetensors", "t.csv", "--json")[1])
    assert [row["no"] for row in rows] == [7, None, 9]
    assert "no" not in tabular.load("m.safetensors").predictions("t.csv").columns
    assert run(capsys, "predict", "m.safetensors", "sklearn:iris")[1].startswith("target,")


ID_COLUMN = {"column": "no", "kind": "id", "decision": "left out", "why": "an id, different in all"}


def test_it_ends_without_a_word_when_nobody_reads_on() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "fitwell", "explain", "--list"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, cwd=ROOT)
    os.close(write)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_rows_that_cannot_be_read(capsys: Any, model: Path) -> None:
    """Every command whose error offers the option has it."""
    lines = read_table("sklearn:iris").write_csv().splitlines()
    Path("t.csv").write_text("\n".join([*lines[:3], "1,2", *lines[3:]]) + "\n")
    note = "- 1 row could not be read and is left out: line 4 ("
    for command, *more in (["predict"], ["evaluate"], ["report", "-o", "r.html"], ["checkup"]):
        words = (command, model, "t.csv", *more)
        code, _, err = run(capsys, *words)
        assert code == 2
        assert "Or skip such rows: skip_bad_rows=True, --skip-bad-rows on the command line." in err
        code, _, err = run(capsys, *words, "--skip-bad-rows")
        assert code == 0
        assert err.startswith(note)
    out = run(capsys, "predict", model, "t.csv", "--skip-bad-rows")[1]
    assert out == tabular.load(model).predictions("sklearn:iris").write_csv()


def test_an_interruption_is_said(capsys: Any) -> None:
    Path("net.py").write_text(
        "import os, signal\ndef build():\n    os.kill(os.getpid(), signal.SIGINT)\n"
    )
    words = ("train", "sklearn:iris", "--model", "net.py:build")
    assert run(capsys, *words) == (1, "", "Interrupted.\n")
    assert not Path("runs").exists()


def test_evaluate(capsys: Any, model: Path, tmp_path: Path) -> None:
    table = read_table("sklearn:iris")
    holes = table.with_columns(
        pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise(pl.col("target")).alias("target")
    )
    holes.write_parquet(tmp_path / "t.parquet")
    code, out, _ = run(capsys, "evaluate", model, "t.parquet")
    assert code == 0
    assert "- 50 of 150 rows have no target: they are left out." in out
    assert "Scores on 100 rows of t.parquet" in out
    assert re.search(r"- The model was trained or validated on about [78]\d% of these rows", out)
    for name, value in tabular.load(model).evaluate(table[50:]).items():
        assert re.search(rf"{name}\W+{re.escape(number(value))}", out), name
    assert re.search(r"log loss\W+[\d.]+\W+1\.099\W", out)  # ln 3: the constant says 1/3 for each
    mostly = tabular.load(model).evaluate(table[:60])  # 50 of 60 are of one class
    assert list(mostly) == list(tabular.load(model).facts["scores"])
    code, _, err = run(capsys, "predict", model, "t.parquet", "--interval", 0.9)
    assert (code, " ".join(err.split())) == (
        2,
        "Error --interval: expected a model of a number, received target, which has classes. "
        "Leave it out: the probability of each class is predicted without it.",
    )


def test_version_and_help(capsys: Any) -> None:
    assert run(capsys, "--version") == (0, f"fitwell {fitwell.__version__}\n", "")
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert "Usage: fitwell" in out
    for command in ("train", "predict", "evaluate"):
        assert command in out
        assert run(capsys, command, "--help")[0] == 0


def test_the_script_is_installed_under_this_name() -> None:
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'fitwell = "fitwell.cli:main"' in pyproject


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "fitwell", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"fitwell {fitwell.__version__}\n"


NET = """import fitwell as fw
def build():
    model = fw.Sequential([fw.layers.Dense(1)])
    model.compile(loss="mse")
    return model
"""

MISTAKES = {
    "time limit, before the data are read": (
        ["train", "nowhere.csv", "--target", "y", "--time-limit", "5x"],
        "Error train: expected a positive time_limit, received time_limit='5x'."),
    "epochs, before the data are read": (["train", "nowhere.csv", "--epochs", "0"],
                                         "Invalid value for '--epochs'"),
    "missing file": (["train", "nowhere.csv", "--target", "y"],
                     "Error file nowhere.csv: expected a file that exists, received none of this "
                     "name."),
    "misspelt target": (["train", "sklearn:iris", "--target", "targt"],
                        "Error table: expected the name of one of its columns, received 'targt'. "
                        "Did you mean target?"),
    "no target": (["train", "t.csv"], "Error train: expected the column to predict, received no "
                  "target. Name one (--target on the command line): a, y."),
    "misspelt set": (["train", "sklearn:irsi"], "received 'irsi'. Did you mean iris?"),
    "kind without =": (["train", "t.csv", "--target", "y", "--columns", "a"],
                       "Error --columns: expected COLUMN=KIND, received 'a'. For example --columns "
                       "Pclass=category."),
    "a model file for a folder": (
        ["train", "t.csv", "--target", "y", "-o", "m.safetensors"],
        "Error --output m.safetensors: expected the folder of the run, received the name of a "
        "model file. Write --output m: the model is model.safetensors in it."),
    "no data": (["train"], "Error train: expected the data to learn from, received no DATA. Name a "
                "file, or go on with a run by --resume."),
    "tune, before the data are read": (
        ["train", "nowhere.csv", "--target", "y", "--tune", "fast"],
        "Error train: expected a positive tune, received tune='fast'."),
    "two networks": (["train", "t.csv", "--layers", "8", "--tune", "5s"],
                     "Error train: expected one of --layers, --model, --tune, received --layers "
                     "and --tune. Leave the others out."),
    "layers": (["train", "t.csv", "--layers", "8,0"], "Error --layers: expected numbers of units, "
               "1 or more, received '8,0'. For example --layers 256,128."),
    "folds of the future": (["train", "t.csv", "--time", "a", "--folds", "3"],
                            "Error train: expected --folds or --time, received both. Leave one "
                            "out: folds would train on the future."),
    "weights in a search": (["train", "t.csv", "--weights", "a", "--tune", "5s"],
                            "Error train: expected --tune or --weights, received both. Leave one "
                            "out: a search does not weigh rows."),
    "folds of another network, found": (
        ["train", "t.csv", "--folds", "3", "--tune", "5s"],
        "Error train: expected --folds or --tune, received both. Leave one out: folds would "
        "measure another network than is found."),
    "folds of another network, cured": (
        ["train", "t.csv", "--folds", "3", "--treat"],
        "Error train: expected --folds or --treat, received both. Leave one out: folds would "
        "measure the network before its cure."),
    "epochs of a search": (["train", "t.csv", "--tune", "5s", "--epochs", "3"],
                           "Error train: expected --tune or --epochs, received both. Leave "
                           "--epochs out: the search decides how long a trial is."),
    "two limits of a search": (["train", "t.csv", "--tune", "5s", "--time-limit", "3s"],
                               "Error train: expected --tune or --time-limit, received both. "
                               "Leave --time-limit out: --tune TIME limits the search."),
    "size of a table": (["train", "t.csv", "--target", "y", "--image-size", "8"],
                        "Error train: expected options for a table, received --image-size. Leave "
                        "it out: only images have a size."),
    "a seed for a run": (["train", "--resume", "r", "--seed", "0"],
                         "Error train --resume: expected no option but --time-limit and --json, "
                         "received --seed. Leave it out: the run keeps its options."),
    "no report of a run": (["train", "--resume", "r", "--no-report"],
                           "received --report/--no-report. Leave it out"),
    "all data sets to one file": (["datasets", "-o", "w 1.csv"],
                                  "Error datasets: expected the NAME of the one to write, received "
                                  "none. For example fitwell datasets iris --output 'w 1.csv'."),
    "no run": (["train", "--resume", "."], "Error run .: expected the file run.json that fitwell "
               "train wrote, received none. Name the folder of a run."),
    "no model": (["predict", "t.csv", "t.csv"], "Error model file 't.csv': expected a safetensors "
                 "file that fitwell saved"),
    "ending of the output": (["predict", "m.safetensors", "t.csv", "-o", "p.xlsx"],
                             "Error file p.xlsx: expected one of the endings .csv, .tsv, .parquet, "
                             ".jsonl, .npz, received '.xlsx'. Choose one."),
    "unknown option": (["train", "t.csv", "--targt", "y"], "No such option: --targt"),
    "unknown command": (["trian"], "No such command 'trian'"),
    "one output for two targets": (
        ["train", "b.csv", "--target", "y,z", "--model", "net.py:build"],
        "Error MODEL net.py:build: expected 2 outputs, one for each target, received 1. Return "
        "fw.Model(inputs, outputs), compiled with a loss for each output."),
    "negative seed": (["train", "t.csv", "--seed", "-1"], "Invalid value for '--seed'"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_answered_by_one_message(case: str, capsys: Any, tmp_path: Path) -> None:
    arguments, message = MISTAKES[case]
    (tmp_path / "t.csv").write_text("a,y\n1,2\n2,3\n")
    (tmp_path / "net.py").write_text(NET)
    rows = [f"{i / 7},{i % 7},{i * i}" for i in range(40)]
    (tmp_path / "b.csv").write_text("\n".join(["a,y,z", *rows]))
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_debug_shows_where_an_error_arose(capsys: Any) -> None:
    with pytest.raises(fitwell.errors.InvalidFile):
        main(["--debug", "train", "nowhere.csv", "--target", "y"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.82681, "0.8268"), (48260.4, "48,260"), (0.5, "0.5000"), (-12.345, "-12.35"),
     (float("nan"), "-"), (1234567.8, "1,234,568")],
)  # fmt: skip
def test_numbers_have_four_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text
