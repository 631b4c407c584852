"""Weights of examples and classes, one-hot rows: right by scikit-learn and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from fitwell.data.targets import class_weights, sample_weights
from fitwell.errors import FitwellError, InvalidArgument, InvalidData
from fitwell.utils import to_categorical


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], [2, 0, 0, 1, 2, 2, 2], [5.0, 5.0, -1.0]])
@pytest.mark.parametrize("form", ["(n,)", "(n, 1)", "one-hot"])
def test_balanced_class_weights_are_scikit_learns(labels: list[float], form: str) -> None:
    classes, index = np.unique(labels, return_inverse=True)
    table = compute_class_weight("balanced", classes=classes, y=np.array(labels))
    y = np.array(labels)
    if form != "(n,)":
        y = y[:, None] if form == "(n, 1)" else np.eye(len(classes))[index]
    found = class_weights("fit", y, "balanced")
    np.testing.assert_allclose(found, table[index], rtol=1e-6)


def test_a_class_without_a_weight_weighs_one_and_one_that_is_absent_does_no_harm() -> None:
    assert class_weights("fit", np.array([0, 1, 2, 1]), {1: 5.0, 7: 2.0}).tolist() == [1, 5, 1, 5]


def test_labels_of_a_hinge_are_keys() -> None:
    weights = class_weights("fit", np.array([-1, 1, 1]), {-1: 3.0, 1: 2.0})
    assert weights.tolist() == [3.0, 2.0, 2.0]


def test_class_weights_of_a_dict_times_sample_weights() -> None:
    y, table = np.array([0, 1, 1], np.int32), {0: 1, 1: 2.5, 7: 9}
    assert class_weights("fit", y, table).tolist() == [1, 2.5, 2.5]
    given = np.array([2, 0, 4], np.float32)
    assert class_weights("fit", y, table, given).tolist() == [2, 0, 10]
    per_step = np.ones((3, 2), np.float32)
    assert class_weights("fit", y, table, per_step).tolist() == [[1, 1], [2.5, 2.5], [2.5, 2.5]]


def test_sample_weights_have_one_number_per_example() -> None:
    assert sample_weights("fit", [1, 2], 2).tolist() == [1, 2]
    assert sample_weights("fit", pd.DataFrame({"w": [1, 2]}), 2).tolist() == [1, 2]
    assert sample_weights("fit", [[1, 2], [3, 4]], 2).tolist() == [[1, 2], [3, 4]]


LABELS = np.array([0, 1])
FINITE = "expected finite weights >= 0"
LEAVE_OUT = "Use 0 to leave an example out."
BALANCED = "Pass class_weight='balanced' or {0: 1.0, 1: 5.0}."
BAD_WEIGHTS: list[tuple[Any, type[FitwellError], str]] = [
    (
        lambda: sample_weights("fit", [1.0], 2),
        InvalidData,
        "fit, sample_weight: expected 2 weights, received shape (1,). "
        "Pass an array with one number per example.",
    ),
    (
        lambda: sample_weights("fit", 1.0, 2),
        InvalidData,
        "fit, sample_weight: expected 2 weights, received shape (). "
        "Pass an array with one number per example.",
    ),
    (
        lambda: sample_weights("fit", [1.0, -0.5], 2),
        InvalidData,
        f"fit, sample_weight: {FINITE}, received -0.5. {LEAVE_OUT}",
    ),
    (
        lambda: sample_weights("fit", [1.0, np.nan], 2),
        InvalidData,
        f"fit, sample_weight: {FINITE}, received nan. {LEAVE_OUT}",
    ),
    (
        lambda: class_weights("fit", LABELS, {0: 1, 1: np.inf}),
        InvalidData,
        f"fit, class_weight: {FINITE}, received inf. {LEAVE_OUT}",
    ),
    (
        lambda: class_weights("fit", LABELS, {0: 1, 1: "heavy"}),
        InvalidData,
        "fit, class_weight: expected numbers, received text (first value '1'). "
        "Look words up with StringLookup or TextVectorization, convert digits with "
        "astype('float32'), or train from the table with fitwell.tabular.",
    ),
    (
        lambda: class_weights("fit", LABELS, {"1": 1}),
        InvalidArgument,
        "fit, class_weight: expected classes as keys (such as 0, 1), received the key '1'. "
        "Use the labels as keys; a class without a key weighs 1.",
    ),
    *(
        (
            lambda key=key: class_weights("fit", LABELS, {key: 1}),
            InvalidArgument,
            f"fit, class_weight: expected classes as keys (such as 0, 1), received the key {key}. "
            "Use the labels as keys; a class without a key weighs 1.",
        )
        for key in (None, (1,), float("nan"), 0.5, -1)
    ),
    (
        lambda: class_weights("fit", LABELS, "equal"),
        InvalidArgument,
        f"fit, class_weight: expected a dict or 'balanced', received 'equal'. {BALANCED}",
    ),
    (
        lambda: class_weights("fit", LABELS, 3),
        InvalidArgument,
        f"fit, class_weight: expected a dict or 'balanced', received 3. {BALANCED}",
    ),
    (
        lambda: class_weights("fit", np.array([[1, 1, 0], [0, 1, 0]]), "balanced"),
        InvalidArgument,
        "fit, class_weight: expected one class per example, received labels of shape (2, 3) that "
        "are not one-hot. Pass sample_weight with the weights you want.",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), BAD_WEIGHTS)
def test_bad_weights_say_so(call: Any, kind: type[FitwellError], text: str) -> None:
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == text


# to_categorical

HOTS: list[tuple[Any, int | None, Any]] = [
    ([0, 2], None, [[1, 0, 0], [0, 0, 1]]),
    ([[0], [1]], None, [[1, 0], [0, 1]]),
    ([1.0], 3, [[0, 1, 0]]),
    (1, None, [0, 1]),
    ([[0, 1], [1, 0]], None, [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]),
    ([True, False], None, [[0, 1], [1, 0]]),
]


@pytest.mark.parametrize(("x", "classes", "expected"), HOTS)
def test_to_categorical(x: Any, classes: int | None, expected: Any) -> None:
    rows = to_categorical(x, classes)
    assert rows.tolist() == expected
    assert rows.dtype == np.float32


def test_to_categorical_of_nothing() -> None:
    assert to_categorical([], 3).shape == (0, 3)
    assert to_categorical([]).shape == (0, 0)


NOT_CLASSES: list[tuple[Any, int | None, str]] = [
    ([0, 3], 3, "[0, 3), received from 0 to 3"),
    ([-1, 1], None, "[0, 2), received from -1 to 1"),
    ([0.5], None, "[0, 1), received from 0.5 to 0.5"),
]


@pytest.mark.parametrize(("x", "classes", "text"), NOT_CLASSES)
def test_to_categorical_takes_whole_numbers_from_0(x: Any, classes: int | None, text: str) -> None:
    with pytest.raises(InvalidData) as error:
        to_categorical(x, classes)
    expected = f"to_categorical: expected whole numbers in {text}. Number the classes from 0."
    assert str(error.value) == expected
