"""Embedding: a learned vector for each id."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fitwell.description import check_choice, check_positive_int
from fitwell.errors import InvalidData
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, HostArray, Key, Params


class Embedding(Layer):
    """embeddings[id]: (...) -> (..., output_dim), a row of a learned table for each whole number.

    Ids outside 0 ... input_dim - 1 are refused when the layer reads an input of the model, and
    give NaN where they are computed inside the network. The gradient is a sum by rows (XLA's
    scatter): on a CPU faster than a product with one-hot vectors at every size.

    Args:
        input_dim: how many ids there are, >= 1 (the largest id plus 1).
        output_dim: features of a vector, >= 1.
        embeddings_initializer: of the table, (input_dim, output_dim).
        embeddings_regularizer: added to the loss, as a function of the table.
        embeddings_constraint: applied to the table after every step.
        mask_zero: True takes id 0 for padding: later layers leave these steps out.

    Raises:
        InvalidArgument: a size that is no whole number >= 1.
        InvalidData: ids that are out of range or no whole numbers.

    >>> import jax
    >>> layer = Embedding(10, 4)
    >>> params = layer.init(jax.random.key(0), (5,))
    >>> layer.apply(params, jnp.array([[1, 2, 3, 0, 0]])).shape
    (1, 5, 4)

    Source: Bengio et al. 2003, "A neural probabilistic language model", JMLR 3.
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Any = "uniform"
    embeddings_regularizer: Any = None
    embeddings_constraint: Any = None
    mask_zero: bool = False

    input_dtype: ClassVar[str] = "int32"
    init_only: ClassVar[tuple[str, ...]] = ("embeddings_initializer",)

    def validate(self) -> None:
        check_positive_int(self, "input_dim", "output_dim")
        check_choice(self, "mask_zero", (True, False))

    def init(self, key: Key, shape: Any) -> Params:
        return {
            "embeddings": self.initializer("embeddings")(key, (self.input_dim, self.output_dim))
        }

    def apply(self, params: Params, x: Array) -> Array:
        ids = x.astype(jnp.int32)
        known = jnp.where((ids >= 0) & (ids == x), ids, self.input_dim)
        # Not negative indices, which would count from the end; what is out of range is NaN.
        y: Array = params["embeddings"].at[known].get(mode="fill", fill_value=jnp.nan)
        return y

    def transposed(self, params: Params, y: Array) -> Array:
        """The product of each vector with every row of the table: scores of the ids."""
        scores = y.reshape(-1, self.output_dim) @ params["embeddings"].T
        return scores.reshape(*y.shape[:-1], self.input_dim)

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        if not self.mask_zero or x.ndim < 2:
            return super().output_mask(x, y, mask)
        real: Array = x != 0
        return real if mask is None else real & mask

    def check_data(self, subject: str, values: HostArray) -> None:
        whole = values.dtype.kind in "iu"
        if whole and values.min(initial=0) >= 0 and values.max(initial=0) < self.input_dim:
            return
        bad = (values < 0) | (values >= self.input_dim) | (values != np.floor(values))
        if bad.any():
            raise InvalidData(
                f"{subject}, for {describe(self)}",
                f"whole numbers from 0 to {self.input_dim - 1} (input_dim={self.input_dim})",
                f"{values[bad][0]} at {tuple(int(i) for i in np.argwhere(bad)[0])}",
                "Give input_dim the largest id plus 1, or map unknown ids to one of their own.",
            )


__all__ = ["Embedding"]
