"""Whether one predictor is better than another on the same rows: a paired comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from fitwell.assessment.measures import LOWER_IS_BETTER, measures
from fitwell.assessment.resampling import interval
from fitwell.types import HostArray

Differences = Mapping[str, Sequence[float]]
"""Name of the other -> lower and upper end of the interval of the difference to it."""

_NAMED = 6
_Z = 1.959964  # of a normal number 95 % lie between -z and z


def differences(
    task: str,
    truth: HostArray,
    predicted: HostArray,
    others: Mapping[str, HostArray],
    *,
    examples: int | None = None,
    counts: HostArray | None = None,
    seed: int = 0,
) -> dict[str, list[float]]:
    """d* = score(predicted, rows*) - score(other, rows*): the middle 95 % over resamples rows*.

    The score is the first that `measures` names. Both are measured on the same rows of each
    resample, so that hard rows, which are hard for both, do not widen the interval. Accuracies of n
    rows that count alike differ in whole rows, of which resamples of a few say too much: b rows
    where only the network is right and c where only the other is give d -+ 1.96 s with
    d = (b - c) / (n + 2) and s^2 = (b + c + 1 - (b - c)^2 / (n + 2)) / (n + 2)^2.

    Args:
        task, truth, predicted: as for `measures.losses`.
        others: name -> what others predict for the same rows.
        examples, counts, seed: as for `measures.scored`.

    Returns:
        name -> [lower end, upper end]; without those that are not finite.

    >>> truth = np.array([0.0, 10.0, 20.0, 30.0])
    >>> near, far = truth + [1, -1, 1, -1], truth + [2, -2, 2, -2]
    >>> differences("regression", truth, near, {"far": far})
    {'far': [-1.0, -1.0]}

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentiles);
    Agresti & Min 2005, doi:10.1002/sim.1781 (accuracies).
    """
    found = [measures(task, truth, each) for each in (predicted, *others.values())]
    every = [next(iter(each.values())) for each in found]
    rows = examples or len(truth)
    steps = len(truth) // rows
    if (
        next(iter(found[0])) == "accuracy"
        and task != "multilabel"
        and steps == 1
        and counts is None
    ):
        own, *theirs = [p.argmax(axis=1) == truth for p in (predicted, *others.values())]
        return {name: _apart(own, each) for name, each in zip(others, theirs, strict=True)}
    once = np.ones(rows) if counts is None else counts

    def together(drawn: HostArray) -> HostArray:
        each = drawn * once
        each = each if steps == 1 else np.repeat(each, steps, axis=1)
        with np.errstate(invalid="ignore"):  # a resample of rows that do not count
            own, *theirs = [measure(each) for measure in every]
        return np.stack([own - other for other in theirs], axis=1)

    ends = np.stack(interval(together, rows, width=steps, seed=seed), axis=1)
    return {
        name: [float(low), float(high)]
        for name, (low, high) in zip(others, ends, strict=True)
        if np.isfinite(low) and np.isfinite(high)
    }


def _apart(own: HostArray, other: HostArray) -> list[float]:
    """The interval of the difference of two accuracies; (n,) which rows each has right."""
    n = len(own) + 2
    only, missed = int(np.sum(own & ~other)), int(np.sum(other & ~own))
    half = _Z * math.sqrt(only + missed + 1 - (only - missed) ** 2 / n)
    return [(only - missed - half) / n, (only - missed + half) / n]


def better_of(scores: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> str | None:
    """The best of the others, if its first score is better than this one; None if none is.

    >>> better_of({"RMSE": 3.0}, {"constant": {"RMSE": 4.0}, "linear regression": {"RMSE": 2.0}})
    'linear regression'
    """
    name, own = next(iter(scores.items()))
    best = _best(name, others)
    if best is None or not _sign(name) * others[best][name] > _sign(name) * own:
        return None
    return best


def compared(
    scores: Mapping[str, float],
    others: Mapping[str, Mapping[str, float]],
    apart: Differences,
) -> str:
    """What may be said about the network beside the others, as a sentence.

    Args:
        scores: of the network, the most important first.
        others: name -> scores on the same rows.
        apart: what `differences` returned; empty where nobody compared row by row.

    >>> compared({"RMSE": 3.0}, {"constant": {"RMSE": 4.0}}, {"constant": [-1.5, -0.5]})
    'The network is better than that by more than chance explains.'
    >>> compared({"RMSE": 3.0}, {"constant": {"RMSE": 4.0}}, {"constant": [-1.5, 0.5]})
    'The difference to constant may be chance: its 95 % interval on the same rows is -1.5 to 0.5.'
    """
    name = next(iter(scores))
    sign, best, better = _sign(name), _best(name, others), better_of(scores, others)
    if best is None:
        return ""
    ranked = {other: sorted(sign * end for end in ends) for other, ends in apart.items()}
    others_said = "all of them" if len(others) > 1 else "that"
    if set(ranked) < set(others):
        if better:
            return f"{_capital(better)} scores better."
        return f"The network scores better than {others_said}; whether by chance was not measured."
    if all(low > 0 for low, _ in ranked.values()):
        return f"The network is better than {others_said} by more than chance explains."
    if ranked[best][1] < 0:
        return f"{_capital(best)} {_worse(name, scores, others[best])}"
    low, high = apart[best]
    if low == high == 0:  # of classes that are all predicted alike
        return f"The network is neither better nor worse than {best}."
    said = f"its 95 % interval on the same rows is {low:.3g} to {high:.3g}."
    if better:
        return f"{_capital(best)} scores better, but the difference may be chance: {said}"
    return f"The difference to {best} may be chance: {said}"


def _worse(name: str, scores: Mapping[str, float], other: Mapping[str, float]) -> str:
    """What follows where another is better in the first score: the other scores may deny it."""
    denied = [
        each
        for each in scores
        if each in other and _sign(each) * scores[each] > _sign(each) * other[each]
    ]
    chance = "by more than chance explains"
    if not denied:
        return f"is better {chance}: use it, or see what the doctor found."
    return f"has the better {name} {chance}, the network the better {' and '.join(denied)}."


def never_predicted(classes: Sequence[str], confusion: HostArray) -> str:
    """Which classes have rows and are never predicted, as a sentence; "" if none.

    Args:
        classes: their names.
        confusion: (classes, classes) rows of each class (first axis) by prediction.

    >>> never_predicted(["no", "yes"], np.array([[226, 0], [34, 0]]))
    'The network never predicts yes, the label of 34 of these 260 rows.'
    """
    true = confusion.sum(axis=1)
    missed = [i for i in range(len(true)) if true[i] and not confusion[:, i].any()]
    if not missed:
        return ""
    names = ", ".join(classes[i] for i in missed[:_NAMED]) + (", ..." * (len(missed) > _NAMED))
    count, rows = int(true[missed].sum()), int(true.sum())
    return f"The network never predicts {names}, the label of {count:,} of these {rows:,} rows."


def why_first(name: str) -> str:
    """Why accuracy is not the first score, as a sentence; "" where it is.

    >>> why_first("ROC AUC")
    'Most rows are of one class, so ROC AUC says more than accuracy.'
    """
    if name not in ("ROC AUC", "balanced accuracy"):
        return ""
    return f"Most rows are of one class, so {name} says more than accuracy."


def _sign(name: str) -> int:
    return -1 if name in LOWER_IS_BETTER else 1


def _best(name: str, others: Mapping[str, Mapping[str, float]]) -> str | None:
    known = [other for other in others if name in others[other]]
    return max(known, key=lambda other: _sign(name) * others[other][name], default=None)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
