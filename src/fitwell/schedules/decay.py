"""Schedules that fall: in steps, exponential, inverse-time, polynomial; and the constant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.schedules.base import Schedule, as_float, check_nonnegative, check_positive
from fitwell.types import HostArray


class ConstantSchedule(Schedule):
    """rate = learning_rate at every step.

    >>> ConstantSchedule(0.1)([0, 1000]).tolist()
    [0.1, 0.1]

    Args:
        learning_rate: the rate, in [0, inf).
    """

    learning_rate: float

    def validate(self) -> None:
        check_nonnegative(self, "learning_rate")

    def __call__(self, step: Any) -> HostArray:
        return np.full(np.shape(step), self.learning_rate, np.float64)


class ExponentialDecay(Schedule):
    """rate = initial_learning_rate * decay_rate ** (step / decay_steps).

    >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)([0, 100, 200]).tolist()
    [0.1, 0.05, 0.025]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        decay_steps: steps per factor of `decay_rate`, in (0, inf).
        decay_rate: the factor, in [0, inf).
        staircase: round `step / decay_steps` down, so that the rate falls in jumps.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "decay_rate")
        check_positive(self, "decay_steps")

    def __call__(self, step: Any) -> HostArray:
        periods = _periods(step, self.decay_steps, self.staircase)
        return np.asarray(self.initial_learning_rate * self.decay_rate**periods)


class StepDecay(Schedule):
    """rate = initial_learning_rate * decay_rate ** floor(step / decay_steps).

    >>> StepDecay(0.5, decay_steps=30, decay_rate=0.5)([0, 29, 30, 60]).tolist()
    [0.5, 0.5, 0.25, 0.125]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        decay_steps: steps between two jumps, in (0, inf).
        decay_rate: the factor of a jump, in [0, inf).
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float = 0.1

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "decay_rate")
        check_positive(self, "decay_steps")

    def __call__(self, step: Any) -> HostArray:
        jumps = _periods(step, self.decay_steps, True)
        return np.asarray(self.initial_learning_rate * self.decay_rate**jumps)


class InverseTimeDecay(Schedule):
    """rate = initial_learning_rate / (1 + decay_rate * step / decay_steps).

    >>> InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)([0, 10, 30]).tolist()
    [0.1, 0.05, 0.025]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        decay_steps: the unit of time in steps, in (0, inf).
        decay_rate: how fast the rate falls, in [0, inf).
        staircase: round `step / decay_steps` down, so that the rate falls in jumps.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "decay_rate")
        check_positive(self, "decay_steps")

    def __call__(self, step: Any) -> HostArray:
        periods = _periods(step, self.decay_steps, self.staircase)
        return np.asarray(self.initial_learning_rate / (1.0 + self.decay_rate * periods))


class PiecewiseConstantDecay(Schedule):
    """rate = values[i] while boundaries[i-1] < step <= boundaries[i].

    >>> PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])([0, 10, 11, 21]).tolist()
    [0.1, 0.1, 0.01, 0.001]

    Args:
        boundaries: the last step of every value but the last one, increasing.
        values: the rates, one more than boundaries, in [0, inf).
    """

    boundaries: tuple[float, ...]
    values: tuple[float, ...]

    def validate(self) -> None:
        name = type(self).__name__
        for what in ("boundaries", "values"):
            listed = getattr(self, what)
            if not isinstance(listed, tuple) or not all(map(_is_rate, listed)):
                raise InvalidArgument(
                    name,
                    f"{what} to be a list of numbers >= 0",
                    f"{what}={listed!r}",
                    "Write for example boundaries=[1000], values=[0.1, 0.01].",
                )
        if len(self.values) != len(self.boundaries) + 1:
            raise InvalidArgument(
                name,
                "one more value than boundaries",
                f"{len(self.boundaries)} boundaries and {len(self.values)} values",
                "Give a rate for before, between and after the boundaries.",
            )
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise InvalidArgument(
                name,
                "increasing boundaries",
                f"boundaries={self.boundaries!r}",
                "Sort them and leave out doubles.",
            )

    def __call__(self, step: Any) -> HostArray:
        piece = np.searchsorted(as_float(self.boundaries), as_float(step), side="left")
        return np.asarray(as_float(self.values)[piece])


class PolynomialDecay(Schedule):
    """rate = (initial - end) * (1 - min(step, decay_steps) / decay_steps) ** power + end.

    >>> PolynomialDecay(0.1, 10, end_learning_rate=0.0)([0, 5, 10, 20]).tolist()
    [0.1, 0.05, 0.0, 0.0]

    Args:
        initial_learning_rate: the rate at step 0, in [0, inf).
        decay_steps: steps until the end is reached, in (0, inf).
        end_learning_rate: the rate from then on, in [0, inf).
        power: 1 is a straight line; in (0, inf).
        cycle: instead of staying at the end, rise again: the line ends at the next multiple of
            `decay_steps`.
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False

    def validate(self) -> None:
        check_nonnegative(self, "initial_learning_rate", "end_learning_rate")
        check_positive(self, "decay_steps", "power")

    def __call__(self, step: Any) -> HostArray:
        steps, length = as_float(step), as_float(self.decay_steps)
        if self.cycle:
            length = length * np.maximum(np.ceil(steps / length), 1.0)
        done = np.minimum(steps, length) / length
        span = self.initial_learning_rate - self.end_learning_rate
        return np.asarray(span * (1.0 - done) ** self.power + self.end_learning_rate)


def _periods(step: Any, length: float, whole: bool) -> HostArray:
    periods = as_float(step) / length
    return np.asarray(np.floor(periods) if whole else periods)


def _is_rate(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0  # type: ignore[arg-type, operator]
