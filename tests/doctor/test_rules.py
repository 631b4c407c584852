"""Every rule on plain numbers: one record that it must name, one like it that it must not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from fitwell.cli.checking import LONGER
from fitwell.doctor.finding import Severity
from fitwell.doctor.labels import Labels
from fitwell.doctor.mixture import Mixture
from fitwell.doctor.pulse import Pulse
from fitwell.doctor.record import Features, Head, Layer, Plan, Record, Run
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.doctor.wording import Words, speaking

change = dataclasses.replace


def features(**changes: Any) -> Features:
    """Three features, standardised."""
    zeros, ones = np.zeros(3), np.ones(3)
    base = Features("input", 500, (3,), zeros, ones, -3 * ones, 3 * ones, 1e-7 * ones, 0.6 * ones)
    return change(base, **changes)


def labels(kind: str = "binary", **changes: Any) -> Labels:
    known = {
        "binary": Labels("binary", 500, 1, 0.0, 1.0, 0.5, 0.5, (250, 250)),
        "classes": Labels("classes", 500, 1, 0.0, 2.0, 1.0, 0.8, (170, 170, 160)),
        "one_hot": Labels("one_hot", 500, 3, 0.0, 1.0, 0.3, 0.5, (170, 170, 160)),
        "multi_hot": Labels("multi_hot", 500, 3, 0.0, 1.0, 0.5, 0.5, (250, 250, 250)),
        "numbers": Labels("numbers", 500, 1, -2.0, 2.0, 0.0, 1.0, whole=False),
    }
    return change(known[kind], **changes)


def head(kind: str, units: int, activation: str, loss: str, *metrics: str, **changes: Any) -> Head:
    base = Head(
        "last", units, activation, loss, False, "sum_over_batch_size", metrics, labels(kind)
    )
    return change(base, **changes)


BINARY = head("binary", 1, "sigmoid", "BinaryCrossentropy", "BinaryAccuracy")
CLASSES = head("classes", 3, "softmax", "SparseCategoricalCrossentropy")
ONE_HOT = head("one_hot", 3, "softmax", "CategoricalCrossentropy")
SEVERAL = head("multi_hot", 3, "sigmoid", "BinaryCrossentropy")
NUMBERS = head("numbers", 1, "linear", "MeanSquaredError")
HIDDEN = Layer("dense", "Dense", 32, 16, "relu", gain=1.4)
LAST = Layer("last", "Dense", 1, 32, "sigmoid", gain=1.0, hidden=False)
PLAN = Plan("Adam", 1e-3, 1.6, 0.0, 1e-7, False, 32, 100, 16, 500, True, 600)
CURVE = {"loss": [0.69, 0.5, 0.3, 0.22, 0.2, 0.2, 0.199, 0.2]}
LEARNED = Run(CURVE, 0.69, 0.9, 0.88, 0.7, 0.86, 0.02, 0.05)
FAILED = change(
    LEARNED, history={"loss": [0.7, 0.69, 0.68, 0.69, 0.68, 0.68, 0.69, 0.68]}, score=0.02,
    held_out=0.0,
)  # fmt: skip


def record(
    inputs: Features | None = None, heads: Head = BINARY, layers: Any = (HIDDEN, LAST),
    plan: Plan | None = PLAN, run: Run | None = None, **more: Any,
) -> Record:  # fmt: skip
    return Record((inputs or features(),), (heads,), tuple(layers), plan, run, **more)


def at(index: int, value: float) -> np.ndarray:
    """Three numbers: 1, but one of them."""
    array = np.ones(3)
    array[index] = value
    return array


def stack(count: int, **changes: Any) -> list[Layer]:
    """So many hidden layers, and the last one."""
    return [change(HIDDEN, name=f"dense_{i}", **changes) for i in range(count)] + [LAST]


def curve(values: list[float], **changes: Any) -> Run:
    return change(FAILED, history={"loss": values}, **changes)


BENT = change(LEARNED, score=0.3, held_out=None, linear=0.3, kernel=0.95)
OVER = {"loss": [0.6, 0.3, 0.1, 0.01], "val_loss": [0.6, 0.5, 0.9, 1.6]}
STILL = {"loss": [0.6, 0.3, 0.1, 0.01], "val_loss": [0.6, 0.5, 0.4, 0.39]}
PULSES = tuple(Pulse(f"dense_{i}", 1.0, 10.0 ** (-6 + 2 * i)) for i in range(4))
EVEN = tuple(Pulse(f"dense_{i}", 1.0, 0.1 + 0.01 * i) for i in range(4))

CASES: dict[str, tuple[Record, Record]] = {
    # Data
    "nan_in_data": (record(features(missing=1)), record()),
    "constant_feature": (record(features(std=at(1, 0.0))), record()),
    "sentinel_values": (record(features(sentinels=((1, -999.0, 0.1),))), record()),
    "float_precision": (
        record(features(resolution=at(2, 0.5) * 0.5)),
        record(features(resolution=np.full(3, 1e-4))),
    ),
    "unscaled_inputs": (
        record(features(std=at(0, 7400.0))),
        record(features(std=at(0, 7400.0), normalized=True)),
    ),
    "outliers": (record(features(outlying=at(0, 90.0))), record(features(outlying=at(0, 3.0)))),
    "train_val_overlap": (record(features(overlap=0.6)), record(features(overlap=0.001))),
    "duplicate_rows": (record(features(duplicates=0.4)), record(features(duplicates=0.01))),
    "train_val_scale_mismatch": (
        record(features(held_out_mean=at(0, 90.0), held_out_std=np.ones(3))),
        record(features(held_out_mean=np.full(3, 0.1), held_out_std=np.full(3, 1.2))),
    ),
    "train_val_label_mismatch": (
        record(heads=change(BINARY, mixture=Mixture((0.0, 1.0), (250, 250), (0, 50)))),
        record(heads=change(BINARY, mixture=Mixture((0.0, 1.0), (250, 250), (18, 32)))),
    ),
    "single_class_labels": (
        record(heads=change(BINARY, labels=labels(low=1.0, counts=(0, 500)))),
        record(),
    ),
    "class_imbalance": (
        record(heads=change(BINARY, labels=labels(counts=(490, 10)))),
        record(heads=change(BINARY, labels=labels(counts=(350, 150)))),
    ),
    "unscaled_targets": (
        record(heads=change(NUMBERS, labels=labels("numbers", mean=2e5, std=1e5))),
        record(heads=NUMBERS),
    ),
    "missing_validation": (record(plan=change(PLAN, validated=False)), record()),
    "too_little_data": (record(plan=change(PLAN, rows=8)), record()),
    # Pairing
    "softmax_single_unit": (
        record(heads=head("binary", 1, "softmax", "BinaryCrossentropy")),
        record(heads=head("binary", 2, "softmax", "SparseCategoricalCrossentropy")),
    ),
    "labels_out_of_range": (
        record(heads=head("classes", 1, "sigmoid", "BinaryCrossentropy")),
        record(heads=CLASSES),
    ),
    "wrong_output_units": (
        record(heads=head("binary", 1, "sigmoid", "CategoricalCrossentropy")),
        record(heads=BINARY),
    ),
    "labels_not_integer": (
        record(heads=change(CLASSES, labels=labels("numbers", low=0.0))),
        record(heads=CLASSES),
    ),
    "label_shape_mismatch": (
        record(heads=change(NUMBERS, refused="expected (n, 1), received (n, 2)")),
        record(heads=NUMBERS),
    ),
    "loss_mismatch": (
        record(heads=head("numbers", 1, "sigmoid", "BinaryCrossentropy")),
        record(heads=SEVERAL),
    ),
    "multilabel_softmax": (
        record(heads=head("multi_hot", 3, "softmax", "CategoricalCrossentropy")),
        record(heads=ONE_HOT),
    ),
    "output_activation_loss_mismatch": (
        record(heads=head("binary", 1, "relu", "BinaryCrossentropy")),
        record(heads=SEVERAL),
    ),
    "missing_output_activation": (
        record(heads=head("binary", 1, "linear", "BinaryCrossentropy")),
        record(heads=head("binary", 1, "linear", "BinaryCrossentropy", from_logits=True)),
    ),
    "double_softmax": (
        record(heads=change(ONE_HOT, from_logits=True)),
        record(heads=ONE_HOT),
    ),
    "relu_before_softmax": (
        record(heads=change(ONE_HOT, activation="relu", from_logits=True)),
        record(heads=change(ONE_HOT, activation="linear", from_logits=True)),
    ),
    "output_range_mismatch": (
        record(heads=change(NUMBERS, activation="sigmoid", labels=labels("numbers", outside=0.6))),
        record(heads=change(NUMBERS, activation="tanh", labels=labels("numbers", outside=0.0))),
    ),
    "metric_mismatch": (
        record(heads=change(NUMBERS, metrics=("BinaryAccuracy",))),
        record(heads=change(NUMBERS, metrics=("MeanAbsoluteError",))),
    ),
    "sum_reduction": (record(heads=change(NUMBERS, reduction="sum")), record(heads=NUMBERS)),
    # Structure
    "zero_init": (
        record(layers=[change(HIDDEN, zero=True, constant=True, gain=0.0), LAST]),
        record(layers=[HIDDEN, change(LAST, zero=True, constant=True, gain=0.0)]),
    ),
    "symmetric_init": (record(layers=[change(HIDDEN, constant=True), LAST]), record()),
    "bad_init": (record(layers=[change(HIDDEN, gain=22.0), LAST]), record()),
    "exploding_activation": (record(layers=stack(3, gain=8.0)), record(layers=stack(3))),
    "exploding_gradient": (record(layers=stack(3, gain=8.0)), record(layers=stack(3))),
    "over_regularized": (
        record(layers=[change(HIDDEN, l2=0.5), LAST]),
        record(layers=[change(HIDDEN, l2=1e-4), LAST]),
    ),
    "softmax_hidden": (record(layers=[change(HIDDEN, activation="softmax"), LAST]), record()),
    "hidden_sigmoid": (
        record(layers=stack(3, activation="sigmoid")),
        record(layers=stack(3, activation="tanh")),
    ),
    "linear_hidden": (
        record(layers=[change(HIDDEN, activation="linear"), LAST]),
        record(layers=[change(HIDDEN, activation="linear", units=4), change(HIDDEN, fan_in=4)]),
    ),
    "no_hidden_layer": (record(layers=[change(LAST, fan_in=3)]), record()),
    "too_deep": (record(layers=stack(20)), record(layers=stack(4))),
    "too_narrow": (record(layers=[change(HIDDEN, units=1), LAST]), record()),
    "high_dropout": (
        record(layers=[HIDDEN, Layer("dropout", "Dropout", rate=0.9), LAST]),
        record(layers=[HIDDEN, Layer("dropout", "Dropout", rate=0.2), LAST]),
    ),
    # Plan
    "lr_too_low": (record(plan=change(PLAN, rate=1e-5, reach=0.016)), record()),
    "lr_too_high": (
        record(
            plan=change(PLAN, optimizer="SGD", rate=0.1, reach=160.0), run=FAILED, curvature=400.0
        ),
        record(
            plan=change(PLAN, optimizer="SGD", rate=0.1, reach=160.0), run=FAILED, curvature=4.0
        ),
    ),
    "too_few_epochs": (record(plan=change(PLAN, epochs=1, reach=0.016)), record()),
    "batch_too_small": (record(plan=change(PLAN, batch_size=1)), record()),
    "batch_too_large": (
        record(plan=change(PLAN, batch_size=500, steps=1, reach=0.5)),
        record(),
    ),
    "adam_epsilon": (record(plan=change(PLAN, epsilon=0.1)), record()),
    # Runs
    "nan": (record(run=curve([0.7, float("nan")])), record(run=LEARNED)),
    "high_initial_loss": (record(run=curve([90.0, 3.0, 1.0, 0.9])), record(run=LEARNED)),
    "negative_loss": (record(run=curve([0.1, -40.0])), record(run=LEARNED)),
    "zero_loss": (record(run=curve([0.0, 0.0])), record(run=LEARNED)),
    "oscillating_loss": (record(run=curve([2.0, 0.5] * 6)), record(run=LEARNED)),
    "loss_increasing": (record(run=curve([0.5, 0.7, 0.9, 1.5])), record(run=LEARNED)),
    "slow_convergence": (
        record(run=curve([0.69, 0.688, 0.687, 0.686, 0.685])),
        record(run=LEARNED),
    ),
    "vanishing_gradient": (
        record(run=change(FAILED, before=PULSES)),
        record(run=change(FAILED, before=EVEN)),
    ),
    "dying_relu": (
        record(run=change(FAILED, after=(Pulse("dense", 0.0, 0.0, dead=1.0),))),
        record(run=change(FAILED, after=(Pulse("dense", 1.0, 0.1, dead=0.4),))),
    ),
    "saturation": (
        record(run=change(FAILED, after=(Pulse("dense", 1.0, 0.1, saturated=0.95),))),
        record(run=change(FAILED, after=(Pulse("dense", 1.0, 0.1, saturated=0.2),))),
    ),
    "overfitting": (
        record(run=change(LEARNED, history=OVER, score=1.0, held_out=0.4)),
        record(run=change(LEARNED, history=STILL, score=1.0, held_out=0.9)),
    ),
    "labels_independent_of_inputs": (
        record(run=change(FAILED, linear=-0.05, kernel=0.0, chance=0.6)),
        record(run=FAILED),
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_rule_names_the_sick_and_not_the_healthy(code: str) -> None:
    sick, healthy = CASES[code]
    assert code in {one.finding.code for one in suspicions(sick)}
    assert code not in {one.finding.code for one in suspicions(healthy)}


@pytest.mark.parametrize(
    ("sick", "epochs"),
    [
        (record(plan=change(PLAN, epochs=1, reach=0.016)), 100),
        (record(plan=change(PLAN, epochs=20, steps=1, rows=500)), 200),
        (record(run=curve([0.9 - 0.1 * i for i in range(8)])), 40),
    ],
)
def test_who_trains_in_python_or_on_the_command_line_reads_how_to_train_longer(
    sick: Record, epochs: int
) -> None:
    def cures() -> list[str]:
        found = [one.finding for one in suspicions(sick)]
        return [one.cure for one in found if one.code == "too_few_epochs"]

    python, shell = f"model.fit(X, y, epochs={epochs})", f"fitwell train --epochs {epochs}"
    assert cures()
    assert all(one.startswith(f"more epochs: {python}") and shell not in one for one in cures())
    with speaking(Words(longer=LONGER)):
        said = cures()
    assert said
    assert all(one.startswith(f"more epochs: {shell}") and python not in one for one in said)


def test_a_loss_that_rose_is_not_said_to_have_fallen_by_nothing() -> None:
    def said(losses: list[float]) -> str:
        found = suspicions(record(run=curve(losses)))
        return next(o.finding.cause for o in found if o.finding.code == "slow_convergence")

    assert said([8.0, 8.2, 8.5, 8.8]) == "No epoch lowered the loss: it rose from 8 to 8.8."
    assert said([8.0, 7.92, 8.5, 8.8]) == (  # 0.08 of 8
        "No epoch lowered the loss by more than 1.0%: it rose from 8 to 8.8."
    )


def test_the_last_epoch_of_few_is_said_to_be_the_last() -> None:
    found = suspicions(record(run=curve([0.9, 0.8, 0.7, 0.6, 0.54])))
    (cause,) = [one.finding.cause for one in found if "still falling" in one.finding.cause]
    assert cause == "The loss was still falling: by 10% in the last of 5 epochs."  # 0.06 of 0.6


def test_a_record_without_a_fault_has_no_finding_above_info() -> None:
    for heads in (BINARY, CLASSES, ONE_HOT, SEVERAL, NUMBERS):
        assert not verdict(record(heads=heads, run=LEARNED)).above(), heads


def test_a_suspicion_is_a_fact_before_training_and_where_the_network_learned() -> None:
    large = features(std=at(0, 7400.0))
    for run in (None, LEARNED):
        found = {one.code: one.severity for one in verdict(record(large, run=run))}
        assert found["unscaled_inputs"] == Severity.INFO


def test_a_suspicion_is_the_cause_where_it_did_not_and_lists_its_symptoms() -> None:
    large = features(std=at(0, 7400.0))
    full = change(FAILED, after=(Pulse("dense", 1.0, 0.1, saturated=0.95),))
    found = verdict(record(large, run=full))
    assert found.above().codes == ["unscaled_inputs"]
    assert "saturation" in found[0].symptoms
    assert "0.86" in str(found[0].evidence[-1])  # what a kernel machine reaches


def test_what_is_certain_explains_a_failure_alone() -> None:
    large = features(std=at(0, 7400.0))
    one_unit = head("binary", 1, "softmax", "BinaryCrossentropy")
    found = verdict(record(large, one_unit, run=FAILED))
    assert found.above().codes == ["softmax_single_unit"]
    assert found[0].severity == Severity.CRITICAL


def test_what_is_certain_but_did_no_harm_is_no_longer_critical() -> None:
    rectified = head("binary", 1, "relu", "BinaryCrossentropy")
    found = verdict(record(heads=rectified, run=LEARNED))
    assert [one.severity for one in found.above()] == [Severity.WARNING]


def test_without_a_signal_nothing_else_is_blamed() -> None:
    blind = change(FAILED, linear=-0.05, kernel=0.0, chance=0.6)
    found = verdict(record(features(std=at(0, 7400.0)), run=blind))
    assert found.above().codes == ["labels_independent_of_inputs"]


def test_overfitting_is_not_blamed_before_the_training_data_are_fitted() -> None:
    run = change(FAILED, history=OVER, score=0.1, held_out=0.0)
    assert "overfitting" not in verdict(record(run=run)).above().codes


def test_a_failure_that_nothing_explains_is_called_underfitting() -> None:
    assert verdict(record(run=FAILED)).above().codes == ["underfitting"]


def test_a_network_as_straight_as_a_linear_model_on_a_bent_problem() -> None:
    found = verdict(record(layers=[change(LAST, fan_in=3)], run=BENT))
    assert found.above().codes == ["no_hidden_layer"]


def test_initializers_are_not_judged_by_weights_that_have_learned() -> None:
    trained = record(layers=[change(HIDDEN, gain=22.0), LAST], fresh=False)
    assert "bad_init" not in {one.finding.code for one in suspicions(trained)}


def test_a_layer_of_zeros_in_a_residual_block_is_no_fault() -> None:
    block = change(HIDDEN, zero=True, constant=True, gain=0.0, activation="linear")
    assert not verdict(record(layers=[HIDDEN, block, HIDDEN, LAST])).above()
    stuck = verdict(record(layers=[HIDDEN, change(block, twins=True), HIDDEN, LAST]))
    assert stuck.above().codes == ["zero_init"]
