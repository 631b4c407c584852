"""Numbers that only the compiled network can tell: pulses of layers, predictions, curvature."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling
from fitwell.doctor.reading import activation_name
from fitwell.doctor.record import Pulse
from fitwell.doctor.statistics import sample
from fitwell.network import Network, pick
from fitwell.training import Batch, Objective, TrainState, losses_and_stats
from fitwell.types import Array, HostArray, Params, State

_NUMBERS = 2**22  # of one sample's inputs
_MOST_ROWS = 512
_PULSE_ROWS = 256  # of those: gradients cost more than predictions
_FLAT = {"sigmoid": 5.0, "tanh": 3.0, "softsign": 50.0, "hard_sigmoid": 3.0}
"""Beyond |z| of this size an activation's slope is below 1 % of its largest."""
_RECTIFIED = ("relu", "relu6", "relu_squared")
_TURNS = 20  # of the power iteration


def rows_of(data: Batch, most: int = _MOST_ROWS) -> Batch:
    """A sample that stands for all the data, small enough to be looked at in one go.

    Rows repeat up to a power of two, so that other data of about the size compile nothing anew.
    """
    n = len(data.x[0])
    each = max(sum(int(np.prod(x.shape[1:])) for x in data.x), 1)
    room = int(np.clip(_NUMBERS // each, 16, most))
    chosen = np.resize(np.arange(n)[sample(n, room)], min(1 << (n - 1).bit_length(), room))
    x, y, weight = (
        tuple(None if a is None else np.asarray(a[chosen]) for a in part)
        for part in (data.x, data.y, data.weight)
    )
    return Batch(x, y, weight, np.ones(len(chosen), np.float32))


def pulses(
    network: Network, objective: Objective, params: Params, state: State, batch: Batch
) -> tuple[float, tuple[Pulse, ...], list[HostArray]]:
    """The loss of a sample, a pulse for every layer with weights, and the outputs.

    In inference: dropout is off, statistics rest.
    """
    batch = jax.tree.map(lambda a: a[:_PULSE_ROWS], batch)
    probe = probe_program(network.program(), objective)
    value, facts, outputs = jax.device_get(probe(params, state, batch))
    found = tuple(
        Pulse(name, **{key: float(number) for key, number in numbers.items()})
        for name, numbers in facts.items()
    )
    return float(value), found, [np.asarray(one) for one in outputs]


@compiling.program()
def probe_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(params, state, batch) -> (loss, numbers of each layer, outputs)`."""

    def probe(
        params: Params, state: State, batch: Batch
    ) -> tuple[Array, dict[str, dict[str, Array]], tuple[Any, ...]]:
        key = jax.random.key(0)
        learn, kept = network.split_trainable(params)

        def cost(learn: Params) -> Array:
            given = {**learn, **kept}
            return losses_and_stats(network, objective, given, state, batch, key=key, train=False)[
                0
            ]

        value, slopes = jax.value_and_grad(cost)(learn)
        values, _, _ = network.masked_forward(
            params, state, batch.x, key=key, train=False, rows=batch.mask
        )
        facts: dict[str, dict[str, Array]] = {}
        for place, y in _looked_at(network, values):
            node = network.nodes[place]
            slope = jax.tree.leaves(slopes.get(node.name, {}))
            size = sum(leaf.size for leaf in slope)
            total = sum((jnp.square(leaf).sum() for leaf in slope), jnp.zeros(()))
            gradient = jnp.sqrt(total / size) if size else jnp.array(-1.0)
            name = activation_name(node.layer.split_activation()[1])
            facts[node.name] = {"gradient": gradient, **_numbers(y, name)}
        return value, facts, tuple(pick(values, ref) for ref in network.outputs)

    return compiling.compile(probe, once=True)


def _looked_at(network: Network, values: list[Any]) -> Iterator[tuple[int, Array]]:
    """Layers with weights, and activations that are layers of their own."""
    weights, _ = network.weight_shapes
    for place, (node, y) in enumerate(zip(network.nodes, values, strict=True)):
        active = node.layer.split_activation()[1] is not None
        numbers = isinstance(y, jax.Array) and jnp.issubdtype(y.dtype, jnp.floating)
        if (node.name in weights or active) and numbers and y.ndim >= 2:
            yield place, y


def _numbers(y: Array, activation: str) -> dict[str, Array]:
    """What a pulse holds of the outputs of one layer."""
    flat = y.reshape(-1, y.shape[-1]).astype(jnp.float32)
    spread = flat.max(0) - flat.min(0)
    found = {
        "size": jnp.sqrt(jnp.mean(jnp.square(flat))),
        "flat": jnp.mean(spread <= 1e-6 * jnp.maximum(jnp.abs(flat).max(0), 1e-6)),
    }
    if activation in _RECTIFIED:
        found["dead"] = jnp.mean(flat.max(0) <= 0)
    if activation in _FLAT:
        edge = _FLAT[activation]
        ends: tuple[Any, Any] = {
            "sigmoid": (jax.nn.sigmoid(-edge), jax.nn.sigmoid(edge)),
            "hard_sigmoid": (0.0, 1.0),
            "tanh": (-jnp.tanh(edge), jnp.tanh(edge)),
            "softsign": (-edge / (1 + edge), edge / (1 + edge)),
        }[activation]
        found["saturated"] = jnp.mean((flat <= ends[0]) | (flat >= ends[1]))
    return found


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
