"""Lion: the sign of an interpolated momentum."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.optimizers.averages import moving
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.optimizers.checks import check_betas
from fitwell.types import Array


class Lion(Optimizer):
    """w <- w - rate * sign(beta_1 * m + (1 - beta_1) * g), m <- beta_2 * m + (1 - beta_2) * g.

    Args:
        learning_rate: see `Optimizer`, like every argument by name; 3 to 10 times smaller than
            Adam's, says the paper.
        beta_1: the weight of m in the direction, in (0, 1].
        beta_2: the part of m that is kept, in [0, 1).

    Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms".
    """

    beta_1: float = 0.9
    beta_2: float = 0.99

    def validate(self) -> None:
        super().validate()
        check_number(self, "beta_1", 0.0, 1.0, open_low=True)
        check_betas(self, "beta_2")

    def slots(self, name: str, weight: Array) -> Slots:
        return {"momentum": jnp.zeros_like(weight)}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        momentum = slots["momentum"]
        direction = jnp.sign(moving(self.beta_1, momentum, gradient))
        return weight - rate * direction, {"momentum": moving(self.beta_2, momentum, gradient)}
