"""Metrics at the edges: hard numerics, empty and one-sided data, shapes, names."""

from __future__ import annotations

import functools
import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as sk

from fitwell import losses, metrics


def scanned(metric, t, p, batch):
    """The value after one compiled loop over batches, from zeros, as in training."""

    def step(total, xs):
        return metric.merge(total, metric.measure(*xs)), None

    xs = [a.reshape(-1, batch, *a.shape[1:]) for a in (t, p, np.ones(len(t), np.float32))]
    zeros = jax.tree.map(
        lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(metric.measure, *(x[0] for x in xs))
    )
    return metric.result(jax.jit(lambda total: jax.lax.scan(step, total, xs)[0])(zeros))


@pytest.mark.parametrize(("mean", "spread"), [(2e5, 1e5), (1e6, 1.0), (-3e7, 100.0), (0.0, 1e-3)])
@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_r2_keeps_its_digits_where_the_mean_is_large(mean, spread, order):
    rng = np.random.default_rng(3)
    t = (mean + spread * rng.normal(size=(12800, 2))).astype(np.float32)
    t = np.sort(t, axis=0) if order == "sorted" else t
    p = (t + spread / 2 * rng.normal(size=t.shape)).astype(np.float32)
    exact = sk.r2_score(t.astype(np.float64), p.astype(np.float64))
    assert scanned(metrics.R2Score(), t, p, 128) == pytest.approx(exact, abs=2e-6)
    assert metrics.R2Score()(t, p) == pytest.approx(exact, abs=2e-6)


@pytest.mark.parametrize("value", [0.1, 1e6, -7.3, 0.0])
def test_r2_of_equal_targets(value):
    t = np.full((48, 1), value, np.float32)
    assert scanned(metrics.R2Score(), t, t, 8) == 1.0
    assert scanned(metrics.R2Score(), t, t + 1, 8) == 0.0


def test_large_data_is_summed_in_pieces():
    n = 20_000_000  # above 2**24, where float32 cannot count any more
    t = np.ones(n, np.int8)
    assert metrics.TruePositives()(t, t) == n


def test_exact_areas_with_many_ties_and_weights():
    rng = np.random.default_rng(0)
    t, p = rng.integers(0, 2, 20_000), rng.integers(0, 50, 20_000).astype(np.float32)
    w = rng.random(20_000).astype(np.float32)
    roc, pr = (f(t, p, sample_weight=w) for f in (sk.roc_auc_score, sk.average_precision_score))
    assert metrics.AUC()(t, p, w) == pytest.approx(roc, rel=1e-12)
    assert metrics.AUC(curve="PR")(t, p, w) == pytest.approx(pr, rel=1e-12)
    assert metrics.AUC(from_logits=True)(t, p - 25, w) == pytest.approx(roc, rel=1e-12)


PAIR = (np.array([0, 1]), np.array([0.2, 0.7]))
NO_MEANING = [
    metrics.AUC(),
    metrics.BinaryAccuracy(),
    metrics.Precision(),
    metrics.Recall(average="macro"),
    metrics.F1Score(),
    metrics.BalancedAccuracy(),
    metrics.MatthewsCorrelation(),
    metrics.MeanSquaredError(),
    metrics.RootMeanSquaredError(),
    metrics.R2Score(),
    metrics.R2Score(class_aggregation=None),
]


@pytest.mark.parametrize("metric", NO_MEANING, ids=lambda m: m.label)
def test_without_examples_the_value_is_nan(metric):
    assert math.isnan(metric(*PAIR, np.zeros(2)))
    assert math.isnan(metric(np.zeros(0), np.zeros(0)))


def test_zero_divisions():
    none, every = np.zeros(4), np.ones(4)
    assert metrics.Precision()(every, none) == 0.0
    assert metrics.Recall()(none, every) == 0.0
    assert metrics.F1Score()(none, none) == 0.0
    assert metrics.MatthewsCorrelation()(every, np.array([1, 0, 1, 0])) == 0.0
    assert metrics.MatthewsCorrelation()(every, every, np.array([0.1, 0.7, 0.3, 0.9])) == 0.0
    assert metrics.BalancedAccuracy()(every, np.array([1, 0, 1, 1])) == 0.75
    assert metrics.ConfusionMatrix(2)(none, none, none).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_an_area_needs_both_classes_and_numbers(curve):
    area = metrics.AUC(curve)
    assert math.isnan(area(np.ones(3), np.arange(3.0)))
    assert math.isnan(area(np.zeros(3), np.arange(3.0)))
    t, w = np.array([[0.0], [1.0], [1.0]]), np.array([1.0, 1.0, 0.0])
    diverged = {"y_true": t, "y_pred": np.array([[0.1], [np.nan], [0.3]]), "weight": w}
    assert math.isnan(area.result(diverged))
    padded = {"y_true": t, "y_pred": np.array([[0.1], [0.2], [np.nan]]), "weight": w}
    assert area.result(padded) == 1.0


def test_mcc_sees_one_rare_positive_among_a_million():
    t = np.zeros(1_000_000)
    t[0] = 1
    p = t.copy()
    p[1] = 1  # one false alarm: precision 1/2, recall 1, so MCC is close to sqrt(1/2)
    assert metrics.MatthewsCorrelation()(t, p) == pytest.approx(math.sqrt(0.5), abs=1e-6)


@pytest.mark.parametrize("metric", [metrics.BinaryAccuracy(), metrics.MeanSquaredError()])
def test_columns_of_one_are_aligned_and_never_broadcast(metric):
    t, p = np.array([0, 1, 1, 0]), np.array([1, 1, 1, 0])
    expected = {"binary_accuracy": 0.75, "mean_squared_error": 0.25}[metric.label]
    for left in (t, t[:, None]):
        for right in (p, p[:, None]):
            assert metric(left, right) == expected


def test_every_element_weighs_what_its_example_weighs():
    t = np.zeros((2, 3, 2))
    p = np.stack([np.full((3, 2), 1.0), np.full((3, 2), 2.0)])
    assert metrics.MeanSquaredError()(t, p, [3, 1]) == (3 * 1 + 1 * 4) / 4
    labels = np.array([[0, 1, 1], [1, 1, 1]])
    scores = np.tile([0.2, 0.8], (2, 3, 1))
    assert metrics.SparseCategoricalAccuracy()(labels, scores, [3, 1]) == (3 * 2 + 3) / 12
    assert metrics.ConfusionMatrix(2)(labels, scores, [3, 1]).tolist() == [[0, 3], [0, 9]]


def test_ties_and_nan_in_top_k():
    top = metrics.SparseTopKCategoricalAccuracy(k=1)
    assert top([0, 1, 2], np.full((3, 3), 0.5)) == 1.0
    nan = jnp.array([[0.1, jnp.nan, 0.3]])
    sums = metrics.SparseTopKCategoricalAccuracy(k=2).measure(jnp.array([1]), nan, jnp.ones(1))
    assert sums["total"] == 0


def test_confusion_of_predicted_labels():
    t, p = np.array([0, 1, 2, 2, 1]), np.array([0, 2, 2, 1, 1])
    expected = sk.confusion_matrix(t, p)
    assert (metrics.ConfusionMatrix(3)(t, p) == expected).all()
    assert (metrics.ConfusionMatrix(3)(t[:, None], p[:, None]) == expected).all()


def test_probabilities_from_logits():
    t, z = np.array([0, 1, 1]), np.array([-1.0, 0.5, 2.0])
    p = 1 / (1 + np.exp(-z))
    for metric in (metrics.BrierScore, metrics.LogLoss, metrics.BinaryCrossentropy):
        assert metric(from_logits=True)(t, z) == pytest.approx(metric()(t, p), rel=1e-6)
    rows = np.array([[1.0, 0, 2], [0, 3, 1], [0, 0, 0]])
    shares = np.exp(rows) / np.exp(rows).sum(1, keepdims=True)
    for metric in (metrics.BrierScore, metrics.LogLoss, metrics.SparseCategoricalCrossentropy):
        assert metric(from_logits=True)(t, rows) == pytest.approx(metric()(t, shares), rel=1e-6)


def test_a_function_as_metric():
    def within(y_true, y_pred):
        return jnp.abs(y_true - y_pred) <= 0.5

    metric = metrics.get(within)
    assert (metric.label, metrics.FunctionMetric(within, name="near").label) == ("within", "near")
    assert metric(np.array([1.0, 2.0, 3.0]), np.array([[1.5], [2.0], [4.0]]), [1, 1, 2]) == 0.5
    assert metrics.get(lambda t, p: t).label == "lambda"
    pinball = functools.partial(losses.quantile, quantile=0.9)
    assert metrics.get(pinball)(np.ones(2), np.array([0.0, 2.0])) == pytest.approx(0.5)


NAMES = [
    ("mse", None, metrics.MeanSquaredError(name="mse")),
    ("MeanSquaredError", None, metrics.MeanSquaredError(name="MeanSquaredError")),
    ("auc", "binary", metrics.AUC(name="auc")),
    ("acc", None, metrics.Accuracy(name="acc")),
    ("accuracy", "binary", metrics.BinaryAccuracy(name="accuracy")),
    ("accuracy", "categorical", metrics.CategoricalAccuracy(name="accuracy")),
    ("accuracy", "sparse", metrics.SparseCategoricalAccuracy(name="accuracy")),
    ("crossentropy", None, metrics.LogLoss(name="crossentropy")),
    ("ce", "binary", metrics.BinaryCrossentropy(name="ce")),
    ("ce", "categorical", metrics.CategoricalCrossentropy(name="ce")),
    ("ce", "sparse", metrics.SparseCategoricalCrossentropy(name="ce")),
    ("f1_score", "sparse", metrics.F1Score(name="f1_score", average="macro")),
    ("matthews_corrcoef", "sparse", metrics.MatthewsCorrelation(name="matthews_corrcoef")),
    (metrics.AUC, None, metrics.AUC()),
    (metrics.AUC("PR"), "binary", metrics.AUC("PR")),
]


@pytest.mark.parametrize(("identifier", "kind", "expected"), NAMES)
def test_names(identifier, kind, expected):
    found = metrics.get(identifier, kind)
    assert found == expected
    assert found.label == (identifier if isinstance(identifier, str) else "auc")


def test_names_for_models_that_give_logits():
    get = functools.partial(metrics.get, from_logits=True)
    assert get("accuracy", "binary") == metrics.BinaryAccuracy(0.0, name="accuracy")
    assert get("recall", "binary") == metrics.Recall(0.0, name="recall")
    assert get("f1", "binary") == metrics.F1Score("macro", 0.0, name="f1")
    assert get("ce", "sparse") == metrics.SparseCategoricalCrossentropy(True, name="ce")
    assert get("log_loss", "sparse") == metrics.LogLoss(True, name="log_loss")
    assert get("precision", "categorical") == metrics.Precision(name="precision")


def test_labels_are_those_of_keras():
    labels = {
        "AUC": "auc",
        "F1Score": "f1_score",
        "FBetaScore": "fbeta_score",
        "KLDivergence": "kl_divergence",
        "LogCoshError": "logcosh",
        "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
        "R2Score": "r2_score",
        "SparseTopKCategoricalAccuracy": "sparse_top_k_categorical_accuracy",
        "TruePositives": "true_positives",
    }
    assert {name: getattr(metrics, name)().label for name in labels} == labels
    assert metrics.AUC(name="area").label == "area"


def test_all_values_are_floats_or_arrays():
    for metric in (metrics.AUC(), metrics.F1Score(), metrics.R2Score(), metrics.TruePositives()):
        assert type(metric(*PAIR)) is float


def test_large_integers_do_not_wrap_around():
    t = np.array([7_000_000_000, 8_000_000_000])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.MeanAbsolutePercentageError()(t, t / 2) == pytest.approx(50)
