"""The text of every error that metrics raise."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import metrics
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, ShapeMismatch, UnknownName

TWO, THREE = np.zeros(2), np.zeros((2, 3))
ERRORS = [
    (
        lambda: metrics.MeanSquaredError()(THREE, np.zeros((2, 4))),
        ShapeMismatch,
        "mean_squared_error: expected y_true and y_pred of one shape (batch, ...), as y_pred's "
        "(2, 4), received y_true of shape (2, 3). Give the last layer as many units as y_true has "
        "columns.",
    ),
    (
        lambda: metrics.BinaryAccuracy(name="right")(TWO, THREE),
        ShapeMismatch,
        "metric right: expected y_true and y_pred of the same shape, received (2,) and (2, 3). "
        "Reshape one of them, or, if y_true holds class numbers, use a Sparse... metric.",
    ),
    (
        lambda: metrics.SparseCategoricalAccuracy()(THREE, THREE),
        ShapeMismatch,
        "metric sparse_categorical_accuracy: expected y_true with one class number where y_pred "
        "has one column per class, received (2, 3) and (2, 3). If y_true is one-hot, use the "
        "metric without Sparse in its name.",
    ),
    (
        lambda: metrics.Accuracy()(TWO, np.zeros(3)),
        ShapeMismatch,
        "metric accuracy: expected y_true and y_pred of equal length, and one weight per example, "
        "received shapes (2,), (3,) and (2,) for the weights. Pass arrays that describe the same "
        "examples.",
    ),
    (
        lambda: metrics.FunctionMetric(lambda t, p: jnp.mean(t))(TWO, TWO),
        ShapeMismatch,
        "metric lambda: expected one value per example: shape (2, ...), received shape (). "
        "Average over axis=-1, not over the batch.",
    ),
    (
        lambda: metrics.Precision(class_id=3)(THREE, THREE),
        ShapeMismatch,
        "metric precision: expected y_pred with a column class_id=3, received 3 columns. "
        "Choose class_id from 0 to 2.",
    ),
    (
        lambda: metrics.ConfusionMatrix(4)(TWO, THREE),
        ShapeMismatch,
        "metric confusion_matrix: expected y_pred with 1 or num_classes=4 columns, received 3 "
        "columns (shape (2, 3)). Write ConfusionMatrix(num_classes=3).",
    ),
    (
        lambda: metrics.AUC()([0, 1, 2], [0.1, 0.2, 0.3]),
        InvalidData,
        "metric auc: expected labels 0 and 1, received the label 2. Encode the two classes as 0 "
        "and 1.",
    ),
    (
        lambda: metrics.SparseCategoricalAccuracy()([0, 3], THREE),
        InvalidData,
        "metric sparse_categorical_accuracy: expected class numbers from 0 to 2, received the "
        "label 3. Number the classes 0, 1, 2, ..., one for each column of y_pred.",
    ),
    (
        lambda: metrics.Accuracy()(["a", "b"], TWO),
        InvalidData,
        "metric accuracy: expected y_true to be an array of numbers with a batch axis, received "
        "dtype <U1 and shape (2,). Pass rows of equal length, and encode text as class numbers "
        "0, 1, 2, ... first.",
    ),
    (
        lambda: metrics.Accuracy()([[1], [2, 3]], TWO),
        InvalidData,
        "metric accuracy: expected y_true to be an array of numbers with a batch axis, received "
        "dtype object and shape (). Pass rows of equal length, and encode text as class numbers "
        "0, 1, 2, ... first.",
    ),
    (
        lambda: metrics.Accuracy()(TWO, [0.5, np.nan]),
        InvalidData,
        "metric accuracy: expected no NaN in y_pred, received NaN in 1 of 2 examples. Leave those "
        "examples out, or find out where the NaN comes from.",
    ),
    (
        lambda: metrics.Accuracy()(TWO, TWO, [1, -1]),
        InvalidData,
        "metric accuracy: expected weights >= 0, received -1. Give unwanted examples the weight 0.",
    ),
    (
        lambda: metrics.Precision(class_id=-1),
        InvalidArgument,
        "Precision: expected class_id to be the number of a column, >= 0, received class_id=-1. "
        "Columns are counted from 0.",
    ),
    (
        lambda: metrics.Recall(class_id=1, average="macro"),
        InvalidArgument,
        "Recall: expected average=\"binary\" together with class_id, received average='macro', "
        "class_id=1. Choose one class or an average over all, not both.",
    ),
    (
        lambda: metrics.Precision(thresholds=[0.1, 0.5]),
        InvalidArgument,
        "Precision: expected thresholds to be a number in (-inf, inf), received "
        "thresholds=(0.1, 0.5). Choose thresholds inside it.",
    ),
    (
        lambda: metrics.CosineSimilarity(axis=0),
        InvalidArgument,
        "CosineSimilarity: expected axis to be a whole number other than 0 (the batch), received "
        "axis=0. The last axis is -1.",
    ),
    (
        lambda: metrics.FunctionMetric(3),
        InvalidArgument,
        "FunctionMetric: expected a function f(y_true, y_pred), received function=3. Pass a "
        "function made of JAX operations.",
    ),
    (
        lambda: metrics.Metric()(TWO, TWO),
        InvalidArgument,
        "Metric: expected the method measure(self, y_true, y_pred, weight), received none. Define "
        "it in your metric.",
    ),
    (
        lambda: metrics.Metric().result({}),
        InvalidArgument,
        "Metric: expected the method result(self, stats), received none. Define it in your metric.",
    ),
    (
        lambda: metrics.MeanMetric()(TWO, TWO),
        InvalidArgument,
        "MeanMetric: expected the method values(self, y_true, y_pred), received none. Define it "
        "in your metric.",
    ),
    (
        lambda: metrics.get("acuracy"),
        UnknownName,
        "metric: expected a name it knows, received 'acuracy'. Did you mean accuracy?",
    ),
    (
        lambda: metrics.get(3),
        InvalidArgument,
        "metrics.get: expected the name of a metric, a Metric or a function f(y_true, y_pred), "
        'received 3. Write "accuracy", fitwell.metrics.AUC() or your own function.',
    ),
    (
        lambda: metrics.get("accuracy", "regression"),
        InvalidArgument,
        'metrics.get: expected kind "binary", "categorical", "sparse" or None, received '
        "kind='regression'. Choose what y_true holds.",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_messages(call, error, message):
    with pytest.raises(FitwellError) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: metrics.TopKCategoricalAccuracy(k=0),
        lambda: metrics.SparseTopKCategoricalAccuracy(k=1.5),
        lambda: metrics.AUC(curve="roc curve"),
        lambda: metrics.F1Score(average="mean"),
        lambda: metrics.FBetaScore(beta=0),
        lambda: metrics.BinaryAccuracy(threshold="half"),
        lambda: metrics.BinaryCrossentropy(label_smoothing=1.5),
        lambda: metrics.ConfusionMatrix(0),
        lambda: metrics.R2Score(class_aggregation="sum"),
        lambda: metrics.BalancedAccuracy(threshold=math.inf),
    ],
)
def test_arguments_out_of_range(wrong):
    with pytest.raises(InvalidArgument):
        wrong()
