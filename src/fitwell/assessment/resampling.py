"""How far a number would move with another draw of the rows: the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fitwell.types import HostArray

_RESAMPLES, _FEWEST = 1000, 200
_NUMBERS = 8_000_000  # resamples times rows; beyond it there are fewer resamples, not fewer rows
_AT_ONCE = 2_000_000  # of them in memory


def interval(
    statistic: Callable[[HostArray], HostArray],
    rows: int,
    *,
    width: int = 1,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[HostArray, HostArray]:
    """The central `level` of a statistic over resamples: rows drawn anew, with replacement.

    Args:
        statistic: weights (resamples, rows), how often each row was drawn, to values
            (resamples, ...). Values that are not finite are left out.
        rows: how many there are, >= 1.
        width: numbers per row that the statistic works with; more of them, fewer resamples.
        level: the share of resamples between the two ends.
        seed: of the draws.

    Returns:
        lower and upper ends, shaped like one value; NaN where nothing is finite.

    >>> low, high = interval(lambda w: w @ np.arange(100) / 100, 100)
    >>> bool(low < 49.5 < high)
    True

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentiles).
    """
    values = np.concatenate([statistic(weights) for weights in _draws(rows, width, seed)])
    values = np.where(np.isfinite(values), values, np.nan)
    known = np.isfinite(values).any(axis=0)
    ends = np.full((2, *values.shape[1:]), np.nan)
    tail = (1 - level) / 2
    ends[:, known] = np.nanquantile(values[:, known], [tail, 1 - tail], axis=0)
    return ends[0], ends[1]


def _draws(rows: int, width: int, seed: int) -> Iterator[HostArray]:
    random = np.random.default_rng(seed)
    left = max(_FEWEST, min(_RESAMPLES, _NUMBERS // (rows * width)))
    while left > 0:
        count = min(left, max(1, _AT_ONCE // (rows * width)))
        drawn = random.integers(0, rows, (count, rows)) + rows * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(float)
        left -= count


def share_interval(hits: HostArray, counts: HostArray) -> tuple[HostArray, HostArray]:
    """Wilson's 95 % interval of a share: `hits` of `counts`.

    >>> low, high = share_interval(np.array([8]), np.array([10]))
    >>> [round(float(end[0]), 3) for end in (low, high)]
    [0.49, 0.943]

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    z = 1.959964
    counts = np.maximum(np.asarray(counts, float), 1e-300)
    share = hits / counts
    middle = (share + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2)) / (1 + z**2 / counts)
    return middle - half, middle + half
