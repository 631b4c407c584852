"""What fit, evaluate and predict take beside arrays: batches, splits, times, whole numbers."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from fitwell import feeding
from fitwell.arguments import whole_number
from fitwell.errors import FitwellError, InvalidArgument, InvalidData
from fitwell.layers import Dense
from fitwell.sequential import Sequential
from fitwell.training import Batch

X = np.arange(20, dtype=np.float32).reshape(10, 2)


class Indexed:
    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> int:
        return [10, 20][i]


class Loader:
    def __iter__(self) -> Any:
        return iter([10, 20])


@pytest.mark.parametrize(
    "batches", [Indexed(), Loader(), (v for v in (10, 20)), {10: 0, 20: 0}.keys()]
)
def test_iterables_of_batches(batches: Any) -> None:
    assert feeding.is_iterable_of_batches(batches)
    assert [*feeding.iterable(batches)] == [10, 20]


def test_an_index_begins_anew() -> None:
    batches = feeding.iterable(Indexed())
    assert [*batches] == [*batches] == [10, 20]


@pytest.mark.parametrize(
    "data", [X, jnp.array(X), X.tolist(), (X, X), {"a": X}, pd.DataFrame(X), "t.csv", b"", {1}, 3]
)
def test_data_are_no_iterables_of_batches(data: Any) -> None:
    assert not feeding.is_iterable_of_batches(data)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (1, (1, None, None)),
        ((1,), (1, None, None)),
        ((1, 2), (1, 2, None)),
        ([1, 2, 3], (1, 2, 3)),
        ((["a", "b"], [0, 1]), (["a", "b"], [0, 1], None)),
        (["a", "b"], (["a", "b"], None, None)),
        (("a", "b"), (("a", "b"), None, None)),
    ],
)
def test_a_batch_is_x_y_and_weight(item: Any, expected: Any) -> None:
    assert feeding.unpack("fit", item) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (90, 90.0),
        (0.5, 0.5),
        ("90", 90.0),
        ("90s", 90.0),
        ("1.5m", 90.0),
        (" 2H ", 7200.0),
        ("1e3", 1000.0),
        (np.float32(2), 2.0),
    ],
)
def test_time_limits(text: Any, expected: float) -> None:
    assert feeding.seconds("fit", "time_limit", text) == expected


SPLITS = [(0.2, 8), (0.25, 7), (0.5, 5), (0.99, None), (0.01, 9), (np.float32(0.5), 5)]


@pytest.mark.parametrize(("share", "kept"), SPLITS)
def test_the_split_takes_the_last_examples(share: float, kept: int | None) -> None:
    data = Batch((X,), (X[:, 0],), (None,), None)
    if kept is None:
        with pytest.raises(InvalidData):
            feeding.split_off("fit", data, share)
        return
    train, validation = feeding.split_off("fit", data, share)
    assert train.y[0].tolist() == X[:kept, 0].tolist()  # int(n (1 - share)), as in Keras
    assert validation.x[0].tolist() == X[kept:].tolist()
    assert train.weight == validation.weight == (None,)


def test_padding_is_zeros_behind() -> None:
    padded, same = feeding.padded([X[:3], X[:4]], 4)
    assert padded.tolist() == [*X[:3].tolist(), [0.0, 0.0]]
    assert same.tolist() == X[:4].tolist()


def test_validation_frequencies() -> None:
    assert feeding.frequency(np.int64(2)) == 2
    assert feeding.frequency((1, 5)) == [1, 5]


def test_capacity_is_a_power_of_two_that_a_buffer_and_a_dispatch_can_hold() -> None:
    def capacity(units: int, batch_size: int, features: int) -> int:
        model = Sequential([Dense(units)], seed=0)
        model.build((None, features))
        like = Batch((np.zeros((4, features), np.float32),), (np.zeros((4, 1)),), (None,), None)
        return feeding.capacity(model.network, batch_size, like)

    found = [capacity(1, 32, 4), capacity(1, 512, 4096), capacity(2048, 1024, 512)]
    assert all(n & (n - 1) == 0 for n in found)
    assert found[0] == 8192  # 10 us a step: 0.12 s hold more than the most there may be
    assert 32 * 2**20 < found[1] * 512 * (4096 * 4 + 8) <= 64 * 2**20
    # 6 x 1024 x 2048 x 513 operations at 60e9 a second: 0.108 s a step, 8.9 in 8 x 0.12 s
    assert found[2] == 8


TIME = 'Pass seconds, or "90s", "10m", "2h".'
ALONE = "Let the iterable give (x, y, sample_weight), and pass validation_data."
DATA = Batch((X,), (X,), (None,), None)
REFUSED: list[tuple[Any, type[FitwellError], str]] = [
    *(
        (
            lambda value=value: feeding.seconds("fit", "time_limit", value),
            InvalidArgument,
            f"fit: expected a positive time_limit, received time_limit={value!r}. {TIME}",
        )
        for value in ("", "soon", "3d", 0, -1, "-5s", float("nan"), None, [1])
    ),
    *(
        (
            lambda share=share: feeding.split_off("fit", DATA, share),
            InvalidArgument,
            "fit: expected validation_split inside (0, 1), "
            f"received validation_split={share!r}. Pass 0.2 to validate on the last fifth.",
        )
        for share in (1.0, -0.1, 2, True, "0.2", float("nan"))
    ),
    (
        lambda: feeding.split_off("fit", DATA, 0.95),
        InvalidData,
        "fit: expected examples on both sides of the split, "
        "received 10 examples and validation_split=0.95. "
        "Use more examples, or pass validation_data.",
    ),
    *(
        (
            lambda value=value: whole_number("fit", "epochs", value, 0),
            InvalidArgument,
            f"fit: expected epochs to be a whole number >= 0, received epochs={value!r}. Pass "
            "epochs=0 or more.",
        )
        for value in (-1, 2.0, True, "3", None)
    ),
    (
        lambda: feeding.frequency([1, 0]),
        InvalidArgument,
        "fit: expected validation_freq to be a whole number >= 1, received validation_freq=0. "
        "Pass validation_freq=1 or more.",
    ),
    (
        lambda: feeding.unpack("fit", (1, 2, 3, 4)),
        InvalidData,
        "fit: expected batches of the form x, (x, y) or (x, y, sample_weight), "
        "received a tuple of 4. Let the iterable give one of these.",
    ),
    (
        lambda: feeding.check_alone("evaluate", y=None, sample_weight=[1]),
        InvalidArgument,
        "evaluate: expected x alone with an iterable of batches, received sample_weight as well. "
        f"{ALONE}",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED)
def test_what_cannot_be_says_so(call: Any, kind: type[FitwellError], text: str) -> None:
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == text
