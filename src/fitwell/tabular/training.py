"""From a table to a trained and tested model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.arguments import whole_number
from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.columns import Column, infer_columns
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.labels import Target, fit_target, infer_task, target_column
from fitwell.data.splits import split
from fitwell.data.tables import read_table
from fitwell.errors import InvalidArgument
from fitwell.feeding import seconds
from fitwell.model import Model
from fitwell.tabular.model import TableModel, known_rows
from fitwell.tabular.recipe import default_network, described, plan, stopping
from fitwell.tabular.scores import baselines, scores
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Part:
    """Some rows of a table: features, and the target as a network and as a person sees it."""

    x: HostArray
    encoded: HostArray
    true: HostArray


@dataclass(frozen=True)
class Prepared:
    """A table that is ready for training.

    Attributes:
        columns: what every column was taken for.
        encoder, target: learned from the training rows.
        train, validation, test: the three parts.
        notes: what a user should know, in sentences.
    """

    columns: tuple[Column, ...]
    encoder: TableEncoder
    target: Target
    train: Part
    validation: Part
    test: Part
    notes: tuple[str, ...]


def train(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> TableModel:
    """A network that predicts one column of a table from the others.

    Rows are split into 64 % training, 16 % validation (when to stop) and 20 % test, with every
    class in its share. `model.facts["scores"]` holds the scores on the test rows,
    `model.facts["baselines"]` those of a constant and of a linear model.

    Args:
        data: a path (CSV, TSV, Parquet, JSON lines), `"sklearn:NAME"`, or a data frame of pandas,
            polars or pyarrow.
        target: the column to predict; known for `"sklearn:NAME"`.
        task: `"binary"`, `"multiclass"` or `"regression"`; None infers it from the target.
        kinds: columns whose kind you know better: `{"Pclass": "category"}`.
        epochs: passes over the training rows, >= 1; None chooses by their number.
        time_limit: seconds, or "90s", "10m".
        seed: of the split and the network.
        verbose: as in `Model.fit`.

    Raises:
        InvalidFile, InvalidData: no table, or one that nothing can be learned from.
        UnknownName: there is no such column.
    """
    check_length(epochs, time_limit)
    prepared = prepare(data, target, task=task, kinds=kinds, seed=seed)
    network = build(prepared, epochs=epochs, seed=seed)
    return fit(prepared, network, epochs=epochs, time_limit=time_limit, verbose=verbose)


def check_length(epochs: int | None, time_limit: float | str | None) -> None:
    """Raises InvalidArgument for what `train` would refuse, before any data are read."""
    if epochs is not None:
        whole_number("train", "epochs", epochs, 1)
    if time_limit is not None:
        seconds("train", "time_limit", time_limit)


def prepare(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Prepared:
    """Reads, looks at, splits and encodes a table; the first half of `train`."""
    frame = read_table(data, text=[n for n, k in (kinds or {}).items() if k == "category"])
    if target is None:
        target = _known_target(data, frame)
    y = target_column(frame, target)
    task = infer_task(y, task)
    columns = infer_columns(frame, target, kinds)  # of all rows: its notes name them by number
    frame, notes = known_rows(frame, y)
    y = y.drop_nulls()
    parts = split(len(y) if task == "regression" else y.to_numpy(), seed=seed)
    encoder = fit_encoder(frame[parts.train], columns)
    # Every class is in the training rows; mean and range must come from them alone.
    fitted = fit_target(y[parts.train], task)

    def part(rows: HostArray) -> Part:
        encoded, true = fitted.encode(y[rows]), fitted.true_values(y[rows])
        return Part(encoder.transform(frame[rows]), encoded, true)

    said = (*notes, *(c.note for c in columns if c.note), *parts.notes)
    return Prepared(
        columns, encoder, fitted, part(parts.train), part(parts.validation), part(parts.test), said
    )


def _known_target(data: Any, frame: pl.DataFrame) -> str:
    if is_bundled(data):
        return TARGET
    raise InvalidArgument(
        "train",
        "the column to predict",
        "no target",
        f"Name one (--target on the command line): {', '.join(frame.columns)}.",
    )


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
) -> TableModel:
    """Trains what `build` made and measures it on the test rows; the last part of `train`."""
    check_length(epochs, time_limit)
    part, held = prepared.train, prepared.validation
    rows, features = part.x.shape
    chosen = plan(rows, epochs)
    stopper = stopping(chosen)
    began = time.perf_counter()
    history = network.fit(
        part.x,
        part.encoded,
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        validation_data=(held.x, held.encoded),
        callbacks=[stopper],
        time_limit=time_limit,
        verbose=verbose,
    )
    duration = time.perf_counter() - began
    model = TableModel(network, prepared.encoder, prepared.target)
    test = prepared.test
    facts = {
        "rows": {"train": rows, "validation": len(held.x), "test": len(test.x)},
        "features": features,
        "network": described(network),
        "epochs": len(history.epoch),
        "planned_epochs": chosen.epochs,
        "best_epoch": None if stopper.best_weights is None else stopper.best_epoch + 1,
        "stopped": history.stopped,
        "seconds": duration,
        "scores": scores(prepared.target, test.true, model.outputs(test.x)),
        "baselines": baselines(
            prepared.target,
            np.concatenate([part.x, held.x]),
            np.concatenate([part.true, held.true]),
            test.x,
            test.true,
        ),
        "notes": list(prepared.notes),
    }
    return TableModel(network, prepared.encoder, prepared.target, facts)
