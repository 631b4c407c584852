"""The fitted columns of a table: how the values of each become features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fitwell.data.scaling import scaled
from fitwell.data.values import to_dates, to_numbers, to_text, to_truths
from fitwell.description import Description, check_number
from fitwell.errors import InvalidFile
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars as pl

_DAY = 86_400_000_000
"""Microseconds."""
DATE_PARTS = ("year", "month", "day", "weekday", "hour", "time")


class NumberColumn(Description):
    """z = (x - center) * scale; feature = z / sqrt(1 + (z / 3)^2), in (-3, 3).

    The centre is the median of the training rows and the scale 1 / (q75 - q25), so that outliers
    change neither; the smooth clip keeps them near the rest (Holzmueller et al., 2024, RealMLP).

    Args:
        name: of the column.
        center: fills missing values, too.
        scale: 0 for a column that does not vary in the training rows.
        missing: a second feature that is 1 where the value is missing, else 0.
        words: text that training read as missing.
        low, high: the smallest and the largest value of the training rows; None where unknown.
    """

    name: str
    center: float
    scale: float
    missing: bool = False
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def validate(self) -> None:
        check_types(self, name=str, missing=bool, words=tuple)
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                check_number(self, name, open_low=True, open_high=True)
        check_number(self, "center", open_low=True, open_high=True)
        check_number(self, "scale", 0.0, open_high=True)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.missing else (self.name,)

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, 1 or 2) features."""
        values = to_numbers(column, self.words)
        x = values.fill_null(self.center).to_numpy()
        missing = values.is_null().to_numpy() if self.missing else None
        return stack(scaled(x, self.center, self.scale), missing)

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        numbers = to_numbers(column, self.words)
        empty = 0 if self.missing else numbers.null_count()
        absent = _never_missing(self.name, empty, f"the median of training, {self.center:g}")
        return " ".join(said for said in (absent, self.far(numbers)) if said)

    def far(self, numbers: pl.Series) -> str:
        """A sentence about values further from the range of training than that is wide."""
        if self.low is None or self.high is None or not self.low < self.high:
            return ""
        room = self.high - self.low
        out = numbers.filter((numbers < self.low - room) | (numbers > self.high + room))
        if not len(out):
            return ""
        values = f"{out[0]:g}{', ...' if len(out) > 1 else ''}"
        return (
            f"{self.name}: {rows_of(len(out), 'hold')} {values}, far from what training saw "
            f"({self.low:g} to {self.high:g}); the prediction is a guess there."
        )


class CategoryColumn(Description):
    """One feature per value, 1 where the row has it; a single feature -1 / +1 for two values.

    What was not seen in training is a bucket of its own: the feature "other" where rare training
    values have taught the network what to make of it, and zeros everywhere if there were none.

    Args:
        name: of the column.
        values: as text, in alphabetical order; None in the last place stands for a missing value.
        other: rare values of the training rows share a feature with those never seen.
    """

    name: str
    values: tuple[str | None, ...]
    other: bool = False

    def validate(self) -> None:
        check_types(self, name=str, values=tuple, other=bool)
        check_values(self, self.values)

    @property
    def two(self) -> bool:
        """Whether one feature says it all."""
        return len(self.values) == 2 and not self.other

    @property
    def feature_names(self) -> tuple[str, ...]:
        names = [
            f"{self.name} is missing" if value is None else f"{self.name}={value}"
            for value in self.values
        ]
        if self.two:
            return (names[1],)
        return (*names, *((f"{self.name}=(other)",) if self.other else ()))

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, features)."""
        count = len(self.values)
        hot = category_codes(column, self.values)[:, None] == np.arange(count + 1)
        features: HostArray = hot[:, : count + self.other].astype(np.float32)
        return features[:, 1:] - features[:, :1] if self.two else features

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        return unknown_words(self.name, column, self.values, self.other)


def category_codes(column: pl.Series, values: Sequence[str | None]) -> HostArray:
    """(n,) the place of each value; len(values) for others, and for missing ones if None is none.

    Args:
        column: the values.
        values: as text; None in the last place, if at all.
    """
    words = [value for value in values if value is not None]
    texts = to_text(column)
    codes: HostArray = texts.replace_strict(
        words, range(len(words)), default=len(values), return_dtype=_integer()
    ).to_numpy(writable=True)
    if None in values:
        codes[texts.is_null().to_numpy()] = len(values) - 1
    return codes


def unknown_words(name: str, column: pl.Series, values: Sequence[str | None], other: bool) -> str:
    """A sentence about words of a category that training never saw; empty if there are none."""
    found = to_text(column).value_counts(sort=False)
    counts = dict(zip(found[column.name], found["count"], strict=True))
    known = set(values)
    strange = [value for value in counts if value is not None and value not in known]
    empty = 0 if None in known else counts.get(None, 0)
    if not strange:
        return _never_missing(name, empty, "an unknown value")
    listed = ", ".join(repr(value) for value in sorted(strange)[:3])
    more = ", ..." if len(strange) > 3 else ""
    without = f" or nothing ({rows_of(empty)})" if empty else ""
    kind = "rare or unknown" if other else "unknown"
    hold = rows_of(sum(counts[value] for value in strange) + empty, "hold")
    return (
        f"{name}: {hold} {listed}{more}{without}, {kind} in training; "
        "they go to the bucket for unknown values."
    )


class BooleanColumn(Description):
    """+1 for true, -1 for false, 0 for missing; `missing` as in NumberColumn."""

    name: str
    missing: bool = False

    def validate(self) -> None:
        check_types(self, name=str, missing=bool)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.missing else (self.name,)

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, 1 or 2) features."""
        truths = to_truths(column)
        signs = 2 * truths.cast(_float()) - 1
        return stack(
            signs.fill_null(0.0).to_numpy(), truths.is_null().to_numpy() if self.missing else None
        )

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        empty = 0 if self.missing else to_truths(column).null_count()
        return _never_missing(self.name, empty, "half true, half false")


class DateColumn(Description):
    """Year, month, day, weekday (Monday is 1), hour and time (days since 1970) as numbers: those
    that vary in training.
    """

    name: str
    parts: tuple[NumberColumn, ...]

    def validate(self) -> None:
        check_types(self, name=str, parts=tuple)
        for part in self.parts:
            if not isinstance(part, NumberColumn):
                damaged(self, "parts", part)
            if part.name.removeprefix(f"{self.name} ") not in DATE_PARTS:
                damaged(self, "parts", part.name)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.feature_names)

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, features)."""
        parts = date_parts(column)
        return np.concatenate(
            [part.encode(parts[part.name.removeprefix(f"{self.name} ")]) for part in self.parts],
            axis=1,
        )

    def surprise(self, column: pl.Series) -> str:
        """What training never saw, as a sentence; empty if there is nothing."""
        empty = 0 if self.parts[0].missing else to_dates(column).null_count()
        absent = _never_missing(self.name, empty, "the median of training")
        return " ".join(said for said in (absent, self._far(column)) if said)

    def _far(self, column: pl.Series) -> str:
        """Of years, or of times where all of training are in one year."""
        numbers = date_parts(column)
        known = {part.name.removeprefix(f"{self.name} "): part for part in self.parts}
        part = next((known[name] for name in ("year", "time") if name in known), None)
        if part is None:
            return ""
        return part.far(numbers[part.name.removeprefix(f"{self.name} ")])


class PresenceColumn(Description):
    """+1 where the column has a value, -1 where it has none."""

    name: str

    def validate(self) -> None:
        check_types(self, name=str)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (f"{self.name} is present",)

    def encode(self, column: pl.Series) -> HostArray:
        """(n,) values of the column -> (n, 1) features."""
        return stack(np.where(to_text(column).is_null().to_numpy(), -1.0, 1.0), None)

    def surprise(self, column: pl.Series) -> str:
        """Nothing: training has seen both."""
        return ""


def date_parts(column: pl.Series) -> dict[str, pl.Series]:
    """Year, month, day, weekday, hour (with minutes and seconds as fractions) and time (days since
    1970, with fractions) as numbers.
    """
    moments = to_dates(column)
    hour = moments.dt.hour().cast(_float()) + moments.dt.minute() / 60 + moments.dt.second() / 3600
    days = [moments.dt.year(), moments.dt.month(), moments.dt.day(), moments.dt.weekday()]
    time = moments.dt.epoch("us") / _DAY
    return dict(zip(DATE_PARTS, [*days, hour, time], strict=True))


def rows_of(count: int, verb: str = "") -> str:
    """`"1 row holds"`, `"2 rows hold"`."""
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    return f"{rows} {verb}{'s' if count == 1 else ''}" if verb else rows


def _never_missing(name: str, count: int, instead: str) -> str:
    if not count:
        return ""
    have = "has" if count == 1 else "have"
    return f"{name}: {rows_of(count)} {have} no value, as none had in training; read as {instead}."


def stack(values: HostArray, missing: HostArray | None) -> HostArray:
    """(n, 1) features, or (n, 2) with those that say where a value is missing."""
    columns = [values] if missing is None else [values, missing]
    return np.stack(columns, axis=1).astype(np.float32)


def _integer() -> Any:
    import polars as pl

    return pl.Int64


def _float() -> Any:
    import polars as pl

    return pl.Float64


def check_types(column: Description, **types: type) -> None:
    """These descriptions are not written by users: a wrong type comes from a damaged file."""
    for field, kind in types.items():
        value = getattr(column, field)
        if not isinstance(value, kind):
            damaged(column, field, value)


def check_values(column: Description, values: Sequence[Any]) -> None:
    """The same for values of a category: text, each once, and None in the last place if at all."""
    words = values[:-1] if values and values[-1] is None else values
    if not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
        damaged(column, "values", values[:3])


def damaged(column: Description, field: str, value: Any) -> NoReturn:
    """Raises InvalidFile for a field that fitwell would not have written."""
    raise InvalidFile(
        type(column).__name__, f"{field} as fitwell writes it", repr(value), "Save the model again."
    )
