"""scikit-learn's own checks (those of `parametrize_with_checks`), none of them expected to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from fitwell.layers import Dense
from fitwell.sklearn import NetClassifier, NetRegressor, NetTransformer


def small(features: int, outputs: int) -> list[Dense]:
    """Outputs that end without an activation are logits."""
    return [Dense(16, activation="tanh"), Dense(outputs)]


def squeezed(features: int, outputs: int) -> list[Dense]:
    return [Dense(outputs, name="code"), Dense(features)]


# Full batches of a size rounded up: few lengths, so few programs are compiled.
SHORT: dict[str, Any] = {"epochs": 60, "learning_rate": 0.05, "batch_size": "full"}

ESTIMATORS = [
    NetClassifier(small, **SHORT),
    NetRegressor(small, **SHORT),
    NetTransformer(1, squeezed, **SHORT | {"epochs": 5}),
]

EMPTY = (
    "check_array_api_input",  # scikit-learn skips it unless SCIPY_ARRAY_API is set
    "check_classifiers_multilabel_output_format_decision_function",  # there is no such method
)
"""Checks that look at nothing here."""


def name_of(check: Any) -> str:
    return str(getattr(check, "func", check).__name__)


CHECKS = [
    pytest.param(one, check, id=f"{type(one).__name__}-{name_of(check)}")
    for estimator in ESTIMATORS
    for one, check in estimator_checks_generator(estimator)
    if name_of(check) not in EMPTY
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
