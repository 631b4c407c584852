"""What `treat` and `recipe` are asked: one reading of their arguments."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

from fitwell import feeding
from fitwell.doctor.baselines import Baselines
from fitwell.doctor.setup import Facts, Setup
from fitwell.doctor.simple import Reached, reached
from fitwell.errors import InvalidArgument
from fitwell.model import Model, require_model
from fitwell.treatment.examining import as_told, facts_of
from fitwell.treatment.scoring import Data, Judge, divided, read, read_validation


@dataclass(frozen=True)
class Asked:
    """One call.

    Attributes:
        subject: the name of what was called: errors begin with it.
        seconds, began: the budget, and since when it runs.
        setup: as `compile` and the last `fit` were told.
        possible: what simple models reach; None where they cannot tell.
    """

    subject: str
    model: Model
    seconds: float
    began: float
    data: Data
    setup: Setup
    facts: Facts
    judge: Judge
    possible: Baselines | None


def asked(
    subject: str, model: Model, x: Any, y: Any, validation_data: Any, budget: Any,
    epochs: Any, batch_size: Any, class_weight: Any = None,
) -> Asked:  # fmt: skip
    """The arguments, checked and read.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: an iterable of batches, no y, a budget that is no time.
    """
    began = time.perf_counter()
    seconds = feeding.seconds(subject, "budget", budget)
    require_model(subject, model)._require_optimizer()
    for name, value in (("x", x), ("y", y)):
        if value is None or feeding.is_iterable_of_batches(value):
            received = "None" if value is None else "an iterable of batches"
            raise InvalidArgument(subject, f"{name} as an array", received, "Pass arrays.")
    held = read_validation(subject, model, validation_data)
    data = divided(read(subject, model, x, y), held)
    setup = as_told(subject, model, data, epochs, batch_size, class_weight)
    facts = facts_of(model, setup, data)
    judge = Judge(facts.record.heads)
    found = _reached(data, judge)
    named = found is not None and bool(found.named)
    facts = dataclasses.replace(facts, named=named)
    return Asked(subject, model, seconds, began, data, setup, facts, judge, _told(found))


def possible(data: Data, judge: Judge) -> Baselines | None:
    """What simple models reach, of one output and one input of numbers."""
    return _told(_reached(data, judge))


def _told(found: Reached | None) -> Baselines | None:
    return found.best if found is not None and found.telling else None


def _reached(data: Data, judge: Judge) -> Reached | None:
    x = data.all.xs[0]
    if len(data.all.xs) > 1 or len(judge.heads) > 1 or x.dtype.kind not in "fiub":
        return None
    y = judge.targets(data.all, 0)
    if len(y) != len(x):
        return None  # an answer for every step of a sequence
    return reached([x], y, [False], judge.discrete[0], judge.ranked[0])
