"""Pictures: of networks, filters, feature maps, of what a unit looks for, of the loss, of results.

Each returns a matplotlib Figure, which notebooks show, and writes it with `path="name.svg"` (or
.png, .pdf). Green is positive, red negative, in colours that are told apart with any colour vision.
"""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.plots.boundary import boundary
from fitwell.plots.classes import confusion
from fitwell.plots.exciting import MaximalInput, maximal_input
from fitwell.plots.importance import importance, partial_dependence
from fitwell.plots.kernels import filters
from fitwell.plots.landscape import landscape
from fitwell.plots.maps import feature_maps
from fitwell.plots.networks import network
from fitwell.plots.residuals import residuals
from fitwell.plots.thresholds import calibration, precision_recall, roc

__all__ = [
    "MaximalInput",
    "boundary",
    "calibration",
    "confusion",
    "feature_maps",
    "filters",
    "importance",
    "landscape",
    "maximal_input",
    "network",
    "partial_dependence",
    "precision_recall",
    "residuals",
    "roc",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
