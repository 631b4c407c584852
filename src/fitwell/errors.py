"""Errors with four parts: which object, what it expected, what it received, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FitwellError(Exception):
    """The root of every error that fitwell raises on purpose.

    The message is built from four parts, so that none is forgotten:

    >>> print(InvalidArgument("Dense", "units >= 1", "units=0", "Pass the number of outputs."))
    Dense: expected units >= 1, received units=0. Pass the number of outputs.

    Args:
        subject: the object that complains (`"Dense"`, `"layer dense_1 (Dense)"`, `"fit"`).
        expected: what it needs, without a full stop.
        received: what it got, with the value.
        cure: one or two whole sentences that say what to do.
    """

    def __init__(self, subject: str, expected: str, received: str, cure: str) -> None:
        self.subject, self.expected, self.received, self.cure = subject, expected, received, cure
        super().__init__(f"{subject}: expected {expected}, received {received}. {cure}")

    def __reduce__(self) -> tuple[type[FitwellError], tuple[str, str, str, str]]:
        return type(self), (self.subject, self.expected, self.received, self.cure)


class InvalidArgument(FitwellError, ValueError):
    """An argument whose value is not allowed."""


class UnknownArgument(FitwellError, TypeError):
    """An argument name that does not exist, or a required one that is missing."""


class UnknownName(FitwellError, ValueError):
    """A name (`"adm"`) that stands for nothing."""


class ShapeMismatch(FitwellError, ValueError):
    """Arrays or layers whose shapes do not fit together."""


class InvalidData(FitwellError, ValueError):
    """Data that cannot be trained on or predicted from."""


class InvalidFile(FitwellError, ValueError):
    """A file that is missing, damaged, foreign or hostile."""


class NotReady(FitwellError, RuntimeError):
    """A call that comes too early (predict before the shapes are known, fit before compile)."""


class FrozenDescription(FitwellError, AttributeError):
    """An attempt to change a description in place."""


class MissingPackage(FitwellError, ImportError):
    """An optional package that this call needs is not installed."""


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The sentence that proposes the nearest right name, or lists the names there are.

    >>> did_you_mean("epoch", ["epochs", "x", "y"])
    'Did you mean epochs?'
    >>> did_you_mean("zzz", ["sgd", "adam"])
    'The choices are adam, sgd.'
    """
    names = sorted(set(candidates))
    lowered = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lowered[near[0]]}?"
    return f"The choices are {', '.join(names)}."
