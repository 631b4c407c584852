"""Batches for lanes: each in an order of its own, or one for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.data.sources import Buffers, leaves, order
from fitwell.population.lanes import Lane
from fitwell.training import Batch
from fitwell.types import HostArray


class LaneSource:
    """Chunks of shape (capacity, lanes, batch, ...), or (capacity, batch, ...) if `shared`.

    Lane i gets the batches that `fit` would give a model with its seed: the same rows in the same
    order. A lane with fewer rows than others gets steps without examples at an epoch's end.

    Args:
        data: all examples; its mask is ignored.
        rows: for each lane the numbers of its examples, or None for all of them.
        shuffle: orders are functions of the lanes' seeds and the epoch.
    """

    def __init__(
        self,
        data: Batch,
        lanes: Sequence[Lane],
        rows: Sequence[HostArray | None],
        batch_size: int,
        capacity: int,
        *,
        shuffle: bool,
    ) -> None:
        self.rows_there_are = len(data.x[0])
        ones = np.ones(self.rows_there_are, np.float32)
        self.weighted = any(lane.weight is not None for lane in lanes)
        weight = tuple(ones if w is None else w for w in data.weight)
        self.data = data._replace(mask=ones, weight=weight if self.weighted else data.weight)
        self.lanes, self.rows = list(lanes), list(rows)
        self.batch_size, self.capacity, self.shuffle = batch_size, capacity, shuffle
        self.counts = [self.rows_there_are if r is None else len(r) for r in self.rows]
        self.steps = max(-(-count // batch_size) for count in self.counts)
        self.shared = self._all_alike()
        self.uneven = len({-(-count // batch_size) for count in self.counts}) > 1
        self._buffers: Buffers | None = None
        self._places: tuple[int, HostArray] | None = None

    def _all_alike(self) -> bool:
        orders = {lane.seed for lane in self.lanes} if self.shuffle else {0}
        rows = all(r is self.rows[0] for r in self.rows)
        return len(orders) == 1 and rows and not self.weighted

    def keep(self, places: Sequence[int]) -> LaneSource:
        """The source of some of the lanes."""
        return LaneSource(
            self.data, [self.lanes[i] for i in places], [self.rows[i] for i in places],
            self.batch_size, self.capacity, shuffle=self.shuffle,
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
        self._weigh(arrays, taken, lanes, count)
        return self._stacked(arrays, lanes), count

    def _weigh(
        self, arrays: list[HostArray | None], taken: HostArray, lanes: int, count: int
    ) -> None:
        """Each lane's own weights, in the place of the weights of all."""
        if not self.weighted:
            return
        table = np.stack([_ones_if_none(lane.weight, self.rows_there_are) for lane in self.lanes])
        which = np.broadcast_to(np.arange(lanes)[:, None], (count, lanes, self.batch_size))
        own = table[which.reshape(-1), taken]
        first = len(self.data.x) + len(self.data.y)
        for buffer in arrays[first:-1]:
            assert buffer is not None
            buffer[: taken.size] = own.reshape(-1, *[1] * (buffer.ndim - 1))

    def _epoch_places(self, epoch: int) -> HostArray:
        """(lanes, steps * batch): the example at each place, -1 where there is none."""
        if self._places is not None and (self._places[0] == epoch or not self.shuffle):
            return self._places[1]
        lanes = 1 if self.shared else len(self.lanes)
        places = np.full((lanes, self.steps * self.batch_size), -1, np.int64)
        known: dict[tuple[int, int], HostArray] = {}
        for i in range(lanes):
            n, rows = self.counts[i], self.rows[i]
            key = (n, self.lanes[i].seed if self.shuffle else 0)
            if key not in known:
                known[key] = order(*key, epoch) if self.shuffle else np.arange(n)
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


def _ones_if_none(weight: HostArray | None, n: int) -> HostArray:
    return np.ones(n, np.float32) if weight is None else np.asarray(weight, np.float32)
