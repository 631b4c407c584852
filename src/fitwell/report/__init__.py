"""The report of a training: one HTML file with everything that one should know of a model."""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.report.writing import write

__all__ = ["write"]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
