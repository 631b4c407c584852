"""The loop of a population: lanes that train together, stop one by one and are then left out."""

from __future__ import annotations

import dataclasses
import itertools
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fitwell.data.sources import ArraySource
from fitwell.fitting import Pace
from fitwell.history import History
from fitwell.measuring import to_logs
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.population import programs
from fitwell.population.lanes import Lane
from fitwell.population.sources import LaneSource
from fitwell.programs import zero_totals
from fitwell.training import Batch, Objective, Stats, TrainState
from fitwell.types import HostArray

_LANES_OF_A_THREAD = 8  # fewer are not worth a program of their own


@dataclass(frozen=True)
class Plan:
    """What all lanes have in common.

    Attributes:
        data, held_out: all examples; those of validation, or None.
        folds: lanes are validated on their own `held_out` rows of `data`.
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
    """What became of a lane: its weights (the best ones with `patience`), and how it went."""

    lane: Lane
    train: TrainState
    history: History
    best_epoch: int
    score: float


class Signals:
    """What ends all lanes early: Ctrl-C or a deadline. Shared by the threads."""

    def __init__(self, deadline: float | None, interrupted: list[bool]) -> None:
        self.deadline, self.interrupted = deadline, interrupted

    def reason(self) -> str | None:
        if self.interrupted:
            return "interrupted"
        late = self.deadline is not None and time.perf_counter() >= self.deadline
        return "time_limit" if late else None


class Group:
    """Lanes in one compiled program, on one thread of the host.

    Args:
        train: the lanes' states, stacked.
        masks: the weights that each lane has, stacked, or an empty dict if all have all.
    """

    def __init__(
        self, plan: Plan, lanes: Sequence[Lane], train: TrainState, masks: Any, signals: Signals,
        report: Callable[[Lane, int, dict[str, float]], None],
    ) -> None:  # fmt: skip
        self.plan, self.signals, self.report = plan, signals, report
        self.lanes, self.train, self.masks = list(lanes), train, masks
        self.histories = [History() for _ in lanes]
        self.best = [(np.inf, -1) for _ in lanes]
        self.active = [True] * len(lanes)
        self.kept: Any = None  # the best weights so far
        self.step = 0
        self.source = LaneSource(
            plan.data, lanes, [lane.rows for lane in lanes], plan.batch_size,
            plan.capacity(len(lanes)), shuffle=True,
        )  # fmt: skip
        self.pace = Pace(self.source.capacity)
        self.outcomes: dict[int, Outcome] = {}
        self.numbers = list(range(len(lanes)))  # of the lanes that are still in the program
        self._prepare()

    def run(self) -> list[Outcome]:
        """Trains until every lane has stopped; the outcomes in the order of the lanes."""
        stopped = None
        for epoch in range(self.plan.epochs):
            stopped = self._epoch(epoch)
            if stopped or not any(self.active):
                break
            self._leave_out()
        for place, number in enumerate(self.numbers):
            if self.active[place]:
                self.histories[place].stopped = stopped
                self._finish(place, number)
        return [self.outcomes[i] for i in range(len(self.outcomes))]

    def _prepare(self) -> None:
        """What depends on which lanes are in the program."""
        plan = self.plan
        self.values = plan.values(self.lanes)
        self.program = programs.train_program(
            plan.network, plan.objective, plan.optimizer.program(), self.source.shared,
            self.source.uneven, bool(self.masks),
        )  # fmt: skip
        self.zeros: Stats | None = None
        self.held_out = self._validation()

    def _epoch(self, epoch: int) -> str | None:
        """Trains and validates all lanes once; why it was cut short, if it was."""
        totals, collected, step, stopped = None, [], 0, None
        while step < self.source.steps and stopped is None:
            data, count = self.source.chunk(epoch, step, min(self.pace.count, self.source.capacity))
            began = time.perf_counter()
            if totals is None:
                totals = self._zeros(data)
            rates = self._rates(count)
            self.train, totals, each = self.program(
                self.train, totals, data, rates, count, self.values, self.masks
            )
            collected.append((each, count))
            jax.block_until_ready(totals)
            self.pace.update(count, time.perf_counter() - began)
            step += count
            self.step += count
            stopped = self.signals.reason()
        logs = self._logs(totals, collected)
        if self.held_out is not None:
            for mine, held in zip(logs, self._validate(), strict=True):
                mine.update({f"val_{name}": value for name, value in held.items()})
        self._note(epoch, logs)
        return stopped

    def _rates(self, count: int) -> Any:
        rates = np.zeros((self.source.capacity, len(self.lanes)), np.float32)
        steps = np.arange(self.step, self.step + count)
        for i, lane in enumerate(self.lanes):
            rates[:count, i] = rate_of(self.plan.optimizer, lane).rate(steps)
        return rates

    def _zeros(self, data: Batch) -> Stats:
        if self.zeros is None:
            one = data if self.source.shared else jax.tree.map(lambda a: a[:, 0], data)
            zeros = zero_totals(self.plan.network, self.plan.objective, one)
            lanes = len(self.lanes)
            self.zeros = jax.tree.map(lambda z: np.zeros((lanes, *z.shape), z.dtype), zeros)
        return jax.tree.map(np.copy, self.zeros)

    def _logs(self, totals: Any, collected: Any) -> list[dict[str, float]]:
        host = jax.tree.map(np.asarray, totals)
        logs = []
        for i in range(len(self.lanes)):
            kept: dict[str, list[Any]] = {}
            for each, count in collected:
                for label, stats in each.items():
                    rows = {k: np.asarray(v[:count, i]) for k, v in stats.items()}
                    rows = {k: v.reshape(-1, *v.shape[2:]) for k, v in rows.items()}
                    kept.setdefault(label, []).append(rows)
            mine = jax.tree.map(lambda a, i=i: a[i], host)
            logs.append(to_logs(self.plan.objective, mine, kept))
        return logs

    # Validation

    def _validation(self) -> tuple[Any, LaneSource | ArraySource] | None:
        plan = self.plan
        if plan.folds:
            rows = [lane.held_out for lane in self.lanes]
            bare = [Lane(0) for _ in self.lanes]
            source: Any = LaneSource(
                plan.data, bare, rows, plan.batch_size, self.source.capacity, shuffle=False
            )
            shared = source.shared
        elif plan.held_out is not None:
            source = ArraySource(
                plan.held_out, plan.batch_size, self.source.capacity, shuffle=False
            )
            shared = True
        else:
            return None
        return programs.evaluate_program(plan.network, plan.objective, shared), source

    def _validate(self) -> list[dict[str, float]]:
        assert self.held_out is not None
        program, source = self.held_out
        totals, collected, step = jax.tree.map(np.copy, self.zeros), [], 0
        rates = np.zeros(source.capacity, np.float32)
        assert source.steps is not None
        while step < source.steps:
            data, count = source.chunk(0, step, source.capacity)
            totals, each = program(
                self.train.params, self.train.state, totals, data, rates, count, self.values
            )
            jax.block_until_ready(totals)
            collected.append((each, count))
            step += count
        return self._logs(totals, collected)

    # Stopping

    def _note(self, epoch: int, logs: Sequence[dict[str, float]]) -> None:
        better = np.zeros(len(self.lanes), bool)
        for place, (lane, mine) in enumerate(zip(self.lanes, logs, strict=True)):
            if not self.active[place]:
                continue
            self.histories[place].record(epoch, mine)
            self.report(lane, epoch, mine)
            value = self.plan.sign * mine[self.plan.monitor]
            if value < self.best[place][0]:
                self.best[place], better[place] = (value, epoch), True
        if self.plan.patience is None:
            return
        current = self.train.params, self.train.state
        if self.kept is None:
            self.kept = jax.tree.map(lambda a: a.copy(), current)
        else:
            self.kept = programs.keep_better_program()(better, current, self.kept)
        for place, number in enumerate(self.numbers):
            waited = epoch - max(self.best[place][1], 0)
            if self.active[place] and waited >= self.plan.patience:
                self.histories[place].stopped = "early_stopping"
                self._finish(place, number)

    def _finish(self, place: int, number: int) -> None:
        """Notes what became of a lane; a lane that never had a finite value keeps its last."""
        self.active[place] = False
        train = jax.tree.map(lambda a: a[place], self.train)
        value, epoch = self.best[place]
        if self.kept is not None and epoch >= 0:
            params, state = jax.tree.map(lambda a: a[place], self.kept)
            train = train._replace(params=params, state=state)
        score = self.plan.sign * value if epoch >= 0 else float("nan")
        if self.kept is None and self.histories[place].epoch:
            score = self.histories[place].last()[self.plan.monitor]
            epoch = self.histories[place].epoch[-1]
        self.outcomes[number] = Outcome(
            self.lanes[place], train, self.histories[place], epoch, score
        )

    def _leave_out(self) -> None:
        """Once half of the lanes have stopped, the program goes on without them.

        A program for each number of lanes would be compiled; halving needs few.
        """
        places = [i for i, active in enumerate(self.active) if active]
        if 2 * len(places) > len(self.active):
            return
        take = programs.take_program()
        index = np.array(places)
        self.train, self.masks = take((self.train, self.masks), index)
        if self.kept is not None:
            self.kept = take(self.kept, index)
        for name in ("lanes", "histories", "best", "active", "numbers"):
            setattr(self, name, [getattr(self, name)[i] for i in places])
        self.source = self.source.keep(places)
        self._prepare()


def rate_of(optimizer: Optimizer, lane: Lane) -> Optimizer:
    """The optimizer with the lane's learning rate or schedule."""
    if lane.learning_rate is None:
        return optimizer
    return dataclasses.replace(optimizer, learning_rate=lane.learning_rate)


def parts(lanes: int) -> list[range]:
    """The lanes of each thread: small products leave one core idle, so groups take one each."""
    threads = max(1, min(os.cpu_count() or 1, lanes // _LANES_OF_A_THREAD))
    if jax.default_backend() != "cpu":
        threads = 1
    cuts = np.linspace(0, lanes, threads + 1).round().astype(int)
    return [range(a, b) for a, b in itertools.pairwise(cuts)]


def run(groups: Sequence[Group]) -> list[Outcome]:
    """All groups at the same time; the first error of any of them."""
    if len(groups) == 1:
        return groups[0].run()
    with ThreadPoolExecutor(len(groups)) as pool:
        return [outcome for found in pool.map(Group.run, groups) for outcome in found]
