"""What the codes of the doctor say: complete, true where numbers can tell, and their code runs."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell.cli import main
from fitwell.data.arrays import DataWarning
from fitwell.doctor import codes
from fitwell.doctor.codes import CODES, Code, pages
from fitwell.errors import UnknownName

ROOT = Path(__file__).parents[2]

# Examples whose code the doctor does not say; all others it must. Empty is where this goes.
ALL = """
    unscaled_inputs unscaled_targets constant_feature sentinel_values nan_in_data duplicate_rows
    outliers float_precision too_little_data class_imbalance single_class_labels labels_not_integer
    labels_out_of_range label_shape_mismatch labels_independent_of_inputs train_val_overlap
    train_val_scale_mismatch train_val_label_mismatch missing_validation

    loss_mismatch output_activation_loss_mismatch output_range_mismatch missing_output_activation
    double_softmax relu_before_softmax softmax_single_unit softmax_hidden multilabel_softmax
    wrong_output_units metric_mismatch sum_reduction

    linear_hidden hidden_sigmoid too_deep too_narrow no_hidden_layer zero_init symmetric_init
    bad_init high_dropout over_regularized

    lr_too_high lr_too_low negative_lr adam_epsilon batch_too_large batch_too_small too_few_epochs
    vanishing_gradient exploding_gradient exploding_activation dying_relu saturation nan
    oscillating_loss slow_convergence loss_increasing high_initial_loss zero_loss negative_loss
    underfitting overfitting
"""


def test_every_code_has_an_entry_in_its_group() -> None:
    groups = [set(block.split()) for block in ALL.strip().split("\n\n")]
    assert [{code.name for code in group} for group in codes.GROUPS.values()] == groups


def test_every_fault_of_the_programs_of_others_has_an_entry() -> None:
    programs = json.loads(Path(__file__).with_name("programs.json").read_text())
    tags = {tag for one in programs for tag in one["fault_tags"]}
    assert tags - {"none", "optimizer"} <= set(CODES)  # "optimizer" names no fault


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_an_entry_is_complete_and_short(code: Code) -> None:
    assert all((code.title, code.what, code.why, code.unless, code.looks, code.cures, code.prints))
    assert not code.title.endswith(".")
    for sentence in (code.what, code.why, code.unless, *code.looks, *(c.does for c in code.cures)):
        assert sentence.endswith((".", ".)"))
        assert "  " not in sentence
    assert len(code.example.splitlines()) <= 10
    assert code.sources
    for text in (code.program, code.equation, code.prints, *(cure.code for cure in code.cures)):
        assert max(map(len, text.split("\n"))) <= 96  # in a terminal of 100


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.name)
def test_an_example_prints_what_its_entry_says_and_its_cures_run(code: Code, capsys: Any) -> None:
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of what the example is about
        exec(code.program, names)
        assert_alike(capsys.readouterr().out.strip(), code.prints)
        if "model" in names:  # a negative rate is refused before there is one
            assert code.name in named(names)
        for cure in code.cures:
            exec(cure.code, dict(names))


def assert_alike(said: str, expected: str) -> None:
    """The same words, and numbers within 15 % or 0.06: rounding differs between machines."""
    number = r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?"
    assert re.sub(number, "#", said) == re.sub(number, "#", expected)
    values = [
        [float(one.replace(",", "")) for one in re.findall(number, text)]
        for text in (said, expected)
    ]
    small = 0.06 if max(map(abs, values[1]), default=0) > 0.06 else 0
    np.testing.assert_allclose(*values, rtol=0.15, atol=small)


def named(names: dict[str, Any]) -> set[str]:
    """What the doctor finds in the model, the data and the last fit of an example."""
    model = names["model"]
    before = model.checkup(names["X"], names["y"], validation_data=names.get("validation"))
    after = () if model.history is None else model.history.findings
    return {said for one in (*before, *after) for said in (one.code, *one.symptoms)}


# What the entries state as numbers, against arithmetic.

NUMBERS = [
    ("class_imbalance", "0.199", -(0.05 * np.log(0.05) + 0.95 * np.log(0.95))),
    ("double_softmax", "0.55 for 3", np.log(1 + 2 / np.e)),
    ("double_softmax", "1.46 for 10", np.log(1 + 9 / np.e)),
    ("double_softmax", "0.23 for 10 classes", np.e / (np.e + 9)),
    ("float_precision", "128 at 1.7e9", float(np.spacing(np.float32(1.7e9)))),
    ("high_initial_loss", "2.30 for 10", np.log(10)),
    ("labels_independent_of_inputs", "0.693", np.log(2)),
    ("metric_mismatch", "0.986 for 69", 68 / 69),
    ("output_activation_loss_mismatch", "0.313", np.log(1 + 1 / np.e)),
    ("output_activation_loss_mismatch", "8.06", -np.log(1e-7) / 2),
    ("output_activation_loss_mismatch", "16.12", -np.log(1e-7)),
    ("saturation", "0.0099", 1 - np.tanh(3) ** 2),
    ("saturation", "0.0066", np.exp(-5) / (1 + np.exp(-5)) ** 2),
    ("saturation", "0.000045", np.exp(-10) / (1 + np.exp(-10)) ** 2),
    ("softmax_single_unit", "16.12", -np.log(1e-7)),
    ("too_little_data", "0.18", 2 * np.sqrt(0.8 * 0.2 / 20)),
    ("wrong_output_units", "2.30", np.log(10)),
    ("wrong_output_units", "1.10", np.log(3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "truth"), NUMBERS)
def test_numbers_in_the_text_are_right(name: str, text: str, truth: float) -> None:
    assert text in pages.page(CODES[name])
    stated = text.split()[0]
    digits = len(stated.partition(".")[2])
    assert float(stated) == round(truth, digits)


def test_losses_stop_where_the_entries_say() -> None:
    """The floors, reached by the best weights."""
    x = np.array([[-1.0], [1.0]])

    def least(loss: Any, y: Any, kernel: Any, activation: str) -> float:
        units = np.shape(kernel)[1]
        model = fw.Sequential([fw.Input((1,)), fw.layers.Dense(units, activation)])
        model.set_weights([np.array(kernel), np.zeros(units)])
        model.compile(loss=loss)
        return float(model.evaluate(x, y, verbose=0))

    twice = fw.losses.SparseCategoricalCrossentropy(from_logits=True)
    floor = least(twice, [0, 1], [[-100.0, 100.0, 0.0]], "softmax")
    assert floor == pytest.approx(np.log(1 + 2 / np.e), rel=1e-5)  # double_softmax
    stuck = least("binary_crossentropy", [0, 1], [[3.0]], "softmax")
    assert stuck == pytest.approx(-np.log(1e-7) / 2, rel=1e-5)  # softmax_single_unit
    both = least("categorical_crossentropy", [[1, 1], [1, 1]], [[0.0, 0.0]], "softmax")
    assert both == pytest.approx(2 * np.log(2), rel=1e-5)  # multilabel_softmax


def test_the_pages_are_those_of_the_text() -> None:
    folder = ROOT / "docs" / "doctor"
    written = {path.name: path.read_text() for path in folder.glob("*.md")}
    assert written == dict(pages.pages()), "make docs writes them anew"


def test_pages_are_written_and_old_ones_removed(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("of a code that is no more")
    pages.write(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(CODES) + 1
    assert (tmp_path / "nan.md").read_text().startswith("# nan\n")


def test_a_misspelt_code_is_answered_with_the_nearest() -> None:
    assert codes.get("Dying ReLU") is CODES["dying_relu"]
    with pytest.raises(UnknownName, match="Did you mean vanishing_gradient"):
        codes.get("vanishing_gradients")


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.usefixtures("_plain")
def test_explain_shows_all_of_an_entry(capsys: Any) -> None:
    code = CODES["dying_relu"]
    assert main(["explain", "dying_relu"]) == 0
    out = capsys.readouterr().out
    flat = " ".join(out.split())
    assert out.startswith(f"dying_relu  {code.title}\n")
    prose = [code.what, code.why, code.unless, *code.looks, *(cure.does for cure in code.cures)]
    code_lines = f"{code.program}\n{code.equation}\n{code.prints}".split("\n")
    code_lines += [line for cure in code.cures for line in cure.code.split("\n")]
    assert all(text.replace("`", "") in flat for text in prose)
    assert all(f"    {line}\n" in out for line in code_lines if line)
    assert all(source.url in out for source in code.sources)
    assert not [line for line in out.split("\n") if line != line.rstrip()]


@pytest.mark.usefixtures("_plain")
@pytest.mark.parametrize("arguments", [["explain"], ["explain", "--list"]])
def test_explain_lists_all_codes(capsys: Any, arguments: list[str]) -> None:
    assert main(arguments) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.split("\n")]
    assert {tuple(line) for line in lines} >= {(code.name, code.title) for code in CODES.values()}


def test_explain_answers_an_unknown_code(capsys: Any) -> None:
    assert main(["explain", "satuartion"]) == 2
    assert "Did you mean saturation?" in capsys.readouterr().err
