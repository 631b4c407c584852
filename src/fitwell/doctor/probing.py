"""The curvature of the loss at some weights, from a small program of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling
from fitwell.network import Network
from fitwell.training import Batch, Objective, TrainState, losses_and_stats
from fitwell.types import Array, Params, State

_TURNS = 20  # of the power iteration


def sharpness(network: Network, objective: Objective, train: TrainState, batch: Batch) -> float:
    """The largest |eigenvalue| of the Hessian of a sample's loss, by power iteration.

    NaN where the loss has no finite second derivatives.
    """
    turn = turning_program(network.program(), dataclasses.replace(objective, measures=()))
    learn, kept = network.split_trainable(train.params)
    random = np.random.default_rng(0)
    vector = jax.tree.map(lambda w: random.standard_normal(w.shape).astype(w.dtype), learn)
    value = 0.0
    for _ in range(_TURNS):
        length, vector = turn(learn, kept, train.state, batch, vector)
        value = float(length)
        if not np.isfinite(value) or value == 0:
            break
    return value


@compiling.program()
def turning_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(learn, kept, state, batch, v) -> (|H v| / |v|, H v / |H v|)`."""

    def turn(
        learn: Params, kept: Params, state: State, batch: Batch, vector: Params
    ) -> tuple[Array, Params]:
        def cost(learn: Params) -> Array:
            given, key = {**learn, **kept}, jax.random.key(0)
            return losses_and_stats(network, objective, given, state, batch, key=key, train=False)[
                0
            ]

        image = jax.jvp(jax.grad(cost), (learn,), (vector,))[1]
        size, length = _length(vector), _length(image)
        scale = jnp.maximum(length, 1e-30)
        return length / jnp.maximum(size, 1e-30), jax.tree.map(lambda a: a / scale, image)

    return compiling.compile(turn, once=True)


def _length(tree: Params) -> Array:
    return jnp.sqrt(sum((jnp.square(leaf).sum() for leaf in jax.tree.leaves(tree)), jnp.zeros(())))
