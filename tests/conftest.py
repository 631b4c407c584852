"""What all tests share: no output, no folder of the user's, seeds that repeat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fitwell import settings

os.environ.setdefault("MPLBACKEND", "agg")

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("FITWELL_DATA", ROOT.parent / "shared" / "data"))

# Workers of one run share compiled programs, in a folder of the repository that git ignores.
settings.cache_folder = ROOT / "build" / "compile-cache"


collect_ignore = ["golden"]  # scripts that need other libraries; what they store is committed


@pytest.fixture(autouse=True)
def _repeatable() -> Iterator[None]:
    settings.set_seed(0)
    settings.progress = "off"
    yield
    settings.progress = "auto"
