"""Writes metrics.json: values of Keras' metrics on small data, with and without weights.

Run with Keras 3 installed: `KERAS_BACKEND=jax python tests/golden/make_metrics.py`.
"""

import json
from pathlib import Path

import keras
import numpy as np

rng = np.random.default_rng(20)
N, K, T = 12, 4, 3


def eighths(*shape):
    """Probabilities that float32 holds exactly, with ties."""
    return (rng.integers(1, 8, shape) / 8).astype(np.float32)


def rows(*shape):
    raw = rng.random(shape) + 0.05
    return (raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32)


classes = rng.integers(0, K, N)
DATA = {
    "column": (rng.integers(0, 2, (N, 1)), eighths(N, 1)),
    "several": (rng.integers(0, 2, (N, K)), eighths(N, K)),
    "one_hot": (np.eye(K)[classes], rows(N, K)),
    "tied": (np.eye(K)[classes], eighths(N, K)),
    "sparse": (classes, rows(N, K)),
    "sparse_column": (classes[:, None], rows(N, K)),
    "sparse_tied": (classes, eighths(N, K)),
    "sparse_steps": (rng.integers(0, K, (N, T)), rows(N, T, K)),
    "numbers": (rng.gamma(2.0, 2.0, (N, 3)), rng.gamma(2.0, 2.0, (N, 3))),
    "steps": (rng.normal(size=(N, T, 2)), rng.normal(size=(N, T, 2))),
    "counts": (rng.poisson(3.0, (N, 2)), rng.gamma(2.0, 2.0, (N, 2))),
    "signs": (rng.integers(0, 2, (N, 1)) * 2 - 1, rng.normal(size=(N, 1))),
    "simplex": (rows(N, K), rows(N, K)),
    "logits": (rng.integers(0, 2, (N, 1)), rng.normal(size=(N, 1))),
    "labels": (rng.integers(0, 3, N), rng.integers(0, 3, N)),
}
CASES = [
    *(("Accuracy", {}, d) for d in ("labels",)),
    *(("BinaryAccuracy", {}, d) for d in ("column", "several")),
    ("BinaryAccuracy", {"threshold": 0.25}, "column"),
    ("BinaryAccuracy", {"threshold": 0.0}, "logits"),
    ("CategoricalAccuracy", {}, "one_hot"),
    *(("SparseCategoricalAccuracy", {}, d) for d in ("sparse", "sparse_column", "sparse_steps")),
    *(("TopKCategoricalAccuracy", {"k": k}, d) for k in (1, 2, 3) for d in ("one_hot", "tied")),
    *(("SparseTopKCategoricalAccuracy", {"k": 2}, d) for d in ("sparse", "sparse_tied")),
    *((m, {}, d) for m in ("Precision", "Recall") for d in ("column", "several", "one_hot")),
    *((m, {"thresholds": 0.25}, "several") for m in ("Precision", "Recall")),
    *((m, {"class_id": 2}, "several") for m in ("Precision", "Recall")),
    *((m, {}, "several") for m in ("TruePositives", "TrueNegatives")),
    *((m, {"thresholds": 0.75}, "column") for m in ("FalsePositives", "FalseNegatives")),
    *(("F1Score", {"average": a}, "one_hot") for a in (None, "macro", "micro", "weighted")),
    *(
        ("FBetaScore", {"beta": 2.0, "threshold": 0.5, "average": a}, "several")
        for a in (None, "macro")
    ),
    *(("MeanSquaredError", {}, d) for d in ("numbers", "steps")),
    *(("RootMeanSquaredError", {}, d) for d in ("numbers", "steps")),
    *((m, {}, "numbers") for m in ("MeanAbsoluteError", "MeanAbsolutePercentageError")),
    *((m, {}, "numbers") for m in ("MeanSquaredLogarithmicError", "LogCoshError")),
    *(("CosineSimilarity", {}, d) for d in ("numbers", "steps")),
    ("CosineSimilarity", {"axis": 1}, "steps"),
    *(("R2Score", {"class_aggregation": a}, "numbers") for a in ("uniform_average", None)),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, "numbers"),
    *(("BinaryCrossentropy", {}, d) for d in ("column", "several")),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one_hot"),
    *(("SparseCategoricalCrossentropy", {}, d) for d in ("sparse", "sparse_steps")),
    ("KLDivergence", {}, "simplex"),
    ("Poisson", {}, "counts"),
    *((m, {}, "signs") for m in ("Hinge", "SquaredHinge")),
    ("CategoricalHinge", {}, "one_hot"),
]


def value(name, arguments, data, weight):
    metric = getattr(keras.metrics, name)(**arguments)
    y_true, y_pred = (a.astype(np.float32) for a in DATA[data])
    metric.update_state(y_true, y_pred, sample_weight=weight)
    return np.asarray(metric.result(), np.float64).tolist()


def main() -> None:
    weight = rng.integers(0, 4, N).astype(np.float32) / 2
    stored = {
        "weight": weight.tolist(),
        "data": {k: [a.astype(np.float32).tolist() for a in pair] for k, pair in DATA.items()},
        "cases": [
            [
                name,
                arguments,
                data,
                value(name, arguments, data, None),
                value(name, arguments, data, weight),
            ]
            for name, arguments, data in CASES
        ],
    }
    path = Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(stored) + "\n")


if __name__ == "__main__":
    main()
