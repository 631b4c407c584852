"""From a table to the arrays of a fit: columns, encoder, target and three parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.columns import Column, infer_columns
from fitwell.data.duplicates import duplicates
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.labels import Target, fit_target, infer_task, target_column
from fitwell.data.roles import Roles, part_weights, role_notes
from fitwell.data.tables import Options, to_table
from fitwell.errors import InvalidArgument
from fitwell.tabular.model import known_rows
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl


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


@dataclass(frozen=True)
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
    """

    columns: tuple[Column, ...]
    encoder: TableEncoder
    target: Target
    train: Part
    validation: Part
    test: Part
    notes: tuple[str, ...]
    frame: pl.DataFrame
    roles: Roles = field(default_factory=Roles)
    forms: Mapping[str, str] = field(default_factory=dict)


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
    written = [name for name, kind in (kinds or {}).items() if kind in ("category", "text")]
    table = to_table(data, Options(text=frozenset(written), skip_bad_rows=skip_bad_rows))
    frame = table.frame
    if target is None:
        target = _known_target(data, frame)
    y = target_column(frame, target)
    task = infer_task(y, task)
    roles.check(frame, [target])
    columns = infer_columns(frame, target, kinds, roles.given)  # of all rows, which notes number
    rows = roles.of_rows(frame, y.is_not_null())
    frame, notes = known_rows(frame, y)
    y = y.drop_nulls()
    seen = [target, *roles.given.values(), *(c.name for c in columns if c.used)]
    same = duplicates(frame.select(list(dict.fromkeys(seen))))
    labels = len(y) if task == "regression" else y.to_numpy()
    parts = rows.split(labels, same.groups, seed)
    encoder = fit_encoder(frame[parts.train], columns)
    # Every class is in the training rows; mean and range must come from them alone.
    fitted = fit_target(y[parts.train], task)

    def part(chosen: HostArray) -> Part:
        of = y[chosen]
        x = encoder.transform(frame[chosen])
        weights = part_weights(roles, rows, chosen, parts.train)
        return Part(x, fitted.encode(of), fitted.true_values(of), chosen, weights)

    noticed = (c.note for c in columns if c.note)
    copies = (same.note,) if same.note else ()
    said = (*table.notes, *notes, *noticed, *copies, *parts.notes, *role_notes(roles, frame, parts))
    three = part(parts.train), part(parts.validation), part(parts.test)
    return Prepared(columns, encoder, fitted, *three, said, frame, roles, table.forms)


def _known_target(data: Any, frame: pl.DataFrame) -> str:
    if is_bundled(data):
        return TARGET
    raise InvalidArgument(
        "train",
        "the column to predict",
        "no target",
        f"Name one (--target on the command line): {', '.join(frame.columns)}.",
    )
