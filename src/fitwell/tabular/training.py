"""From a table to a trained and tested model."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitwell.arguments import whole_number
from fitwell.callbacks import Callback
from fitwell.data.encoding import decisions
from fitwell.feeding import seconds
from fitwell.model import Model
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Prepared, prepare
from fitwell.tabular.recipe import default_network, described, plan, stopping
from fitwell.tabular.scores import baselines, scores
from fitwell.types import HostArray


def train(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    skip_bad_rows: bool = False,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> TableModel:
    """A network that predicts one column of a table from the others.

    Rows are split into 64 % training, 16 % validation (when to stop) and 20 % test, with every
    class in its share and copies of a row in one part. `model.facts["scores"]` holds the scores on
    the test rows, `model.facts["baselines"]` those of a constant and of a linear model.

    Args:
        data: a path (CSV, TSV, Parquet, JSON lines), `"sklearn:NAME"`, or a data frame of pandas,
            polars or pyarrow.
        target: the column to predict; known for `"sklearn:NAME"`.
        task: `"binary"`, `"multiclass"` or `"regression"`; None infers it from the target.
        kinds: columns whose kind you know better: `{"Pclass": "category", "note": "ignore"}`; any
            of number, category, boolean, date, text, id, constant, ignore.
        weights: the column that says how much each row counts (>= 0), in training and in scores.
        group: the column of which rows with one value come into one part (a patient, a customer).
        time: the column that orders the rows: trained on the past, tested on the latest.
        skip_bad_rows: leave out rows of a file that cannot be read, and say which.
        epochs: passes over the training rows, >= 1; None chooses by their number.
        time_limit: seconds, or "90s", "10m".
        seed: of the split and the network.
        verbose: as in `Model.fit`.

    Raises:
        InvalidFile, InvalidData: no table, or one that nothing can be learned from.
        InvalidArgument: a column with two roles; group and time together.
        UnknownName: there is no such column.
    """
    check_length(epochs, time_limit)
    prepared = prepare(
        data, target, task=task, kinds=kinds, weights=weights, group=group, time=time,
        skip_bad_rows=skip_bad_rows, seed=seed,
    )  # fmt: skip
    network = build(prepared, epochs=epochs, seed=seed)
    return fit(prepared, network, epochs=epochs, time_limit=time_limit, verbose=verbose)


def check_length(epochs: int | None, time_limit: float | str | None) -> None:
    """Raises InvalidArgument for what `train` would refuse, before any data are read."""
    if epochs is not None:
        whole_number("train", "epochs", epochs, 1)
    if time_limit is not None:
        seconds("train", "time_limit", time_limit)


def build(prepared: Prepared, *, epochs: int | None = None, seed: int = 0) -> Model:
    """The default network for a table, compiled and untrained."""
    rows, features = prepared.train.x.shape
    return default_network(features, prepared.target, plan(rows, epochs), rows, seed)


def fit(
    prepared: Prepared,
    network: Model,
    *,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    verbose: int | str = "auto",
    callbacks: Sequence[Callback] = (),
    doctor: str = "warn",
) -> TableModel:
    """Trains what `build` made and measures it on the test rows; the last part of `train`.

    Args:
        prepared: what `prepare` returned.
        network: what `build` returned, or a compiled one of your own for the same features.
        epochs, time_limit, verbose: as in `train`.
        callbacks, doctor: as in `Model.fit`.
    """
    check_length(epochs, time_limit)
    part, held = prepared.train, prepared.validation
    chosen = plan(len(part.x), epochs)
    stopper = stopping(chosen)
    began = time.perf_counter()
    history = network.fit(
        part.x,
        part.encoded,
        sample_weight=part.weights,
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        validation_data=(held.x, held.encoded, held.weights),
        callbacks=[stopper, *callbacks],
        time_limit=time_limit,
        verbose=verbose,
        doctor=doctor,
    )
    duration = time.perf_counter() - began
    best = None if stopper.best_weights is None else stopper.best_epoch + 1
    return measured(
        prepared,
        network,
        network=described(network),
        epochs=len(history.epoch),
        planned_epochs=chosen.epochs,
        best_epoch=best,
        stopped=history.stopped,
        seconds=duration,
    )


def measured(prepared: Prepared, trained: Model, **course: Any) -> TableModel:
    """A trained network with its scores on the test rows, beside those of the baselines.

    Args:
        prepared: what `prepare` returned.
        trained: a network for its features.
        course: more facts, about how it was trained.
    """
    model = TableModel(trained, prepared.encoder, prepared.target)
    part, held, test = prepared.train, prepared.validation, prepared.test
    facts = {
        "rows": {"train": len(part.x), "validation": len(held.x), "test": len(test.x)},
        "columns": decisions(prepared.columns, prepared.encoder),
        "forms": dict(prepared.forms),
        "features": part.x.shape[1],
        **course,
        "roles": prepared.roles.given,
        "scores": scores(prepared.target, test.true, model.outputs(test.x), test.weights),
        "baselines": baselines(
            prepared.target,
            np.concatenate([part.x, held.x]),
            np.concatenate([part.true, held.true]),
            test.x,
            test.true,
            _joined(part.weights, held.weights),
            test.weights,
        ),
        "notes": list(prepared.notes),
    }
    return TableModel(trained, prepared.encoder, prepared.target, facts)


def _joined(first: HostArray | None, second: HostArray | None) -> HostArray | None:
    return None if first is None or second is None else np.concatenate([first, second])
