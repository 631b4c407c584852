"""One setup, trained from several starts at the same time, and judged."""

from __future__ import annotations

import dataclasses
import re
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell import tree
from fitwell.doctor.edits.plan import with_rate
from fitwell.doctor.rewriting import is_chain
from fitwell.doctor.setup import Setup
from fitwell.errors import FitwellError
from fitwell.history import History
from fitwell.model import Model
from fitwell.population.fitting import fit_many
from fitwell.programs import start
from fitwell.sequential import Sequential
from fitwell.treatment.scoring import Data, Judge, Rows

_RATE = 1e10  # operations a second of small networks, cautiously
_ENOUGH = 4  # starts of which none is worse: that is no chance
_CLEARLY = 0.05  # of skill
_STEP = 3e-5  # seconds of a step and lane


@dataclass(frozen=True)
class Trial:
    """What came of a setup.

    Attributes:
        setup: with the learning rate that was best, if several were tried.
        skills: on the rows that judge, one per start.
        fitted: the mean skill on the training rows.
        models: one per start, trained.
        seconds: of all; `training`: without what was compiled for it, nearly.
        refused: why `fit` does not train it; "" if it does.
    """

    setup: Setup
    skills: tuple[float, ...]
    fitted: float
    models: tuple[Model, ...]
    seconds: float
    training: float
    refused: str = ""

    @property
    def mean(self) -> float:
        return float(np.mean(self.skills)) if self.skills else -np.inf

    @property
    def spread(self) -> float:
        """The standard deviation over the starts."""
        return float(np.std(self.skills, ddof=1)) if len(self.skills) > 1 else 0.0

    @property
    def best(self) -> Model:
        return self.models[int(np.argmax(self.skills))]


def spread_of(a: Trial, b: Trial, rows: float) -> float:
    """What the difference of two means must exceed: twice its standard error, and one example."""
    errors = [trial.spread / max(len(trial.skills), 1) ** 0.5 for trial in (a, b)]
    return 2 * float(np.hypot(*errors)) + 1 / rows


def better(new: Trial, old: Trial, rows: float) -> str:
    """In words, if the new trial is measurably better; "" if it is not.

    By more than `spread_of`; from every one of at least four starts; by half of that, from all
    starts but one of at least five; or clearly, its worst start above the best one before.
    """
    gain = new.mean - old.mean
    paired = len(new.skills) == len(old.skills)
    wins = sum(a > b for a, b in zip(new.skills, old.skills, strict=False)) if paired else 0
    lost, spread = len(new.skills) - wins, spread_of(new, old, rows)
    often = paired and len(new.skills) >= _ENOUGH + lost
    needed = spread if not often or lost > 1 else lost * spread / 2
    if new.skills and old.skills and min(new.skills) > max(old.skills):
        needed = min(needed, _CLEARLY)
    if not gain > max(needed, 1 / rows):
        return ""
    return f"helps, from {wins} of {len(new.skills)} starts" if paired else "helps"


def assembled(setup: Setup, like: Model, seed: int) -> Model:
    """An untrained model of the setup: a Sequential where the layers are a chain."""
    chain = isinstance(like, Sequential) and is_chain(setup.network)
    facts = {
        "name": like.name, "seed": seed, "epochs": 0, "learning_rate": None,
        "input_form": like._input_form, "output_form": like._output_form,
        "extra": dict(like.extra),
    }  # fmt: skip
    train = start(setup.network, seed)
    model = (Sequential if chain else Model).from_parts(setup.network, facts, train)
    names = setup.network.output_names
    named = isinstance(like._output_form, list)
    model.optimizer = setup.optimizer
    told = setup.compiled
    model._compiled = told if named else dataclasses.replace(told, names=tuple(names))
    return model


def cost(setup: Setup, rows: int) -> float:
    """Seconds that one lane takes, roughly, without compiling."""
    weights = tree.size(setup.network.weight_shapes[0])
    steps = setup.epochs * -(-rows // setup.batch_size)
    depth = len(setup.network.nodes)
    return steps * (_STEP * max(1.0, depth / 5) + 6 * weights * setup.batch_size / _RATE)


def run(
    setup: Setup, like: Model, data: Data, judge: Judge, seeds: Sequence[int], *,
    subject: str, rates: Sequence[float] = (), limit: float = np.inf, rows: Rows | None = None,
) -> Trial:  # fmt: skip
    """Trains the setup from every seed, at every rate; of several rates the best one counts.

    Args:
        subject: what the user called: a refusal begins with it.
        rows: what it trains on, in place of `data.train`.
        limit: seconds after which training ends where it is, compiling not counted.
    """
    began = time.perf_counter()
    train = data.train if rows is None else rows
    if not tree.size(setup.network.split_trainable(setup.network.weight_shapes[0])[0]):
        refused = f"{subject}: every layer is frozen, so that no weight learns"
        return Trial(setup, (), -np.inf, (), time.perf_counter() - began, 0.0, refused)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            models, training = _trained(setup, like, train, data, seeds, rates, limit)
    except FitwellError as error:
        refused = re.sub(r"^(fit_many|fit)\b", subject, str(error))
        return Trial(setup, (), -np.inf, (), time.perf_counter() - began, 0.0, refused)
    skills = np.array([judge.skill(model, data.judge) for model in models])
    lanes = skills.reshape(max(len(rates), 1), len(seeds))
    chosen = int(lanes.mean(1).argmax())
    if rates:
        setup = with_rate(setup, rates[chosen])
    mine = models[chosen * len(seeds) : (chosen + 1) * len(seeds)]
    fitted = float(lanes[chosen].mean())
    if data.held is not None:
        some = train.at(slice(None, None, 1 + len(train) // 5000))
        fitted = float(np.mean([judge.skill(model, some) for model in mine]))
    seconds = time.perf_counter() - began
    return Trial(setup, tuple(map(float, lanes[chosen])), fitted, tuple(mine), seconds, training)


def _trained(
    setup: Setup, like: Model, train: Rows, data: Data, seeds: Sequence[int],
    rates: Sequence[float], limit: float,
) -> tuple[list[Model], float]:  # fmt: skip
    model = assembled(setup, like, seeds[0])
    y = train.y(model.output_names)
    more: dict[str, Any] = {"batch_size": setup.batch_size, "epochs": setup.epochs, "verbose": 0}
    more |= {"class_weight": setup.class_weight}
    more |= {"sample_weight": train.sample_weight(model.output_names)}
    timed: dict[str, Any] = {}
    if np.isfinite(limit) and setup.epochs > 1:
        timed = {"time_limit": max(limit, 0.1)}
    if setup.optimizer.needs_value:
        more |= {"batch_size": "full", "doctor": "off"}
        if timed:  # compiles, so that the limit is of training alone
            model.fit(train.x, y, **(more | {"epochs": 1}))
        alone = [assembled(setup, like, seed) for seed in seeds]
        for one in alone:
            one.fit(train.x, y, **more, **timed)
        _refuse_halves([one.history for one in alone if one.history is not None])
        return alone, 0.0
    more |= {"seeds": [seed for _ in rates or (0,) for seed in seeds]}
    more |= {"learning_rate": [rate for rate in rates for _ in seeds] or None}
    if timed:
        _refuse_halves(fit_many(model, train.x, y, **(more | {"epochs": 1})).histories)
    if setup.patience is not None and data.held is not None:
        held = data.held.x, data.held.y(model.output_names)
        more |= {"validation_data": held, "patience": setup.patience}
    found = fit_many(model, train.x, y, **more, **timed)
    _refuse_halves(found.histories)
    return list(found.models), found.seconds


def _refuse_halves(histories: Sequence[History]) -> None:
    """Ctrl-C ends the treatment: trials that were cut short tell nothing of their cure."""
    if any(one.stopped == "interrupted" for one in histories):
        raise KeyboardInterrupt
