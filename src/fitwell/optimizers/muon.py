"""Muon: orthogonal moves for matrices, Adam for the rest."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fitwell import tree
from fitwell.description import check_number, check_positive_int
from fitwell.optimizers.adam import moments
from fitwell.optimizers.averages import bias_correction
from fitwell.optimizers.base import Optimizer, Slots
from fitwell.optimizers.checks import check_betas, check_names_argument
from fitwell.optimizers.names import check_part, covers
from fitwell.schedules.base import check_nonnegative, check_positive
from fitwell.types import Array, Params


class Muon(Optimizer):
    """m <- momentum * m + g; w <- w - rate * rms_rate * sqrt(max(n, k)) * O(g + momentum * m).

    For kernels (n, k). O brings all singular values of a matrix near 1 by the Newton-Schulz
    iteration X <- a X + (b A + c A^2) X, A = X X'. Weights with one axis or more than two,
    embeddings and the excluded layers get Adam: name the output layer in `exclude_layers`.

    Args:
        learning_rate: see `Optimizer`, like every argument by name.
        adam_beta_1: Adam's beta_1, in [0, 1); adam_beta_2 likewise.
        adam_weight_decay: the weight decay of the weights that get Adam, in [0, inf), or None.
        epsilon: Adam's, in (0, inf).
        weight_decay: the weight decay of the others, in [0, inf), or None.
        exclude_layers: names of layers or weights that get Adam.
        exclude_embeddings: weights with "embedding" in their name get Adam.
        muon_a: a, b and c of the iteration, any numbers.
        adam_lr_ratio: Adam's rate / rate, in [0, inf).
        momentum: the part of m that is kept, in [0, 1).
        ns_steps: iterations, >= 1.
        nesterov: False moves along m alone.
        rms_rate: the root mean square of a move / rate, in (0, inf). None leaves the factor
            rms_rate * sqrt(max(n, k)) out.

    Source: Jordan et al. 2024, "Muon"; rms_rate: Liu et al. 2025, "Muon is Scalable".
    """

    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-7
    weight_decay: float | None = field(default=0.004, kw_only=True)  # in Keras not the second
    exclude_layers: tuple[str, ...] = ()
    exclude_embeddings: bool = True
    muon_a: float = 3.4445
    muon_b: float = -4.7750
    muon_c: float = 2.0315
    adam_lr_ratio: float = 1.0
    momentum: float = 0.95
    ns_steps: int = 5
    nesterov: bool = True
    rms_rate: float | None = 0.2

    def validate(self) -> None:
        super().validate()
        check_betas(self, "adam_beta_1", "adam_beta_2", "momentum")
        check_positive(self, "epsilon")
        check_positive_int(self, "ns_steps")
        check_names_argument(self, "exclude_layers")
        for name in ("adam_lr_ratio", "adam_weight_decay", "rms_rate"):
            if getattr(self, name) is not None:
                check_nonnegative(self, name)
        for name in ("muon_a", "muon_b", "muon_c"):
            check_number(self, name, -math.inf, math.inf, open_low=True, open_high=True)

    def init(self, params: Params) -> dict[str, Any]:
        for part in self.exclude_layers:
            check_part("Muon", "exclude_layers", part, list(tree.flatten(params)))
        return super().init(params)

    def scalars(self) -> dict[str, Array]:
        return {"count": jnp.zeros((), jnp.int32)}

    def factors(self, scalars: dict[str, Array]) -> Array:
        root = jnp.sqrt(bias_correction(self.adam_beta_2, scalars["count"]))
        return self.adam_lr_ratio * root / bias_correction(self.adam_beta_1, scalars["count"])

    def slots(self, name: str, weight: Array) -> Slots:
        adam = (
            weight.ndim != 2
            or (self.exclude_embeddings and "embedding" in name.lower())
            or any(covers(part, name) for part in self.exclude_layers)
        )
        names = ("momentum", "velocity") if adam else ("momentum",)
        return {slot: jnp.zeros_like(weight) for slot in names}

    def decay(self, slots: Slots) -> float | None:
        return self.adam_weight_decay if "velocity" in slots else self.weight_decay

    def update(
        self, weight: Array, gradient: Array, slots: Slots, rate: Any, factors: Any
    ) -> tuple[Array, Slots]:
        if "velocity" in slots:
            new = moments(gradient, slots, self.adam_beta_1, self.adam_beta_2)
            move = factors * new["momentum"] / (jnp.sqrt(new["velocity"]) + self.epsilon)
            return weight - rate * move, new
        momentum = self.momentum * slots["momentum"] + gradient
        direction = gradient + self.momentum * momentum if self.nesterov else momentum
        scale = 1.0 if self.rms_rate is None else self.rms_rate * math.sqrt(max(weight.shape))
        return weight - (rate * scale) * self._orthogonal(direction), {"momentum": momentum}

    def _orthogonal(self, matrix: Array) -> Array:
        tall = matrix.shape[0] > matrix.shape[1]
        x = matrix.T if tall else matrix
        x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)  # no singular value above 1
        for _ in range(self.ns_steps):
            a = x @ x.T
            x = self.muon_a * x + (self.muon_b * a + self.muon_c * (a @ a)) @ x
        return x.T if tall else x
