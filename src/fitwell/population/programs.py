"""The compiled programs of a population: the step, evaluation and optimizer state of all lanes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fitwell import compiling
from fitwell.families import family_of
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.population.trailing import trailing_vmap
from fitwell.population.varying import varied
from fitwell.programs import loop
from fitwell.training import Batch, Objective, Stats, TrainState, losses_and_stats, merge, step
from fitwell.types import Array, Params, State

_TINY = 32 * 1024  # products of one layer and batch, up to which lanes in vectors are faster
_VECTOR = 16  # lanes that fill the registers
_ONLY = {"dense", "inputs", "normalization", "others"}

Values = dict[str, Array]
"""By name a number for each lane."""


def spread(network: Network, function: Callable[..., Any], shared_data: bool) -> Callable[..., Any]:
    """`function(carry, batch, *more)` for all lanes: side by side, or one after the other.

    Small dense networks gain by `vmap`: one kernel serves all lanes. A convolution whose kernels
    differ by lane becomes one with groups, which is many times slower, so lanes take turns there.
    """
    axes = None if shared_data else 0
    if any(family_of(layer) == "convolutions" for layer in network.layers.values()):

        def in_turn(carry: Any, batch: Batch, *more: Any) -> Any:
            if shared_data:
                return jax.lax.map(lambda lane: function(lane[0], batch, *lane[1:]), (carry, *more))
            return jax.lax.map(lambda lane: function(*lane), (carry, batch, *more))

        return in_turn

    def side_by_side(carry: Any, batch: Batch, *more: Any) -> Any:
        return jax.vmap(function, in_axes=(0, axes, *[0] * len(more)))(carry, batch, *more)

    return side_by_side


@compiling.program()
def train_program(
    network: Network,
    objective: Objective,
    optimizer: Optimizer,
    shared_data: bool,
    uneven: bool,
    masked: bool,
) -> Any:
    """Compiled: `(train, totals, data, rates, count, values, masks) -> (train, totals, collected)`.

    Everything has a leading axis of lanes, but data that all lanes share.

    Args:
        uneven: some lanes have steps without examples, which then change nothing.
        masked: `masks` holds 0 for weights that a narrow lane does not have.
    """

    def one(
        train: TrainState, batch: Batch, rate: Array, values: Values, mask: Params
    ) -> tuple[TrainState, Stats]:
        parts = varied(network, objective, optimizer, values)
        after, stats = step(*parts, train, batch, rate, mask if masked else None)
        if uneven:
            real = batch.mask.sum() > 0
            after = jax.tree.map(lambda new, old: jnp.where(real, new, old), after, train)
        return after, stats

    def chunk(
        train: TrainState, totals: Stats, data: Batch, rates: Array, count: Array,
        values: Values, masks: Params,
    ) -> tuple[TrainState, Stats, Stats]:  # fmt: skip
        axis = 0
        every = spread(network, one, shared_data)
        if is_tiny(network, data.mask.shape[-1], rates.shape[-1]):
            axis = -1
            every = trailing_vmap(one, (True, not shared_data, True, True, True), rates.shape[-1])
            train, totals, values, masks = _moved((train, totals, values, masks), 0, -1)

        def body(carry: TrainState, batch: Batch, rate: Array) -> tuple[TrainState, Stats]:
            batch = batch if shared_data else _moved(batch, 0, axis)
            return every(carry, batch, rate, values, masks)

        join = joined(objective, axis)
        train, totals, each = loop(objective, body, train, totals, data, rates, count, join)
        if axis == 0:
            return train, totals, each
        return *_moved((train, totals), -1, 0), _moved(each, -1, 1)

    return compiling.compile(chunk, donate=(0, 1))


def is_tiny(network: Network, batch: int, lanes: int) -> bool:
    """Whether all lanes are faster in one vector: dense networks of few units, on the CPU."""
    if jax.default_backend() != "cpu" or lanes < _VECTOR:
        return False
    if any(family_of(layer) not in _ONLY for layer in network.layers.values()):
        return False
    weights = jax.tree.leaves(network.weight_shapes[0])
    return batch * max((math.prod(w.shape) for w in weights), default=0) <= _TINY


def _moved(arrays: Any, source: int, target: int) -> Any:
    return jax.tree.map(lambda a: jnp.moveaxis(a, source, target), arrays)


@compiling.program()
def evaluate_program(network: Network, objective: Objective, shared_data: bool) -> Any:
    """Compiled: `(params, state, totals, data, rates, count, values) -> (totals, collected)`."""

    def one(weights: tuple[Params, State], batch: Batch, values: Values) -> Stats:
        mine, goal, _ = varied(network, objective, Optimizer(), values)
        key = jax.random.key(0)  # no layer draws from it in evaluation
        params, state = weights
        return losses_and_stats(mine, goal, params, state, batch, key=key, train=False)[1][1]

    every = spread(network, one, shared_data)

    def chunk(
        params: Params, state: State, totals: Stats, data: Batch, rates: Array, count: Array,
        values: Values,
    ) -> tuple[Stats, Stats]:  # fmt: skip
        def body(carry: Any, batch: Batch, rate: Array) -> tuple[Any, Stats]:
            return carry, every((params, state), batch, values)

        _, totals, each = loop(objective, body, (), totals, data, rates, count, joined(objective))
        return totals, each

    return compiling.compile(chunk, donate=(2,))


def joined(objective: Objective, axis: int = 0) -> Callable[[Stats, Stats], Stats]:
    """`merge` lane by lane: a metric may join its sums in ways that are not elementwise."""
    return jax.vmap(functools.partial(merge, objective), in_axes=axis, out_axes=axis)


@compiling.program()
def optimizer_program(network: Network, objective: Objective, optimizer: Optimizer) -> Any:
    """Compiled: `(learn, values) -> optimizer state`, for all lanes."""

    def begin(learn: Params, values: Values) -> Any:
        return varied(network, objective, optimizer, values)[2].init(learn)

    return compiling.compile(jax.vmap(begin))


@compiling.program()
def keep_better_program(network: Network) -> Any:
    """Compiled: `(better, new, old) -> tree`: of each lane the new arrays if it got better."""

    def choose(better: Array, new: Any, old: Any) -> Any:
        def one(a: Array, b: Array) -> Array:
            return jnp.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

        return jax.tree.map(one, new, old)

    return compiling.compile(choose, donate=(2,))


@compiling.program()
def take_program(network: Network) -> Any:
    """Compiled: `(tree, places) -> tree` of the lanes at `places`."""
    return compiling.compile(lambda tree, places: jax.tree.map(lambda a: a[places], tree))
