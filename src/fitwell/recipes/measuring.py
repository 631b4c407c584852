"""A setup trained from a few starts, and its scores on the training and the validation rows."""

from __future__ import annotations

import dataclasses

import numpy as np

from fitwell.doctor.baselines import Baselines
from fitwell.doctor.outcome import Outcome, outcome
from fitwell.doctor.record import Record, Run
from fitwell.model import Model
from fitwell.treatment.scoring import Data, Judge, Rows
from fitwell.treatment.trials import Trial

_SAMPLE = 5000  # training rows that a score is computed on


@dataclasses.dataclass(frozen=True)
class Measured:
    """A trial with its skills on both sides.

    Attributes:
        training, validation: the same trial, judged by these rows; no validation where there are
            no rows for it.
    """

    training: Trial
    validation: Trial | None

    @property
    def refused(self) -> str:
        return self.training.refused

    @property
    def model(self) -> Model:
        """The best start: by the validation rows, if there are any."""
        return (self.validation or self.training).best

    @property
    def gap(self) -> float:
        """How much better the training rows are predicted."""
        return 0.0 if self.validation is None else self.training.mean - self.validation.mean

    def side(self, validation: bool) -> Trial:
        return self.validation if validation and self.validation is not None else self.training


def measured(trial: Trial, data: Data, judge: Judge) -> Measured:
    """Both scores of every start of a trial."""
    some = data.train.at(slice(None, None, 1 + len(data.train) // _SAMPLE))

    def judged(rows: Rows) -> Trial:
        found = tuple(judge.skill(model, rows) for model in trial.models)
        return dataclasses.replace(trial, skills=found)

    return Measured(judged(some), None if data.held is None else judged(data.held))


def outcome_of(
    record: Record, found: Measured, possible: Baselines | None, noise: float = 0.0
) -> Outcome:
    """Did it learn, and on which rows: by what simple models reach.

    `noise`: two standard errors of a skill on the rows that are looked at, where it is larger than
    that of the simple models.
    """
    if found.refused:
        return Outcome(True, False, True, f"fit refuses it: {found.refused}")
    skills = {} if possible is None else dataclasses.asdict(possible)
    skills["noise"] = max(noise, skills.get("noise", 0.0))
    held = None if found.validation is None else found.validation.mean
    ranked = bool(record.heads) and record.heads[0].labels.ranked
    run = Run({}, 0.0, score=found.training.mean, held_out=held, ranked=ranked, **skills)
    return outcome(dataclasses.replace(record, run=run))


def subset(rows: Rows, share: float, seed: int = 0) -> Rows:
    """A random part of the rows."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.at(np.sort(order[: max(int(share * len(rows)), 2)]))


def shown(found: Measured, data: Data, judge: Judge) -> tuple[float | None, float | None]:
    """The mean scores as users know them, on both sides; None where there is none."""
    if found.refused:
        return None, None
    training = judge.shown(found.training.mean, data.train)
    if found.validation is None or data.held is None:
        return training, None
    return training, judge.shown(found.validation.mean, data.held)
