"""Adam and what came of it: AdamW, Adamax, Nadam, Lamb."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from fitwell.optimizers.averages import bias_correction, moving
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.optimizers.checks import check_betas
from fitwell.schedules.base import check_nonnegative, check_positive
from fitwell.types import Array


class _Moments(Optimizer):
    """What Adam and its relatives share: moving averages of g and g^2, and the count of steps."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def validate(self) -> None:
        super().validate()
        check_betas(self, "beta_1", "beta_2")
        check_positive(self, "epsilon")

    def scalars(self) -> dict[str, Array]:
        return {"count": jnp.zeros((), jnp.int32)}

    def slots(self, name: str, weight: Array) -> Slots:
        return {slot: jnp.zeros_like(weight) for slot in ("momentum", "velocity")}


class Adam(_Moments):
    """m, v <- moving averages of g and g^2; w <- w - a * m / (sqrt(v) + epsilon).

    a = rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t = 1, 2, ... With `amsgrad`, the largest
    v so far stands in the place of v.

    A steady gradient moves a weight by the rate, whatever its size; one that changes its sign at
    every step, hardly:

    >>> params, grads = {"w": jnp.array(1.0)}, {"w": jnp.array(500.0)}
    >>> optimizer = Adam(0.1)
    >>> params, state = optimizer.step(params, grads, optimizer.init(params), 0.1)
    >>> round(float(params["w"]), 6)
    0.9

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        beta_1: the part of m that is kept, in [0, 1).
        beta_2: the part of v that is kept, in [0, 1).
        epsilon: keeps the divisor away from 0, in (0, inf): the paper's "epsilon hat".
        amsgrad: never let a divisor fall.

    Source: Kingma & Ba 2015; amsgrad: Reddi et al. 2018.
    """

    amsgrad: bool = False

    def factors(self, scalars: dict[str, Array]) -> Array:
        count = scalars["count"]
        return jnp.sqrt(bias_correction(self.beta_2, count)) / bias_correction(self.beta_1, count)

    def slots(self, name: str, weight: Array) -> Slots:
        largest = {"velocity_hat": jnp.zeros_like(weight)} if self.amsgrad else {}
        return super().slots(name, weight) | largest

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        new = moments(gradient, slots, self.beta_1, self.beta_2)
        largest = new["velocity"]
        if self.amsgrad:
            largest = new["velocity_hat"] = jnp.maximum(slots["velocity_hat"], largest)
        move = factors * new["momentum"] / (jnp.sqrt(largest) + self.epsilon)
        return weight - rate * move, new


class AdamW(Adam):
    """Adam with w <- w - rate * weight_decay * w before every step.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        weight_decay: in [0, inf).
        beta_1: see `Adam`, like beta_2, epsilon and amsgrad.

    Source: Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    weight_decay: float = 0.004

    def validate(self) -> None:
        check_nonnegative(self, "weight_decay")
        super().validate()


class Adamax(_Moments):
    """u <- max(beta_2 * u, |g|), w <- w - rate / (1 - beta_1^t) * m / (u + epsilon).

    m is the moving average of g: Adam with the largest gradient in the place of the root of the
    mean square.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        beta_1: the part of m that is kept, in [0, 1).
        beta_2: the part of u that is kept, in [0, 1).
        epsilon: keeps the divisor away from 0, in (0, inf).

    Source: Kingma & Ba 2015, section 7.1.
    """

    def factors(self, scalars: dict[str, Array]) -> Array:
        return 1.0 / bias_correction(self.beta_1, scalars["count"])

    def slots(self, name: str, weight: Array) -> Slots:
        return {slot: jnp.zeros_like(weight) for slot in ("momentum", "norm")}

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        mean = moving(self.beta_1, slots["momentum"], gradient)
        norm = jnp.maximum(self.beta_2 * slots["norm"], jnp.abs(gradient))
        move = factors * mean / (norm + self.epsilon)
        return weight - rate * move, {"momentum": mean, "norm": norm}


class Nadam(_Moments):
    """Adam with Nesterov momentum: w <- w - rate * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon).

    m_hat = b_(t+1) * m / (1 - B_(t+1)) + (1 - b_t) * g / (1 - B_t), where
    b_t = beta_1 * (1 - 0.96^t / 2) and B_t is the product of b_1 ... b_t.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        beta_1: the part of m that is kept, in [0, 1).
        beta_2: the part of v that is kept, in [0, 1).
        epsilon: keeps the divisor away from 0, in (0, inf).

    Source: Dozat 2016.
    """

    def scalars(self) -> dict[str, Array]:
        return {**super().scalars(), "product": jnp.ones(())}

    def advance(self, scalars: dict[str, Array]) -> dict[str, Array]:
        count = scalars["count"] + 1
        return {"count": count, "product": scalars["product"] * self._beta(count)}

    def factors(self, scalars: dict[str, Array]) -> tuple[Array, Array, Array]:
        count, product = scalars["count"], scalars["product"]
        now, then = self._beta(count), self._beta(count + 1)
        root = jnp.sqrt(bias_correction(self.beta_2, count))
        return then / (1.0 - product * then), (1.0 - now) / (1.0 - product), 1.0 / root

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        ahead, now, root = factors
        new = moments(gradient, slots, self.beta_1, self.beta_2)
        mean = ahead * new["momentum"] + now * gradient
        divisor = root * jnp.sqrt(new["velocity"]) + self.epsilon
        return weight - rate * (mean / divisor), new

    def _beta(self, count: Array) -> Array:
        steps = count.astype(jnp.result_type(float))
        return self.beta_1 * (1.0 - 0.5 * jnp.exp(steps * math.log(0.96)))


class Lamb(_Moments):
    """w <- w - rate * (||w|| / ||r||) * r, where r is Adam's direction.

    r = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon); the ratio is 1 if a norm is 0.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        beta_1: the part of m that is kept, in [0, 1).
        beta_2: the part of v that is kept, in [0, 1).
        epsilon: keeps the divisor away from 0, in (0, inf).

    Source: You et al. 2020, "Large Batch Optimization for Deep Learning".
    """

    def factors(self, scalars: dict[str, Array]) -> tuple[Array, Array]:
        count = scalars["count"]
        root = jnp.sqrt(bias_correction(self.beta_2, count))
        return 1.0 / bias_correction(self.beta_1, count), 1.0 / root

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        mean, root = factors
        new = moments(gradient, slots, self.beta_1, self.beta_2)
        move = mean * new["momentum"] / (root * jnp.sqrt(new["velocity"]) + self.epsilon)
        weight_norm, move_norm = _norm(weight), _norm(move)
        both = (weight_norm > 0) & (move_norm > 0)
        ratio = jnp.where(both, weight_norm / jnp.where(both, move_norm, 1.0), 1.0)
        return weight - (rate * ratio) * move, new


def moments(gradient: Array, slots: Slots, beta_1: float, beta_2: float) -> Slots:
    """The moving averages of g and g^2 after a step."""
    return {
        "momentum": moving(beta_1, slots["momentum"], gradient),
        "velocity": moving(beta_2, slots["velocity"], jnp.square(gradient)),
    }


def _norm(x: Array) -> Array:
    return jnp.sqrt(jnp.sum(jnp.square(x)))
