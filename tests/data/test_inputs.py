"""A model's inputs: by place or by name, of the right shape and length, and finite."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

from fitwell.data.arrays import DataWarning, by_name, inputs, warn_not_finite
from fitwell.errors import InvalidData, ShapeMismatch

A, B = np.ones((3, 2)), np.zeros((3, 1))


@pytest.mark.parametrize("value", [[A, B], (A, B), {"b": B, "a": A}, {"a": A, "b": B, "c": 1}])
def test_several_inputs_by_place_or_by_name(value: Any) -> None:
    first, second = by_name("x", value, ["a", "b"])
    assert first is A
    assert second is B


def test_one_input_in_a_list_is_that_input() -> None:
    assert by_name("x", [A], ["a"])[0] is A
    assert by_name("x", {"a": A}, ["a"])[0] is A
    assert by_name("x", [1, 2, 3], ["a"]) == [[1, 2, 3]]


WRONG_NAMES: list[tuple[Any, str]] = [
    (
        {"aa": A, "b": B},
        "x: expected a dict with the names a, b, received aa, b. a is missing. Did you mean a?",
    ),
    ({"b": B}, "x: expected a dict with the names a, b, received b. a is missing. Add it."),
    (
        {},
        "x: expected a dict with the names a, b, received an empty dict. a is missing. Add it.",
    ),
    (
        A,
        "x: expected 2 arrays (a, b), received ndarray. "
        "Pass a list in that order, or a dict by name.",
    ),
    (
        [A, B, B],
        "x: expected 2 arrays (a, b), received 3. Pass a list in that order, or a dict by name.",
    ),
]


@pytest.mark.parametrize(("value", "text"), WRONG_NAMES)
def test_wrong_names_and_numbers_of_inputs(value: Any, text: str) -> None:
    with pytest.raises(InvalidData) as error:
        by_name("x", value, ["a", "b"])
    assert str(error.value) == text


# Shapes

FITS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((5, 3), (3,)),
    ((5,), (1,)),
    ((5,), ()),
    ((5, 1), ()),
    ((5, 28, 28), (28, 28, 1)),
    ((5, 28, 28, 1), (28, 28)),
]


@pytest.mark.parametrize(("given", "wanted"), FITS)
def test_a_last_axis_of_one_is_added_and_dropped(
    given: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    values = np.arange(np.prod(given)).reshape(given)
    (array,) = inputs("fit", values, ["input"], [wanted])
    assert array.shape == (5, *wanted)
    assert array.reshape(-1).tolist() == values.reshape(-1).tolist()


TRANSPOSE = "The axes are in another order: transpose x."
CHANGE = "Change the data or the network's first layer."
ONE_ARRAY = "That is an axis too many: for one input pass one array, no list of them."
MISFITS: list[tuple[tuple[int, ...], tuple[int, ...], str, str]] = [
    ((5, 4), (3,), "(n, 3)", CHANGE),
    ((), (3,), "(n, 3)", CHANGE),
    ((5, 3), (), "(n,)", ONE_ARRAY),
    ((3,), (3,), "(n, 3)", "This is one example: pass x[None], a batch of one."),
    ((8, 8), (8, 8), "(n, 8, 8)", "This is one example: pass x[None], a batch of one."),
    ((3, 50), (3,), "(n, 3)", TRANSPOSE),
    ((5, 3, 8, 9), (8, 9, 3), "(n, 8, 9, 3)", TRANSPOSE),
]


@pytest.mark.parametrize(("given", "wanted", "expected", "cure"), MISFITS)
def test_a_wrong_shape_names_the_layer_and_the_cure(
    given: tuple[int, ...], wanted: tuple[int, ...], expected: str, cure: str
) -> None:
    with pytest.raises(ShapeMismatch) as error:
        inputs("fit", np.ones(given), ["pixels"], [wanted])
    text = f"fit, layer pixels: expected x of shape {expected}, received {given}. {cure}"
    assert str(error.value) == text


EMPTY = "expected at least one example, received empty data. "
EMPTY += "Check the file or the filter that made it."
LENGTHS: list[tuple[Any, str]] = [
    ([np.ones((0, 2)), np.ones((0, 1))], f"fit: {EMPTY}"),
    ([[], []], f"fit: {EMPTY}"),
    (
        [np.ones((3, 2)), np.ones((2, 1))],
        "fit: expected as many rows in every array, received a: 3, b: 2. "
        "Each example needs one row in every array.",
    ),
]


@pytest.mark.parametrize(("value", "text"), LENGTHS)
def test_lengths(value: Any, text: str) -> None:
    with pytest.raises(InvalidData) as error:
        inputs("fit", value, ["a", "b"], [(2,), (1,)])
    assert str(error.value) == text


def test_nan_in_x_is_a_warning_that_says_where() -> None:
    x = np.zeros((4, 3), np.float32)
    x[1, 0], x[3, 2] = np.nan, np.inf
    text = "fit: x has NaN or infinity in 2 of 4 rows (columns [0, 2]). "
    text += "The loss becomes NaN: fill or drop them."
    with pytest.warns(DataWarning, match=f"^{re.escape(text)}$"):
        warn_not_finite("fit", "x", x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_not_finite("fit", "x", np.full((4, 3), 3e38, np.float32))  # the sum is no float32
        warn_not_finite("fit", "x", np.ones((4, 3), np.int32))
