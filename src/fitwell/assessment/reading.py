"""From a model and data, as users pass them, to a Subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fitwell.assessment.subject import Feature, Inputs, Subject, probabilities
from fitwell.data.arrays import to_array
from fitwell.data.encoding import FittedColumn, TableEncoder
from fitwell.data.features import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    NumberColumn,
)
from fitwell.data.frames import is_frame
from fitwell.data.labels import Target, target_column
from fitwell.data.target_encoding import TargetEncodedColumn
from fitwell.data.targets import BINARY, ONE_HOT
from fitwell.data.values import to_dates, to_numbers, to_text, to_truths
from fitwell.errors import FitwellError, InvalidArgument
from fitwell.examples import Examples
from fitwell.losses import SparseCategoricalCrossentropy
from fitwell.summary import rows
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_MOST_FEATURES = 300


class OfTables(Protocol):
    """What is asked of a model of tables."""

    @property
    def encoder(self) -> TableEncoder: ...
    @property
    def target(self) -> Target: ...
    @property
    def network(self) -> Any: ...
    def read(self, data: Any) -> pl.DataFrame: ...
    def outputs(self, features: HostArray) -> HostArray: ...


def subject_of(
    caller: str,
    model: Any,
    x: Any,
    y: Any = None,
    *,
    names: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Subject:
    """The subject of a compiled model with arrays, or of a model of tables with a table.

    Args:
        caller: what the user called, for messages.
        model: a Model, or what `fitwell.tabular` returns.
        x, y: as `evaluate` takes them: for a model of tables, a table with the target in it.
        names: of the columns, for arrays without.
        classes: names of the classes, in order.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: no model, or names that do not fit.
        InvalidData, ShapeMismatch: data that do not fit the model.
    """
    if isinstance(getattr(model, "encoder", None), TableEncoder):
        if not hasattr(model, "target"):
            received = f"one of {len(model.targets)}"
            cure = f"Pass model[{model.targets[0].name!r}]."
            raise InvalidArgument(caller, "a model of one target", received, cure)
        return of_table(model, model.read(x))
    if not hasattr(model, "compiled"):
        received = f"a {type(model).__name__}"
        cure = "Pass a compiled Sequential or Model, or what fitwell.tabular.train returned."
        raise InvalidArgument(caller, "a model", received, cure)
    return _of_arrays(caller, model, x, y, names, classes)


# Tables


def of_table(model: OfTables, frame: pl.DataFrame, counts: HostArray | None = None) -> Subject:
    """The rows of a table with their truth; its columns can be shuffled.

    Args:
        model: of tables.
        frame: with the target.
        counts: how much each row counts; None for 1 each.
    """
    encoder, target = model.encoder, model.target
    truth = target.true_values(target_column(frame, target.name))
    features, start = [], 0
    for column in encoder.columns:
        width = len(column.feature_names)
        places = slice(start, start + width)
        values = _values(column, frame[column.name])
        features.append(Feature(column.name, 0, places, values, column.encode))
        start += width
    return Subject(
        target.task,
        target.name,
        tuple(map(str, target.classes)),
        (encoder.transform(frame),),
        truth,
        lambda inputs: model.outputs(inputs[0]),
        tuple(features),
        counts=counts,
        operations=_operations(model.network),
    )


def _operations(model: Any) -> int:
    """Of one answer."""
    return sum(row.flops for row in rows(model.network))


def _values(column: FittedColumn, raw: pl.Series) -> pl.Series | None:
    """What people know of a column: numbers, names, truth values or moments."""
    if isinstance(column, NumberColumn):
        return to_numbers(raw, column.words)
    if isinstance(column, CategoryColumn | TargetEncodedColumn):
        return to_text(raw)
    if isinstance(column, BooleanColumn):
        return to_truths(raw)
    return to_dates(raw) if isinstance(column, DateColumn) else None


# Arrays


def _of_arrays(
    caller: str,
    model: Any,
    x: Any,
    y: Any,
    names: Sequence[str] | None,
    classes: Sequence[Any] | None,
) -> Subject:
    reader = Examples(model, caller)
    try:
        labels = reader.batch(x, y).y
    except FitwellError as error:
        if y is not None:
            raise
        cure = f"Write {caller}(model, X, y)."
        raise InvalidArgument(caller, "rows X and their true values y", "no y", cure) from error
    place = next(i for i, loss in enumerate(reader.objective.losses) if loss is not None)
    loss, shape = reader.objective.losses[place], model.network.output_shapes[place][0]
    inputs = tuple(reader.read(x))
    task, truth = _task(loss, labels[place], shape)
    logits = bool(getattr(loss, "from_logits", False))
    units = shape[-1] if shape else 1

    def answer(given: Inputs) -> HostArray:
        found = model.predict(given[0] if len(given) == 1 else list(given))
        several = list(found.values()) if isinstance(found, dict) else found
        one = np.asarray(several[place] if len(model.output_names) > 1 else found)
        if task == "regression":
            flat: HostArray = one.reshape(-1).astype(np.float64)
            return flat
        return probabilities(task, one.reshape(-1, units), logits)

    features, reason = _features(caller, model, x, inputs, names)
    outputs = model.output_names
    notes = (
        (f"The model has {len(outputs)} outputs; this is about {outputs[place]}.",)
        if len(outputs) > 1
        else ()
    )
    named = _class_names(caller, task, units, classes)
    target = outputs[place] if len(outputs) > 1 else "y"
    return Subject(
        task,
        target,
        named,
        inputs,
        truth,
        answer,
        features,
        reason,
        operations=_operations(model),
        notes=notes,
    )


def _task(loss: Any, y: HostArray, shape: tuple[int, ...]) -> tuple[str, HostArray]:
    units = shape[-1] if shape else 1
    if isinstance(loss, SparseCategoricalCrossentropy):
        return "multiclass", y.reshape(-1).astype(np.int64)
    flat = y.reshape(-1, units)
    bits = bool(((flat == 0) | (flat == 1)).all())
    if isinstance(loss, ONE_HOT) and bits:
        return "multiclass", flat.argmax(axis=1)
    if isinstance(loss, BINARY) and bits:
        whole = flat.astype(np.int64)
        return ("binary", whole[:, 0]) if units == 1 else ("multilabel", whole)
    return "regression", y.reshape(-1).astype(np.float64)


def _class_names(
    caller: str, task: str, units: int, classes: Sequence[Any] | None
) -> tuple[str, ...]:
    if task == "regression":
        return ()
    count = 2 if task == "binary" else units
    if classes is None:
        return tuple(str(i) for i in range(count))
    if len(classes) != count:
        cure = "Pass one name per class, in the order of their numbers."
        raise InvalidArgument(caller, f"{count} names in labels", f"{len(classes)}", cure)
    return tuple(map(str, classes))


def _features(
    caller: str, model: Any, x: Any, inputs: Inputs, names: Sequence[str] | None
) -> tuple[tuple[Feature, ...], str]:
    """What can be shuffled, or why nothing can."""
    if len(inputs) > 1:
        return tuple(Feature(n, i, None) for i, n in enumerate(model.input_names)), ""
    (array,) = inputs
    if array.dtype.kind not in "fiub":
        return (), "The model reads text: one input, with nothing to shuffle it against."
    if array.ndim not in (2, 3):
        return (), (
            "The model reads images: a pixel shuffled on its own says nothing about them."
            if array.ndim > 3
            else "The model reads one number."
        )
    count = array.shape[-1]
    if array.ndim == 3 and count == 1:
        return (), "The sequences have one channel: there is nothing to shuffle it against."
    if count > _MOST_FEATURES:
        return (), f"{count:,} columns are too many to shuffle one by one."
    found = names if names is not None else _column_names(x, count, array.ndim)
    if len(found) != count:
        cure = "Pass one name per column."
        raise InvalidArgument(caller, f"{count} names", f"{len(found)}", cure)
    return tuple(_column(str(n), i, array) for i, n in enumerate(found)), ""


def _column(name: str, place: int, array: HostArray) -> Feature:
    places = slice(place, place + 1)
    if array.ndim > 2:
        return Feature(name, 0, places)
    return Feature(name, 0, places, array[:, place], lambda values: to_array(name, values)[:, None])


def _column_names(x: Any, count: int, axes: int) -> Sequence[str]:
    if is_frame(x):
        return [str(name) for name in x.columns]
    return [f"X[:, {':, ' * (axes - 2)}{i}]" for i in range(count)]
