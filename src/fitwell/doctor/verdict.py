"""From a record to findings: all rules, then one cause with its symptoms, by the outcome."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fitwell.doctor.finding import Evidence, Finding, Findings, Severity
from fitwell.doctor.outcome import Outcome, outcome
from fitwell.doctor.record import Record, Run
from fitwell.doctor.rules import (
    breaking,
    data,
    dividing,
    layers,
    pairing,
    planning,
    running,
    sequences,
    structure,
)
from fitwell.doctor.rules.base import Suspicion

_WELL = 0.9  # of skill
_BLAMED = 0.3  # a weaker suspicion is never taken for the cause
_AS_STRONG = 0.1  # a second cause is named if it is this close to the first
_ASIDE = (
    "train_val_overlap", "metric_mismatch", "sentinel_values", "overfitting",
    "labels_independent_of_inputs", "train_val_label_mismatch",
)  # fmt: skip
"""Faults that stand beside what keeps a network from learning, and do not explain it."""
_DOUBTFUL = ("metric_mismatch", "labels_independent_of_inputs")
"""What can only be judged once what is certainly wrong is repaired."""
_UNLIKE = ("train_val_label_mismatch", "train_val_scale_mismatch")
"""What makes a validation loss high from the first epoch on: it says nothing of overfitting."""
_TOO_SHORT = ("lr_too_low", "too_few_epochs")
"""What never makes a fit diverge."""
_SCALES, _ALONE = ("unscaled_inputs", "unscaled_targets"), 0.75
"""What still keeps a network from learning once the other, or the number of steps, is right."""
_AGAINST = ("overfitting", "labels_independent_of_inputs", "train_val_scale_mismatch")
"""Where more steps only make it worse."""
_SYMPTOMS = (
    "nan", "vanishing_gradient", "exploding_gradient", "exploding_activation", "dying_relu",
    "saturation", "oscillating_loss", "slow_convergence", "loss_increasing", "high_initial_loss",
    "underfitting",
)  # fmt: skip
"""What follows from something: named first if it shows most, but not beside a cause."""


def suspicions(record: Record) -> list[Suspicion]:
    """What every rule has to say, one per code: the strongest, with the evidence of the others."""
    best: dict[str, Suspicion] = {}
    for rules in (
        data.rules, dividing.rules, pairing.rules, structure.rules, planning.rules, running.rules,
        layers.rules, sequences.rules, breaking.rules,
    ):  # fmt: skip
        for found in rules(record):
            code = found.finding.code
            known = best.get(code)
            if known is None or _weight(found) > _weight(known):
                best[code] = found if known is None else _joined(found, known)
            else:
                best[code] = _joined(known, found)
    if any(code in best for code in _UNLIKE):
        best.pop("overfitting", None)
    return list(best.values())


def _joined(one: Suspicion, other: Suspicion) -> Suspicion:
    """The first, with evidence of the second that it lacks."""
    known = {evidence.what for evidence in one.finding.evidence}
    more = (evidence for evidence in other.finding.evidence if evidence.what not in known)
    finding = dataclasses.replace(one.finding, evidence=(*one.finding.evidence, *more))
    return dataclasses.replace(one, finding=finding)


def _weight(one: Suspicion) -> tuple[int, float]:
    return one.finding.severity, one.strength


def verdict(record: Record) -> Findings:
    """Every finding. Where learning failed and nothing certain says why, the likeliest is blamed.

    >>> verdict(Record((), (), (), None))
    nothing found
    """
    found = suspicions(record)
    if record.run is None:
        return Findings(one.finding for one in found)
    result = outcome(record)
    certain = [one for one in found if one.finding.severity > Severity.INFO]
    if any(one.finding.code not in _ASIDE for one in certain):
        found = [_quieter(one) if one.finding.code in _DOUBTFUL else one for one in found]
        certain = [one for one in found if one.finding.severity > Severity.INFO]
    explained = any(one.finding.code not in _ASIDE for one in certain)
    if not result.failing and record.run.score is not None:
        found = [_milder(one) for one in found]
        certain = [one for one in found if one.finding.severity > Severity.INFO]
    if not result.failing or not result.signal or explained or result.fits:
        return Findings(_with_symptoms(found, certain[:1], result))
    cleared = _TOO_SHORT if record.run.diverged else ()
    causes = _blamed(
        [one for one in found if one not in certain and one.finding.code not in cleared]
    )
    if not causes:
        unknown = Suspicion(_underfitting(record, result))
        found, causes = [*found, unknown], [] if _nearly(record.run) else [unknown]
    return Findings(_with_symptoms(found, causes, result))


def _quieter(one: Suspicion) -> Suspicion:
    finding = dataclasses.replace(one.finding, severity=Severity.INFO)
    return dataclasses.replace(one, finding=finding)


def _milder(one: Suspicion) -> Suspicion:
    """What should have kept a network from learning, but did not."""
    severity = min(one.finding.severity, Severity.WARNING)
    return dataclasses.replace(one, finding=dataclasses.replace(one.finding, severity=severity))


def _blamed(found: Sequence[Suspicion]) -> list[Suspicion]:
    """The strongest suspicion, and the next if it is nearly as strong."""
    ranked = sorted(found, key=lambda one: -one.strength)
    ranked = [one for one in ranked if one.strength >= _BLAMED]
    beside = bool(ranked) and ranked[0].finding.code in (*_SCALES, *_TOO_SHORT)
    close = [
        one
        for one in ranked
        if one.strength >= ranked[0].strength - _AS_STRONG
        or (beside and one.finding.code in _SCALES and one.strength >= _ALONE)
    ]
    return close[:1] + [one for one in close[1:] if one.finding.code not in _SYMPTOMS][:1]


def _with_symptoms(
    found: Sequence[Suspicion], causes: Sequence[Suspicion], result: Outcome
) -> list[Finding]:
    """The findings, the causes among them raised; the first cause lists what else was seen."""
    symptoms = tuple(one.finding.code for one in found if one not in causes and one.strength > 0)
    symptoms = _agreeing(symptoms, [one.finding for one in causes])
    explained = any(one.finding.code not in _ASIDE for one in causes)
    explained = explained or any(one.finding.code in _AGAINST for one in causes)
    shown = []
    for one in found:
        finding = one.finding
        spare = finding.code in _TOO_SHORT and finding.severity == Severity.INFO
        if spare and explained and one not in causes:
            continue  # what explains the outcome comes first, and may say the opposite
        if one in causes and result.failing:
            severity = max(finding.severity, Severity.WARNING)
            evidence = (*finding.evidence, Evidence("outcome", result.words))
            more = symptoms if one is causes[0] else ()
            finding = dataclasses.replace(
                finding, severity=severity, evidence=evidence, symptoms=more
            )
        shown.append(finding)
    return shown


def _agreeing(symptoms: tuple[str, ...], causes: Sequence[Finding]) -> tuple[str, ...]:
    """Without those that say the opposite of a cause."""
    if any(one.code in _AGAINST for one in causes):
        return tuple(code for code in symptoms if code not in _TOO_SHORT)
    return symptoms


def _nearly(run: Run) -> bool:
    """Whether almost all is learned: that something is left, without a cause, is no alarm."""
    known = [skill for skill in (run.score, run.held_out) if skill is not None]
    return bool(known) and min(known) >= _WELL


def _underfitting(record: Record, result: Outcome) -> Finding:
    return Finding(
        "underfitting",
        Severity.INFO,
        f"The network learns less than is possible. {result.words}",
        "Wider or deeper layers, more epochs, less regularization: fw.treat(model, X, y).",
        (Evidence("weights", record.plan.parameters if record.plan else 0),),
    )
