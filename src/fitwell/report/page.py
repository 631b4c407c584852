"""The page: a template filled with a Study and its pictures. What users typed is escaped."""

from __future__ import annotations

import base64
import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fitwell.report.examples import number
from fitwell.report.pictures import pictures
from fitwell.report.study import Listing, Study

if TYPE_CHECKING:
    from jinja2 import Environment


def render(study: Study) -> str:
    """The whole page as text."""
    template = _environment().get_template("page.html")
    return template.render(
        study=study,
        pictures=pictures(study),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


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
    found.filters["number"] = number
    found.filters["score"] = _score
    found.filters["image"] = _image
    found.filters["sides"] = _sides
    return found


def _score(value: float) -> str:
    """A share: what is below its last digit is nothing."""
    return number(0.0 if abs(value) < 5e-6 else value)


def _image(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _sides(listing: Listing) -> list[str]:
    """The class of each column: numbers are set to the right."""
    return ["n" if i in listing.figures else "" for i in range(len(listing.header))]
