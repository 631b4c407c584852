"""What users call: from a table, or from a file, to a model that takes raw tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, overload

from fitwell import loading
from fitwell.arguments import named
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.model import Model
from fitwell.tabular.model import KEY, TableModel
from fitwell.tabular.preparing import prepare, prepare_several
from fitwell.tabular.several import MultiTargetModel, build_several, fit_several
from fitwell.tabular.training import build, check_length, fit


@overload
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
) -> TableModel: ...
@overload
def train(
    data: Any,
    target: list[str] | tuple[str, ...],
    *,
    task: str | Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    skip_bad_rows: bool = False,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> MultiTargetModel: ...
@named
def train(
    data: Any,
    target: str | list[str] | tuple[str, ...] | None = None,
    *,
    task: str | Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    skip_bad_rows: bool = False,
    epochs: int | None = None,
    time_limit: float | str | None = None,
    seed: int = 0,
    verbose: int | str = "auto",
) -> TableModel | MultiTargetModel:
    """A network that predicts one column of a table, or several, from the others.

    Rows are split into 64 % training, 16 % validation (when to stop) and 20 % test, with every
    class in its share and copies of a row in one part. In a small table every row counts: with less
    than 10,000 rows for training and validation the network, once it has stopped, is trained anew
    on both: to the end of its plan, or for as many steps as were best where the end was clearly
    worse. How sure it may be is measured before.

    `model.facts["scores"]` holds the scores on the test rows, `model.facts["baselines"]` those of
    a constant and of a linear model, and `model.facts["differences"]` how far it is from each: 95 %
    intervals over the same rows.
    Predicted numbers stay within the range that the target has in the training rows.

    Args:
        data: a path (CSV, TSV, Parquet, JSON lines), `"sklearn:NAME"`, or a data frame of pandas,
            polars or pyarrow.
        target: the column to predict; known for `"sklearn:NAME"`. A list of names makes one network
            with an output for each, numbers and classes in any mixture.
        task: `"binary"`, `"multiclass"` or `"regression"`; None infers it from the target. Of
            several targets also a dict: `{"price": "regression"}`.
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
    options: Any = {
        "kinds": kinds, "weights": weights, "group": group, "time": time,
        "skip_bad_rows": skip_bad_rows, "seed": seed,
    }  # fmt: skip
    course: Any = {"epochs": epochs, "time_limit": time_limit, "verbose": verbose}
    if isinstance(target, list | tuple):
        views = prepare_several(data, target, task=task, **options)
        return fit_several(views, build_several(views, epochs=epochs, seed=seed), **course)
    if isinstance(task, Mapping):
        cure = "Pass its name: task='regression'."
        raise InvalidArgument("train", "one task for one target", f"task={dict(task)!r}", cure)
    prepared = prepare(data, target, task=task, **options)
    return fit(prepared, build(prepared, epochs=epochs, seed=seed), **course)


def load(path: str | os.PathLike[str]) -> TableModel | MultiTargetModel:
    """The model that `TableModel.save` or `MultiTargetModel.save` wrote.

    Nothing in the file is executed.

    Args:
        path: the file, or the folder of a run of `fitwell train`.

    Raises:
        InvalidFile: missing, damaged, foreign or hostile, or a model without a table.
    """
    path = file_of(path)
    return from_network(loading.load(path), path)


def file_of(path: str | os.PathLike[str]) -> str:
    """The model file that is meant: the one in a folder of a run, or the path itself.

    >>> file_of("houses.safetensors")
    'houses.safetensors'
    """
    folder = os.path.isdir(path)
    return os.path.join(path, "model.safetensors") if folder else os.fspath(path)


def from_network(network: Model, path: str | os.PathLike[str]) -> TableModel | MultiTargetModel:
    """What `load` makes of the network of a file.

    Raises:
        InvalidFile: as `load`.
    """
    table = network.extra.get(KEY)
    if not isinstance(table, dict):
        raise InvalidFile(
            f"model file {os.fspath(path)!r}",
            "a model that was trained on a table",
            "a network alone",
            "Load it with fitwell.load, or train one with fitwell train.",
        )
    kind = MultiTargetModel if "targets" in table else TableModel
    try:
        return kind.from_json(network, table)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(
            f"model file {os.fspath(path)!r}",
            "the description of a table",
            f"{type(error).__name__}: {error}",
            "The file is damaged: train and save the model again.",
        ) from error
