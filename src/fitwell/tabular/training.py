"""From a table to a trained and tested model."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from fitwell.arguments import named, whole_number
from fitwell.callbacks import Callback
from fitwell.data.encoding import decisions
from fitwell.feeding import seconds
from fitwell.model import Model
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Part, Prepared
from fitwell.tabular.recipe import default_network, described, members, plan, stopping
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
    return default_network(features, prepared.target, plan(rows, epochs), rows, seed)


def fit(prepared: Prepared, network: Model, **options: Any) -> TableModel:
    """Trains what `build` made and measures it on the test rows; the last part of `train`.

    Args:
        prepared: what `prepare` returned.
        network: what `build` returned, or a compiled one of your own for the same features.
        options: epochs, time_limit, verbose as in `train`; callbacks, doctor as in `Model.fit`.
    """
    return measured(prepared, network, **run([prepared], network, **options))


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
) -> dict[str, Any]:
    """Trains a network on one table, with an output for each target; returns how it went."""
    check_length(epochs, time_limit)
    x, y, weights = together([one.train for one in targets])
    held = together([one.validation for one in targets])
    chosen = plan(len(x), epochs)
    stopper = stopping(chosen)
    began = time.perf_counter()
    history = network.fit(
        x,
        y,
        sample_weight=weights,
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        validation_data=held,
        validation_freq=chosen.validation_freq,
        callbacks=[stopper, *callbacks],
        time_limit=time_limit,
        verbose=verbose,
        doctor=doctor,
    )
    duration = time.perf_counter() - began
    best = None if stopper.best_weights is None else stopper.best_epoch + 1
    return {
        "network": described(network),
        "epochs": len(history.epoch),
        "planned_epochs": chosen.epochs,
        "best_epoch": best,
        "stopped": history.stopped,
        "seconds": duration,
    }


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


def measured(prepared: Prepared, trained: Model, **course: Any) -> TableModel:
    """A trained network with its scores on the test rows, beside those of the baselines.

    Temperature and intervals are fitted on the validation rows.

    Args:
        prepared: what `prepare` returned.
        trained: a network for its features.
        course: more facts, about how it was trained.
    """
    part, held, test = prepared.train, prepared.validation, prepared.test
    bare = TableModel(trained, prepared.encoder, prepared.target)
    model, outputs, sureness = with_uncertainty(bare, held, test)
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
