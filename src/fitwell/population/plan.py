"""What the lanes of a population have in common, and what becomes of each."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fitwell.history import History
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.population.lanes import Lane
from fitwell.training import Batch, Objective, TrainState
from fitwell.types import HostArray

Report = Callable[[Lane, int, dict[str, float]], None]
"""Called after each epoch of a lane, with its logs."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What all lanes have in common.

    Attributes:
        data, held_out: all examples; those of validation, or None.
        folds: lanes are validated on their own `held_out` rows of `data`.
        shuffle: examples come in an order of each epoch's own.
        patience: epochs without a better value after which a lane stops, or None.
        monitor: the value that gets better: a name of the logs.
        sign: 1 if smaller is better, -1 if larger is.
        names: of the lanes' values.
        gates: by layer 1 for the lanes that have it and 0 for the others; empty if all have all.
        capacity: how many steps a chunk of so many lanes holds.
    """

    network: Network
    objective: Objective
    optimizer: Optimizer
    data: Batch
    held_out: Batch | None
    folds: bool
    batch_size: int
    shuffle: bool
    epochs: int
    patience: int | None
    monitor: str
    sign: int
    names: tuple[str, ...]
    gates: Callable[[Sequence[Lane]], dict[str, HostArray]]
    capacity: Callable[[int], int]

    def values(self, lanes: Sequence[Lane]) -> dict[str, HostArray]:
        """By name one number per lane."""
        given: dict[str, HostArray] = {
            name: np.array([lane.values[name] for lane in lanes], np.float32) for name in self.names
        }
        return given | self.gates(lanes)


@dataclass
class Outcome:
    """What became of a lane: its weights (the best ones with `patience`), and how it went.

    `train` holds arrays of the host.
    """

    lane: Lane
    train: TrainState
    history: History
    best_epoch: int
    score: float


class Signals:
    """What ends all lanes early: Ctrl-C, a deadline, an error. Shared by the threads.

    Attributes:
        failed: set by a thread that an error ended.
    """

    def __init__(self, deadline: float | None, interrupted: list[float]) -> None:
        self.deadline, self.interrupted = deadline, interrupted
        self.failed = False

    def asked(self) -> bool:
        """Whether anything ends the lanes."""
        return self.reason() is not None

    def reason(self) -> str | None:
        if self.failed:
            return "failed"
        if self.interrupted:
            return "interrupted"
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return "time_limit" if late else None


def rate_of(optimizer: Optimizer, lane: Lane) -> Optimizer:
    """The optimizer with the lane's learning rate or schedule."""
    if lane.learning_rate is None:
        return optimizer
    return dataclasses.replace(optimizer, learning_rate=lane.learning_rate)
