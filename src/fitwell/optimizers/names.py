"""Which weights a name stands for: `"dense"`, `"bias"`, `"dense_1/bias"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitwell.errors import UnknownName, did_you_mean

if TYPE_CHECKING:
    from fitwell.optimizers.base import Optimizer


def covers(part: str, name: str) -> bool:
    """Whether `part` is one or more whole steps of the path `name`.

    >>> covers("dense", "dense/bias"), covers("bias", "dense/bias"), covers("dense", "dense_1/bias")
    (True, True, False)
    """
    return f"/{part}/" in f"/{name}/"


def check_names(optimizer: Optimizer, weights: list[str]) -> None:
    """Raises UnknownName for a name among the optimizer's that covers none of the weights."""
    given = {
        "multipliers": list(dict(optimizer.multipliers)),
        "exclude_from_weight_decay": list(optimizer.exclude_from_weight_decay),
    }
    for argument, parts in given.items():
        for part in parts:
            check_part(type(optimizer).__name__, argument, part, weights)


def check_part(subject: str, argument: str, part: str, weights: list[str]) -> None:
    """Raises UnknownName, with the nearest layer or weight, if `part` covers no weight."""
    if any(covers(part, name) for name in weights):
        return
    paths = [name.split("/") for name in weights]
    known = {"/".join(path[:n]) for path in paths for n in range(1, len(path) + 1)}
    known |= {path[-1] for path in paths}
    raise UnknownName(
        subject,
        f"{argument} to name layers or weights of the model",
        repr(part),
        did_you_mean(part, known),
    )
