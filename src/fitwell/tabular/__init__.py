"""From a table to a model: `train`, `load`, and a model that takes raw tables."""

from fitwell.tabular.choices import plain, tuned
from fitwell.tabular.model import TableModel, load
from fitwell.tabular.preparing import Part, Prepared, prepare
from fitwell.tabular.training import build, check_length, fit, measured, train

__all__ = [
    "Part",
    "Prepared",
    "TableModel",
    "build",
    "check_length",
    "fit",
    "load",
    "measured",
    "plain",
    "prepare",
    "train",
    "tuned",
]
