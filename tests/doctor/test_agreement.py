"""Findings that agree: all causes that are needed, and no cure that contradicts another."""

from __future__ import annotations

import numpy as np
import pytest
from tests.doctor.test_rules import (
    FAILED,
    HIDDEN,
    LAST,
    LEARNED,
    NUMBERS,
    PLAN,
    at,
    change,
    curve,
    features,
    labels,
    record,
)

import fitwell as fw
from fitwell.doctor.pulse import Pulse
from fitwell.doctor.record import Record
from fitwell.doctor.verdict import verdict
from fitwell.layers import Dense

LARGE = features(std=at(0, 4000.0))
DOLLARS = change(NUMBERS, labels=labels("numbers", mean=4000.0, std=200.0))
SHORT = change(PLAN, reach=0.2)  # steps that lead nowhere near 4000


def test_where_inputs_and_targets_are_unscaled_both_cures_are_needed() -> None:
    found = verdict(record(LARGE, DOLLARS, plan=SHORT, run=FAILED))
    assert set(found.above().codes) == {"unscaled_inputs", "unscaled_targets"}
    targets = verdict(record(heads=DOLLARS, plan=SHORT, run=FAILED))
    assert targets.above().codes == ["unscaled_targets"]
    inputs = verdict(record(LARGE, NUMBERS, plan=SHORT, run=FAILED))
    assert inputs.above().codes == ["unscaled_inputs"]


def test_targets_that_are_tiny_against_the_first_predictions() -> None:
    tiny = change(NUMBERS, labels=labels("numbers", mean=0.0, std=1e-4))
    assert verdict(record(heads=tiny, run=FAILED)).above().codes == ["unscaled_targets"]


def test_of_several_outputs_the_one_is_named() -> None:
    price = change(DOLLARS, layer="price")
    inputs, layers = (features(),), (HIDDEN, LAST)
    found = verdict(Record(inputs, (NUMBERS, price), layers, PLAN, FAILED))
    (one,) = [one for one in found if one.code == "unscaled_targets"]
    assert one.layer == "price"
    assert "targets of price" in one.cause
    assert 'y["price"].mean()' in one.cure


@pytest.mark.parametrize("cause", ["overfitting", "labels_independent_of_inputs"])
def test_beside_what_more_steps_make_worse_no_more_steps_are_asked_for(cause: str) -> None:
    falling = {"loss": [0.6, 0.3, 0.1, 0.01]}
    runs = {
        "overfitting": change(
            LEARNED, history={**falling, "val_loss": [0.6, 0.5, 0.9, 1.6]}, score=1.0, held_out=0.1
        ),
        "labels_independent_of_inputs": change(
            FAILED, history=falling, linear=-0.05, kernel=0.0, chance=0.6
        ),
    }
    found = verdict(record(plan=SHORT, run=runs[cause]))
    assert found.above().codes == [cause]
    assert "too_few_epochs" not in found.codes
    assert all("too_few_epochs" not in one.symptoms for one in found)


def test_a_loss_that_falls_while_validation_rises_needs_no_more_epochs() -> None:
    history = {"loss": [0.6, 0.5, 0.4, 0.3, 0.2], "val_loss": [0.6, 0.4, 0.5, 0.6, 0.7]}
    assert "too_few_epochs" not in verdict(record(run=change(LEARNED, history=history))).codes
    history["val_loss"] = [0.6, 0.5, 0.45, 0.4, 0.3]
    assert "too_few_epochs" in verdict(record(run=change(LEARNED, history=history))).codes


def test_numbers_of_classes_as_a_quantity_have_no_accuracy() -> None:
    digits = labels("classes", counts=(50,) * 10, high=9.0, mean=4.5, std=2.9)
    as_number = change(NUMBERS, metrics=("BinaryAccuracy",), labels=digits)
    found = verdict(record(heads=as_number, run=LEARNED))
    assert found.above().codes == ["metric_mismatch"]
    assert "Dense(10" in found.above()[0].cure
    mae = change(as_number, metrics=("MeanAbsoluteError",))
    assert not verdict(record(heads=mae, run=LEARNED)).above()
    stars = change(as_number, labels=labels("classes", counts=(9,) * 60))
    assert "metric_mismatch" not in verdict(record(heads=stars, run=LEARNED)).codes


def test_of_a_unit_that_its_bias_keeps_at_zero_the_bias_is_named() -> None:
    dead = change(FAILED, after=(Pulse("dense", 0.0, 0.0, dead=1.0),))
    layers = (change(HIDDEN, bias=-10.0), LAST)
    (low,) = verdict(record(layers=layers, run=dead)).above()
    assert low.code == "dying_relu"
    assert "began at -10" in low.cause
    assert low.cure.startswith('bias_initializer="zeros"')
    (plain,) = verdict(record(run=dead)).above()
    assert "bias_initializer" not in plain.cure


def test_the_cure_of_a_low_bias_is_applied() -> None:
    low = fw.initializers.Constant(-10.0)
    model = fw.Sequential([Dense(8, "relu", bias_initializer=low), Dense(1)], seed=0)
    model.compile("adam", loss="mse")
    x = np.random.default_rng(0).normal(size=(128, 3))
    found = model.fit(x, x[:, 0] * x[:, 1] + x[:, 2], epochs=2, verbose=0).findings
    (one,) = [one for one in found if one.code == "dying_relu"]
    assert not one.apply().get_weights()[1].any()


def test_underfitting_is_no_name_for_a_fit_that_was_too_short() -> None:
    found = verdict(record(run=curve([0.69, 0.67, 0.65, 0.63, 0.61])))
    assert found.above().codes == ["too_few_epochs"]


def test_a_rate_that_diverges_is_the_cause_alone() -> None:
    broken = curve([0.5, float("inf")])
    steep = change(PLAN, optimizer="SGD", rate=0.5, reach=800.0)
    sizes = change(NUMBERS, labels=labels("numbers", mean=300.0, std=200.0))
    found = verdict(record(heads=sizes, plan=steep, run=broken, curvature=5000.0))
    assert found.above().codes == ["lr_too_high"]


def test_a_rest_that_is_not_learned_and_has_no_cause_is_no_alarm() -> None:
    """93 % of the variance where a linear model reaches 98 %: a fact; half of it is an alarm."""
    run = change(LEARNED, linear=0.98, kernel=0.9)
    near = verdict(record(heads=NUMBERS, run=change(run, score=0.95, held_out=0.93)))
    assert "underfitting" in near.codes
    assert not near.above()
    far = verdict(record(heads=NUMBERS, run=change(run, score=0.5, held_out=0.5)))
    assert far.above().codes == ["underfitting"]
