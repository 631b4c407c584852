"""fitwell: neural networks that fit fast, with Keras' names, on JAX.

>>> import fitwell as fw
>>> model = fw.Sequential([fw.layers.Dense(25, activation="relu"), fw.layers.Dense(1)])
>>> model.compile(loss="mse")
"""

import importlib
from typing import TYPE_CHECKING, Any

from fitwell import (
    activations,
    architectures,
    callbacks,
    constraints,
    data,
    doctor,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    population,
    recipes,
    regularizers,
    schedules,
    treatment,
    utils,
)
from fitwell.errors import missing_attribute
from fitwell.exporting import export
from fitwell.forecasting import forecast
from fitwell.layers import Input
from fitwell.loading import load
from fitwell.model import Model
from fitwell.population import cross_validate, find_learning_rate, fit_many, search
from fitwell.recipes import recipe
from fitwell.sequential import Sequential
from fitwell.settings import settings
from fitwell.treatment import treat

__version__ = "0.1.0"

__all__ = [
    "Input",
    "Model",
    "Sequential",
    "activations",
    "architectures",
    "callbacks",
    "constraints",
    "cross_validate",
    "data",
    "doctor",
    "errors",
    "export",
    "find_learning_rate",
    "fit_many",
    "forecast",
    "images",
    "initializers",
    "layers",
    "load",
    "losses",
    "metrics",
    "optimizers",
    "plots",
    "population",
    "recipe",
    "recipes",
    "regularizers",
    "report",
    "schedules",
    "search",
    "settings",
    "tabular",
    "treat",
    "treatment",
    "utils",
]

if TYPE_CHECKING:
    from fitwell import images, plots, report, tabular
else:
    _LATER = ("images", "plots", "report", "tabular")  # what stands on the rest, and not all need
    _refuse = missing_attribute(__name__, __all__)

    def __getattr__(name: str) -> Any:
        return importlib.import_module(f"fitwell.{name}") if name in _LATER else _refuse(name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
