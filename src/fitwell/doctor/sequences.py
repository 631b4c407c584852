"""Facts of sequences that recurrent layers read, in plain numbers: padding, and how far back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fitwell.types import HostArray

_COMMON = 0.5  # of the rows: more of them end with padding where there is any
_ALL = 0.98  # of the steps: then there is nothing else
_PARTS = 10  # of a sequence: of its first part the gradient is held against the largest


@dataclass(frozen=True)
class Padding:
    """Steps behind the data that a recurrent layer reads as if they were data.

    Attributes:
        name: of the input; `layer`: the recurrent layer that returns its state after them.
        value: that fills them.
        steps: of a sequence, these included.
        share: of the steps that are padding, mean over the rows.
        ids: an Embedding reads the input.
    """

    name: str
    layer: str
    value: float
    steps: int
    share: float
    ids: bool


@dataclass(frozen=True)
class Memory:
    """How far back the gradient of the loss reaches in a recurrent layer, at the last weights.

    Attributes:
        steps: of a sequence.
        early: the size of the gradient at the first tenth of the steps, over the largest of all.
        late: the same of the last tenth.
    """

    layer: str
    steps: int
    early: float
    late: float


def behind(x: HostArray) -> tuple[float, float]:
    """The value that fills the ends of sequences, (n, steps, features), and its share of the steps.

    >>> behind(np.array([[[5], [7], [0], [0]], [[3], [0], [0], [0]]]))
    (0.0, 0.625)
    >>> behind(np.array([[[5], [7], [1], [2]], [[0], [0], [3], [1]]]))
    (0.0, 0.0)
    """
    ends, counts = np.unique(x[:, -1], return_counts=True)
    value = ends[counts.argmax()]
    filled = (x == value).all(2)[:, ::-1].cumprod(1)  # from the end on
    share = float(filled.mean())
    if filled[:, 0].mean() <= _COMMON or share > _ALL:
        return 0.0, 0.0
    return float(value), share


def memory(layer: str, sizes: HostArray) -> Memory | None:
    """What gradients at every step say; None where there are none to compare.

    >>> memory("lstm", np.array([1e-6, 1e-3, 1.0])).early
    1e-06
    """
    most = float(sizes.max(initial=0.0))
    if len(sizes) < 2 or not 0 < most < float("inf"):
        return None
    part = max(len(sizes) // _PARTS, 1)
    early, late = (float(of.mean()) / most for of in (sizes[:part], sizes[-part:]))
    return Memory(layer, len(sizes), early, late)
