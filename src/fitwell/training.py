"""The step, the chunk of steps and the evaluation: pure, compiled once per architecture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell import activations, compiling
from fitwell.losses import Loss
from fitwell.metrics import Metric
from fitwell.network import Network, Ref, pick
from fitwell.optimizers import Optimizer
from fitwell.types import Array, Key, Params, State, Tree

Stats: TypeAlias = dict[str, Any]


class Batch(NamedTuple):
    """Examples: one batch, or a chunk of batches stacked in front.

    Attributes:
        x: one array per input.
        y: one array per output.
        weight: per output a weight for each example, or None.
        mask: 1 for real rows, 0 for the padding of a partial batch.
    """

    x: tuple[Any, ...]
    y: tuple[Any, ...]
    weight: tuple[Any, ...]
    mask: Any


class TrainState(NamedTuple):
    """Everything that a step changes: one pytree."""

    params: Params
    state: State
    optimizer: Tree
    key: Key
    step: Array


@dataclass(frozen=True)
class Measure:
    """A metric of one output, under the name it has in the logs."""

    label: str
    output: int
    metric: Metric
    weighted: bool = False


@dataclass(frozen=True)
class Objective:
    """What is minimised and what is measured; a description, equal by value.

    Attributes:
        losses: one per output; None for an output without a loss.
        weights: the factor of each loss in the sum.
        measures: metrics.
        names: output names, for the logs of models with several outputs.
    """

    losses: tuple[Loss | None, ...]
    weights: tuple[float, ...]
    measures: tuple[Measure, ...]
    names: tuple[str, ...]

    def log_names(self, validated: bool) -> list[str]:
        """What the logs of an epoch will be called."""
        several = [n for n, loss in zip(self.names, self.losses, strict=True) if loss is not None]
        parts = [f"{name}_loss" for name in several] if len(self.losses) > 1 else []
        names = ["loss", *parts, *(measure.label for measure in self.measures)]
        return names + [f"val_{name}" for name in names if validated]

    def fuse(self, network: Network) -> tuple[Network, list[tuple[Loss, Ref] | None]]:
        """Where each loss reads, with final sigmoid/softmax + cross-entropy taken as one.

        The loss is then computed from the logits, whatever the user wrote; `predict` and the
        metrics still see probabilities.
        """
        reads: list[tuple[Loss, Ref] | None] = []
        for i, loss in enumerate(self.losses):
            if loss is None:
                reads.append(None)
                continue
            if getattr(loss, "from_logits", None) is False and loss.link is not None:
                moved, place, activation = network.logits(i)
                over_last_axis = loss.link == "sigmoid" or loss.axis == -1  # type: ignore[attr-defined]
                if activations.name_of(activation) == loss.link and over_last_axis:
                    network = moved
                    reads.append((dataclasses.replace(loss, from_logits=True), place))  # type: ignore[call-arg]
                    continue
            reads.append((loss, network.outputs[i]))
        return network, reads


def losses_and_stats(
    network: Network,
    objective: Objective,
    params: Params,
    state: State,
    batch: Batch,
    *,
    key: Key,
    train: bool,
) -> tuple[Array, tuple[State, Stats]]:
    """The loss of one batch, penalties included; the new state; what the metrics measured."""
    fused, reads = objective.fuse(network)
    values, state = fused.forward(params, state, batch.x, key=key, train=train)
    count = batch.mask.sum()
    total: Array = jnp.zeros(())
    stats: Stats = {}
    for i, read in enumerate(reads):
        if read is None:
            continue
        loss, place = read
        value = loss.cost(batch.y[i], pick(values, place), batch.weight[i], batch.mask)
        total += objective.weights[i] * value
        if len(objective.losses) > 1:
            stats[f"{objective.names[i]}_loss"] = {"sum": value * count, "count": count}
    total += network.penalty(params) + fused.activity_penalty(values, batch.mask)
    stats["loss"] = {"sum": total * count, "count": count}
    for measure in objective.measures:
        i = measure.output
        weight = batch.mask
        given = batch.weight[i]
        if measure.weighted and given is not None:
            weight = weight * (
                given if given.ndim == 1 else given.mean(tuple(range(1, given.ndim)))
            )
        stats[measure.label] = measure.metric.measure(
            batch.y[i], pick(values, fused.outputs[i]), weight
        )
    return total, (state, stats)


def step(
    network: Network,
    objective: Objective,
    optimizer: Optimizer,
    train: TrainState,
    batch: Batch,
    learning_rate: Array,
) -> tuple[TrainState, Stats]:
    """One update of the weights; its randomness is a function of (key, step)."""
    key = jax.random.fold_in(train.key, train.step)
    learn, kept = network.split_trainable(train.params)

    def loss(learn: Params) -> tuple[Array, tuple[State, Stats]]:
        return losses_and_stats(
            network, objective, {**learn, **kept}, train.state, batch, key=key, train=True
        )

    (value, (state, stats)), grads = jax.value_and_grad(loss, has_aux=True)(learn)
    extra = {"value": value, "value_fn": lambda p: loss(p)[0]} if optimizer.needs_value else {}
    learn, optimizer_state = optimizer.step(learn, grads, train.optimizer, learning_rate, **extra)
    learn = network.project(learn, learning_rate)
    params = {name: learn.get(name, train.params[name]) for name in train.params}
    return TrainState(params, state, optimizer_state, train.key, train.step + 1), stats


def merge(objective: Objective, totals: Stats, stats: Stats) -> Stats:
    """Totals so far and one batch's, joined; collected metrics are left out."""
    metrics = {m.label: m.metric for m in objective.measures}
    return {
        label: metrics[label].merge(totals[label], stats[label])
        if label in metrics
        else jax.tree.map(jnp.add, totals[label], stats[label])
        for label in totals
    }


def split_collected(objective: Objective, stats: Stats) -> tuple[Stats, Stats]:
    """Sums, and what has to be kept for every example."""
    collected = {m.label for m in objective.measures if m.metric.collects}
    return (
        {k: v for k, v in stats.items() if k not in collected},
        {k: v for k, v in stats.items() if k in collected},
    )


Body: TypeAlias = Callable[[Any, Batch, Array], tuple[Any, Stats]]


def _loop(
    objective: Objective,
    body: Body,
    carry: Any,
    totals: Stats,
    data: Batch,
    rates: Array,
    count: Array,
) -> tuple[Any, Stats, Stats]:
    """`count` batches of a chunk in one loop, with the number of turns known only at run time.

    So one compiled program serves every length up to the chunk's capacity.
    """

    def at(i: Array | int) -> Batch:
        return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, i, keepdims=False), data)

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
        return carry, merge(objective, totals, sums), room

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

        return _loop(objective, body, train, totals, data, rates, count)

    return compiling.compile(chunk, donate=(0, 1))


@compiling.program()
def evaluate_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(params, state, totals, data, rates, count) -> (None, totals, collected)`."""

    def chunk(
        params: Params, state: State, totals: Stats, data: Batch, rates: Array, count: Array
    ) -> tuple[None, Stats, Stats]:
        def body(carry: None, batch: Batch, rate: Array) -> tuple[None, Stats]:
            key = jax.random.key(0)  # no layer draws from it in evaluation
            stats = losses_and_stats(
                network, objective, params, state, batch, key=key, train=False
            )[1][1]
            return None, stats

        return _loop(objective, body, None, totals, data, rates, count)

    return compiling.compile(chunk, donate=(2,))


@compiling.program()
def predict_program(network: Network) -> Any:
    """Compiled: `(params, state, xs) -> outputs`, in inference."""

    def predict(params: Params, state: State, xs: tuple[Array, ...]) -> tuple[Any, ...]:
        values, _ = network.forward(params, state, xs, key=jax.random.key(0), train=False)
        return tuple(pick(values, ref) for ref in network.outputs)

    return compiling.compile(predict)


@compiling.program()
def start_program(network: Network) -> Any:
    """Compiled: `seed -> TrainState` before the first step; one program, not one per weight."""

    def start(seed: Array) -> TrainState:
        key = jax.random.key(seed)
        params, state = network.init(key)
        return TrainState(params, state, (), noise_key(key), jnp.zeros((), jnp.int32))

    return compiling.compile(start)


def noise_key(key: Key) -> Key:
    """What dropout and noise draw from, apart from the key of the weights."""
    return jax.random.fold_in(key, 1)


@compiling.program()
def optimizer_program(optimizer: Optimizer) -> Any:
    """Compiled: `params -> optimizer state`."""
    return compiling.compile(optimizer.init)


@compiling.program(maxsize=1)
def copy_program() -> Any:
    """Compiled: the same tree in memory of its own, in one dispatch."""
    return compiling.compile(lambda tree: jax.tree.map(jnp.copy, tree))


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

    def stats(key: Key, batch: Batch) -> Stats:
        params, state = network.init(key)
        found = losses_and_stats(network, objective, params, state, batch, key=key, train=False)
        return split_collected(objective, found[1][1])[0]

    return jax.eval_shape(stats, jax.eval_shape(lambda: jax.random.key(0)), batch)
