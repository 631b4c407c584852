"""Learning-rate schedules: frozen descriptions from a step's number to a rate, on the host.

The engine evaluates a chunk of steps at once and passes the rates as data, so a schedule never
enters a compiled program. Steps count from 0; everything is float64.
"""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.schedules.base import LearningRateSchedule, Schedule
from fitwell.schedules.cosine import CosineDecay, CosineDecayRestarts, OneCycle
from fitwell.schedules.decay import (
    ConstantSchedule,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)
from fitwell.schedules.warmup import WarmUp

__all__ = [
    "ConstantSchedule",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "Schedule",
    "StepDecay",
    "WarmUp",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
