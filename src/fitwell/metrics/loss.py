"""A loss as a metric."""

from __future__ import annotations

import math

import jax.numpy as jnp

from fitwell.losses import Loss
from fitwell.metrics.base import Metric, Stats, ratio, snake_case
from fitwell.types import Array


class LossMetric(Metric):
    """The mean of a loss: Σᵢ wᵢ loss(y_true, y_pred)ᵢ / Σᵢ wᵢ, over the examples it counts.

    Args:
        loss: a Loss; what `metrics=[Huber(2.0)]` stands for.
        name: what the logs call it; None means the loss' own name.

    >>> from fitwell.losses import Huber
    >>> LossMetric(Huber(1.0))([[0.0], [0.0]], [[0.5], [2.0]])
    0.8125
    """

    loss: Loss

    @property
    def label(self) -> str:
        return self.name or self.loss.name or snake_case(type(self.loss).__name__)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        values = self.loss.values(y_true, y_pred)
        spread = jnp.broadcast_to(weight.reshape(-1, *[1] * (values.ndim - 1)), values.shape)
        counted = self.loss.counted(y_true, y_pred)
        if counted is not None:
            spread = jnp.where(counted, spread, 0)
        # Rows of padding may hold anything, even NaN.
        total = jnp.sum(jnp.where(spread != 0, values * spread, 0))
        return {"total": total, "weight": jnp.sum(spread)}

    def result(self, stats: Stats) -> float:
        return float(ratio(stats["total"], stats["weight"], empty=math.nan))
