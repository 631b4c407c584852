"""Rules on plain numbers: layers in the course of a fit, rare classes, inputs that are ignored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.doctor.test_rules import (
    BINARY,
    FAILED,
    HIDDEN,
    LAST,
    LEARNED,
    NUMBERS,
    PLAN,
    change,
    features,
    labels,
    record,
)

from fitwell.doctor.outcome import outcome
from fitwell.doctor.pulse import Moment, Pulse
from fitwell.doctor.rules.planning import steep
from fitwell.doctor.verdict import verdict

# The layers in the course of the fit


def course(*updates: float, dead: float = 0.0) -> tuple[Moment, ...]:
    """Moments after epochs 0, 3, 6 ...; what is dead is so from the second on."""
    return tuple(
        Moment(3 * i, 30 * i, (Pulse("dense", 1.0, 0.1, dead=dead * (i > 0), update=ratio),), 40.0)
        for i, ratio in enumerate(updates)
    )


def shown(found: Any, code: str) -> dict[str, float | str]:
    (one,) = [one for one in found if one.code == code]
    return {evidence.what: evidence.value for evidence in one.evidence}


def test_a_layer_that_died_in_between_is_a_fact_where_the_network_learned() -> None:
    run = change(LEARNED, course=course(1e-2, 1e-3, 1e-3, dead=1.0))
    found = verdict(record(run=run))
    assert not found.above()
    assert shown(found, "dying_relu")["epochs after which it was first seen"] == 3
    failed = verdict(record(run=change(FAILED, course=run.course)))
    assert failed.above().codes == ["dying_relu"]


@pytest.mark.parametrize(
    ("ratios", "code"),
    [((0.5, 0.2), "lr_too_high"), ((1e-6, 1e-7), "lr_too_low"), ((1e-2, 1e-6), None)],
)
def test_steps_against_the_weights_that_they_move(
    ratios: tuple[float, ...], code: str | None
) -> None:
    codes = {"lr_too_high", "lr_too_low"}
    run = change(LEARNED, course=course(*ratios))
    assert not verdict(record(run=run)).above()
    failed = verdict(record(run=change(FAILED, course=run.course)))
    assert codes & set(failed.codes) == ({code} if code else set())
    what = "update of a step over the weights, median over the layers"
    if code:
        assert shown(failed, code)[what] == ratios[0]


def test_evidence_of_two_rules_is_joined() -> None:
    fast = change(PLAN, rate=0.5, reach=800.0)
    found = verdict(record(plan=fast, run=change(FAILED, course=course(0.4))))
    assert {"learning rate", "update of a step over the weights, median over the layers"} <= set(
        shown(found, "lr_too_high")
    )


def test_a_tiny_batch_is_held_against_the_noise_of_the_gradient() -> None:
    tiny = change(PLAN, batch_size=1)
    found = verdict(record(plan=tiny, run=change(LEARNED, course=course(1e-3))))
    assert shown(found, "batch_too_small")["gradient noise scale, in examples"] == 40


# Rare classes, networks that ignore their inputs, rates that are too high for linear models


def test_a_network_that_ranks_no_better_than_chance_fails_where_a_class_is_rare() -> None:
    rare = change(BINARY, labels=labels(counts=(475, 25)))
    blunt = change(
        FAILED, score=0.05, held_out=None, linear=0.7, kernel=0.6, noise=0.1, ranked=True
    )
    found = verdict(record(heads=rare, run=blunt))
    assert found.above().codes == ["class_imbalance"]
    assert "ranking (2 AUC - 1) is 0.05; a linear model reaches 0.70" in str(found[0].evidence[-1])
    good = change(blunt, score=0.6)
    assert not verdict(record(heads=rare, run=good)).above()


@pytest.mark.parametrize(("noise", "codes"), [(0.15, ["labels_independent_of_inputs"]), (0.4, [])])
def test_of_a_handful_of_rare_examples_nothing_is_said(noise: float, codes: list[str]) -> None:
    rare = change(BINARY, labels=labels(counts=(475, 25)))
    scores = {"score": 0.1, "held_out": None, "linear": 0.05, "kernel": 0.1, "chance": 0.3}
    run = change(FAILED, **scores, noise=noise, ranked=True)
    assert verdict(record(heads=rare, run=run)).above().codes == codes


@pytest.mark.parametrize(
    ("kind", "counts", "rare"),
    [
        ("binary", (475, 25), True), ("binary", (350, 150), False),
        ("one_hot", (440, 40, 20), True), ("classes", (170, 160, 170), False),
        ("multi_hot", (10, 20, 15), True), ("multi_hot", (200, 0, 0), False),
        ("multi_hot", (200, 20, 250), False),
        ("binary", (500, 0), False),
    ],
)  # fmt: skip
def test_which_labels_are_rare(kind: str, counts: tuple[int, ...], rare: bool) -> None:
    assert labels(kind, counts=counts).rare is rare


def test_that_the_inputs_are_ignored_is_said() -> None:
    for blind, said in ((0.0, True), (-0.5, False), (None, False)):
        text = outcome(record(run=change(FAILED, score=0.01, held_out=None, blind=blind))).words
        assert ("it ignores them" in text) is said


@pytest.mark.parametrize(
    ("mean", "rate", "kind", "wanted"),
    [
        # mse of a linear model: curvature at least 2 (3 * 100^2 + 1); the limit is 2 over it
        (100.0, 7 / 60002, "NUMBERS", True), (100.0, 5 / 60002, "NUMBERS", False),
        (100.0, 1.0, "BINARY", True), (0.0, 0.1, "BINARY", False),
    ],
)  # fmt: skip
def test_where_a_linear_model_would_diverge(
    mean: float, rate: float, kind: str, wanted: bool
) -> None:
    descent = change(PLAN, optimizer="SGD", rate=rate)
    heads = {"NUMBERS": NUMBERS, "BINARY": BINARY}[kind]
    scaled = features(mean=np.full(3, mean))
    layers = (change(HIDDEN, kind="Dense", fan_in=3), LAST)
    assert steep(record(scaled, heads, layers, plan=descent)) is wanted
    adaptive = change(descent, optimizer="Adam")
    assert not steep(record(scaled, heads, layers, plan=adaptive))
