"""Labels and weights: aligned with outputs, checked against losses, never broadcast silently."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitwell import losses
from fitwell.data.targets import align, choose_loss
from fitwell.errors import FitwellError, InvalidData, ShapeMismatch

MSE, BCE = losses.MeanSquaredError(), losses.BinaryCrossentropy()
SPARSE, ONE_HOT = losses.SparseCategoricalCrossentropy(), losses.CategoricalCrossentropy()
HOT = [[1, 0, 0], [0, 0, 1]]

ALIGNED: list[tuple[Any, Any, tuple[int, ...], Any]] = [
    ([0, 1], BCE, (1,), [[0.0], [1.0]]),
    ([[0], [1]], BCE, (1,), [[0.0], [1.0]]),
    ([[0], [1]], BCE, (), [0.0, 1.0]),
    ([True, False], BCE, (1,), [[1.0], [0.0]]),
    ([0.5, 0.25], BCE, (1,), [[0.5], [0.25]]),
    ([7, -2], MSE, (1,), [[7.0], [-2.0]]),
    ([[7, -2], [1, 0]], None, (2,), [[7.0, -2.0], [1.0, 0.0]]),
    (HOT, ONE_HOT, (3,), HOT),
    ([[0.2, 0.3, 0.5]], ONE_HOT, (3,), [[0.2, 0.3, 0.5]]),
    ([0, 2], SPARSE, (3,), [0, 2]),
    ([[0], [2]], SPARSE, (3,), [0, 2]),
    ([0.0, 2.0], SPARSE, (3,), [0, 2]),
    (pd.Series([0, 2]), SPARSE, (3,), [0, 2]),
    ([[0, 2], [1, 1]], SPARSE, (2, 3), [[0, 2], [1, 1]]),
    ([-1, 2], losses.SparseCategoricalCrossentropy(ignore_class=-1), (3,), [-1, 2]),
]


@pytest.mark.parametrize(("y", "loss", "shape", "expected"), ALIGNED)
def test_labels_get_the_shape_and_dtype_of_their_loss(
    y: Any, loss: Any, shape: tuple[int, ...], expected: Any
) -> None:
    array = align("fit, y", y, loss, shape)
    np.testing.assert_array_equal(array, np.array(expected, np.float32))
    whole = isinstance(loss, losses.SparseCategoricalCrossentropy)
    assert array.dtype == (np.int32 if whole else np.float32)


SEVERAL = (
    "Use sparse_categorical_crossentropy with a softmax for several classes, or mse for regression."
)
MISALIGNED: list[tuple[Any, Any, tuple[int, ...], type[FitwellError], str]] = [
    (
        [1, 2, 3],
        SPARSE,
        (3,),
        InvalidData,
        "fit, y: expected class labels from 0 to 2 (the output has 3 units), "
        "received labels from 1 to 3. Labels begin at 0: subtract 1.",
    ),
    (
        [0, 9],
        SPARSE,
        (3,),
        InvalidData,
        "fit, y: expected class labels from 0 to 2 (the output has 3 units), "
        "received labels from 0 to 9. Give the last layer 10 units, or correct the labels.",
    ),
    (
        [-1, 1],
        SPARSE,
        (3,),
        InvalidData,
        "fit, y: expected class labels from 0 to 2 (the output has 3 units), "
        "received labels from -1 to 1. Correct the negative labels.",
    ),
    (
        [0.0, 1.5],
        SPARSE,
        (3,),
        InvalidData,
        "fit, y: expected whole-number class labels, received 1.5. "
        "For regression use loss='mse' and a last layer without softmax.",
    ),
    (
        [0.0, 1e20],
        SPARSE,
        (3,),
        InvalidData,
        "fit, y: expected whole-number class labels, received 1e+20. "
        "For regression use loss='mse' and a last layer without softmax.",
    ),
    (
        HOT,
        SPARSE,
        (3,),
        ShapeMismatch,
        "fit, y: expected whole-number labels of shape (n,) for SparseCategoricalCrossentropy, "
        "received shape (2, 3), which looks one-hot. "
        "Use categorical_crossentropy, or pass y.argmax(-1).",
    ),
    (
        [[0, 1], [1, 0]],
        SPARSE,
        (3,),
        ShapeMismatch,
        "fit, y: expected labels of shape (n,), received (2, 2). "
        "Each example needs one class index.",
    ),
    *(
        (
            y,
            ONE_HOT,
            (3,),
            ShapeMismatch,
            "fit, y: expected one-hot labels of shape (n, 3) for CategoricalCrossentropy, "
            f"received shape {np.shape(y)}. Use sparse_categorical_crossentropy for whole-number "
            "labels, or fitwell.utils.to_categorical(y).",
        )
        for y in ([0, 2], [[0], [2]])
    ),
    (
        [-1, 1],
        BCE,
        (1,),
        InvalidData,
        "fit, y for BinaryCrossentropy: expected labels in [0, 1], received from -1 to 1. "
        "Labels of -1 and 1: use hinge, or pass (y + 1) / 2.",
    ),
    (
        [0, 1, 2],
        BCE,
        (1,),
        InvalidData,
        "fit, y for BinaryCrossentropy: expected labels in [0, 1], received from 0 to 2. "
        f"{SEVERAL}",
    ),
    (
        [[0, 5, 0]],
        ONE_HOT,
        (3,),
        InvalidData,
        "fit, y for CategoricalCrossentropy: expected labels in [0, 1], received from 0 to 5. "
        f"{SEVERAL}",
    ),
    (
        [0, 2],
        MSE,
        (3,),
        ShapeMismatch,
        "fit, y for MeanSquaredError: expected labels of shape (2, 3), the shape of the output, "
        "received (2,). For class labels use sparse_categorical_crossentropy.",
    ),
    (
        [[1.0, 2.0]],
        MSE,
        (1,),
        ShapeMismatch,
        "fit, y for MeanSquaredError: expected labels of shape (1, 1), the shape of the output, "
        "received (1, 2). Give the last layer 2 units, or change the labels.",
    ),
    (
        [1.5, 2.5],
        MSE,
        (4, 3),
        ShapeMismatch,
        "fit, y for MeanSquaredError: expected labels of shape (2, 4, 3), the shape of the "
        "output, received (2,). One label for a whole example: write return_sequences=False in "
        "the last recurrent layer, pool over the steps (GlobalAveragePooling1D), or Flatten() "
        "first.",
    ),
    (
        [[0, 255], [3, 7]],
        BCE,
        (2,),
        InvalidData,
        "fit, y for BinaryCrossentropy: expected labels in [0, 1], received from 0 to 255. Divide "
        "pixels and the like by 255 (X / 255, layers.Rescaling), or use mse.",
    ),
    (
        [0, 1],
        SPARSE,
        (4, 3),
        ShapeMismatch,
        "fit, y: expected labels of shape (n, 4), received (2,). One label for a whole example: "
        "write return_sequences=False in the last recurrent layer, pool over the steps "
        "(GlobalAveragePooling1D), or Flatten() first.",
    ),
    (
        [0, np.nan, np.inf],
        BCE,
        (1,),
        InvalidData,
        "fit, y: expected finite labels, received NaN or infinity in 2 of 3 rows (first: row 1). "
        "Drop these rows or fill them.",
    ),
    (
        [1, None],
        MSE,
        (1,),
        InvalidData,
        "fit, y: expected finite labels, received NaN or infinity in 1 of 2 rows (first: row 1). "
        "Drop these rows or fill them.",
    ),
    (
        3.0,
        MSE,
        (1,),
        InvalidData,
        "fit, y: expected one label per example, received the number 3.0. Pass a list.",
    ),
    (
        ["cat", "dog"],
        SPARSE,
        (2,),
        InvalidData,
        "fit, y: expected numbers, received text (first value 'cat'). "
        "Look words up with StringLookup or TextVectorization, convert digits with "
        "astype('float32'), or train from the table with fitwell.tabular.",
    ),
]


@pytest.mark.parametrize(("y", "loss", "shape", "kind", "text"), MISALIGNED)
def test_labels_that_do_not_fit_say_so(
    y: Any, loss: Any, shape: tuple[int, ...], kind: type[FitwellError], text: str
) -> None:
    with pytest.raises(kind) as error:
        align("fit, y", y, loss, shape)
    assert str(error.value) == text


CHOSEN: list[tuple[str | None, tuple[int, ...], Any, Any, str]] = [
    ("sigmoid", (1,), [0, 1], BCE, "the last layer is a sigmoid"),
    ("softmax", (3,), HOT, ONE_HOT, "the last layer is a softmax, the labels are one-hot"),
    ("softmax", (3,), [0, 2], SPARSE, "the last layer is a softmax, the labels are whole numbers"),
    (
        "softmax",
        (3,),
        [[0], [2]],
        SPARSE,
        "the last layer is a softmax, the labels are whole numbe",
    ),
    ("linear", (1,), [0.5], MSE, "the last layer has neither sigmoid nor softmax"),
    (None, (2,), [[0.5, 1]], MSE, "the last layer has neither sigmoid nor softmax"),
]


@pytest.mark.parametrize(("activation", "shape", "y", "loss", "why"), CHOSEN)
def test_choose_loss(activation: Any, shape: Any, y: Any, loss: Any, why: str) -> None:
    found, reason = choose_loss(activation, shape, np.array(y))
    assert found == loss
    assert reason.startswith(why)
