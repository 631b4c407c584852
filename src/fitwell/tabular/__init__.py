"""From a table to a model: `train`, `load`, and a model that takes raw tables."""

from fitwell.tabular.model import TableModel, load
from fitwell.tabular.training import Part, Prepared, fit, prepare, train

__all__ = ["Part", "Prepared", "TableModel", "fit", "load", "prepare", "train"]
