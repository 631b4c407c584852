"""Optimizers: frozen descriptions with pure steps, under Keras' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitwell.errors import InvalidArgument, missing_attribute
from fitwell.names import resolve
from fitwell.optimizers import schedules as schedules
from fitwell.optimizers.adafactor import Adafactor
from fitwell.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from fitwell.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from fitwell.optimizers.base import Optimizer
from fitwell.optimizers.lbfgs import LBFGS
from fitwell.optimizers.lion import Lion
from fitwell.optimizers.muon import Muon
from fitwell.optimizers.sgd import SGD

_CLASSES: tuple[type[Optimizer], ...] = (
    SGD,
    Adagrad,
    RMSprop,
    Adadelta,
    Adam,
    AdamW,
    Adamax,
    Nadam,
    Lion,
    Adafactor,
    Lamb,
    Muon,
    LBFGS,
)


def get(identifier: str | Optimizer) -> Optimizer:
    """The optimizer that a name stands for, with its defaults; an optimizer as it is.

    >>> get("adam"), get(SGD(0.1))
    (Adam(), SGD(learning_rate=0.1))

    Raises:
        UnknownName: an unknown name; names the nearest.
        InvalidArgument: neither a name nor an optimizer.
    """
    found = resolve("optimizer", identifier, {kind.__name__.lower(): kind for kind in _CLASSES})
    if isinstance(identifier, str) and isinstance(found, type):
        return found()
    if isinstance(found, Optimizer):
        return found
    if isinstance(found, type) and issubclass(found, Optimizer):
        received, cure = f"the class {found.__name__}", f"Make an instance: {found.__name__}()."
    else:
        received, cure = repr(found), 'Pass a name such as "adam", or Adam(learning_rate=0.001).'
    raise InvalidArgument("optimizer", "a name or an instance of Optimizer", received, cure)


__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
