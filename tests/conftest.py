"""What all tests share: no output, no folder of the user's, seeds that repeat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fitwell import settings

os.environ.setdefault("MPLBACKEND", "agg")

ROOT = Path(__file__).parents[1]

# Workers of one run share compiled programs, in a folder of the repository that git ignores.
settings.cache_folder = ROOT / "build" / "compile-cache"


collect_ignore = ["golden"]  # scripts that need other libraries; what they store is committed


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """The folder with california_housing.csv and titanic.csv, which the project does not ship.

    `FITWELL_DATA` names it; otherwise a folder `data` in one beside the repository is taken.
    """
    named = os.environ.get("FITWELL_DATA")
    near = ROOT.parent.glob("*/data/california_housing.csv")
    folder = Path(named) if named else next((path.parent for path in near), None)
    if folder is None or not (folder / "titanic.csv").exists():
        pytest.skip("the real tables are missing: FITWELL_DATA names their folder")
    return folder


@pytest.fixture(autouse=True)
def _repeatable() -> Iterator[None]:
    settings.set_seed(0)
    settings.progress = "off"
    yield
    settings.progress = "auto"
