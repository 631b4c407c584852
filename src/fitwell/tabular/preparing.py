"""From a table to the arrays of a fit: columns, encoder, target and three parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fitwell.data.bundled import TARGET, is_bundled
from fitwell.data.columns import Column, infer_columns
from fitwell.data.encoding import TableEncoder, fit_encoder
from fitwell.data.labels import Target, fit_target, infer_task, target_column
from fitwell.data.splits import split
from fitwell.data.tables import read_table
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
    """

    x: HostArray
    encoded: HostArray
    true: HostArray
    rows: HostArray


@dataclass(frozen=True)
class Prepared:
    """A table that is ready for training.

    Attributes:
        columns: what every column was taken for.
        encoder, target: learned from the training rows.
        train, validation, test: the three parts.
        notes: what a user should know, in sentences.
        frame: the rows whose target is known, as they were read.
    """

    columns: tuple[Column, ...]
    encoder: TableEncoder
    target: Target
    train: Part
    validation: Part
    test: Part
    notes: tuple[str, ...]
    frame: pl.DataFrame


def prepare(
    data: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Prepared:
    """Reads, looks at, splits and encodes a table; the first half of `train`."""
    written = [name for name, kind in (kinds or {}).items() if kind in ("category", "text")]
    frame = read_table(data, text=written)
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
        return Part(encoder.transform(frame[rows]), encoded, true, rows)

    said = (*notes, *(c.note for c in columns if c.note), *parts.notes)
    three = part(parts.train), part(parts.validation), part(parts.test)
    return Prepared(columns, encoder, fitted, *three, said, frame)


def _known_target(data: Any, frame: pl.DataFrame) -> str:
    if is_bundled(data):
        return TARGET
    raise InvalidArgument(
        "train",
        "the column to predict",
        "no target",
        f"Name one (--target on the command line): {', '.join(frame.columns)}.",
    )
