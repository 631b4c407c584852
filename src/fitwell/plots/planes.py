"""Two directions among the weights, for maps of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from fitwell.curvature.asking import curvature
from fitwell.curvature.surface import Point
from fitwell.errors import InvalidArgument
from fitwell.types import HostArray

SUBJECT = "landscape"


def random_plane(point: Point, seed: int) -> HostArray:
    """Two random directions (2, n), each filter as long as the model's."""
    random = np.random.default_rng(seed)

    def scaled(weight: Any) -> HostArray:
        own = np.asarray(weight)
        if own.ndim < 2:
            return np.zeros(own.shape, np.float32)
        noise, axes = random.normal(size=own.shape), tuple(range(own.ndim - 1))
        return noise * np.sqrt((own**2).sum(axes) / (noise**2).sum(axes))

    found = np.stack(
        [np.concatenate([scaled(w).ravel() for w in jax.tree.leaves(point.learn)]) for _ in "ab"]
    )
    if not found.any():
        raise InvalidArgument(
            f'{SUBJECT} with directions="random"',
            "a kernel (a weight with two axes or more) that learns and is not zero",
            "none",
            'Pass directions="curvature".',
        )
    return found


def curved_plane(*given: Any, seed: int) -> tuple[HostArray, Sequence[str]]:
    """The two directions and what their axes are called; takes what `curvature` takes."""
    found = curvature(*given, seed=seed)
    values = found.spectrum.ends
    if len(values) < 2:
        cure = "A network with more weights has two."
        raise InvalidArgument(SUBJECT, "two directions", "one weight that learns", cure)
    places = (len(values) - 1, 0 if found.negative else len(values) - 2)
    vectors = [ravel_pytree(found.directions[i])[0] for i in places]
    pairs = zip("ab", places, strict=True)
    return np.stack(vectors), [f"{n}, along the eigenvector of {values[i]:.3g}" for n, i in pairs]
