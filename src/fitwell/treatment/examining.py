"""From a model and its data to what cures read: the setup as it was told, and the facts."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from fitwell import activations, metrics, tree
from fitwell.arguments import whole_number
from fitwell.data.targets import choose_loss
from fitwell.doctor import reading, recurrence
from fitwell.doctor.record import Features, Record
from fitwell.doctor.setup import Facts, Setup
from fitwell.model import Model
from fitwell.objectives import Compiled
from fitwell.programs import start
from fitwell.training import Batch, Measure, Objective
from fitwell.treatment.scoring import Data, Rows


def as_told(
    subject: str, model: Model, data: Data, epochs: Any = None, batch_size: Any = None,
    class_weight: Any = None,
) -> Setup:  # fmt: skip
    """What `compile` and the last `fit` were told; `epochs` and `batch_size` go before."""
    told = model.history.params if model.history is not None else {}
    optimizer = model._require_optimizer()
    if model.learning_rate_override is not None:
        optimizer = dataclasses.replace(optimizer, learning_rate=model.learning_rate_override)
    if batch_size == "full":
        batch_size = len(data.train)
    size = told.get("batch_size") or 32 if batch_size is None else batch_size
    epochs = told.get("epochs") or 20 if epochs is None else epochs
    return Setup(
        model.network,
        _compiled(model, data.train),
        optimizer,
        min(whole_number(subject, "batch_size", size), len(data.train)),
        whole_number(subject, "epochs", epochs),
        class_weight=class_weight,
    )


def _compiled(model: Model, rows: Rows) -> Compiled:
    """What `compile` was told, with losses in place of "auto"."""
    told = model.compiled()
    chosen = []
    for i, (loss, y) in enumerate(zip(told.losses, rows.ys, strict=True)):
        if loss == "auto":
            shape, _ = model.network.output_shapes[i]
            loss, _ = choose_loss(activations.name_of(model.network.logits(i)[2]), shape, y)
        chosen.append(loss)
    return dataclasses.replace(told, losses=tuple(chosen))


def facts_of(model: Model, setup: Setup, data: Data) -> Facts:
    """What is read of the training rows and of the model before its first step."""
    network, train = setup.network, data.train
    begun = jax.tree.map(np.asarray, start(network, model.seed).params)
    encoder = Batch(tuple(train.xs), tuple(train.ys), (None,) * len(train.ys), None)
    objective = _objective(setup)
    plan = reading.plan(
        setup.optimizer, setup.batch_size, setup.epochs, -(-len(train) // setup.batch_size),
        len(train), data.held is not None, tree.size(network.split_trainable(begun)[0]),
    )  # fmt: skip
    fed = network.fed == network.inputs
    record = Record(
        tuple(_over_all(one, data) for one in reading.features(network, encoder, None))
        if fed
        else (),
        reading.heads(network, objective, train.ys),
        reading.layers(network, begun),
        plan,
        padding=recurrence.padding(network, encoder) if fed else None,
        straight=reading.straight(network),
    )
    flat = [y.reshape(len(y), -1).astype(np.float64) for y in train.ys]
    return Facts(
        record,
        tuple(y.mean(0) for y in flat),
        tuple(y.std(0) for y in flat),
        tuple(y.ndim - 1 for y in train.ys),
        any(one is not None for one in train.weights),
    )


def _over_all(one: Features, data: Data) -> Features:
    """With the largest id of all rows, those that judge included."""
    if not one.listed:
        return one
    place = data.all.names[0].index(one.name) if one.name in data.all.names[0] else 0
    rows = [data.all] if data.held is None else [data.all, data.held]
    high = np.max([part.xs[place].max(0) for part in rows], axis=0)
    return dataclasses.replace(one, high=np.asarray(high, np.float64))


def _objective(setup: Setup) -> Objective:
    """Losses and metrics before anyone checked the labels."""
    told = setup.compiled
    measures = [
        Measure(str(one), i, metrics.get(one, kind="binary"), False)
        for i, of in enumerate(told.metrics)
        for one in of
    ]
    return Objective(told.losses, told.weights, tuple(measures), told.names, told.augment)
