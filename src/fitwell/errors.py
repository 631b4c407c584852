"""Errors with four parts: which object, what it expected, what it received, what to do."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from fitwell.habits import MODULES


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


class UnknownAttribute(FitwellError, AttributeError):
    """A name (`layers.Dens`, `model.fit_generator`) that an object does not have."""


class Unhealthy(FitwellError, AssertionError):
    """A fit that the doctor finds ill, where nobody wants one."""


class OutOfMemory(FitwellError, MemoryError):
    """Arrays that the machine has no room for."""


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
    near = nearest(name, names)
    return f"Did you mean {near}?" if near else f"The choices are {', '.join(names)}."


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that looks most like `name`, or None if none looks like it."""
    lowered = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[near[0]] if near else None


def missing_attribute(module: str, names: Sequence[str]) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: answers names that it lacks with the nearest public one.

    Modules hide it from type checkers, which otherwise took every name for right.

    >>> missing_attribute("fitwell.layers", ["Dense", "Dropout"])("Dens")
    Traceback (most recent call last):
    fitwell.errors.UnknownAttribute: fitwell.layers: expected a name it has, received Dens. \
Did you mean Dense?
    """

    def refuse(name: str) -> NoReturn:
        if name.startswith("__"):  # Python itself asks for these
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        near = nearest(name, names)
        cure = f"Did you mean {near}?" if near else f"help({module}) shows what there is."
        cure = MODULES.get(name, cure)
        raise UnknownAttribute(module, "a name it has", name, cure)

    return refuse


def answer(cure_of: Callable[[str], str | None]) -> Callable[[Any, str], Any]:
    """The `__getattr__` of a class: answers names that its objects lack.

    Without a cure it is Python's own error, which proposes the nearest name.
    """

    def refuse(self: Any, name: str) -> Any:
        if hasattr(type(self), name):  # a property that failed: its own error
            return object.__getattribute__(self, name)
        cure, kind = cure_of(name), type(self).__name__
        if cure:
            raise UnknownAttribute(kind, "an attribute it has", f".{name}", cure)
        text = f"{kind!r} object has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=self)

    return refuse


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the user's line: the nearest one outside this package."""
    package = __name__.partition(".")[0]
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
