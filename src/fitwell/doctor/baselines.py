"""What simple models reach on the same data, so that a network is judged by what is possible.

    skill = 1 - error / error of the constant prediction

Every example is predicted by a model that has not seen it, in closed form: ridge regression on the
features (linear), and on the kernel exp(-|x - x'|^2 / (2 s^2)) with s the median distance. The
error is the share of wrong labels for classes, the mean squared error for numbers.

Source: leave-one-out residuals of ridge regression are e_i / (1 - h_i): Allen 1974, Technometrics
16; Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 7.10.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell.types import HostArray

_ROWS = 300  # of the sample: what eigenvalues of a matrix of this size take, 15 ms
_RIDGES = np.logspace(-6, 1, 8)  # times the mean eigenvalue
_INTERCEPT = 1e3  # its variance, in sizes of x
_SHUFFLES = 49
_REMEMBERED = 16
_COLUMNS = 8  # of labels, that are ranked
_IDS, _NAMES = 1000, 20  # ids that are counted; numbers, of fewer the order says enough
_FEW, _CODED = 10, 64  # names of a column; columns
_CLEAR = 0.3  # a skill that no shuffled labels reach


@dataclass(frozen=True)
class Baselines:
    """Skills from -inf to 1; `chance` is a probability, `noise` two standard errors of a skill.

    Attributes:
        linear, kernel: skills of the two models.
        chance: how often shuffled labels give a kernel machine this skill.
    """

    linear: float
    kernel: float
    chance: float
    noise: float


def skill(
    predicted: HostArray, y: HostArray, discrete: bool, constant: float, ranked: bool = False
) -> float:
    """1 - error / constant; y is (n, width), one-hot for classes, and so is `predicted`."""
    return 1 - error(predicted, y, discrete, ranked) / max(constant, 1e-12)


def error(predicted: HostArray, y: HostArray, discrete: bool, ranked: bool = False) -> float:
    """The share of wrong labels, or the mean squared error; 1 - AUC if `ranked`."""
    if not np.isfinite(predicted).all():
        return float("inf")
    if ranked:
        return 1 - area(predicted, y)
    if not discrete:
        return float(((predicted - y) ** 2).mean())
    if y.shape[1] == 1:
        return float(((predicted > 0.5) != (y > 0.5)).mean())
    if (y.sum(1) == 1).all():
        return float((predicted.argmax(1) != y.argmax(1)).mean())
    return float(((predicted > 0.5) != (y > 0.5)).mean())


def area(predicted: HostArray, y: HostArray) -> float:
    """The area under the ROC curve, mean over the columns: how often a 1 is above a 0.

    Of many columns the eight with the most of both count.

    >>> area(np.array([[0.1], [0.4], [0.35], [0.8]]), np.array([[0], [0], [1], [1]]))
    0.75
    """
    ones = (y > 0.5).sum(0)
    telling = np.argsort(-np.minimum(ones, len(y) - ones), kind="stable")[:_COLUMNS]
    found = []
    for i in telling[np.minimum(ones, len(y) - ones)[telling] > 0]:
        values, truth = predicted[:, i], y[:, i] > 0.5
        order = np.sort(values)
        low, high = (np.searchsorted(order, values[truth], side) for side in ("left", "right"))
        ranks = (low + high + 1) / 2  # ties share theirs
        n = len(ranks)
        found.append((ranks.sum() - n * (n + 1) / 2) / (n * (len(y) - n)))
    return float(np.mean(found)) if found else 0.5


def constant_error(y: HostArray, discrete: bool) -> float:
    """The error of the best prediction that does not look at the input."""
    if not discrete:
        return float(y.var(0).mean())
    share = y.mean(0)
    if y.shape[1] > 1 and (y.sum(1) == 1).all():
        return float(1 - share.max())
    return float(np.minimum(share, 1 - share).mean())


def baselines(
    x: HostArray, y: HostArray, discrete: bool, seed: int = 0, ranked: bool = False
) -> Baselines | None:
    """Both models on a sample of the rows; None for fewer than 20 rows or a constant target.

    With `ranked`, skills are 2 AUC - 1: what tells where a class is rare. Remembered: who fits the
    same data again does not wait again.
    """
    rows = np.random.default_rng(seed).permutation(len(x))
    if ranked:  # the rare ones first, however few of all they are
        rows = rows[np.argsort(~np.isin(rows, telling_rows(y, _ROWS)), kind="stable")]
    rows = rows[:_ROWS]
    some = x[rows].reshape(len(rows), -1), y[rows].astype(np.float64)
    key = (*(hashlib.sha1(a.tobytes()).digest() for a in some), discrete, seed, ranked)
    if key not in _KNOWN:
        while len(_KNOWN) >= _REMEMBERED:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[key] = _baselines(*some, discrete, seed, ranked)
    return _KNOWN[key]


_KNOWN: dict[Any, Baselines | None] = {}


def _baselines(
    x: HostArray, y: HostArray, discrete: bool, seed: int, ranked: bool
) -> Baselines | None:
    random, rows, x = np.random.default_rng(seed), range(len(x)), _standard(x)
    constant = constant_error(y, discrete)
    if len(rows) < 20 or constant <= 0:
        return None
    how = discrete, 0.5 if ranked else constant, ranked
    models = []
    for gram in (x @ x.T / x.shape[1], _kernel(x)):
        # A large constant is an intercept without a penalty. To subtract the mean instead would
        # tell every model a little about the row that it must not see.
        size = float(np.trace(gram)) / len(gram) or 1.0
        models.append((*np.linalg.eigh(gram + _INTERCEPT * size), size * _RIDGES))
    found = [max(_skills(*model, y, *how)) for model in models]
    better = 0
    if max(found) < _CLEAR:
        for shuffled in (random.permutation(y) for _ in range(_SHUFFLES)):
            again = [max(_skills(*model, shuffled, *how)) for model in models]
            better += max(again) >= max(found)
    chance = (1 + better) / (1 + _SHUFFLES)
    return Baselines(found[0], found[1], chance, noise(y, *how, best=max(found)))


def noise(
    y: HostArray, discrete: bool, constant: float, ranked: bool = False, best: float = 0.0
) -> float:
    """Two standard errors of a skill on so many rows, around the best that is known."""
    if ranked:  # of the order of n ones and m zeros: Mann & Whitney 1947
        ones = np.maximum((y > 0.5).sum(0), 1)
        return float(4 * np.mean(((len(y) + 1) / (12 * ones * (len(y) - ones + 1))) ** 0.5))
    if not discrete:
        return float(2 / len(y) ** 0.5)
    wrong = min((1 - best) * constant, 1.0)
    return float(2 * np.sqrt(max(wrong * (1 - wrong), 0.25 / len(y)) / len(y)) / constant)


def telling_rows(y: HostArray, most: int) -> HostArray:
    """Rows in which classes are as equal in number as they can be; of (n, width) labels.

    >>> rows = telling_rows(np.array([[1.0]] * 9 + [[0.0]] * 991), 512)
    >>> len(rows), int((rows < 9).sum())
    (512, 9)
    """
    ones = y > 0.5
    rarity = np.where(ones, 1 / np.maximum(ones.sum(0), 1), 0.0)
    kind = np.where(ones.any(1), rarity.argmax(1), y.shape[1])
    order = np.random.default_rng(0).permutation(len(y))
    order = order[np.argsort(kind[order], kind="stable")]
    _, first, counts = np.unique(kind[order], return_index=True, return_counts=True)
    place = np.arange(len(y)) - np.repeat(first, counts)  # of a row among those of its class
    return np.sort(order[np.argsort(place, kind="stable")][:most])


def bag(x: HostArray) -> HostArray:
    """How often each of the most frequent ids is in a row, (n, ids): no order, and no size.

    >>> bag(np.array([[7, 7, 3], [3, 9, 9]])).tolist()
    [[1.0, 2.0, 0.0], [1.0, 0.0, 2.0]]
    """
    flat = x.reshape(len(x), -1)
    values, places = np.unique(flat, return_inverse=True)
    places = places.reshape(flat.shape)
    often = np.sort(np.argsort(-np.bincount(places.ravel()), kind="stable")[:_IDS])
    columns = np.full(len(values), -1)
    columns[often] = np.arange(len(often))
    found = np.zeros((len(flat), len(often)))
    rows, at = np.nonzero(columns[places] >= 0)
    np.add.at(found, (rows, columns[places[rows, at]]), 1.0)
    return found


def indicators(x: HostArray) -> HostArray | None:
    """Each column of whole numbers that repeat as indicators, beside the other columns as they are.

    None where no column has 10 to n / 3 of them.

    >>> x = np.stack([np.arange(60) % 20, np.linspace(0, 1, 60)], axis=1)
    >>> indicators(x).shape, indicators(x[:, 1:])
    ((60, 21), None)
    """
    flat = x.reshape(len(x), -1).astype(np.float64)
    parts, found = [], False
    for column in flat.T[:_CODED]:
        values = np.unique(column)
        names = _FEW <= len(values) <= len(flat) / 3 and bool((values == np.round(values)).all())
        found |= names
        parts.append(column[:, None] == values if names else column[:, None])
    return np.concatenate([*parts, flat[:, _CODED:]], axis=1) if found else None


def looks_like_ids(x: HostArray) -> bool:
    """Whether numbers may be names: whole, many, and from one list in every column.

    >>> looks_like_ids(np.arange(600).reshape(60, 10) % 97)
    True
    """
    flat = x.reshape(len(x), -1)
    if flat.shape[1] < 3 or not (flat == np.round(flat)).all() or flat.min() < 0:
        return False
    high, low = flat.max(0), flat.min(0)
    same = high.min() > 0.5 * high.max() and low.max() < 0.2 * high.max()
    return bool(same) and len(np.unique(flat)) > _NAMES


def _skills(
    values: HostArray, vectors: HostArray, ridges: HostArray, y: HostArray, discrete: bool,
    constant: float, ranked: bool,
) -> list[float]:  # fmt: skip
    """The skill at each strength of the ridge, by the leave-one-out formula."""
    turned, squares = vectors.T @ y, vectors**2
    found = []
    for ridge in ridges:
        # 1 - h directly: a model that meets every point has h = 1 to the last digit.
        left = ridge / (np.maximum(values, 0) + ridge)
        residual = (vectors @ (left[:, None] * turned)) / (squares @ left)[:, None]
        found.append(skill(y - residual, y, discrete, constant, ranked))
    return found


def _standard(x: HostArray) -> HostArray:
    """Every feature to mean 0 and spread 1; a heavy tail does not decide on the scale."""
    x = np.nan_to_num(x.astype(np.float64), posinf=0.0, neginf=0.0)
    x = x - x.mean(0)
    std = x.std(0)
    x = x / np.where(std > 0, std, 1)
    return np.clip(x[:, std > 0] if (std > 0).any() else x, -5, 5)


def _kernel(x: HostArray) -> HostArray:
    squares = (x**2).sum(1)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * x @ x.T, 0)
    far = distances[np.triu_indices(len(x), 1)]
    width = np.median(far[far > 0]) if (far > 0).any() else 1.0
    # Half the median distance: fine enough for curved borders, wide enough for many features.
    return np.asarray(np.exp(-distances / (2 * 0.25 * width)))
