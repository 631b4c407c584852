"""Random keys: the `seed` argument of layers that draw, and a key that draws nothing."""

from __future__ import annotations

from typing import Any

import jax

from fitwell.description import Description
from fitwell.errors import InvalidArgument
from fitwell.types import Key


def check_seed(owner: Description, seed: int | None) -> None:
    """Raises InvalidArgument unless seed is a whole number or None."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise InvalidArgument(
            type(owner).__name__,
            "seed to be a whole number or None",
            f"seed={seed!r}",
            "Leave it out: the model's seed decides all random numbers.",
        )


def seeded(key: Key, seed: int | None) -> Key:
    """The key with a seed mixed in: two layers with different seeds differ on the same key."""
    return key if seed is None else jax.random.fold_in(key, seed % 2**32)


def abstract_key() -> Any:
    """Shape and dtype of a random key, for `jax.eval_shape`: nothing is drawn."""
    return jax.eval_shape(lambda: jax.random.key(0))
