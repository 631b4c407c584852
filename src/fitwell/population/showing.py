"""What a population prints while it trains."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

import numpy as np

from fitwell.population.lanes import Lane
from fitwell.population.plan import Plan
from fitwell.settings import settings

_LINE_SECONDS = 1.0


class Progress:
    """A line a second at most: the epoch, the lanes that still train, the best value so far."""

    def __init__(self, verbose: int | str, plan: Plan, lanes: int) -> None:
        self.silent = verbose == 0 or settings.progress == "off"
        self.plan, self.lanes = plan, lanes
        self.began = self.shown = time.perf_counter()
        self.epochs: dict[int, int] = {}
        self.best = np.inf
        self.lock = threading.Lock()

    def report(self, lane: Lane, epoch: int, logs: dict[str, float]) -> None:
        """Called by the threads at the end of each lane's epoch."""
        if self.silent:
            return
        with self.lock:
            self.epochs[epoch] = self.epochs.get(epoch, 0) + 1
            value = self.plan.sign * logs[self.plan.monitor]
            self.best = min(self.best, value) if np.isfinite(value) else self.best
            now = time.perf_counter()
            if now - self.shown >= _LINE_SECONDS:
                self.shown = now
                self._print(epoch)

    def _print(self, epoch: int) -> None:
        seconds = time.perf_counter() - self.began
        best = self.plan.sign * self.best
        line = (
            f"Epoch {epoch + 1}/{self.plan.epochs}  {self.lanes} lanes  {seconds:.1f}s  "
            f"best {self.plan.monitor} {best:.4g}"
        )
        print(line, file=sys.stdout, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.silent and self.epochs:
            self._print(max(self.epochs))
