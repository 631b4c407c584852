"""Scores, curves, bins and intervals against arithmetic by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from fitwell.assessment import measures, ranking
from fitwell.assessment.resampling import interval, share_interval
from fitwell.assessment.suspects import suspects
from fitwell.data.labels import Target
from fitwell.report.making import verdict
from fitwell.report.study import Judgement
from fitwell.tabular.scores import scores

RNG = np.random.default_rng(0)
TRUTH = np.array([False, True, False, True, True])
SCORE = np.array([0.1, 0.4, 0.4, 0.8, 0.2])


def test_roc_by_hand() -> None:
    """Pairs (positive, negative): 6, of which .4>.1, .4=.4, .8>.1, .8>.4, .2>.1, .2<.4: 4.5."""
    curve = ranking.roc(TRUTH, SCORE)
    assert curve.x.tolist() == [0, 0, 0.5, 0.5, 1]
    assert curve.y == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert curve.area == pytest.approx(4.5 / 6)


def test_precision_and_recall_by_hand() -> None:
    curve = ranking.precision_recall(TRUTH, SCORE)
    assert curve.x == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert curve.y == pytest.approx([1, 1, 2 / 3, 3 / 4, 3 / 5])
    assert curve.area == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_curves_equal_those_of_scikit_learn() -> None:
    truth, score = RNG.random(200) < 0.3, RNG.random(200).round(1)
    assert ranking.roc(truth, score).area == pytest.approx(metrics.roc_auc_score(truth, score))
    found = ranking.precision_recall(truth, score)
    assert found.area == pytest.approx(metrics.average_precision_score(truth, score))
    fpr, tpr, _ = metrics.roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(ranking.roc(truth, score).x, fpr)
    np.testing.assert_allclose(ranking.roc(truth, score).y, tpr)


def test_one_class_alone_has_no_curve() -> None:
    assert np.isnan(ranking.roc(np.ones(3, bool), np.arange(3.0)).area)
    assert np.isnan(ranking.precision_recall(np.zeros(3, bool), np.arange(3.0)).area)


def test_the_bins_of_calibration_by_hand() -> None:
    truth = np.array([True, False, False, True, True])
    found = ranking.reliability(truth, np.array([0.05, 0.15, 0.1, 0.95, 1.0]), bins=10)
    assert found.counts.tolist() == [1, 2, 2]  # [0, .1), [.1, .2), [.9, 1]
    assert found.predicted == pytest.approx([0.05, 0.125, 0.975])
    assert found.observed.tolist() == [1, 0, 1]
    assert found.error == pytest.approx((0.95 + 2 * 0.125 + 2 * 0.025) / 5)
    assert (found.low <= found.observed + 1e-12).all()
    assert (found.observed <= found.high + 1e-12).all()


def test_wilson_by_hand() -> None:
    """0 of 4: 0 to z^2 / (4 + z^2)."""
    low, high = share_interval(np.array([0]), np.array([4]))
    assert low[0] == pytest.approx(0, abs=1e-12)
    assert high[0] == pytest.approx(1.959964**2 / (4 + 1.959964**2))


def test_scores_of_two_classes_equal_those_of_scikit_learn() -> None:
    truth, second = RNG.integers(0, 2, 100), RNG.random(100).round(2)
    p = np.stack([1 - second, second], axis=1)
    assert measures.values("binary", truth, p) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, p.argmax(axis=1)),
            "ROC AUC": metrics.roc_auc_score(truth, second),
            "log loss": metrics.log_loss(truth, p),
        }
    )


def test_scores_of_more_classes_equal_those_of_scikit_learn() -> None:
    truth, p = RNG.integers(0, 3, 100), RNG.dirichlet([1, 1, 1], 100)
    assert measures.values("multiclass", truth, p) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(truth, p.argmax(axis=1)),
            "balanced accuracy": metrics.balanced_accuracy_score(truth, p.argmax(axis=1)),
            "log loss": metrics.log_loss(truth, p),
        }
    )


def test_accuracy_is_second_where_most_rows_are_of_one_class() -> None:
    """From 15 of 20 rows on; of rows of one class alone there is no other measure."""
    for ones, rare in ((0, False), (5, True), (6, False), (14, False), (15, True)):
        truth = np.repeat([0, 1], [20 - ones, ones])
        p = np.linspace(0.2, 0.7, 20)[:, None]
        for task, second in (("binary", "ROC AUC"), ("multiclass", "balanced accuracy")):
            both = np.concatenate([1 - p, p, *([0 * p] if task == "multiclass" else [])], axis=1)
            target = Target("y", task, ("a", "b", "c")[: both.shape[1]])
            first = [second, "accuracy"] if rare else ["accuracy", second]
            assert list(measures.measures(task, truth, both)) == [*first, "log loss"]
            assert list(scores(target, truth, both)) == [*first, "log loss"]
    confusion = np.array([[2, 0], [1, 0]])
    judgement = Judgement("binary", "y", ("a", "b"), 3, {"ROC AUC": (0.75, 0.5, 1.0)}, confusion)
    said = verdict(judgement, {}, "3 rows", {})
    assert said.startswith("ROC AUC 0.75")
    assert said.endswith(
        "on 3 rows. Most rows are of one class, so ROC AUC says more than accuracy. "
        "The network never predicts b, the label of 1 of these 3 rows."
    )


def test_scores_of_numbers_equal_those_of_scikit_learn() -> None:
    truth, predicted = RNG.normal(size=100) + 1e6, RNG.normal(size=100) + 1e6
    assert measures.values("regression", truth, predicted) == pytest.approx(
        {
            "RMSE": metrics.root_mean_squared_error(truth, predicted),
            "MAE": metrics.mean_absolute_error(truth, predicted),
            "R2": metrics.r2_score(truth, predicted),
        },
        rel=1e-6,
    )


def test_scores_of_several_labels_by_hand() -> None:
    truth, p = np.array([[1, 0], [1, 1]]), np.array([[0.5, 0.25], [0.75, 0.25]])
    found = measures.values("multilabel", truth, p)
    assert found["accuracy"] == 0.5  # 0.5 is not above 0.5, and the last is wrong
    assert found["log loss"] == pytest.approx(-np.log([0.5, 0.75, 0.75, 0.25]).mean())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_weights_are_repetitions(task: str) -> None:
    """A row that is drawn twice counts as two rows."""
    drawn = np.array([0, 0, 1, 3, 3, 3, 4, 5, 7, 8])
    weights = np.bincount(drawn, minlength=9)[None].astype(float)
    truth = RNG.normal(size=9) if task == "regression" else np.arange(9) % 3
    predicted = RNG.normal(size=9) if task == "regression" else RNG.dirichlet([1, 1, 1], 9)
    if task == "binary":
        truth, predicted = truth % 2, predicted[:, :2] / predicted[:, :2].sum(1, keepdims=True)
    again = measures.values(task, truth[drawn], predicted[drawn])
    for name, measure in measures.measures(task, truth, predicted).items():
        assert measure(weights)[0] == pytest.approx(again[name])


def test_confusion_by_hand() -> None:
    found = measures.confusion(np.array([0, 1, 2, 2]), np.array([0, 2, 2, 1]), 3)
    assert found.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """200 samples of 60 numbers with mean 0: about 95 % of the intervals hold 0."""
    hold = 0
    for seed in range(200):
        x = np.random.default_rng(seed).normal(size=60)
        low, high = interval(lambda w, x=x: w @ x / w.sum(axis=1), 60, seed=seed)
        hold += low <= 0 <= high
    assert 180 <= hold <= 198  # 190 expected; percentiles are a little narrow


def test_an_interval_is_as_wide_as_theory_says() -> None:
    x = RNG.normal(size=400)
    low, high = interval(lambda w: w @ x / w.sum(axis=1), 400)
    assert high - low == pytest.approx(2 * 1.96 * x.std() / 20, rel=0.1)


def test_steps_of_an_example_are_drawn_together() -> None:
    """Ten equal steps say no more than one: the interval does not shrink."""
    truth, predicted = np.zeros(50), RNG.normal(size=50)
    once = measures.scored("regression", truth, predicted)
    ten = measures.scored("regression", np.zeros(500), np.repeat(predicted, 10), examples=50)
    assert ten["MAE"] == pytest.approx(once["MAE"])


def test_a_class_that_a_resample_lacks() -> None:
    """One row of the second class: resamples without it have no area, and are left out."""
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]])
    found = measures.scored("binary", np.array([0, 0, 1]), p)["ROC AUC"]
    assert found == (1, 1, 1)


def test_wrong_labels_are_suspected_first() -> None:
    truth = RNG.integers(0, 3, 300)
    p = np.full((300, 3), 0.05)
    p[np.arange(300), truth] = 0.9
    p += RNG.uniform(0, 0.01, p.shape)
    p /= p.sum(axis=1, keepdims=True)
    wrong = np.array([3, 50, 200])
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + 1) % 3
    found = suspects("multiclass", labels, p)
    assert {one.row for one in found} == set(wrong)
    assert {(one.row, one.guess) for one in found} == {(i, truth[i]) for i in wrong}


def test_a_class_that_is_never_sure_is_not_suspected_for_it() -> None:
    """Rows of class 1 have p_1 = .4 as a rule: their labels are not wrong for that alone."""
    p = np.array([[0.9, 0.1]] * 5 + [[0.6, 0.4]] * 5)
    assert suspects("binary", np.array([0] * 5 + [1] * 5), p) == []


def test_a_label_that_is_likelier_than_the_guess_is_not_suspected() -> None:
    """Class 1 is typically given .3: a row of class 0 with .4 reaches that, and .6 stays for it."""
    p = np.array([[0.9, 0.1]] * 8 + [[0.6, 0.4], [0.45, 0.55]] + [[0.7, 0.3]] * 3)
    found = suspects("binary", np.array([0] * 10 + [1] * 3), p)
    assert [(one.row, one.guess) for one in found[:1]] == [(9, 1.0)]
    assert found[0].doubt == pytest.approx(0.1)
    assert all(one.doubt > 0 for one in found)
    assert 8 not in {one.row for one in found}


def test_numbers_far_off_are_suspected() -> None:
    """Errors -1, 0, 1 in turn: the spread is 1.4826; a row that is off by 20 is 13.5 of them."""
    predicted = np.tile([-1.0, 0.0, 1.0], 20)
    truth = np.zeros(60)
    truth[7] = 20.0
    (found,) = suspects("regression", truth, predicted)
    assert (found.row, found.guess) == (7, 0.0)
    assert found.doubt == pytest.approx(20 / 1.4826)
    assert suspects("regression", truth, truth) == []
