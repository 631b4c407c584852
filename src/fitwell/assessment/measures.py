"""The usual scores of a task for any weighting of the rows, so that they can be resampled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from fitwell.assessment.ranking import weighted_area
from fitwell.assessment.resampling import interval
from fitwell.types import HostArray

Measure: TypeAlias = Callable[[HostArray], HostArray]
"""From weights (resamples, rows) to values (resamples,)."""

LOWER_IS_BETTER = ("RMSE", "MAE", "log loss")
_MOST = 0.75  # of the rows: what always names that class is right in three of four


def losses(task: str, truth: HostArray, predicted: HostArray) -> HostArray:
    """(n,) the loss of each row: squared error, or -log p of the right class.

    Args:
        task: `"regression"`, `"binary"`, `"multiclass"` or `"multilabel"`.
        truth: (n,) numbers or class numbers, or (n, labels) of 0 and 1.
        predicted: (n,) numbers, (n, classes) or (n, labels) probabilities.
    """
    if task == "regression":
        squared: HostArray = np.square(np.asarray(predicted, float) - truth)
        return squared
    room = np.finfo(predicted.dtype).eps  # what keeps log finite, as in scikit-learn
    p = np.clip(predicted, room, 1 - room if task == "multilabel" else 1.0)
    if task == "multilabel":
        each: HostArray = -np.log(np.where(truth > 0, p, 1 - p))
        return each.mean(axis=1)
    chosen: HostArray = -np.log(p[np.arange(len(truth)), truth])
    return chosen


def measures(task: str, truth: HostArray, predicted: HostArray) -> dict[str, Measure]:
    """Name -> how it is computed, the most important first; arguments as for `losses`.

    Regression: RMSE and MAE in the unit of the target, R2. Two classes: accuracy, area under the
    ROC curve, log loss. More: accuracy, balanced accuracy (the mean recall of the classes that
    occur), log loss; see `in_order`. Several labels: the mean over the labels of accuracy and log
    loss.
    """
    lost = losses(task, truth, predicted)
    if task == "regression":
        return _of_numbers(truth, np.asarray(predicted, float), lost)
    if task == "multilabel":
        hits = ((predicted > 0.5) == (truth > 0)).mean(axis=1)
        return {"accuracy": _mean(hits), "log loss": _mean(lost)}
    right = predicted.argmax(axis=1) == truth
    found = {"accuracy": _mean(right)}
    if task == "binary":
        score = predicted[:, 1]
        found["ROC AUC"] = lambda weights: weighted_area(truth == 1, score, weights)
    else:
        found["balanced accuracy"] = lambda weights: _balanced(truth, right, weights)
    return in_order({**found, "log loss": _mean(lost)}, truth)


def in_order(found: Mapping[str, Any], truth: HostArray) -> dict[str, Any]:
    """Measures of classes with accuracy first, or second where most rows are of one class.

    From three quarters of the rows on, what always names that class is right so often that accuracy
    hardly tells predictors apart: a network that orders the rows well may name no other class.

    Args:
        found: accuracy, a measure that the shares of the classes do not move, others.
        truth: (n,) class numbers.

    >>> list(in_order({"accuracy": 0.99, "ROC AUC": 0.8}, np.array([0] * 19 + [1])))
    ['ROC AUC', 'accuracy']
    """
    share = np.bincount(truth).max(initial=0) / max(len(truth), 1)
    names = list(found)
    if _MOST <= share < 1:
        names.insert(0, names.pop(1))
    return {name: found[name] for name in names}


def _of_numbers(truth: HostArray, predicted: HostArray, squared: HostArray) -> dict[str, Measure]:
    centred = truth - truth.mean()

    def r2(weights: HostArray) -> HostArray:
        total = weights.sum(axis=1)
        spread = weights @ centred**2 - (weights @ centred) ** 2 / total
        with np.errstate(invalid="ignore", divide="ignore"):
            value: HostArray = np.where(spread > 0, 1 - (weights @ squared) / spread, np.nan)
        return value

    of_squares = _mean(squared)
    return {
        "RMSE": lambda weights: np.sqrt(of_squares(weights)),
        "MAE": _mean(np.abs(predicted - truth)),
        "R2": r2,
    }


def _mean(values: HostArray) -> Measure:
    numbers = np.asarray(values, float)
    return lambda weights: (weights @ numbers) / weights.sum(axis=1)


def _balanced(truth: HostArray, right: HostArray, weights: HostArray) -> HostArray:
    recalls = []
    for number in np.unique(truth):
        members = weights[:, truth == number]
        with np.errstate(invalid="ignore", divide="ignore"):
            recalls.append(members @ right[truth == number].astype(float) / members.sum(axis=1))
    each = np.stack(recalls)
    known = np.isfinite(each)  # a resample may hold no row of a class
    mean: HostArray = np.where(known, each, 0).sum(axis=0) / known.sum(axis=0)
    return mean


def values(
    task: str, truth: HostArray, predicted: HostArray, counts: HostArray | None = None
) -> dict[str, float]:
    """Name -> value of each measure over all rows, each counted once or as `counts` says."""
    all_rows = np.ones(len(truth)) if counts is None else counts
    found = measures(task, truth, predicted)
    return {name: float(measure(all_rows[None])[0]) for name, measure in found.items()}


def scored(
    task: str,
    truth: HostArray,
    predicted: HostArray,
    *,
    examples: int | None = None,
    counts: HostArray | None = None,
    seed: int = 0,
) -> dict[str, tuple[float, float, float]]:
    """Name -> value, and the lower and upper end of its 95 % bootstrap interval over the rows.

    Args:
        task, truth, predicted: as for `losses`.
        examples: how many there are, where each has several rows: they are drawn together.
        counts: (examples,) how much each counts; None for 1 each.
        seed: of the draws.

    >>> truth = np.array([0, 1, 1, 0])
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    >>> scored("binary", truth, p)["accuracy"][0]
    0.75
    """
    found = measures(task, truth, predicted)
    examples = examples or len(truth)
    steps = len(truth) // examples
    once = np.ones(examples) if counts is None else counts

    def together(drawn: HostArray) -> HostArray:
        each = drawn * once
        each = each if steps == 1 else np.repeat(each, steps, axis=1)
        return np.stack([measure(each) for measure in found.values()], axis=1)

    low, high = interval(together, examples, width=steps, seed=seed)
    middle = values(task, truth, predicted, np.repeat(once, steps))
    return {
        name: (value, float(low[i]), float(high[i]))
        for i, (name, value) in enumerate(middle.items())
    }


def confusion(truth: HostArray, chosen: HostArray, classes: int) -> HostArray:
    """(classes, classes) counts: row = the true class, column = the predicted one.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.bincount(truth * classes + chosen, minlength=classes**2)
    return counts.reshape(classes, classes)
