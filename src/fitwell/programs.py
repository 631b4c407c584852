"""Compiled once per architecture: the chunk of steps, evaluation, prediction, the start."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell import compiling
from fitwell.families import family_of
from fitwell.layers.base import Layer
from fitwell.network import Network, pick
from fitwell.ops.products import with_small_products
from fitwell.optimizers import Optimizer
from fitwell.randomness import abstract_key
from fitwell.training import (
    Batch,
    Objective,
    Stats,
    TrainState,
    losses_and_stats,
    merge,
    noise_key,
    split_collected,
    step,
)
from fitwell.types import Array, Key, Params, State

Body: TypeAlias = Callable[[Any, Batch, Array], tuple[Any, Stats]]


def loop(
    objective: Objective,
    body: Body,
    carry: Any,
    totals: Stats,
    data: Batch,
    rates: Array,
    count: Array,
    join: Callable[[Stats, Stats], Stats] | None = None,
) -> tuple[Any, Stats, Stats]:
    """`count` batches of a chunk in one loop, with the number of turns known only at run time.

    So one compiled program serves every length up to the chunk's capacity. `join` adds a batch's
    sums to the totals; `merge` by default.
    """

    def at(i: Array | int) -> Batch:
        return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, i, keepdims=False), data)

    join = join or functools.partial(merge, objective)
    room: Stats = {}
    if any(measure.metric.collects for measure in objective.measures):
        shapes = jax.eval_shape(lambda c: body(c, at(0), rates[0])[1], carry)
        _, kept = split_collected(objective, shapes)
        room = jax.tree.map(lambda s: jnp.zeros((len(rates), *s.shape), s.dtype), kept)

    def turn(i: Array, loop: tuple[Any, Stats, Stats]) -> tuple[Any, Stats, Stats]:
        carry, totals, room = loop
        carry, stats = body(carry, at(i), rates[i])
        sums, each = split_collected(objective, stats)
        room = jax.tree.map(lambda r, e: lax.dynamic_update_index_in_dim(r, e, i, 0), room, each)
        return carry, join(totals, sums), room

    return lax.fori_loop(0, count, turn, (carry, totals, room))


@compiling.program()
def train_program(network: Network, objective: Objective, optimizer: Optimizer) -> Any:
    """The compiled chunk: `(train, totals, data, rates, count) -> (train, totals, collected)`.

    `train` and `totals` are donated: their memory becomes the result's.
    """

    def chunk(
        train: TrainState, totals: Stats, data: Batch, rates: Array, count: Array
    ) -> tuple[TrainState, Stats, Stats]:
        def body(carry: TrainState, batch: Batch, rate: Array) -> tuple[TrainState, Stats]:
            return step(network, objective, optimizer, carry, batch, rate)

        body = with_small_products(body) if small else body
        return loop(objective, body, train, totals, data, rates, count)

    small = is_small(network)
    return compiling.compile(chunk, donate=(0, 1), small=small)


def is_small(network: Network) -> bool:
    """Whether the operations of a step are so small that how they begin matters, on the CPU."""
    if jax.default_backend() != "cpu":
        return False
    if any(family_of(layer) not in _SIMPLE for layer in network.layers.values()):
        return False
    return sum(math.prod(w.shape) for w in jax.tree.leaves(network.weight_shapes[0])) <= _SMALL


_SMALL = 16 * 1024  # weights
_SIMPLE = {"dense", "inputs", "normalization", "others"}


@compiling.program()
def evaluate_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(params, state, totals, data, rates, count) -> (state, totals, collected)`.

    The state is None unless the network remembers.
    """

    def chunk(
        params: Params, state: State, totals: Stats, data: Batch, rates: Array, count: Array
    ) -> tuple[State | None, Stats, Stats]:
        def body(carry: State | None, batch: Batch, rate: Array) -> tuple[State | None, Stats]:
            key = jax.random.key(0)  # no layer draws from it in evaluation
            before = state if carry is None else carry
            _, (new, stats) = losses_and_stats(
                network, objective, params, before, batch, key=key, train=False
            )
            return (None if carry is None else new), stats

        start = state if network.remembers else None
        return loop(objective, body, start, totals, data, rates, count)

    return compiling.compile(chunk, donate=(2,))


@compiling.program()
def predict_program(network: Network) -> Any:
    """Compiled: `(params, state, xs, rows) -> (outputs, state)`, in inference.

    The state is empty unless the network remembers.
    """

    def predict(
        params: Params, state: State, xs: tuple[Array, ...], rows: Array
    ) -> tuple[tuple[Any, ...], State]:
        values, _, new = network.masked_forward(
            params, state, xs, key=jax.random.key(0), train=False, rows=rows
        )
        return tuple(pick(values, ref) for ref in network.outputs), new if network.remembers else {}

    return compiling.compile(predict)


def start(network: Network, seed: int) -> TrainState:
    """Weights, state and keys before the first step.

    A short network is one program. Of a long one each *kind* of layer is a program, found again by
    value: a residual network has hundreds of layers of a few kinds.
    """
    hosts = {name: layer for name, layer in network.layers.items() if layer.on_host}
    if hosts:  # vocabularies are no part of programs
        bare = network.with_layers({name: layer.program() for name, layer in hosts.items()})
        learnt = {n: layer.init_state(network.init_shape(n)) for n, layer in hosts.items()}
        begun = _start(bare, seed)
        return begun._replace(state=begun.state | {n: s for n, s in learnt.items() if s})
    return _start(network, seed)


def _start(network: Network, seed: int) -> TrainState:
    given = np.uint32(seed % 2**32)
    if len(network.layers) <= _LONG:
        return start_program(network)(given)
    key, step_key, step = _keys_program()(given)
    params: Params = {}
    state: State = {}
    for i, (name, layer) in enumerate(network.layers.items()):
        shape = network.init_shape(name)
        kind = dataclasses.replace(layer, name=None)
        shapes = tuple(shape) if isinstance(shape, list) else shape
        own, own_state = _layer_program(kind, shapes, isinstance(shape, list))(key, np.uint32(i))
        params |= {name: own} if own else {}
        state |= {name: own_state} if own_state else {}
    return TrainState(params, state, (), step_key, step)


_LONG = 32  # layers


@compiling.program()
def start_program(network: Network) -> Any:
    """Compiled: `seed -> TrainState` before the first step; one program, not one per weight."""

    def begin(seed: Array) -> TrainState:
        key = jax.random.key(seed)
        params, state = network.init(key)
        return TrainState(params, state, (), noise_key(key), jnp.zeros((), jnp.int32))

    return compiling.compile(begin, once=True)


@compiling.program(maxsize=1)
def _keys_program() -> Any:
    """Compiled: `seed -> (key of the weights, key of the steps, step 0)`."""

    def keys(seed: Array) -> tuple[Key, Key, Array]:
        key = jax.random.key(seed)
        return key, noise_key(key), jnp.zeros((), jnp.int32)

    return compiling.compile(keys, once=True)


@compiling.program(maxsize=256)
def _layer_program(layer: Layer, shape: Any, many: bool) -> Any:
    """Compiled: `(key, place) -> (params, state)` of one layer."""

    def begin(key: Key, place: Array) -> tuple[Params, State]:
        given = list(shape) if many else shape
        return layer.init(jax.random.fold_in(key, place), given), layer.init_state(given)

    return compiling.compile(begin, once=True)


# A program for all networks would keep what it compiled for each of them: so these take the
# network, and are let go with it.


@compiling.program()
def optimizer_program(network: Network, optimizer: Optimizer) -> Any:
    """Compiled: `params -> optimizer state`."""
    return compiling.compile(lambda params: optimizer.init(params), once=True)


@compiling.program()
def copy_program(network: Network) -> Any:
    """Compiled: `train -> (the same in memory of its own, whether its weights are finite)`."""

    def copy(train: TrainState) -> tuple[TrainState, Array]:
        finite = [jnp.isfinite(weight).all() for weight in jax.tree.leaves(train.params)]
        return jax.tree.map(jnp.copy, train), jnp.array(finite).all()

    return compiling.compile(copy)


def zero_totals(network: Network, objective: Objective, chunk: Batch) -> Stats:
    """The neutral element of `merge`, for the start of an epoch, as arrays of the host.

    `network` is a program's; of the chunk, only the shapes matter.
    """
    leaves, form = jax.tree.flatten(chunk)
    key = tuple((leaf.shape[1:], str(leaf.dtype)) for leaf in leaves)
    shapes = _totals_shapes(network, objective, key, form)
    return jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), shapes)


@compiling.program()
def _totals_shapes(
    network: Network, objective: Objective, leaves: tuple[tuple[Any, str], ...], form: Any
) -> Stats:
    """Remembered: to trace the network again costs more than to evaluate a small one."""
    batch = jax.tree.unflatten(form, [jax.ShapeDtypeStruct(*leaf) for leaf in leaves])

    def stats(params: Params, state: State, key: Key, batch: Batch) -> Stats:
        found = losses_and_stats(network, objective, params, state, batch, key=key, train=False)
        return split_collected(objective, found[1][1])[0]

    return jax.eval_shape(stats, *network.weight_shapes, abstract_key(), batch)
