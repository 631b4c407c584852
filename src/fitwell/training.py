"""The step and what it is made of: state, batch, objective. Pure functions of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from fitwell import activations
from fitwell.description import unchecked
from fitwell.layers.augmenting.mixing import Mixing, mix
from fitwell.losses import Loss
from fitwell.metrics import Metric
from fitwell.network import Network, Ref, pick, real_steps
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


def noise_key(key: Key) -> Key:
    """What dropout and noise draw from, apart from the key of the weights."""
    return jax.random.fold_in(key, 1)


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
        augment: mixtures of examples and labels in training; each batch draws one of them.
    """

    losses: tuple[Loss | None, ...]
    weights: tuple[float, ...]
    measures: tuple[Measure, ...]
    names: tuple[str, ...]
    augment: tuple[Mixing, ...] = ()

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
                    reads.append((unchecked(loss, from_logits=True), place))
                    continue
            reads.append((loss, network.outputs[i]))
        return network, reads


class Pairs(NamedTuple):
    """Examples that were mixed from two rows.

    Attributes:
        partner: the other row of each example.
        share: of the own row and label in it, from 0 to 1.
    """

    partner: Array
    share: Array

    def larger(self, labels: Array) -> Array:
        """The label that has the larger share."""
        return labels[jnp.where(self.share < 0.5, self.partner, jnp.arange(len(labels)))]


def _cost(
    loss: Loss, y: Array, y_pred: Array, weight: Array | None, steps: Array, pairs: Pairs | None
) -> tuple[Array, Array]:
    """The loss of a batch and what it is a mean over; of mixed examples, of both their labels."""
    if pairs is None:
        return loss.cost_and_count(y, y_pred, weight, steps)
    total = count = jnp.zeros(())
    for rows, share in ((slice(None), pairs.share), (pairs.partner, 1 - pairs.share)):
        own = jnp.ones(1) if weight is None else weight[rows]
        share = share.reshape(-1, *(1,) * (own.ndim - 1))
        value, counted = loss.cost_and_count(y[rows], y_pred, share * own, steps)
        total, count = total + value * counted, count + counted
    # Shares add up to 1 where the loss divides by weights, and both labels count where it does not.
    if loss.reduction != "mean_with_sample_weight":
        count = count / 2
    return total / jnp.where(count == 0, 1, count), count


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
    pairs: Pairs | None = None
    if train and objective.augment:
        key, own = jax.random.split(key)
        x, partner, share = mix(objective.augment, batch.x[0], batch.mask, own)
        batch, pairs = batch._replace(x=(x,)), Pairs(partner, share)
    values, masks, state = fused.masked_forward(
        params, state, batch.x, key=key, train=train, rows=batch.mask
    )
    rows = batch.mask.sum()
    count = rows
    total: Array = jnp.zeros(())
    stats: Stats = {}
    for i, read in enumerate(reads):
        if read is None:
            continue
        loss, place = read
        y_pred = pick(values, place)
        steps = real_steps(masks, place, y_pred, batch.mask)
        value, count = _cost(loss, batch.y[i], y_pred, batch.weight[i], steps, pairs)
        total += objective.weights[i] * value
        if len(objective.losses) > 1:
            stats[f"{objective.names[i]}_loss"] = {"sum": value * count, "count": count}
    total += network.penalty(params) + fused.activity_penalty(values, batch.mask)
    # The mean over batches is exact: each counts as much as what its loss is a mean over.
    count = count if len(objective.losses) == 1 else rows
    stats["loss"] = {"sum": total * count, "count": count}
    for measure in objective.measures:
        i = measure.output
        weight, given = batch.mask, batch.weight[i]
        if measure.weighted and given is not None:
            weight = weight * given.reshape(len(given), -1).mean(1)
        y_true, y_pred = batch.y[i], pick(values, fused.outputs[i])
        if pairs is not None:
            y_true = pairs.larger(y_true)
        steps = real_steps(masks, fused.outputs[i], y_pred, weight)
        if steps.ndim > 1:  # each step becomes an example of its own
            y_true, y_pred, steps = (a.reshape(-1, *a.shape[2:]) for a in (y_true, y_pred, steps))
        stats[measure.label] = measure.metric.measure(y_true, y_pred, steps)
    return total, (state, stats)


def step(
    network: Network,
    objective: Objective,
    optimizer: Optimizer,
    train: TrainState,
    batch: Batch,
    learning_rate: Array,
    mask: Params | None = None,
) -> tuple[TrainState, Stats]:
    """One update of the weights; its randomness is a function of (key, step).

    Gradients are multiplied by `mask`: at 0, a weight that begins as 0 stays 0.
    """
    loss = loss_of(network, objective, train, batch)
    learn, _ = network.split_trainable(train.params)
    (value, (state, stats)), grads = jax.value_and_grad(loss, has_aux=True)(learn)
    if mask is not None:
        grads = jax.tree.map(jnp.multiply, grads, mask)
    extra = {"value": value, "value_fn": lambda p: loss(p)[0]} if optimizer.needs_value else {}
    learn, optimizer_state = optimizer.step(learn, grads, train.optimizer, learning_rate, **extra)
    learn = network.project(learn, learning_rate)
    params = {name: learn.get(name, train.params[name]) for name in train.params}
    return TrainState(params, state, optimizer_state, train.key, train.step + 1), stats


def loss_of(
    network: Network, objective: Objective, train: TrainState, batch: Batch
) -> Callable[[Params], tuple[Array, tuple[State, Stats]]]:
    """What the step at `train` takes the gradient of: a function of the weights that learn."""
    key = jax.random.fold_in(train.key, train.step)
    _, kept = network.split_trainable(train.params)

    def loss(learn: Params) -> tuple[Array, tuple[State, Stats]]:
        return losses_and_stats(
            network, objective, {**learn, **kept}, train.state, batch, key=key, train=True
        )

    return loss


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
