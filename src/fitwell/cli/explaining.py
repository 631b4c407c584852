"""`fitwell explain`: a code of the doctor, or the list of them, in the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from fitwell.doctor.codes import CODES, GROUPS, Code

_WIDTH = 100  # longer lines of prose are hard to read


def explain(console: Console, code: Code) -> None:
    """All about one code."""
    console.print(Text.assemble((code.name, "bold red"), "  ", (code.title, "bold")))
    prose(console, code.what)
    if code.equation:
        _block(console, Text(code.equation, "cyan"))
    _title(console, "How it looks")
    for sign in code.looks:
        prose(console, sign, "- ")
    _title(console, "Why")
    prose(console, code.why)
    _title(console, "When it is no fault")
    prose(console, code.unless)
    _title(console, "Cures")
    for cure in code.cures:
        if cure is not code.cures[0]:
            console.print()
        prose(console, cure.does)
        _block(console, _highlighted(cure.code))
    _title(console, "An example")
    _block(console, _highlighted(code.program))
    console.print()
    prose(console, "prints")
    _block(console, Text(code.prints, "cyan"))
    _title(console, "Sources")
    for source in code.sources:
        prose(console, source.what)
        put(console, [Text(source.url, "blue")], "    ")


def overview(console: Console) -> None:
    """All codes with their titles."""
    widest = max(map(len, CODES))
    for group, codes in GROUPS.items():
        _title(console, group.capitalize())
        for code in codes:
            name = Text(f"{code.name:{widest}}  ", "red")
            put(console, [Text.assemble(name, (code.title, "default"))], "  ")
    console.print("\nfitwell explain CODE says what it is, how it looks, and what helps.")


def _title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold"))


def prose(console: Console, text: str, mark: str = "") -> None:
    """A paragraph, with `code` in it; `mark` stands before its first line."""
    shown = Text()
    for i, part in enumerate(re.split("`([^`]+)`", text)):
        shown.append(part, "cyan" if i % 2 else None)
    indent = " " * (2 + len(mark))
    lines = shown.wrap(console, min(console.width, _WIDTH) - len(indent))
    lines[0] = Text(mark) + lines[0]
    put(console, [lines[0]], "  ")
    put(console, lines[1:], indent)


def _block(console: Console, text: Text) -> None:
    """Lines as they are, so that they can be copied, after an empty one."""
    console.print()
    put(console, text.split("\n"), "    ")


def put(console: Console, lines: Iterable[Text], indent: str) -> None:
    """Without blanks at the ends, which rich's own padding would leave."""
    for line in lines:
        line.rstrip()
        console.print(Text(indent if line else "") + line, soft_wrap=True)


def _highlighted(code: str) -> Text:
    text = Syntax(code, "python", theme="ansi_dark", background_color="default").highlight(code)
    text.rstrip()
    return text
