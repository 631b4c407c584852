"""The pages of docs/doctor from the entries: `python -m fitwell.doctor.codes.pages docs/doctor`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from fitwell.doctor.codes import CODES, GROUPS, Code

_INDEX = "README.md"


def page(code: Code) -> str:
    """One entry as Markdown."""
    parts = [f"# {code.name}", f"**{code.title}**", code.what]
    if code.equation:
        parts += [_fence(code.equation, "text")]
    parts += ["## How it looks", "\n".join(f"- {sign}" for sign in code.looks)]
    parts += ["## Why", code.why, "## When it is no fault", code.unless, "## Cures"]
    for cure in code.cures:
        parts += [cure.does, _fence(cure.code, "python")]
    parts += ["## An example", _fence(code.program, "python")]
    parts += ["prints", _fence(code.prints, "text")]
    sources = "\n".join(f"- [{source.what}]({source.url})" for source in code.sources)
    parts += ["## Sources", sources, f"[All codes]({_INDEX})"]
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """The list of all entries, as Markdown."""
    parts = [
        "# The codes of the doctor",
        "Each finding has a code; `fitwell explain CODE` shows its page in the terminal. These "
        "pages are made from `fitwell.doctor.codes` by `make docs`. `finding.apply()` is a new "
        "model with the cure in it; `finding.prove()` trains both from the same starts and says "
        "what the cure gains, and how many starts fail without it.",
    ]
    for group, codes in GROUPS.items():
        rows = [f"| [{code.name}]({code.name}.md) | {code.title} |" for code in codes]
        parts += [f"## {group.capitalize()}", "\n".join(["| code | |", "|---|---|", *rows])]
    return "\n\n".join(parts) + "\n"


def pages() -> Mapping[str, str]:
    """Every file by its name."""
    return {_INDEX: index(), **{f"{code.name}.md": page(code) for code in CODES.values()}}


def write(folder: Path) -> None:
    """Writes all pages; those of codes that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = pages()
    for old in folder.glob("*.md"):
        if old.name not in written:
            old.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


def _fence(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
