"""The temperature of probabilities: by hand, and on labels drawn from known probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from fitwell.tabular.calibration import calibration_error, fit_temperature, tempered


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels that have exactly the probabilities softmax(logits)."""
    draw = np.random.default_rng(seed)
    logits = 2 * draw.normal(size=(rows, classes))
    chances = softmax(logits).cumsum(axis=1)
    return logits, (draw.random((rows, 1)) > chances[:, :-1]).sum(axis=1)


def test_tempered_probabilities_are_those_of_divided_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 4)) * 3
    for temperature in (0.5, 2.0):
        expected = softmax(logits / temperature)
        np.testing.assert_allclose(tempered(softmax(logits), temperature), expected, rtol=1e-9)


def test_certainty_stays_certain_and_finite() -> None:
    sure = tempered(np.array([[0.0, 1.0], [1.0, 0.0]]), 1.7)
    assert np.isfinite(sure).all()
    assert sure.argmax(axis=1).tolist() == [1, 0]
    np.testing.assert_allclose(sure.sum(axis=1), 1)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_factor_of_the_logits(factor: float) -> None:
    logits, y = drawn(8000, 3)
    found = fit_temperature(softmax(logits * factor), y)
    assert found == pytest.approx(factor, rel=0.05)  # 4 standard errors of so many labels


def test_rows_without_weight_do_not_count() -> None:
    logits, y = drawn(4000, 3)
    weights = (np.arange(4000) < 2000).astype(float)
    wrong = np.where(weights > 0, y, (y + 1) % 3)
    twice = np.concatenate([np.arange(2000)] * 2)  # weights are 1 on average: these count double
    expected = fit_temperature(softmax(logits[twice] * 2), y[twice])
    found = fit_temperature(softmax(logits * 2), wrong, weights)
    assert found == pytest.approx(expected, rel=1e-6)


def test_few_rows_that_are_all_right_do_not_make_the_model_certain() -> None:
    probabilities = np.full((20, 2), (0.1, 0.9))
    assert 0.3 < fit_temperature(probabilities, np.ones(20, int)) < 1


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.9, 0.1], [0.45, 0.55], [0.4, 0.6]])
    # With two bins all confidences are in the upper: mean 0.75, two of four rows are right.
    y = np.array([0, 1, 1, 0])
    assert calibration_error(probabilities, y, bins=2) == pytest.approx(0.25)
    # With ten, 0.95 and 0.9 share a bin (0.925, half right), 0.55 is right and 0.6 is wrong.
    expected = (2 * 0.425 + 0.45 + 0.6) / 4
    assert calibration_error(probabilities, y, bins=10) == pytest.approx(expected)
