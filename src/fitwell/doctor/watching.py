"""The doctor at a fit: looks before the first step and after the last, deeper if it must."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fitwell import tree
from fitwell.doctor import addressing, examining, probing, reading
from fitwell.doctor.clinic import clinic, with_cures
from fitwell.doctor.finding import Finding, Findings, Severity
from fitwell.doctor.outcome import outcome
from fitwell.doctor.record import Plan, Record
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.errors import FitwellError, InvalidArgument, Unhealthy, warn
from fitwell.hooks import Callback, MutableLogs
from fitwell.network import Network
from fitwell.replaying import Breakdown
from fitwell.training import Batch, Objective, TrainState

MODES = ("warn", "off", "strict", "treat")
_KEPT = 4_000_000  # weights: more are not copied to be compared with the last
_GOOD = {True: 0.9, False: 0.995}  # of the constant's loss explained, for classes and numbers
_POOR = 0.2
_SUSPECTED = 0.3


@dataclasses.dataclass(frozen=True)
class Case:
    """A network before it is trained: what the record is made of.

    Attributes:
        data, held_out: all examples; None where they come from an iterable.
        plan: how it will be trained; None for a checkup that was not told.
        refused: per output, why the loss does not take its labels.
        fresh: no step was taken yet.
    """

    network: Network
    objective: Objective
    train: TrainState
    data: Batch | None
    held_out: Batch | None
    plan: Plan | None
    refused: tuple[str, ...] = ()
    fresh: bool = True

    @functools.cached_property
    def begin(self) -> TrainState | None:
        """Copies of the first weights and states: the steps take the arrays of the model along."""
        if not self.small:
            return None
        params, state = jax.tree.map(np.array, (self.train.params, self.train.state))
        return self.train._replace(params=params, state=state)

    def record(self) -> Record:
        data, begin = self.data, self.begin
        params = {} if begin is None else begin.params
        return Record(
            () if data is None else reading.features(self.network, data, self.held_out),
            () if data is None else reading.heads(
                self.network, self.objective, data.y, self.refused
            ),
            reading.layers(self.network, params),
            self.plan,
            fresh=self.fresh and self.small,
        )  # fmt: skip

    @property
    def small(self) -> bool:
        return tree.size(self.train.params) <= _KEPT


class Doctor(Callback):
    """Watches one fit. Made by `fit(doctor=...)`, not by users.

    Args:
        case: what is going to be trained.
        mode: "warn"; "strict": a critical finding raises before the first step; "treat": what is
            above INFO after the last one is treated.
        show: prints findings; None for a silent fit.
    """

    def __init__(
        self, case: Case, mode: str, show: Callable[[Sequence[Finding]], None] | None
    ) -> None:
        self.case, self.mode, self.show = case, mode, show
        self.record = case.record()
        self.first = verdict(self.record)
        if mode == "strict":
            refuse(self.first)
        self.breakdown: Breakdown | None = None

    def on_breakdown(self, breakdown: Breakdown) -> None:
        """The fit ended because of it."""
        self.breakdown = breakdown

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self.model.history.findings = self._curable(self.first)
        if self.show is not None and self.first.above():
            self.show(self.first.above())

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        history = self.model.history
        if not history.epoch:
            return
        try:
            found = verdict(self.examined(history.history, self.model.train_state))
        except Exception as error:  # whatever it is, the fit is done and its weights are kept
            text = f"the doctor could not examine this fit: {type(error).__name__}: {error}"
            warn(f"{text}. The fit is not affected; doctor='off' leaves it out.")
            return
        history.findings = self._curable(found)
        known = set(self.first.above().codes)
        new = [one for one in found.above() if one.code not in known and one.code != "nan"]
        if self.breakdown is not None:  # why the fit ended early comes first
            new = [*(one for one in found if one.code == "nan"), *new]
        if self.show is not None:
            self.show(new)
        if self.mode == "treat" and found.above() and history.stopped != "interrupted":
            self._treat(history.findings)

    def _treat(self, found: Findings) -> None:
        """Cures tried and kept, by what is imported above; its errors are not those of the fit."""
        history, case = self.model.history, self.case
        assert clinic.treat is not None
        try:
            parts = self.model, case.data, case.held_out, found, history.seconds
            history.treated, said = clinic.treat(*parts)
        except FitwellError as error:
            said = f"not treated: {error}"
        if self.show is not None:
            print(said, flush=True)

    def _curable(self, found: Findings) -> Findings:
        return with_cures(found, self.model, self.case.data, self.case.held_out)

    def examined(self, curves: dict[str, list[float]], train: TrainState) -> Record:
        """The record with a run in it; what costs time is left out where all is well."""
        case, heads = self.case, self.record.heads
        run = examining.run_of(curves, heads, case.data)
        if self.breakdown is not None:
            run = dataclasses.replace(run, address=addressing.address(self.breakdown))
        record = dataclasses.replace(self.record, run=run)
        if case.data is None or case.network.remembers or not self._worth_a_look(record):
            return record
        subject = examining.Subject(
            case.network, case.objective, probing.rows_of(case.data),
            None if case.held_out is None else probing.rows_of(case.held_out), heads,
            case.begin,
        )  # fmt: skip
        if not run.diverged:
            head, score, held_out = subject.scores(train)
            more: dict[str, Any] = {"judged": head, "score": score, "held_out": held_out}
            if score is not None and (score < 0.98 or (held_out is not None and held_out < 0.9)):
                more |= subject.simple_models(head)
            run = dataclasses.replace(run, **more)
        record = dataclasses.replace(record, run=run)
        if not outcome(record).failing:
            return record
        last = run.losses[-1]
        more = {"penalty": subject.penalty(train, last), "after": subject.pulses(train)}
        if subject.begin is not None:
            more["before"] = subject.pulses(subject.begin)
            if self.record.plan is not None and not self.record.plan.per_weight:
                record = dataclasses.replace(record, curvature=subject.curvature())
        return dataclasses.replace(record, run=dataclasses.replace(run, **more))

    def _worth_a_look(self, record: Record) -> bool:
        """Whether the curves, or a suspicion from before, ask for more than a glance."""
        run = record.run
        assert run is not None
        losses = run.losses
        if run.diverged or run.constant_loss <= 0:
            return True
        explained = 1 - losses[-1] / run.constant_loss
        held = [v for v in run.history.get("val_loss", []) if np.isfinite(v)]
        if held and (held[-1] > 1.25 * min(held) or held[-1] > run.constant_loss):
            return True
        if explained < _POOR:
            return True
        return explained < _GOOD[self.record.heads[0].labels.discrete] and any(
            one.strength >= _SUSPECTED for one in suspicions(record)
        )


def refuse(found: Findings) -> None:
    """Raises for critical findings, before time is spent."""
    worst = [one for one in found if one.severity == Severity.CRITICAL]
    if worst:
        raise Unhealthy(
            'fit(doctor="strict")',
            "no critical finding before training",
            "; ".join(f"{one.code} ({one.cause})" for one in worst),
            f"{worst[0].cure}",
        )


def check_mode(mode: str) -> str:
    if mode not in MODES:
        choices = ", ".join(f'"{name}"' for name in MODES)
        cure = 'Leave it out for "warn".'
        raise InvalidArgument("fit, doctor", f"one of {choices}", repr(mode), cure)
    return mode


def assert_healthy(history: Any, allow: Sequence[str] = ()) -> None:
    """For tests: raises if a fit has a finding above INFO.

    Args:
        history: what `fit` returned.
        allow: codes that are no error.

    Raises:
        Unhealthy: with the findings. It is an AssertionError too.
    """
    found = [one for one in history.findings if one.severity > 0 and one.code not in allow]
    if found:
        raise Unhealthy(
            "assert_healthy",
            "no finding above INFO",
            "; ".join(str(one) for one in found),
            "Cure it, or pass its code in allow=[...].",
        )
