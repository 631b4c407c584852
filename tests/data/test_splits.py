"""Splits: properties that hold for every table."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell.data.splits import split
from fitwell.errors import InvalidArgument, InvalidData

labels = st.lists(st.sampled_from("aaaaabbbcd"), min_size=12, max_size=200)
fractions = st.sampled_from([(0.64, 0.16, 0.2), (0.5, 0.25, 0.25), (0.8, 0.1, 0.1)])


@given(labels, fractions, st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_every_row_once_and_every_class_its_share(
    rows: list[str], shares: tuple[float, float, float], seed: int
) -> None:
    parts = split(rows, shares, seed=seed)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together.tolist()) == list(range(len(rows)))
    assert len(parts.test) == round(shares[2] * len(rows))
    array = np.array(rows)
    assert set(array[parts.train]) == set(rows)
    for part, share in ((parts.validation, shares[1]), (parts.test, shares[2])):
        assert (np.diff(part) > 0).all()
        for label in set(rows):
            assert abs((array[part] == label).sum() - share * rows.count(label)) <= 3
    again = split(rows, shares, seed=seed)
    assert all((a == b).all() for a, b in zip(parts_of(parts), parts_of(again), strict=True))


def parts_of(parts: object) -> tuple:
    return parts.train, parts.validation, parts.test


@given(st.integers(10, 3000), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_sizes_without_labels(rows: int, seed: int) -> None:
    parts = split(rows, (0.64, 0.16, 0.2), seed=seed)
    assert len(parts.test) == round(0.2 * rows)
    assert len(parts.validation) == round(0.2 * (rows - len(parts.test)))
    assert parts.notes == ()


def test_every_row_is_equally_likely_to_be_tested() -> None:
    counts = np.zeros(50)
    for seed in range(2000):
        counts[split(50, seed=seed).test] += 1
    # Each row is in the test part with probability 0.2: 400 times, with sd sqrt(2000 * .2 * .8).
    assert abs(counts - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)


def test_a_part_of_nothing() -> None:
    parts = split(10, (0.8, 0.0, 0.2))
    assert [len(p) for p in parts_of(parts)] == [8, 0, 2]
    assert [len(p) for p in parts_of(split(4, (0.0, 0.0, 1.0)))] == [0, 0, 4]


def test_rare_classes_go_to_training_and_are_said() -> None:
    rows = ["a"] * 30 + ["b"] * 2 + ["c"]
    for seed in range(20):
        parts = split(rows, seed=seed)
        assert set(np.array(rows)[parts.train]) == {"a", "b", "c"}
        assert parts.notes == (
            "2 classes have fewer than 3 rows: in the training part, but not in every other part.",
        )
    one = split(["a"] * 30 + ["b"])
    assert one.notes[0].startswith("1 class has fewer than 3 rows")


def test_messages() -> None:
    message = "fractions=(0.5, 0.2, 0.2). For example (0.64, 0.16, 0.2)."
    with pytest.raises(InvalidArgument, match=re.escape(message)):
        split(10, (0.5, 0.2, 0.2))
    with pytest.raises(InvalidArgument, match="three fractions in"):
        split(10, (1.5, -0.5, 0.0))
    # round(n / 5) of n rows are tested, round(1 / 5) of the others validate: 3 of 4, first.
    message = "expected 4 rows or more, so that every part has one, received 2 rows. Add rows"
    with pytest.raises(InvalidData, match=re.escape(message)):
        split(2)
    assert all(len(part) > 0 for part in parts_of(split(4)))
    message = "expected more rows than classes, so that the validation part has one, too, received"
    with pytest.raises(InvalidData, match=re.escape(message)):
        split(list("abcdef"))
