"""The messages that a wrong use of a loss is answered with."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import losses
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch, UnknownArgument, UnknownName


def test_messages_about_shapes():
    x, f = np.zeros((4, 3)), losses
    for call, message in (
        (lambda: f.mean_squared_error(np.zeros((4, 2)), x),
         "mean_squared_error: expected y_true and y_pred of one shape (batch, ...), as y_pred's "
         "(4, 3), received y_true of shape (4, 2). Give the last layer as many units as y_true "
         "has columns."),
        (lambda: f.huber(np.zeros(4), np.zeros((4, 4))), "received y_true of shape (4,)"),
        (lambda: f.poisson(np.zeros((1, 3)), x), "received y_true of shape (1, 3)"),
        (lambda: f.hinge(1.0, 2.0), "hinge: expected y_true and y_pred of one shape (batch, ...)"),
        (lambda: f.categorical_crossentropy(np.zeros((4, 1)), x),
         "For labels that are class numbers, use sparse_categorical_crossentropy."),
        (lambda: f.categorical_focal_crossentropy(np.zeros(4), x),
         "Turn class numbers into columns with to_categorical."),
        (lambda: f.sparse_categorical_crossentropy(x, x),
         "sparse_categorical_crossentropy: expected y_true of shape (4,), class numbers for "
         "y_pred's (4, 3), received y_true of shape (4, 3). For one-hot labels use "
         "categorical_crossentropy."),
        (lambda: f.sparse_categorical_crossentropy(np.zeros(3), x),
         "Pass one class number per prediction."),
        (lambda: f.sparse_categorical_crossentropy(np.zeros(4), np.zeros((4, 1))),
         "sparse_categorical_crossentropy: expected y_pred with at least 2 classes (the loss of "
         "a single one is always 0), received y_pred of shape (4, 1). For one column that says "
         "yes or no, use binary_crossentropy."),
        (lambda: f.quantile(np.zeros(4), x, (0.1, 0.9)),
         "quantile: expected y_pred with one column for each of the 2 quantiles (0.1, 0.9), "
         "received y_pred of shape (4, 3). Give the last layer 2 units."),
        (lambda: f.categorical_focal_crossentropy(x, x, (0.5, 0.5)),
         "categorical_focal_crossentropy: expected one alpha, or one for each of the 3 classes, "
         "received 2. Pass alpha=0.25 or as many numbers as there are classes."),
        (lambda: f.MeanSquaredError()(x, x, np.ones(3)),
         "sample_weight: expected one number per example or per loss: shape (4,) or (4,), "
         "received shape (3,). Give sample_weight as many entries as there are examples."),
        (lambda: f.reduce(jnp.zeros(4), None, jnp.ones(5)), "mask: expected one number"),
        (lambda: f.get(lambda a, b: jnp.mean(a - b))(x, x),
         "loss lambda: expected values to return one loss per example, shape (4, ...), received "
         "shape (). Average over the last axis (axis=-1) and leave the batch axis as it is."),
    ):  # fmt: skip
        with pytest.raises(ShapeMismatch, match=re.escape(message)):
            call()


def test_messages_about_names():
    for call, error, message in (
        (lambda: losses.get("mean_squared_eror"), UnknownName,
         "loss: expected a name it knows, received 'mean_squared_eror'. "
         "Did you mean mean_squared_error?"),
        (lambda: losses.get(3), InvalidArgument,
         "loss: expected a name, a Loss or a function of (y_true, y_pred), received 3. "
         'Pass for example loss="mse".'),
        (lambda: losses.get(dict), InvalidArgument, "received <class 'dict'>"),
        (lambda: losses.FunctionLoss("mse"), InvalidArgument,
         "FunctionLoss: expected a function of (y_true, y_pred), received function='mse'. "
         "Pass a function made of JAX operations."),
        (lambda: losses.Huber(dleta=1), UnknownArgument, "Did you mean delta?"),
        (lambda: losses.Loss()([1.0], [1.0]), InvalidArgument,
         "Loss: expected the method values(self, y_true, y_pred), received none. "
         "Define it in your loss."),
    ):  # fmt: skip
        with pytest.raises(error, match=re.escape(message)):
            call()


def test_messages_about_values():
    for call, message in (
        (lambda: losses.MeanSquaredError(reduction="avg"),
         "MeanSquaredError: expected reduction to be one of 'sum_over_batch_size', 'mean', "
         "'mean_with_sample_weight', 'sum', 'none', None, received reduction='avg'."),
        (lambda: losses.reduce(jnp.ones(2), reduction="means"),
         "reduce: expected one of sum_over_batch_size, mean, mean_with_sample_weight, sum, none, "
         "received reduction='means'. Did you mean mean?"),
        (lambda: losses.Huber(0.0), "Huber: expected delta to be a number in (0, inf]"),
        (lambda: losses.Quantile((0.1, 1.0)),
         "Quantile: expected numbers in (0, 1), received quantile=(0.1, 1.0). The median is 0.5; "
         "an interval that holds 80 % is (0.1, 0.9)."),
        (lambda: losses.BinaryCrossentropy("sum"),
         "BinaryCrossentropy: expected from_logits to be one of True, False, received "
         "from_logits='sum'."),
        (lambda: losses.CategoricalCrossentropy(label_smoothing=2),
         "expected label_smoothing to be a number in [0, 1], received label_smoothing=2"),
        (lambda: losses.SparseCategoricalCrossentropy(axis=None),
         "SparseCategoricalCrossentropy: expected axis to be a whole number, received axis=None. "
         "Use -1."),
        (lambda: losses.BinaryFocalCrossentropy(alpha=2), "expected alpha to be a number in [0,"),
        (lambda: losses.BinaryFocalCrossentropy(gamma=-1), "expected gamma to be a number in [0,"),
        (lambda: losses.CategoricalFocalCrossentropy(alpha=-1.0),
         "CategoricalFocalCrossentropy: expected alpha to be a number >= 0 or one for each class, "
         "received alpha=-1.0. Choose alpha=0.25, or the weights of the classes."),
    ):  # fmt: skip
        with pytest.raises(InvalidArgument, match=re.escape(message)):
            call()


def test_what_is_no_array_of_numbers_is_an_error():
    message = (
        "mean_squared_error: expected y_true to be an array of numbers, received list: .*"
        "Pass rows of equal length that hold numbers only."
    )
    for bad in ([[1], [1, 2]], ["yes", "no"]):
        with pytest.raises(InvalidData, match=message):
            losses.mean_squared_error(bad, np.zeros((2, 2)))
