"""Scores and baselines: arithmetic by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fitwell.data.labels import Target
from fitwell.tabular.scores import baselines, scores

pytestmark = pytest.mark.optimized  # whole programs, as their users run them

NUMBER = Target("y", "regression", mean=2.0, sd=1.0, low=0.0, high=9.0)
TWO = Target("y", "binary", ("no", "yes"))
THREE = Target("y", "multiclass", ("a", "b", "c"))


def test_regression() -> None:
    y, predicted = np.array([1.0, 2.0, 6.0]), np.array([1.0, 4.0, 5.0])
    found = scores(NUMBER, y, predicted)
    assert list(found) == ["RMSE", "MAE", "R2"]
    assert found["RMSE"] == pytest.approx(math.sqrt(5 / 3))
    assert found["MAE"] == pytest.approx(1.0)
    assert found["R2"] == pytest.approx(1 - 5 / 14)  # 14 = 4 + 1 + 9
    assert math.isnan(scores(NUMBER, y[:1], predicted[:1])["R2"])


def test_two_classes() -> None:
    p = np.array([0.9, 0.2, 0.6, 0.4])
    found = scores(TWO, np.array([1, 0, 0, 1]), np.stack([1 - p, p], axis=1))
    assert list(found) == ["accuracy", "ROC AUC", "log loss"]
    assert found["accuracy"] == 0.5
    assert found["ROC AUC"] == 0.75  # of the 4 pairs only 0.4 < 0.6 is in the wrong order
    assert found["log loss"] == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.4]).mean())
    one_class = scores(TWO, np.array([1, 1]), np.array([[0.1, 0.9], [0.4, 0.6]]))
    assert math.isnan(one_class["ROC AUC"])
    assert one_class["log loss"] == pytest.approx(-np.log([0.9, 0.6]).mean())


def test_more_classes() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8]])
    found = scores(THREE, np.array([0, 0, 1, 1]), p)
    assert found["accuracy"] == 0.75
    assert found["balanced accuracy"] == 0.75  # class 0: 2 of 2, class 1: 1 of 2, no class 2
    assert found["log loss"] == pytest.approx(-np.log([0.7, 0.5, 0.6, 0.1]).mean())


def test_baselines_of_a_number() -> None:
    x = np.arange(6.0)[:, None]
    found = baselines(NUMBER, x[:4], 2 * x[:4, 0] + 1, x[4:], np.array([9.0, 12.0]))
    assert list(found) == ["linear regression", "constant"]
    # The line says 9 and 11; the mean of 1, 3, 5, 7 is 4.
    assert found["linear regression"]["RMSE"] == pytest.approx(math.sqrt(0.5))
    assert found["constant"]["RMSE"] == pytest.approx(math.sqrt((25 + 64) / 2))


def test_baselines_of_classes() -> None:
    x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 0])
    found = baselines(TWO, x, y, np.array([[0.0]]), np.array([1]))
    assert found["constant"]["log loss"] == pytest.approx(-math.log(1 / 4))
    assert found["constant"]["accuracy"] == 0.0
    # A symmetric problem: the logistic line through equal pairs says 1/2 at 0.
    pairs = baselines(TWO, x, np.array([0, 0, 1, 1]), np.array([[0.0]]), np.array([1]))
    assert pairs["logistic regression"]["log loss"] == pytest.approx(math.log(2), abs=1e-6)
