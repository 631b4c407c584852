"""Targets that a loss cannot take, rates that fade, layers that are frozen: sick and healthy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.doctor.test_rules import (
    BENT,
    BINARY,
    CURVE,
    FAILED,
    HIDDEN,
    LAST,
    NUMBERS,
    PLAN,
    change,
    features,
    labels,
    record,
    stack,
)

import fitwell as fw
from fitwell.doctor import examining, reading, statistics
from fitwell.doctor.finding import Severity
from fitwell.doctor.mixture import Shift, mixture
from fitwell.doctor.record import Pulse
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.examples import Examples
from fitwell.optimizers import SGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, schedules


def severity(found: object, code: str) -> Severity | None:
    return next(
        (one.finding.severity for one in suspicions(found) if one.finding.code == code), None
    )


SIGNS = labels("numbers", low=-1.0, high=1.0, mean=0.2, std=0.96**0.5, whole=True)


@pytest.mark.parametrize(
    ("loss", "sick", "healthy"),
    [
        ("MeanAbsolutePercentageError", {"zeros": 0.4}, {"zeros": 0.0, "low": 0.5}),
        ("MeanSquaredLogarithmicError", {"low": -3.0}, {"low": 0.0}),
        ("Poisson", {"low": -1.0}, {"low": 0.0}),
    ],
)
def test_losses_that_say_nothing_of_some_targets(loss: str, sick: dict, healthy: dict) -> None:
    for values, wanted in ((sick, Severity.WARNING), (healthy, None)):
        heads = change(NUMBERS, loss=loss, labels=labels("numbers", **values))
        assert severity(record(heads=heads), "loss_mismatch") == wanted


def test_signs_before_binary_crossentropy_are_not_called_numbers() -> None:
    found = verdict(record(heads=change(BINARY, labels=SIGNS)))
    assert found.above().codes == ["labels_out_of_range"]
    assert found[0].cure.startswith("y = (y + 1) / 2")
    hinge = change(NUMBERS, loss="Hinge", activation="tanh", labels=SIGNS)
    assert not verdict(record(heads=hinge)).above()
    thirds = change(SIGNS, mean=0.0, std=(2 / 3) ** 0.5)  # -1, 0 and 1
    assert not thirds.signs


def test_what_is_read_of_targets() -> None:
    y = np.array([[0.0], [0.0], [3.0], [-2.5]])
    assert reading.labels(y, "linear").zeros == 0.5
    assert reading.labels(np.array([[-1.0], [1.0], [1.0]]), "sigmoid").signs
    rising = np.sort(np.random.default_rng(0).normal(size=(80, 1)), axis=0)
    assert reading.labels(rising, "linear").ordered
    assert reading.labels(-rising, "linear").ordered
    assert not reading.labels(rising[::-1][np.r_[5:80, 0:5]], "linear").ordered
    assert not reading.labels(np.repeat([[0.0], [1.0], [2.0]], 30, 0), "linear").ordered


def test_a_rate_that_fades_at_once_is_told_from_a_short_fit() -> None:
    schedule = schedules.ExponentialDecay(0.01, decay_steps=5, decay_rate=0.5)
    told = reading.plan(Adam(schedule), 32, 20, 36, 1150, True, 4000)
    assert told.fades
    assert told.reach == pytest.approx(0.01 / (1 - 0.5**0.2), rel=0.01)  # a geometric series
    found = verdict(record(plan=told, run=FAILED))
    assert found.above().codes == ["lr_too_low"]
    assert "schedule" in found[0].cause
    cosine = reading.plan(Adam(schedules.CosineDecay(0.01, 720)), 32, 20, 36, 1150, True, 4000)
    assert not cosine.fades


def test_an_epsilon_of_one_explains_what_still_falls() -> None:
    still = change(FAILED, history={"loss": [0.7 - 0.01 * i for i in range(12)]})
    found = verdict(record(plan=change(PLAN, epsilon=1.0), run=still))
    assert found.above().codes[0] == "adam_epsilon"
    small = verdict(record(plan=change(PLAN, epsilon=1e-3), run=still))
    assert small.above().codes == ["too_few_epochs"]


def test_a_network_without_weights_that_learn() -> None:
    frozen = verdict(record(plan=change(PLAN, parameters=0), layers=[HIDDEN, LAST]))
    assert [(one.code, one.severity) for one in frozen.above()] == [
        ("underfitting", Severity.CRITICAL)
    ]
    assert not verdict(record()).above()


# Numbers that stand in order


def test_the_distance_of_two_samples_of_numbers() -> None:
    y = np.arange(100.0) / 7
    apart = mixture(y[:80], y[80:])
    assert isinstance(apart, Shift)
    assert apart.distance == 1
    assert apart.differs
    assert apart.held_out[0] == pytest.approx(89.5 / 7)
    alike = mixture(y[::2], y[1::2])
    assert alike is not None
    assert alike.distance == pytest.approx(1 / 50)
    assert not alike.differs
    assert mixture(y[:80], y[80:84]) is not None
    assert not mixture(y[:80], y[80:84]).differs  # four rows


def test_validation_targets_beyond_those_of_training_are_named_where_it_harms() -> None:
    beyond = change(NUMBERS, mixture=Shift((0.0, 1.0), (3.0, 0.2), 1.0, 100))
    over = {"loss": [0.9, 0.3, 0.1, 0.05], "val_loss": [9.0, 8.0, 8.5, 9.5]}
    run = change(FAILED, history=over, score=0.95, held_out=-40.0, linear=0.9, kernel=0.9)
    found = verdict(record(heads=beyond, run=run))
    assert found.above().codes == ["train_val_label_mismatch"]
    trend = change(run, held_out=0.93, history=CURVE)  # one that was learned
    assert not verdict(record(heads=beyond, run=trend)).above()
    assert not verdict(record(heads=beyond)).above()


NOTHING = change(FAILED, score=0.9, held_out=None, linear=-0.05, kernel=0.02, chance=0.5)


def test_what_may_be_learned_by_heart_is_no_sign_of_a_signal() -> None:
    large = change(PLAN, parameters=4000, validated=False)
    found = verdict(record(heads=NUMBERS, plan=large, run=NOTHING))
    assert found.above().codes == ["labels_independent_of_inputs"]
    assert "by heart" in found[0].cause
    small = change(large, parameters=100)  # fewer weights than rows do not hold them
    assert not verdict(record(heads=NUMBERS, plan=small, run=NOTHING)).above()
    bits = features(mean=np.full(3, 0.5), std=np.full(3, 0.5), low=np.zeros(3), high=np.ones(3))
    assert not verdict(record(bits, NUMBERS, plan=large, run=NOTHING)).above()  # parity


def test_targets_that_were_sorted_alone() -> None:
    small = change(PLAN, parameters=100, validated=False)
    ordered = change(NUMBERS, labels=labels("numbers", ordered=True))
    found = verdict(record(heads=ordered, plan=small, run=NOTHING))
    assert found.above().codes == ["labels_independent_of_inputs"]
    assert "y was sorted without X" in found[0].cause
    series = change(NOTHING, linear=0.9, kernel=0.9, chance=0.02)  # a trend
    assert not verdict(record(heads=ordered, plan=small, run=series)).above()


def test_a_rare_class_that_is_never_said_is_named_where_accuracy_hides_it() -> None:
    rare = change(BINARY, labels=labels(counts=(490, 10)))
    silent = change(FAILED, score=0.7, held_out=0.6, ranked=True, recall=0.0)
    found = verdict(record(heads=rare, run=change(silent, linear=0.6, kernel=0.6)))
    assert found.above().codes == ["class_imbalance"]
    assert "98.0%" in found[0].cause
    told = change(rare, metrics=("AUC",))
    said = change(silent, recall=0.4)
    for heads, run in ((told, silent), (rare, said)):
        assert not verdict(record(heads=heads, run=change(run, linear=0.6, kernel=0.6))).above()


def test_the_share_of_rare_rows_that_a_network_says() -> None:
    """Two of five rare rows are above a logit of 0."""
    x = np.array([-1.0] * 45 + [1.0, 1.0, -1.0, -1.0, -1.0], np.float32)[:, None]
    y = np.array([0.0] * 45 + [1.0] * 5)
    model = fw.Sequential([fw.Input((1,)), fw.layers.Dense(1, use_bias=False)])
    model.compile("sgd", fw.losses.BinaryCrossentropy(from_logits=True))
    model["dense"].kernel = np.array([[1.0]])
    examples = Examples(model, "test")
    data = examples.batch(x, y)
    heads = reading.heads(model.network, examples.objective, data.y)
    place = model.network, examples.objective, data, None, heads, None
    assert examining.subject(*place).recall(model.train_state, 0) == pytest.approx(0.4)


def test_units_that_are_off_from_the_start_are_the_cause_and_not_a_gradient_that_vanishes() -> None:
    off = Pulse("dense_0", 0.0, 0.0, dead=1.0)
    rest = Pulse("dense_1", 1.0, 0.1), Pulse("dense_2", 1.0, 0.1)
    blocked = change(FAILED, before=(off, *rest), after=(off, *rest))
    layers = [change(one, bias=-10.0) if one.name == "dense_0" else one for one in stack(3)]
    found = verdict(record(layers=layers, run=blocked))
    assert found.above().codes == ["dying_relu"]
    assert "biases began at -10" in found[0].cause
    faint = change(off, dead=0.1, gradient=1e-9)
    assert verdict(
        record(layers=stack(3), run=change(FAILED, before=(faint, *rest), after=(faint, *rest)))
    ).above().codes == ["vanishing_gradient"]


def test_a_linear_layer_that_is_narrow_makes_no_other_network_than_a_linear_one() -> None:
    layers = [
        change(HIDDEN, name="wide", activation="linear", units=32),
        change(HIDDEN, name="narrow", activation="linear", units=16, fan_in=32),
        change(LAST, fan_in=16),
    ]
    (said,) = [one.finding for one in suspicions(record(layers=layers, run=BENT))
               if one.finding.code == "linear_hidden"]  # fmt: skip
    assert said.cause.endswith("and the network a linear model.")
    assert verdict(record(layers=layers, run=BENT)).above().codes == ["linear_hidden"]


def test_momentum_multiplies_a_rate() -> None:
    dead = change(FAILED, after=(Pulse("dense_0", 0.0, 0.0, dead=1.0),))
    fast = change(PLAN, optimizer="SGD", rate=0.5, momentum=0.95, reach=800.0)
    assert fast.effective == pytest.approx(10)
    found = verdict(record(layers=stack(3), plan=fast, run=dead))
    assert found.above().codes == ["lr_too_high"]
    usual = change(fast, rate=0.1, momentum=0.9, reach=160.0)
    found = verdict(record(layers=stack(3), plan=usual, run=dead))
    assert found.above().codes == ["dying_relu"]


@pytest.mark.parametrize(
    ("optimizer", "way", "code"),
    [
        (Adadelta(0.001), 0.01 * 0.9, "lr_too_low"),
        (Adadelta(1.0), 0.01 * 900, None),
        (Adagrad(0.001), 2 * 0.001 * 30, "lr_too_low"),
        (Adagrad(0.05), 2 * 0.05 * 30, None),
        (SGD(0.1, clipnorm=0.001), 0.09, "lr_too_low"),
        (SGD(0.1, clipnorm=1.0), 90.0, None),
        (Adafactor(0.001), 0.9, None),
        (AdamW(0.001, weight_decay=50.0), 0.9, "over_regularized"),
        (AdamW(0.001, weight_decay=0.1), 0.9, None),
    ],
)
def test_how_far_an_optimizer_leads_in_900_steps(
    optimizer: Any, way: float, code: str | None
) -> None:
    told = reading.plan(optimizer, 32, 20, 45, 1440, True, 4000)
    assert told.way == pytest.approx(way)
    flat = change(FAILED, history={"loss": [2.31, 2.3, 2.31, 2.3, 2.31, 2.3]})
    codes = verdict(record(plan=told, run=flat)).above().codes
    assert codes[:1] == ([code] if code else ["underfitting"])


@pytest.mark.parametrize(
    ("optimizer", "step", "cure"),
    [
        (Adadelta(50.0), "about 0.5 a step", "Adadelta(1)"),
        (Adagrad(5.0), "about 0.33 a step", "Adagrad(0.05)"),
        (Adam(0.5), "about 0.5 a step", "Adam(0.001)"),
    ],
)
def test_a_rate_that_is_too_high_is_cured_by_one_that_is_not_too_low(
    optimizer: Any, step: str, cure: str
) -> None:
    told = reading.plan(optimizer, 32, 20, 45, 1440, True, 4000)
    (high,) = [one.finding for one in suspicions(record(plan=told))
               if one.finding.code == "lr_too_high"]  # fmt: skip
    assert step in high.cause
    assert high.cure.endswith(cure)
    better = type(optimizer)(float(cure.split("(")[1][:-1]))
    cured = suspicions(record(plan=reading.plan(better, 32, 20, 45, 1440, True, 4000)))
    assert not {one.finding.code for one in cured} & {"lr_too_high", "lr_too_low"}


def test_rare_values_are_no_other_scale() -> None:
    """A pixel that is on in one training row of 400, and in three of 100 others."""
    random = np.random.default_rng(0)
    x, other = random.random((400, 3)), random.random((100, 3))
    x[:, 2], other[:, 2] = 0, 0
    x[7, 2], other[:3, 2] = 0.1, 1
    assert "train_val_scale_mismatch" not in suspected(x, other)
    other[:20, 2] = 1  # of writers who use that corner
    assert "train_val_scale_mismatch" not in suspected(x, other)
    assert "train_val_scale_mismatch" in suspected(x, 255 * other)


def suspected(x: np.ndarray, other: np.ndarray) -> set[str]:
    found = statistics.features("x", x.astype(np.float32), other.astype(np.float32))
    return {one.finding.code for one in suspicions(record(found))}
