"""From the arguments of fit, evaluate and predict to sources of batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from fitwell import tree
from fitwell.arguments import whole_number
from fitwell.data.frames import is_frame
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.network import Network
from fitwell.pacing import ROOM
from fitwell.settings import settings
from fitwell.training import Batch
from fitwell.types import HostArray

_CHUNK_BYTES = 64 * 2**20  # of one buffer; there are two
_FLOPS = 60e9  # a cautious rate for small matrices on two cores; only sets a buffer's length
_STEP_SECONDS = 10e-6  # what the smallest step costs
_MOST_STEPS = 8192


def is_iterable_of_batches(x: Any) -> bool:
    """Generators, data loaders and the like; not arrays, lists, dicts and frames."""
    arrays = (list, tuple, set, Mapping, np.ndarray, jax.Array, str, bytes)
    if isinstance(x, arrays) or is_frame(x) or hasattr(x, "toarray"):  # scipy's sparse matrices
        return False
    return not hasattr(x, "__array__") and (hasattr(x, "__iter__") or hasattr(x, "__getitem__"))


class Indexed:
    """Iterates once over what has a length and `[i]` but no iterator of its own."""

    def __init__(self, batches: Any) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return (self.batches[i] for i in range(len(self.batches)))


def iterable(x: Any) -> Iterable[Any]:
    return x if hasattr(x, "__iter__") else Indexed(x)


def check_alone(subject: str, **others: Any) -> None:
    """Raises InvalidArgument for an argument that an iterable of batches brings along itself."""
    for name, value in others.items():
        if value is not None:
            cure = "Let the iterable give (x, y, sample_weight), and pass validation_data."
            expected = "x alone with an iterable of batches"
            raise InvalidArgument(subject, expected, f"{name} as well", cure)


def unpack(subject: str, item: Any) -> tuple[Any, Any, Any]:
    """x, y and sample weight of what an iterable gives; y is None where there is none.

    A list of nothing but texts is a batch of inputs, however many they are.
    """
    texts = isinstance(item, tuple | list) and {type(one) for one in item} == {str}
    if isinstance(item, tuple | list) and not texts:
        if len(item) == 2:
            return item[0], item[1], None
        if len(item) == 3:
            return item[0], item[1], item[2]
        if len(item) == 1:
            return item[0], None, None
        raise InvalidData(
            subject,
            "batches of the form x, (x, y) or (x, y, sample_weight)",
            f"a {type(item).__name__} of {len(item)}",
            "Let the iterable give one of these.",
        )
    return item, None, None


def capacity(network: Network, batch_size: int, like: Batch) -> int:
    """How many steps a chunk's buffers hold; a function of the architecture and the batch alone.

    Fewer steps than that run in the same compiled program, so it only bounds what `fit` finds
    out by measuring: too small costs a dispatch per few steps, too large costs memory alone.
    """
    params, _ = network.weight_shapes
    flops = 0.0
    for node in network.nodes:
        # Each weight is used once per position (a pixel of a convolution, a step of a sequence).
        positions = math.prod(node.out[0][0][:-1])
        flops += 6.0 * batch_size * positions * tree.size(params.get(node.name, {}))
    seconds = _STEP_SECONDS + flops / _FLOPS
    rows = sum(math.prod(a.shape[1:]) * a.dtype.itemsize for a in jax.tree.leaves(like))
    wanted = min(ROOM * settings.chunk_seconds / seconds, _CHUNK_BYTES / max(rows * batch_size, 1))
    return int(2 ** np.clip(math.floor(math.log2(max(wanted, 1))), 0, math.log2(_MOST_STEPS)))


def split_off(subject: str, data: Batch, share: float) -> tuple[Batch, Batch]:
    """The last `share` of the examples for validation, before any shuffling, as in Keras."""
    number = isinstance(share, int | float | np.floating) and not isinstance(share, bool)
    if not number or not 0 < share < 1:
        cure = "Pass 0.2 to validate on the last fifth."
        raise InvalidArgument(
            subject, "validation_split inside (0, 1)", f"validation_split={share!r}", cure
        )
    n = len(data.x[0])
    cut = int(n * (1 - share))
    if cut == 0 or cut == n:
        cure = "Use more examples, or pass validation_data."
        received = f"{n} examples and validation_split={share}"
        raise InvalidData(subject, "examples on both sides of the split", received, cure)

    def part(rows: slice) -> Batch:
        return jax.tree.map(lambda a: a[rows], data)

    return part(slice(0, cut)), part(slice(cut, None))


def frequency(value: Any) -> int | list[int]:
    """`validation_freq`: a whole number >= 1, or a list of them."""
    if isinstance(value, list | tuple | range | set):
        return [whole_number("fit", "validation_freq", one, 1) for one in value]
    return whole_number("fit", "validation_freq", value, 1)


def seconds(subject: str, name: str, value: Any) -> float:
    """`90`, `"90s"`, `"1.5m"` or `"2h"` in seconds."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        if isinstance(value, str):
            text = value.strip().lower()
            number = float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)
        else:
            number = float(value)
    except (ValueError, TypeError, KeyError, IndexError):
        number = -1.0
    if not number > 0:
        cure = 'Pass seconds, or "90s", "10m", "2h".'
        raise InvalidArgument(subject, f"a positive {name}", f"{name}={value!r}", cure)
    return number


def padded(arrays: list[HostArray], rows: int) -> tuple[HostArray, ...]:
    """The arrays with their first axis filled up with zeros."""

    def pad(a: HostArray) -> HostArray:
        if len(a) == rows:
            return a
        return np.concatenate([a, np.zeros((rows - len(a), *a.shape[1:]), a.dtype)])

    return tuple(pad(a) for a in arrays)


def batch_rows(subject: str, value: Any, default: int) -> int:
    """The batch size that was given, or the default."""
    return default if value is None else whole_number(subject, "batch_size", value, 1)
