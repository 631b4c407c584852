"""Categories of very many values: what the target was like in the rows with each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.data.features import (
    category_codes,
    check_types,
    check_values,
    damaged,
    unknown_words,
)
from fitwell.data.scaling import center_and_scale, scaled
from fitwell.description import Description
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

MOST_VALUES = 20_000
"""So many values are known by name: the rest, and those of one row, share what they say."""
FOLDS = 5
"""Of the training rows: the means in each come from four fifths of them."""


class TargetEncodedColumn(Description):
    """z = (m - center) * scale; feature = z / sqrt(1 + (z / 3)^2), one for each signal s; and p.

    m = (n s_mean + k s_all) / (n + k): the mean of the signal over the n training rows with the
    same value, drawn towards that of all rows, where k is the variance within values over the
    variance between them (empirical Bayes). Signals are the target in units of its standard
    deviation, or for each class (of two, for the second) 1 in its rows and 0 in others.

    A training row gets m from other rows alone, of which its own target is none
    (`out_of_fold`): else the network would learn to read its target from m.

    Args:
        name: of the column.
        values: as text, in alphabetical order; None in the last place stands for a missing value.
        means: m of each value and signal; the last row is that of rare and unseen values.
        center, scale: of each signal: median and 1 / (q75 - q25) of the training rows.

    Source: Micci-Barreca 2001, "A preprocessing scheme for high-cardinality categorical attributes
    in classification and prediction problems"; Pargent et al. 2022, "Regularized target encoding
    outperforms traditional methods", arXiv:2104.00629.
    """

    name: str
    values: tuple[str | None, ...]
    means: tuple[tuple[float, ...], ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]

    def validate(self) -> None:
        check_types(self, name=str, values=tuple, means=tuple, center=tuple, scale=tuple)
        check_values(self, self.values)
        signals = max(len(self.center), 1)
        one = (signals,)
        shapes = {"means": (len(self.values) + 1, signals), "center": one, "scale": one}
        for field, shape in shapes.items():
            if not _numbers(getattr(self, field), shape):
                damaged(self, field, getattr(self, field)[:3])

    @property
    def feature_names(self) -> tuple[str, ...]:
        place = f"{self.name} (place)"
        if len(self.center) == 1:
            return (f"{self.name} (target encoding)", place)
        count = len(self.center)
        return (*(f"{self.name} (target encoding {n + 1})" for n in range(count)), place)

    @property
    def matrix(self) -> HostArray:
        """(values + 1, signals + 1) float32: the features of each value, the unseen last."""
        places = np.linspace(-1, 1, len(self.means), dtype=np.float32)
        return np.concatenate([self.features(np.array(self.means)), places[:, None]], axis=1)

    def features(self, means: HostArray) -> HostArray:
        """(n, signals) m -> the features of the signals, float32."""
        return scaled(means, np.array(self.center), np.array(self.scale)).astype(np.float32)

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, signals + 1) features."""
        return self.matrix[category_codes(column, self.values)]

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        return unknown_words(self.name, column, self.values, other=True)


def _numbers(values: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether nested tuples hold finite numbers, and so many."""
    try:
        array = np.array(values)
    except ValueError:  # of different lengths
        return False
    return array.shape == shape and array.dtype.kind in "if" and bool(np.isfinite(array).all())


def fit_target_encoding(
    name: str, column: pl.Series, counts: Mapping[str | None, int], signals: HostArray
) -> TargetEncodedColumn:
    """Learns the means from the training rows.

    Args:
        name: of the column.
        column: (n,) its values in these rows, as text.
        counts: how often each occurs.
        signals: (n, signals), NaN where the target is not known.
    """
    ranked = sorted((v for v in counts if v is not None), key=lambda v: (-counts[v], v))
    kept = sorted(value for value in ranked[:MOST_VALUES] if counts[value] > 1)
    values = (*kept, *([None] if None in counts else []))
    codes = category_codes(column, values)
    means = _shrunk(codes, signals, len(values) + 1)
    center, scale = center_and_scale(means[codes])
    return TargetEncodedColumn(
        name,
        values,
        tuple(map(tuple, means.tolist())),
        tuple(np.atleast_1d(center).tolist()),
        tuple(np.atleast_1d(scale).tolist()),
    )


def out_of_fold(
    fitted: TargetEncodedColumn, column: pl.Series, signals: HostArray, groups: HostArray | None
) -> HostArray:
    """(n, signals) features of the training rows: the means in each of five folds come from the
    rows of the others.

    Args:
        fitted: by `fit_target_encoding` from the same rows.
        column: (n,) their values.
        signals: (n, signals) of them.
        groups: (n,) rows with the same number are in one fold, such as copies; None: each alone.
    """
    codes, size = category_codes(column, fitted.values), len(fitted.values) + 1
    own = np.arange(codes.size) if groups is None else np.unique(groups, return_inverse=True)[1]
    folds = np.random.default_rng(0).integers(0, FOLDS, codes.size)[own.reshape(-1)]
    means = np.empty(signals.shape)
    for fold in range(FOLDS):
        held = folds == fold
        means[held] = _shrunk(codes[~held], signals[~held], size)[codes[held]]
    return fitted.features(means)


def _shrunk(codes: HostArray, signals: HostArray, size: int) -> HostArray:
    """(size, signals): the mean of each signal by code, drawn towards that of all rows."""
    return np.stack([_shrunk_mean(codes, signal, size) for signal in signals.T], axis=1)


def _shrunk_mean(codes: HostArray, signal: HostArray, size: int) -> HostArray:
    """Variances by the method of moments, as in an analysis of variance with a random effect."""
    known = np.isfinite(signal)
    codes, signal = codes[known], signal[known]
    if not signal.size:
        return np.zeros(size)
    counts = np.bincount(codes, minlength=size)
    mean, rows, present = float(signal.mean()), signal.size, int((counts > 0).sum())
    apart = np.bincount(codes, signal - mean, size) / np.maximum(counts, 1)
    within = float(((signal - mean) ** 2).sum() - (counts * apart**2).sum())
    within = max(within, 0.0) / max(rows - present, 1)
    between = float((counts * apart**2).sum()) - (present - 1) * within
    between /= max(rows - float((counts.astype(float) ** 2).sum()) / rows, 1e-9)
    if between <= 0 or present == rows:  # the values say nothing, or each is alone
        return np.full(size, mean)
    found: HostArray = mean + apart * counts / np.maximum(counts + within / between, 1e-12)
    return found


__all__ = ["FOLDS", "MOST_VALUES", "TargetEncodedColumn", "fit_target_encoding", "out_of_fold"]
