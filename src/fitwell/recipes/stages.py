"""What is tried in which order: cures of the doctor for each of the two questions."""

from __future__ import annotations

from dataclasses import dataclass

from fitwell.doctor.cure import Cure
from fitwell.doctor.cures import EVIDENT, FURTHER
from fitwell.recipes import edits

_ALL = {cure.name: cure for cure in (*EVIDENT, *FURTHER)}


@dataclass(frozen=True)
class Stage:
    """Cures of one kind, the most plausible first.

    Attributes:
        name: what is changed.
        cures: each is tried on top of what was kept.
        rates: several learning rates are tried at once.
        together: in one trial, since one without the other shows nothing.
    """

    name: str
    cures: tuple[Cure, ...]
    rates: bool = False
    together: bool = False


def _stage(name: str, *cures: str, rates: bool = False, together: bool = False) -> Stage:
    return Stage(name, tuple(_ALL[one] for one in cures), rates, together)


FIT_TRAINING_DATA: tuple[Stage, ...] = (
    _stage(
        "output and scales",
        "fit the output to the labels",
        "scale the targets inside the model",
        "scale the inputs inside the model",
        "initialise by fan-in",
        together=True,
    ),
    _stage("activation", "bend the hidden layers", "leaky relu"),
    _stage("learning rate", "batches of 32", "Adam at a usual rate", rates=True),
    _stage("capacity", "regularise less", "no dropout", "more units"),
    _stage("epochs", "more epochs", "4 times the epochs"),
    _stage("depth", "fewer layers", "batch normalization", "residual connections"),
)
"""If it is not good on the training data. Nothing in here is against overfitting."""

_WEIGHT_DECAY = Cure(
    "weight decay",
    ("overfitting",),
    "L2 of 1e-3 on kernels: large weights, which single examples ask for, cost something.",
    "Dense(64, kernel_regularizer=fw.regularizers.L2(1e-3))",
    edits.decayed,
    "overfitting",
)
_DROPOUT = Cure(
    "dropout",
    ("overfitting",),
    "Each step trains the network without 3 of 10 hidden units, so that none relies on others.",
    "Dense(64), Dropout(0.3)",
    edits.dropped_out,
    "overfitting",
)

FIT_OTHERS: tuple[Stage, ...] = (
    _stage("early stopping", "stop early"),
    Stage("regularisation", (_WEIGHT_DECAY,)),
    Stage("dropout", (_DROPOUT,)),
    _stage("capacity", "fewer units"),
)
"""If it is good on the training data and not on others; more data come last."""
