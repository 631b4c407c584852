"""Does `fw.treat` make others' programs succeed? `python -m tests.doctor.treatments [id ...]`.

A program succeeds if the number that its `success_criterion` names is reached by the treated model
on the data that the criterion names: validation data where there are any, else the training data.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from tests.doctor.programs import Data, Program, programs, score

import fitwell as fw


@dataclass(frozen=True)
class Outcome:
    """What a treatment made of a program: its score, and what the criterion asks."""

    id: str
    before: float | str
    score: float
    wanted: float
    seconds: float
    treated: fw.treatment.Treated

    @property
    def holds(self) -> bool:
        return self.score >= self.wanted

    def __str__(self) -> str:
        before = self.before if isinstance(self.before, str) else f"{self.before:.3f}"
        facts = f"{self.score:.3f} of {self.wanted:.3f}  {self.seconds:4.0f} s"
        cures = ", ".join(self.treated.cures) or self.treated.reason
        return f"{'ok  ' if self.holds else 'FAIL'} {self.id:38} {before:>8} -> {facts}  {cures}"


def curable() -> list[Program]:
    """Those with a criterion that is a number and a fix that was recorded."""
    found = []
    for program in programs():
        known = program.facts["measured"]["with_recorded_fix"] is not None
        if program.harmful and known and wanted(program, program.data()) is not None:
            found.append(program)
    return found


def wanted(program: Program, data: Data) -> float | None:
    """The criterion as an accuracy or an R2; None where it is no number."""
    text = program.facts["success_criterion"]
    _, y = judged(data)
    y = y.reshape(len(y), -1)
    share = y.mean(0)
    if "majority" in text:
        alone = y.shape[1] == 1
        majority = max(float(share[0]), 1 - float(share[0])) if alone else float(share.max())
        if "bits 0-2" in text:  # of all bits: the others are constant
            return float(np.maximum(share, 1 - share).mean()) + 0.01
        return majority + 0.05
    if found := re.search(r"mse<([\d.]+)", text):
        return 1 - float(found[1]) / float(y.var())
    if found := re.search(r"MSE < ([\d.]+)\*var", text):
        return 1 - float(found[1])
    found = re.search(r"(?:accuracy|R2)\s*(?:>=|==)\s*([\d.]+)", text)
    return None if found is None else float(found[1])


def judged(data: Data) -> tuple[np.ndarray, np.ndarray]:
    return data.validation if data.validation is not None else (data.x, data.y)


def outcomes(chosen: Iterable[Program], budget: str = "30s") -> Iterator[Outcome]:
    """Treats one after the other."""
    for program in chosen:
        data, began = program.data(), time.perf_counter()
        treated = fw.treat(
            program.model(), data.x, data.y, data.validation, budget=budget,
            epochs=program.get("epochs"), batch_size=program.get("batch_size"),
        )  # fmt: skip
        seconds = time.perf_counter() - began
        threshold = wanted(program, data)
        yield Outcome(
            program.id, program.facts["measured"]["as_found"], score(treated.model, *judged(data)),
            np.nan if threshold is None else threshold, seconds, treated,
        )  # fmt: skip


def report(chosen: Iterable[Program], budget: str = "30s", verbose: bool = False) -> float:
    """Prints a line per program; the share that succeeds."""
    held = []
    for one in outcomes(chosen, budget):
        held.append(one.holds)
        print(one, *([one.treated] if verbose else []), sep="\n", flush=True)
    print(f"{sum(held)} of {len(held)} programs succeed after treatment")
    return sum(held) / max(len(held), 1)


if __name__ == "__main__":
    names = sys.argv[1:]
    report([p for p in (programs() if names else curable()) if not names or p.id in names],
           verbose=bool(names))  # fmt: skip
