"""Arguments: misspelt names are answered with the nearest right one; counts are whole numbers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from fitwell.description import check_arguments
from fitwell.errors import InvalidArgument

P = ParamSpec("P")
R = TypeVar("R")


def named(function: Callable[P, R]) -> Callable[P, R]:
    """Raises UnknownArgument with a proposal for a keyword that `function` does not have.

    >>> @named
    ... def fit(epochs=1):
    ...     return epochs
    >>> fit(epoch=2)
    Traceback (most recent call last):
    fitwell.errors.UnknownArgument: fit: expected an argument it knows, received epoch=2. \
Did you mean epochs?
    """
    parameters = inspect.signature(function).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return function  # it answers by itself
    known = [name for name in parameters if name != "self"]
    of_class = function.__qualname__.rpartition(".")[0] if function.__name__ == "__init__" else ""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        called = function.__name__ == "__call__" and kwargs
        subject = type(args[0]).__name__ if called else of_class or function.__name__
        check_arguments(subject, kwargs, known)
        return function(*args, **kwargs)

    return checked


def whole_number(
    subject: str, name: str, value: Any, least: int = 1, cure: str | None = None
) -> int:
    """The value, if it is a whole number from `least` on, as an int.

    >>> whole_number("fit", "epochs", np.int64(3))
    3

    Raises:
        InvalidArgument: anything else.
    """
    number = not isinstance(value, bool) and isinstance(value, int | np.integer)
    if not number or not least <= value < 2**63:
        expected = f"{name} to be a whole number >= {least}"
        cure = cure or f"Pass {name}={least} or more."
        raise InvalidArgument(subject, expected, f"{name}={value!r}", cure)
    return int(value)
