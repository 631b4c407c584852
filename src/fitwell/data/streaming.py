"""More images than memory holds: decoded batch by batch, each time they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fitwell.arguments import named, whole_number
from fitwell.data.images import Plan, fill, plan
from fitwell.types import HostArray


@dataclass(frozen=True, repr=False)
class ImageBatches:
    """Batches `(x, y)` of images of one size, or x alone without classes; made by `image_batches`.

    x is (batch, height, width, channels) uint8, y (batch,) int32. The order is random and the same
    in every pass, so that `model.fit(batches)` repeats.
    """

    plan: Plan
    batch_size: int
    seed: int
    skip_bad: bool

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the sub-folders, sorted."""
        return self.plan.classes

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of an image."""
        return self.plan.shape

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, in sentences."""
        return self.plan.notes

    def __iter__(self) -> Iterator[HostArray | tuple[HostArray, HostArray]]:
        files, labels = self.plan.files, np.asarray(self.plan.labels, np.int32)
        order = np.random.default_rng(self.seed).permutation(len(files))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            x = np.empty((len(rows), *self.shape), np.uint8)
            bad = fill(x, [files[row] for row in rows], self.skip_bad)
            kept = [place for place in range(len(rows)) if place not in bad]
            if kept:
                yield (x[kept], labels[rows[kept]]) if self.classes else x[kept]

    def __repr__(self) -> str:
        return f"<ImageBatches: {len(self.plan.files):,} of {self.shape}, {self.batch_size} each>"


@named
def image_batches(
    folder: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    batch_size: int = 32,
    seed: int = 0,
    skip_bad: bool = False,
) -> ImageBatches:
    """The images of a folder in batches that `Model.fit` takes, decoded when they are needed.

    Args:
        folder, size, channels, skip_bad: as in `read_images`.
        batch_size: images of a batch, >= 1.
        seed: of the order.

    Raises:
        InvalidFile: no such folder; while iterating, a file that is no image.
        InvalidData: no images.
        InvalidArgument: another size, batch size or number of channels.
    """
    whole_number("image_batches", "batch_size", batch_size, 1)
    return ImageBatches(plan(folder, size, channels, skip_bad), batch_size, seed, skip_bad)
