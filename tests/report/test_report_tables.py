"""The report of a model of tables: its numbers, its words, and a table that means harm."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from _pages import Page, check

import fitwell as fw
from fitwell import tabular
from fitwell.doctor import Evidence, Finding, Findings, Severity
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile
from fitwell.history import History
from fitwell.report import health
from fitwell.report import page as page_module
from fitwell.report.making import Origin
from fitwell.report.study import Study
from fitwell.report.writing import studies_of
from fitwell.tabular import Prepared, TableModel

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
MATH, YES = "a$x_{1}$\\frac", "yes</script>"


def table(rows: int = 300) -> pl.DataFrame:
    """A target that follows from one column; names and values that would like to be HTML."""
    random = np.random.default_rng(0)
    size, kind = random.normal(size=rows), random.choice([IMAGE, "plain"], rows)
    return pl.DataFrame(
        {
            SCRIPT: size,
            "kind": kind,
            MATH: random.normal(size=rows),
            "target": np.where(size > 0, YES, "no"),
        }
    )


@pytest.fixture(scope="module")
def trained() -> tuple[TableModel, Prepared, History]:
    prepared = tabular.prepare(table(), "target")
    network = fw.Sequential(
        [
            fw.Input(prepared.train.x.shape[1:]),
            fw.layers.Dense(8, "relu"),
            fw.layers.Dense(1, "sigmoid"),
        ]
    )
    network.compile(fw.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
    history = network.fit(
        prepared.train.x,
        prepared.train.encoded,
        epochs=20,
        doctor="off",
        validation_data=(prepared.validation.x, prepared.validation.encoded),
    )
    model = tabular.measured(prepared, network, epochs=20, best_epoch=17)
    evidence = (Evidence("share of <b>", 0.3), Evidence("share of the other", 0.1))
    history.findings = Findings(
        [Finding("some_code", Severity.WARNING, f"It is {SCRIPT}.", "<cure>", evidence, "a<b>")]
    )
    history.layers = [
        {"epoch": e, "step": 10 * e, "layer": name, "dead": 0.1 * e + 0.2 * i}
        for e in range(3)
        for i, name in enumerate(["one<i>", "two"])
    ]
    return model, prepared, history


@pytest.mark.parametrize("weights", [None, "w"])
def test_there_is_one_calibration_error(weights: str | None) -> None:
    draw = np.random.default_rng(0)
    frame = table(120).with_columns(w=draw.integers(0, 3, 120))
    prepared = tabular.prepare(frame, "target", weights=weights)
    model = tabular.measured(prepared, tabular.plain(prepared, (4,), 0))
    (found,) = studies_of(model, prepared, None, Origin("t.csv"))
    assert found.judgement.calibration is not None
    _, bins = found.judgement.calibration
    assert bins.error == pytest.approx(model.facts["calibration"]["after"]["ECE"], rel=1e-6)
    counted = 24 if weights is None else int((prepared.test.weights > 0).sum())
    assert bins.counts.sum() == counted


@pytest.fixture(scope="module")
def study(trained: tuple[TableModel, Prepared, History]) -> Study:
    (found,) = studies_of(*trained, Origin("t.csv"))
    return found


@pytest.fixture(scope="module")
def written(trained: tuple[TableModel, Prepared, History], tmp_path_factory: object) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"  # type: ignore[attr-defined]
    facts = {"Command": f"fitwell train {SCRIPT}.csv"}
    assert fw.report.write(path, *trained, source=f"{SCRIPT}.csv", facts=facts) == path
    return path


def test_the_page_is_whole_alone_and_harmless(written: Path) -> None:
    page = Page(written.read_text())
    check(page)
    for harmful in (SCRIPT, "onerror=alert(2)>", "<cure>", "one<i>", "a<b>"):
        assert harmful in page.seen  # as text
    assert written.read_text().count("<svg") >= 12


def test_every_section_is_there(written: Path) -> None:
    page = Page(written.read_text())
    sections = (
        "data scores course errors reliance worst suspects findings layers network use repeat"
    )
    assert [one for one in page.ids if one in sections.split()] == sections.split()
    for words in (
        "Confusion matrix", "ROC", "Precision and recall", "Calibration: expected error",
        "What the predictions rest on", "WARNING", "some_code", "share of the other: 0.1",
        "The share of units that are 0", "logistic regression", "jax 0.",
        f"fitwell train {SCRIPT}.csv",
        "192 for training, 48 for validation, 60 for the test",
        "makes probabilities as sure as they are right: logits are divided by",
    ):  # fmt: skip
        assert words in page.seen, words


def test_names_in_pictures_are_no_formulas(written: Path) -> None:
    assert f">{MATH}</text>" in written.read_text()


def test_scores_are_those_of_training(
    study: Study, trained: tuple[TableModel, Prepared, History]
) -> None:
    facts = trained[0].facts
    found = {name: value for name, (value, _, _) in study.judgement.scores.items()}
    assert found == pytest.approx(facts["scores"])
    for value, low, high in study.judgement.scores.values():
        assert low <= value <= high
    assert study.baselines == facts["baselines"]
    accuracy = f"{facts['scores']['accuracy']:.4g}"
    assert study.verdict.startswith(f"Accuracy {accuracy} (")
    assert "on 60 test rows, which training did not see; logistic regression rea" in study.verdict


def test_the_lines_that_load_it_name_the_file_as_the_command_does(
    trained: tuple[TableModel, Prepared, History],
) -> None:
    (found,) = studies_of(*trained, Origin("t.csv", "runs/t-1/model.safetensors"))
    assert "fw.tabular.load('runs/t-1/model.safetensors')" in found.python
    assert "fitwell predict runs/t-1/model.safetensors new.csv" in found.shell


def test_the_verdict_is_that_of_a_comparison_on_the_same_rows(
    trained: tuple[TableModel, Prepared, History],
) -> None:
    model, prepared, _ = trained
    facts = dict(model.facts) | {"network": "8 members", "members": 8}
    facts["differences"] = {name: [0.01, 0.02] for name in facts["baselines"]}
    sure, best = dataclasses.replace(model, facts=facts), {"accuracy": 0.001}
    facts["baselines"] = dict.fromkeys(facts["baselines"], best)
    (found,) = studies_of(sure, prepared, None, Origin())
    assert found.verdict.endswith("better than all of them by more than chance explains.")
    assert "Members are networks with weights in common" in dict(found.facts)["Network"]
    facts["differences"] = {name: [-0.01, 0.02] for name in facts["baselines"]}
    (found,) = studies_of(sure, prepared, None, Origin())
    assert "may be chance: its 95 % interval on the same rows is -0.01 to 0.02." in found.verdict


def test_the_worst_rows_are_those_of_the_table(
    study: Study, trained: tuple[TableModel, Prepared, History]
) -> None:
    """Row numbers count from 1 in the rows that were read."""
    model, prepared, _ = trained
    frame = table()
    rows = prepared.test.rows
    p = model.predict_proba(frame[rows])
    truth = (frame["target"][rows] == YES).to_numpy().astype(int)
    losses = -np.log(p[np.arange(len(rows)), truth])
    order = np.argsort(-losses)[:10]
    assert [int(row[0]) for row in study.worst.rows] == (rows[order] + 1).tolist()
    assert [row[1] for row in study.worst.rows] == frame["target"][rows[order]].to_list()
    assert float(study.worst.rows[0][3]) == pytest.approx(losses.max(), rel=1e-3)
    place = study.worst.header.index(SCRIPT)
    shown = [float(row[place]) for row in study.worst.rows]
    assert shown == pytest.approx(frame[SCRIPT][rows[order]].to_list(), rel=1e-3)


def test_what_matters_is_what_makes_the_target(study: Study) -> None:
    first, *others = study.reliance.importances
    assert first.name == SCRIPT
    assert first.low > 0
    assert all(one.value < first.value / 3 for one in others)
    assert {one.name for one in others} == {"kind", MATH}


def test_a_label_that_was_turned_around_is_suspected(
    trained: tuple[TableModel, Prepared, History],
) -> None:
    model, _, _ = trained
    frame = table(60)
    sure = int(np.argmax(frame[SCRIPT]))
    labels = frame["target"].to_list()
    labels[sure] = "no"
    wrong = frame.with_columns(target=pl.Series(labels))
    (found,) = studies_of(model, wrong, None, Origin())
    assert found.suspects.rows[0][:3] == (str(sure + 1), "no", YES)
    assert found.judged == "all 60 rows"
    assert found.baselines == {}


def test_rows_of_folds_are_suspected_too(trained: tuple[TableModel, Prepared, History]) -> None:
    """Of a row that is no test row the networks of the folds are sure that its label is wrong."""
    model, prepared, history = trained
    rows = np.concatenate([prepared.train.rows, prepared.validation.rows])
    wrong = int(rows[7])
    truth = (prepared.frame["target"] == YES).to_numpy()
    p = np.where(truth, 0.9, 0.1)
    p[wrong] = 0.001 if truth[wrong] else 0.999
    said = pl.DataFrame({"target": "", "p(no)": 1 - p[rows], f"p({YES})": p[rows], "row": rows + 1})
    (found,) = studies_of(model, prepared, history, Origin(), out_of_fold=said)
    listed = {row[0]: row[1:3] for row in found.suspects.rows}
    assert listed[str(wrong + 1)] == ((YES, "no") if truth[wrong] else ("no", YES))
    assert " of 300 rows (" in found.suspicion
    assert found.suspicion.endswith("Each row was judged by a network that had not seen it.")
    assert set(listed) <= {str(wrong + 1), *(str(row + 1) for row in prepared.test.rows)}
    for other in (said.drop("p(no)"), said.with_columns(row=pl.lit("1"))):
        with pytest.raises(InvalidData, match=r"expected what tabular\.cross_validate returned"):
            studies_of(model, prepared, history, Origin(), out_of_fold=other)


def test_rows_without_any_target(trained: tuple[TableModel, Prepared, History]) -> None:
    frame = table(9).with_columns(target=pl.lit(None, pl.String))
    with pytest.raises(InvalidData, match="target target: expected a value in some rows, received"):
        studies_of(trained[0], frame, None, Origin())


def test_rows_count_as_they_were_read(trained: tuple[TableModel, Prepared, History]) -> None:
    """Also those without a target, of which nothing is said."""
    model, _, _ = trained
    known = pl.int_range(40) % 4 != 0
    frame = table(40).with_columns(target=pl.when(known).then("target"))
    for data, words in ((frame, "all 30 rows"), (tabular.prepare(frame, "target"), "test rows")):
        (found,) = studies_of(model, data, None, Origin())
        assert words in found.judged
        place = found.worst.header.index(SCRIPT)
        for row in found.worst.rows:
            read = frame.row(int(row[0]) - 1, named=True)
            assert row[1] == read["target"]
            assert float(row[place]) == pytest.approx(read[SCRIPT], rel=1e-3)


def test_updates_are_seen_where_the_rate_begins_at_nothing() -> None:
    """Values 0, 0.003 and 0.001: the axis is logarithmic, from half of the least on."""
    records = [
        {"step": step, "layer": "one", "update_ratio": value}
        for step, value in enumerate((0.0, 0.003, 0.001))
    ]
    ((draw, _),) = health.layers(records)
    (axes,) = draw().axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] == pytest.approx(0.0005)


def test_without_a_history(trained: tuple[TableModel, Prepared, History], tmp_path: Path) -> None:
    model, prepared, _ = trained
    model.save(tmp_path / "m.safetensors")
    path = fw.report.write(tmp_path / "r.html", tabular.load(tmp_path / "m.safetensors"), prepared)
    page = Page(path.read_text())
    check(page)
    assert "There is no history of the fit" in page.seen
    assert "layers" not in page.ids


def test_several_targets_are_on_one_page(tmp_path: Path) -> None:
    frame = table(120).with_columns(price=pl.col(SCRIPT) * 10)
    names = ["target", "price"]
    views = tabular.prepare_several(frame, names)
    x = fw.Input(views[0].train.x.shape[1:])
    hidden = fw.layers.Dense(8, "relu")(x)
    heads = [fw.layers.Dense(1, "sigmoid")(hidden), fw.layers.Dense(1)(hidden)]
    network = fw.Model(x, heads)
    network.compile(loss=["binary_crossentropy", "mse"])
    model = tabular.fit_several(views, network, epochs=2, verbose=0, doctor="off")
    page = Page(fw.report.write(tmp_path / "r.html", model, views).read_text())
    check(page)
    assert "target1-top" in page.ids
    assert "target2-scores" in page.ids
    for name in names:
        value = next(iter(model[name].facts["scores"].values()))
        assert f"{value:.4g} (" in page.seen


def test_pictures_that_do_not_fit_are_counted(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "_MOST_BYTES", 30_000)
    page = Page(page_module.render([study]))
    check(page)
    assert 1 <= page.tags.count("svg") < 6
    assert "pictures are left out: the page would be too large" in page.seen


def test_errors(trained: tuple[TableModel, Prepared, History], tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"a path that ends in \.html, received path='r.pdf'"):
        fw.report.write("r.pdf", *trained)
    with pytest.raises(InvalidFile, match="folder"):
        fw.report.write(tmp_path / "none" / "r.html", *trained)
    with pytest.raises(InvalidArgument, match="report: expected a model, received a int"):
        fw.report.write(tmp_path / "r.html", 3, trained[1])


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_PROBE = """<script>
const out = {width: innerWidth, page: document.documentElement.scrollWidth, boxes: [], colours: []};
for (const each of document.querySelectorAll("svg, img")) {
  const box = each.getBoundingClientRect();
  out.boxes.push([box.width, box.height]);
}
const text = document.querySelector("svg text");
out.colours = [getComputedStyle(text).fill, getComputedStyle(document.body).backgroundColor];
document.title = "PROBE" + JSON.stringify(out);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (500, True)])
def test_a_browser_shows_every_figure(
    written: Path, tmp_path: Path, width: int, dark: bool
) -> None:
    """No error in the console, no figure without a size, no scrolling sideways."""
    import json
    import re

    path = tmp_path / "probed.html"
    path.write_text(written.read_text().replace("</body>", _PROBE + "</body>"))
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2000",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    found = re.search(r"<title>PROBE(.*?)</title>", done.stdout)
    assert found is not None
    seen = json.loads(found[1])
    assert len(seen["boxes"]) == written.read_text().count("<svg")
    assert all(wide > 100 and high > 50 for wide, high in seen["boxes"])
    assert seen["page"] <= seen["width"] == width
    ink, ground = (sum(map(int, re.findall(r"\d+", each)[:3])) for each in seen["colours"])
    assert (ink > 600 and ground < 100) if dark else (ink < 150 and ground > 700)
