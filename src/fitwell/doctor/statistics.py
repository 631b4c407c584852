"""Statistics of an input on the host: a few milliseconds, however large the data are."""

from __future__ import annotations

import numpy as np

from fitwell.doctor.baselines import looks_like_ids
from fitwell.doctor.record import Features
from fitwell.layerwise import even_rows
from fitwell.types import HostArray

_ROWS, _NUMBERS = 2048, 200_000  # of a sample
_COMPARED = 20_000  # pairs of rows that are compared
_HELD_OUT = 2_000
_LOOKED_AT = 400_000_000  # bytes
_LISTED, _ALIKE = 500, 0.3  # rows; the correlation of neighbouring pixels is above
_NEVER = 1e-3  # copies of a row by chance
_COLUMNS = 32  # by which rows are compared at first
_WINDOW = 6  # steps: shorter ones are alike by chance


def features(name: str, x: HostArray, held_out: HostArray | None) -> Features:
    """One input as the rules see it; of data in memory all rows are asked for copies and NaN."""
    flat, whole = _flat(x), _in_memory(x)
    missing = 0
    if not np.isfinite(_sum(whole)):
        missing = int((~np.isfinite(whole)).sum())
        flat = np.where(np.isfinite(flat), flat, np.nan)
    with np.errstate(all="ignore"):
        mean, std = _moments(flat)
        lowest, highest = (np.nanmin, np.nanmax) if missing else (np.min, np.max)
        low, high = lowest(flat, 0), highest(flat, 0)
        # A sum of equal floats may leave a trace of a spread.
        std = np.where(low == high, 0.0, std)
        step = np.spacing(np.maximum(abs(low), abs(high)).astype(np.float32))
        resolution = np.where(std > 0, step / np.where(std > 0, std, 1), 0.0)
    held = None if held_out is None else _in_memory(held_out)
    duplicates, overlap = _copies(whole, held)
    chance = _by_chance(x) if max(duplicates, overlap) > 0 else 0.0
    beside = _beside(whole, held)
    other: tuple[HostArray, HostArray] | tuple[None, None] = (None, None)
    if held_out is not None and len(held_out):
        theirs = _flat(held_out)
        other = _moments_beside(flat, mean, std, np.where(np.isfinite(theirs), theirs, np.nan))
    return Features(
        name, len(x), x.shape[1:], mean, std, low, high, resolution, _outlying(flat), missing,
        _sentinels(flat, low, high), duplicates, overlap, beside, other[0], other[1],
        listed=x.ndim == 2 and _listed(flat[::1 + len(flat) // _LISTED]),
        by_chance=chance,
    )  # fmt: skip


def _sum(x: HostArray) -> float:
    """Finite only where all numbers are; in their own precision, many times faster than in 64 bits.

    Too large a sum is looked at again, like a number that is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return float(x.sum(dtype=np.float32 if x.dtype == np.float16 else None))


def _in_memory(x: HostArray) -> HostArray:
    """The data, or a sample where looking at all would copy or take long: windows, huge arrays."""
    if x.flags.c_contiguous and x.nbytes <= _LOOKED_AT:
        return x
    each = max(int(np.prod(x.shape[1:])), 1)
    return np.ascontiguousarray(x[even_rows(len(x), max(_LOOKED_AT // 400 // each, 64))])


def _moments(flat: HostArray) -> tuple[HostArray, HostArray]:
    """Mean and standard deviation of each column, of what is there."""
    if np.isfinite(flat.sum()):
        return np.asarray(flat.mean(0)), np.asarray(flat.std(0))
    return np.asarray(np.nanmean(flat, 0)), np.asarray(np.nanstd(flat, 0))


def _moments_beside(
    flat: HostArray, mean: HostArray, std: HostArray, other: HostArray
) -> tuple[HostArray, HostArray]:
    """Moments of other rows; of a feature that is nearly constant in both those of these rows.

    A few of its rows, by chance or since another hand wrote them, would look like another scale:
    rare pixels, rare words.
    """
    theirs, spread = _moments(other)
    odd = (spread > 3 * std) | (std > 3 * spread) | (abs(theirs - mean) > 3 * std)
    if odd.any():
        low, high = np.nanquantile(flat[:, odd], [0.1, 0.9], axis=0)
        still = (low == high) & (np.nanmedian(other[:, odd], axis=0) == low)
        rare = np.flatnonzero(odd)[still]
        theirs[rare], spread[rare] = mean[rare], std[rare]
    return theirs, spread


def _flat(x: HostArray) -> HostArray:
    """A sample, (rows, width) in float64; images and sequences by channel, which share a scale."""
    each = max(int(np.prod(x.shape[1:])), 1)
    some = x[even_rows(len(x), int(np.clip(_NUMBERS // each, 64, _ROWS)))]
    return some.reshape(-1, x.shape[-1] if x.ndim > 1 else 1).astype(np.float64)


def _outlying(flat: HostArray) -> HostArray:
    """The largest distance from the median, over the range without half a percent at each end."""
    rows = len(flat)
    cut = max(rows // 200, 1)
    if rows < 20:
        return np.zeros(flat.shape[1])
    places = [0, cut, rows // 2, rows - 1 - cut, rows - 1]
    columns = np.ascontiguousarray(flat.T)  # of which a partition is several times faster
    columns.partition(places, axis=1)
    ordered = columns[:, places].T
    inner = ordered[3] - ordered[1]
    far = np.maximum(ordered[4] - ordered[2], ordered[2] - ordered[0])
    return np.asarray(np.where(inner > 0, far / np.where(inner > 0, inner, 1), 0.0))


def _listed(flat: HostArray) -> bool:
    """Whether they look like ids, and not like pixels: neighbours are not alike."""
    if not looks_like_ids(flat):
        return False
    spread = flat.std(0)
    z = (flat - flat.mean(0)) / np.where(spread > 0, spread, 1)
    return float((z[:, 1:] * z[:, :-1]).mean()) < _ALIKE


# Copies


def _copies(x: HostArray, held_out: HostArray | None) -> tuple[float, float]:
    """The shares of rows that repeat an earlier one, and of validation rows seen in training."""
    few, exact = _copies_by(x, held_out, _COLUMNS)
    # Rows that agree in some columns and differ in others: then all columns are looked at.
    return few if exact else _copies_by(x, held_out, None)[0]


def _copies_by(
    x: HostArray, held_out: HostArray | None, columns: int | None
) -> tuple[tuple[float, float], bool]:
    """The shares by marks of so many columns, and whether equal marks were equal rows."""
    marks = _marks(x, columns)
    ordered = np.sort(marks)  # many times faster than the order, which is seldom needed
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])[:_COMPARED]
    others, found = x[:0], twice[:0]
    if held_out is not None and len(held_out):
        others = held_out[even_rows(len(held_out), _HELD_OUT)]
        place = np.minimum(
            np.searchsorted(ordered, wanted := _marks(others, columns)), len(marks) - 1
        )
        found = np.flatnonzero(ordered[place] == wanted)
    if not len(twice) and not len(found):
        return (0.0, 0.0), True
    order = np.argsort(marks)
    repeated = _equal(x, order[twice + 1], x, order[twice])
    seen = _equal(others, found, x, order[place[found]]) if len(found) else 0
    shares = repeated / max(len(x), 1), seen / max(len(others), 1)
    return shares, (repeated, seen) == (len(twice), len(found))


def _beside(x: HostArray, held_out: HostArray | None) -> float:
    """The share of windows whose steps are those of a training window, moved by one.

    >>> steps = np.arange(60.0)
    >>> windows = np.stack([steps[i : i + 8] for i in range(50)])[..., None]
    >>> _beside(windows[::2], windows[1::2]), _beside(windows[:40], windows[44:])
    (1.0, 0.0)
    """
    if held_out is None or not len(held_out) or x.ndim != 3 or x.shape[1] < _WINDOW:
        return 0.0
    others = held_out[even_rows(len(held_out), _HELD_OUT)]
    found = np.zeros(len(others), bool)
    for mine, theirs in ((x[:, 1:], others[:, :-1]), (x[:, :-1], others[:, 1:])):
        found |= np.isin(_marks(theirs, _COLUMNS), _marks(mine, _COLUMNS))
    return float(found.mean())


def _marks(x: HostArray, columns: int | None = None) -> HostArray:
    """A number for each row, equal for equal rows; of about so many columns, None for all."""
    flat = x.reshape(len(x), -1)
    step = 1 if columns is None else -(-flat.shape[1] // columns)
    part = np.ascontiguousarray(flat[:, ::step], np.float32).view(np.uint32)
    # Random odd factors: rows that differ get sums that differ, but for about one pair in 2^41.
    random = np.random.default_rng(0).integers(2**64, size=part.shape[1], dtype=np.uint64)
    return np.asarray(np.einsum("ij,j->i", part, random | np.uint64(1)))


def _equal(x: HostArray, rows: HostArray, other: HostArray, theirs: HostArray) -> int:
    """How many of the pairs of rows are equal in every column."""
    if not len(rows):
        return 0
    same = (x[rows] == other[theirs]).reshape(len(rows), -1)
    return int(same.all(1).sum())


def _by_chance(x: HostArray) -> float:
    """1 - (1 - product over columns of sum p_v^2)^n: p_v the share of value v in a column.

    Every number of a row is a column: two images meet where all their pixels do.
    """
    equal, rows = 1.0, len(x)
    for column in x[even_rows(rows, _ROWS)].reshape(min(rows, _ROWS), -1).T:
        _, counts = np.unique(column, return_counts=True)
        several = len(column) > len(counts)  # of numbers that all differ none meet by chance
        equal *= float(((counts / len(column)) ** 2).sum()) if several else 0.0
        if equal * rows < _NEVER:
            return 0.0
    return float(-np.expm1(rows * np.log1p(-min(equal, 1 - 1e-12))))


# Codes for "missing"


def _sentinels(
    flat: HostArray, low: HostArray, high: HostArray
) -> tuple[tuple[int, float, float], ...]:
    """Values that stand far away from all others, many times over: -999, 9999 for missing."""
    found = []
    for ends in (low, high):
        whole = np.isfinite(ends) & (abs(ends) >= 9) & (ends == np.round(ends))
        for i in np.flatnonzero(whole):
            value = float(ends[i])
            if not _looks_invented(value):
                continue
            column = flat[:, i][np.isfinite(flat[:, i])]
            rest, share = column[column != value], float((column == value).mean())
            if not 0.005 <= share <= 0.6 or len(rest) < 10:
                continue
            spread = rest.max() - rest.min()
            if min(abs(value - rest.min()), abs(value - rest.max())) > 2 * spread > 0:
                found.append((int(i), value, share))
    return tuple(found)


def _looks_invented(value: float) -> bool:
    """All nines, with zeros behind or not: what people write for "missing"."""
    return set(str(int(abs(value)))) in ({"9"}, {"9", "0"})
