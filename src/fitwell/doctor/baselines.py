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


def skill(predicted: HostArray, y: HostArray, discrete: bool, constant: float) -> float:
    """1 - error / constant; y is (n, width), one-hot for classes, and so is `predicted`."""
    return 1 - error(predicted, y, discrete) / max(constant, 1e-12)


def error(predicted: HostArray, y: HostArray, discrete: bool) -> float:
    """The share of wrong labels, or the mean squared error."""
    if not np.isfinite(predicted).all():
        return float("inf")
    if not discrete:
        return float(((predicted - y) ** 2).mean())
    if y.shape[1] == 1:
        return float(((predicted > 0.5) != (y > 0.5)).mean())
    if (y.sum(1) == 1).all():
        return float((predicted.argmax(1) != y.argmax(1)).mean())
    return float(((predicted > 0.5) != (y > 0.5)).mean())


def constant_error(y: HostArray, discrete: bool) -> float:
    """The error of the best prediction that does not look at the input."""
    if not discrete:
        return float(y.var(0).mean())
    share = y.mean(0)
    if y.shape[1] > 1 and (y.sum(1) == 1).all():
        return float(1 - share.max())
    return float(np.minimum(share, 1 - share).mean())


def baselines(x: HostArray, y: HostArray, discrete: bool, seed: int = 0) -> Baselines | None:
    """Both models on a sample of the rows; None for fewer than 20 rows or a constant target.

    Remembered: who fits the same data again does not wait again.
    """
    rows = np.random.default_rng(seed).permutation(len(x))[:_ROWS]
    some = x[rows].reshape(len(rows), -1), y[rows].astype(np.float64)
    key = (*(hashlib.sha1(a.tobytes()).digest() for a in some), discrete, seed)
    if key not in _KNOWN:
        while len(_KNOWN) >= _REMEMBERED:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[key] = _baselines(*some, discrete, seed)
    return _KNOWN[key]


_KNOWN: dict[Any, Baselines | None] = {}


def _baselines(x: HostArray, y: HostArray, discrete: bool, seed: int) -> Baselines | None:
    random, rows, x = np.random.default_rng(seed), range(len(x)), _standard(x)
    constant = constant_error(y, discrete)
    if len(rows) < 20 or constant <= 0:
        return None
    models = []
    for gram in (x @ x.T / x.shape[1], _kernel(x)):
        # A large constant is an intercept without a penalty. To subtract the mean instead would
        # tell every model a little about the row that it must not see.
        size = float(np.trace(gram)) / len(gram) or 1.0
        models.append((*np.linalg.eigh(gram + _INTERCEPT * size), size * _RIDGES))
    found = [max(_skills(*model, y, discrete, constant)) for model in models]
    better = 0
    if max(found) < _CLEAR:
        for shuffled in (random.permutation(y) for _ in range(_SHUFFLES)):
            again = [max(_skills(*model, shuffled, discrete, constant)) for model in models]
            better += max(again) >= max(found)
    chance = (1 + better) / (1 + _SHUFFLES)
    wrong = min((1 - max(found)) * constant, 1.0)
    noise = 2 * np.sqrt(max(wrong * (1 - wrong), 0.25 / len(y)) / len(y)) / constant
    return Baselines(found[0], found[1], chance, float(noise) if discrete else 2 / len(y) ** 0.5)


def _skills(
    values: HostArray, vectors: HostArray, ridges: HostArray, y: HostArray, discrete: bool,
    constant: float,
) -> list[float]:  # fmt: skip
    """The skill at each strength of the ridge, by the leave-one-out formula."""
    turned, squares = vectors.T @ y, vectors**2
    found = []
    for ridge in ridges:
        # 1 - h directly: a model that meets every point has h = 1 to the last digit.
        left = ridge / (np.maximum(values, 0) + ridge)
        residual = (vectors @ (left[:, None] * turned)) / (squares @ left)[:, None]
        found.append(skill(y - residual, y, discrete, constant))
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
