"""Every metric equals scikit-learn's value, however the examples are divided into batches."""

from __future__ import annotations

import dataclasses
import functools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from fitwell import metrics

ROOM = 8  # rows of a padded batch in the property test
CLASSES = 4


def binary(rng, n):
    """Probabilities in eighths: exact in float32, with ties."""
    return rng.integers(0, 2, n), (rng.integers(1, 8, (n, 1)) / 8).astype(np.float32)


def multilabel(rng, n):
    return rng.integers(0, 2, (n, 3)), (rng.integers(1, 8, (n, 3)) / 8).astype(np.float32)


def sparse(rng, n):
    raw = rng.random((n, CLASSES)) + 0.05
    return rng.integers(0, CLASSES, n), (raw / raw.sum(1, keepdims=True)).astype(np.float32)


def one_hot(rng, n):
    labels, scores = sparse(rng, n)
    return np.eye(CLASSES)[labels], scores


def numbers(rng, n):
    return rng.gamma(2.0, 2.0, (n, 3)).astype(np.float32), rng.gamma(2.0, 2.0, (n, 3)).astype(
        np.float32
    )


def signs(rng, n):
    return rng.integers(0, 2, n) * 2 - 1, rng.normal(size=n).astype(np.float32)


def labels_only(rng, n):
    return rng.integers(0, 3, n), rng.integers(0, 3, n)


def of_labels(function: Callable[..., Any], **arguments: Any) -> Callable[..., Any]:
    """scikit-learn's score of decided labels, from scores."""

    def score(t, p, w):
        decided = (p[:, 0] > 0.5).astype(int) if p.shape[1] == 1 else p.argmax(1)
        truth = t.argmax(1) if t.ndim > 1 and t.shape[1] > 1 else t
        return function(truth, decided, sample_weight=w, **arguments)

    return score


def of_columns(function: Callable[..., Any], **arguments: Any) -> Callable[..., Any]:
    return lambda t, p, w: function(t, p > 0.5, sample_weight=w, **arguments)


def of_numbers(function: Callable[..., Any], **arguments: Any) -> Callable[..., Any]:
    return lambda t, p, w: function(t, p, sample_weight=w, **arguments)


def area(function: Callable[..., Any], t, p, w):
    seen = w > 0
    columns = t[seen].reshape(-1, p.shape[1]).T
    if any(len(np.unique(column)) < 2 for column in columns):
        return np.nan
    return np.mean(
        [function(c, s, sample_weight=w[seen]) for c, s in zip(columns, p[seen].T, strict=True)]
    )


def pooled_area(t, p, w):
    truth, spread = np.eye(CLASSES)[t].ravel(), np.repeat(w, CLASSES)
    return sk.roc_auc_score(truth, p.ravel(), sample_weight=spread)


def log_loss(t, p, w):
    exact = p.astype(np.float64)
    if exact.shape[1] == 1:
        return sk.log_loss(t, exact[:, 0], sample_weight=w, labels=[0, 1])
    exact /= exact.sum(1, keepdims=True)
    truth = t.argmax(1) if t.ndim > 1 else t
    return sk.log_loss(truth, exact, sample_weight=w, labels=range(CLASSES))


def top_2(t, p, w):
    return sk.top_k_accuracy_score(t, p, k=2, labels=range(CLASSES), sample_weight=w)


def count(row: int, column: int) -> Callable[..., Any]:
    score = of_labels(sk.confusion_matrix, labels=[0, 1])
    return lambda t, p, w: score(t, p, w)[row, column]


ALL = {"labels": range(CLASSES), "zero_division": 0}
YES = {"average": "binary", "zero_division": 0}
TABLE: list[tuple[metrics.Metric, Callable[..., Any], Callable[..., Any]]] = [
    (metrics.Accuracy(), labels_only, of_numbers(sk.accuracy_score)),
    (metrics.BinaryAccuracy(), binary, of_labels(sk.accuracy_score)),
    (metrics.CategoricalAccuracy(), one_hot, of_labels(sk.accuracy_score)),
    (metrics.SparseCategoricalAccuracy(), sparse, of_labels(sk.accuracy_score)),
    (metrics.SparseTopKCategoricalAccuracy(2), sparse, top_2),
    (metrics.TopKCategoricalAccuracy(2), one_hot, lambda t, p, w: top_2(t.argmax(1), p, w)),
    (metrics.AUC(), binary, functools.partial(area, sk.roc_auc_score)),
    (metrics.AUC("PR"), binary, functools.partial(area, sk.average_precision_score)),
    (metrics.AUC(multi_label=True), multilabel, functools.partial(area, sk.roc_auc_score)),
    (metrics.AUC(), sparse, pooled_area),
    (metrics.Precision(), binary, of_labels(sk.precision_score, **YES)),
    (metrics.Recall(), binary, of_labels(sk.recall_score, **YES)),
    (metrics.F1Score(), binary, of_labels(sk.f1_score, **YES)),
    (metrics.FBetaScore(beta=2.0), binary, of_labels(sk.fbeta_score, beta=2, **YES)),
    *(
        (metric(average=average), data, of_labels(function, average=average, **ALL))
        for metric, function in (
            (metrics.Precision, sk.precision_score),
            (metrics.Recall, sk.recall_score),
            (metrics.F1Score, sk.f1_score),
        )
        for average, data in (("macro", sparse), ("micro", one_hot), ("weighted", sparse))
    ),
    (
        metrics.F1Score(average="macro", threshold=0.5),
        multilabel,
        of_columns(sk.f1_score, average="macro", zero_division=0),
    ),
    (metrics.F1Score(), sparse, of_labels(sk.f1_score, average=None, **ALL)),
    (metrics.BalancedAccuracy(), binary, of_labels(sk.balanced_accuracy_score)),
    (metrics.BalancedAccuracy(), sparse, of_labels(sk.balanced_accuracy_score)),
    (metrics.MatthewsCorrelation(), binary, of_labels(sk.matthews_corrcoef)),
    (metrics.MatthewsCorrelation(), one_hot, of_labels(sk.matthews_corrcoef)),
    (metrics.ConfusionMatrix(2), binary, of_labels(sk.confusion_matrix, labels=[0, 1])),
    (
        metrics.ConfusionMatrix(CLASSES),
        one_hot,
        of_labels(sk.confusion_matrix, labels=range(CLASSES)),
    ),
    (metrics.TrueNegatives(), binary, count(0, 0)),
    (metrics.FalsePositives(), binary, count(0, 1)),
    (metrics.FalseNegatives(), binary, count(1, 0)),
    (metrics.TruePositives(), binary, count(1, 1)),
    (metrics.LogLoss(), binary, log_loss),
    (metrics.LogLoss(), sparse, log_loss),
    (metrics.LogLoss(), one_hot, log_loss),
    (metrics.BinaryCrossentropy(), binary, log_loss),
    (metrics.CategoricalCrossentropy(), one_hot, log_loss),
    (metrics.SparseCategoricalCrossentropy(), sparse, log_loss),
    (
        metrics.BrierScore(),
        binary,
        lambda t, p, w: sk.brier_score_loss(t, p[:, 0], sample_weight=w, labels=[0, 1]),
    ),
    (
        metrics.BrierScore(),
        sparse,
        lambda t, p, w: np.average(((np.eye(CLASSES)[t] - p) ** 2).sum(1), weights=w),
    ),
    (metrics.Hinge(), signs, of_numbers(sk.hinge_loss, labels=[-1, 1])),
    (metrics.MeanSquaredError(), numbers, of_numbers(sk.mean_squared_error)),
    (
        metrics.RootMeanSquaredError(),
        numbers,
        lambda t, p, w: np.sqrt(sk.mean_squared_error(t, p, sample_weight=w)),
    ),
    (metrics.MeanAbsoluteError(), numbers, of_numbers(sk.mean_absolute_error)),
    (
        metrics.MeanAbsolutePercentageError(),
        numbers,
        lambda t, p, w: 100 * sk.mean_absolute_percentage_error(t, p, sample_weight=w),
    ),
    (metrics.MeanSquaredLogarithmicError(), numbers, of_numbers(sk.mean_squared_log_error)),
    (
        metrics.CosineSimilarity(),
        numbers,
        lambda t, p, w: np.average(np.diag(sk.pairwise.cosine_similarity(t, p)), weights=w),
    ),
    (metrics.R2Score(), numbers, of_numbers(sk.r2_score)),
    (
        metrics.R2Score(class_aggregation="variance_weighted_average"),
        numbers,
        of_numbers(sk.r2_score, multioutput="variance_weighted"),
    ),
    (
        metrics.R2Score(class_aggregation=None),
        numbers,
        of_numbers(sk.r2_score, multioutput="raw_values"),
    ),
]


@functools.cache
def compiled(metric: metrics.Metric) -> tuple[Any, Any]:
    """measure, and merge where it is part of the loop, as the training engine runs them."""
    return jax.jit(metric.measure), np.concatenate if metric.collects else jax.jit(metric.merge)


def in_batches(metric: metrics.Metric, t, p, w, sizes: list[int]) -> Any:
    """The value over batches of these sizes, each padded with garbage to ROOM rows."""
    measure, merge = compiled(metric)
    parts, start = [], 0
    for size in sizes:
        here = slice(start, start + size)
        start += size
        garbage = [(0, ROOM - size)]
        parts.append(
            measure(
                *(
                    np.pad(
                        a[here].astype(np.float32),
                        garbage + [(0, 0)] * (a.ndim - 1),
                        constant_values=np.nan,
                    )
                    for a in (t, p)
                ),
                np.pad(w[here].astype(np.float32), garbage),
            )
        )
    if metric.collects:
        return metric.result({k: merge([part[k] for part in parts]) for k in parts[0]})
    zeros = jax.tree.map(jnp.zeros_like, parts[0])
    return metric.result(functools.reduce(merge, parts, zeros))


@pytest.mark.parametrize(("metric", "data", "truth"), TABLE, ids=lambda v: getattr(v, "label", ""))
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(1, ROOM), min_size=1, max_size=6).filter(lambda s: sum(s) > 1),
    weighted=st.booleans(),
)
def test_any_partition_gives_the_value_of_the_whole(metric, data, truth, seed, sizes, weighted):
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    t, p = data(rng, n)
    w = rng.integers(0, 4, n) / 2 if weighted else np.ones(n)
    w[rng.choice(n, 2, replace=False)] = 1.0  # two examples at least: R2 of one is undefined
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's remarks on classes that are absent
        expected = truth(t, p, w)
    assert metric(t, p, w) == pytest.approx(expected, rel=2e-5, abs=2e-6, nan_ok=True)
    assert in_batches(metric, t, p, w, sizes) == pytest.approx(
        expected, rel=2e-5, abs=2e-6, nan_ok=True
    )


GOLDEN = json.loads((Path(__file__).parent / "golden" / "metrics.json").read_text())


def test_values_are_those_of_keras():
    weight = np.array(GOLDEN["weight"])
    for name, arguments, data, plain, weighted in GOLDEN["cases"]:
        t, p = (np.array(a, np.float32) for a in GOLDEN["data"][data])
        metric = getattr(metrics, name)(**arguments)
        for w, expected in ((None, plain), (weight, weighted)):
            assert metric(t, p, w) == pytest.approx(
                np.squeeze(expected) if np.size(expected) == 1 else np.array(expected),
                rel=1e-5,
                abs=1e-6,
            ), (name, arguments, data, w is None)


def test_every_metric_is_in_a_table():
    covered = {type(metric).__name__ for metric, *_ in TABLE} | {c[0] for c in GOLDEN["cases"]}
    classes = {
        name
        for name in metrics.__all__
        if isinstance(getattr(metrics, name), type) and name != "MatthewsCorrcoef"
    }
    assert classes - covered == {"Metric", "MeanMetric", "FunctionMetric"}
    assert all(dataclasses.is_dataclass(getattr(metrics, name)) for name in classes)


def test_of_more_than_two_classes_binary_accuracy_meets_none_but_0_and_1() -> None:
    """Keras: y_true == (y_pred > 0.5), so 2 and 3 are never met."""
    found = metrics.BinaryAccuracy().values(
        np.array([0.0, 1.0, 2.0, 3.0, -1.0]), np.array([0.2, 0.9, 2.1, 3.0, 0.1])
    )
    assert np.ravel(found).tolist() == [True, True, False, False, True]
