"""Simple models against their definition: leave a row out, fit the others, predict it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from fitwell.doctor.baselines import _RIDGES as RIDGES
from fitwell.doctor.baselines import Baselines, area, baselines, constant_error, error

RANDOM = np.random.default_rng(0)


def found(x: np.ndarray, y: np.ndarray, discrete: bool) -> Baselines:
    result = baselines(x, y, discrete)
    assert result is not None
    return result


@pytest.mark.parametrize(("rows", "width"), [(60, 3), (30, 80)])
def test_the_linear_model_is_ridge_regression_on_all_other_rows(rows: int, width: int) -> None:
    x = RANDOM.normal(size=(rows, width))
    y = (x[:, :1] + 0.5 * RANDOM.normal(size=(rows, 1))).copy()
    z = (x - x.mean(0)) / x.std(0)
    best = -np.inf
    size = (z**2).sum() / width / rows  # the mean eigenvalue of z z^T / width
    for ridge in RIDGES:
        model = Ridge(alpha=ridge * size * width)
        kept = [np.arange(rows) != i for i in range(rows)]
        predicted = [model.fit(z[k], y[k]).predict(z[~k]).item() for k in kept]
        residual = y[:, 0] - np.array(predicted)
        best = max(best, 1 - (residual**2).mean() / y.var())
    assert found(x, y, discrete=False).linear == pytest.approx(best, abs=0.01)


def test_labels_drawn_by_lot_are_predicted_by_nobody() -> None:
    y = RANDOM.integers(0, 2, size=(300, 1)).astype(float)
    result = found(RANDOM.normal(size=(300, 2000)), y, discrete=True)
    assert max(result.linear, result.kernel) < 0.2
    assert result.chance > 0.02


def test_a_tenth_of_wrong_labels_is_the_limit() -> None:
    """Ten classes told by ten of twenty features; one label in ten is drawn anew."""
    right = RANDOM.integers(0, 10, size=300)
    x = RANDOM.normal(size=(300, 20)) * 0.1
    x[np.arange(300), right] += 3
    shown = np.where(RANDOM.random(300) < 0.1, RANDOM.integers(0, 10, size=300), right)
    result = found(x, np.eye(10)[shown], discrete=True)
    share = 1 - (shown != right).mean() / constant_error(np.eye(10)[shown], True)
    assert result.linear == pytest.approx(share, abs=0.05)


def test_a_circle_is_no_matter_for_a_line_but_for_a_kernel() -> None:
    x = RANDOM.normal(size=(300, 2))
    y = (np.hypot(*x.T) < 1.1).astype(float)[:, None]
    result = found(x, y, discrete=True)
    assert result.linear < 0.2
    assert result.kernel > 0.85


def test_the_error_of_a_constant() -> None:
    assert constant_error(np.array([[0.0], [0.0], [1.0]]), discrete=True) == pytest.approx(1 / 3)
    assert constant_error(np.eye(4), discrete=True) == pytest.approx(3 / 4)
    assert constant_error(np.array([[1.0], [3.0]]), discrete=False) == pytest.approx(1.0)


def test_the_error_of_predictions() -> None:
    bits = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert error(np.array([[0.9, 0.2], [0.1, 0.8]]), bits, discrete=True) == pytest.approx(1 / 4)
    assert error(np.array([[0.4, 0.6]]), np.array([[1.0, 0.0]]), discrete=True) == 1
    assert error(np.array([[np.nan]]), np.array([[1.0]]), discrete=False) == np.inf


def test_too_few_rows_or_nothing_to_tell() -> None:
    assert baselines(np.ones((5, 2)), np.ones((5, 1)), discrete=False) is None
    assert baselines(RANDOM.normal(size=(50, 2)), np.ones((50, 1)), discrete=True) is None


def test_the_area_is_that_of_scikit_learn_ties_and_columns_included() -> None:
    y = (RANDOM.random((200, 3)) < [0.05, 0.3, 0.9]).astype(float)
    values = np.round(y + RANDOM.normal(size=(200, 3)), 1)  # many ties
    assert area(values, y) == pytest.approx(roc_auc_score(y, values, average="macro"), abs=1e-12)
    assert area(values, np.zeros((200, 3))) == 0.5


def test_a_rare_class_is_told_by_the_order_where_wrong_labels_say_nothing() -> None:
    """5 % ones, with twice the area over the diagonal of the normal distribution: 2 AUC - 1."""
    y = (np.arange(600) % 20 == 0).astype(float)[:, None]
    x = RANDOM.normal(size=(600, 3)) + 1.2 * y
    blunt, ranked = baselines(x, y, True), baselines(x, y, True, ranked=True)
    assert blunt is not None
    assert ranked is not None
    direct = 2 * roc_auc_score(y[:, 0], x.sum(1)) - 1  # the best rule there is
    assert blunt.linear < 0.4
    assert ranked.linear == pytest.approx(direct, abs=0.15)
    assert ranked.noise > 0.1  # 15 ones


def test_by_lot_there_is_no_order() -> None:
    y = (RANDOM.random((400, 1)) < 0.1).astype(float)
    result = baselines(RANDOM.normal(size=(400, 4)), y, True, ranked=True)
    assert result is not None
    assert max(result.linear, result.kernel) < 2 * result.noise
