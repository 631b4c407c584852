"""From a table to the arrays of a fit: columns, encoder, target and three parts."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.arguments import named
from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.columns import Column, infer_columns
from fitwell.data.duplicates import duplicates
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.labels import Target, fit_target, infer_task, target_column
from fitwell.data.matrices import encode_rows
from fitwell.data.roles import Roles, Rows, part_weights, role_notes
from fitwell.data.splits import Split
from fitwell.data.tables import Options, Table, to_table
from fitwell.errors import InvalidArgument, InvalidData, did_you_mean
from fitwell.tabular.model import known_rows
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Part:
    """Some rows of a table: features, and the target as a network and as a person sees it.

    Attributes:
        rows: their places in `Prepared.frame`, ascending.
        weights: how much each row counts, 1 on average over the training rows; None for 1 each.
    """

    x: HostArray
    encoded: HostArray
    true: HostArray
    rows: HostArray
    weights: HostArray | None = None


@dataclass(frozen=True, repr=False)
class Prepared:
    """A table that is ready for training.

    Attributes:
        columns: what every column was taken for.
        encoder, target: learned from the training rows.
        train, validation, test: the three parts.
        notes: what a user should know, in sentences.
        frame: the rows whose target is known, as they were read.
        roles: the columns of weights, groups and times.
        forms: how numbers and dates were written in columns of text, as in `fitwell.data.Table`.
        groups: (rows of `frame`,) the same number for rows that stay together, because they are of
            one group or copies; None where each is alone.
        places: (rows of `frame`,) where each was among all rows that were read, from 0.
    """

    columns: tuple[Column, ...]
    encoder: TableEncoder
    target: Target
    train: Part
    validation: Part
    test: Part
    notes: tuple[str, ...]
    frame: pl.DataFrame
    roles: Roles
    forms: Mapping[str, str]
    groups: HostArray | None
    places: HostArray

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(getattr(self, part).rows):,} {part}" for part in _PARTS)
        features = self.train.x.shape[1]
        what = f"{self.target.task} of {self.target.name}"
        return f"<Prepared: {what}, {features:,} features; rows: {rows}>"


@named
def prepare(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    skip_bad_rows: bool = False,
    seed: int = 0,
) -> Prepared:
    """Reads, looks at, splits and encodes a table; the first half of `train`."""
    roles = Roles(weights, group, time)
    table = _read(data, kinds, skip_bad_rows)
    if target is None:
        target = _known_target(data, table.frame)
    (prepared,) = _prepared(table, [target], {target: task}, kinds, roles, seed)
    return prepared


@named
def prepare_several(
    data: Any,
    targets: Sequence[str],
    *,
    task: str | Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    skip_bad_rows: bool = False,
    seed: int = 0,
) -> tuple[Prepared, ...]:
    """The same table for several targets: the same rows, parts and features, one for each target.

    Args:
        targets: the columns to predict, from all others.
        data, kinds, weights, group, time, skip_bad_rows, seed: as for `train`.
        task: of all targets, or of each: `{"price": "regression"}`.

    Raises:
        InvalidArgument: less than two targets, one twice, or a task for a column that is none.
    """
    names = list(targets)
    if len(names) < 2 or len(set(names)) < len(names):
        cure = "Name each column to predict once; pass a single one without a list."
        raise InvalidArgument("train", "two different targets or more", f"{names}", cure)
    tasks = dict(task) if isinstance(task, Mapping) else dict.fromkeys(names, task)
    for name in tasks:
        if name not in names:
            cure = did_you_mean(name, names)
            raise InvalidArgument("train", "tasks of targets", f"task of {name!r}", cure)
    roles = Roles(weights, group, time)
    return _prepared(_read(data, kinds, skip_bad_rows), names, tasks, kinds, roles, seed)


def _read(data: Any, kinds: Mapping[str, str] | None, skip_bad_rows: bool) -> Table:
    written = [name for name, kind in (kinds or {}).items() if kind in ("category", "text")]
    return to_table(data, Options(text=frozenset(written), skip_bad_rows=skip_bad_rows))


def _prepared(
    table: Table,
    names: Sequence[str],
    given: Mapping[str, str | None],
    kinds: Mapping[str, str] | None,
    roles: Roles,
    seed: int,
) -> tuple[Prepared, ...]:
    frame = table.frame
    ys = [target_column(frame, name) for name in names]
    tasks = [infer_task(y, given.get(y.name)) for y in ys]
    roles.check(frame, names)
    columns = infer_columns(frame, names, kinds, roles.given)  # of all rows, which notes number
    known = functools.reduce(operator.and_, (y.is_not_null() for y in ys))
    rows, places = roles.of_rows(frame, known), known.arg_true().to_numpy()
    frame, notes = known_rows(frame, *ys)
    ys = [y.filter(known) for y in ys]
    seen = [*names, *roles.given.values(), *(c.name for c in columns if c.used)]
    same = duplicates(frame.select(list(dict.fromkeys(seen))))
    parts = _split(ys, tasks, rows, same.groups, seed)
    together = same.groups if rows.groups is None else rows.groups
    encoder = fit_encoder(frame, columns, parts.train)
    encoded = [
        (encode_rows(encoder, frame, part), part, part_weights(roles, rows, part, parts.train))
        for part in (parts.train, parts.validation, parts.test)
    ]
    noticed = (c.note for c in columns if c.note)
    copies = (same.note,) if same.note else ()
    said = (*table.notes, *notes, *noticed, *copies, *parts.notes, *role_notes(roles, frame, parts))

    def prepared(y: pl.Series, task: str) -> Prepared:
        # Every class is in the training rows; mean and range must come from them alone.
        fitted = fit_target(y[parts.train], task)
        train, validation, test = (
            Part(x, fitted.encode(y[part]), fitted.true_values(y[part]), part, weights)
            for x, part, weights in encoded
        )
        three = train, validation, test
        return Prepared(
            columns, encoder, fitted, *three, said, frame, roles, table.forms, together, places
        )

    return tuple(prepared(y, task) for y, task in zip(ys, tasks, strict=True))


_TRIALS = 20
"""Splits that are tried until all classes of several targets are in the training part."""
_ROWS_PER_CLASS = 5
"""Combinations of classes with fewer rows are stratified together."""


def _split(
    ys: Sequence[pl.Series],
    tasks: Sequence[str],
    rows: Rows,
    copies: HostArray | None,
    seed: int,
) -> Split:
    """The three parts, stratified by the classes of all targets."""
    classes = [y for y, task in zip(ys, tasks, strict=True) if task != "regression"]
    if not classes:
        return rows.split(len(ys[0]), copies, seed)
    if len(classes) == 1:
        return rows.split(classes[0].to_numpy(), copies, seed)
    codes = [np.unique(y.to_numpy(), return_inverse=True)[1].reshape(-1) for y in classes]
    labels = len(ys[0]) if rows.times is not None else _joint(codes)
    for trial in range(_TRIALS):
        parts = rows.split(labels, copies, seed + trial * 1_000_003)
        new = [y for y, own in zip(classes, codes, strict=True) if _some_new(own, parts.train)]
        if not new:
            return parts
    cure = "Leave out rows of classes that are rare or only come later, or train a model for each."
    received = f"none in any of {_TRIALS} splits"
    raise InvalidData(
        f"target {new[0].name}", "a row of every class in the training part", received, cure
    )


def _joint(codes: Sequence[HostArray]) -> HostArray:
    """(n,) the combination of classes of each row; the rare ones together."""
    _, joint, counts = np.unique(
        np.stack(codes, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    labels: HostArray = np.where(counts[joint.reshape(-1)] < _ROWS_PER_CLASS, -1, joint.reshape(-1))
    return labels


def _some_new(codes: HostArray, training: HostArray) -> bool:
    return not np.isin(codes, codes[training]).all()


def _known_target(data: Any, frame: pl.DataFrame) -> str:
    if is_bundled(data):
        return TARGET
    raise InvalidArgument(
        "train",
        "the column to predict",
        "no target",
        f"Name one (--target on the command line): {', '.join(frame.columns)}.",
    )
