"""Sources: every example once an epoch, in an order of (seed, epoch), whatever the chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitwell.data.sources import ArraySource, IterableSource, Kept, Orders, Source, aligned
from fitwell.errors import InvalidData
from fitwell.training import Batch

SIZES = st.integers(1, 40)
LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def numbered(n: int, start: int = 0, *, weighted: bool = False) -> Batch:
    """Examples that know their number: x is (n, 2), y (n,)."""
    y = np.arange(start, start + n, dtype=np.int32)
    x = np.stack([y, -y], axis=1).astype(np.float32)
    return Batch((x,), (y,), ((y % 3).astype(np.float32) if weighted else None,), None)


def epoch_of(source: Source, epoch: int, chunks: list[int]) -> tuple[list[Any], list[int]]:
    """The numbers of one epoch's examples in order, and rows per batch. Checks the padding."""
    seen: list[Any] = []
    rows: list[int] = []
    step, turn = 0, 0
    while source.steps is None or step < source.steps:
        asked = min(chunks[turn % len(chunks)], source.capacity)
        data, count = source.chunk(epoch, step, asked)
        if count == 0:
            break
        assert data.x[0].shape == (source.capacity, source.batch_size, 2)
        for i in range(count):
            real = data.mask[i] == 1
            assert (data.mask[i][~real] == 0).all()
            assert np.isin(data.y[0][i][~real], data.y[0][i][real]).all()  # a real row again
            numbers = data.y[0][i][real]
            np.testing.assert_array_equal(data.x[0][i][real], np.stack([numbers, -numbers], 1))
            if data.weight[0] is not None:
                np.testing.assert_array_equal(data.weight[0][i][real], numbers % 3)
            seen += numbers.tolist()
            rows.append(int(real.sum()))
        step, turn = step + count, turn + 1
    return seen, rows


# Arrays


@given(n=SIZES, size=SIZES, capacity=st.integers(1, 8), chunks=LENGTHS, weighted=st.booleans())
@settings(deadline=None, max_examples=100)
def test_every_example_comes_exactly_once(
    n: int, size: int, capacity: int, chunks: list[int], weighted: bool
) -> None:
    data = numbered(n, weighted=weighted)
    shuffled = ArraySource(data, size, capacity, shuffle=True, seed=5)
    assert shuffled.steps == -(-n // size)
    for epoch in range(2):
        seen, rows = epoch_of(shuffled, epoch, chunks)
        assert sorted(seen) == list(range(n))
        assert rows == [size] * (n // size) + [n % size] * (n % size > 0)
        # The order is a function of (seed, epoch), whatever the chunks and the batches are.
        assert seen == Orders()(n, 5, epoch).tolist()
    kept = ArraySource(data, size, capacity, shuffle=False)
    assert epoch_of(kept, 0, chunks)[0] == list(range(n))


def test_another_seed_or_epoch_is_another_order() -> None:
    order = Orders()
    orders = [tuple(order(50, seed, epoch)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9
    fresh = np.random.Generator(np.random.Philox(key=[1, 2])).permutation(50)
    assert tuple(fresh) == tuple(order(50, 1, 2)) == orders[5]


def test_an_epoch_can_begin_anywhere() -> None:
    """What resuming needs: batch 3 of epoch 2 is the same without those before it."""
    whole = ArraySource(numbered(20), 4, 8, shuffle=True, seed=1)
    resumed = ArraySource(numbered(20), 4, 8, shuffle=True, seed=1)
    every, _ = whole.chunk(2, 0, 5)
    rest, count = resumed.chunk(2, 3, 8)
    assert count == 2
    np.testing.assert_array_equal(rest.y[0][:2], every.y[0][3:5])


def test_steps_per_epoch_shorten_an_epoch_and_never_lengthen_it() -> None:
    for limit, rows in ((2, [4, 4]), (9, [4, 4, 2])):
        source = ArraySource(numbered(10), 4, 8, shuffle=False, limit=limit)
        assert epoch_of(source, 0, [8])[1] == rows


@pytest.mark.parametrize("kind", ["arrays", "iterable"])
def test_a_chunk_stays_valid_until_the_call_after_the_next(kind: str) -> None:
    source: Source = ArraySource(numbered(30), 3, 2, shuffle=False)
    if kind == "iterable":
        source = iterable(numbered(3, 3 * i) for i in range(10))
    before, _ = source.chunk(0, 0, 2)
    first = before.y[0].copy()
    between, _ = source.chunk(0, 2, 2)
    second = between.y[0].copy()
    np.testing.assert_array_equal(before.y[0], first)  # one is read while the other is filled
    assert not np.shares_memory(before.y[0], between.y[0])
    after, _ = source.chunk(0, 4, 2)
    np.testing.assert_array_equal(between.y[0], second)
    assert np.shares_memory(before.y[0], after.y[0])  # and there are two, not more


@given(
    shape=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    dtype=st.sampled_from(["float32", "int32", "uint8", "bool", "float16"]),
)
@settings(deadline=None, max_examples=50)
def test_aligned_arrays_begin_where_the_device_reads_them_in_place(
    shape: tuple[int, ...], dtype: str
) -> None:
    array = aligned(shape, dtype)
    assert array.ctypes.data % 64 == 0 or array.size == 0
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.flags.c_contiguous
    assert array.flags.writeable


# Iterables


def iterable(batches: Any, capacity: int = 2, steps: int | None = None) -> IterableSource:
    return IterableSource("fit", batches, lambda batch: batch, lambda first: capacity, steps)


def pieces(lengths: list[int]) -> list[Batch]:
    starts = np.cumsum([0, *lengths])
    return [numbered(n, int(s)) for n, s in zip(lengths, starts, strict=False)]


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), chunks=LENGTHS)
@settings(deadline=None, max_examples=100)
def test_irregular_batches_are_cut_and_padded_without_loss(
    lengths: list[int], chunks: list[int]
) -> None:
    source = iterable(pieces(lengths), capacity=3)
    assert source.batch_size == lengths[0]
    for epoch in range(2):  # a list begins anew
        seen, rows = epoch_of(source, epoch, chunks)
        assert seen == list(range(sum(lengths)))  # in the order in which they came
        assert max(rows) <= lengths[0]


def test_the_same_epoch_begins_with_the_same_batches() -> None:
    """What validation needs, with and without a number of steps."""
    for steps in (None, 2):
        source = iterable(pieces([2, 2, 2]), steps=steps)
        assert epoch_of(source, 0, [2]) == epoch_of(source, 0, [2])


def test_an_iterator_ends_for_good() -> None:
    source = iterable(iter(pieces([2, 2])))
    assert epoch_of(source, 0, [2])[0] == [0, 1, 2, 3]
    assert source.chunk(1, 0, 2)[1] == 0


def test_steps_cut_an_endless_iterator_into_epochs() -> None:
    def endless() -> Iterator[Batch]:
        n = 0
        while True:
            yield numbered(2, n)
            n += 2

    source = iterable(endless(), steps=3)
    assert epoch_of(source, 0, [2])[0] == [0, 1, 2, 3, 4, 5]
    assert epoch_of(source, 1, [2])[0] == [6, 7, 8, 9, 10, 11]


def test_steps_go_on_through_an_iterable_and_round() -> None:
    source = iterable(pieces([2, 2, 2]), steps=2)
    epochs = [epoch_of(source, epoch, [2])[0] for epoch in range(3)]
    assert epochs == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5]]


def test_kept_batches_of_an_iterator_can_be_read_again() -> None:
    drawn: list[int] = []

    def draw() -> Iterator[int]:
        for i in range(4):
            drawn.append(i)
            yield i

    kept = Kept(draw())
    assert next(iter(kept)) == 0
    assert drawn == [0]  # no more than was asked for
    assert [*kept] == [*kept] == [0, 1, 2, 3]
    assert drawn == [0, 1, 2, 3]


CURE = "Pad or crop them to one shape, and give sample weights always or never."
WIDE = Batch((np.zeros((2, 3), np.float32),), (np.zeros(2, np.int32),), (None,), None)
UNLIKE = [
    (numbered(2), WIDE, "rows of shape (2,)", "rows of shape (3,)"),
    (numbered(2), numbered(2, weighted=True), "no sample weights", "rows of shape ()"),
    (numbered(2, weighted=True), numbered(2), "rows of shape ()", "no sample weights"),
]


@pytest.mark.parametrize(("first", "second", "expected", "received"), UNLIKE)
def test_batches_that_change_their_form_are_refused(
    first: Batch, second: Batch, expected: str, received: str
) -> None:
    source = iterable([first, second])
    with pytest.raises(InvalidData) as error:
        source.chunk(0, 0, 2)
    text = f"fit: expected batches that are alike ({expected}, as in the first), "
    assert str(error.value) == f"{text}received {received}. {CURE}"


def test_an_iterable_without_batches_is_refused() -> None:
    with pytest.raises(InvalidData) as error:
        iterable([])
    text = "fit: expected an iterable with at least one batch, received none. "
    assert str(error.value) == f"{text}Check the data loader."
