"""The contract of a schedule, and what all schedules share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any, TypeAlias

import numpy as np

from fitwell.description import Description, check_number
from fitwell.errors import InvalidArgument
from fitwell.types import HostArray


class Schedule(Description):
    """rate = f(step): integers of any shape -> rates of the same shape.

    A schedule of your own is its fields and `__call__` on arrays of numpy:

    >>> class Halving(Schedule):
    ...     start: float
    ...
    ...     def __call__(self, step):
    ...         return self.start / 2.0 ** np.asarray(step)
    >>> Halving(0.8)([0, 1, 3]).tolist()
    [0.8, 0.4, 0.1]

    Args:
        name: for the reader alone.
    """

    name: str | None = field(default=None, kw_only=True)

    def __call__(self, step: Any) -> HostArray:
        raise InvalidArgument(
            type(self).__name__,
            "the method __call__(self, step)",
            "none",
            "Define it in your schedule: it takes integers and returns rates.",
        )


LearningRateSchedule = Schedule  # Keras' name

LearningRate: TypeAlias = float | Schedule | Callable[[int], float]
"""A number, a schedule, or a function of the step's number."""


def rates(learning_rate: LearningRate, step: Any) -> HostArray:
    """The rate at every step, float64: a function of one step is called once for each.

    >>> rates(0.1, np.arange(2)).tolist(), rates(lambda step: 1 / (1 + step), [0, 1]).tolist()
    ([0.1, 0.1], [1.0, 0.5])

    Raises:
        InvalidArgument: a rate that is negative or not finite, or not one for each step.
    """
    shape = np.shape(step)
    if not callable(learning_rate):
        return np.full(shape, learning_rate, np.float64)
    # Always a vector: numpy's power of a vector and of a number differ in the last bit, and a
    # resumed run cuts the steps into other chunks.
    steps = np.ravel(step)
    if isinstance(learning_rate, Schedule):
        found = np.asarray(learning_rate(steps), np.float64)
    else:
        found = np.array([float(learning_rate(int(one))) for one in steps], np.float64)
    _check_rates(learning_rate, steps, found)
    return found.reshape(shape)


def _check_rates(learning_rate: LearningRate, steps: HostArray, found: HostArray) -> None:
    subject = repr(learning_rate) if isinstance(learning_rate, Schedule) else "learning rate"
    if found.shape != steps.shape:
        raise InvalidArgument(
            subject,
            "one rate for each step",
            f"shape {found.shape} for steps of shape {steps.shape}",
            "Write __call__ with operations of numpy that act on every element.",
        )
    wrong = ~(np.isfinite(found) & (found >= 0))
    if wrong.any():
        raise InvalidArgument(
            subject,
            "a finite rate >= 0 at every step",
            f"{found[wrong].flat[0]} at step {steps[wrong].flat[0]}",
            "Change its numbers.",
        )


def check_learning_rate(owner: Description, name: str) -> None:
    """Raises InvalidArgument unless the field is a number in [0, inf), a schedule or a function."""
    value = getattr(owner, name)
    if isinstance(value, type):
        raise InvalidArgument(
            type(owner).__name__,
            f"{name} to be a number, a schedule or a function of the step",
            f"the class {value.__name__}",
            f"Make an instance: {name}={value.__name__}(...).",
        )
    if not callable(value):
        check_nonnegative(owner, name)


def check_nonnegative(owner: Description, *names: str) -> None:
    for name in names:
        check_number(owner, name, 0.0, math.inf, open_high=True)


def check_positive(owner: Description, *names: str) -> None:
    for name in names:
        check_number(owner, name, 0.0, math.inf, open_low=True, open_high=True)


def as_float(step: Any) -> HostArray:
    return np.asarray(step, np.float64)
