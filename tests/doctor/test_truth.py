"""What is said is true: scores of constants and of ids, shares of copies, curves near 0."""

from __future__ import annotations

import numpy as np
import pytest
from tests.doctor.test_rules import (
    BINARY,
    FAILED,
    LEARNED,
    NUMBERS,
    PLAN,
    change,
    curve,
    labels,
    record,
    stack,
)

from fitwell.doctor import examining, statistics
from fitwell.doctor.baselines import bag, baselines, looks_like_ids
from fitwell.doctor.mixture import Mixture, mixture
from fitwell.doctor.outcome import outcome
from fitwell.doctor.pulse import Pulse
from fitwell.doctor.verdict import suspicions, verdict
from fitwell.treatment.scoring import Rows, divided

RANDOM = np.random.default_rng(0)


def said(found: object, code: str) -> str:
    return next(one.finding.cause for one in suspicions(found) if one.finding.code == code)


# Ids


def test_labels_that_follow_from_which_ids_are_there() -> None:
    """Label 1 where id 7 is anywhere among ten of 40: no number, a presence."""
    x = RANDOM.integers(0, 40, size=(400, 10))
    y = (x == 7).any(1).astype(float)[:, None]
    numbers, presence = baselines(x, y, True), baselines(bag(x), y, True)
    assert numbers is not None
    assert presence is not None
    assert max(numbers.linear, numbers.kernel) < 0.2
    assert presence.linear > 0.9


def test_what_may_be_ids() -> None:
    assert looks_like_ids(RANDOM.integers(1, 8000, size=(300, 30)))
    assert not looks_like_ids(RANDOM.normal(size=(300, 30)))
    assert not looks_like_ids(RANDOM.integers(0, 9, size=(300, 30)))  # marks, an order
    ages = RANDOM.integers(0, [90, 3, 5000], size=(300, 3))  # columns of a table
    assert not looks_like_ids(ages)


def test_of_ids_that_simple_models_cannot_judge_the_rate_is_blamed() -> None:
    """`chance` is None: they cannot tell whether there is anything to learn."""
    blind = change(FAILED, linear=-0.05, kernel=0.0, chance=None)
    found = verdict(record(plan=change(PLAN, rate=1e-6, reach=0.001), run=blind))
    assert found.above().codes == ["lr_too_low"]
    assert "simple models cannot tell" in str(found[0].evidence[-1])
    learned = change(blind, score=0.6, held_out=0.4)
    assert not verdict(record(run=learned)).above()


# Scores


def test_no_constant_answer_has_a_skill_above_zero() -> None:
    """A network that always says 1, where validation has more ones than training."""
    y = np.array([[1.0]] * 8 + [[0.0]] * 2)
    assert examining._skill(BINARY, np.ones(10), y) == pytest.approx(0, abs=1e-12)
    assert examining._skill(BINARY, np.zeros(10), y) == pytest.approx(1 - 0.8 / 0.2)


def test_a_hinge_is_judged_by_the_sign_of_its_margins() -> None:
    signs = labels("numbers", low=-1.0, high=1.0, whole=True)
    hinge = change(NUMBERS, loss="Hinge", labels=signs)
    y = examining.plain_labels(hinge, np.array([-1, -1, 1, 1]))
    assert y is not None
    assert examining._skill(hinge, np.array([-30.0, -0.2, 5.0, 90.0]), y) == 1
    assert examining._skill(hinge, np.array([-30.0, 0.2, 5.0, 90.0]), y) == 0.5
    assert not NUMBERS.by_sign


# Validation rows of other classes


SORTED = Mixture((0.0, 1.0), (250, 150), (0, 100))


def test_on_rows_of_other_classes_nothing_is_called_overfitting() -> None:
    history = {"loss": [0.6, 0.3, 0.1, 0.01], "val_loss": [0.6, 0.5, 0.9, 1.6]}
    run = change(LEARNED, history=history, score=0.9, held_out=-1.0)
    assert verdict(record(run=run)).above().codes == ["overfitting"]
    found = verdict(record(heads=change(BINARY, mixture=SORTED), run=run))
    assert found.above().codes == ["train_val_label_mismatch"]
    assert found.above()[0].cause.startswith("All validation labels are 1, of the training labels")
    before = verdict(record(heads=change(BINARY, mixture=SORTED)))
    assert before.above().codes == ["train_val_label_mismatch"]


def test_the_distance_of_two_mixes_is_the_total_variation() -> None:
    found = mixture(np.array([0, 0, 1, 2] * 10), np.eye(3)[[0] * 10].argmax(1))
    assert found is not None
    assert found.distance == pytest.approx((0.5 + 0.25 + 0.25) / 2)
    few = Mixture((0.0, 1.0, 2.0), (50, 50, 50), (5, 0, 3))  # eight rows by chance
    assert not few.differs


def test_cures_are_judged_by_rows_of_all_classes() -> None:
    """Sorted rows cut in two: a fifth of both together judges, spread over the classes."""
    y = np.repeat([0.0, 1.0], 60)
    rows = Rows((("x",), ("y",)), (np.arange(120.0)[:, None],), (y,))
    data = divided(rows.at(slice(90)), rows.at(slice(90, None)))
    assert not data.given
    assert data.judge.ys[0].mean() == pytest.approx(0.5)
    alike = divided(rows.at(slice(0, None, 2)), rows.at(slice(1, None, 2)))
    assert alike.given


# Copies


def test_all_rows_that_occur_in_training_are_counted() -> None:
    """One bright spot in 12 x 12: rows that agree in every column but two."""
    x = np.eye(144)[RANDOM.permutation(144)]
    held_out = np.concatenate([x[:30], 2 * x[:10]])
    found = statistics.features("x", x, held_out)
    assert found.overlap == pytest.approx(30 / 40)
    assert found.duplicates == 0
    assert statistics.features("x", np.repeat(x, 2, 0), None).duplicates == 0.5


# Curves


@pytest.mark.parametrize(
    ("validation", "over"),
    [
        ([0.9, 0.6, 0.5, 0.45, 0.41, 0.4], False),  # the last epoch is the best
        ([0.9, 0.5, 0.4, 0.5, 0.38, 0.5, 0.37, 0.49], False),  # it jumps as much all the time
        ([0.9, 0.4, 0.5, 0.6, 0.7, 0.8], True),
        ([-1.0, -2.0, -1.5, -1.0, -0.5], True),
    ],
)
def test_overfitting_needs_a_rise_beyond_the_noise_of_the_curve(
    validation: list[float], over: bool
) -> None:
    history = {"loss": [0.6, 0.3, 0.2, 0.1, 0.01], "val_loss": validation}
    run = change(LEARNED, history=history, score=1.0, held_out=0.4)
    codes = {one.finding.code for one in suspicions(record(run=run))}
    assert ("overfitting" in codes) is over


def test_a_loss_that_still_falls_after_three_epochs_had_too_few() -> None:
    found = verdict(record(run=curve([2.4, 2.25, 2.1])))
    assert found.above().codes == ["too_few_epochs"]
    slow = verdict(record(run=curve([0.69, 0.688, 0.687, 0.686, 0.685])))
    assert slow.above().codes == ["slow_convergence"]


def test_a_loss_below_zero_is_not_divided_by() -> None:
    falling = list(-np.linspace(0.6, 1.4, 20) + 0.004 * (-1) ** np.arange(20))
    codes = {one.finding.code for one in suspicions(record(run=curve(falling)))}
    assert not codes & {"oscillating_loss", "loss_increasing"}
    swings = [0.0, -1.0] + [-0.5, -1.0] * 6
    assert "by 50% of its way" in said(record(run=curve(swings)), "oscillating_loss")
    rising = [-1.0, -0.9, -0.5, 0.2]
    assert "from -1 to 0.2" in said(record(run=curve(rising)), "loss_increasing")


def test_a_gradient_that_is_huge_is_not_called_so_by_a_ratio_below_one() -> None:
    pulses = tuple(Pulse(f"dense_{i}", 1.0, 1e6 * 10**i) for i in range(3))
    cause = said(record(layers=stack(3), run=change(FAILED, before=pulses)), "exploding_gradient")
    assert cause == "The gradient of dense_0 is huge: 1e+06 per weight."


def test_the_outcome_of_few_held_out_rows_is_within_their_noise() -> None:
    run = change(LEARNED, score=0.9, held_out=0.75)
    assert outcome(record(run=run)).failing
    assert not outcome(record(run=change(run, held_out_noise=0.2))).failing
