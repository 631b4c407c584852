"""Programs that are read, not run: without the forms that are there for XLA's sake alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_PLAIN = ContextVar("plain", default=False)


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """What is traced in here has `lax.scan` for loops in place, and broadcasts and sums for
    products with ones: the same numbers, in operations that every format has.

    >>> with plainly():
    ...     is_plain()
    True
    >>> is_plain()
    False
    """
    token = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(token)


def is_plain() -> bool:
    """Whether the code that asks is traced to be read."""
    return _PLAIN.get()


__all__ = ["is_plain", "plainly"]
