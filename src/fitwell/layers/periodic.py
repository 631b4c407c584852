"""Learned waves of each number: what lets a network follow sharp changes along one feature."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from fitwell.description import check_number, check_positive_int
from fitwell.errors import ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape


class PeriodicEmbedding(Layer):
    """scale * [cos(2 pi w x + b) @ kernel + bias, x] for every feature: (d,) -> (d (units + 1),).

    Each feature has `frequencies` waves of its own, mixed into `units` numbers, and stays itself
    as one more. Frequencies w, phases b, kernel, bias and scale are learned; the scale starts as 1
    and lets a network weigh its inputs faster than the weights behind them can.

    Args:
        frequencies: waves per feature, >= 1.
        units: numbers made from the waves of a feature, >= 1.
        stddev: of the frequencies at the start, in (0, inf), in periods per unit of the feature:
            larger follows sharper changes and overfits sooner.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, a stddev that is not positive.
        ShapeMismatch: an input that is not one row of features.

    >>> PeriodicEmbedding(frequencies=8, units=3).init(jax.random.key(0), (5,))["kernel"].shape
    (5, 8, 3)

    Source: Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning";
    with bias, scale and the feature itself: Holzmueller et al. 2024, "Better by default".
    """

    frequencies: int = 16
    units: int = 3
    stddev: float = 1.0

    def validate(self) -> None:
        check_positive_int(self, "frequencies", "units")
        check_number(self, "stddev", 0.0, open_low=True, open_high=True)

    def init(self, key: Key, shape: Shape) -> Params:
        if len(shape) != 1:
            raise ShapeMismatch(
                describe(self),
                "one row of features per example, shape (d,)",
                f"shape {shape}",
                "Put Flatten() before it.",
            )
        waves, phases, kernel, bias = jax.random.split(key, 4)
        limit = 1 / math.sqrt(self.frequencies)
        d, n, units = shape[0], self.frequencies, self.units
        return {
            "frequency": self.stddev * jax.random.normal(waves, (d, n)),
            "phase": jax.random.uniform(phases, (d, n), minval=-math.pi, maxval=math.pi),
            "kernel": jax.random.uniform(kernel, (d, n, units), minval=-limit, maxval=limit),
            "bias": jax.random.uniform(bias, (d, units), minval=-limit, maxval=limit),
            "scale": jnp.ones(d * (units + 1)),
        }

    def apply(self, params: Params, x: Array) -> Array:
        waves = jnp.cos(2 * jnp.pi * params["frequency"] * x[..., None] + params["phase"])
        mixed = jnp.einsum("bdn,dnu->bdu", waves, params["kernel"]) + params["bias"]
        return params["scale"] * jnp.concatenate([mixed.reshape(x.shape[0], -1), x], axis=1)


__all__ = ["PeriodicEmbedding"]
