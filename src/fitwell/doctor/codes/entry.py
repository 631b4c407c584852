"""What one code means, as text: the form that all entries share."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from fitwell.doctor.codes.sources import Source

_HEAD = "import numpy as np\n\nimport fitwell as fw\nfrom fitwell.layers import "
_RANDOM = "fw.settings.set_seed(0)\nrandom = np.random.default_rng(0)\n"


@dataclass(frozen=True)
class Cure:
    """What helps.

    Attributes:
        does: one or two sentences: what it does, and when it is the right one.
        code: to paste after the entry's example; `model`, `X` and `y` are the user's.
    """

    does: str
    code: str


@dataclass(frozen=True)
class Code:
    """One code: what it is, how it looks, why it happens, when it is none, and what helps.

    Attributes:
        name: as in `finding.code`.
        title: half a line.
        what: what it is.
        equation: the arithmetic of it, "" where there is none.
        looks: how it shows, with numbers: one sentence or two for each sign.
        why: how it comes about.
        unless: when the same signs are no fault.
        cures: best first.
        example: ten lines or fewer that show it; they leave `model`, `X`, `y` behind.
        prints: what the example prints.
        sources: papers and documentation.
    """

    name: str
    title: str
    what: str
    equation: str
    looks: tuple[str, ...]
    why: str
    unless: str
    cures: tuple[Cure, ...]
    example: str
    prints: str
    sources: tuple[Source, ...]

    @property
    def program(self) -> str:
        """The example with its imports: runs as it is."""
        return f"{_HEAD}{', '.join(self._layers())}\n\n{_RANDOM}{self.example}"

    def _layers(self) -> list[str]:
        """The layers that the example calls by their bare names."""
        calls = [node for node in ast.walk(ast.parse(self.example)) if isinstance(node, ast.Call)]
        names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        return sorted({"Dense"} | {name for name in names if name[0].isupper()})


def entry(
    name: str,
    title: str,
    *,
    what: str,
    looks: str,
    why: str,
    unless: str,
    cures: Sequence[tuple[str, str]],
    example: str,
    prints: str,
    sources: Sequence[Source],
    equation: str = "",
) -> Code:
    """A Code from indented text; signs in `looks` begin with "- "."""
    return Code(
        name,
        title,
        _prose(what),
        _block(equation),
        tuple(_prose(sign) for sign in f"\n{_block(looks)}".split("\n- ") if sign.strip()),
        _prose(why),
        _prose(unless),
        tuple(Cure(_prose(does), _block(code)) for does, code in cures),
        _block(example),
        _block(prints),
        tuple(sources),
    )


def _prose(text: str) -> str:
    return " ".join(text.split())


def _block(text: str) -> str:
    return textwrap.dedent(text).strip()
