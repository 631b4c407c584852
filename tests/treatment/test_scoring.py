"""How trials are judged: rare classes by the order of predictions; refusals name the caller."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import fitwell as fw
from fitwell.layers import Dense
from fitwell.treatment.asking import asked
from fitwell.treatment.trials import run

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 3)).astype(np.float32)
RARE = np.arange(400) % 20 == 0


def network(units: int = 1) -> fw.Sequential:
    model = fw.Sequential([fw.Input((3,)), Dense(units, "sigmoid")], seed=0)
    model.compile("adam", loss="binary_crossentropy")
    return model


def test_a_rare_class_is_judged_by_the_area_under_the_curve() -> None:
    case = asked("treat", network(), X, RARE, None, "9s", 1, None)
    rows = case.data.judge
    area = roc_auc_score(rows.ys[0].ravel(), case.model.predict(rows.x, verbose=0)[:, 0])
    found = case.judge.skill(case.model, rows)
    assert found == pytest.approx(2 * area - 1, abs=1e-6)
    assert case.judge.name == "AUC"
    assert case.judge.shown(found, rows) == pytest.approx(area, abs=1e-6)


def test_a_usual_class_is_judged_by_accuracy() -> None:
    case = asked("treat", network(), X, X[:, 0] > 0, None, "9s", 1, None)
    rows = case.data.judge
    right = (case.model.predict(rows.x, verbose=0)[:, 0] > 0.5) == rows.ys[0].ravel()
    found = case.judge.skill(case.model, rows)
    assert case.judge.name == "accuracy"
    assert case.judge.shown(found, rows) == pytest.approx(right.mean(), abs=1e-6)


def test_an_accuracy_is_never_below_zero() -> None:
    """Of ten classes none is right where the outputs are NaN."""
    model = fw.Sequential([fw.Input((3,)), Dense(10, "softmax")], seed=0)
    model.compile("adam", loss="sparse_categorical_crossentropy")
    case = asked("treat", model, X, np.arange(400) % 10, None, "9s", 1, None)
    case.model.set_weights([np.full_like(one, np.nan) for one in case.model.get_weights()])
    found = case.judge.skill(case.model, case.data.judge)
    assert case.judge.shown(found, case.data.judge) == 0


@pytest.mark.parametrize("subject", ["treat", "recipe"])
def test_errors_begin_with_what_was_called(subject: str) -> None:
    with pytest.raises(fw.errors.InvalidArgument, match=f"^{subject}: expected y as an array"):
        getattr(fw, subject)(network(), X)
    classes = np.arange(400) % 3  # which a binary cross-entropy refuses
    case = asked(subject, network(), X, classes, None, "9s", 1, None)
    trial = run(case.setup, case.model, case.data, case.judge, [0, 1], subject=subject)
    assert trial.refused.startswith(f"{subject}, y for BinaryCrossentropy: expected ")
