"""What differs between the networks of a population: one Lane each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.schedules.base import LearningRate
from fitwell.types import HostArray


@dataclass(frozen=True)
class Lane:
    """One network of a population.

    Attributes:
        seed: of its weights, the order of its examples and its noise.
        learning_rate: None for the compiled optimizer's.
        values: what else was given for it, by name: `"weight_decay"`, `"dropout"`,
            `"optimizer.beta_1"` ...
        init_scale: factor of the initial kernels.
        weight: (n,) factors of the weights of the training examples, or None for ones.
        held_weight: the same of the examples of validation.
        rows: the examples it trains on, or None for all.
        held_out: the examples it is validated on, or None for those of all lanes.
        width, depth: units of the hidden layers and how many there are; None for the model's.
    """

    seed: int
    learning_rate: LearningRate | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    init_scale: float = 1.0
    weight: HostArray | None = None
    held_weight: HostArray | None = None
    rows: HostArray | None = None
    held_out: HostArray | None = None
    width: Any = None
    depth: Any = None

    @property
    def facts(self) -> dict[str, Any]:
        """What identifies the lane in a table."""
        named: dict[str, Any] = {"seed": self.seed}
        if self.learning_rate is not None:
            named["learning_rate"] = self.learning_rate
        if self.init_scale != 1.0:
            named["init_scale"] = self.init_scale
        shape = {"width": self.width, "depth": self.depth}
        named |= {name: value for name, value in shape.items() if value is not None}
        return named | dict(self.values)


def seeds_of(subject: str, seeds: Any, own: int) -> list[int] | None:
    """The seeds: a whole number n stands for n of them, from the model's own on; None for None."""
    if seeds is None:
        return None
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool) and seeds >= 1:
        return [own + i for i in range(int(seeds))]
    given: list[Any] = list(seeds) if isinstance(seeds, Sequence | np.ndarray | range) else [None]
    for one in given:
        if isinstance(one, bool) or not isinstance(one, int | np.integer) or one < 0:
            raise InvalidArgument(
                subject,
                "seeds to be a number of lanes >= 1, or whole numbers >= 0",
                f"seeds={seeds!r}",
                "Pass seeds=16 or seeds=range(16).",
            )
    return [int(one) for one in given]


def combine(subject: str, own_seed: int, given: Mapping[str, Any], grid: bool) -> list[Lane]:
    """One lane for each place of the lists that were given, or for each combination of them.

    Args:
        given: by name, lists of one value per lane, single values for all of them, or None.
        grid: combine every value with every other.

    Raises:
        InvalidArgument: lists of unequal length; no lane at all.
    """
    lists = {name: list(v) for name, v in given.items() if is_list(v)}
    single = {name: v for name, v in given.items() if v is not None and name not in lists}
    for name, values in lists.items():
        if not values:
            cure = f"Give {name} a value for each lane, or leave it out."
            raise InvalidArgument(subject, "at least one lane", f"{name}=[]", cure)
    lengths = {name: len(values) for name, values in lists.items()}
    if grid:
        places = itertools.product(*lists.values())
        rows = [dict(zip(lists, place, strict=True)) for place in places]
    elif len(set(lengths.values())) > 1:
        raise InvalidArgument(
            subject,
            "as many values of everything that varies, one for each lane",
            ", ".join(f"{n} of {name}" for name, n in lengths.items()),
            "Make the lists equally long, or pass grid=True to combine every value with every "
            "other.",
        )
    else:
        count = max(lengths.values(), default=1)
        rows = [{name: values[i] for name, values in lists.items()} for i in range(count)]
    return [_lane(subject, own_seed, {**single, **row}) for row in rows]


def is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | range | np.ndarray)


def _lane(subject: str, own_seed: int, given: dict[str, Any]) -> Lane:
    seed, rate = given.pop("seeds", own_seed), given.pop("learning_rate", None)
    scale, weight = given.pop("init_scale", 1.0), given.pop("sample_weights", None)
    if rate is not None and not callable(rate):
        rate = _number(subject, "learning_rate", rate, 0)
    width, depth = given.pop("width", None), given.pop("depth", None)
    values = {name: _number(subject, name, value) for name, value in given.items()}
    scale = _number(subject, "init_scale", scale, 0)
    return Lane(seed, rate, values, scale, weight, width=width, depth=depth)


def _number(subject: str, name: str, value: Any, least: float | None = None) -> float:
    """A finite number; what it stands for has bounds of its own, if `least` is None."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or (least is not None and value < least):
        cure = f"Pass a list with one number per lane: {name}=[...]."
        expected = f"{name} to be finite numbers" + ("" if least is None else f" >= {least:g}")
        raise InvalidArgument(subject, expected, repr(value), cure)
    return float(value)
