"""Sources: where the engine's batches come from.

Arrays are shuffled on the host by rows and read by the compiled loop as contiguous slices: a gather
inside the loop is slow on CPUs. Buffers are aligned so that the device reads them without a copy.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from fitwell.data.paging import let_go, mapping
from fitwell.errors import InvalidData
from fitwell.training import Batch
from fitwell.types import HostArray

_ROWS_KEPT = 2**16
"""Rows read of arrays in files after which their pages are given back: a row touches one or two."""
_ALIGNMENT = 64  # bytes; XLA on CPU reads arrays in place when they begin at a multiple of it


class Source(Protocol):
    """Batches in chunks.

    Attributes:
        batch_size: rows of a full batch.
        capacity: the most batches in one chunk; the shape of what `chunk` returns.
        steps: batches per epoch, or None if only the end of the data tells.
    """

    batch_size: int
    capacity: int
    steps: int | None

    def chunk(self, epoch: int, start: int, count: int) -> tuple[Batch, int]:
        """Batches `start`, ..., `start + count - 1` of an epoch, stacked to `capacity`.

        Returns the number of batches there really are: fewer than `count` at the data's end.
        The arrays stay valid until the call after the next.
        """


def aligned(shape: tuple[int, ...], dtype: Any) -> HostArray:
    """An uninitialised array that XLA's CPU device can use in place."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % _ALIGNMENT
    return raw[offset : offset + size].view(dtype).reshape(shape)


class Orders:
    """The order of n examples: a function of (seed, epoch) alone, so that a fit can resume.

    One generator draws all of them: to make one takes as long as to order a thousand examples.
    """

    def __init__(self) -> None:
        self._bits = np.random.Philox(0)
        self._fresh: Any = self._bits.state
        self._generator = np.random.Generator(self._bits)

    def __call__(self, n: int, seed: int, epoch: int) -> HostArray:
        counter, key = np.zeros(4, np.uint64), np.array([seed, epoch], np.uint64)
        fresh: Any = {**self._fresh, "state": {"counter": counter, "key": key}}
        self._bits.state = fresh
        return self._generator.permutation(n)


class Buffers:
    """Two sets of chunk-sized arrays in turn: one is read by the device, one is filled."""

    def __init__(self, like: Batch, capacity: int, batch_size: int) -> None:
        def make() -> list[HostArray | None]:
            return [
                None if a is None else aligned((capacity * batch_size, *a.shape[1:]), a.dtype)
                for a in leaves(like)
            ]

        self.sets = itertools.cycle([make(), make()])
        self.like, self.capacity, self.batch_size = like, capacity, batch_size

    def next(self) -> list[HostArray | None]:
        return next(self.sets)

    def stacked(self, arrays: list[HostArray | None]) -> Batch:
        shape = (self.capacity, self.batch_size)
        views = [None if a is None else a.reshape(*shape, *a.shape[1:]) for a in arrays]
        return rebuild(self.like, views)


def pad(arrays: list[HostArray | None], start: int, stop: int) -> None:
    """Fills rows up with the last real one, and masks them.

    Zeros would do for the loss, but not for a layer that has no value there: log(0) is infinite,
    and infinity times the zero gradient of a masked row is NaN.
    """
    if start == stop:
        return
    for array in arrays:
        if array is not None:
            array[start:stop] = array[start - 1]
    mask = arrays[-1]
    assert mask is not None
    mask[start:stop] = 0


def leaves(batch: Batch) -> list[Any]:
    """Every array of a batch, None for weights that are not given."""
    return [*batch.x, *batch.y, *batch.weight, batch.mask]


def rebuild(like: Batch, arrays: list[Any]) -> Batch:
    """The inverse of `leaves`."""
    n, m = len(like.x), len(like.x) + len(like.y)
    return Batch(tuple(arrays[:n]), tuple(arrays[n:m]), tuple(arrays[m:-1]), arrays[-1])


def _read(array: HostArray, rows: HostArray | slice, into: HostArray) -> None:
    """into <- array[rows]; a view, such as the windows of a text, is never copied as a whole."""
    if isinstance(rows, slice) or not array.flags.c_contiguous:
        into[...] = array[rows]
    else:
        # mode="clip" lets numpy write to the buffer directly; no index is out of range.
        np.take(array, rows, axis=0, out=into, mode="clip")


class ArraySource:
    """Arrays in memory, shuffled anew each epoch.

    Args:
        data: a batch of all examples; its mask is ignored.
        seed: with `shuffle`, the order is a function of it and the epoch.
        limit: steps per epoch, if fewer than the data have.
    """

    def __init__(
        self,
        data: Batch,
        batch_size: int,
        capacity: int,
        *,
        shuffle: bool,
        seed: int = 0,
        limit: int | None = None,
    ) -> None:
        self.rows = len(data.x[0])
        self.batch_size, self.capacity = batch_size, capacity
        self.shuffle, self.seed = shuffle, seed
        whole = -(-len(data.x[0]) // batch_size)
        self.steps: int | None = whole if limit is None else min(limit, whole)
        self.data = data._replace(mask=np.ones(len(data.x[0]), np.float32))
        self._buffers = Buffers(self.data, capacity, batch_size)
        self._order: tuple[int, HostArray] | None = None
        self._in_files = [a for a in leaves(self.data) if a is not None and mapping(a)]
        self._rows_read = _ROWS_KEPT

    def chunk(self, epoch: int, start: int, count: int) -> tuple[Batch, int]:
        assert self.steps is not None
        count = min(count, self.steps - start)
        n, size = len(self.data.x[0]), self.batch_size
        first, last = start * size, min((start + count) * size, n)
        arrays = self._buffers.next()
        for array, buffer in zip(leaves(self.data), arrays, strict=True):
            if buffer is None:
                continue
            rows = self._epoch_order(epoch)[first:last] if self.shuffle else slice(first, last)
            _read(array, rows, buffer[: last - first])
        self._give_back(last - first)
        pad(arrays, last - first, count * size)
        return self._buffers.stacked(arrays), count

    def _give_back(self, rows: int) -> None:
        self._rows_read += rows
        if self._in_files and self._rows_read > _ROWS_KEPT:
            self._rows_read = 0
            for array in self._in_files:
                let_go(array)

    def rows_of(self, epoch: int, step: int) -> HostArray:
        """Which rows of the data a batch has, in its order."""
        order = self._epoch_order(epoch) if self.shuffle else np.arange(self.rows)
        return order[step * self.batch_size : (step + 1) * self.batch_size]

    def _epoch_order(self, epoch: int) -> HostArray:
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, Orders()(self.rows, self.seed, epoch)
        return self._order[1]


class IterableSource:
    """Batches from a generator, a data loader or any other iterable.

    The first batch tells the shapes and the batch size. Batches of other lengths are cut or padded
    to it; no row is lost. The same epoch asked for again begins with the same batches.

    Args:
        subject: the method the user called, for messages.
        batches: gives an iterator; once per epoch if it can begin anew, else once.
        prepare: turns what the iterator gives into a Batch of host arrays.
        capacity: how many batches like this one a chunk holds.
        steps: batches per epoch; None means until the end.
    """

    def __init__(
        self,
        subject: str,
        batches: Iterable[Any],
        prepare: Callable[[Any], Batch],
        capacity: Callable[[Batch], int],
        steps: int | None,
    ) -> None:
        self.restarts = iter(batches) is not batches
        self.subject, self.batches, self.prepare = subject, batches, prepare
        self.steps = steps
        self._iterator: Iterator[Any] = iter(batches)
        self._ahead: list[Batch] = []
        first = self._pull()
        if first is None:
            cure = "Check the data loader."
            raise InvalidData(subject, "an iterable with at least one batch", "none", cure)
        self._ahead.append(first)
        self.batch_size = len(first.x[0])
        self.capacity = capacity(first)
        self._epoch: int | None = None  # None until the first chunk
        self._buffers = Buffers(first, self.capacity, self.batch_size)
        self.first = first

    def _pull(self) -> Batch | None:
        for item in self._iterator:
            batch = self.prepare(item)
            return batch._replace(mask=np.ones(len(batch.x[0]), np.float32))
        return None

    def chunk(self, epoch: int, start: int, count: int) -> tuple[Batch, int]:
        begins = start == 0 and self._epoch is not None and self.restarts
        if begins and (self.steps is None or epoch == self._epoch):
            self._iterator, self._ahead = iter(self.batches), []
        self._epoch = epoch
        if self.steps is not None:
            count = min(count, self.steps - start)
        arrays = self._buffers.next()
        filled = 0
        while filled < count:
            batch = self._ahead.pop(0) if self._ahead else self._pull()
            if batch is None and self.restarts and self.steps is not None:
                self._iterator = iter(self.batches)  # fewer batches than steps: go round
                batch = self._pull()
            if batch is None:
                break
            self._ahead[:0] = self._write(batch, arrays, filled)
            filled += 1
        return self._buffers.stacked(arrays), filled

    def _write(self, batch: Batch, arrays: list[HostArray | None], place: int) -> list[Batch]:
        """Copies a batch to its place, padded; what is more than a full batch is given back."""
        size, n = self.batch_size, len(batch.x[0])
        for array, buffer, like in zip(leaves(batch), arrays, leaves(self.first), strict=True):
            if _rows(array) != _rows(like):
                raise InvalidData(
                    self.subject,
                    f"batches that are alike ({_rows(like)}, as in the first)",
                    _rows(array),
                    "Pad or crop them to one shape, and give sample weights always or never.",
                )
            if buffer is None:
                continue
            buffer[place * size : place * size + min(n, size)] = array[:size]
        pad(arrays, place * size + min(n, size), (place + 1) * size)
        if n <= size:
            return []
        return [rebuild(batch, [None if a is None else a[size:] for a in leaves(batch)])]


def _rows(array: HostArray | None) -> str:
    return "no sample weights" if array is None else f"rows of shape {array.shape[1:]}"


class Kept:
    """What an iterator gives, kept in memory so that one can begin anew: for validation."""

    def __init__(self, batches: Iterable[Any]) -> None:
        self._rest, self._kept = iter(batches), list[Any]()

    def __iter__(self) -> Iterator[Any]:
        yield from self._kept
        for batch in self._rest:
            self._kept.append(batch)
            yield batch
