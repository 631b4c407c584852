"""Masking: steps of a sequence that are padding."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.errors import ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Params


class Masking(Layer):
    """x, with 0 at the steps whose features all equal mask_value; later layers leave these out.

    Recurrent layers hand on the states before such a step, and losses and metrics do not count
    it. (time, features) -> (time, features).

    Args:
        mask_value: what padding is filled with.

    Raises:
        ShapeMismatch: the input is no sequence.

    >>> Masking(-1.0).apply({}, jnp.array([[[2.0, 3.0], [-1.0, -1.0]]])).tolist()
    [[[2.0, 3.0], [0.0, 0.0]]]
    """

    mask_value: float = 0.0

    def validate(self) -> None:
        check_number(self, "mask_value")

    def apply(self, params: Params, x: Array) -> Array:
        if x.ndim < 3:
            raise ShapeMismatch(
                describe(self),
                "a sequence per example, shape (time, features)",
                f"shape {x.shape[1:]}",
                "For ids use Embedding(..., mask_zero=True).",
            )
        return jnp.where(self._real(x).reshape(*x.shape[:2], *[1] * (x.ndim - 2)), x, 0)

    def _real(self, x: Array) -> Array:
        return jnp.any(x != self.mask_value, axis=tuple(range(2, x.ndim)))

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        real = self._real(x)
        return real if mask is None else real & mask


__all__ = ["Masking"]
