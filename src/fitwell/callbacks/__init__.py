"""Callbacks: what looks at a fit between its steps, saves it, steers it and ends it."""

from typing import TYPE_CHECKING

from fitwell.callbacks.backup import BackupAndRestore
from fitwell.callbacks.checkpoint import ModelCheckpoint
from fitwell.callbacks.function import LambdaCallback
from fitwell.callbacks.layers import LayerStatistics
from fitwell.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from fitwell.callbacks.stopping import EarlyStopping, TerminateOnNaN
from fitwell.callbacks.table import CSVLogger
from fitwell.callbacks.tensorboard import TensorBoard
from fitwell.errors import missing_attribute
from fitwell.hooks import Callback, in_order
from fitwell.progress import ProgressBar

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LayerStatistics",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "in_order",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
