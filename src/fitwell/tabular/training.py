"""From a table to a trained and tested model."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.arguments import named, whole_number
from fitwell.callbacks import Callback
from fitwell.callbacks.until import Until
from fitwell.data.encoding import decisions
from fitwell.feeding import seconds
from fitwell.model import Model
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Part, Prepared
from fitwell.tabular.recipe import default_network, described, members, plan, stopping
from fitwell.tabular.refitting import ENDED, MOST_ROWS, epochs_enough, refit
from fitwell.tabular.scores import beside, scores, simplest
from fitwell.tabular.seen import fingerprints, seen_rows
from fitwell.tabular.uncertainty import with_uncertainty
from fitwell.types import HostArray


def check_length(epochs: int | None, time_limit: float | str | None) -> None:
    """Raises InvalidArgument for what `train` would refuse, before any data are read."""
    if epochs is not None:
        whole_number("train", "epochs", epochs, 1)
    if time_limit is not None:
        seconds("train", "time_limit", time_limit)


@named
def build(prepared: Prepared, *, epochs: int | None = None, seed: int = 0) -> Model:
    """The default network for a table, compiled and untrained."""
    rows, features = prepared.train.x.shape
    categories = prepared.encoder.categories
    return default_network(features, prepared.target, plan(rows, epochs), rows, seed, categories)


def fit(prepared: Prepared, network: Model, **options: Any) -> TableModel:
    """Trains what `build` made and measures it on the test rows; the last part of `train`.

    Args:
        prepared: what `prepare` returned.
        network: what `build` returned, or a compiled one of your own for the same features.
        options: epochs, time_limit, verbose as in `train`; callbacks, doctor as in `Model.fit`.
    """
    course, (unseen,) = run([prepared], network, **options)
    return measured(prepared, network, unseen, **course)


@named
def run(
    targets: Sequence[Prepared],
    network: Model,
    *,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    verbose: int | str = "auto",
    callbacks: Sequence[Callback] = (),
    doctor: str = "warn",
) -> tuple[dict[str, Any], list[HostArray | None]]:
    """Trains a network on one table, with an output for each target.

    Returns:
        how it went, and what `measured` takes as `unseen` of each target.
    """
    check_length(epochs, time_limit)
    part, held = (together([getattr(one, name) for one in targets]) for name in _LEARNED)
    chosen = plan(len(part[0]), epochs)
    stopper, fresh, began = stopping(chosen), _copied(network, part, held), time.perf_counter()
    history = network.fit(
        *part[:2],
        sample_weight=part[2],
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        validation_data=held,
        validation_freq=chosen.validation_freq,
        callbacks=[stopper, Until("train", time_limit), *callbacks],
        verbose=verbose,
        doctor=doctor,
    )
    if history.stopped == "interrupted" and not history.epoch:
        raise KeyboardInterrupt  # before the first step: there is nothing to measure
    best = None if stopper.best_weights is None else stopper.best_epoch + 1
    course = {
        "network": described(network),
        "epochs": len(history.epoch),
        "planned_epochs": chosen.epochs,
        "best_epoch": best,
        "stopped": history.stopped,
    }
    unseen: list[HostArray | None] = [None] * len(targets)
    ended = history.stopped in ENDED and history.treated is None
    limit = None if time_limit is None else began + seconds("train", "time_limit", time_limit)
    if fresh is not None and best is not None and ended:
        unseen = [_answer(network, one.validation.x, n) for n, one in enumerate(targets)]
        enough = epochs_enough(history, best, len(held[0]))
        steps = enough * math.ceil(len(part[0]) / chosen.batch_size)
        course |= _learned_from_both(network, fresh, part, held, steps, chosen.batch_size, limit)
    course["seconds"] = time.perf_counter() - began
    return course, unseen


_LEARNED = ("train", "validation")
_Examples = tuple[HostArray, Any, Any]


def _copied(network: Model, part: _Examples, held: _Examples) -> Model | None:
    """The network before training, where it will be trained again."""
    return copy.deepcopy(network) if len(part[0]) + len(held[0]) < MOST_ROWS else None


def _answer(network: Model, x: HostArray, output: int) -> HostArray:
    """What one of its outputs gives."""
    found = network.predict(x, verbose=0)
    return found[output] if isinstance(found, list) else found


def _learned_from_both(
    network: Model,
    fresh: Model,
    part: _Examples,
    held: _Examples,
    steps: int,
    batch_size: int,
    limit: float | None,
) -> dict[str, Any]:
    """Facts about the second training, on training and validation rows; see `refit`.

    Args:
        limit: when it must have ended, by the clock of `time.perf_counter`.
    """
    left = None if limit is None else limit - time.perf_counter()
    if left is not None and left <= 0:
        return {}
    if isinstance(part[2], list) != isinstance(held[2], list):  # rows of one lack some targets
        part, held = _weighed_apart(*part), _weighed_apart(*held)
    x, y, weights = map(_one_after_other, part, held)
    return refit(
        network, fresh, x, y, steps=steps, batch_size=batch_size, sample_weight=weights,
        time_limit=left,
    )  # fmt: skip


def _weighed_apart(x: HostArray, y: list[HostArray], weights: Any) -> _Examples:
    """The same with an array of weights for each target."""
    if isinstance(weights, list):
        return x, y, weights
    own = np.ones(len(x), np.float32) if weights is None else weights
    return x, y, [own] * len(y)


def _one_after_other(first: Any, second: Any) -> Any:
    """Arrays of two parts as those of one: None, an array, or a list with one per target."""
    if isinstance(first, list):
        return [np.concatenate(pair) for pair in zip(first, second, strict=True)]
    return None if first is None else np.concatenate([first, second])


def together(parts: Sequence[Part]) -> tuple[HostArray, Any, Any]:
    """x, y and weights of the same part of each target, as `Model.fit` takes them.

    Where rows lack some of the targets, all rows that have one are in it, and what is lacking
    weighs nothing: an array of weights for each target.
    """
    first = parts[0]
    if all(part.rows is first.rows for part in parts):
        ys = [part.encoded for part in parts]
        return first.x, ys if len(ys) > 1 else ys[0], first.weights
    rows = np.unique(np.concatenate([part.rows for part in parts]))
    x = np.empty((len(rows), first.x.shape[1]), np.float32)
    ys, weights = list[HostArray](), list[HostArray]()
    for part in parts:
        places = np.searchsorted(rows, part.rows)
        x[places] = part.x
        for found, own in ((ys, part.encoded), (weights, part.weights)):
            whole = np.zeros(len(rows), np.float32 if own is None else own.dtype)
            whole[places] = 1.0 if own is None else own
            found.append(whole)
    return x, ys, weights


def measured(
    prepared: Prepared, trained: Model, unseen: HostArray | None = None, **course: Any
) -> TableModel:
    """A trained network with its scores on the test rows, beside those of the baselines.

    Temperature and intervals are fitted on the validation rows.

    Args:
        prepared: what `prepare` returned.
        trained: a network for its features.
        unseen: what it gave for the validation rows before it learned from them; None where it
            never did.
        course: more facts, about how it was trained.
    """
    part, held, test = prepared.train, prepared.validation, prepared.test
    bare = TableModel(trained, prepared.encoder, prepared.target)
    model, outputs, sureness = with_uncertainty(bare, held, test, unseen)
    simple = simplest(
        prepared.target,
        _joined(part.x, held.x),
        _joined(part.true, held.true),
        test.x,
        None if part.weights is None else _joined(part.weights, held.weights),
    )
    facts = {
        "rows": {"train": len(part.x), "validation": len(held.x), "test": len(test.x)},
        "columns": decisions(prepared.columns, prepared.encoder),
        "forms": dict(prepared.forms),
        "features": part.x.shape[1],
        "members": members(trained),
        **course,
        "roles": prepared.roles.given,
        "scores": scores(prepared.target, test.true, outputs, test.weights),
        **sureness,
        **beside(prepared.target, test.true, outputs, simple, test.weights),
        "notes": list(prepared.notes),
    }
    saw = [fingerprints(prepared.encoder, rows.x, rows.encoded) for rows in (part, held, test)]
    return dataclasses.replace(model, facts=facts, seen=seen_rows(saw[:2], saw[2]))


_MOST_ROWS = 500_000
"""Rows that a linear model learns from: more change it little, and take it long."""


def _joined(first: HostArray, second: HostArray | None) -> HostArray:
    """Both, one after the other; of very many rows every second, third, ... one."""
    assert second is not None
    step = -(-(len(first) + len(second)) // _MOST_ROWS)
    return np.concatenate([first[::step], second[::step]])
