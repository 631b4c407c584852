"""The page: a template filled with a Study and its pictures. What users typed is escaped."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fitwell.progress import digits
from fitwell.report.pictures import Picture, Pictures, pictures
from fitwell.report.study import Listing, Study

if TYPE_CHECKING:
    from jinja2 import Environment


_MOST_BYTES = 2_700_000
"""Of all pictures together: the page stays below 3 MB."""


def render(studies: Sequence[Study]) -> str:
    """The whole page as text: a study for each target."""
    several = len(studies) > 1
    drawn = [pictures(one, f"t{i}" if several else "") for i, one in enumerate(studies)]
    kept, left_out = _fitting(drawn)
    return (
        _environment()
        .get_template("page.html")
        .render(
            studies=studies,
            pictures=kept,
            left_out=left_out,
            written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )


def _fitting(drawn: Sequence[Pictures]) -> tuple[list[dict[str, list[Picture]]], int]:
    """The pictures in their order as long as there is room, and how many are left out."""
    room, left_out = _MOST_BYTES, 0
    pages: list[dict[str, list[Picture]]] = []
    for sections in drawn:
        pages.append({name: [] for name in sections})
        for name, several in sections.items():
            for one in several:
                fits = len(one.svg) <= room
                room -= len(one.svg) if fits else 0
                left_out += not fits
                pages[-1][name].append(one if fits else replace(one, svg=""))
    return pages, left_out


@functools.cache
def _environment() -> Environment:
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("fitwell.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["number"] = digits
    found.filters["score"] = _score
    found.filters["image"] = _image
    found.filters["sides"] = _sides
    return found


def _score(value: float) -> str:
    """A share: what is below its last digit is nothing."""
    return digits(0.0 if abs(value) < 5e-6 else value)


def _image(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _sides(listing: Listing) -> list[str]:
    """The class of each column: numbers are set to the right."""
    return ["n" if i in listing.figures else "" for i in range(len(listing.header))]
