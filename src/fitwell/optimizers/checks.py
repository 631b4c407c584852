"""What the arguments that all optimizers share may be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fitwell.description import Description, check_number, check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.schedules.base import check_learning_rate, check_nonnegative, check_positive

if TYPE_CHECKING:
    from fitwell.optimizers.base import Optimizer

_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def check_common(optimizer: Optimizer) -> None:
    check_learning_rate(optimizer, "learning_rate")
    if optimizer.weight_decay is not None:
        check_nonnegative(optimizer, "weight_decay")
    _check_clips(optimizer)
    check_number(optimizer, "ema_momentum", 0.0, 1.0)
    for name in ("ema_overwrite_frequency", "gradient_accumulation_steps"):
        if getattr(optimizer, name) is not None:
            check_positive_int(optimizer, name)
    if optimizer.ema_overwrite_frequency is not None and not optimizer.use_ema:
        raise InvalidArgument(
            type(optimizer).__name__,
            "use_ema=True with ema_overwrite_frequency",
            "use_ema=False",
            "Add use_ema=True, or leave ema_overwrite_frequency out.",
        )
    _check_multipliers(optimizer)
    check_names_argument(optimizer, "exclude_from_weight_decay")


def _check_clips(optimizer: Optimizer) -> None:
    given = [name for name in _CLIPS if getattr(optimizer, name) is not None]
    for name in given:
        check_positive(optimizer, name)
    if len(given) > 1:
        raise InvalidArgument(
            type(optimizer).__name__,
            "only one of clipnorm, clipvalue and global_clipnorm",
            " and ".join(f"{name}={getattr(optimizer, name)!r}" for name in given),
            "Keep one of them.",
        )


def _check_multipliers(optimizer: Optimizer) -> None:
    pairs = optimizer.multipliers
    if not isinstance(pairs, tuple) or not all(map(_is_multiplier, pairs)):
        raise InvalidArgument(
            type(optimizer).__name__,
            "multipliers to map names to numbers in [0, inf)",
            f"multipliers={pairs!r}",
            'Write for example multipliers={"dense": 0.1, "dense_1/bias": 0.0}.',
        )


def _is_multiplier(pair: object) -> bool:
    match pair:
        case (str(), bool()):
            return False
        case (str(), int() | float() as number):
            return math.isfinite(number) and number >= 0
    return False


def check_names_argument(optimizer: Optimizer, argument: str) -> None:
    """Raises InvalidArgument unless the argument is a tuple of names."""
    names = getattr(optimizer, argument)
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(
            type(optimizer).__name__,
            f"{argument} to be a list of names",
            f"{argument}={names!r}",
            f'Write for example {argument}=["bias"].',
        )


def check_betas(owner: Description, *names: str) -> None:
    """Decay rates of moving averages: [0, 1)."""
    for name in names:
        check_number(owner, name, 0.0, 1.0, open_high=True)
