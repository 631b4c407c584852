"""Which cures help: all evident ones together, then each left out, then one more at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fitwell.doctor.baselines import Baselines
from fitwell.doctor.cure import Cure
from fitwell.doctor.cures import EVIDENT, FURTHER, rate_cure
from fitwell.doctor.edits import plan
from fitwell.doctor.setup import Facts, Setup
from fitwell.model import Model
from fitwell.treatment.scoring import WORST, Data, Judge
from fitwell.treatment.treated import UNTRIED, Row
from fitwell.treatment.trials import Trial, better, cost, run, spread_of

_GOOD = 0.98  # a skill that leaves nothing to treat
_RATES = (1e-3, 3e-3, 1e-2)
_LANES = 6  # of every trial that can afford them: one number, so that trials share programs
_VAIN = 4  # further cures in a row that did not help, after which no more are tried
_NEGLIGIBLE = 0.01  # a loss of skill for which no cure is kept
_CHANCE = 0.05
_LONGEST = 0.25  # of the budget: what a trial may train


@dataclass
class Hunt:
    """The search of one call.

    Attributes:
        rows: the table so far.
        reason: why nothing is proposed; "" if something is.
        current: the best setup so far, trained; None before the first trial.
        kept: the cures in it, in the order in which they are applied.
        exact: its network is that of the cures that were kept, without layers that do nothing.
    """

    model: Model
    setup: Setup
    facts: Facts
    data: Data
    judge: Judge
    possible: Baselines | None
    seconds: float
    began: float
    codes: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)
    reason: str = ""
    kept: list[Cure] = field(default_factory=list)
    before: Trial | None = None
    exact: bool = True
    _now: Trial | None = None
    _training: float = 0.0  # of the last trial that trained
    _compiling: float = 0.0

    @property
    def current(self) -> Trial:
        assert self._now is not None
        return self._now

    def run(self) -> Trial:
        """Every step in turn, as long as there is something to gain and time for it."""
        self._now = self.before = self.trial(self.setup)
        self.reason = self._needless()
        if self.reason:
            return self.current
        evident = self._evident()
        together = self._together(evident) if evident else None
        if self._is_noise(together):
            self.reason = (
                "neither the network nor simple models predict these labels better than a "
                f"constant: shuffled labels do as well in {self._chance():.0%} of draws, so the "
                "inputs carry no sign of them and no change of the network can help"
            )
            return self.current
        if together is not None:
            self._prove(evident, together)
        self._go_on()
        if not self.kept and not self.reason:
            self.reason = (
                f"no cure does better than the model as it is ({self._shown(self.current)}) by "
                "more than the spread over the starts"
            )
        return self.current

    def _needless(self) -> str:
        """Why there is nothing to treat, or nothing that a change of the network can treat."""
        missing = sum(one.missing for one in self.facts.record.inputs)
        if missing and self.current.mean <= WORST:
            return f"x holds {missing} values that are NaN or infinite: fill them, or drop the rows"
        if not any(self.judge.constant(self.data.judge, i) for i in range(len(self.judge.heads))):
            return "all labels are the same: a constant predicts them"
        good = self.current.mean >= _GOOD
        return f"the model as it is reaches {self._shown(self.current)}" if good else ""

    def exact_setup(self) -> Setup:
        """The result without layers that do nothing."""
        return self.current.setup if self.exact else self._chain(self.kept)

    # Trials

    @property
    def left(self) -> float:
        return self.began + self.seconds - time.perf_counter()

    def time_for(self, cure: Cure | None = None) -> bool:
        """Whether a trial like the last, without the cure, and the end of the search still fit."""
        again = self.data.held is not None and not self.data.given
        compiling = 0.2 if cure is not None and cure.free else self._compiling
        return self.left > compiling + (2.5 if again else 1.2) * self._training

    def trial(self, setup: Setup, rates: Sequence[float] = ()) -> Trial:
        """Trains a setup: several starts, or fewer of them at several rates."""
        lane = cost(setup, len(self.data.train))
        most = int(np.clip(0.15 * self.seconds / max(lane, 1e-9), 1, _LANES))
        rates = rates if most >= len(rates) else rates[1:2]
        starts = max(most // max(len(rates), 1), 1)
        if not rates:
            starts = max(starts, 2)
        seeds = [self.model.seed + i for i in range(starts)]
        limit = _LONGEST * self.seconds
        parts = self.model, self.data, self.judge, seeds
        found = run(setup, *parts, rates=rates, limit=limit, subject="treat")
        if found.skills:
            self._training = found.training
            self._compiling = max(found.seconds - found.training, 0.7 * self._compiling)
        return found

    def _shown(self, trial: Trial) -> str:
        value = self.judge.shown(trial.mean, self.data.judge)
        return f"{self.judge.name} {value:.3g}"

    @property
    def _examples(self) -> float:
        """How many judge, as far as chance goes: none of it if they are the training rows."""
        return np.inf if self.data.held is None else len(self.data.judge)

    def _spread(self, a: Trial, b: Trial) -> float:
        return spread_of(a, b, self._examples)

    def _better(self, new: Trial, old: Trial) -> str:
        return better(new, old, self._examples)

    def _chain(self, cures: Sequence[Cure]) -> Setup:
        setup = self.setup
        for cure in cures:
            setup = cure.apply(setup, self.facts) or setup
        return setup

    # Steps

    def _evident(self) -> list[Cure]:
        """The cures for which the record shows a need, each on top of those before it."""
        found, setup = [], self.setup
        for cure in EVIDENT:
            after = cure.apply(setup, self.facts)
            if after is not None:
                found.append(cure)
                setup = after
        return found

    def _together(self, cures: list[Cure]) -> Trial:
        """All of them, at a few rates; the rate that is best becomes a cure of its own."""
        setup = self._chain(cures)
        rate = setup.optimizer.learning_rate
        if type(setup.optimizer).__name__ not in plan.ADAPTIVE or not isinstance(rate, float):
            return self.trial(setup)
        near = min(_RATES, key=lambda one: abs(np.log(one / max(rate, 1e-12))))
        usual = plan.LOW_RATE <= rate <= plan.HIGH_RATE
        found = self.trial(setup, [rate if usual and one == near else one for one in _RATES])
        chosen = found.setup.optimizer.learning_rate
        if not found.skills or not isinstance(chosen, float):
            return found
        if chosen != self.setup.optimizer.learning_rate or chosen != rate:
            place = next((i for i, c in enumerate(cures) if c.apply is plan.adam), len(cures))
            cures[place : place + 1] = [rate_cure(chosen, adam=place < len(cures))]
        if self.left < self._compiling + 4 * self._training:
            return found
        return self.trial(found.setup)  # from more starts, in the same program

    def _is_noise(self, together: Trial | None) -> bool:
        if self.possible is None or self.possible.chance <= _CHANCE or self.data.held is None:
            return False
        seen = [t.mean for t in (self.current, together) if t is not None]
        return max(seen) < max(self.judge.noise(self.data.judge), 0.02)

    def _chance(self) -> float:
        return 1.0 if self.possible is None else self.possible.chance

    def _prove(self, cures: list[Cure], together: Trial) -> None:
        """Leaves out one cure after the other: quick trials first, then the least plausible."""
        spread = self._spread(together, self.current)
        if not self._better(together, self.current):
            why = together.refused or (
                "does not help" if len(cures) == 1 else "all evident cures together do not help"
            )
            means = self._mean(self.current), self._mean(together)
            self.rows += [Row(cure, *means, spread, False, why) for cure in cures]
            return
        first, self._now, self.kept = self.current, together, list(cures)
        self._without_plan(cures)
        left = [one for one in reversed(cures) if one in self.kept]
        for cure in sorted(left, key=lambda one: not one.free):
            rest = [one for one in self.kept if one is not cure]
            if not rest:
                without = first
            elif not self.time_for(cure):
                self.rows.append(Row(cure, None, self.current.mean, 0.0, True, UNTRIED))
                continue
            else:
                without = self.trial(self._leaving_out(cure))
            self._weigh([cure], without, rest)
        self.rows.sort(key=lambda row: cures.index(row.cure))

    def _without_plan(self, cures: list[Cure]) -> None:
        """Optimizer, batches and epochs first, all at once: often they were right."""
        of_plan = [cure for cure in cures if cure.of_plan]
        rest = [cure for cure in cures if not cure.of_plan]
        if len(of_plan) > 1 and rest and self.time_for():
            without = self.trial(self._chain(rest))
            if self._loss(without) <= self._most(without):
                self._weigh(of_plan, without, rest)

    def _leaving_out(self, cure: Cure) -> Setup:
        """The cures that are kept but one, in the same program where that can be."""
        setup = self.setup
        for one in self.kept:
            apply = one.apply if one is not cure else one.neutral
            setup = (apply(setup, self.facts) if apply is not None else None) or setup
        return setup

    def _loss(self, without: Trial) -> float:
        return self.current.mean - without.mean

    def _most(self, without: Trial) -> float:
        """The largest loss of skill for which no cure is kept."""
        return min(self._spread(self.current, without), _NEGLIGIBLE)

    def _weigh(self, cures: list[Cure], without: Trial, rest: list[Cure]) -> None:
        spread = self._spread(self.current, without)
        needed = self._loss(without) > self._most(without) or bool(without.refused)
        after = self.current.mean
        if without.refused:
            why = "without it fit refuses"
        elif needed:
            why = self._better(self.current, without) or "better, within the spread"
        else:
            why = "no worse without it"
            self._now, self.kept = without, rest
            self.exact = without.setup == self._chain(rest)
        self.rows += [Row(c, self._mean(without), after, spread, needed, why) for c in cures]

    def _go_on(self) -> None:
        """One more cure at a time, while the network learns or generalises too little."""
        alone = [row.cure for row in self.rows] if not self.kept and len(self.rows) > 1 else []
        waiting, vain = [*alone, *FURTHER], 0
        while waiting and self.current.mean < _GOOD and vain < _VAIN and self.time_for():
            cure = min(waiting, key=self._doubt)
            waiting.remove(cure)
            setup = cure.apply(self.current.setup, self.facts)
            if setup is None or cost(setup, len(self.data.train)) > 0.3 * self.seconds:
                continue
            found = self.trial(setup)
            spread, helps = self._spread(found, self.current), self._better(found, self.current)
            why = helps or found.refused or "within the spread or worse"
            means = self._mean(self.current), self._mean(found)
            self.rows = [row for row in self.rows if row.cure is not cure]
            self.rows.append(Row(cure, *means, spread, bool(helps), why))
            vain = 0 if helps else vain + 1
            if helps:
                self._now, self.kept = found, [*self.kept, cure]

    def _doubt(self, cure: Cure) -> tuple[bool, bool]:
        """Small for what answers a finding, and for what the network lacks."""
        answers = bool(set(cure.codes) & set(self.codes))
        return not answers, cure.fits not in ("", self._lacking())

    def _lacking(self) -> str:
        """Whether it fits the training data too little, or only them."""
        trial, reach = self.current, 0.95
        if self.possible is not None:
            reach = min(reach, max(self.possible.linear, self.possible.kernel) + 0.05)
        gap = trial.fitted - max(trial.mean, 0)
        return "overfitting" if trial.fitted >= reach and gap > 0.02 else "underfitting"

    @staticmethod
    def _mean(trial: Trial) -> float | None:
        return trial.mean if trial.skills else None
