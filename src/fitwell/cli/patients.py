"""What `fitwell checkup` examines: a model of a file or a program, and data as `fit` gets them."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from fitwell.cli import models, showing
from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.labels import fit_target, infer_task, known_rows, target_column
from fitwell.data.tables import read_table
from fitwell.data.values import kind_of, to_numbers
from fitwell.errors import FitwellError, InvalidArgument, InvalidData, InvalidFile
from fitwell.examples import Examples
from fitwell.images import ImageModel
from fitwell.model import Model
from fitwell.tabular import MultiTargetModel, TableModel, prepare

if TYPE_CHECKING:
    import polars as pl

_NAMES = {"x": ("x", "X"), "y": ("y", "Y"), "held_x": ("x_val", "X_val"), "held_y": ("y_val",)}


@dataclass(frozen=True)
class Patient:
    """A compiled model and arrays for it.

    Attributes:
        table: what stands between it and a table, or None.
    """

    model: Model
    table: TableModel | MultiTargetModel | None = None


def read_model(text: str) -> Patient:
    """A saved model, of a run's folder too, or what the function BUILD of `net.py:BUILD` returns.

    Raises:
        InvalidFile: no such file, or one that is no model.
        InvalidArgument: a program without that name, or whose function fails or returns no model.
    """
    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py"):
        return Patient(_built(Path(path), name))
    if text.endswith(".py"):
        cure = f"For example {shlex.quote(text)}:build, a function that returns a compiled model."
        raise InvalidArgument("MODEL", "a function of the program", repr(text), cure)
    found = models.read(Path(text))
    if isinstance(found, Model):
        return Patient(found)
    return Patient(found.network, None if isinstance(found, ImageModel) else found)


def built(text: str, shape: tuple[int, ...]) -> Model:
    """What `net.py:BUILD` builds, for examples of this shape."""
    model = read_model(text).model
    if not model.built:
        model.build_for(shape)
    return model


def program(text: str) -> str | None:
    """The program of `net.py:BUILD` as it is written; None for a model file."""
    path, colon, _ = text.rpartition(":")
    written = colon and path.endswith(".py")
    return Path(path).read_text("utf-8", "replace") if written else None


def _built(path: Path, name: str) -> Model:
    subject = f"MODEL {path}:{name}"
    if not path.is_file():
        raise InvalidFile(subject, "a Python file", "none of that name", "Check the path.")
    try:
        found = getattr(_module(path), name, None)
        model = found() if callable(found) and not isinstance(found, Model) else found
    except FitwellError:
        raise
    except Exception as error:  # whatever the user's program raises
        received = f"{type(error).__name__}: {error}"
        cure = "Run the program by itself first."
        raise InvalidArgument(subject, "a program that runs", received, cure) from error
    if not isinstance(model, Model):
        received = f"no {name}" if found is None else type(model).__name__
        cure = f"Write def {name}(): ... return model, with model.compile(...) in it."
        raise InvalidArgument(subject, "a function that returns a model", received, cure)
    return model


def _module(path: Path) -> Any:
    """The program as a module; what lies beside it can be imported, as when Python runs it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        sys.modules[spec.name] = module  # dataclasses and pickles look it up
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def read_data(
    patient: Patient, data: str, target: str | None, skip_bad_rows: bool = False
) -> tuple[Any, Any, Any]:
    """x, y and validation data or None, of a table or an .npz file.

    Raises:
        InvalidFile, InvalidData, InvalidArgument, UnknownName: data that no model could take.
    """
    if patient.table is not None:
        return *_encoded(patient.table, data, target, skip_bad_rows), None
    if data.endswith(".npz"):
        return _arrays(data, target)
    frame = read_table(models.readable(None, data, skip_bad_rows))
    if target is None and not is_bundled(data):
        cure = f"Name one of {', '.join(frame.columns)} with --target."
        raise InvalidArgument("checkup", "the column to predict", "no --target", cure)
    column = target_column(frame, target or TARGET)
    frame, _ = known_rows(frame, column)
    x = frame.drop(column.name)
    try:
        Examples(patient.model, "checkup").read(x)
    except InvalidData:
        if all(kind_of(values) in ("number", "boolean") for values in x.iter_columns()):
            raise
        return _as_trained(patient.model, frame, column.name)
    return x, _labels(patient.model, column.drop_nulls()), None


def _as_trained(model: Model, frame: pl.DataFrame, target: str) -> tuple[Any, Any, Any]:
    """Training and validation rows, encoded as for `fitwell train --model`."""
    prepared = prepare(frame, target)
    if not model.built:
        model.build_for(prepared.train.x.shape[1:])
    ys = [part.encoded for part in (prepared.train, prepared.validation)]
    classes = prepared.target.classes
    if classes and _reads_one_hot(model):
        ys = [np.eye(len(classes), dtype=np.float32)[y] for y in ys]
    note = "Not all columns are numbers: they are encoded and split as fitwell train does it."
    showing.notes(Console(stderr=True, highlight=False), [note])
    return prepared.train.x, ys[0], (prepared.validation.x, ys[1])


def _encoded(
    table: TableModel | MultiTargetModel, data: str, target: str | None, skip_bad_rows: bool
) -> tuple[Any, Any]:
    """Features and targets as training had them."""
    targets = models.targets(table)
    if target is not None and [target] != [one.name for one in targets]:
        cure = "Leave --target out: a saved table model knows it."
        expected = ", ".join(repr(one.name) for one in targets)
        raise InvalidArgument("--target", expected, repr(target), cure)
    frame, _ = table.labelled(models.readable(table, data, skip_bad_rows))
    for one in targets:  # the doctor takes no rows that lack one of several
        frame = frame.filter(target_column(frame, one.name).is_not_null())
    ys = [one.encode(target_column(frame, one.name)) for one in targets]
    return table.encoder.transform(frame), ys if len(ys) > 1 else ys[0]


def _labels(model: Model, column: pl.Series) -> Any:
    """Numbers as they are, text as the numbers of its classes, in alphabetical order.

    A table cannot hold one-hot labels; where the loss reads these, classes are turned into them.
    """
    task = infer_task(column)
    words = str(column.dtype) in ("String", "Boolean", "Categorical")
    if task == "regression" or not words:
        y = np.asarray(to_numbers(column).to_numpy())
    else:
        y = fit_target(column, task).encode(column)
    if task == "regression" or not _reads_one_hot(model):
        return y
    classes, places = np.unique(y, return_inverse=True)
    return np.eye(len(classes), dtype=np.float32)[places]


def _reads_one_hot(model: Model) -> bool:
    return [type(one).__name__ for one in model.compiled().losses] == ["CategoricalCrossentropy"]


def _arrays(path: str, target: str | None) -> tuple[Any, Any, Any]:
    subject = f"file {os.path.basename(path)}"
    if target is not None:
        cure = "Leave --target out: the labels are the array y."
        raise InvalidArgument("--target", "a table", f"{target!r} with an .npz file", cure)
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except Exception as error:  # zip, format and OS errors have no common base
        cure = "Write it with numpy.savez(path, X=X, y=y)."
        received = f"{type(error).__name__}: {error}"
        raise InvalidFile(subject, "arrays X and y", received, cure) from error
    found = {
        key: next((held[n] for n in names if n in held), None) for key, names in _NAMES.items()
    }
    if found["x"] is None or found["y"] is None:
        cure = "Write it with numpy.savez(path, X=X, y=y), X_val and y_val too if there are some."
        raise InvalidData(subject, "arrays X and y", ", ".join(held) or "none", cure)
    one, other = found["held_x"], found["held_y"]
    return found["x"], found["y"], None if one is None or other is None else (one, other)
