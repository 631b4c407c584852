"""Adafactor: Adam's divisor from sums over rows and columns."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.optimizers.averages import moving
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.schedules.base import check_nonnegative, check_positive
from fitwell.types import Array


class Adafactor(Optimizer):
    """w <- w - max(epsilon_2, rms(w)) * p * u / max(1, rms(u) / clip_threshold), u = g / sqrt(v).

    For a weight with two or more axes v = r c / mean(r), where r and c are the moving averages of
    the means of g^2 + epsilon_1 over the last axis and the one before it: memory for n + m numbers
    instead of n * m. For others, v is the moving average itself. The averages keep
    1 - t^beta_2_decay at step t = 1, 2, ...

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        beta_2_decay: in (-inf, 0).
        epsilon_1: added to g^2, in (0, inf).
        epsilon_2: the smallest scale of a weight, in [0, inf).
        clip_threshold: the largest root mean square of u, in (0, inf).
        relative_step: p = min(rate, 1 / sqrt(t)) instead of the rate.

    Source: Shazeer & Stern 2018.
    """

    beta_2_decay: float = -0.8
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    clip_threshold: float = 1.0
    relative_step: bool = True

    def validate(self) -> None:
        super().validate()
        check_number(self, "beta_2_decay", -math.inf, 0.0, open_low=True, open_high=True)
        check_positive(self, "epsilon_1", "clip_threshold")
        check_nonnegative(self, "epsilon_2")

    def scalars(self) -> dict[str, Array]:
        return {"count": jnp.zeros((), jnp.int32)}

    def factors(self, scalars: dict[str, Array]) -> tuple[Array, Array]:
        """What the averages keep, and the bound on the step."""
        steps = scalars["count"].astype(jnp.result_type(float))
        return 1.0 - steps**self.beta_2_decay, 1.0 / jnp.sqrt(steps)

    def slots(self, name: str, weight: Array) -> Slots:
        if weight.ndim < 2:
            return {"velocity": jnp.zeros_like(weight)}
        row, column = weight.shape[:-1], (*weight.shape[:-2], weight.shape[-1])
        return {"row": jnp.zeros(row, weight.dtype), "column": jnp.zeros(column, weight.dtype)}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        kept, bound = factors
        square = jnp.square(gradient) + self.epsilon_1
        if weight.ndim < 2:
            velocity = moving(kept, slots["velocity"], square)
            new, root = {"velocity": velocity}, jnp.sqrt(velocity)
        else:
            row = moving(kept, slots["row"], jnp.mean(square, axis=-1))
            column = moving(kept, slots["column"], jnp.mean(square, axis=-2))
            new = {"row": row, "column": column}
            relative = row / jnp.mean(row, axis=-1, keepdims=True)
            root = jnp.sqrt(relative[..., :, None]) * jnp.sqrt(column[..., None, :])
        move = gradient / root
        scale = jnp.maximum(_rms(weight), self.epsilon_2) * (
            jnp.minimum(rate, bound) if self.relative_step else rate
        )
        return weight - scale * move / jnp.maximum(1.0, _rms(move) / self.clip_threshold), new


def _rms(x: Array) -> Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))
