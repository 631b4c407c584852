"""`make bench-tables` without measuring: its arithmetic by hand, and that an ended run goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import table_cells
import table_models
import table_page
import tables
from table_cells import Cell, Cells


def cell(model: str, repeat: int, *scores: float, run: str = "monday", **facts: float) -> Cell:
    return Cell(model, repeat, scores, (2.0,) * len(scores), (3.0,) * len(scores), 1.5, run, facts)


OWN = [cell("fitwell train", 0, 1.0, 3.0), cell("fitwell train", 1, 5.0, 7.0)]
OTHER = [cell("linear", 0, 0.0, 4.0), cell("linear", 1, 4.0, 4.0), cell("linear", 2, 9.0, 9.0)]


def test_differences_are_paired_and_their_errors_by_hand():
    # Fold by fold 1, -1, 1, 3; the third repeat has no partner. Repeats have the means 0 and 2.
    found = table_page.difference(OWN, OTHER, smaller=False)
    assert found.mean == 1.0
    assert found.between == pytest.approx(2**0.5 / 2**0.5)
    # The variance is 8 / 3; of 4 folds (1 / 4 + 1 / 4) of it, by Nadeau & Bengio.
    assert found.corrected == pytest.approx((8 / 3 / 2) ** 0.5)
    assert table_page.difference(OWN, OTHER, smaller=True).mean == -1.0


@pytest.mark.parametrize(("mean", "holds"), [(0.1, True), (-0.9, True), (-1.1, False)])
def test_as_good_within_one_standard_error(mean: float, holds: bool):
    assert table_page.Difference(mean, 1.0, 2.0).holds is holds


def test_one_repeat_has_no_standard_error_and_must_be_ahead():
    found = table_page.difference(OWN[:1], OTHER, smaller=True)
    assert np.isnan(found.between)
    assert found.holds
    assert not table_page.Difference(-0.1, float("nan"), 1.0).holds


def test_everybody_is_tested_once_per_repeat_on_rows_it_did_not_see():
    frame, task = tables.read("wine", None)
    parts = list(tables.divided("wine", frame, task, repeats=2, seeds=0))
    assert [number for number, *_ in parts] == [0] * 5 + [1] * 5
    for repeat in (0, 1):
        tested = np.concatenate([test for number, _, _, test in parts if number == repeat])
        assert sorted(tested) == list(range(178))
    for _, train, validation, test in parts:
        assert len({*train, *validation, *test}) == len(train) + len(validation) + len(test) == 178
    assert tables.score("regression", np.array([1.0, 2.0]), np.array([4.0, 6.0])) == 12.5**0.5


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path):
    frame, task = tables.read("wine", None)
    parts = list(tables.divided("wine", frame, task, repeats=3, seeds=0))
    asked = []

    def right(frame, task, train, validation, test, seed):
        asked.append(seed)
        return frame["target"].to_numpy()[test], {"epochs": float(seed)}

    def bench(run: str, repeats: int) -> tables.Bench:
        chosen = [part for part in parts if part[0] < repeats]
        return tables.Bench("wine", frame, task, chosen, {"right": right}, run)

    bench("monday", 2).measure(Cells("wine", tmp_path), again=False)
    with (tmp_path / "wine.jsonl").open("a") as file:
        file.write('{"model": "right", "repe')  # killed while it wrote
    bench("tuesday", 3).measure(Cells("wine", tmp_path), again=False)
    assert asked == [0] * 5 + [1] * 5 + [2] * 5
    found = Cells("wine", tmp_path).of("right")
    assert [(one.repeat, one.run, one.scores) for one in found] == [
        (0, "monday", (1.0,) * 5), (1, "monday", (1.0,) * 5), (2, "tuesday", (1.0,) * 5),
    ]  # fmt: skip
    assert [one.facts for one in found] == [{"epochs": 0.0}, {"epochs": 1.0}, {"epochs": 2.0}]
    bench("wednesday", 1).measure(Cells("wine", tmp_path), again=True)
    assert [one.run for one in Cells("wine", tmp_path).of("right")] == [
        "wednesday", "monday", "tuesday",
    ]  # fmt: skip


def test_the_page_is_what_was_measured(tmp_path: Path):
    append = table_cells.append
    append(tmp_path / "sets.jsonl", {"set": "wine", "task": "multiclass", "rows": 7, "columns": 2})
    for day in ("sunday", "monday", "tuesday"):
        append(tmp_path / "runs.jsonl", {"run": day, "commit": "c0ffee", "machine": "an abacus."})
    time = {"set": "wine", "model": "linear", "seconds": 0.5, "load": 0.25, "run": "tuesday"}
    append(tmp_path / "times.jsonl", time)
    cells = Cells("wine", tmp_path)
    for one in (
        cell("linear", 0, 0.5, 0.75), cell("linear", 1, 0.75, 1.0),
        cell("fitwell train", 0, 0.5, 1.0, epochs=10.0),
        cell("fitwell train", 1, 0.75, 0.75, run="tuesday", epochs=30.0),
    ):  # fmt: skip
        cells.add(one)
    text = tables.assembled(tmp_path)
    # Differences 0, 0.25, 0, -0.25: repeats 0.125 and -0.125, so 0 +- 0.125; their variance 1 / 24.
    assert "7 rows, 2 columns; 4 fits each." in text
    assert "| fitwell train | 0.7500 |  |  |  | 3.00 | 2.00 (1.5) | A, B |" in text
    assert "| linear | 0.7500 | +0.0000 | 0.1250 | 0.1443 | 3.00 | 0.50 (0.2) | A |" in text
    assert "(linear), within one standard error: yes (+0.0000 \u00b1 0.1250; for other" in text
    assert "fitwell train, means over fits: epochs 20." in text
    assert (
        "- A: monday, commit c0ffee, an abacus.\n- B: tuesday, commit c0ffee, an abacus.\n" in text
    )
    assert "sunday" not in text


def test_the_tables_of_the_benchmark_are_ready_for_training():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    frame = pl.DataFrame({"x": x, "target": 2 * x})
    rows = np.split(rng.permutation(60), [40, 50])
    prepared = table_models._prepared(frame, "regression", *rows)
    assert [len(part.x) for part in (prepared.train, prepared.validation, prepared.test)] == [
        40, 10, 10,
    ]  # fmt: skip
    np.testing.assert_allclose(prepared.test.true, 2 * x[rows[2]])
