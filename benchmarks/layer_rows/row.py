"""What a row of `layers.py` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH = 64
Torch = Any


@dataclass(frozen=True)
class Row:
    """The same work twice.

    Attributes:
        shape: of one example, channels last.
        fitwell: makes the layers, given `fitwell.layers`, or `keras.layers` for those that Keras
            has too; each is called with the one before.
        torch: makes the same as a list of modules, given `torch.nn`.
        batch: examples per step.
        classes: of a whole network, trained by Adam and cross-entropy; 0 for a single layer,
            trained by SGD towards random numbers.
        ids: how many ids there are, where the input is whole numbers (it has no gradient then).
        sequence: PyTorch too has the features last.
        padded: the ends of the sequences are zeros that count for nothing, see `lengths`.
        more: weights that PyTorch has and the layer has not; a comment at the row says which.
        bar: what PyTorch's time divided by fitwell's should reach.
    """

    shape: tuple[int, ...]
    fitwell: Callable[[Any], list[Any]]
    torch: Callable[[Torch], list[Any]]
    batch: int = BATCH
    classes: int = 0
    ids: int = 0
    sequence: bool = False
    padded: bool = False
    more: int = 0
    bar: float = 0.5

    def data(self) -> Any:
        """The examples, channels last: the same for both."""
        random = np.random.default_rng(0)
        if self.ids:
            return random.integers(self.ids, size=(self.batch, *self.shape))
        x = random.normal(size=(self.batch, *self.shape)).astype(np.float32)
        if self.padded:
            real = np.arange(self.shape[0]) < lengths(self.batch, self.shape[0])[:, None]
            x = x * real[..., None].astype(np.float32)
        return x

    def complaint(self, ours: dict[str, int], theirs: dict[str, int]) -> str:
        """What shows that PyTorch did other work; empty if nothing does."""
        if ours["outputs"] != theirs["outputs"]:
            return f"{ours['outputs']} outputs, PyTorch {theirs['outputs']}"
        if ours["weights"] + self.more != theirs["weights"]:
            return f"{ours['weights']} weights and {self.more} more, PyTorch {theirs['weights']}"
        return ""


def lengths(batch: int, steps: int) -> Any:
    """How many steps of each example are real: half of them up to all.

    >>> lengths(4, 4).tolist()
    [4, 3, 4, 3]
    """
    return steps - np.arange(batch) % (steps // 2)
