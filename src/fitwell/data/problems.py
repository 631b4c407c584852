"""Errors that several ways of reading a table share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fitwell.errors import InvalidArgument, InvalidData, InvalidFile


def refuse_options(what: str, options: Any, *ignored: str | Iterable[str]) -> None:
    """Raises InvalidArgument for an option that says nothing about such data.

    Args:
        what: the kind of data.
        options: how they are to be read.
        ignored: names of options, or several at once.
    """
    for name in [n for each in ignored for n in ([each] if isinstance(each, str) else each)]:
        value = getattr(options, name)
        if value is not None and value != frozenset() and value != {}:
            cure = "Leave it out" + (
                ", or rename the columns of the table." if name == "names" else "."
            )
            raise InvalidArgument("read", f"no {name}= with {what}", f"{name}={value!r}", cure)


def no_rows(subject: str) -> InvalidData:
    """A table without rows or without columns."""
    return InvalidData(subject, "at least one row", "none", "Give a table with data in it.")


def no_table(subject: str, received: str) -> InvalidFile:
    """A file of another kind."""
    cure = "Give a CSV, TSV, Parquet, JSON-lines or NPZ file."
    return InvalidFile(subject, "a table", received, cure)


def repeated(subject: str, names: Sequence[str]) -> InvalidData:
    """Two columns of one name."""
    twice = next((name for name in names if list(names).count(name) > 1), names[0])
    return InvalidData(
        subject,
        "every column to have a name of its own",
        f"{list(names).count(twice)} columns called {twice!r}",
        "Rename or delete all but one.",
    )


def mixture(name: Any, error: Exception) -> InvalidData:
    """A column whose values have no type in common."""
    return InvalidData(
        f"column {name}",
        "values of one type",
        f"a mixture: {first_line(error)}",
        "Convert the column to one type, for example with .astype(str).",
    )


def first_line(error: BaseException) -> str:
    """What an error says, without what it adds below."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
