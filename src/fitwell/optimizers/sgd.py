"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.description import is_zero
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.optimizers.checks import check_betas
from fitwell.schedules.base import LearningRate
from fitwell.types import Array


class SGD(Optimizer):
    """w <- w - rate * g; with momentum v <- momentum * v - rate * g, w <- w + v.

    With `nesterov`, w <- w + momentum * v - rate * g (v already renewed).

    >>> params, grads = {"w": jnp.array(1.0)}, {"w": jnp.array(2.0)}
    >>> optimizer = SGD(0.1)
    >>> params, state = optimizer.step(params, grads, optimizer.init(params), 0.1)
    >>> round(float(params["w"]), 6)
    0.8

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        momentum: the part of the velocity that is kept, in [0, 1).
        nesterov: look ahead along the velocity.

    Source: Polyak 1964; Sutskever et al. 2013.
    """

    learning_rate: LearningRate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def validate(self) -> None:
        super().validate()
        check_betas(self, "momentum")

    def slots(self, name: str, weight: Array) -> Slots:
        return {} if is_zero(self.momentum) else {"momentum": jnp.zeros_like(weight)}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        if is_zero(self.momentum):
            return weight - rate * gradient, slots
        velocity = self.momentum * slots["momentum"] - rate * gradient
        move = self.momentum * velocity - rate * gradient if self.nesterov else velocity
        return weight + move, {"momentum": velocity}
