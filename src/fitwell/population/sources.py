"""Batches for lanes: each in an order of its own, or one for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.data.sources import Buffers, Orders, leaves
from fitwell.training import Batch
from fitwell.types import HostArray


class LaneSource:
    """Chunks of shape (capacity, lanes, batch, ...), or (capacity, batch, ...) if `shared`.

    Lane i gets the batches that `fit` would give a model with its seed: the same rows in the same
    order. A lane with fewer rows than others gets steps without examples at an epoch's end.

    Args:
        data: all examples; its mask is ignored.
        seeds: orders are functions of a lane's seed and the epoch; None: no lane is shuffled.
        rows: for each lane the numbers of its examples, or None for all of them.
        weights: for each lane (n,) factors of the weights of all examples, or None for ones.

    Attributes:
        lane_steps: for each lane its steps in an epoch, those without examples left out.
    """

    def __init__(
        self,
        data: Batch,
        seeds: Sequence[int] | None,
        rows: Sequence[HostArray | None],
        weights: Sequence[HostArray | None],
        batch_size: int,
        capacity: int,
    ) -> None:
        self.rows_there_are = len(data.x[0])
        ones = np.ones(self.rows_there_are, np.float32)
        self.weighted = any(weight is not None for weight in weights)
        filled = tuple(ones if w is None else w for w in data.weight)
        self.data = data._replace(mask=ones, weight=filled if self.weighted else data.weight)
        self.seeds, self.rows, self.weights = seeds, list(rows), list(weights)
        self.batch_size, self.capacity = batch_size, capacity
        self.counts = [self.rows_there_are if r is None else len(r) for r in self.rows]
        self.lane_steps = [-(-count // batch_size) for count in self.counts]
        self.steps = max(self.lane_steps)
        self.uneven = len(set(self.lane_steps)) > 1
        one_order = seeds is None or len(set(seeds)) == 1
        self.shared = one_order and all(r is rows[0] for r in rows) and not self.weighted
        self._table = _table(weights, ones) if self.weighted else None
        self._order = Orders()
        self._buffers: Buffers | None = None
        self._places: tuple[int, HostArray] | None = None

    def keep(self, places: Sequence[int]) -> LaneSource:
        """The source of some of the lanes."""
        return LaneSource(
            self.data, None if self.seeds is None else [self.seeds[i] for i in places],
            [self.rows[i] for i in places], [self.weights[i] for i in places],
            self.batch_size, self.capacity,
        )  # fmt: skip

    def chunk(self, epoch: int, start: int, count: int) -> tuple[Batch, int]:
        """Batches `start`, ... of an epoch, stacked to `capacity`, and how many they are.

        The arrays stay valid until the call after the next.
        """
        count = min(count, self.steps - start)
        size = self.batch_size
        places = self._epoch_places(epoch)[:, start * size : (start + count) * size]
        real = places >= 0
        lanes = len(places)
        # (steps, lanes, batch): what the loop reads one step at a time lies together.
        rows = places.reshape(lanes, count, size).swapaxes(0, 1)
        last = np.maximum.accumulate(np.where(rows >= 0, rows, 0), axis=-1)
        taken = np.where(rows >= 0, rows, last).reshape(-1)
        arrays = self._room(lanes).next()
        for array, buffer in zip(leaves(self.data), arrays, strict=True):
            if array is not None and buffer is not None:
                np.take(array, taken, axis=0, out=buffer[: taken.size], mode="clip")
        mask = arrays[-1]
        assert mask is not None
        mask[: taken.size] = real.reshape(lanes, count, size).swapaxes(0, 1).reshape(-1)
        if self._table is not None:
            self._weigh(arrays, taken.reshape(count, lanes, size))
        return self._stacked(arrays, lanes), count

    def _weigh(self, arrays: list[HostArray | None], taken: HostArray) -> None:
        """Multiplies the weights of the examples by each lane's own."""
        assert self._table is not None
        own = self._table[np.arange(taken.shape[1])[:, None], taken].reshape(-1)
        first = len(self.data.x) + len(self.data.y)
        for buffer in arrays[first:-1]:
            assert buffer is not None
            buffer[: taken.size] *= own.reshape(-1, *[1] * (buffer.ndim - 1))

    def _epoch_places(self, epoch: int) -> HostArray:
        """(lanes, steps * batch): the example at each place, -1 where there is none."""
        if self._places is not None and (self._places[0] == epoch or self.seeds is None):
            return self._places[1]
        lanes = 1 if self.shared else len(self.rows)
        small = self.rows_there_are < 2**31
        places = np.full((lanes, self.steps * self.batch_size), -1, np.int32 if small else np.int64)
        known: dict[tuple[int, int], HostArray] = {}
        for i in range(lanes):
            n, rows = self.counts[i], self.rows[i]
            key = (n, 0 if self.seeds is None else self.seeds[i])
            if key not in known:
                known[key] = np.arange(n) if self.seeds is None else self._order(*key, epoch)
            places[i, :n] = known[key] if rows is None else rows[known[key]]
        self._places = epoch, places
        return places

    def _room(self, lanes: int) -> Buffers:
        if self._buffers is None:
            self._buffers = Buffers(self.data, self.capacity, lanes * self.batch_size)
        return self._buffers

    def _stacked(self, arrays: list[HostArray | None], lanes: int) -> Batch:
        assert self._buffers is not None
        stacked = self._buffers.stacked(arrays)
        if self.shared:
            return stacked

        def split(a: Any) -> Any:
            return a.reshape(a.shape[0], lanes, self.batch_size, *a.shape[2:])

        return Batch(
            tuple(split(a) for a in stacked.x), tuple(split(a) for a in stacked.y),
            tuple(None if a is None else split(a) for a in stacked.weight), split(stacked.mask),
        )  # fmt: skip


def _table(weights: Sequence[HostArray | None], ones: HostArray) -> HostArray:
    """(lanes, n)."""
    return np.stack([ones if weight is None else weight for weight in weights])
