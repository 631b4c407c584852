"""What people see of findings: a terminal, a log, silence, a notebook."""

from __future__ import annotations

import contextlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.text import Text

import fitwell as fw
from fitwell.doctor import Evidence, Finding, Findings, Severity
from fitwell.doctor.showing import lines, print_rich, printer
from fitwell.errors import InvalidArgument, NotReady
from fitwell.settings import settings

HOSTILE = Finding(
    "unscaled_inputs", Severity.CRITICAL, "<script>a & b</script>", "if a < b:\n    x = '<b>'",
    (Evidence("spread of <x>", 7400.0, "m<s"),), "dense<1>", ("nan",),
)  # fmt: skip
MILD = Finding("too_deep", Severity.INFO, "Nine layers.", "Three.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Cells(HTMLParser):
    """The text of each cell of tables, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "br":
            self.rows[-1][-1] += "\n"

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1][-1] += data


def test_lines_of_a_log() -> None:
    assert lines([HOSTILE, MILD, MILD, MILD]) == [
        "x unscaled_inputs in dense<1>: <script>a & b</script>",
        "    cure: if a < b:",
        "              x = '<b>'",
        "- too_deep: Nine layers.",
        "    cure: Three.",
        "- too_deep: Nine layers.",
        "    cure: Three.",
        "  and too_deep: see history.findings",
    ]


def test_a_terminal_gets_colors_and_wrapped_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    long = Finding("nan", Severity.WARNING, "word " * 20, "[red]as it is[/red]", layer="dense")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_rich([long, HOSTILE])
    drawn = out.getvalue()
    plain = [Text.from_ansi(line).plain for line in drawn.splitlines()]
    assert "\x1b[1;33m! nan" in drawn  # bold, yellow
    assert "\x1b[1;31mx unscaled_inputs" in drawn  # bold, red
    assert plain[0].startswith("! nan in dense: word word")
    assert all(len(line) <= 40 and line == line.rstrip() for line in plain)
    assert plain[1].startswith("  word")
    assert " ".join(" ".join(plain[:4]).split()).count("word") == 20
    assert "  cure: [red]as it is[/red]" in plain  # no markup


@pytest.mark.parametrize(
    ("progress", "verbose", "name"),
    [
        ("auto", 1, "print_plain"), ("bar", "auto", "print_rich"), ("plain", 1, "print_plain"),
        ("bar", 2, "print_plain"), ("bar", 0, None), ("off", 1, None),
    ],
)  # fmt: skip
def test_who_prints(progress: str, verbose: int | str, name: str | None) -> None:
    settings.progress = progress
    with contextlib.redirect_stdout(io.StringIO()):
        assert getattr(printer(verbose), "__name__", None) == name


def fitted(verbose: int = 1) -> tuple[str, fw.Model]:
    """What a fit prints whose network cannot learn; it is found before the first step."""
    x = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    model = fw.Sequential([fw.layers.Dense(1, activation="softmax")], seed=0)
    model.compile("sgd", loss="mse", metrics=["accuracy"])
    with contextlib.redirect_stdout(Terminal()) as out:
        model.fit(x, x[:, 0] > 0, epochs=3, verbose=verbose)
    return out.getvalue(), model


def test_fit_prints_a_finding_once_and_not_under_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    settings.progress = "auto"
    drawn, _ = fitted()
    text = Text.from_ansi(drawn).plain
    assert text.count("x softmax_single_unit") == 1
    assert text.index("softmax_single_unit") < text.index("Epoch")
    settings.progress = "plain"
    drawn, _ = fitted()
    assert drawn.startswith("x softmax_single_unit in dense: ")
    assert "\x1b" not in drawn
    assert fitted(verbose=0)[0] == ""


def test_what_is_found_after_the_fit_stands_below_the_last_epoch() -> None:
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    model = fw.Sequential([fw.layers.Dense(1, activation="sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(0.01), loss="binary_crossentropy")
    for progress in ("plain", "bar"):
        settings.progress = progress
        with contextlib.redirect_stdout(io.StringIO()) as out:
            history = model.fit(x, x[:, 0] * x[:, 1] > 0, epochs=30)  # no line separates them
        (worst,) = history.findings.above()
        drawn = Text.from_ansi(out.getvalue()).plain
        assert drawn.count(f"! {worst.code}") == 1
        assert drawn.index(worst.code) > drawn.rindex("Epoch 30/30")


def test_the_hint_names_a_finding_that_is_there_when_the_fit_is_over() -> None:
    """Two are printed, the later one is worse: it stands before the first in the end."""
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32) * 1e4
    model = fw.Sequential([fw.layers.Dense(8, "relu"), fw.layers.Dense(2, "softmax")], seed=0)
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    settings.progress = "plain"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        history = model.fit(x, (x[:, 0] > 0).astype(int), epochs=4)
    hints = re.findall(
        r'finding = (history\.findings\["(\w+)"\]); finding\.prove\(\)', out.getvalue()
    )
    assert [code for _, code in hints] == ["lr_too_high", "unscaled_inputs"]
    assert history.findings.codes[:2] == ["unscaled_inputs", "lr_too_high"]
    for said, code in hints:
        assert eval(said).code == code
    treated = history.findings["unscaled_inputs"].apply()  # as its cure says
    assert "model = finding.apply()" in history.findings["unscaled_inputs"].cure
    assert treated.layers[0].name.startswith("normalization")


def test_no_hint_at_a_proof_that_there_is_not() -> None:
    """A constant feature among small ones: to leave it out is up to the user."""
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    model = fw.Sequential([fw.Input((3,)), fw.layers.Dense(1, "sigmoid")], seed=0)
    model.compile(fw.optimizers.Adam(0.01), loss="binary_crossentropy")
    settings.progress = "plain"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        history = model.fit(np.ones_like(x), x[:, 0] > 0, epochs=1)
    finding = history.findings["constant_feature"]
    assert "! constant_feature" in out.getvalue() or "x constant_feature" in out.getvalue()
    assert ".prove()" not in out.getvalue()
    with pytest.raises(NotReady):
        finding.prove("1s")


def test_findings_by_code() -> None:
    found = Findings([MILD, HOSTILE])
    assert found["too_deep"] is MILD
    assert "too_deep" in found
    assert MILD in found
    assert "nan" not in found
    with pytest.raises(InvalidArgument) as caught:
        found["nan"]
    assert str(caught.value) == (
        "findings: expected the code of a finding (one of unscaled_inputs, too_deep), received "
        "'nan'. findings.codes lists them."
    )


def test_findings_in_a_notebook() -> None:
    cells = Cells(Findings([MILD, HOSTILE])._repr_html_())
    assert cells.rows[0] == ["severity", "code", "layer", "cause", "evidence", "cure"]
    assert cells.rows[1] == [
        "CRITICAL", "unscaled_inputs", "dense<1>", "<script>a & b</script>",
        "spread of <x>: 7,400 m<s\nseen too: nan", "if a < b:\n    x = '<b>'",
    ]  # fmt: skip
    assert cells.rows[2][:2] == ["INFO", "too_deep"]
    assert "script" not in cells.tags
    assert Findings()._repr_html_() == "<p>nothing found</p>"


def test_one_finding_in_a_notebook() -> None:
    assert Cells(MILD._repr_html_()).rows == [
        ["severity", "INFO"], ["code", "too_deep"], ["cause", "Nine layers."], ["cure", "Three."],
    ]  # fmt: skip


def test_a_history_in_a_notebook_has_its_findings_below() -> None:
    _, model = fitted(verbose=0)
    history = model.history
    assert history is not None
    html = history._repr_html_()
    cells = Cells(html)
    assert cells.rows[0] == ["", "first", "last", "lowest", "highest"]
    first, last = (f"{history.history['accuracy'][i]:.4g}" for i in (0, -1))
    assert cells.rows[2][:3] == ["accuracy", first, last]
    assert cells.rows[3][0] == "severity"
    assert cells.rows[4][1] == "softmax_single_unit"
    assert html.startswith("<p>3 epochs, ")


def test_evidence_that_is_not_finite() -> None:
    assert str(Evidence("loss", float("nan"))) == "loss: NaN"
    assert str(Evidence("loss", float("-inf"), "nats")) == "loss: -inf nats"


def test_a_curvature_is_a_table_in_a_notebook() -> None:
    """mean((w x - y)^2) with x = 3 has the second derivative 2 * 3^2 = 18."""
    model = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1, use_bias=False)], seed=0)
    model.compile("sgd", loss="mse")
    shown = model.curvature(np.full((4, 1), 3.0), np.zeros(4))._repr_html_()
    assert "Curvature: minimum" in shown
    assert "18 to 18" in shown
