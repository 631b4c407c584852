"""From measured cells to TABLES.md: means, differences on the same rows, and the runs."""

from __future__ import annotations

import itertools
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from table_cells import Cell, Cells

OWN = "fitwell train"
_TEST_PER_TRAINED = 0.25
"""Test rows for each row to learn from: in five folds, and in splits of 80 and 20 %."""
ABOUT = """\
Nobody is tuned; everybody gets the same rows. What others learn from, *fitwell train* divides into
four fifths to learn from and a fifth that says when to stop; of tables of less than 10,000 rows it
then learns from all of them. Columns are standardised for the others, missing
numbers filled with the median, words one-hot.

*fitwell better by* is the mean difference on the same folds (or splits), + where fitwell is ahead.
Its *standard error* is the deviation between repeats over the root of their number: chance of the
divisions and the seeds, on these very rows. *For other rows* is that of Nadeau and Bengio
(Inference for the generalization error, 2003), which knows that repeats share their rows: it says
how sure the difference is for rows like these. *CPU seconds* are those of a fit with its
predictions, over all cores, medians; *seconds* by the clock, with the load of the machine
(processes that want a core) in brackets: they compare only where it was idle. The
letters say in which runs (below) a line was measured."""


@dataclass(frozen=True)
class Difference:
    """By how much fitwell is better, in the unit of the score.

    Attributes:
        mean: over all folds.
        between: standard error over repeats on the same rows; NaN of one repeat.
        corrected: standard error for other rows (Nadeau & Bengio); NaN of one fold.
    """

    mean: float
    between: float
    corrected: float

    @property
    def holds(self) -> bool:
        """Whether fitwell is as good within one standard error between repeats."""
        return self.mean >= 0 or self.mean >= -self.between


def difference(own: Sequence[Cell], other: Sequence[Cell], smaller: bool) -> Difference:
    """fitwell against another model, on the repeats that both have.

    Args:
        own, other: cells of each.
        smaller: whether smaller scores are better, as of RMSE.
    """
    theirs = {cell.repeat: cell.scores for cell in other}
    pairs = [(cell.scores, theirs[cell.repeat]) for cell in own if cell.repeat in theirs]
    sign = -1.0 if smaller else 1.0
    apart = [sign * (np.array(ours) - np.array(others)) for ours, others in pairs]
    each, means = np.concatenate(apart), np.array([one.mean() for one in apart])
    many, folds = len(means), len(each)
    between = float(means.std(ddof=1) / np.sqrt(many)) if many > 1 else float("nan")
    scale = np.sqrt(1 / folds + _TEST_PER_TRAINED)
    corrected = float(each.std(ddof=1) * scale) if folds > 1 else float("nan")
    return Difference(float(each.mean()), between, corrected)


def section(
    title: str,
    about: str,
    cells: Cells,
    smaller: bool,
    times: Sequence[Mapping[str, Any]],
    letters: Mapping[str, str],
) -> str:
    """One set: a table, the verdict, and what fitwell says of itself.

    Args:
        title, about: the set, and how large it is.
        cells: what was measured on it.
        smaller: whether smaller scores are better.
        times: lines of `times.jsonl` of this set.
        letters: of runs.
    """
    digits = 3 if smaller and _mean(cells.of(cells.models[0])) > 10 else 4
    name = "RMSE" if smaller else "accuracy"
    head = f"| model | {name} | fitwell better by | standard error | for other rows"
    head += " | CPU seconds | seconds | run |"
    lines = [f"## {title}", "", about, "", head, "|---" * 8 + "|"]
    apart = {
        model: difference(cells.of(OWN), cells.of(model), smaller)
        for model in cells.models
        if model != OWN and cells.of(OWN)
    }
    for model in sorted(cells.models, key=lambda one: _mean(cells.of(one)), reverse=not smaller):
        found = cells.of(model)
        between = _compared(apart.get(model), digits)
        ran = ", ".join(sorted({letters[cell.run] for cell in found}))
        lines.append(
            f"| {model} | {_mean(found):.{digits}f} | {between} | {_median(found):.2f} | "
            f"{_clock(model, found, times)} | {ran} |"
        )
    return "\n".join([*lines, "", *_verdict(apart, digits), *_facts(cells.of(OWN))])


def _mean(cells: Sequence[Cell]) -> float:
    return float(np.mean([score for cell in cells for score in cell.scores]))


def _median(cells: Sequence[Cell]) -> float:
    return float(np.median([second for cell in cells for second in cell.cpu]))


def _compared(apart: Difference | None, digits: int) -> str:
    if apart is None:
        return " |  | "
    errors = (
        f"{one:.{digits}f}" if np.isfinite(one) else "one repeat"
        for one in (apart.between, apart.corrected)
    )
    return " | ".join([f"{apart.mean:+.{digits}f}", *errors])


def _clock(model: str, cells: Sequence[Cell], times: Sequence[Mapping[str, Any]]) -> str:
    """Seconds of a fit that was timed by itself, else of all; with the load."""
    alone = [line for line in times if line["model"] == model]
    if alone:
        return f"{alone[-1]['seconds']:.2f} ({alone[-1]['load']:.1f})"
    seconds = np.median([second for cell in cells for second in cell.seconds])
    return f"{seconds:.2f} ({np.median([cell.load for cell in cells]):.1f})"


def _verdict(apart: Mapping[str, Difference], digits: int) -> list[str]:
    """Against the best of the others."""
    if not apart:
        return []
    best = min(apart, key=lambda model: apart[model].mean)
    found = apart[best]
    if np.isnan(found.between):
        return ["One repeat says nothing about standard errors between repeats.", ""]
    word = "yes" if found.holds else "no"
    return [
        f"At least the best of the others ({best}), within one standard error: {word} "
        f"({found.mean:+.{digits}f} \u00b1 {found.between:.{digits}f}; for other rows "
        f"\u00b1 {found.corrected:.{digits}f}).",
        "",
    ]


def _facts(cells: Sequence[Cell]) -> list[str]:
    told = [cell.facts for cell in cells if cell.facts]
    if not told:
        return []
    shared = [key for key in told[0] if all(key in each for each in told)]
    means = {key: np.mean([each[key] for each in told]) for key in shared}
    words = ", ".join(f"{key} {value:.4g}" for key, value in means.items())
    return [f"{OWN}, means over fits: {words}."]


def lettered(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """A, B, ... for the runs in the order in which they began.

    >>> lettered([{"run": "monday"}, {"run": "tuesday"}])
    {'monday': 'A', 'tuesday': 'B'}
    """
    letters = (
        "".join(one) for n in (1, 2) for one in itertools.product(string.ascii_uppercase, repeat=n)
    )
    return {line["run"]: letter for line, letter in zip(runs, letters, strict=False)}


def page(sections: Sequence[str], runs: Sequence[Mapping[str, Any]], more: Sequence[str]) -> str:
    """TABLES.md."""
    letters = lettered(runs)
    began = [
        f"- {letters[line['run']]}: {line['run']}, commit {line['commit']}, {line['machine']}"
        for line in runs
    ]
    told = ["## Runs", "", "Each went on where the one before was ended.", "", *began]
    parts = ["# Tables", ABOUT.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n")]
    return "\n\n".join([*parts, *sections, *more, "\n".join(told)]) + "\n"
