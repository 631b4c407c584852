"""finding.apply(): a new model with the cure in it, which then learns."""

from __future__ import annotations

import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import Dense

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(256, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)


def test_a_checkup_cures_the_output() -> None:
    model = fw.Sequential([Dense(8, "relu"), Dense(1, "softmax")])
    model.compile(fw.optimizers.Adam(0.02), "binary_crossentropy")
    cured = model.checkup(X, Y)[0].apply()
    assert model.layers[-1].activation == "softmax"  # the old one stays as it is
    assert cured.layers[-1].activation == "sigmoid"
    cured.fit(X, Y, epochs=20, verbose=0)
    assert ((cured.predict(X, verbose=0)[:, 0] > 0.5) == Y).mean() > 0.95


def test_a_fit_that_failed_scales_its_inputs() -> None:
    far = X * np.array([1e4, 1.0, 1.0], np.float32) + 1e5
    model = fw.Sequential([Dense(16, "tanh"), Dense(1, "sigmoid")])
    model.compile(fw.optimizers.Adam(0.01), "binary_crossentropy")
    finding = model.fit(far, Y, epochs=10, verbose=0).findings[0]
    assert finding.code == "unscaled_inputs"
    cured = finding.apply()
    history = cured.fit(far, Y, epochs=30, verbose=0)
    assert not history.findings.above()
    assert ((cured.predict(far, verbose=0)[:, 0] > 0.5) == Y).mean() > 0.95


def test_a_cure_that_is_no_change_of_the_model() -> None:
    model = fw.Sequential([Dense(1, "sigmoid")])
    model.compile(loss="binary_crossentropy")
    (finding,) = [f for f in model.checkup(X, np.ones(256)) if f.code == "single_class_labels"]
    with pytest.raises(fw.errors.NotReady) as caught:
        finding.apply()
    assert str(caught.value) == (
        "finding single_class_labels: expected a cure that changes the model, of a finding that a "
        "fit or a checkup returned, received one that is up to you. " + finding.cure
    )


def test_a_finding_of_nobody() -> None:
    finding = fw.doctor.Finding("nan", fw.doctor.Severity.WARNING, "cause", "Cure.")
    with pytest.raises(fw.errors.NotReady, match="received a finding that belongs to no model"):
        finding.apply()
