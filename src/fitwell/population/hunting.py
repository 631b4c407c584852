"""How `search` goes about it: brackets of trials, rungs of epochs, the winner's last fit."""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fitwell.arguments import whole_number
from fitwell.callbacks import EarlyStopping
from fitwell.callbacks.until import Until
from fitwell.errors import FitwellError, InvalidArgument, InvalidFile, MissingPackage
from fitwell.machine import cores
from fitwell.model import Model
from fitwell.pacing import interruptible
from fitwell.population.dense import Builder, dense
from fitwell.population.grouping import Family, Trial, families
from fitwell.population.jobs import Job
from fitwell.population.plan import Signals
from fitwell.population.running import Group
from fitwell.population.space import Choose, Draw, Random, Value, from_optuna

KEEP = 3  # one in so many goes on
SHAPES, LANES = 4, 9  # of a bracket: networks, and trials of each
REFIT_SHARE = 0.25  # of the budget, for the winner
DRAWS = 50  # without a valid point, until the space is given up


class Hunt:
    """One call of `search`."""

    def __init__(
        self, space: Any, x: Any, y: Any, *, seconds: float, seed: int, path: Any, sampler: str,
        verbose: int | str, first_epochs: int, max_epochs: int, max_trials: int | None,
        batch_size: int | None, validation_split: float, validation_data: Any, monitor: str | None,
        mode: str,
    ) -> None:  # fmt: skip
        self.began = time.perf_counter()
        _check_space(space)
        self.seconds, self.seed, self.verbose = seconds, seed, verbose
        self.monitor, self.mode = monitor, mode
        self.train, self.held = (x, y), validation_data
        if validation_data is None:
            self.train, self.held = split_rows(x, y, validation_split, seed)
        self.first = whole_number("search", "first_epochs", first_epochs, 1)
        self.most = whole_number("search", "max_epochs", max_epochs, self.first)
        self.batch_size = batch_size
        self.max_trials = math.inf
        if max_trials is not None:
            self.max_trials = whole_number("search", "max_trials", max_trials, 1)
        self.build: Builder = space if callable(space) else dense(x, y, space, seed)
        self.path = None if path is None else Path(path)
        self.trials = self._read()
        self.study = _study(sampler, seed)
        self.shown: str = "val_loss"

    def run(self) -> tuple[list[Trial], Model, Trial, str, float, bool]:
        """Brackets until the budget is spent, then the winner's fit on all the data."""
        deadline = self.began + self.seconds * (1 - REFIT_SHARE)
        with interruptible() as interrupted:
            signals = Signals(deadline, interrupted)
            known = {_text(trial.values) for trial in self.trials}
            while signals.reason() is None and len(self.trials) < self.max_trials:
                trials = [t for t in self._draw() if _text(t.values) not in known]
                known |= {_text(t.values) for t in trials}
                if not trials:
                    break  # a space of options that were all tried
                self._bracket(trials, signals)
                self.trials += trials
                self._write()
        winner = min(self.trials, key=Trial.rank, default=None)
        if interrupted and (winner is None or winner.epochs < 1):
            raise KeyboardInterrupt  # there is nothing to go on with
        if winner is None or winner.epochs < 1:
            raise InvalidArgument(
                "search",
                "a budget for one epoch of one trial",
                f"{self.seconds:g} s, after which none was finished",
                "Give it more time, e.g. budget='60s'.",
            )
        best, seconds = self._refit(winner), time.perf_counter() - self.began
        cut = best.history is not None and best.history.stopped == "interrupted"
        return self.trials, best, winner, self.shown, seconds, cut or bool(interrupted)

    # Trials

    def _draw(self) -> list[Trial]:
        """Trials of a few shapes, several of each: they differ in numbers alone."""
        bracket = len(self.trials)
        drawn: list[Trial] = []
        for shape in range(SHAPES):
            proposed = None if self.study is None else self.study.ask()
            at_random = Random([self.seed, bracket, shape])
            draw = at_random if proposed is None else from_optuna(proposed)
            first, shapes = self._valid(draw, {}, proposed)
            drawn.append(first)
            fixed = {name: v for name, v in first.values.items() if name in shapes}
            more = Random([self.seed, bracket, shape, 1])
            drawn += [self._valid(more, fixed, None)[0] for _ in range(LANES - 1)]
        unique = {_text(trial.values): trial for trial in reversed(drawn)}
        trials = list(reversed(unique.values()))
        for number, trial in enumerate(trials, bracket):
            trial.number = number
        return trials

    def _valid(self, draw: Draw, fixed: dict[str, Value], proposed: Any) -> tuple[Trial, set[str]]:
        """A point that the builder makes a model of; after many that it refuses, the reason."""
        said: FitwellError | None = None
        for again in range(DRAWS):
            choose = Choose(draw, fixed)
            try:
                model = self.build(choose)
            except FitwellError as error:
                said = error
                if proposed is not None:  # it proposes the same again
                    draw, proposed = Random([self.seed, len(self.trials), 2 + again]), None
                continue
            if not isinstance(model, Model) or model.optimizer is None:
                cure = "End it with model.compile(...) and return model."
                expected = "build(choose) to return a compiled model"
                raise InvalidArgument("search", expected, type(model).__name__, cure)
            if not model.built:
                model.build_for(np.asarray(self.train[0]).shape[1:])
            return Trial(0, choose.values, model, proposal=proposed), choose.shapes
        raise InvalidArgument(
            "search",
            "a space with a valid point",
            f"none in {DRAWS} draws; the last was refused with: {said}",
            "Correct the ranges, or the builder.",
        ) from said

    def _model(self, values: dict[str, Value]) -> Model:
        return self.build(Choose(Random([self.seed]), values))

    # Halving

    def _bracket(self, trials: list[Trial], signals: Signals) -> None:
        """Rungs: all train; the best third trains on, to three times the epochs."""
        groups = [(family, self._group(family, signals)) for family in families(trials, self.seed)]
        epochs = self.first
        with ThreadPoolExecutor(max(1, min(len(groups), cores()))) as pool:
            while True:
                list(pool.map(partial(_advance, epochs), [group for _, group in groups]))
                for family, group in groups:
                    self._note(family, group)
                if epochs >= self.most or signals.reason() is not None:
                    break
                alive = sorted((t for f, g in groups for t in _alive(f, g)), key=Trial.rank)
                kept = {t.number for t in alive[: max(1, len(alive) // KEEP)]}
                for family, group in groups:
                    _halve(family, group, kept)
                groups = [pair for pair in groups if pair[1].active.count(True)]
                epochs = min(epochs * KEEP, self.most)
        if self.study is not None:
            for trial in trials:
                if trial.proposal is not None and math.isfinite(trial.score):
                    self.study.tell(trial.proposal, trial.rank()[1])

    def _group(self, family: Family, signals: Signals) -> Group:
        job = Job(
            "search", family.model, *self.train, batch_size=self._batch(), epochs=self.most,
            monitor=self.monitor, mode=self.mode, validation_data=self.held,
        )  # fmt: skip
        self.shown = job.monitor
        for trial in family.trials:
            trial.larger_is_better = job.sign < 0
        return job.prepare(family.lanes).group(family.lanes, signals)

    def _batch(self) -> int:
        return self.batch_size or (128 if len(self.train[1]) > 10_000 else 32)

    def _note(self, family: Family, group: Group) -> None:
        for place, number in enumerate(group.numbers):
            trial, (value, epoch) = family.trials[number], group.best[place]
            trial.epochs = group.step // group.source.steps
            if np.isfinite(value):
                trial.score, trial.best_epoch = group.plan.sign * value, epoch

    # The winner

    def _refit(self, winner: Trial) -> Model:
        """The winner's network trained to its end: until the held-out value gets no better."""
        model = self._model(winner.values)
        # Its share is its own: a first bracket that compiled for long must not leave it untrained.
        left = max(self.began + self.seconds - time.perf_counter(), self.seconds * REFIT_SHARE)
        mode = "max" if winner.larger_is_better else "min"
        patience = max(winner.best_epoch // 2, 8)
        stopping = EarlyStopping(
            self.shown, patience=patience, mode=mode, restore_best_weights=True
        )
        model.fit(
            *self.train, batch_size=self._batch(), epochs=self.most, verbose=0,
            validation_data=self.held, callbacks=[stopping, Until("search", left)],
        )  # fmt: skip
        return model

    # The file

    def _read(self) -> list[Trial]:
        if self.path is None or not self.path.exists():
            return []
        try:
            entries = json.loads(self.path.read_text())["trials"]
            return [
                Trial(i, e["values"], None, e["score"], e["epochs"], e["best_epoch"], e["larger"])
                for i, e in enumerate(entries)
            ]
        except (OSError, ValueError, KeyError, TypeError) as error:
            cure = "Name another file, or remove this one."
            received = f"{type(error).__name__}: {error}"
            raise InvalidFile(str(self.path), "the trials of a search", received, cure) from error

    def _write(self) -> None:
        if self.path is None:
            return
        entries = [
            {
                "values": t.values, "score": t.score, "epochs": t.epochs,
                "best_epoch": t.best_epoch, "larger": t.larger_is_better,
            }
            for t in self.trials
        ]  # fmt: skip
        beside = self.path.with_name(self.path.name + ".part")
        beside.write_text(json.dumps({"trials": entries}, indent=1))
        beside.replace(self.path)


def _check_space(space: Any) -> None:
    if isinstance(space, Model) or not (callable(space) or isinstance(space, dict | None)):
        expected = "a function build(choose) -> compiled model, a dict, or None as its space"
        cure = "Write search(None, x, y) for dense networks."
        raise InvalidArgument("search", expected, f"a {type(space).__name__}", cure)


def split_rows(x: Any, y: Any, share: Any, seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """(x, y) to train on and (x, y) to be measured on: rows at random."""
    n = len(np.asarray(jax.tree.leaves(y)[0])) if isinstance(y, dict) else len(y)
    number = isinstance(share, int | float) and not isinstance(share, bool)
    cut = n - round(n * share) if number else 0
    if not 0 < cut < n:
        cure = "Pass validation_split=0.2, or validation_data."
        expected, received = "rows on both sides of the split", f"validation_split={share!r}"
        raise InvalidArgument("search", expected, received, cure)
    order = np.random.default_rng(seed).permutation(n)
    kept, held = np.sort(order[:cut]), np.sort(order[cut:])
    return (_rows(x, kept), _rows(y, kept)), (_rows(x, held), _rows(y, held))


def _rows(data: Any, rows: Any) -> Any:
    """Some rows of an array or a frame, or of each array in a dict or a list of arrays."""
    if isinstance(data, dict):
        return {name: np.asarray(a)[rows] for name, a in data.items()}
    if isinstance(data, list | tuple) and all(hasattr(a, "shape") for a in data):
        return [np.asarray(a)[rows] for a in data]
    return np.asarray(data)[rows]


def _advance(epochs: int, group: Group) -> None:
    try:
        group.advance(epochs)
    except BaseException:
        group.signals.failed = True  # the others need not go on
        raise


def _alive(family: Family, group: Group) -> list[Trial]:
    return [family.trials[n] for p, n in enumerate(group.numbers) if group.active[p]]


def _halve(family: Family, group: Group, kept: set[int]) -> None:
    for place, number in enumerate(group.numbers):
        if family.trials[number].number not in kept:
            group.drop(place)
    group.leave_out()


def _text(values: dict[str, Value]) -> str:
    return json.dumps(values, sort_keys=True, default=str)


def _study(sampler: str, seed: int) -> Any:
    if sampler == "random":
        return None
    if sampler != "optuna":
        cure = 'Pass sampler="random" or sampler="optuna".'
        raise InvalidArgument("search", "a known sampler", f"sampler={sampler!r}", cure)
    try:
        import optuna
    except ImportError:
        cure = "Run pip install optuna, or leave sampler out."
        raise MissingPackage("search", "the package optuna", "none", cure) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
