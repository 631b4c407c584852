"""From a table to the arrays of a fit: columns, encoder, target and three parts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fitwell.arguments import named
from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.columns import Column, infer_columns
from fitwell.data.duplicates import duplicates
from fitwell.data.encoding import TableEncoder, fit_encoder, put_out_of_fold
from fitwell.data.labels import (
    Target,
    fit_target,
    infer_task,
    is_known,
    known_rows,
    signals_of,
    target_column,
)
from fitwell.data.matrices import encode_rows
from fitwell.data.roles import Roles, part_weights, role_notes
from fitwell.data.splits import Split
from fitwell.data.tables import Options, Table, to_table
from fitwell.data.target_encoding import TargetEncodedColumn
from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.tabular.parting import split_rows
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
        frame: the rows whose target is known (of several, one at least), as they were read.
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
    """The same table for several targets: the same parts and features, one for each target.

    A row that lacks one of the targets is in none of its parts, and in those of the others.

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
    ys = [target_column(table.frame, name) for name in names]
    tasks = [infer_task(y, given.get(y.name)) for y in ys]
    roles.check(table.frame, names)
    # Of all rows, since notes number them.
    columns = infer_columns(table.frame, names, kinds, roles.given)
    known = is_known(*ys)
    rows, places = roles.of_rows(table.frame, known), known.arg_true().to_numpy()
    frame, notes = known_rows(table.frame, *ys)
    ys = [y.filter(known) for y in ys]
    seen = [*names, *roles.given.values(), *(c.name for c in columns if c.used)]
    same = duplicates(frame.select(list(dict.fromkeys(seen))))
    parts = split_rows(ys, tasks, rows, same.groups, seed)
    together = same.groups if rows.groups is None else rows.groups
    training = [y[parts.train] for y in ys]
    # Every class is in the training rows; mean and range must come from them alone.
    targets = [fit_target(y.drop_nulls(), task) for y, task in zip(training, tasks, strict=True)]
    signals = functools.cache(lambda: signals_of(targets, training))
    encoder, encoded = _encoded(frame, columns, parts, signals, together)
    weights = [part_weights(roles, rows, part, parts.train) for part in _three(parts)]
    noticed = (c.note for c in columns if c.note)
    copies = (same.note,) if same.note else ()
    said = (*table.notes, *notes, *noticed, *_averaged(encoder), *copies, *parts.notes)
    said += role_notes(roles, frame, parts)

    def prepared(y: pl.Series, target: Target) -> Prepared:
        train, validation, test = (
            _part(y, target, x, part, weight)
            for x, part, weight in zip(encoded, _three(parts), weights, strict=True)
        )
        three = train, validation, test
        return Prepared(
            columns, encoder, target, *three, said, frame, roles, table.forms, together, places
        )

    return tuple(prepared(y, target) for y, target in zip(ys, targets, strict=True))


def _three(parts: Split) -> tuple[HostArray, HostArray, HostArray]:
    return parts.train, parts.validation, parts.test


def _encoded(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    parts: Split,
    signals: Callable[[], HostArray],
    together: HostArray | None,
) -> tuple[TableEncoder, list[HostArray]]:
    """The encoder, and the features of the three parts."""
    encoder = fit_encoder(frame, columns, parts.train, signals)
    encoded = [encode_rows(encoder, frame, part) for part in _three(parts)]
    groups = None if together is None else together[parts.train]
    put_out_of_fold(encoder, encoded[0], frame, parts.train, signals, groups)
    return encoder, encoded


def _part(
    y: pl.Series, target: Target, x: HostArray, rows: HostArray, weights: HostArray | None
) -> Part:
    """Those of the rows that have a value of the target."""
    chosen = y[rows]
    if chosen.null_count():
        known = chosen.is_not_null().to_numpy()
        chosen, x, rows = chosen.drop_nulls(), x[known], rows[known]
        weights = None if weights is None else weights[known]
    return Part(x, target.encode(chosen), target.true_values(chosen), rows, weights)


def _averaged(encoder: TableEncoder) -> Iterator[str]:
    """A sentence about each category of very many values."""
    for column in encoder.columns:
        if isinstance(column, TargetEncodedColumn):
            yield (
                f"{column.name}: {len(column.values):,} values, each read as the mean target "
                "of the training rows that share it (target encoding)."
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
