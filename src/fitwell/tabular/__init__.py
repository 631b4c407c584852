"""From a table to a model: `train`, `load`, and a model that takes raw tables."""

from fitwell.tabular.choices import DEFAULT, plain, tuned
from fitwell.tabular.folds import cross_validate
from fitwell.tabular.front import load, train
from fitwell.tabular.model import TableModel
from fitwell.tabular.preparing import Part, Prepared, prepare, prepare_several
from fitwell.tabular.several import MultiTargetModel, build_several, fit_several
from fitwell.tabular.training import build, check_length, fit, measured

__all__ = [
    "DEFAULT",
    "MultiTargetModel",
    "Part",
    "Prepared",
    "TableModel",
    "build",
    "build_several",
    "check_length",
    "cross_validate",
    "fit",
    "fit_several",
    "load",
    "measured",
    "plain",
    "prepare",
    "prepare_several",
    "train",
    "tuned",
]
