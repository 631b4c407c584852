"""Labels and weights: aligned with the network's outputs, checked against the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fitwell.data.arrays import shape_of_batch, to_array
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    Loss,
    MeanSquaredError,
    Quantile,
    SparseCategoricalCrossentropy,
)
from fitwell.types import HostArray, Shape

BINARY = (BinaryCrossentropy, BinaryFocalCrossentropy)
ONE_HOT = (CategoricalCrossentropy, CategoricalFocalCrossentropy)

_PER_EXAMPLE = (
    "One label for a whole example: write return_sequences=False in the last recurrent layer, pool "
    "over the steps (GlobalAveragePooling1D), or Flatten() first."
)


def choose_loss(activation: str | None, shape: Shape, y: HostArray) -> tuple[Loss, str]:
    """The loss for an output, and why, in words.

    sigmoid -> binary cross-entropy; softmax -> categorical cross-entropy, sparse for whole-number
    labels; otherwise -> mean squared error.
    """
    if activation == "sigmoid":
        return BinaryCrossentropy(), "the last layer is a sigmoid"
    if activation == "softmax":
        if y.shape[1:] == shape:
            return CategoricalCrossentropy(), "the last layer is a softmax, the labels are one-hot"
        return SparseCategoricalCrossentropy(), (
            "the last layer is a softmax, the labels are whole numbers"
        )
    return MeanSquaredError(), "the last layer has neither sigmoid nor softmax"


def align(subject: str, y: Any, loss: Loss | None, shape: Shape) -> HostArray:
    """Labels of one output in the shape and dtype its loss needs; never broadcast silently.

    Raises:
        ShapeMismatch: labels that do not fit the output.
        InvalidData: NaN, labels out of range, text.
    """
    array = to_array(subject, y)
    if array.dtype.kind == "f":
        _check_finite(subject, array)
    if array.ndim == 0:
        raise InvalidData(subject, "one label per example", f"the number {array}", "Pass a list.")
    if isinstance(loss, SparseCategoricalCrossentropy):
        return _class_indices(subject, array, shape, loss)
    per_class = array.shape[1:] in (shape[:-1], (*shape[:-1], 1)) and array.shape[1:] != shape
    if isinstance(loss, ONE_HOT) and per_class:
        raise ShapeMismatch(
            subject,
            f"one-hot labels of shape {shape_of_batch(shape)} for {_name(loss)}",
            f"shape {array.shape}",
            "Use sparse_categorical_crossentropy for whole-number labels, or "
            "fitwell.utils.to_categorical(y).",
        )
    if isinstance(loss, Quantile) and isinstance(loss.quantile, tuple) and array.ndim == 1:
        return array.astype(np.float32)[:, None]  # one target, a column of the output per quantile
    if array.shape[1:] != shape:
        array = _same_shape(subject, array, shape, loss)
    if isinstance(loss, (*BINARY, *ONE_HOT)):
        _check_range(subject, array, loss)
    # Regression targets may be integers; they are compared with floats.
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def _name(loss: Loss | None) -> str:
    return type(loss).__name__ if loss is not None else "this output"


def _check_finite(subject: str, array: HostArray) -> None:
    if np.isfinite(array.sum(dtype=np.float64)):
        return
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    raise InvalidData(
        subject,
        "finite labels",
        f"NaN or infinity in {len(bad)} of {len(array)} rows (first: row {bad[0]})",
        "Drop these rows or fill them.",
    )


def _class_indices(
    subject: str, array: HostArray, shape: Shape, loss: SparseCategoricalCrossentropy
) -> HostArray:
    ignored = loss.ignore_class
    classes = shape[-1] if shape else 1
    if array.shape[1:] == (*shape[:-1], 1):
        array = array[..., 0]
    if array.shape[1:] == shape and array.ndim > 1:
        raise ShapeMismatch(
            subject,
            f"whole-number labels of shape {shape_of_batch(shape[:-1])} for {_name(loss)}",
            f"shape {array.shape}, which looks one-hot",
            "Use categorical_crossentropy, or pass y.argmax(-1).",
        )
    if array.shape[1:] != shape[:-1]:
        raise ShapeMismatch(
            subject,
            f"labels of shape {shape_of_batch(shape[:-1])}",
            f"{array.shape}",
            _PER_EXAMPLE
            if array.ndim == 1 and len(shape) == 2
            else "Each example needs one class index.",
        )
    with np.errstate(invalid="ignore"):  # beyond 32 bits: unequal, so answered below
        whole = array.astype(np.int32, copy=False)
    if array.dtype.kind == "f" and not np.array_equal(whole, array):
        odd = array.reshape(-1)[np.flatnonzero((whole != array).reshape(-1))[0]]
        cure = "For regression use loss='mse' and a last layer without softmax."
        raise InvalidData(subject, "whole-number class labels", f"{odd:g}", cure)
    seen = whole if ignored is None else whole[whole != ignored]
    if seen.size and (seen.min() < 0 or seen.max() >= classes):
        low, high = int(seen.min()), int(seen.max())
        cure = (
            f"Labels begin at 0: subtract {low}."
            if low > 0 and high - low < classes
            else f"Give the last layer {high + 1} units, or correct the labels."
            if low >= 0
            else "Correct the negative labels."
        )
        raise InvalidData(
            subject,
            f"class labels from 0 to {classes - 1} (the output has {classes} units)",
            f"labels from {low} to {high}",
            cure,
        )
    return whole


def _same_shape(subject: str, array: HostArray, shape: Shape, loss: Loss | None) -> HostArray:
    if (*array.shape[1:], 1) == shape:
        return array[..., None]
    if array.shape[1:] == (*shape, 1):
        return array[..., 0]
    n = len(array)
    whole = array.dtype.kind in "iub" and array.ndim == 1 and shape and shape[-1] > 1
    cure = (
        "For class labels use sparse_categorical_crossentropy."
        if whole
        else f"Give the last layer {array.shape[-1]} units, or change the labels."
        if array.ndim == len(shape) + 1
        else _PER_EXAMPLE
        if array.ndim <= 2 and len(shape) == 2
        else "Labels and outputs need one shape."
    )
    raise ShapeMismatch(
        f"{subject} for {_name(loss)}",
        f"labels of shape {(n, *shape)}, the shape of the output",
        f"{array.shape}",
        cure,
    )


def _check_range(subject: str, array: HostArray, loss: Loss) -> None:
    if not array.size or (array.min() >= 0 and array.max() <= 1):
        return
    low, high = float(array.min()), float(array.max())
    cure = (
        "Labels of -1 and 1: use hinge, or pass (y + 1) / 2."
        if low == -1 and high == 1
        else f"Divide pixels and the like by {high:g} (X / {high:g}, layers.Rescaling), or use mse."
        if low >= 0 and array[0].size > 1 and isinstance(loss, BINARY)
        else "Use sparse_categorical_crossentropy with a softmax for several classes, "
        "or mse for regression."
    )
    raise InvalidData(
        f"{subject} for {_name(loss)}", "labels in [0, 1]", f"from {low:g} to {high:g}", cure
    )


def sample_weights(subject: str, sample_weight: Any, n: int) -> HostArray:
    """One weight per example, `(n,)`, or one per loss, `(n, ...)`.

    Raises:
        InvalidData: not n of them; negative, NaN or infinite weights.
    """
    subject = f"{subject}, sample_weight"
    weight = to_array(subject, sample_weight).astype(np.float32)
    if weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    if weight.ndim == 0 or len(weight) != n:
        cure = "Pass an array with one number per example."
        raise InvalidData(subject, f"{n} weights", f"shape {weight.shape}", cure)
    _check_weights(subject, weight)
    return weight


def _check_weights(subject: str, weight: HostArray) -> None:
    bad = weight[~(np.isfinite(weight) & (weight >= 0))]
    if bad.size:
        cure = "Use 0 to leave an example out."
        raise InvalidData(subject, "finite weights >= 0", f"{bad[0]:g}", cure)


def class_weights(
    subject: str, y: HostArray, class_weight: Any, weight: HostArray | None = None
) -> HostArray:
    """The weight of each example's class, times the weight it has already.

    "balanced" is n / (number of classes x count of the class), as in scikit-learn. In a dict, a
    class that is left out weighs 1, as in Keras.

    Raises:
        InvalidArgument: neither a dict nor "balanced"; a key that is no class; labels that are
            not one class per example.
        InvalidData: negative, NaN or infinite weights.
    """
    by_class = _class_weights(subject, y, class_weight)
    if weight is None:
        return by_class
    return by_class.reshape(len(y), *[1] * (weight.ndim - 1)) * weight


def _class_weights(subject: str, y: HostArray, class_weight: Any) -> HostArray:
    subject = f"{subject}, class_weight"
    labels = y.reshape(len(y), -1)
    if labels.shape[1] > 1:
        if y.ndim > 2 or not np.allclose(y.sum(-1), 1, atol=1e-3):
            received = f"labels of shape {y.shape} that are not one-hot"
            cure = "Pass sample_weight with the weights you want."
            raise InvalidArgument(subject, "one class per example", received, cure)
        labels = y.argmax(-1)
    classes, index, counts = np.unique(labels.reshape(-1), return_inverse=True, return_counts=True)
    if isinstance(class_weight, Mapping):
        strange = [key for key in class_weight if not _is_label(key, classes)]
        if strange:
            listed = ", ".join(f"{c:g}" for c in classes[:10])
            cure = "Use the labels as keys; a class without a key weighs 1."
            received = f"the key {strange[0]!r}"
            raise InvalidArgument(subject, f"classes as keys (such as {listed})", received, cure)
        given = [class_weight.get(c.item(), 1.0) for c in classes]
        table = to_array(subject, given).astype(np.float32)
        _check_weights(subject, table)
    elif isinstance(class_weight, str) and class_weight == "balanced":
        table = (len(labels) / (len(classes) * counts)).astype(np.float32)
    else:
        cure = "Pass class_weight='balanced' or {0: 1.0, 1: 5.0}."
        raise InvalidArgument(subject, "a dict or 'balanced'", repr(class_weight), cure)
    return table[index.reshape(-1)]


def _is_label(key: Any, classes: HostArray) -> bool:
    """Whether a key of `class_weight` may be a class: one that is seen, or another whole number."""
    if not isinstance(key, int | float | np.number):
        return False
    return bool(key in classes or (key >= 0 and float(key).is_integer()))


def to_categorical(x: Any, num_classes: int | None = None) -> HostArray:
    """One-hot rows: `out[i, x[i]] = 1`: (n, ...) -> (n, ..., num_classes).

    Args:
        x: whole numbers from 0.
        num_classes: max(x) + 1 if None.

    Raises:
        InvalidData: numbers that are not whole, negative or >= num_classes.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = to_array("to_categorical", x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    with np.errstate(invalid="ignore"):  # NaN is unequal, so answered below
        whole = labels.astype(np.int64)
    classes = int(whole.max(initial=-1)) + 1 if num_classes is None else num_classes
    if not np.array_equal(whole, labels) or (
        whole.size and (whole.min() < 0 or whole.max() >= classes)
    ):
        received = f"from {labels.min():g} to {labels.max():g}"
        cure = "Number the classes from 0."
        raise InvalidData("to_categorical", f"whole numbers in [0, {classes})", received, cure)
    rows = np.zeros((*whole.shape, classes), np.float32)
    np.put_along_axis(rows, whole[..., None], 1, axis=-1)
    return rows
