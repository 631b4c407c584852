"""The catalogue of what a model file may name: fitwell's own descriptions and functions."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from fitwell import (
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)
from fitwell.description import Description
from fitwell.serialization import Catalog

_MODULES = {
    "activations": activations,
    "constraints": constraints,
    "initializers": initializers,
    "layers": layers,
    "losses": losses,
    "metrics": metrics,
    "optimizers": optimizers,
    "regularizers": regularizers,
    "schedules": schedules,
}
_NOT_STORED = {"fans", "for_activation", "get", "reduce"}


@functools.cache
def catalog() -> Catalog:
    """`{"layers.Dense": Dense, "activations.relu": relu, ...}` as a Catalog."""
    entries: dict[str, Any] = {}
    for kind, module in _MODULES.items():
        for name in module.__all__:
            value = getattr(module, name)
            described = inspect.isclass(value) and issubclass(value, Description)
            function = inspect.isfunction(value) and kind != "layers"  # those there make layers
            if name not in _NOT_STORED and (described or function):
                entries[f"{kind}.{name}"] = value
    return Catalog(entries)
