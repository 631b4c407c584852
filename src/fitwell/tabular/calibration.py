"""Probabilities that mean what they say: one temperature, fitted on rows held out of training."""

from __future__ import annotations

import numpy as np

from fitwell.types import HostArray

_SPREAD = 0.5
"""How far, in standard deviations of log T, few rows may pull the temperature from 1."""
_HIGHEST = 3.0  # of |log T|
_SECTIONS = 40
_GOLDEN = (np.sqrt(5) - 1) / 2
_SMALLEST = 1e-7  # 1 - p of a float32 probability p is 0 or at least this, nearly


def tempered(probabilities: HostArray, temperature: float) -> HostArray:
    """p_c^(1/T) / sum_k p_k^(1/T): (n, classes), what logits divided by T give.

    The order of the classes stays. Above 1 the temperature makes probabilities more alike, below
    1 less.

    >>> tempered(np.array([[0.2, 0.8]]), 2.0).round(3).tolist()
    [[0.333, 0.667]]

    Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599.
    """
    if temperature == 1.0:
        return probabilities
    powers = _log(probabilities) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    shares: HostArray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(
    probabilities: HostArray, y: HostArray, weights: HostArray | None = None
) -> float:
    """T that minimises sum of -log p_y + (log T)^2 / (2 * 0.5^2): of many rows, the likeliest.

    The second term is a prior: a few rows that are all predicted right would call for T = 0.

    Args:
        probabilities: (n, classes), of rows the network was not trained on.
        y: (n,) class numbers.
        weights: (n,), how much each row counts; None counts all as 1.

    >>> sure = np.array([[0.01, 0.99]] * 400)  # says 99 %, is right in 75 %
    >>> round(fit_temperature(sure, np.array([0, 1, 1, 1] * 100)), 1)
    4.0
    """
    logs, rows = _log(probabilities), np.arange(len(y))
    counts = np.ones(len(y)) if weights is None else weights / weights.mean()

    def cost(log_t: float) -> float:
        scaled = logs / np.exp(log_t)
        top = scaled.max(axis=1)
        total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float(counts @ (total - scaled[rows, y]) + (log_t / _SPREAD) ** 2 / 2)

    low, high = -_HIGHEST, _HIGHEST
    for _ in range(_SECTIONS):  # golden section: the likelihood has one maximum in T
        inner = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, inner[1]) if cost(inner[0]) < cost(inner[1]) else (inner[0], high)
    return float(np.exp((low + high) / 2))


def _log(probabilities: HostArray) -> HostArray:
    logs: HostArray = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))
    return logs


__all__ = ["fit_temperature", "tempered"]
