"""The layers while a fit goes on: when they are looked at, and what the rules read of it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from fitwell.doctor.record import Moment, Pulse
from fitwell.layerwise import LayerProbe, Look, network_noise
from fitwell.training import TrainState
from fitwell.types import LayerRecord

_SHARE = 0.025  # of the time of the fit so far: what all looks may take
_GROWTH = 1.3  # in steps, from one look to the next


class Watch:
    """Looks at the layers at steps that grow by a third, for 2.5 % of the time at most.

    A short fit is not looked at: to compile the probe would take longer than that.

    Args:
        probe: makes the looks.
        begin: the state before the first step, which is looked at too; None if it is not known.
        epoch, rate: of the first step.
    """

    def __init__(
        self, probe: LayerProbe, begin: TrainState | None, epoch: int, rate: float
    ) -> None:
        self.probe, self.begin, self.epoch, self.rate = probe, begin, epoch, rate
        self.began = time.perf_counter()
        self.spent, self.next_step = 0.0, 0
        self.wait: float | None = None  # until the first steps were done: they compile too
        self.earliest = 0.0

    def look(
        self, epoch: int, state: Callable[[], TrainState], rate: Callable[[], float]
    ) -> list[LayerRecord]:
        """The records of a moment if one is due; else none, for next to nothing."""
        now = time.perf_counter()
        if self.wait is None:
            self.wait = now - self.began
            self.earliest = self.began + max(self.wait, self.probe.seconds()) / _SHARE
        if now < self.earliest:
            return []
        train = state()
        step = int(train.step)
        if step < self.next_step:
            return []
        found = []
        if self.begin is not None:
            first = self.probe.look(self.begin, self.rate)
            found = first.records(self.epoch, int(self.begin.step))
            self.begin = None
        found += self.probe.look(train, rate()).records(epoch, step)
        self.spent += time.perf_counter() - now
        self.next_step = math.ceil(step * _GROWTH)
        self.earliest = self.began + (self.spent + self.probe.seconds()) / _SHARE
        return found


def pulses(look: Look) -> tuple[Pulse, ...]:
    """The numbers of a look as rules read them; those that are not finite are kept."""
    return tuple(_pulse(name, numbers) for name, numbers in look.layers.items())


def _pulse(name: str, numbers: Any) -> Pulse:
    def of(key: str, otherwise: float = 0.0) -> float:
        value = numbers.get(key)
        return otherwise if value is None else float(value)

    weights = numbers["weights"]
    return Pulse(
        name,
        of("activation_rms"),
        of("gradient_norm") / math.sqrt(weights) if weights else -1.0,
        of("dead"),
        of("saturated"),
        of("constant"),
        numbers.get("update_ratio"),
    )


def moments(records: Iterable[LayerRecord]) -> tuple[Moment, ...]:
    """`history.layers` as rules read it: one entry per moment, in order."""
    found = []
    for (epoch, step), group in itertools.groupby(
        sorted(records, key=lambda one: one["step"]), lambda one: (one["epoch"], one["step"])
    ):
        of = list(group)
        seen = tuple(_pulse(one["layer"], one) for one in of)
        found.append(Moment(epoch, step, seen, network_noise(of)))
    return tuple(found)
