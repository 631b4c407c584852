"""Training steps of single layers beside PyTorch's: microseconds and their ratio.

    python benchmarks/layers.py [--rows conv2d,lstm] [--rounds 5]

For fitwell many steps run inside one compiled loop, as in `fit`; PyTorch runs eagerly, images in
the faster of its two memory formats. A step is forward pass, gradients of weights and of the input,
and an update. Each library has a process of its own; they take turns row by row, and a ratio is
formed within a round, so that a change of the machine's load meets both. A run of all rows writes
LAYERS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import measures
from layer_rows import ROWS
from machine import machine
from measures import Spread

PAGE = Path(__file__).parent / "LAYERS.md"
PACKAGES = ("fitwell", "jax", "torch", "numpy")


def serve(library: str) -> None:
    """A worker: measures the row that each line of its input names, and prints one line of JSON."""
    import layer_steps

    name, programs = "", []
    for line in sys.stdin:
        if line.strip() != name:
            name = line.strip()
            programs = layer_steps.programs(library, ROWS[name])
            for program in programs:
                program.run()
        best = min(layer_steps.microseconds(program.run) for program in programs)
        work = {"weights": programs[0].weights, "outputs": programs[0].outputs}
        print(json.dumps({"us": best, "work": work}), flush=True)


def start(library: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--worker", library]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(worker: subprocess.Popen[str], name: str) -> dict[str, Any]:
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(f"{name}\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        sys.exit(f"a worker failed at {name}; its message is above")
    answer: dict[str, Any] = json.loads(line)
    return answer


def compare(names: list[str], rounds: int) -> list[list[str]]:
    workers = {library: start(library) for library in ("fitwell", "pytorch")}
    lines = []
    for name in names:
        found: dict[str, list[float]] = {library: [] for library in workers}
        for _ in range(rounds):
            answers = {library: ask(worker, name) for library, worker in workers.items()}
            wrong = ROWS[name].complaint(*(answer["work"] for answer in answers.values()))
            if wrong:
                sys.exit(f"{name}: the work differs: {wrong}")
            for library, answer in answers.items():
                found[library].append(answer["us"])
        lines.append(measures.layer_line(name, found["fitwell"], found["pytorch"], ROWS[name].bar))
        name, ours, theirs, *rest = lines[-1]
        print(f"{name:30}{ours:>9}{theirs:>9}  {'  '.join(rest)}", flush=True)
    for worker in workers.values():
        worker.communicate()
    return lines


def page(lines: list[list[str]], rounds: int, load: float) -> str:
    """LAYERS.md."""
    ratios = [float(each[3].split()[0]) for each in lines]
    under = sum(bool(each[-1]) for each in lines)
    parts = [
        "# Layers",
        f"`python {shlex.join(sys.argv)}` on {datetime.date.today().isoformat()}, medians of "
        f"{rounds} rounds. What is measured: see [README.md](README.md).",
        machine(load, PACKAGES),
        f"The ratio is PyTorch's time divided by fitwell's. {len(lines)} rows, {under} under their "
        f"bar; median ratio {Spread.of(ratios).text(2)}.",
        measures.markdown(measures.LAYER_HEADERS, lines),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", default=",".join(ROWS), help="names, with commas between")
    parser.add_argument("--rounds", type=int, default=5, help="at least 1 (default 5)")
    parser.add_argument("--worker", choices=("fitwell", "pytorch"), help=argparse.SUPPRESS)
    chosen, load = parser.parse_args(), os.getloadavg()[0]
    names = chosen.rows.split(",")
    if chosen.worker:
        serve(chosen.worker)
    elif chosen.rounds < 1 or not set(names) <= set(ROWS):
        parser.error(f"the rows are {', '.join(ROWS)}; rounds is at least 1")
    else:
        lines = compare(names, chosen.rounds)
        if names == list(ROWS):
            PAGE.write_text(page(lines, chosen.rounds, load))
            print(f"written: {PAGE}")


if __name__ == "__main__":
    main()
