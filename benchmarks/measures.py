"""What a worker measures, and the arithmetic of comparing: pure functions of numbers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = "fitwell"


@dataclass(frozen=True)
class Measurement:
    """One process: one peer doing one row's work once.

    Attributes:
        step_us: microseconds of the timed fit, its validation included, per training step.
        first_fit_s: seconds from the first call of fit to its end: compiling and one epoch.
        target_s: seconds from the first call of fit to the row's validation loss.
        memory_mb: the largest resident memory of the process until fit ended, in MiB.
        predict_us: microseconds to predict one example, after the first call.
        loss: mean training loss of the last epoch.
    """

    step_us: float
    first_fit_s: float
    target_s: float
    memory_mb: float
    predict_us: float
    loss: float


Rounds = Mapping[str, Sequence[Measurement]]
"""The measurements of one row: for each peer one per round."""


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of several measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        """
        >>> Spread(2.0, 1.5, 2.25).text(1)
        '2.0 (1.5..2.2)'
        """
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}..{self.high:.{digits}f})"


def ratios(peer: Sequence[float], ours: Sequence[float]) -> Spread:
    """The spread of peer / ours, round by round: a busy machine slows both of a round.

    >>> ratios([20.0, 60.0, 40.0], [10.0, 20.0, 10.0])
    Spread(median=3.0, low=2.0, high=4.0)
    """
    return Spread.of([p / o for p, o in zip(peer, ours, strict=True)])


def seconds_to(
    target: float, first_fit_s: float, first: float, epoch_s: float, later: Sequence[float]
) -> float:
    """Seconds until the validation loss is at most `target`.

    Args:
        first_fit_s: seconds of a first fit of one epoch, compiling included.
        first: validation loss after it.
        epoch_s: mean seconds of each epoch of a second fit that continues.
        later: validation losses after those, one of them at most `target`.

    >>> seconds_to(0.5, 2.0, 0.9, 0.25, [0.7, 0.4, 0.6])
    2.5
    """
    epochs = next(i for i, loss in enumerate([first, *later]) if loss <= target)
    return first_fit_s + epochs * epoch_s


def step_ratios(rounds: Rounds, peer: str) -> Spread:
    """How many times our time a peer's training step takes."""
    return ratios([m.step_us for m in rounds[peer]], [m.step_us for m in rounds[OURS]])


def verdict(rounds: Rounds, goal: float) -> str:
    """One sentence: the ratio of the fastest other library beside the goal."""
    best = min((p for p in rounds if p != OURS), key=lambda p: step_ratios(rounds, p).median)
    ratio = step_ratios(rounds, best)
    reached = _verdict(ratio.median >= goal)
    return f"Fastest other: {best}, {ratio.text(2)} times our time; goal {goal:g}: {reached}."


HEADERS = (
    "library",
    "us per step (range)",
    "times fitwell (range)",
    "first fit (s)",
    "to the loss (s)",
    "memory (MiB)",
    "predict one (us)",
    "final loss",
)


def table(rounds: Rounds) -> list[list[str]]:
    """The lines of a row's table as text, under `HEADERS`; medians over the rounds."""
    return [
        [
            peer,
            Spread.of([m.step_us for m in measured]).text(1),
            step_ratios(rounds, peer).text(2),
            f"{statistics.median(m.first_fit_s for m in measured):.2f}",
            f"{statistics.median(m.target_s for m in measured):.2f}",
            f"{statistics.median(m.memory_mb for m in measured):.0f}",
            f"{statistics.median(m.predict_us for m in measured):.0f}",
            f"{statistics.median(m.loss for m in measured):.3f}",
        ]
        for peer, measured in rounds.items()
    ]


GOAL_HEADERS = ("fitwell by itself", "median (range)", "goal", "")


def goal_line(what: str, seen: Spread, unit: str, goal: float, *, least: bool = False) -> list[str]:
    """One line under `GOAL_HEADERS`; `least`: the goal is the smallest good value.

    >>> goal_line("import", Spread(0.2, 0.1, 0.3), "s", 0.15)
    ['import', '0.20 (0.10..0.30) s', '<= 0.15 s', 'missed']
    """
    reached = seen.median >= goal if least else seen.median <= goal
    sign = ">=" if least else "<="
    return [what, f"{seen.text(2)} {unit}", f"{sign} {goal:g} {unit}", _verdict(reached)]


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"


LAYER_HEADERS = ("layer", "fitwell us per step", "PyTorch us per step", "ratio (range)", "bar", "")


def layer_line(name: str, ours: Sequence[float], theirs: Sequence[float], bar: float) -> list[str]:
    """One line under `LAYER_HEADERS`, from the microseconds of each round.

    >>> layer_line("conv1d", [100.0, 50.0, 100.0], [40.0, 40.0, 30.0], 0.5)
    ['conv1d', '100', '40', '0.40 (0.30..0.80)', '0.5', 'under 0.5']
    """
    ratio = ratios(theirs, ours)
    middles = [f"{statistics.median(values):.0f}" for values in (ours, theirs)]
    verdict = "" if ratio.median >= bar else f"under {bar:g}"
    return [name, *middles, ratio.text(2), f"{bar:g}", verdict]


def markdown(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    rule = ["---"] * len(headers)
    return "\n".join("| " + " | ".join(line) + " |" for line in (headers, rule, *lines))


HEAD = "# Results\n\nWhat is measured: see [README.md](README.md)."


def written(page: Path, title: str, parts: Sequence[str]) -> None:
    """Puts a section into the page: in the place of the one of that title, or at its end."""
    sections = page.read_text().split("\n## ")[1:] if page.exists() else []
    found = {text.partition("\n")[0]: text for text in sections}
    found[title] = "\n\n".join([title, *parts])
    page.write_text("\n## ".join(text.strip() + "\n" for text in [HEAD, *found.values()]))
