"""What is on the page can be read, in light and in dark."""

from __future__ import annotations

import re

import pytest

from fitwell.report import page
from fitwell.report.tables import _columns

STYLE = page._environment().loader.get_source(page._environment(), "style.css")[0]


def light(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme: int) -> None:
    """Text at 4.5 to 1 (WCAG AA), lines of figures at 3 to 1."""
    block = re.findall(r":root \{(.*?)\}", STYLE, re.S)[theme]
    colours = dict(re.findall(r"--([\w]+): (#[0-9a-f]{6})", block))
    for ground in ("paper", "ground"):
        for name in ("ink", "quiet", "link", "critical", "warning", "info"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for number in range(8):
        assert contrast(colours[f"c{number}"], colours["paper"]) >= 3, number
    assert contrast(colours["ink"], colours["code"]) >= 4.5


def test_contrast_by_hand() -> None:
    """Black on white is 21 to 1; #767676 on white is the grey that just passes, 4.54."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_of_many_columns_the_first_are_shown() -> None:
    listing = _columns([{"column": f"c{i}", "kind": "number"} for i in range(1234)])
    assert listing is not None
    assert len(listing.rows) == 201
    assert listing.rows[-1] == ("and 1,034 more", "")
