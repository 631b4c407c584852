"""Splits: properties that hold for every table."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fitwell.data.splits import split, split_by_time
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


# Groups

grouped = st.lists(
    st.tuples(st.sampled_from("aaaabbc"), st.integers(0, 15)), min_size=12, max_size=150
)


@given(grouped, fractions, st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_no_group_is_in_two_parts_and_training_has_every_class(
    rows: list[tuple[str, int]], shares: tuple[float, float, float], seed: int
) -> None:
    labels, groups = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    assume(len(set(groups)) >= 3 + len(set(labels)))
    parts = split(labels, shares, seed=seed, groups=groups)
    together = np.concatenate(parts_of(parts))
    assert sorted(together.tolist()) == list(range(len(rows)))
    held = [set(groups[part]) for part in parts_of(parts)]
    assert len(held[0] | held[1] | held[2]) == sum(map(len, held))
    assert set(labels[parts.train]) == set(labels)
    again = split(labels, shares, seed=seed, groups=groups)
    assert all((a == b).all() for a, b in zip(parts_of(parts), parts_of(again), strict=True))


@given(st.lists(st.integers(1, 9), min_size=10, max_size=60), fractions, st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_groups_of_any_size_leave_each_part_its_share(
    sizes: list[int], shares: tuple[float, float, float], seed: int
) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    parts = split(len(groups), shares, seed=seed, groups=groups)
    for part, share in zip(parts_of(parts), shares, strict=True):
        assert abs(len(part) - share * len(groups)) <= max(sizes)


def test_few_groups_leave_no_part_empty() -> None:
    for seed in range(400):
        draw = np.random.default_rng(seed)
        groups = np.minimum(draw.integers(0, 16, 16), draw.integers(6, 16))
        labels = draw.choice(list("aaaaaaaaaaaabc"), 16)
        if len(set(groups)) >= 3 + len(set(labels)):
            parts = split(labels, seed=seed, groups=groups)
            assert all(len(part) for part in parts_of(parts))
            assert set(labels[parts.train]) == set(labels)


def test_groups_are_stratified() -> None:
    draw = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 5)
    labels = np.repeat(draw.random(200) < 0.2, 5)  # a class for each group
    parts = split(labels, seed=1, groups=groups)
    for part, share in zip(parts_of(parts), (0.64, 0.16, 0.2), strict=True):
        assert abs(labels[part].sum() - share * labels.sum()) <= 5
        assert abs(len(part) - share * 1000) <= 10


def test_each_group_alone_is_split_as_rows_are() -> None:
    labels = ["a", "b"] * 30
    alone, plain = split(labels, seed=3, groups=np.arange(60)), split(labels, seed=3)
    assert all((a == b).all() for a, b in zip(parts_of(alone), parts_of(plain), strict=True))


def test_every_large_group_is_tested_sometimes() -> None:
    groups = np.repeat(np.arange(20), 10)
    counts = np.zeros(20)
    for seed in range(500):
        counts[np.unique(groups[split(200, seed=seed, groups=groups).test])] += 1
    # Four of twenty groups are tested, each as often: 100 of 500 times, with sd sqrt(80).
    assert abs(counts - 100).max() < 5 * np.sqrt(80)


# Time


@given(st.lists(st.integers(0, 40), min_size=8, max_size=100), fractions)
@settings(max_examples=200, deadline=None)
def test_training_is_before_validation_and_validation_before_test(
    values: list[int], shares: tuple[float, float, float]
) -> None:
    times = np.array(values)
    assume(len(set(values)) >= 3)
    parts = split_by_time(times, shares)
    assert sorted(np.concatenate(parts_of(parts)).tolist()) == list(range(len(values)))
    assert times[parts.train].max() < times[parts.validation].min()
    assert times[parts.validation].max() < times[parts.test].min()
    most = np.bincount(times).max()
    if most == 1:  # every row has its own time: the shares are exact but for rounding
        assert abs(len(parts.test) - shares[2] * len(values)) <= 1
        assert abs(len(parts.train) - shares[0] * len(values)) <= 1


def test_rows_of_one_time_stay_together() -> None:
    parts = split_by_time([1] * 5 + [2] * 3 + [3] * 2, (0.6, 0.2, 0.2))
    assert [part.tolist() for part in parts_of(parts)] == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]
    parts = split_by_time(["c", "a", "b"], (0.6, 0.0, 0.4))
    assert [part.tolist() for part in parts_of(parts)] == [[1, 2], [], [0]]


def test_messages_about_groups_and_times() -> None:
    message = "expected 3 groups or more, so that every part has one, received 1 group. Add groups"
    with pytest.raises(InvalidData, match=re.escape(message)):
        split(9, groups=["g"] * 9)
    message = "expected 3 times or more, so that every part has one, received 2 different times."
    with pytest.raises(InvalidData, match=re.escape(message)):
        split_by_time([1, 1, 2, 2, 2])
    message = (
        "expected every class among the earlier rows, the training part, received c only later "
        "(1 row of such classes). Leave these rows out, or time=."
    )
    with pytest.raises(InvalidData, match=re.escape(message)):
        split_by_time(np.arange(10), labels=list("ababababac"))


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
