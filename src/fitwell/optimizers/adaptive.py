"""Rates that adapt to the squares of the gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from fitwell.description import is_zero
from fitwell.optimizers.averages import moving
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.optimizers.checks import check_betas
from fitwell.schedules.base import check_nonnegative, check_positive
from fitwell.types import Array


class Adagrad(Optimizer):
    """s <- s + g^2, w <- w - rate * g / sqrt(s + epsilon).

    >>> params, grads = {"w": jnp.array(1.0)}, {"w": jnp.array(3.0)}
    >>> optimizer = Adagrad()
    >>> state = optimizer.init(params)
    >>> for _ in range(2):  # 0.1 * 3/sqrt(9), then 0.1 * 3/sqrt(18)
    ...     params, state = optimizer.step(params, grads, state, 0.1)
    >>> round(float(params["w"]), 6)
    0.829289

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        initial_accumulator_value: s before the first step, in [0, inf). 0 is the formula of the
            paper; Keras begins at 0.1.
        epsilon: keeps the root away from 0, in (0, inf).

    Source: Duchi et al. 2011.
    """

    initial_accumulator_value: float = 0.0
    epsilon: float = 1e-7

    def validate(self) -> None:
        super().validate()
        check_nonnegative(self, "initial_accumulator_value")
        check_positive(self, "epsilon")

    def slots(self, name: str, weight: Array) -> Slots:
        return {"accumulator": jnp.full_like(weight, self.initial_accumulator_value)}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        total = slots["accumulator"] + jnp.square(gradient)
        move = gradient / jnp.sqrt(total + self.epsilon)
        return weight - rate * move, {"accumulator": total}


class RMSprop(Optimizer):
    """v <- rho * v + (1 - rho) * g^2, w <- w - rate * g / sqrt(v + epsilon).

    With `centered`, v - a^2 stands in the place of v, where a is the moving average of g; with
    momentum, m <- momentum * m + rate * g / sqrt(...), w <- w - m.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        rho: the part of the average that is kept, in [0, 1).
        momentum: the part of the last move that is kept, in [0, 1).
        epsilon: keeps the root away from 0, in (0, inf).
        centered: divide by the deviation from the average gradient.

    Source: Hinton 2012, lecture 6e; centered: Graves 2013.
    """

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def validate(self) -> None:
        super().validate()
        check_betas(self, "rho", "momentum")
        check_positive(self, "epsilon")

    def slots(self, name: str, weight: Array) -> Slots:
        names = ["velocity"]
        names += [] if is_zero(self.momentum) else ["momentum"]
        names += ["average_gradient"] if self.centered else []
        return {slot: jnp.zeros_like(weight) for slot in names}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        velocity = moving(self.rho, slots["velocity"], jnp.square(gradient))
        new, spread = {"velocity": velocity}, velocity
        if self.centered:
            average = moving(self.rho, slots["average_gradient"], gradient)
            new["average_gradient"] = average
            # a rounding error below 0 that is larger than epsilon would be a NaN
            spread = jnp.maximum(velocity - jnp.square(average), 0.0)
        move = rate * (gradient / jnp.sqrt(spread + self.epsilon))
        if not is_zero(self.momentum):
            move = new["momentum"] = self.momentum * slots["momentum"] + move
        return weight - move, new


class Adadelta(Optimizer):
    """d = g * sqrt(u + epsilon) / sqrt(s + epsilon), w <- w - rate * d.

    s and u are the moving averages of g^2 and d^2: s <- rho * s + (1 - rho) * g^2 before the
    step, u likewise after it.

    Args:
        learning_rate: see `Optimizer`, like every argument by name; 1.0 is the paper's.
        rho: the part of the averages that is kept, in [0, 1).
        epsilon: keeps the roots away from 0, in (0, inf).

    Source: Zeiler 2012.
    """

    rho: float = 0.95
    epsilon: float = 1e-7

    def validate(self) -> None:
        super().validate()
        check_betas(self, "rho")
        check_positive(self, "epsilon")

    def slots(self, name: str, weight: Array) -> Slots:
        names = ("accumulated_grad", "accumulated_delta_var")
        return {slot: jnp.zeros_like(weight) for slot in names}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        squares = moving(self.rho, slots["accumulated_grad"], jnp.square(gradient))
        before = slots["accumulated_delta_var"]
        delta = gradient * jnp.sqrt(before + self.epsilon) / jnp.sqrt(squares + self.epsilon)
        return weight - rate * delta, {
            "accumulated_grad": squares,
            "accumulated_delta_var": moving(self.rho, before, jnp.square(delta)),
        }
