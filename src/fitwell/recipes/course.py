"""The questions in their order, each answered by short trainings."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fitwell.doctor.baselines import Baselines
from fitwell.doctor.cure import Cure
from fitwell.doctor.cures import EVIDENT, rate_cure
from fitwell.doctor.edits import plan
from fitwell.doctor.outcome import Outcome
from fitwell.doctor.setup import Facts, Setup
from fitwell.model import Model
from fitwell.recipes.measuring import Measured, measured, outcome_of, shown, subset
from fitwell.recipes.result import DATA, SIGNAL, TRAINING, VALIDATION, Step, number
from fitwell.recipes.stages import FIT_OTHERS, FIT_TRAINING_DATA, Stage
from fitwell.treatment.scoring import Data, Judge, Rows
from fitwell.treatment.trials import Trial, better, cost, run, spread_of

_STARTS = 6  # of every trial that can afford them: one number, so that trials share programs
_RATES = (1e-3, 3e-3, 1e-2)
_GAP = 0.1  # of skill, between training and validation rows: less is no overfitting
_CHANCE = 0.05  # how often shuffled labels may do as well, where there is a signal
_LEARNT = 0.3  # a skill on training rows that says: it did learn them
_FEW = 50  # rows: below, what simple models reach says little
_LONGEST = 0.25  # of the budget: what one training may take
_SHARES = (0.25, 0.5)


@dataclass
class Course:
    """One call of `recipe`.

    Attributes:
        possible: what simple models reach.
        seconds, began: the budget.
        now: the best so far; `setup` is what it trained.
        steps: every measurement.
        more_data: the score on validation rows still grows with the number of training rows;
            None if that was not measured.
    """

    model: Model
    setup: Setup
    facts: Facts
    data: Data
    judge: Judge
    possible: Baselines | None
    seconds: float
    began: float
    steps: list[Step] = field(default_factory=list)
    first: Setup = field(init=False)
    noise: float = field(init=False)
    more_data: bool | None = None
    _now: Measured | None = None
    _slowest: float = 0.0  # of the trials so far: what another one may take

    def __post_init__(self) -> None:
        self.first = self.setup
        self.noise = self.judge.noise(self.data.judge)

    @property
    def now(self) -> Measured:
        assert self._now is not None
        return self._now

    @property
    def outcome(self) -> Outcome:
        """As far as the rows that judge can tell."""
        return outcome_of(self.facts.record, self.now, self.possible, self.noise)

    @property
    def fits(self) -> bool:
        """Good on the training data."""
        return self._fitted(self.now)

    @property
    def holds(self) -> bool:
        """Good on validation data: no worse than is possible, and about as on training data."""
        above = self.now.side(True).mean > self.noise / 2  # a standard error above a constant
        return above and not self.outcome.failing and self.now.gap <= max(_GAP, self.noise)

    def run(self) -> str:
        """The answer."""
        self._now = self._measure(self.setup)
        if not self._signal():
            self._note(SIGNAL, "now", "", self.now, None, True, "no: a constant does as well")
            return "no signal"
        self._state(TRAINING, "as it is", self.fits)
        if not self.fits:
            self._learn()
            if not self.fits:
                return "underfits"
            self._state(TRAINING, "now", True)
        if self.now.validation is None:
            return "unknown"
        self._state(VALIDATION, "as it is" if self.setup is self.first else "now", self.holds)
        if not self.holds:
            self._generalise()
        if not self.holds:
            return "overfits"
        if self.steps[-1].question != VALIDATION or self.steps[-1].tried:
            self._state(VALIDATION, "now", True)
        return "done"

    # Questions

    def _signal(self) -> bool:
        """Whether anything beats a constant; a network that learnt nothing is repaired first."""
        if self._beats_constant():
            return True
        self._note(SIGNAL, "as it is", "", self.now, None, True, self._possible())
        if self.now.training.mean < _LEARNT:
            self._together(SIGNAL)
        return self._beats_constant()

    def _beats_constant(self) -> bool:
        """The network does on other rows; or simple models do, which shuffled labels do not."""
        if self.possible is None or self.now.refused or self.now.validation is None:
            return self.outcome.signal
        reach = max(self.possible.linear, self.possible.kernel)
        simple = self.possible.chance <= _CHANCE and reach >= self.possible.noise
        return simple or self.now.validation.mean >= self.noise

    def _learn(self) -> None:
        """Stage by stage until it is good on the training data; judged by these alone."""
        for stage in FIT_TRAINING_DATA:
            self._stage(TRAINING, stage)
            if self.fits:
                return
        self._together(TRAINING)

    def _generalise(self) -> None:
        for stage in FIT_OTHERS:
            self._stage(VALIDATION, stage)
            if self.holds:
                return
        self._learning_curve()

    def _stage(self, question: str, stage: Stage) -> None:
        if stage.together:
            self._chain(question, stage.name, stage.cures)
            return
        for cure in stage.cures:
            if self.fits if question == TRAINING else self.holds:
                return
            if stage.rates and cure.apply is plan.adam:
                self._rates(question, stage)
                continue
            setup = cure.apply(self.setup, self.facts)
            if setup is not None:
                self._try(question, stage.name, cure.name, setup)

    def _rates(self, question: str, stage: Stage) -> None:
        """Adam, or the optimizer as it is if it adapts its steps, at several rates at once."""
        base = plan.adam(self.setup, self.facts) or self.setup
        if not isinstance(base.optimizer.learning_rate, float) or not self._time():
            return
        found = self._trial(base, rates=_RATES)
        rate = found.setup.optimizer.learning_rate
        if found.skills and isinstance(rate, float):
            other = type(self.setup.optimizer) is not type(base.optimizer)
            name = rate_cure(rate, adam=other).name
            self._try(question, stage.name, name, found.setup)  # from more starts

    def _together(self, question: str) -> None:
        """All cures for which the record shows a need: alone, none may be enough."""
        self._chain(question, "all of them", EVIDENT)

    def _chain(self, question: str, step: str, cures: Sequence[Cure]) -> None:
        """Those that apply, in one trial."""
        setup, names = self.setup, []
        for cure in cures:
            after = cure.apply(setup, self.facts)
            if after is not None:
                setup = after
                names.append(cure.name)
        if names and all(one.tried != ", ".join(names) for one in self.steps):
            self._try(question, step, ", ".join(names), setup)

    def _learning_curve(self) -> None:
        """The validation score of a part of the rows, in as many steps as all of them took."""
        data, size = self.data, self.setup.batch_size
        half = None
        for share in _SHARES:
            rows = subset(data.train, share)
            fewer = -(-len(rows) // size)
            epochs = round(self.setup.epochs * -(-len(data.train) // size) / fewer)
            if not self._time():
                return
            setup = dataclasses.replace(self.setup, epochs=epochs)
            half = measured(self._trial(setup, rows=rows), data, self.judge)
            self._note(DATA, f"{len(rows)} rows", "", half, None, False, f"{share:.0%}")
        if half is None or half.refused:
            return
        gain = better(self.now.side(True), half.side(True), len(data.judge))
        self.more_data = bool(gain)
        why = f"yes, twice as many: {gain}" if gain else "no: twice as many are no clear gain"
        self._note(DATA, f"{len(data.train)} rows", "", self.now, None, True, why)

    # Trials

    def _try(self, question: str, step: str, name: str, setup: Setup) -> None:
        if not self._time(setup):
            self.steps.append(Step(question, step, name, None, None, None, False, "no time left"))
            return
        self._weigh(question, step, name, self._measure(setup, question == VALIDATION))

    def _weigh(self, question: str, step: str, name: str, found: Measured) -> None:
        """Keeps what helps: training scores for the first question, validation for the second."""
        if found.refused:
            self._note(question, step, name, found, None, False, found.refused)
            return
        by = question != TRAINING
        new, old = found.side(by), self.now.side(by)
        rows = len(self.data.judge if by else self.data.train)
        spread = None if self.now.refused else spread_of(new, old, rows)
        why = "without it fit refuses" if self.now.refused else better(new, old, rows)
        if not why and question == TRAINING and new.mean > old.mean and self._fitted(found):
            why = "with it, yes"
        self._note(question, step, name, found, spread, bool(why), why or "no clear gain")
        if why:
            self._now, self.setup = found, found.training.setup

    def _fitted(self, found: Measured) -> bool:
        return outcome_of(self.facts.record, found, self.possible).fits

    def _measure(self, setup: Setup, validation: bool = False) -> Measured:
        return measured(self._trial(setup, validation=validation), self.data, self.judge)

    def _trial(
        self, setup: Setup, *, rates: Sequence[float] = (), rows: Rows | None = None,
        validation: bool = False,
    ) -> Trial:  # fmt: skip
        """Six starts, or fewer of a long training; of several rates two or one for each."""
        lane = cost(setup, len(self.data.train))
        starts = int(np.clip(0.15 * self.seconds / max(lane, 1e-9), 2, _STARTS))
        starts = max(starts // max(len(rates), 1), 1)
        seeds = [self.model.seed + i for i in range(starts)]
        data = self.data
        if not validation and setup.patience is None and rows is None:
            data = Data(data.train, None, data.train, False)
        began = time.perf_counter()
        limit = _LONGEST * self.seconds
        found = run(
            setup, self.model, data, self.judge, seeds, subject="recipe", rates=rates, limit=limit,
            rows=rows,
        )  # fmt: skip
        self._slowest = max(self._slowest, time.perf_counter() - began)
        return found

    def _time(self, setup: Setup | None = None) -> bool:
        """Whether one more trial fits into the budget."""
        left = self.began + self.seconds - time.perf_counter()
        need = 0.0 if setup is None else _STARTS * cost(setup, len(self.data.train))
        return left > max(self._slowest, min(need, _LONGEST * self.seconds))

    # Steps

    def _note(
        self, question: str, step: str, tried: str, found: Measured, spread: float | None,
        kept: bool, why: str,
    ) -> None:  # fmt: skip
        scores = shown(found, self.data, self.judge)
        if spread is not None:  # a skill, in the unit of the scores
            spread *= self.judge.shown(1, self.data.judge) - self.judge.shown(0, self.data.judge)
        self.steps.append(Step(question, step, tried, *scores, spread, kept, why))

    def _state(self, question: str, step: str, good: bool) -> None:
        """An answer to a question, and what it stands on."""
        why = self.now.refused or self._possible()
        if question == VALIDATION:
            gap, side = abs(self.now.gap), "less" if self.now.gap >= 0 else "more"
            why = f"{gap:.2f} of skill {side} than on training rows; {why}"
        said = f"yes: {why}" if good else f"no: {why}"
        self._note(question, step, "", self.now, None, True, said)

    def _possible(self) -> str:
        if self.possible is None or self.facts.rows < _FEW:
            skill = self.now.training.mean
            return f"skill {skill:.2f}, where 0 is a constant; simple models have nothing to say"
        reach = max(self.possible.linear, self.possible.kernel)
        value = number(self.judge.shown(reach, self.data.train))
        return f"simple models reach {value} on rows they have not seen"
