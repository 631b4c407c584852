"""From scikit-learn's data to a network's: dense rows, scales, weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from fitwell.data.scaling import center_and_scale, scaled
from fitwell.data.targets import sample_weights
from fitwell.errors import InvalidArgument, InvalidData, OutOfMemory
from fitwell.machine import free_host_memory
from fitwell.types import HostArray

_BLOCK = 2**22
"""Numbers that are scaled at a time, so that the way to the features takes little memory."""


def dense(owner: str, x: Any, copies: float = 1.0) -> HostArray:
    """A sparse matrix as an array; an array as it is.

    Args:
        owner: who asks.
        x: what scikit-learn has checked.
        copies: how many times as much memory what follows takes at once.

    Raises:
        OutOfMemory: the zeros do not fit into the memory.
    """
    if not sparse.issparse(x):
        array: HostArray = x
        return array
    rows, columns = x.shape
    needed = copies * rows * columns * x.dtype.itemsize
    free = free_host_memory()
    if needed > free:
        raise OutOfMemory(
            owner,
            f"rows that take at most {free / 1e9:,.1f} GB with their zeros",
            f"{rows:,} x {columns:,}: {needed / 1e9:,.1f} GB",
            "Select columns (SelectKBest, TruncatedSVD), or pass fewer rows at a time: "
            "partial_fit and predict take parts.",
        )
    return np.asarray(x.toarray())


def weights_of(owner: str, sample_weight: Any, rows: int) -> HostArray:
    """(rows,) float64 weights; ones where none are given.

    Raises:
        InvalidData: not one finite weight >= 0 per row, or nothing but zeros.
    """
    if sample_weight is None:
        return np.ones(rows)
    weight = sample_weights(f"{owner}.fit", sample_weight, rows).astype(np.float64)
    if weight.ndim != 1 or not weight.any():
        received = f"an array of shape {weight.shape}" if weight.ndim != 1 else "zeros alone"
        cure = "Pass one number per row, and not zero for all of them."
        raise InvalidData(f"{owner}.fit, sample_weight", f"{rows} weights", received, cure)
    return weight


def mean_one(weight: HostArray) -> HostArray:
    """Weights whose mean is 1, so that the learning rate means the same for any unit of them."""
    scaled: HostArray = weight * (len(weight) / weight.sum())
    return scaled.astype(np.float32)


def merged(x: HostArray, y: HostArray, weight: HostArray) -> tuple[HostArray, HostArray, HostArray]:
    """Each different row once, with the sum of its weights, in the order of its values.

    The gradient over all rows is the same. So is then its rounding, however often a row is written
    and in whatever order. Missing values are equal to one another.
    """
    rows = np.concatenate([x, y.reshape(len(y), -1)], axis=1)
    rows = np.where(np.isnan(rows), np.inf, rows)
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return x[first], y[first], np.bincount(which.reshape(-1), weights=weight)


def full_batch(rows: int) -> int:
    """A batch for all rows, up to an eighth larger: fits of nearly equal length share a program.

    >>> [full_batch(rows) for rows in (20, 100, 1000)]
    [32, 104, 1024]
    """
    step = max(1 << max((rows - 1).bit_length() - 4, 0), 8) if rows > 32 else 32
    return -(-rows // step) * step


@dataclass(frozen=True)
class Scaling:
    """Robust scaling of numbers: (x - median) / (q75 - q25), clipped smoothly to (-3, 3).

    A missing value becomes 0; a column in which training rows miss values gets another one, at
    the end, that is 1 where it does. So does `fitwell.tabular` with numbers.
    """

    center: HostArray
    scale: HostArray
    missing: HostArray

    @classmethod
    def of(cls, x: HostArray) -> Self:
        """Learnt from training rows (n, columns), NaN where a value is missing."""
        width = max(_BLOCK // max(len(x), 1), 1)  # some columns at a time: quantiles need copies
        blocks = [x[:, start : start + width] for start in range(0, x.shape[1], width)]
        scales = zip(*map(center_and_scale, blocks), strict=True)
        center, scale = (np.concatenate(each) for each in scales)
        absent = np.concatenate([np.isnan(block).sum(axis=0) for block in blocks])
        return cls(center, scale, np.flatnonzero((absent > 0) & (absent < len(x))))

    def __call__(self, x: HostArray) -> HostArray:
        """(n, columns) -> (n, features) float32, all finite."""
        found = np.empty((len(x), x.shape[1] + len(self.missing)), np.float32)
        height = max(_BLOCK // max(x.shape[1], 1), 1)
        for start in range(0, len(x), height):
            rows = slice(start, start + height)
            found[rows] = self._features(np.asarray(x[rows], np.float64))
        return found

    def _features(self, values: HostArray) -> HostArray:
        absent = np.isnan(values)
        features = scaled(np.where(absent, self.center, values), self.center, self.scale)
        return np.concatenate([features, absent[:, self.missing]], axis=1)


@dataclass(frozen=True)
class Units:
    """The unit of each target: network's number = (y - mean) / sd, and back."""

    mean: HostArray
    sd: HostArray

    @classmethod
    def of(cls, y: HostArray, weight: HostArray) -> Self:
        """Weighted mean and standard deviation of (n, targets); 1 for a constant."""
        mean = np.average(y, axis=0, weights=weight)
        sd = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        return cls(mean, np.where(sd > 0, sd, 1.0))

    def encode(self, y: HostArray) -> HostArray:
        standard: HostArray = (y - self.mean) / self.sd
        return standard

    def decode(self, outputs: HostArray) -> HostArray:
        values: HostArray = outputs * self.sd + self.mean
        return values


def check_share(owner: str, value: Any) -> float:
    """`validation_fraction`, a number inside (0, 1)."""
    if isinstance(value, bool) or not isinstance(value, float) or not 0 < value < 1:
        cure = "Pass 0.1 to validate on a tenth of the rows."
        received = f"validation_fraction={value!r}"
        raise InvalidArgument(owner, "validation_fraction inside (0, 1)", received, cure)
    return value
