"""What is printed beside findings, for who reads it: of Python, unless a command line says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Words", "speaking", "words"]


@dataclass(frozen=True)
class Words:
    """What is said to a reader.

    Attributes:
        prove: how to have the cure of a finding measured, by its code; "" for none.
        rest: where those are that are not printed.
        longer: how to train for more epochs.
    """

    prove: str = (
        'finding = history.findings["{code}"]; finding.prove()  # measures what the cure does'
    )
    rest: str = "history.findings"
    longer: str = "model.fit(X, y, epochs={epochs})"


_words = [Words()]


def words() -> Words:
    """Those of now.

    >>> words().longer.format(epochs=20)
    'model.fit(X, y, epochs=20)'
    """
    return _words[-1]


@contextmanager
def speaking(other: Words) -> Iterator[None]:
    """Other words for what is found and printed inside: for who has no Python prompt."""
    _words.append(other)
    try:
        yield
    finally:
        _words.pop()
