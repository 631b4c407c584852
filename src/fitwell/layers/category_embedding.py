"""Learned numbers for the categories in some columns of a table of numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.description import check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape

_LIMIT = 0.05


class CategoryEmbedding(Layer):
    """e_c[round((x_p + 1) / 2 * (n - 1))] of every column c = (p, n): (d,) -> (columns * units,).

    Feature p holds which of n categories a row has: their places 0 ... n - 1, spread evenly over
    [-1, 1], so that layers that know nothing of them can stand beside this one. Each category has
    `units` learned numbers. What lies beyond -1 and 1 counts as the first and the last category.
    `fitwell.tabular` has it read columns of very many values.

    Args:
        columns: (p, n) of each column of categories: the feature, from 0, and how many there are.
        units: numbers for a category, >= 1.

    Raises:
        InvalidArgument: no columns, or not pairs of whole numbers p >= 0 and n >= 1.
        ShapeMismatch: an input that is not one row of features, or has no feature p.

    >>> layer = CategoryEmbedding(columns=((0, 3),), units=2)
    >>> params = {"embeddings": jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])}
    >>> layer.apply(params, jnp.array([[-1.0, 7.0], [0.0, 7.0], [1.0, 7.0]])).tolist()
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]

    Source: Guo & Berkhahn 2016, "Entity embeddings of categorical variables", arXiv:1604.06737.
    """

    columns: Any
    units: int = 8

    def validate(self) -> None:
        check_positive_int(self, "units")
        pairs = self.columns if isinstance(self.columns, tuple) else ()
        whole = all(
            isinstance(pair, tuple) and len(pair) == 2 and all(type(one) is int for one in pair)
            for pair in pairs
        )
        if not pairs or not whole or not all(p >= 0 and n >= 1 for p, n in pairs):
            raise InvalidArgument(
                "CategoryEmbedding",
                "columns as pairs of a feature and its number of categories",
                f"columns={self.columns!r}"[:80],
                "For example columns=[(0, 200)]: feature 0 holds one of 200 categories.",
            )

    def init(self, key: Key, shape: Shape) -> Params:
        last = max(p for p, _ in self.columns)
        if len(shape) != 1 or shape[0] <= last:
            raise ShapeMismatch(
                describe(self),
                f"one row of {last + 1} features or more per example, shape (d,)",
                f"shape {shape}",
                "Give the features as they stand in columns.",
            )
        size = (sum(n for _, n in self.columns), self.units)
        return {"embeddings": jax.random.uniform(key, size, minval=-_LIMIT, maxval=_LIMIT)}

    def apply(self, params: Params, x: Array) -> Array:
        features, sizes = np.array(self.columns).T
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        last = (sizes - 1).astype(np.float32)
        places = jnp.clip(jnp.round((x[:, features] + 1) * (last / 2)), 0, last)
        ids = places.astype(jnp.int32) + first
        y: Array = params["embeddings"].at[ids].get(mode="clip")
        return y.reshape(x.shape[0], -1)


__all__ = ["CategoryEmbedding"]
