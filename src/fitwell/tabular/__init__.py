"""From a table to a model: `train`, `load`, and a model that takes raw tables."""

from fitwell.tabular.model import TableModel, load
from fitwell.tabular.training import Part, Prepared, build, check_length, fit, prepare, train

__all__ = [
    "Part",
    "Prepared",
    "TableModel",
    "build",
    "check_length",
    "fit",
    "load",
    "prepare",
    "train",
]
