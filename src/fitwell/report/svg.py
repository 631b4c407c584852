"""A matplotlib figure as SVG inside a page: in the page's colours, with ids of its own."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fitwell import figures
from fitwell.plots.panels import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK = "#010203"
"""Stands for the colour of the page's text: nothing else is drawn in it."""

_CLEAR: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
}
_THEMED: dict[Any, Any] = {
    **_CLEAR,
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.labelcolor": _INK,
}
MOST_BYTES = 700_000
"""Of one picture: a larger one is left out of the page."""


@contextmanager
def themed(paper: bool = False) -> Iterator[None]:
    """Figures that are made inside it take the page's colours; those of paper have none behind."""
    import matplotlib

    with matplotlib.rc_context(_CLEAR if paper else _THEMED):
        yield


def inline(figure: Figure, key: str, description: str) -> str:
    """The `<svg>` element, without what belongs to a file of its own; inside `themed`.

    Args:
        figure: made inside `themed`, too.
        key: letters and digits, different for each figure of a page: ids begin with it.
        description: what a screen reader says.
    """
    layout = figure.get_layout_engine()
    if layout is not None:  # once, in place of a whole drawing that is thrown away
        layout.execute(figure)
        figure.set_layout_engine("none")
    text = figures.content(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S)
    text = re.sub(r"<style type=.*?</style>", "", text, count=1, flags=re.S)
    text = re.sub(r'\bid="([^"]*)"', rf'id="{key}-\1"', text)
    text = re.sub(r"url\(#([^)]*)\)", rf"url(#{key}-\1)", text)
    text = re.sub(r'xlink:href="#([^"]*)"', rf'href="#{key}-\1"', text)
    text = text.replace("xlink:href=", "href=")
    head, rest = text.split(">", 1)
    size = re.search(r'viewBox="0 0 ([\d.]+) ', head)
    box = re.search(r'viewBox="[^"]*"', head)
    assert size is not None
    assert box is not None
    label = html.escape(description, quote=True)
    opening = (
        f'<svg {box[0]} role="img" aria-label="{label}" style="--natural:{float(size[1]):.0f}px">'
    )
    return opening + _coloured(rest)


def _coloured(text: str) -> str:
    """Colours become those of the page, which differ between light and dark."""
    text = text.replace(_INK, "currentColor")
    for number, colour in enumerate(PALETTE):
        text = text.replace(colour.lower(), f"var(--c{number})")
    return re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 var(--font)", text)
