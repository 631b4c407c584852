"""What all tests share: no output, no folder of the user's, seeds that repeat."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _data import path

from fitwell import settings

os.environ.setdefault("MPLBACKEND", "agg")

ROOT = Path(__file__).parents[1]

collect_ignore = ["golden"]  # scripts that need other libraries; what they store is committed


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """The path of a file that the project does not ship; where it is missing the test is skipped.

    See `examples/_data.py` for where it is looked for.
    """

    def found(name: str) -> Path:
        try:
            return path(name)
        except FileNotFoundError as error:
            pytest.skip(str(error))

    return found


@pytest.fixture(scope="session")
def real_tables(real_data: Callable[[str], Path]) -> Path:
    """The folder with california_housing.csv and titanic.csv."""
    real_data("california_housing.csv")
    return real_data("titanic.csv").parent


@pytest.fixture(autouse=True)
def _repeatable() -> Iterator[None]:
    settings.set_seed(0)
    settings.progress = "off"
    yield
    settings.progress = "auto"
