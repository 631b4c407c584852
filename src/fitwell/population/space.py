"""What a search may choose: each trial asks for numbers and options by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fitwell.errors import InvalidArgument

Value = float | int | str | bool | None


class Draw(Protocol):
    """Where values come from."""

    def option(self, name: str, count: int) -> int:
        """A place below count."""

    def share(self, name: str) -> float:
        """A number in [0, 1)."""


class Random:
    """Values at random."""

    def __init__(self, seed: Sequence[int]) -> None:
        self.generator = np.random.default_rng(list(seed))

    def option(self, name: str, count: int) -> int:
        return int(self.generator.integers(count))

    def share(self, name: str) -> float:
        return float(self.generator.random())


class Choose:
    """Answers one trial's questions, and notes the answers.

    >>> choose = Choose(Random([0]))
    >>> units, rate = choose.integer("units", 8, 64), choose.number("rate", 1e-4, 1e-1, log=True)
    >>> choose.values == {"units": units, "rate": rate}, 8 <= units <= 64
    (True, True)

    Args:
        draw: where values come from.
        given: values that are fixed, by name.
    """

    def __init__(self, draw: Draw, given: Mapping[str, Value] | None = None) -> None:
        self.draw, self.given = draw, dict(given or {})
        self.values: dict[str, Value] = {}
        self.shapes: set[str] = set()  # the names that decide about the network's shape

    def option(self, name: str, options: Sequence[Any]) -> Any:
        """One of several values."""
        several = list(options)
        if not several:
            cure = "Give at least one."
            raise InvalidArgument(f"choose.option({name!r})", "options", "none", cure)
        self.shapes.add(name)
        if name not in self.given:
            return self._noted(name, several[self.draw.option(name, len(several))])
        given = self.given[name]  # a list, if it was a tuple before it was written to a file
        return self._noted(name, tuple(given) if isinstance(given, list) else given)

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number from low to high, both included; evenly on a log scale with `log`."""
        _check(name, low, high, log)
        self.shapes.add(name)
        if name in self.given:
            return int(self._noted(name, self.given[name]))
        share = self.draw.share(name)
        if log:
            value = math.exp(math.log(low) + share * (math.log(high + 1) - math.log(low)))
        else:
            value = low + share * (high + 1 - low)
        return int(self._noted(name, min(int(value), high)))

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number in [low, high]; evenly on a log scale with `log`."""
        _check(name, low, high, log)
        if name in self.given:
            return float(self._noted(name, self.given[name]))
        share = self.draw.share(name)
        if log:
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        return float(self._noted(name, float(f"{value:.6g}")))

    def _noted(self, name: str, value: Any) -> Any:
        self.values[name] = value
        return value


def _check(name: str, low: Any, high: Any, log: bool) -> None:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high))
    if not numbers or not low <= high or (log and low <= 0):
        bound = "0 < low <= high" if log else "low <= high"
        received = f"{low!r} and {high!r}"
        raise InvalidArgument(
            f"choose, {name!r}", f"numbers with {bound}", received, "Correct them."
        )


def from_optuna(trial: Any) -> Draw:
    """Values that an `optuna` trial proposes."""

    class Proposed:
        def option(self, name: str, count: int) -> int:
            return int(trial.suggest_categorical(name, list(range(count))))

        def share(self, name: str) -> float:
            return float(trial.suggest_float(name, 0.0, 1.0 - 1e-9))

    return Proposed()
