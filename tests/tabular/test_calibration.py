"""The temperature of probabilities: by hand, and on labels drawn from known probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from fitwell.assessment.ranking import of_classes
from fitwell.tabular.calibration import fit_temperature, tempered


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
    second, y = np.array([0.05, 0.08, 0.55, 0.65]), np.array([0, 1, 1, 0])
    two = np.stack([1 - second, second], axis=1)
    # 0.05 and 0.08 share a bin: 0.065 on average, half are of the second class.
    assert of_classes(y, two).error == pytest.approx((2 * 0.435 + 0.45 + 0.65) / 4)
    # Weights 3 and 1: 0.0575 on average, a quarter; the last row does not count.
    found = of_classes(y, two, np.array([3.0, 1, 4, 0]))
    assert found.counts.tolist() == [2, 1]
    assert found.error == pytest.approx((4 * 0.1925 + 4 * 0.45) / 8)
    # Of three classes the predicted one counts: 0.55 is right, 0.65 is not.
    three = np.array([[0.55, 0.25, 0.2], [0.65, 0.3, 0.05]])
    assert of_classes(np.array([0, 1]), three).error == pytest.approx((0.45 + 0.65) / 2)


def test_weights_that_are_alike_change_nothing() -> None:
    logits, y = drawn(200, 2)
    alike = of_classes(y, softmax(logits), np.full(200, 0.3))
    for name, value in vars(of_classes(y, softmax(logits))).items():
        np.testing.assert_allclose(getattr(alike, name), value, rtol=1e-9, atol=1e-12)
