"""The output, the loss and the metric that labels need."""

from __future__ import annotations

import dataclasses
from typing import Any

from fitwell.doctor.labels import Labels
from fitwell.doctor.record import Head
from fitwell.doctor.rewriting import Edit, head, rewritten
from fitwell.doctor.rules.ranges import undefined
from fitwell.doctor.setup import Facts, Setup
from fitwell.layers.dense import Dense
from fitwell.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

_CROSS = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
_FOCAL = ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")
_OF_NUMBERS = (
    "MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh", "MeanSquaredLogarithmicError",
    "MeanAbsolutePercentageError",
)  # fmt: skip
_CLASSES = ("Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy")


def is_discrete(of: Head) -> bool:
    """Whether the labels name classes; whole numbers before one linear unit are numbers."""
    if of.labels.kind != "classes":
        return of.labels.discrete
    return of.units > 1 or of.loss in (*_CROSS, *_FOCAL) or of.activation == "softmax"


def right_head(setup: Setup, facts: Facts) -> Setup | None:
    """Units, activation, loss and metric of each output by the kind of its labels."""
    changed = None
    for i in range(len(facts.record.heads)):
        after = _right_head(changed or setup, facts, i)
        changed = after or changed
    return changed


def _right_head(setup: Setup, facts: Facts, output: int) -> Setup | None:
    of = facts.record.heads[output]
    if facts.ranks[output] > 1 or of.loss is None or not _is_known(of):
        return None
    units, activation, loss = _wanted(of)
    if _is_right(of, units, activation, loss):
        return None
    network = rewritten(setup.network, _edits(setup, output, units, activation))
    if network is None:
        return None
    told = setup.compiled
    losses = _with(told.losses, output, loss)
    metric = ("accuracy",) if is_discrete(of) else ("mae",)
    fits = bool(of.metrics) and _metrics_fit(of, is_discrete(of))
    metrics = told.metrics if fits else _with(told.metrics, output, metric)
    weighted = told.weighted_metrics if fits else _with(told.weighted_metrics, output, ())
    compiled = dataclasses.replace(told, losses=losses, metrics=metrics, weighted_metrics=weighted)
    return dataclasses.replace(setup, network=network, compiled=compiled)


def _is_known(of: Head) -> bool:
    """A loss of the user's own, or a rare one, is meant, but where targets do not fit it."""
    return of.loss in (*_CROSS, *_FOCAL, *_OF_NUMBERS) or bool(undefined(of))


def _metrics_fit(of: Head, discrete: bool) -> bool:
    return all((name in _CLASSES) == discrete for name in of.metrics)


def _wanted(of: Head) -> tuple[int, str, Loss]:
    labels: Labels = of.labels
    if labels.kind == "one_hot":
        return labels.width, "softmax", CategoricalCrossentropy()
    if labels.kind == "binary":
        return 1, "sigmoid", BinaryCrossentropy()
    if labels.kind == "multi_hot":
        return labels.width, "sigmoid", BinaryCrossentropy()
    if is_discrete(of):
        units = max(int(labels.high) + 1, labels.classes)
        return units, "softmax", SparseCategoricalCrossentropy()
    return labels.width, "linear", MeanSquaredError()


def _is_right(of: Head, units: int, activation: str, loss: Loss) -> bool:
    """Whether the output is that one, or another way of saying the same."""
    name = type(loss).__name__
    shown = activation if of.from_logits and of.activation == "linear" else of.activation
    if of.loss in (*_CROSS, *_FOCAL) and of.from_logits and of.activation != "linear":
        return False  # a second softmax, or logits cut off at 0
    if of.reduction == "sum":
        return False  # the rate would have to fall with the batch
    if is_discrete(of):
        same = of.loss in (name, name.replace("Cross", "FocalCross"))
        pair = of.labels.kind == "binary" and of.loss == "SparseCategoricalCrossentropy"
        if pair:
            return of.units >= 2 and shown in ("softmax", "linear")
        return same and shown == activation and of.units == units
    if of.labels.kind == "shares" and of.loss in _CROSS:
        return of.units == units and shown in ("sigmoid", "softmax") and of.units > 0
    reaches = of.labels.outside == 0 and of.activation != "softmax" and not undefined(of)
    return of.loss in _OF_NUMBERS and of.units == units and reaches


def _edits(setup: Setup, output: int, units: int, activation: str) -> dict[str, Edit]:
    """A Dense at the end gets the units and the activation; anything else a Dense behind it."""
    network = setup.network
    place, last = head(network, output)
    layer: Any = network.nodes[place].layer
    if type(layer) is not Dense:
        node = network.nodes[last]
        bare = [node.layer] if node.layer.split_activation()[0] is not None else []
        return {node.name: [*bare, Dense(units, activation=activation)]}
    shown = None if activation == "linear" else activation
    edits: dict[str, Edit] = {
        network.nodes[place].name: [dataclasses.replace(layer, units=units, activation=shown)]
    }
    while last != place:
        edits[network.nodes[last].name] = []
        last = network.nodes[last].inputs[0][0]
    return edits


def _with(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])
