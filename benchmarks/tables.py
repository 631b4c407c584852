"""The default network for tables beside what people try first, nobody tuned: `make bench-tables`.

    python benchmarks/tables.py [--sets wine,digits] [--models "fitwell train,linear"]
        [--repeats 10] [--seeds 5] [--california PATH] [--write]

The sets of scikit-learn: `--repeats` times 5 folds; a standard error is that over repeats.
California housing (`--california`, a CSV with the column median_house_value): `--seeds` random
splits into 64 % training, 16 % validation, 20 % test. Everybody gets the same rows. A whole run
writes TABLES.md, and any run with `--write`.
"""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from machine import machine
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from table_models import TARGET, Answer, Rows, models

PAGE = Path(__file__).parent / "TABLES.md"
BUNDLED = ("breast_cancer", "wine", "digits", "diabetes")
CALIFORNIA = "california_housing"
Parts = tuple[int, Rows, Rows, Rows]
"""The number of the repeat, and the rows to train on, to validate on, to test on."""


@dataclass
class Result:
    """What one model did on one set: a score and seconds per fit, by repeat."""

    scores: list[tuple[int, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    facts: list[dict[str, float]] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return float(np.mean([score for _, score in self.scores]))

    @property
    def error(self) -> float:
        """Of the mean: the deviation between repeats over the root of their number."""
        numbers = sorted({number for number, _ in self.scores})
        if len(numbers) < 2:
            return float("nan")
        means = [np.mean([s for n, s in self.scores if n == number]) for number in numbers]
        return float(np.std(means, ddof=1) / np.sqrt(len(means)))


def read(name: str, california: str | None) -> tuple[pl.DataFrame, str]:
    """A set as a table with the column `target`, and its task."""
    if name == CALIFORNIA:
        frame = pl.read_csv(california).rename({"median_house_value": TARGET})
        return frame.with_columns(pl.col(TARGET) / 100_000), "regression"
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    frame = pl.DataFrame({f"x{i}": x[:, i] for i in range(x.shape[1])}).with_columns(
        pl.Series(TARGET, y)
    )
    if name == "diabetes":
        return frame, "regression"
    return frame, "binary" if len(np.unique(y)) == 2 else "multiclass"


def divided(name: str, frame: pl.DataFrame, task: str, repeats: int, seeds: int) -> Iterator[Parts]:
    """The parts of every fit; a fifth of the rows to learn from is there to validate on."""
    y, every = frame[TARGET].to_numpy(), np.arange(len(frame))
    if name == CALIFORNIA:
        for seed in range(seeds):
            rest, test = train_test_split(every, test_size=0.2, random_state=seed)
            train, validation = train_test_split(rest, test_size=0.2, random_state=seed)
            yield seed, train, validation, test
        return
    kind = KFold if task == "regression" else StratifiedKFold
    for repeat in range(repeats):
        for rest, test in kind(5, shuffle=True, random_state=repeat).split(every, y):
            labels = None if task == "regression" else y[rest]
            train, validation = train_test_split(
                rest, test_size=0.2, random_state=repeat, stratify=labels
            )
            yield repeat, train, validation, test


def score(task: str, y: Rows, predicted: Rows) -> float:
    """RMSE in the unit of the target, or accuracy.

    >>> score("binary", np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0]))
    0.75
    """
    if task == "regression":
        return float(np.sqrt(np.mean((y - predicted) ** 2)))
    return float(np.mean(y == predicted))


def measure(
    chosen: dict[str, Callable[..., Answer]],
    frame: pl.DataFrame,
    task: str,
    parts: Iterator[Parts],
) -> dict[str, Result]:
    """Every model on every part, in turns."""
    y = frame[TARGET].to_numpy()
    results = {name: Result() for name in chosen}
    for repeat, train, validation, test in parts:
        for name, model in chosen.items():
            began = time.perf_counter()
            predicted, facts = model(frame, task, train, validation, test, repeat)
            results[name].seconds.append(time.perf_counter() - began)
            results[name].scores.append((repeat, score(task, y[test], np.asarray(predicted))))
            results[name].facts.append(facts)
            print(f"  {repeat} {name}: {results[name].scores[-1][1]:.4f}", flush=True)
    return results


def table(name: str, frame: pl.DataFrame, task: str, results: dict[str, Result]) -> str:
    """A set as a heading, a table and a line about what fitwell says of itself."""
    measure_of = "RMSE" if task == "regression" else "accuracy"
    fits = len(next(iter(results.values())).scores)
    lines = [
        f"## {name}",
        "",
        f"{len(frame):,} rows, {len(frame.columns) - 1} columns; {fits} fits each.",
        "",
        f"| model | {measure_of} | standard error | seconds a fit |",
        "|---|---|---|---|",
    ]
    ranked = sorted(results.items(), key=lambda item: item[1].mean)
    for model, found in ranked if task == "regression" else reversed(ranked):
        seconds = np.median(found.seconds)
        error = f"{found.error:.4f}" if np.isfinite(found.error) else "one repeat"
        lines.append(f"| {model} | {found.mean:.4f} | {error} | {seconds:.1f} |")
    own = next((found.facts for found in results.values() if found.facts[0]), [])
    if own:
        means = {key: np.mean([each[key] for each in own]) for key in own[0]}
        told = ", ".join(f"{key} {value:.4g}" for key, value in means.items())
        lines += ["", f"fitwell train, means over fits: {told}."]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets")
    options.add_argument("--models")
    options.add_argument("--repeats", type=int, default=10)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--california", help="the CSV file")
    options.add_argument("--write", action="store_true", help="TABLES.md, though not all is run")
    given = options.parse_args()
    load, every = os.getloadavg()[0], models()
    sets = (
        given.sets.split(",") if given.sets else [*BUNDLED, *[CALIFORNIA][: bool(given.california)]]
    )
    names = given.models.split(",") if given.models else list(every)
    sections = []
    for name in sets:
        print(name, flush=True)
        frame, task = read(name, given.california)
        parts = divided(name, frame, task, given.repeats, given.seeds)
        results = measure({model: every[model] for model in names}, frame, task, parts)
        sections.append(table(name, frame, task, results))
        print(f"\n{sections[-1]}\n", flush=True)
    if given.write or not (given.sets or given.models):
        PAGE.write_text(page(sections, machine(load, ["fitwell", "jax", "scikit-learn"])))


def page(sections: list[str], computer: str) -> str:
    """TABLES.md."""
    about = (
        "Nobody is tuned; everybody gets the same rows. *fitwell train* learns from four fifths of"
        " the rows to learn from and stops by the others; *fitwell (all rows)* is the same network"
        " on all of them for the planned number of epochs, and the other models have all of them"
        " too. A standard error is the deviation between repeats (or splits) over the root of"
        " their number. Seconds are medians; the first fit of a new shape compiles as well."
    )
    today = datetime.date.today().isoformat()
    head = ["# Tables", "", about, "", f"Measured {today} by `make bench-tables`. {computer}", ""]
    return "\n".join([*head, "\n\n".join(sections), ""])


if __name__ == "__main__":
    main()
