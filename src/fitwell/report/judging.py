"""From a model and rows to numbers: how good it is, and on what that rests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fitwell.assessment import measures, ranking
from fitwell.assessment.dependence import partial_dependence
from fitwell.assessment.shuffling import importances
from fitwell.assessment.subject import Subject
from fitwell.doctor import Findings
from fitwell.history import ENDS, History
from fitwell.plots.thresholds import one_against_rest, probability_of
from fitwell.report.study import Course, Judgement, Reliance

_REPEATS = 5
_DEPENDENCES = 4
_OPERATIONS = 6e10  # for shuffling: a second or two


def judge(subject: Subject) -> Judgement:
    """Scores with intervals, and the curves of the task."""
    truth, predicted = subject.truth, subject.predicted
    common: dict[str, Any] = {
        "task": subject.task,
        "target": subject.target,
        "classes": subject.classes,
        "rows": subject.rows,
        "scores": measures.scored(
            subject.task, truth, predicted, examples=subject.rows, counts=subject.counts
        ),
    }
    if subject.task == "regression":
        return Judgement(**common, residuals=(truth, predicted))
    if subject.task == "multilabel":
        each = list(enumerate(subject.classes))
        return Judgement(
            **common,
            roc={name: ranking.roc(truth[:, i] == 1, predicted[:, i]) for i, name in each},
            calibration=(
                "probability of a label",
                ranking.reliability(truth.ravel() == 1, predicted.ravel()),
            ),
        )
    names = subject.classes
    return Judgement(
        **common,
        confusion=measures.confusion(truth, predicted.argmax(axis=1), len(names)),
        roc=one_against_rest(ranking.roc, truth, predicted, names),
        precision_recall=one_against_rest(ranking.precision_recall, truth, predicted, names),
        calibration=(
            probability_of(names),
            ranking.of_classes(truth, predicted, subject.counts),
        ),
    )


def rely(subject: Subject) -> Reliance:
    """Permutation importance of all features, partial dependence of the first of them."""
    if not subject.features:
        return Reliance((), subject.loss_name, 0, 0, subject.unshuffled)
    found, rows = importances(subject, repeats=_REPEATS, operations=_OPERATIONS)
    told = [subject.features[one.place] for one in found if one.value > 0]
    shown = [each for each in told if each.values is not None][:_DEPENDENCES]
    dependences = tuple(partial_dependence(subject, each) for each in shown)
    return Reliance(tuple(found), subject.loss_name, rows, _REPEATS, "", dependences)


def course(history: History | None, kept: int | None, *, timed: bool = True) -> Course:
    """The curves, findings and layers of a history; nothing of what it does not have.

    Args:
        history: of the fit.
        kept: the epoch whose weights the model has, from 1; None where nobody knows.
        timed: whether to say how long it took.
    """
    if history is None:
        return Course()
    frame = history.frame()
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for name in history.history:
        known = frame[["epoch", name]].drop_nulls()
        curves[name] = (known["epoch"].to_list(), known[name].to_list())
    best = _best(curves)
    return Course(
        curves,
        kept or best,
        f"{_words(history, timed)}. {_kept(kept, best)}",
        tuple(history.layers),
        tuple(history.findings),
        examined=isinstance(history.findings, Findings),
    )


def _words(history: History, timed: bool) -> str:
    count = len(history.epoch)
    parts = [f"{count} epoch{'' if count == 1 else 's'}"]
    parts += [f"{history.seconds:.1f} s"] if history.seconds and timed else []
    parts += [ENDS.get(history.stopped, history.stopped)] if history.stopped else []
    return ", ".join(parts)


def _kept(kept: int | None, best: int | None) -> str:
    if kept:
        return f"The weights are those of epoch {kept}, with the lowest validation loss."
    return f"The lowest validation loss is that of epoch {best}." if best else ""


def _best(curves: Mapping[str, tuple[list[int], list[float]]]) -> int | None:
    """The epoch with the lowest validation loss, from 1."""
    epochs, values = curves.get("val_loss", ([], []))
    if not values or np.isnan(values).all():
        return None
    return epochs[int(np.nanargmin(values))] + 1
