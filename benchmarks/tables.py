"""The default network for tables beside what people try first, nobody tuned: `make bench-tables`.

    python benchmarks/tables.py [--sets wine,digits] [--models "fitwell train,linear"]
        [--repeats 10] [--seeds 5] [--california PATH] [--again] [--times]

The sets of scikit-learn: `--repeats` times 5 folds. California housing (`--california`, a CSV with
the column median_house_value): `--seeds` random splits into 64 % training, 16 % validation, 20 %
test. Everybody gets the same rows. What is measured is kept in `table_cells`, and a run that was
ended goes on from there; `--again` measures anew what was chosen, `--times` only how long a fit
takes (the first fold, once to compile and once by the clock). TABLES.md is written from all that
is kept.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import table_cells
import table_page
from machine import machine
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from table_cells import Cell, Cells
from table_models import SLOW, TARGET, Answer, Rows, models

PAGE = Path(__file__).parent / "TABLES.md"
BUNDLED = ("wine", "diabetes", "breast_cancer", "digits")
CALIFORNIA = "california_housing"
ELSEWHERE = """\
Not measured by this command: RealMLP-TD (pytabkit, PyTorch, untuned), on splits 0 to 2 of
california_housing and the same kind of machine in an earlier run, had an RMSE of 0.4798 in 104.8
seconds a fit."""
Parts = tuple[int, Rows, Rows, Rows]
"""The number of the repeat, and the rows to train on, to validate on, to test on."""


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


@dataclass
class Bench:
    """One set, the models, and the run that measures.

    Attributes:
        name, frame, task: the set.
        parts: of every fit, in order.
        chosen: the models by name.
        run: when this command was given.
    """

    name: str
    frame: pl.DataFrame
    task: str
    parts: Sequence[Parts]
    chosen: Mapping[str, Callable[..., Answer]]
    run: str

    def measure(self, cells: Cells, again: bool) -> None:
        """Every model on every repeat that is not there yet, in turns."""
        for repeat in sorted({number for number, *_ in self.parts}):
            for model in self.chosen:
                if again or not cells.has(model, repeat):
                    cells.add(self._cell(model, repeat))

    def _cell(self, model: str, repeat: int) -> Cell:
        load = os.getloadavg()[0]
        found = [self._fit(model, part) for part in self.parts if part[0] == repeat]
        scores, seconds, cpu, facts = zip(*found, strict=True)
        shared = [key for key in facts[0] if all(key in each for each in facts)]
        means = {key: float(np.mean([each[key] for each in facts])) for key in shared}
        print(f"  {self.name} {repeat} {model}: {np.mean(scores):.4f}", flush=True)
        return Cell(model, repeat, scores, seconds, cpu, load, self.run, means)

    def _fit(self, model: str, part: Parts) -> tuple[float, float, float, dict[str, float]]:
        """Score, seconds, CPU seconds and facts of a fit with its predictions."""
        repeat, train, validation, test = part
        began, used = time.perf_counter(), time.process_time()
        predicted, facts = self.chosen[model](
            self.frame, self.task, train, validation, test, repeat
        )
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
        y = self.frame[TARGET].to_numpy()[test]
        return score(self.task, y, np.asarray(predicted)), seconds, cpu, facts

    def clock(self) -> None:
        """How long the first fit takes each model, when everything is compiled."""
        for model in self.chosen:
            _, first, *_ = self._fit(model, self.parts[0])
            load = os.getloadavg()[0]
            _, seconds, cpu, _ = self._fit(model, self.parts[0])
            line = {
                "set": self.name, "model": model, "first": first, "seconds": seconds, "cpu": cpu,
                "load": load, "run": self.run,
            }  # fmt: skip
            table_cells.append(table_cells.FOLDER / "times.jsonl", line)
            print(f"  {self.name} {model}: {seconds:.2f} s", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--sets")
    options.add_argument("--models")
    options.add_argument("--repeats", type=int, default=10)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--california", help="the CSV file")
    options.add_argument("--again", action="store_true", help="measure anew what is kept")
    options.add_argument("--times", action="store_true", help="only how long a fit takes")
    given = options.parse_args()
    load, every = os.getloadavg()[0], models()
    sets = (
        given.sets.split(",") if given.sets else [*BUNDLED, *[CALIFORNIA][: bool(given.california)]]
    )
    names = given.models.split(",") if given.models else [n for n in every if n not in SLOW]
    run = _began(load)
    for name in sets:
        frame, task = read(name, given.california)
        parts = list(divided(name, frame, task, given.repeats, given.seeds))
        chosen = {model: every[model] for model in names}
        bench = Bench(name, frame, task, parts, chosen, run)
        if given.times:
            bench.clock()
            continue
        about = {"set": name, "task": task, "rows": len(frame), "columns": len(frame.columns) - 1}
        table_cells.append(table_cells.FOLDER / "sets.jsonl", about)
        bench.measure(Cells(name), given.again)
    PAGE.write_text(assembled(table_cells.FOLDER))


def _began(load: float) -> str:
    """The name of this run, which `runs.jsonl` describes."""
    run = datetime.datetime.now().isoformat(" ", "seconds")
    told = machine(load, ["fitwell", "jax", "scikit-learn"])
    asked = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, cwd=PAGE.parent, capture_output=True, text=True, check=False)
    line = {"run": run, "machine": told, "commit": commit.stdout.strip() or "unknown"}
    table_cells.append(table_cells.FOLDER / "runs.jsonl", line)
    return run


def assembled(folder: Path) -> str:
    """TABLES.md, from the cells of a folder."""
    sets = {line["set"]: line for line in table_cells.lines(folder / "sets.jsonl")}
    times = list(table_cells.lines(folder / "times.jsonl"))
    cells = {name: Cells(name, folder) for name in (*BUNDLED, CALIFORNIA) if name in sets}
    used = {cell.run for one in cells.values() for name in one.models for cell in one.of(name)}
    used |= {line["run"] for line in times}
    runs = [line for line in table_cells.lines(folder / "runs.jsonl") if line["run"] in used]
    sections = [
        table_page.section(
            name,
            f"{sets[name]['rows']:,} rows, {sets[name]['columns']} columns; {_fits(one)}.",
            one,
            sets[name]["task"] == "regression",
            [line for line in times if line["set"] == name],
            table_page.lettered(runs),
        )
        for name, one in cells.items()
        if one.models
    ]
    more = [ELSEWHERE] if CALIFORNIA in cells else []
    return table_page.page(sections, runs, more)


def _fits(cells: Cells) -> str:
    """How many fits each model had."""
    counts = {sum(len(cell.scores) for cell in cells.of(model)) for model in cells.models}
    told = str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"{told} fits each"


if __name__ == "__main__":
    main()
