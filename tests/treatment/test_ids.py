"""Ids are names: where simple models cannot judge them, nobody says that there is nothing."""

from __future__ import annotations

import numpy as np

from fitwell.doctor.labels import Labels
from fitwell.doctor.record import Head
from fitwell.treatment.asking import possible
from fitwell.treatment.scoring import Judge, Rows, divided

RANDOM = np.random.default_rng(0)
HEAD = Head(
    "last", 1, "sigmoid", "BinaryCrossentropy", False, "sum_over_batch_size", (),
    Labels("binary", 400, 1, 0.0, 1.0, 0.5, 0.5, (200, 200)),
)  # fmt: skip


def reached(x: np.ndarray, y: np.ndarray) -> object:
    rows = Rows((("x",), ("y",)), (x,), (y,))
    return possible(divided(rows, None), Judge((HEAD,)))


def test_what_is_possible_with_ids() -> None:
    words = RANDOM.integers(0, 40, size=(400, 10))
    found = reached(words, (words == 7).any(1).astype(float))
    assert found is not None
    assert found.linear > 0.9
    lot = RANDOM.integers(0, 2, 400).astype(float)
    assert reached(RANDOM.integers(0, 8000, size=(400, 10)), lot) is None  # they cannot tell
    numbers = reached(RANDOM.normal(size=(400, 10)), lot)
    assert numbers is not None
    assert numbers.chance > 0.02
