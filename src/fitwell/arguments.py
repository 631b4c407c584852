"""Misspelt argument names are answered with the nearest right one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fitwell.description import check_arguments

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
