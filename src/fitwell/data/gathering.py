"""Columns of a text file, gathered block by block: numbers as numbers, all else as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fitwell.data.values import as_numbers

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Columns:
    """Columns on the way: the blocks of each.

    Attributes:
        text: columns that keep their text.
        only: the columns that are wanted; None for all.
        words: columns of which a block was not all numbers.
        again: of these, those whose earlier blocks are numbers now.
    """

    text: frozenset[str]
    only: frozenset[str] | None = None
    parts: dict[str, list[pl.Series]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)

    def add(self, block: pl.DataFrame) -> None:
        for column in block.iter_columns():
            name = column.name
            if name in self.again or (self.only is not None and name not in self.only):
                continue
            parts = self.parts.setdefault(name, [])
            if name in self.text or name in self.words:
                parts.append(column)
            elif (numbers := as_numbers(column)) is not None:
                parts.append(numbers)
            elif any(part.null_count() < len(part) for part in parts):
                self.again.add(name)
                parts.clear()
            else:
                self.words.add(name)
                parts.append(column)


def joined(name: str, parts: list[pl.Series]) -> pl.Series:
    """The blocks of a column as one: text if one is text, whole numbers if all are."""
    import polars as pl

    kinds = {part.dtype for part in parts}
    if all(part.null_count() == len(part) for part in parts):
        return pl.Series(name, [None] * sum(map(len, parts)), pl.String)
    for kind in (pl.String, pl.Float64, pl.Int64):
        if kind in kinds:
            return pl.concat([p.cast(kind) for p in parts], rechunk=True).alias(name)
    return pl.concat(parts, rechunk=True).alias(name)
