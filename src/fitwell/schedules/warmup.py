"""A warm-up before any other schedule."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.schedules.base import (
    LearningRate,
    Schedule,
    as_float,
    check_learning_rate,
    check_nonnegative,
    rates,
)
from fitwell.types import HostArray


class WarmUp(Schedule):
    """A straight line from `start` to the schedule's first rate, then the schedule from its step 0.

    >>> from fitwell.schedules import ExponentialDecay
    >>> WarmUp(ExponentialDecay(0.1, 10, 0.5), steps=4)([0, 2, 4, 14]).tolist()
    [0.0, 0.05, 0.1, 0.05]

    Args:
        schedule: any other schedule, a number, or a function of the step.
        steps: steps of the line, in [0, inf).
        start: the rate at step 0, in [0, inf).

    Source: Goyal et al. 2017, "Accurate, Large Minibatch SGD".
    """

    schedule: LearningRate
    steps: int
    start: float = 0.0

    def validate(self) -> None:
        check_learning_rate(self, "schedule")
        check_nonnegative(self, "steps", "start")

    def __call__(self, step: Any) -> HostArray:
        after = rates(self.schedule, np.maximum(np.asarray(step) - self.steps, 0))
        peak = float(rates(self.schedule, 0))
        return line_then(after, step, self.steps, self.start, peak)


def line_then(after: HostArray, step: Any, length: float, start: float, peak: float) -> HostArray:
    """A line from `start` to `peak` during the first `length` steps, `after` from then on."""
    if length == 0:
        return after
    line = start + (peak - start) * (as_float(step) / length)
    return np.where(as_float(step) < length, line, after)
