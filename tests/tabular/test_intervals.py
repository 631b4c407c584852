"""Prediction intervals: ranks by hand, and the coverage that the theorem promises."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.tabular.intervals import Intervals, fit_intervals


@pytest.mark.parametrize(
    ("coverage", "distance"),
    [
        (0.5, 5.0),  # of 9 errors the ceil(10 * 0.5) = 5th
        (0.51, 6.0),
        (0.9, 9.0),  # the 9th, though 10 * 0.9 is 9.000000000000002
        (0.95, math.inf),  # the 10th of 9
    ],
)
def test_the_rank_by_hand(coverage: float, distance: float) -> None:
    errors = np.array([3.0, 1, 2, 9, 8, 7, 4, 5, 6])
    found = fit_intervals(np.zeros(9), errors * np.array([1, -1] * 4 + [1]))
    low, high = found.around(np.array([100.0]), coverage)[0]
    assert (low, high) == (100 - distance, 100 + distance)


def test_coverage_on_new_rows() -> None:
    """Over many draws the part inside has mean k / (n + 1), k = ceil((n + 1) coverage)."""
    draw = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        held, new = draw.exponential(size=40), draw.exponential(size=200)
        ends = fit_intervals(np.zeros(40), held).around(np.zeros(200), 0.8)
        inside.append(np.mean((ends[:, 0] <= new) & (new <= ends[:, 1])))
    expected = math.ceil(41 * 0.8) / 41
    assert np.mean(inside) == pytest.approx(expected, abs=4 * np.std(inside) / math.sqrt(300))


def test_each_range_of_predictions_has_its_own_width() -> None:
    draw = np.random.default_rng(1)
    predicted = draw.uniform(0, 10, 6000)
    y = predicted + draw.normal(size=6000) * predicted  # errors grow with the prediction
    found = fit_intervals(predicted[:3000], y[:3000])
    ends = found.around(predicted[3000:], 0.9)
    widths, new = ends[:, 1] - ends[:, 0], predicted[3000:]
    # 90 % of a normal deviate are within 1.645: the width is 3.29 times the prediction.
    for low in (2.0, 4.0, 6.0, 8.0):
        part = (new >= low) & (new < low + 1)
        assert widths[part].mean() == pytest.approx(3.29 * (low + 0.5), rel=0.15)
        inside = (ends[:, 0] <= y[3000:]) & (y[3000:] <= ends[:, 1])
        assert 0.83 < inside[part].mean() < 0.96


def test_many_errors_are_kept_as_quantiles_that_are_never_too_small() -> None:
    draw = np.random.default_rng(2)
    errors = draw.exponential(size=30_000)
    found = fit_intervals(np.zeros(30_000), errors)  # one prediction: one group
    assert [len(kept) for kept in found.distances] == [1000]
    ranked = np.sort(errors)
    for coverage in (0.1, 0.5, 0.9, 0.999):
        width = found.around(np.zeros(1), coverage)[0, 1]
        exact = ranked[math.ceil(30_001 * coverage) - 1]
        assert exact <= width <= ranked[min(math.ceil(30_001 * coverage) + 30, 29_999)]


def test_rows_count_by_their_weights() -> None:
    errors, weights = np.array([1.0, 2, 3, 4, 9]), np.array([1.0, 5, 1, 1, 0])
    found = fit_intervals(np.zeros(5), errors, weights)
    assert found.counts == (4,)  # a row of weight 0 says nothing
    # Of a weight of 8, quarters are reached at 2 (6), 2 (6), 2 (6) and 4 (8).
    assert found.distances == ((2.0, 2.0, 2.0, 4.0),)
    assert found.around(np.zeros(1), 0.6)[0, 1] == 2.0  # the 3rd of 4
    assert found.around(np.zeros(1), 0.8)[0, 1] == 4.0
    alike = fit_intervals(np.zeros(5), errors, np.full(5, 0.1))
    assert alike == fit_intervals(np.zeros(5), errors)


def test_weighted_coverage_is_that_of_rows_drawn_by_their_weights() -> None:
    """Rows of one kind are drawn three times too rarely, and count three times."""
    draw = np.random.default_rng(3)
    kind = draw.random(4000) < 0.25
    errors = draw.exponential(size=4000) * np.where(kind, 5.0, 1.0)
    found = fit_intervals(np.zeros(4000), errors, np.where(kind, 3.0, 1.0))
    new = draw.exponential(size=40_000) * np.where(draw.random(40_000) < 0.5, 5.0, 1.0)
    inside = np.mean(new <= found.around(np.zeros(1), 0.9)[0, 1])
    assert inside == pytest.approx(0.9, abs=0.02)  # 0.81 without weights


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, "0.9", True, math.nan])
def test_what_is_no_coverage(coverage: object) -> None:
    found = fit_intervals(np.zeros(3), np.ones(3))
    message = f"predict_interval: expected coverage to be a number in (0, 1), received {coverage=}."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        found.around(np.zeros(1), coverage)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "parts",
    [((), (3,), ()), ((1.0,), (3,), ((1.0,),)), ((), (1,), ((math.nan,),)), ((), (0,), ((),))],
)
def test_damaged_files_are_refused(parts: tuple[tuple, tuple, tuple]) -> None:
    with pytest.raises(InvalidFile, match="Intervals: expected errors for every group"):
        Intervals(*parts)
