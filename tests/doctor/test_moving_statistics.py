"""Batch normalization: of few examples, and of few steps."""

from __future__ import annotations

from tests.doctor.test_rules import FAILED, HIDDEN, LAST, LEARNED, PLAN, change, record

from fitwell.doctor.record import Layer
from fitwell.doctor.verdict import verdict

NORM = Layer("batch_normalization", "BatchNormalization", momentum=0.99)
NORMALIZED = (HIDDEN, NORM, LAST)


def test_batch_normalization_of_two_examples() -> None:
    tiny = change(PLAN, batch_size=2)
    found = verdict(record(layers=NORMALIZED, plan=tiny, run=FAILED)).above()
    assert found.codes == ["batch_too_small"]
    assert found[0].layer == "batch_normalization"
    assert verdict(record(plan=tiny, run=FAILED)).above()[0].layer is None
    assert not verdict(record(layers=NORMALIZED, plan=tiny, run=LEARNED)).above()


def test_moving_statistics_that_had_no_time() -> None:
    """0.99^60 = 55 % of what they began as is left; after 1600 steps nothing is."""
    short = change(PLAN, epochs=20, steps=3, reach=0.06, rate=1e-3)
    long = change(PLAN, epochs=100, steps=16)
    (found,) = verdict(record(layers=NORMALIZED, plan=change(short, reach=1.0), run=FAILED)).above()
    assert found.code == "too_few_epochs"
    assert "55%" in found.cause
    assert "too_few_epochs" not in verdict(record(layers=NORMALIZED, plan=long, run=FAILED)).codes
