"""Paired comparison: intervals known by arithmetic, and the sentences made of them."""

from __future__ import annotations

import numpy as np
import pytest

from fitwell.assessment.comparing import better_of, compared, differences
from fitwell.assessment.measures import scored

RNG = np.random.default_rng(0)


def test_a_difference_of_accuracies_is_a_share_of_rows() -> None:
    """Right in all of 200 rows against 180: a share of 0.1 +- 1.96 sqrt(0.1 * 0.9 / 200)."""
    truth = np.arange(200) % 2
    right = np.eye(2)[truth]
    other = right.copy()
    other[:20] = other[:20, ::-1]
    (low, high) = differences("binary", truth, right, {"other": other})["other"]
    half = 1.96 * np.sqrt(0.1 * 0.9 / 200)
    assert (low, high) == pytest.approx((0.1 - half, 0.1 + half), abs=0.01)


@pytest.mark.parametrize(("rows", "sure"), [(0, False), (4, False), (6, True)])
def test_a_few_rows_are_no_proof(rows: int, sure: bool) -> None:
    """Of rows that only one has right all are its own by 1 in 2^(rows - 1): .125 of 4, .031 of 6.

    By hand for 0 rows of 258: -+ 1.959964 * sqrt(1) / 260.
    """
    truth = np.arange(258) % 2
    ours = np.eye(2)[truth]
    other = ours.copy()
    other[:rows] = other[:rows, ::-1]
    low, high = differences("binary", truth, ours, {"other": other})["other"]
    assert (low > 0) == sure
    if rows == 0:
        assert (low, high) == pytest.approx((-1.959964 / 260, 1.959964 / 260))


def test_other_scores_may_deny_the_first() -> None:
    others = {"constant": {"accuracy": 0.7, "log loss": 0.6, "ROC AUC": 0.5}}
    own = {"accuracy": 0.6, "log loss": 0.5, "ROC AUC": 0.8}
    assert compared(own, others, {"constant": [-0.15, -0.05]}) == (
        "Constant has the better accuracy by more than chance explains, "
        "the network the better log loss and ROC AUC."
    )


def test_what_is_hard_for_both_does_not_hide_a_difference() -> None:
    """Errors of size 10 that both make, and 1 more of the other: each interval holds the other."""
    truth = RNG.normal(size=100) * 10
    ours, worse = np.zeros(100), -np.sign(truth)
    value, low, high = scored("regression", truth, ours)["RMSE"]
    theirs = scored("regression", truth, worse)["RMSE"]
    assert value < theirs[0] < high
    low, high = differences("regression", truth, ours, {"worse": worse})["worse"]
    assert -1.2 < low < high < -0.5
    assert differences("regression", truth, ours, {"same": ours})["same"] == [0.0, 0.0]


def test_rows_of_weight_0_do_not_count() -> None:
    truth, ours = np.arange(40.0), np.arange(40.0)
    ours[:20] += 100
    counts = np.repeat([0.0, 1.0], 20)
    found = differences("regression", truth, ours, {"other": truth + 3}, counts=counts)
    assert found["other"] == [-3.0, -3.0]


@pytest.mark.parametrize(
    ("own", "apart", "said"),
    [
        (0.9, {"a": [0.1, 0.3], "b": [0.3, 0.5]}, "The network is better than all of them by more"),
        (0.7, {"a": [-0.1, 0.1], "b": [0.1, 0.3]}, "A scores better, but the difference may be"),
        (0.71, {"a": [-0.3, -0.1], "b": [0.1, 0.3]}, "A is better by more than chance explains"),
        (0.9, {"a": [-0.1, 0.3], "b": [0.1, 0.3]}, "The difference to a may be chance: its 95 %"),
        (
            0.75,
            {"a": [0.0, 0.0], "b": [0.1, 0.3]},
            "The network is neither better nor worse than a.",
        ),
        (0.9, {}, "The network scores better than all of them; whether by chance was not measured"),
        (0.5, {}, "A scores better."),
    ],
)
def test_sentences(own: float, apart: dict[str, list[float]], said: str) -> None:
    others = {"a": {"accuracy": 0.75}, "b": {"accuracy": 0.5}}
    assert compared({"accuracy": own}, others, apart).startswith(said)
    assert (better_of({"accuracy": own}, others) == "a") == (own < 0.75)
