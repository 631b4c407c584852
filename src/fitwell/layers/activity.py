"""A penalty on what flows through the network."""

from __future__ import annotations

from typing import Any

from fitwell import regularizers
from fitwell.description import check_number
from fitwell.layers.base import Layer
from fitwell.types import Array, Params


class ActivityRegularization(Layer):
    """x, unchanged; adds l1 * sum |x| + l2 * sum x^2 to the loss, per example.

    Args:
        l1: weight of the absolute values, >= 0.
        l2: weight of the squares, >= 0.

    Raises:
        InvalidArgument: a weight that is negative.

    >>> ActivityRegularization(l2=0.01).activity_regularizer
    L1L2(l2=0.01)
    """

    l1: float = 0.0
    l2: float = 0.0

    def validate(self) -> None:
        check_number(self, "l1", 0)
        check_number(self, "l2", 0)

    @property
    def activity_regularizer(self) -> Any:
        """What the network adds to the loss for this layer's output."""
        return regularizers.L1L2(l1=self.l1, l2=self.l2)

    def apply(self, params: Params, x: Array) -> Array:
        return x


__all__ = ["ActivityRegularization"]
