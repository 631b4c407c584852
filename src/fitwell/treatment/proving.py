"""`finding.prove()`: the model as it is against the model with the cure, from the same starts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell import feeding, notebook
from fitwell.compiling import in_words
from fitwell.doctor.clinic import Ties
from fitwell.doctor.outcome import falls_short
from fitwell.doctor.setup import Setup
from fitwell.model import Model
from fitwell.treatment.applying import answers, situation
from fitwell.treatment.asking import possible
from fitwell.treatment.scoring import WORST, Data, Judge
from fitwell.treatment.trials import Trial, better, cost, run

_SUBJECT = "finding.prove"
_STARTS = 5
_MOST = 3  # cures that are tried
_SHARE = 0.4  # of the budget: what the trainings of one trial may take


@dataclasses.dataclass(frozen=True)
class Proof:
    """What a cure did, from the same starts as the model as it is.

    Attributes:
        code: of the finding; `cure`: the one that helped, or the first that was tried.
        name: of the score: "accuracy", "R2" or, for several outputs, "mean skill".
        before, after: a score for each start; `before` is empty where `fit` refuses the data.
        steps: of the trainings, as it is and with the cure; `on`: which rows judged.
        helps: the gain is more than chance; `why`: in words.
        failing: how many starts fail as it is: clearly less than simple models or the cure reach.
        tried: names of all cures that were tried.
        model: the best with the cure, trained so long; None where nothing helped.
        seconds: the time it took.
    """

    code: str
    cure: str
    name: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    steps: tuple[int, int]
    on: str
    helps: bool
    why: str
    failing: int
    tried: tuple[str, ...]
    model: Model | None = dataclasses.field(repr=False)
    seconds: float

    @property
    def words(self) -> str:
        """One line: what was measured."""
        change = f"{_mean(self.before)} -> {_mean(self.after)}"
        steps = " and ".join(f"{count:,}" for count in dict.fromkeys(self.steps))
        text = f"{self.cure}: {self.name} after {steps} steps {change} on {self.on}"
        if self.helps:
            return f"{text}: {self.why}{self._starts()}"
        others = f"; neither does {', '.join(self.tried[1:])}" if len(self.tried) > 1 else ""
        cure = " fw.treat(model, X, y) tries cures together." if self.failing else ""
        return f"{text}: no clear gain ({self.why}){others}{self._starts()}.{cure}"

    def _starts(self) -> str:
        """Bad luck or bad design."""
        if not self.before:
            return ""
        n = len(self.before)
        if not self.failing:
            return f"; as it is, none of {n} starts fails"
        which = "not bad luck" if self.failing == n else "it depends on the first weights"
        return f"; {self.failing} of {n} starts fail as it is: {which}"

    def __repr__(self) -> str:
        return f"<Proof of {self.code}: {self.words}>"

    def _repr_html_(self) -> str:
        """Both scores of every start, in a notebook."""
        rows = [
            (notebook.text(name), *(notebook.text(f"{value:.3f}") for value in values))
            for name, values in (("as it is", self.before), (self.cure, self.after))
            if values
        ]
        starts = [f"start {i + 1}" for i in range(max(len(self.before), len(self.after)))]
        return notebook.paragraph(self.words) + notebook.table([self.name, *starts], rows)


def _mean(scores: tuple[float, ...]) -> str:
    return f"{np.mean(scores):.2f}" if scores else "(refused)"


@in_words
def proved(ties: Ties, code: str, budget: Any) -> Proof | None:
    """Tries the cures for a code until one helps; None if none applies."""
    began = time.perf_counter()
    seconds = feeding.seconds(_SUBJECT, "budget", budget)
    told, facts, data = situation(_SUBJECT, ties, whole=False)
    judge, size = Judge(facts.record.heads), len(data.train)
    lane = cost(told, size)
    starts = int(np.clip(_SHARE * seconds / max(lane, 1e-9), 2, _STARTS))
    fits = min(1.0, _SHARE * seconds / (lane * starts))  # of the epochs
    told = dataclasses.replace(told, epochs=max(1, round(told.epochs * fits)))
    seeds = [ties.model.seed + i for i in range(starts)]

    def trial(setup: Setup) -> Trial:
        return run(setup, ties.model, data, judge, seeds, subject=_SUBJECT, limit=_SHARE * seconds)

    before: Trial | None = None
    tried: list[tuple[str, Trial, str]] = []
    for cure, setup in answers(code, told, facts):
        before = before or trial(told)
        after = trial(setup)
        tried.append((cure.name, after, _helps(after, before, data)))
        spent = time.perf_counter() - began
        if tried[-1][2] or len(tried) == _MOST or spent > seconds * (1 - _SHARE):
            break
    return None if before is None else _proof(code, before, tried, data, judge, began)


def _proof(
    code: str, before: Trial, tried: Sequence[tuple[str, Trial, str]], data: Data, judge: Judge,
    began: float,
) -> Proof:  # fmt: skip
    """In the scores that users know; of the cure that helped, or of the first."""
    name, after, why = tried[-1] if tried[-1][2] else tried[0]
    size, both = len(data.train), (before, after)
    steps = [one.setup.epochs * -(-size // min(one.setup.batch_size, size)) for one in both]
    scores = [tuple(judge.shown(skill, data.judge) for skill in one.skills) for one in both]
    return Proof(
        code, name, judge.name, scores[0], scores[1], (steps[0], steps[1]), _rows(data), bool(why),
        why or after.refused or _wins(after, before), _failing(before, after, why, data, judge),
        tuple(one for one, _, _ in tried), after.best if why else None,
        time.perf_counter() - began,
    )  # fmt: skip


def _helps(after: Trial, before: Trial, data: Data) -> str:
    if after.refused:
        return ""
    if before.refused:
        return "fit refuses it without"
    return better(after, before, np.inf if data.held is None else len(data.judge))


def _wins(after: Trial, before: Trial) -> str:
    wins = sum(a > b for a, b in zip(after.skills, before.skills, strict=True))
    return f"better from {wins} of {len(after.skills)} starts"


def _failing(before: Trial, after: Trial, why: str, data: Data, judge: Judge) -> int:
    """How many starts of the model as it is reach clearly less than is possible."""
    simple = possible(data, judge)
    reach = max(after.skills) if why else WORST
    noise = 0.0
    if simple is not None:
        reach, noise = max(reach, simple.linear, simple.kernel), simple.noise
    discrete = all(judge.discrete)
    return sum(falls_short(skill, reach, noise, discrete) for skill in before.skills)


def _rows(data: Data) -> str:
    kind = "validation rows" if data.given else "rows that were kept out"
    return f"{len(data.judge)} {'training rows' if data.held is None else kind}"
