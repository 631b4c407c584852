"""The layers while a fit goes on: when they are looked at, and what the rules read of it."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fitwell import tree
from fitwell.doctor.pulse import Moment, Pulse
from fitwell.layerwise import LayerProbe, Look, network_noise
from fitwell.network import Network
from fitwell.programs import copy_program
from fitwell.training import TrainState
from fitwell.types import LayerRecord

_SHARE = 0.025  # of the time of the fit so far: what all looks may take
_GROWTH = 1.3  # in steps or epochs, from one look to the next
_COPYING = 0.01  # of the time of the fit so far: what all copies may take
_COPY = 2e-4  # seconds of the first copy, as a guess
_ROOM = 2**24  # bytes of all copies
_FEWEST, _MOST = 4, 24  # copies


@dataclass(frozen=True)
class Still:
    """A copy of all that steps change: the layers at one moment, to be looked at later.

    Attributes:
        epoch: how many epochs were done; `rate`: of the next step.
        train: the weights, and what moves them.
    """

    epoch: int
    rate: float
    train: TrainState


class Stills:
    """Copies at epochs that grow by a third: a fit too short to be looked at can be so afterwards.

    They take 1 % of its time and 16 MB at most, and a network is looked at only if somebody asks.

    Args:
        network: that trains.
        begin: the state before the first step; None if it is not known.
        epoch, rate: of the first step.
    """

    def __init__(self, network: Network, begin: TrainState | None, epoch: int, rate: float) -> None:
        self.network = network.program()
        self.kept = [] if begin is None else [Still(epoch, rate, begin)]
        self.began, self.spent, self.last = time.perf_counter(), 0.0, _COPY
        self.next_epoch, self.growth = epoch + 1, _GROWTH

    def keep(self, epoch: int, state: Callable[[], TrainState], rate: Callable[[], float]) -> None:
        """Takes one if it is due."""
        now = time.perf_counter()
        if epoch < self.next_epoch or self.spent + self.last > _COPYING * (now - self.began):
            return
        train = state()
        most = _ROOM // max(tree.size((train.params, train.state, train.optimizer)) * 4, 1)
        if most < _FEWEST:
            self.next_epoch = sys.maxsize
            return
        copied, finite = copy_program(self.network)(train)
        if finite:
            self.kept.append(Still(epoch, rate(), copied))
        if len(self.kept) > min(most, _MOST):
            del self.kept[1::2]
            self.growth **= 2
        self.next_epoch = max(math.ceil(epoch * self.growth), epoch + 1)
        self.last = time.perf_counter() - now
        self.spent += self.last

    def keep_last(
        self, epoch: int, state: Callable[[], TrainState], rate: Callable[[], float]
    ) -> None:
        """Takes one of the end, if there is none and the time allows it."""
        if self.kept and self.kept[-1].epoch < epoch and self.next_epoch != sys.maxsize:
            self.next_epoch = epoch
            self.keep(epoch, state, rate)

    def developed(self, probe: LayerProbe) -> list[LayerRecord]:
        """The records of all of them, which are let go."""
        kept, self.kept = self.kept, []
        found: list[LayerRecord] = []
        for one in kept:
            found += probe.look(one.train, one.rate).records(one.epoch, int(one.train.step))
        return found


class Watch:
    """Looks at the layers at steps that grow by a third, for 2.5 % of the time at most.

    A short fit is not looked at, since to compile the probe would take longer than that: stills are
    kept of it.

    Args:
        probe: makes the looks.
        begin: the state before the first step, which is looked at too; None if it is not known.
        epoch, rate: of the first step.
    """

    def __init__(
        self, probe: LayerProbe, begin: TrainState | None, epoch: int, rate: float
    ) -> None:
        self.probe, self.stills = probe, Stills(probe.network, begin, epoch, rate)
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
            self.stills.keep(epoch, state, rate)
            return []
        train = state()
        step = int(train.step)
        if step < self.next_step:
            return []
        found = self.stills.developed(self.probe)
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
