"""What images and signals hold wherever it is: what simple models can learn of them."""

from __future__ import annotations

import numpy as np

from fitwell.types import HostArray

_SIDE, _SPAN = 5, 7  # pixels of a patch on a side; steps of a piece of a signal
_FILTERS = 48
_PLACES = 200  # of an image at most: of more, evenly spread ones


def has_places(x: HostArray) -> bool:
    """Whether rows are images, (h, w, channels), or signals, (steps, features).

    >>> has_places(np.zeros((9, 8, 8, 1))), has_places(np.zeros((9, 30, 2))), has_places(np.eye(9))
    (True, True, False)
    """
    shape = x.shape[1:]
    return (len(shape) == 3 and min(shape[:2]) >= _SIDE) or (len(shape) == 2 and shape[0] > _SPAN)


def patches(x: HostArray, seed: int = 0) -> HostArray:
    """Features of images or signals that do not tell the place, (n, features).

    r = <patch, w> / |patch|:  max r, max -r and mean |r| over all places, for 48 patches w of the
    data themselves; and mean and spread of each channel.

    Source: Coates & Ng 2011, "The importance of encoding versus training", ICML.
    """
    x = np.nan_to_num(x.astype(np.float32))
    channels = x.reshape(len(x), -1, x.shape[-1])
    size = _SIDE if x.ndim == 4 else _SPAN
    axes = (1, 2) if x.ndim == 4 else (1,)
    windows = np.lib.stride_tricks.sliding_window_view(x, (size,) * len(axes), axes)
    places = windows.shape[1] if x.ndim == 3 else windows.shape[1] * windows.shape[2]
    step = int(np.ceil((places / _PLACES) ** (1 / len(axes))))
    windows = windows[:, ::step] if x.ndim == 3 else windows[:, ::step, ::step]
    pieces = windows.reshape(len(x), -1, x.shape[-1] * size ** len(axes))
    pieces = pieces - pieces.mean(2, keepdims=True)
    lengths = np.linalg.norm(pieces, axis=2, keepdims=True)
    pieces = pieces / (lengths + 0.1 * lengths.mean() + 1e-12)
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(x), _FILTERS)
    filters = pieces[rows, random.integers(0, pieces.shape[1], _FILTERS)]
    found = pieces @ filters.T  # (n, places, filters)
    parts = found.max(1), -found.min(1), abs(found).mean(1), channels.mean(1), channels.std(1)
    return np.concatenate(parts, axis=1).astype(np.float64)
