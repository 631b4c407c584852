"""Many networks as one population beside as many fits of fitwell, one after the other.

    python benchmarks/populations.py [--repeats 5] [--lanes 1,4,16,64,256]  (make bench-populations)

Both are what users call: `fit_many` with n seeds, and n times a new model, `compile` and `fit`.
Each ran once before, so nothing compiles in what is timed. Each size has a process of its own; the
two take turns, and a ratio is formed within a round. A whole run
puts its tables into RESULTS.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measures
import numpy as np
from machine import machine
from measures import Spread

PAGE = Path(__file__).parent / "RESULTS.md"
TITLE = "Populations"
LANES = (1, 4, 16, 64, 256)
GOAL = 5.0  # times 64 fits of the smallest network
WHAT = (
    "`fit_many` with n seeds beside n times a new model, `compile` and `fit`; both ran once before."
)
HEADERS = ("networks", "fit_many (s)", "n fits (s)", "ratio (range)", "us per network and step")


@dataclass(frozen=True)
class Size:
    """A network and its data."""

    title: str
    inputs: int
    hidden: tuple[int, ...]
    classes: int
    batch: int
    examples: int
    epochs: int


SIZES = {
    "tiny": Size("2-25-15-2, batch 32, 1000 examples", 2, (25, 15), 2, 32, 1000, 20),
    "small": Size("20-64-64-5, batch 64, 2000 examples", 20, (64, 64), 5, 64, 2000, 5),
    "middle": Size(
        "784-128-64-10, batch 64, 2000 examples, 2 epochs", 784, (128, 64), 10, 64, 2000, 2
    ),
}


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def worker(size: Size, lanes: int, repeats: int) -> None:
    """Prints one line of JSON: seconds of both, round by round, and both mean losses."""
    import fitwell as fw
    from fitwell.layers import Dense, Input

    rng = np.random.default_rng(0)
    x = rng.normal(size=(size.examples, size.inputs)).astype(np.float32)
    y = np.argmax(x[:, : size.classes] * np.roll(x[:, : size.classes], 1, 1), 1)
    given: dict[str, Any] = {"batch_size": size.batch, "epochs": size.epochs, "verbose": 0}

    def model(seed: int) -> fw.Sequential:
        hidden = [Dense(n, activation="relu") for n in size.hidden]
        last = Dense(size.classes, activation="softmax")
        made = fw.Sequential([Input((size.inputs,)), *hidden, last], seed=seed)
        made.compile("adam", metrics=["accuracy"])
        return made

    losses: dict[str, float] = {}

    def many() -> None:
        losses["many"] = fw.fit_many(model(0), x, y, seeds=lanes, **given).mean()["loss"][0]

    def one_by_one() -> None:
        ends = [model(seed).fit(x, y, **given).history["loss"][-1] for seed in range(lanes)]
        losses["solo"] = float(np.mean(ends))

    many(), one_by_one()
    rounds = [(seconds(many), seconds(one_by_one)) for _ in range(repeats)]
    print(json.dumps({"rounds": rounds, "losses": losses}))


def compare(name: str, lanes: int, repeats: int) -> tuple[list[str], Spread]:
    command = [sys.executable, __file__, "--worker", name, "--lanes", str(lanes)]
    done = subprocess.run(
        [*command, "--repeats", str(repeats)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{name}, {lanes} lanes failed:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    many, solo = zip(*found["rounds"], strict=True)
    if abs(found["losses"]["many"] - found["losses"]["solo"]) > 1e-4:
        sys.exit(f"{name}, {lanes} lanes: the work differs: {found['losses']}")
    size, ratio = SIZES[name], measures.ratios(solo, many)
    steps = lanes * size.epochs * -(-size.examples // size.batch)
    took = Spread.of(many).median
    line = [str(lanes), f"{took:.2f}", f"{Spread.of(solo).median:.2f}", ratio.text(2)]
    return [*line, f"{took / steps * 1e6:.1f}"], ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--lanes", default=",".join(map(str, LANES)))
    parser.add_argument("--worker", choices=tuple(SIZES), help=argparse.SUPPRESS)
    chosen, load = parser.parse_args(), os.getloadavg()[0]
    counts = [int(n) for n in chosen.lanes.split(",")]
    if chosen.worker:
        return worker(SIZES[chosen.worker], counts[0], chosen.repeats)
    page = [
        f"`python {shlex.join(sys.argv)}` on {datetime.date.today().isoformat()}, medians of "
        f"{chosen.repeats} rounds: {WHAT}",
        machine(load, ("fitwell", "jax", "numpy")),
    ]
    for name, size in SIZES.items():
        print(f"\n{size.title}\n{'  '.join(HEADERS)}")
        lines = []
        for lanes in counts:
            line, ratio = compare(name, lanes, chosen.repeats)
            lines.append(line)
            print("  ".join(line), flush=True)
            if (name, lanes) == ("tiny", 64):
                verdict = f"64 networks: {ratio.text(2)}, goal {GOAL:g}: "
                verdict += "reached." if ratio.median >= GOAL else "missed."
        page += [f"### {size.title}", measures.markdown(HEADERS, lines)]
        if name == "tiny" and 64 in counts:
            page.append(verdict)
            print(verdict)
    if counts == list(LANES):
        measures.written(PAGE, TITLE, page)
        print(f"written: {PAGE}")
    return None


if __name__ == "__main__":
    main()
