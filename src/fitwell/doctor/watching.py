"""The doctor at a fit: looks before the first step and after the last, deeper if it must."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fitwell import tree
from fitwell.doctor import addressing, examining, probing, reading, recurrence
from fitwell.doctor.clinic import Ties, clinic, ties, with_cures
from fitwell.doctor.course import Stills, Watch, moments, pulses
from fitwell.doctor.finding import Finding, Findings
from fitwell.doctor.modes import refuse
from fitwell.doctor.outcome import outcome
from fitwell.doctor.record import Plan, Record
from fitwell.doctor.rules.planning import steep
from fitwell.doctor.showing import Show
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.doctor.wording import words
from fitwell.errors import FitwellError, warn
from fitwell.history import History
from fitwell.hooks import Callback, MutableLogs
from fitwell.layerwise import LayerProbe, rows_of
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.replaying import Breakdown
from fitwell.training import Batch, Objective, TrainState
from fitwell.types import HostArray, LayerRecord

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
        optimizer: what moves the weights; None for a checkup.
        words: the inputs as they were given, where layers on the host encode them: of all rows, and
            of validation data of their own.
    """

    network: Network
    objective: Objective
    train: TrainState
    data: Batch | None
    held_out: Batch | None
    plan: Plan | None
    refused: tuple[str, ...] = ()
    fresh: bool = True
    optimizer: Optimizer | None = None
    words: tuple[tuple[HostArray, ...] | None, tuple[HostArray, ...] | None] = (None, None)

    @functools.cached_property
    def begin(self) -> TrainState | None:
        """Copies of what is there before the first step, which takes the arrays along."""
        if not self.small:
            return None
        train = self.train
        copied = train.params, train.state, train.optimizer, train.step
        params, state, slots, step = jax.tree.map(np.array, copied)
        return TrainState(params, state, slots, train.key, step)

    @property
    def given(self) -> tuple[Batch | None, Batch | None]:
        """Both parts of the data with inputs as they were given, not encoded."""
        data, held_out, (own, other) = self.data, self.held_out, self.words
        if own is None or data is None:
            return data, held_out
        n = len(data.x[0])
        if held_out is not None:
            held_out = held_out._replace(x=other or tuple(x[n:] for x in own))
        return data._replace(x=tuple(x[:n] for x in own)), held_out

    def record(self) -> Record:
        data, begin = self.data, self.begin
        params = {} if begin is None else begin.params
        return Record(
            () if data is None else reading.features(self.network, data, self.held_out),
            () if data is None else reading.heads(
                self.network, self.objective, data.y, self.refused,
                None if self.held_out is None else self.held_out.y,
            ),
            reading.layers(self.network, params),
            self.plan,
            fresh=self.fresh and self.small,
            padding=None if data is None else recurrence.padding(self.network, data),
            straight=reading.straight(self.network),
        )  # fmt: skip

    @property
    def small(self) -> bool:
        return tree.size(self.train.params) <= _KEPT

    @functools.cached_property
    def probe(self) -> LayerProbe | None:
        """Looks at the layers; None where there is nothing to look with."""
        if self.data is None or self.optimizer is None or self.network.remembers:
            return None
        return LayerProbe(self.network, self.objective, self.optimizer, rows_of(self.data))


class Doctor(Callback):
    """Watches one fit. Made by `fit(doctor=...)`, not by users.

    Args:
        case: what is going to be trained.
        mode: "warn"; "strict": a critical finding raises before the first step; "treat": what is
            above INFO after the last one is treated.
        show: prints findings; None for a silent fit.
    """

    def __init__(self, case: Case, mode: str, show: Show | None) -> None:
        self.case, self.mode, self.show = case, mode, show
        self.record = curved(case.record(), case)
        self.first = verdict(self.record)
        if mode == "strict":
            refuse(self.first)
        self.breakdown: Breakdown | None = None
        self.alone = True  # no callback of the user keeps a record of the layers
        self.restored = False  # a callback of the user gives back the best weights
        self.watch: Watch | None = None
        self.epoch = 0

    def on_breakdown(self, breakdown: Breakdown) -> None:
        """The fit ended because of it."""
        self.breakdown = breakdown

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        case, self.epoch = self.case, int(self.params.get("initial_epoch", 0))
        self.rate = float(self.model.learning_rate)
        self.model.history.findings = self._cured(self.first)
        if case.probe is not None and self.alone:
            self.watch = Watch(case.probe, case.begin, self.epoch, self.rate)
        self._say(self.first.above())

    def on_chunk_end(self, step: int, live: Any) -> None:
        self._look_at_layers()

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        self.epoch = epoch + 1
        self._look_at_layers()

    def _look_at_layers(self) -> None:
        history, watch = self.model.history, self.watch
        if watch is None or self.breakdown is not None:
            return
        try:
            history.layers += watch.look(
                self.epoch, lambda: self.model.train_state, lambda: self.model.learning_rate
            )
        except Exception as error:
            self.watch = None
            _give_up("look at the layers of", error)

    def on_train_end(self, logs: MutableLogs | None = None) -> None:
        history = self.model.history
        if not history.epoch:
            return
        try:
            found = verdict(self.examined(history, self.model.train_state))
        except Exception as error:  # whatever it is, the fit is done and its weights are kept
            _give_up("examine", error)
            return
        self._keep_stills(history)
        history.findings = self._cured(found)
        known = set(self.first.above().codes)
        new = [one for one in found.above() if one.code not in known and one.code != "nan"]
        if self.breakdown is not None:  # why the fit ended early comes first
            new = [*(one for one in found if one.code == "nan"), *new]
        self._say(new)
        if self.mode == "treat" and found.above() and history.stopped != "interrupted":
            self._treat(history.findings)

    def _keep_stills(self, history: History) -> None:
        """Of a fit that was not looked at: for who asks later how its layers did."""
        if self.watch is None:
            return
        stills, probe, model = self.watch.stills, self.watch.probe, self.model
        stills.keep_last(self.epoch, lambda: model.train_state, lambda: model.learning_rate)
        if len(stills.kept) > 1:
            history.look_when_asked(functools.partial(_look_at, stills, probe))

    @functools.cached_property
    def ties(self) -> Ties:
        """What findings hold of the fit: made once there are some, since it may copy rows."""
        return ties(self.model, *self.case.given)

    def _cured(self, found: Findings) -> Findings:
        return with_cures(found, self.ties) if found else found

    def _say(self, found: Sequence[Finding]) -> None:
        """Prints findings, and how to have a cure measured: of the worst that has one to try."""
        if self.show is not None and found:
            told = words()
            asked = self.mode != "treat" and told.prove
            code = self.ties.provable(Findings(found).codes) if asked else ""
            self.show(found, told.prove.format(code=code) if code else "", told.rest)

    def _treat(self, found: Findings) -> None:
        """Cures tried and kept, by what is imported above; its errors are not those of the fit."""
        history, case = self.model.history, self.case
        assert clinic.treat is not None
        try:
            parts = self.model, case.data, case.held_out, found, history.seconds
            history.treated, said = clinic.treat(*parts)
        except FitwellError as error:
            said = f"not treated: {error}"
        except KeyboardInterrupt:  # the fit has come to its end: its model stays
            said, history.stopped = "not treated: interrupted by Ctrl-C", "interrupted"
        if self.show is not None:
            print(said, flush=True)

    def examined(self, history: History, train: TrainState) -> Record:
        """The record with a run in it; what costs time is left out where all is well."""
        case, heads = self.case, self.record.heads
        run = examining.run_of(history.history, heads, case.data)
        run = dataclasses.replace(run, course=moments(history.layers), restored=self.restored)
        if self.breakdown is not None:
            run = dataclasses.replace(run, address=addressing.address(self.breakdown))
        record = dataclasses.replace(self.record, run=run)
        hurried = history.stopped == "interrupted"  # whoever pressed Ctrl-C waits for nothing
        if case.data is None or case.network.remembers or hurried:
            return record
        subject = examining.subject(
            case.network, case.objective, case.data, case.held_out, heads, case.begin
        )
        if not (self._worth_a_look(record) or subject.by_heart(self.record)):
            return record
        if not run.diverged:
            run = dataclasses.replace(run, **subject.reached(train))
        record = dataclasses.replace(record, run=run)
        if not outcome(record).failing:
            return record
        more: dict[str, Any] = {"penalty": subject.penalty(train, run.losses[-1])}
        more["blind"] = subject.blind(train, run)
        more["memory"] = subject.memory(train)
        more |= self._before_and_after(history, train)
        if self.record.plan is not None and not self.record.plan.per_weight:
            known = record.curvature
            record = dataclasses.replace(
                record, curvature=subject.curvature() if known is None else known
            )
        return dataclasses.replace(record, run=dataclasses.replace(run, **more))

    def _before_and_after(self, history: History, train: TrainState) -> dict[str, Any]:
        """Pulses at the first and at the last weights; both become part of the history."""
        probe, begin = self.case.probe, self.case.begin
        assert probe is not None
        found: dict[str, Any] = {}
        if begin is not None:
            look = probe.look(begin, self.rate)
            found["before"] = pulses(look)
        if self.watch is not None:
            history.layers += self.watch.stills.developed(probe)
        look = probe.look(train, float(self.model.learning_rate))
        step, seen = int(train.step), history.layers[-1:]
        if self.alone and (not seen or seen[0]["step"] < step):
            history.layers += look.records(self.epoch, step)
        return found | {"after": pulses(look), "course": moments(history.layers)}

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


def curved(record: Record, case: Case) -> Record:
    """With the largest curvature, where the rate of gradient descent looks too high before."""
    if case.data is None or not case.small or case.network.remembers or not steep(record):
        return record
    sample = rows_of(case.data)
    found = probing.sharpness(case.network, case.objective, case.train, sample)
    return dataclasses.replace(record, curvature=found)


def _look_at(stills: Stills, probe: LayerProbe) -> list[LayerRecord]:
    try:
        return stills.developed(probe)
    except Exception as error:
        _give_up("look at the layers of", error)
        return []


def _give_up(what: str, error: Exception) -> None:
    text = f"the doctor could not {what} this fit: {type(error).__name__}: {error}"
    warn(f"{text}. The fit is not affected; doctor='off' leaves it out.")
