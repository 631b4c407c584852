"""Prediction intervals: how far predictions were from the truth on rows held out of training."""

from __future__ import annotations

import math

import numpy as np

from fitwell.description import Description
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.types import HostArray

_MOST_GROUPS, _ROWS_PER_GROUP = 10, 150
_MOST_DISTANCES = 1000


class Intervals(Description):
    """prediction -+ q, where q is the ceil((n + 1) coverage)-th smallest of n held-out errors.

    Errors are |y - prediction| of rows the network was not trained on. For rows drawn like them,
    intervals hold the truth with at least the probability `coverage`, whatever the network. Where
    there are rows enough, each range of predictions has errors of its own (Mondrian groups): dear
    houses get wider intervals than cheap ones.

    With weights, ranks are shares of the weight: q is the smallest error such that errors up to it
    have ceil((n + 1) coverage) / n of the weight. For rows drawn in proportion to their weights
    that holds for a new row of mean weight (Tibshirani et al. 2019); of others it is near.

    Args:
        bounds: ascending, between the groups of predictions; one fewer than groups.
        counts: held-out rows of each group, those of weight 0 left out.
        distances: of each group, quantiles of the errors in ascending order: as many as errors, at
            most 1000.

    Source: Vovk, Gammerman & Shafer 2005, "Algorithmic learning in a random world"; Lei et al.
    2018, "Distribution-free predictive inference for regression", arXiv:1604.04173; Tibshirani et
    al. 2019, "Conformal prediction under covariate shift", arXiv:1904.06019.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    distances: tuple[tuple[float, ...], ...]

    def validate(self) -> None:
        groups = len(self.bounds) + 1
        known = groups == len(self.counts) == len(self.distances) and all(self.distances)
        if not known or not np.isfinite(np.concatenate(self.distances)).all():
            raise InvalidFile(
                "Intervals", "errors for every group", f"{self!r}"[:80], "Train the model again."
            )

    def around(self, predicted: HostArray, coverage: float) -> HostArray:
        """(n,) predictions -> (n, 2): lower and upper end, in their unit.

        Both ends are infinite where there were too few held-out rows for so high a coverage.

        Args:
            predicted: what `fit_intervals` got the like of.
            coverage: probability in (0, 1) that the truth is inside.

        Raises:
            InvalidArgument: a coverage outside (0, 1).

        >>> found = Intervals((), (9,), (tuple(range(1, 10)),))
        >>> found.around(np.array([100.0]), 0.8).tolist()
        [[92.0, 108.0]]
        """
        number = isinstance(coverage, int | float) and not isinstance(coverage, bool)
        if not number or not 0 < coverage < 1:
            raise InvalidArgument(
                "predict_interval",
                "coverage to be a number in (0, 1)",
                f"coverage={coverage!r}",
                "0.9 makes intervals that hold the truth in nine rows of ten.",
            )
        widths = np.array([self._distance(group, coverage) for group in range(len(self.counts))])
        width = widths[np.searchsorted(self.bounds, predicted, side="right")]
        return np.stack([predicted - width, predicted + width], axis=1)

    def _distance(self, group: int, coverage: float) -> float:
        count, kept = self.counts[group], self.distances[group]
        rank = math.ceil((count + 1) * coverage - 1e-9)  # 0.9 * 10 is 9.000000000000002
        if rank > count:
            return math.inf
        return kept[math.ceil(rank / count * len(kept)) - 1]  # of quantiles, the next larger


def fit_intervals(
    predicted: HostArray, y: HostArray, weights: HostArray | None = None
) -> Intervals:
    """Intervals from rows that the network was not trained on.

    Args:
        predicted, y: (n,) predictions and true values, n >= 1.
        weights: (n,) >= 0, how much each row counts; None counts all as 1.
    """
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    predicted, y, weights = (each[weights > 0] for each in (predicted, y, weights))
    errors = np.abs(np.asarray(y, np.float64) - predicted)
    most = min(max(len(y) // _ROWS_PER_GROUP, 1), _MOST_GROUPS)
    bounds = np.unique(np.quantile(predicted, np.linspace(0, 1, most + 1)[1:-1]))
    places = np.searchsorted(bounds, predicted, side="right")
    counts = np.bincount(places, minlength=len(bounds) + 1)
    if not counts.all():  # most predictions are the same number
        bounds, places, counts = bounds[:0], np.zeros_like(places), np.array([len(y)])
    groups = [places == group for group in range(len(counts))]
    kept = tuple(_quantiles(errors[group], weights[group]) for group in groups)
    return Intervals(tuple(bounds.tolist()), tuple(counts.tolist()), kept)


def _quantiles(errors: HostArray, weights: HostArray) -> tuple[float, ...]:
    """Of the shares 1 / k ... 1 of the weight, k <= 1000, each an error that occurred.

    Of few errors of one weight these are the errors themselves.
    """
    order, count = np.argsort(errors, kind="stable"), min(len(errors), _MOST_DISTANCES)
    reached = np.cumsum(weights[order])
    shares = reached[-1] * np.arange(1, count + 1) / count
    places = np.searchsorted(reached, shares * (1 - 1e-9))  # sums of floats are not exact
    return tuple(errors[order][places].tolist())


__all__ = ["Intervals", "fit_intervals"]
