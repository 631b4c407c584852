"""`cross_validate`: folds of the data as lanes of one program."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.data.arrays import to_array
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from fitwell.model import Model
from fitwell.population.jobs import Job
from fitwell.population.lanes import Lane
from fitwell.population.results import CrossValidation
from fitwell.types import HostArray

Fold = tuple[HostArray, HostArray]


@named
@in_words
def cross_validate(
    model: Model,
    x: Any = None,
    y: Any = None,
    folds: int = 5,
    repeats: int = 1,
    stratify: bool | None = None,
    groups: Any = None,
    seed: int | None = None,
    batch_size: int | str | None = None,
    epochs: int = 1,
    patience: int | None = None,
    monitor: str | None = None,
    mode: str = "auto",
    sample_weight: Any = None,
    verbose: int | str = "auto",
    time_limit: float | str | None = None,
) -> CrossValidation:
    """Trains a copy of the model without each fold of the data, and measures it there.

    Every example is held out once in each repeat. The folds are lanes of one program. What layers
    learn from data (Normalization) they learn from the training part of each fold alone.

    Args:
        model, x, y, batch_size, epochs, sample_weight, time_limit: as in `fit`.
        folds: parts of the data, 2 up to the number of examples (or groups).
        repeats: how many times the data are divided anew.
        stratify: give each fold its share of each class; None does so for class labels.
        groups: (n,) examples of one group are never divided between folds.
        seed: of the division; None takes `model.seed`.
        patience, monitor, mode, verbose: as in `fit_many`. With `patience` the fold also decides
            when to stop, which makes its own score a little too good.

    Returns:
        a CrossValidation: `.frame()` has a row per fold, `.mean()` mean and standard deviation,
        `.predictions` what each example got from the models that had not seen it.

    Raises:
        InvalidArgument, InvalidData: more folds than examples, groups or members of a class.

    >>> from fitwell import Sequential
    >>> from fitwell.layers import Dense
    >>> x = np.linspace(-1, 1, 60)[:, None]
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", loss="mse")
    >>> found = cross_validate(model, x, 2 * x, folds=3, epochs=2, verbose=0)
    >>> len(found), found.predictions.shape
    (3, (60, 1))

    Source: Stone 1974, "Cross-validatory choice and assessment of statistical predictions".
    """
    subject = "cross_validate"
    whole_number(subject, "folds", folds, 2)
    whole_number(subject, "repeats", repeats, 1)
    job = Job(
        subject, model, x, y, batch_size=batch_size, epochs=epochs,
        patience=patience, monitor=monitor, mode=mode, sample_weight=sample_weight, folds=True,
    )  # fmt: skip
    labels = _labels(job, stratify)
    own = None if groups is None else _groups(subject, groups, job.rows)
    first = model.seed if seed is None else whole_number(subject, "seed", seed, 0)
    lanes = [
        Lane(model.seed + repeat, rows=train, held_out=held)
        for repeat in range(repeats)
        for train, held in divide(subject, job.rows, folds, labels, own, first + repeat)
    ]
    found = CrossValidation(*job.run(lanes, verbose, time_limit))
    found.predictions = _out_of_fold(found, lanes, job)
    found.held_out = [lane.held_out for lane in lanes if lane.held_out is not None]
    return found


def divide(
    subject: str,
    rows: int,
    folds: int,
    labels: HostArray | None,
    groups: HostArray | None,
    seed: int,
) -> list[Fold]:
    """The rows of the training part and of the held-out part of each fold, ascending.

    Raises:
        InvalidData: more folds than there are examples, groups, or members of the rarest class.
    """
    from sklearn import model_selection as sk

    counted = {"examples": rows}
    if groups is not None:
        counted["groups"] = len(np.unique(groups))
    elif labels is not None:
        counted["examples of the rarest class"] = int(
            np.unique(labels, return_counts=True)[1].min()
        )
    for what, count in counted.items():
        if folds > count:
            cure = "Pass fewer folds" + (", or stratify=False." if "class" in what else ".")
            raise InvalidData(subject, f"at least folds={folds} {what}", f"{count}", cure)
    options: dict[str, Any] = {"n_splits": folds, "shuffle": True, "random_state": seed % 2**32}
    if groups is not None:
        kind = sk.GroupKFold if labels is None else sk.StratifiedGroupKFold
    else:
        kind = sk.KFold if labels is None else sk.StratifiedKFold
    return list(kind(**options).split(np.zeros(rows), labels, groups))


def _labels(job: Job, stratify: bool | None) -> HostArray | None:
    """The class of each example, or None where there are none to stratify by."""
    loss, y = job.objective.losses[0], job.data.y[0]
    of_classes = isinstance(
        loss, BinaryCrossentropy | CategoricalCrossentropy | SparseCategoricalCrossentropy
    )
    plain = y.ndim == 1 or (y.ndim == 2 and (y.shape[1] == 1 or _one_hot(y)))
    if stratify is None:
        stratify = of_classes and plain
    if not stratify:
        return None
    if not plain:
        cure = "Leave stratify out."
        raise InvalidArgument(
            job.subject, "one class per example to stratify by", f"labels of shape {y.shape}", cure
        )
    return y.argmax(1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)


def _one_hot(y: HostArray) -> bool:
    return bool(np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all())


def _groups(subject: str, groups: Any, rows: int) -> HostArray:
    own = to_array(f"{subject}, groups", groups) if not _texts(groups) else np.asarray(groups)
    if own.shape != (rows,):
        cure = "Name the group of every example."
        raise InvalidArgument(subject, f"groups of shape ({rows},)", f"{own.shape}", cure)
    return own


def _texts(groups: Any) -> bool:
    return np.asarray(groups).dtype.kind in "UOS"


def _out_of_fold(found: CrossValidation, lanes: list[Lane], job: Job) -> Any:
    """Of each example the mean prediction of the models that were trained without it."""
    totals: list[Any] = []
    counts = np.zeros(job.rows)
    for model, lane in zip(found.models, lanes, strict=True):
        assert lane.held_out is not None
        xs = [a[lane.held_out] for a in job.data.x]
        outputs = model._predict_arrays(model.network.program(), xs, 1024)
        if not totals:
            totals = [np.zeros((job.rows, *o.shape[1:])) for o in outputs]
        for total, output in zip(totals, outputs, strict=True):
            total[lane.held_out] += output
        counts[lane.held_out] += 1
    means = [t / counts.reshape(-1, *[1] * (t.ndim - 1)) for t in totals]
    return found.models[0]._form_outputs([m.astype(np.float32) for m in means])
