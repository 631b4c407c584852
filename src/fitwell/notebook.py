"""Tables as notebooks show them: plain HTML, readable on light and on dark pages."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["code", "paragraph", "strong", "table", "text"]

_CELL = "text-align:left;vertical-align:top;padding:0.2em 0.8em 0.2em 0"


def text(value: object) -> str:
    """Escaped, with its line breaks.

    >>> text("a < b")
    'a &lt; b'
    """
    return html.escape(str(value)).replace("\n", "<br>")


def strong(value: object, color: str = "inherit") -> str:
    """In bold, and in a color."""
    return f'<b style="color:{color}">{text(value)}</b>'


def code(value: object) -> str:
    """A program, or a name in it: blanks and line breaks are kept."""
    shown = html.escape(str(value))
    return f'<code style="white-space:pre-wrap;background:none">{shown}</code>'


def paragraph(value: object) -> str:
    """One paragraph."""
    return f"<p>{text(value)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already; names of the header are text.

    >>> table(["a"], [[text("1 < 2")]]).count("<tr>")
    2
    """
    head = _row("th", map(text, header)) if header else ""
    body = "".join(_row("td", row) for row in rows)
    head = f"<thead>{head}</thead>" if head else ""
    return f"<table>{head}<tbody>{body}</tbody></table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    shown = (f'<{tag} style="{_CELL}">{one}</{tag}>' for one in cells)
    return f"<tr>{''.join(shown)}</tr>"
