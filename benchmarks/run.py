"""Measures fitwell and its peers side by side and prints the tables.

    python benchmarks/run.py [--rows tiny_mlp,lstm] [--repeats 5]

"ourselves" among the rows is what fitwell promises of itself. What was measured takes its place in
RESULTS.md, row by row.
Each measurement is a process of its own with empty compile caches; the peers take turns, round by
round, so that a change of the machine's load meets all of them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measures
import populations
from machine import machine
from measures import OURS, Measurement, Rounds, Spread
from rich.console import Console
from rich.table import Table
from rows import ROWS, Row

HERE = Path(__file__).parent
TIMEOUT_S = 900
WIDTH = 140  # of the tables, where no terminal says how wide it is
NAME_WIDTH = 20
PACKAGES = ("fitwell", "jax", "torch", "keras", "tensorflow-cpu", "scikit-learn", "numpy")
IMPORT_GOAL_S, SECOND_START_GOAL_S, PREDICT_GOAL_US = 0.15, 0.5, 150.0
WATCHING_GOAL = 1.05
OURSELVES = "ourselves"
LANES = 64  # networks in the population


def work(arguments: Sequence[str], caches: Path) -> dict[str, Any]:
    """What a worker prints. Every library keeps its compiled programs in `caches`.

    Raises:
        SystemExit: the worker failed; says what it said.
    """
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(caches),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
        "KERAS_HOME": str(caches / "keras"),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
    command = [sys.executable, str(HERE / "worker.py"), *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def fresh(*arguments: str) -> dict[str, Any]:
    """A worker with empty caches."""
    with tempfile.TemporaryDirectory() as caches:
        return work(arguments, Path(caches))


def second(*arguments: str) -> dict[str, Any]:
    """The second of two equal workers that share their caches."""
    with tempfile.TemporaryDirectory() as caches:
        work(arguments, Path(caches))
        return work(arguments, Path(caches))


def measure(row: Row, repeats: int, console: Console) -> Rounds:
    rounds: dict[str, list[Measurement]] = {peer: [] for peer in row.peers}
    for number in range(repeats):
        for peer in row.peers:
            with console.status(f"{row.title}: round {number + 1} of {repeats}, {peer}"):
                rounds[peer].append(Measurement(**fresh(row.name, peer)))
    return rounds


def measure_ourselves(row: Row, repeats: int, console: Console) -> list[list[str]]:
    """What fitwell promises beside the training step, a line each."""
    imports, starts = [], []
    with console.status("start of fitwell"):
        for _ in range(repeats):
            imports.append(fresh("import")["fitwell_s"])
            starts.append(Measurement(**second(row.name, OURS)))
    first_fits = Spread.of([m.first_fit_s for m in starts])
    predicts = Spread.of([m.predict_us for m in starts])
    with console.status(f"{LANES} networks"):
        _, faster = populations.compare("tiny", LANES, repeats)
    many = f"{LANES} networks {populations.SIZES['tiny'].title}: fit_many against as many fits"
    line = measures.goal_line
    return [
        line("import fitwell, after import jax", Spread.of(imports), "s", IMPORT_GOAL_S),
        line(f"first fit in a second process, {row.title}", first_fits, "s", SECOND_START_GOAL_S),
        line(f"predict one example, {row.title}", predicts, "us", PREDICT_GOAL_US),
        line(many, faster, "times", populations.GOAL, least=True),
    ]


def measure_settings(console: Console) -> list[list[str]]:
    """What the doctor's watching costs each row's whole fit, and a callback after every batch."""
    lines = []
    for row in ROWS:
        with console.status(f"the doctor: {row.title}"):
            seconds = fresh(row.name, "watching")
        ratio = measures.ratios(seconds["on"], seconds["off"])
        what = f"fit with the doctor against one without, {row.title}"
        lines.append(measures.goal_line(what, ratio, "times", WATCHING_GOAL))
    with console.status("a callback after every batch"):
        seconds = fresh(ROWS[0].name, "per_batch")
    ratio = measures.ratios(seconds["on"], seconds["off"])
    what = f"fit with a callback after every batch against one without, {ROWS[0].title}"
    return [*lines, [what, f"{ratio.text(2)} times", "", ""]]


def show(console: Console, headers: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table()
    for number, header in enumerate(headers):
        table.add_column(header, overflow="fold", min_width=0 if number else NAME_WIDTH)
    for line in lines:
        table.add_row(*line)
    console.print(table)


def section(row: Row, repeats: int, console: Console) -> list[str]:
    """Measures a row, prints its table and returns what the page says of it."""
    rounds = measure(row, repeats, console)
    lines, verdict = measures.table(rounds), measures.verdict(rounds, row.goal)
    what = (
        f"{row.examples} examples, {row.epochs} epochs timed; the validation loss to which "
        f"the time is measured: {row.target:g}."
    )
    console.print(f"\n{row.title}: {what}")
    show(console, measures.HEADERS, lines)
    console.print(verdict)
    return [what, measures.markdown(measures.HEADERS, lines), verdict]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    names = [*(row.name for row in ROWS), OURSELVES]
    parser.add_argument("--rows", default=",".join(names), help=f"of {', '.join(names)}")
    parser.add_argument("--repeats", type=int, default=5, help="rounds, at least 1 (default 5)")
    chosen = parser.parse_args()
    unknown = set(chosen.rows.split(",")) - set(names)
    if unknown or chosen.repeats < 1:
        parser.error(f"the rows are {', '.join(names)}, repeats is at least 1")
    return chosen


def main() -> None:
    chosen, began, page = arguments(), time.monotonic(), HERE / "RESULTS.md"
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for row in (row for row in ROWS if row.name in chosen.rows.split(",")):
        when = occasion(chosen.repeats)
        measures.written(page, row.title, [when, *section(row, chosen.repeats, console)])
    if OURSELVES in chosen.rows.split(","):
        when = occasion(chosen.repeats)
        lines = measure_ourselves(ROWS[0], chosen.repeats, console) + measure_settings(console)
        show(console, measures.GOAL_HEADERS, lines)
        measures.written(
            page, "fitwell by itself", [when, measures.markdown(measures.GOAL_HEADERS, lines)]
        )
    minutes = (time.monotonic() - began) / 60
    console.print(f"Written to {page} after {minutes:.0f} minutes")


def occasion(repeats: int) -> str:
    """When, how and where; the load is that before the measurement."""
    load = os.getloadavg()[0]
    return (
        f"`python {shlex.join(sys.argv)}` on {datetime.date.today().isoformat()}, medians of "
        f"{repeats} rounds. {machine(load, PACKAGES)}"
    )


if __name__ == "__main__":
    main()
