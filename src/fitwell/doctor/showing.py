"""Findings for people: a few lines in a terminal or a log, a table in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from fitwell.doctor.finding import Finding, Severity
from fitwell.doctor.wording import Words
from fitwell.progress import style

_MARKS = {Severity.CRITICAL: "x", Severity.WARNING: "!", Severity.INFO: "-"}
_COLORS = {Severity.CRITICAL: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "cyan"}
_MOST = 3  # findings in full; of others the code
_WIDTH = 100  # longer lines of prose are hard to read

Show = Callable[[Sequence[Finding], str, str], None]
"""Prints findings, a last line, and where those are that are not printed."""


def printer(verbose: int | str) -> Show | None:
    """What prints findings where the progress of a fit is printed: None is silent."""
    return {"off": None, "plain": print_plain, "bar": print_rich}[style(verbose)]


def print_plain(found: Sequence[Finding], last: str = "", rest: str = Words.rest) -> None:
    """At most a few lines: what is wrong, the number that shows it, what to do."""
    for line in [*lines(found, rest), *([f"  {last}"] if last else [])]:
        print(line, flush=True)


def lines(found: Sequence[Finding], rest: str = Words.rest) -> list[str]:
    """The text, line by line."""
    shown: list[str] = []
    for one in found[:_MOST]:
        shown.append(f"{_MARKS[one.severity]} {one.code}{_where(one)}: {one.cause}")
        shown += [f"    {line}" for line in _cure(one)]
    if len(found) > _MOST:
        shown.append(f"  {_others(found, rest)}")
    return shown


def print_rich(found: Sequence[Finding], last: str = "", rest: str = Words.rest) -> None:
    """The same lines in color, wrapped to the terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, force_terminal=True, highlight=False)

    def prose(text: Text, indent: str) -> None:
        wrapped = text.wrap(console, min(console.width, _WIDTH) - len(indent))
        for i, line in enumerate(wrapped):
            line.rstrip()
            console.print(Text("" if i == 0 else indent) + line, soft_wrap=True)

    for one in found[:_MOST]:
        title = f"{_MARKS[one.severity]} {one.code}"
        rest = f"{_where(one)}: {one.cause}"
        prose(Text.assemble((title, _COLORS[one.severity]), rest), "  ")
        for line in _cure(one):  # not wrapped: it can be copied
            console.print(Text(f"  {line}", "green"), soft_wrap=True)
    if len(found) > _MOST:
        prose(Text(f"  {_others(found, rest)}", "dim"), "  ")
    if last:
        prose(Text(f"  {last}", "dim"), "  ")


def _where(one: Finding) -> str:
    return f" in {one.layer}" if one.layer else ""


def _cure(one: Finding) -> list[str]:
    """Its first lines: a layer and how to compile it."""
    first, *more = one.cure.splitlines()[:2]
    return [f"cure: {first}", *(f"      {line}" for line in more)]


def _others(found: Sequence[Finding], rest: str) -> str:
    return f"and {', '.join(one.code for one in found[_MOST:])}: see {rest}"
