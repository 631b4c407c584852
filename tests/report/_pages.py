"""What tests ask of a page: that it is whole, alone and harmless."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_EMPTY = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Tags, ids and references of a page; `problems` says what is wrong with its nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.open, self.problems = text, [], []
        self.tags, self.ids, self.references = [], [], []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "action", "data"):
                self.references.append(value or "")
            if name.startswith("on"):
                self.problems.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes another tag")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def seen(self) -> str:
        """The text without tags, in one line."""
        return " ".join(" ".join(self.words).split())


def check(page: Page) -> None:
    """One file, no scripts, nothing from a network, every reference in the page itself."""
    assert page.problems == []
    assert len(page.text.encode()) < 3_000_000
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    for one in page.references:
        assert one.startswith(("#", "data:image/png;base64,")), one
    inside = [one[1:] for one in page.references if one.startswith("#")]
    inside += re.findall(r"url\(#([^)]*)\)", page.text)
    assert set(inside) <= set(page.ids)
    assert not re.findall(r"url\((?!#)|@import|https?://", page.text)
