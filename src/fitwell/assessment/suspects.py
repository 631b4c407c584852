"""Labels that look wrong: rows whose label a model that did not learn from them denies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.types import HostArray

_FAR = 4.0  # robust standard deviations: of normal errors, one in 16,000 lies beyond


@dataclass(frozen=True)
class Suspect:
    """One row.

    Attributes:
        row: its place.
        guess: the class number, or the number, that the model would put there.
        doubt: what the rows are ranked by, larger is worse: for classes, p(guess) - p(label); for
            numbers, |error| in robust standard deviations.
    """

    row: int
    guess: float
    doubt: float


def suspects(task: str, truth: HostArray, predicted: HostArray) -> list[Suspect]:
    """Suspected label errors, the worst first.

    Classes (confident learning): t_j = the mean p_j of the rows with label j; a row is suspected if
    the likeliest class among those with p_j >= t_j is not its label, and is likelier than that:
    t_j of a rare class is low, and a model that holds the label for likelier does not deny it.
    Numbers: |error - median| > 4 s with s = 1.4826 median |error - median|.

    Args:
        task: `"binary"`, `"multiclass"` or `"regression"`.
        truth, predicted: as for `measures.losses`, of rows that the model did not learn from.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
    >>> [one.row for one in suspects("binary", np.array([0, 0, 1, 1]), p)]
    [3]

    Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068.
    """
    if task == "regression":
        return _far_numbers(truth, predicted)
    classes = predicted.shape[1]
    counts = np.bincount(truth, minlength=classes)
    rows = np.arange(len(truth))
    sums = np.bincount(truth, predicted[rows, truth], classes)
    typical = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(predicted >= typical, predicted, -1.0)
    guess = confident.argmax(axis=1)
    doubt = predicted[rows, guess] - predicted[rows, truth]  # 0 where they are the same
    found = (confident.max(axis=1) >= 0) & (doubt > 0)
    return _ranked(found, guess, doubt)


def _far_numbers(truth: HostArray, predicted: HostArray) -> list[Suspect]:
    error = np.asarray(predicted, float) - truth
    centred = np.abs(error - np.median(error))
    spread = 1.4826 * np.median(centred)
    if not spread > 0:
        return []
    return _ranked(centred > _FAR * spread, predicted, centred / spread)


def _ranked(found: HostArray, guess: HostArray, doubt: HostArray) -> list[Suspect]:
    rows = np.flatnonzero(found)
    order = rows[np.argsort(-doubt[rows], kind="stable")]
    return [Suspect(int(i), float(guess[i]), float(doubt[i])) for i in order]
