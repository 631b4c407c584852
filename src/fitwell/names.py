"""Names that stand for things: "adam", "mse", "he_normal"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from fitwell.errors import UnknownName, did_you_mean

T = TypeVar("T")


def resolve(subject: str, identifier: Any, table: Mapping[str, T]) -> T:
    """The entry of `table` that a name stands for; anything that is no name is returned as it is.

    Names are compared as `simple_name` writes them.
    """
    if not isinstance(identifier, str):
        return identifier
    if identifier in table:
        return table[identifier]
    names = {simple_name(name): value for name, value in table.items()}
    if simple_name(identifier) not in names:
        raise UnknownName(
            subject, "a name it knows", repr(identifier), did_you_mean(identifier, table)
        )
    return names[simple_name(identifier)]


def simple_name(name: str) -> str:
    """A name without regard to case, `_`, `-` and spaces.

    >>> {simple_name(n) for n in ("MeanSquaredError", "mean_squared_error", "mean squared-error")}
    {'meansquarederror'}
    """
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


__all__ = ["resolve", "simple_name"]
