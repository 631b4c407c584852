"""The loop of a population: lanes that train together, stop one by one and are then left out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from fitwell import compiling
from fitwell.data.sources import ArraySource
from fitwell.history import History
from fitwell.machine import cores
from fitwell.measuring import to_logs
from fitwell.pacing import Pace
from fitwell.population import programs
from fitwell.population.lanes import Lane
from fitwell.population.plan import Outcome, Plan, Report, Signals, rate_of
from fitwell.population.sources import LaneSource
from fitwell.programs import zero_totals
from fitwell.schedules.base import rates
from fitwell.training import Batch, Stats, TrainState

_LANES_OF_A_THREAD = 8  # fewer are not worth a program of their own


class Group:
    """Lanes in one compiled program, on one thread of the host.

    Args:
        train: the lanes' states, stacked.
        masks: the weights that each lane has, stacked, or an empty dict if all have all.
    """

    def __init__(
        self, plan: Plan, lanes: Sequence[Lane], train: TrainState, masks: Any, signals: Signals,
        report: Report | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.signals, self.report = plan, signals, report
        self.lanes, self.train, self.masks = list(lanes), train, masks
        self.histories = [History() for _ in lanes]
        self.best = [(np.inf, -1) for _ in lanes]
        self.active = [True] * len(lanes)
        self.kept: Any = None  # the best weights so far
        self.step = self.epoch = 0
        self.stopped: str | None = None
        self.source = LaneSource(
            plan.data, [lane.seed for lane in lanes] if plan.shuffle else None,
            [lane.rows for lane in lanes], [lane.weight for lane in lanes], plan.batch_size,
            plan.capacity(len(lanes)),
        )  # fmt: skip
        self.pace = Pace(self.source.capacity)
        self._host: Any = None
        self.outcomes: dict[int, Outcome] = {}
        self.numbers = list(range(len(lanes)))  # of the lanes that are still in the program
        self._prepare()

    def run(self) -> list[Outcome]:
        """Trains until every lane has stopped; the outcomes in the order of the lanes."""
        self.advance(self.plan.epochs)
        return self.finish()

    def advance(self, epochs: int) -> str | None:
        """Trains up to that many epochs in all; what cut it short, if anything did."""
        while self.epoch < epochs and any(self.active) and self.stopped is None:
            self.stopped = self._epoch(self.epoch)
            self.epoch += 1
            if any(self.active):
                self.leave_out()
        return self.stopped

    def finish(self) -> list[Outcome]:
        """The outcomes of all lanes, those that were still training included."""
        for place in range(len(self.lanes)):
            self.end(place, self.stopped)
        return [self.outcomes[i] for i in range(len(self.outcomes))]

    def drop(self, place: int) -> None:
        """Stops a lane whose weights nobody wants."""
        self.active[place] = False

    def end(self, place: int, reason: str | None) -> None:
        """Stops the lane at a place of the program."""
        if self.active[place]:
            self.histories[place].stopped = reason
            self._finish(place, self.numbers[place])

    def _prepare(self) -> None:
        """What depends on which lanes are in the program."""
        plan = self.plan
        self.values = plan.values(self.lanes)
        self.rates = [rate_of(plan.optimizer, lane).learning_rate for lane in self.lanes]
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
            more = self._rates(epoch, step, count), count, self.values, self.masks
            if totals is None:
                totals = self._zeros(data)
                if not self._ready(self.program, self.train, totals, data, *more):
                    return self.signals.reason()
            began = time.perf_counter()
            self.train, totals, each = self.program(self.train, totals, data, *more)
            collected.append((each, count))
            self.pace.wait(count, totals)
            self.pace.update(count, time.perf_counter() - began)
            step += count
            self.step += count
            stopped = self.signals.reason()
        logs = self._logs(totals, collected)
        if self.held_out is not None:
            found = self._validate()
            if found is None:
                return self.signals.reason()
            for mine, held in zip(logs, found, strict=True):
                mine.update({f"val_{name}": value for name, value in held.items()})
        self._note(epoch, logs)
        return stopped

    def _ready(self, program: Any, *arguments: Any) -> bool:
        """Compiles a program before its first call: False if the end was asked for meanwhile."""
        key = compiling.form(arguments)
        return compiling.prepared(program, key, lambda: arguments, self.signals.asked)

    def _rates(self, epoch: int, step: int, count: int) -> Any:
        """The rates of `count` steps of an epoch; each lane counts the steps that it takes."""
        found = np.zeros((self.source.capacity, len(self.lanes)), np.float32)
        steps = np.arange(step, step + count)
        for i, (rate, own) in enumerate(zip(self.rates, self.source.lane_steps, strict=True)):
            found[:count, i] = rates(rate, epoch * own + steps) if callable(rate) else rate
        return found

    def _zeros(self, data: Batch) -> Stats:
        if self.zeros is None:
            one = data if self.source.shared else jax.tree.map(lambda a: a[:, 0], data)
            zeros = zero_totals(self.plan.network, self.plan.objective, one)
            lanes = len(self.lanes)
            self.zeros = jax.tree.map(lambda z: np.zeros((lanes, *z.shape), z.dtype), zeros)
        return jax.tree.map(np.copy, self.zeros)

    def _logs(self, totals: Any, collected: Any) -> list[dict[str, float]]:
        host = jax.tree.map(lambda a: np.asarray(a, np.float64), totals)
        logs = []
        for i in range(len(self.lanes)):
            kept: dict[str, list[Any]] = {}
            for each, count in collected:
                for label, stats in each.items():
                    rows = {k: np.asarray(v[:count, i]) for k, v in stats.items()}
                    rows = {k: v.reshape(-1, *v.shape[2:]) for k, v in rows.items()}
                    kept.setdefault(label, []).append(rows)
            mine = {label: {k: v[i] for k, v in stats.items()} for label, stats in host.items()}
            logs.append(to_logs(self.plan.objective, mine, kept))
        return logs

    # Validation

    def _validation(self) -> tuple[Any, LaneSource | ArraySource] | None:
        plan, lanes = self.plan, self.lanes
        sizes = plan.batch_size, self.source.capacity
        source: Any
        if plan.folds:
            rows = [lane.held_out for lane in lanes]
            source = LaneSource(plan.data, None, rows, [None] * len(lanes), *sizes)
        elif plan.held_out is None:
            return None
        elif any(lane.held_weight is not None for lane in lanes):
            weights = [lane.held_weight for lane in lanes]
            source = LaneSource(plan.held_out, None, [None] * len(lanes), weights, *sizes)
        else:
            source = ArraySource(plan.held_out, *sizes, shuffle=False)
        shared = isinstance(source, ArraySource) or source.shared
        return programs.evaluate_program(plan.network, plan.objective, shared), source

    def _validate(self) -> list[dict[str, float]] | None:
        """The values of all lanes; None if the end was asked for while the program compiled."""
        assert self.held_out is not None
        program, source = self.held_out
        totals, collected, step = jax.tree.map(np.copy, self.zeros), [], 0
        room = np.zeros(source.capacity, np.float32)
        assert source.steps is not None
        while step < source.steps:
            data, count = source.chunk(0, step, source.capacity)
            weights = self.train.params, self.train.state
            more = data, room, count, self.values
            if step == 0 and not self._ready(program, *weights, totals, *more):
                return None
            totals, each = program(*weights, totals, *more)
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
            if self.report is not None:
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
            keep = programs.keep_better_program(self.plan.network)
            self.kept = keep(better, current, self.kept)
        for place in range(len(self.lanes)):
            if epoch - max(self.best[place][1], 0) >= self.plan.patience:
                self.end(place, "early_stopping")

    def _finish(self, place: int, number: int) -> None:
        """Notes what became of a lane; a lane that never had a finite value keeps its last."""
        self.active[place] = False
        train, kept = self._on_host()
        train = jax.tree.map(lambda a: a[place], train)
        value, epoch = self.best[place]
        if kept is not None and epoch >= 0:
            params, state = jax.tree.map(lambda a: a[place], kept)
            train = train._replace(params=params, state=state)
        else:
            learn, _ = self.plan.network.split_trainable(train.params)
            averaged = self.plan.optimizer.averaged(learn, train.optimizer)
            train = train._replace(params={**train.params, **averaged})
        score = self.plan.sign * value if epoch >= 0 else float("nan")
        if self.kept is None and self.histories[place].epoch:
            score = self.histories[place].last()[self.plan.monitor]
            epoch = self.histories[place].epoch[-1]
        self.outcomes[number] = Outcome(
            self.lanes[place], train, self.histories[place], epoch, score
        )

    def _on_host(self) -> tuple[TrainState, Any]:
        """The state and the best weights as arrays of the host, copied once after each epoch.

        To index an array of the device is a dispatch, for each array of each lane.
        """
        if self._host is None or self._host[0] != self.step:
            bare = self.train._replace(key=())  # type: ignore[arg-type] # keys stay
            self._host = self.step, *jax.tree.map(np.asarray, (bare, self.kept))
        return self._host[1]._replace(key=self.train.key), self._host[2]

    def leave_out(self) -> None:
        """Once half of the lanes have stopped, the program goes on without them.

        A program for each number of lanes would be compiled; halving needs few.
        """
        places = [i for i, active in enumerate(self.active) if active]
        if not places or 2 * len(places) > len(self.active):
            return
        take = programs.take_program(self.plan.network)
        index = np.array(places)
        self.train, self.masks = take((self.train, self.masks), index)
        if self.kept is not None:
            self.kept = take(self.kept, index)
        for name in ("lanes", "histories", "best", "active", "numbers"):
            setattr(self, name, [getattr(self, name)[i] for i in places])
        self.source = self.source.keep(places)
        self._host = None
        self._prepare()


def parts(lanes: int) -> list[range]:
    """The lanes of each thread: small products leave one core idle, so groups take one each."""
    threads = max(1, min(cores(), lanes // _LANES_OF_A_THREAD))
    if jax.default_backend() != "cpu":
        threads = 1
    cuts = np.linspace(0, lanes, threads + 1).round().astype(int)
    return [range(a, b) for a, b in itertools.pairwise(cuts)]


def run(
    build: Callable[[Sequence[Lane]], Group], parts: Sequence[Sequence[Lane]], signals: Signals
) -> list[list[Outcome] | None]:
    """All groups at the same time, each made and trained on a thread of its own.

    Returns:
        by part the outcomes of its lanes; None for several lanes that had no memory.

    Raises:
        what a group raised: the others then end after the dispatch they are in.
    """

    def one(lanes: Sequence[Lane]) -> list[Outcome] | None:
        try:
            return build(lanes).run()
        except BaseException as error:
            if _no_memory(error) and len(lanes) > 1:
                return None
            signals.failed = True
            raise

    if len(parts) == 1:
        return [one(parts[0])]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(one, parts))


def _no_memory(error: BaseException) -> bool:
    return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
