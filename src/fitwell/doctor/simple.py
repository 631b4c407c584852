"""What simple models reach on inputs of any kind: numbers, names, images, signals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitwell.doctor.baselines import (
    Baselines,
    bag,
    baselines,
    indicators,
    looks_like_ids,
    telling_rows,
)
from fitwell.doctor.patches import has_places, patches
from fitwell.layerwise import even_rows
from fitwell.types import HostArray

BY_LOT = 0.02  # how often shuffled labels may do as well
_MOST_FEATURES = 2048  # of more, evenly spread ones
_ROWS = 512  # images that are cut into patches
LEAST = 0.1  # a skill below is no sign of anything
_AS_NAMES = 0.15  # of skill: what whole numbers tell as names beyond what they tell as numbers


@dataclass(frozen=True)
class Reached:
    """What simple models reach.

    Attributes:
        telling: whether that says what is possible: of seldom ids it does not.
        named: the skill with whole numbers read as names; None where they are read as numbers.
    """

    best: Baselines
    telling: bool
    named: float | None


def reached(
    inputs: Sequence[HostArray], y: HostArray, names: Sequence[bool], discrete: bool, ranked: bool
) -> Reached | None:
    """The best that is known; None of too few rows.

    Whole numbers are read as names, too, where that may tell more; where values as they are tell
    nothing, images and signals are asked what they hold wherever it is.

    Args:
        inputs: (n, ...) each.
        y: (n, width), one-hot for classes.
        names: of each input, whether its numbers are known to be names.
        discrete, ranked: as `baselines` takes them.
    """
    found = _reach(inputs, y, names, discrete, ranked)
    if found is None:
        return None
    maybe = [name or looks_like_ids(x) for x, name in zip(inputs, names, strict=True)]
    named = None
    if _nothing(found) and maybe != list(names):
        found = _reach(inputs, y, maybe, discrete, ranked) or found
        named = 0.0 if _nothing(found) else max(found.linear, found.kernel)
    if not any(maybe) and (coded := _coded(inputs, y, discrete, ranked)) is not None:
        clearly = max(found.linear, found.kernel, 0.0) + max(found.noise, _AS_NAMES)
        found, named = (coded, coded.linear) if coded.linear > clearly else (found, None)
    if _nothing(found) and any(map(has_places, inputs)):
        found = _anywhere(inputs, y, maybe, discrete, ranked, found)
    return Reached(found, not (_nothing(found) and any(maybe)), named)


def _nothing(found: Baselines) -> bool:
    small = max(found.linear, found.kernel) < max(found.noise, LEAST)
    return small or found.chance > BY_LOT


def _reach(
    inputs: Sequence[HostArray], y: HostArray, names: Sequence[bool], discrete: bool, ranked: bool
) -> Baselines | None:
    """Of names the models see how often each is there, in no order."""
    parts = [
        bag(x) if name else x.reshape(len(x), -1) for x, name in zip(inputs, names, strict=True)
    ]
    x = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return baselines(x[:, :: -(-x.shape[1] // _MOST_FEATURES)], y, discrete, ranked=ranked)


def _coded(
    inputs: Sequence[HostArray], y: HostArray, discrete: bool, ranked: bool
) -> Baselines | None:
    """What a linear model reaches that reads whole numbers as names; None where it is nothing."""
    parts = [indicators(x) for x in inputs]
    if all(x is None for x in parts):
        return None
    plain = (x.reshape(len(x), -1) for x in inputs)
    x = np.concatenate([b if a is None else a for a, b in zip(parts, plain, strict=True)], axis=1)
    found = baselines(x, y, discrete, ranked=ranked)
    return None if found is None or found.chance > BY_LOT else found


def _anywhere(
    inputs: Sequence[HostArray], y: HostArray, names: Sequence[bool], discrete: bool, ranked: bool,
    known: Baselines,
) -> Baselines:  # fmt: skip
    """With patches of images and signals; what a linear model makes of the values stays known."""
    rows = telling_rows(y, _ROWS) if ranked else np.arange(len(y))[even_rows(len(y), _ROWS)]
    parts = [patches(x[rows]) if has_places(x) else x[rows] for x in inputs]
    found = _reach(parts, y[rows], names, discrete, ranked)
    if found is None:
        return known
    return dataclasses.replace(found, linear=known.linear, kernel=max(found.linear, found.kernel))
