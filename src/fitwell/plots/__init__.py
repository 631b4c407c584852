"""Pictures: of networks, filters, feature maps, of what a unit looks for, and of the loss.

Each returns a matplotlib Figure, which notebooks show, and writes it with `path="name.svg"` (or
.png, .pdf). Green is positive, red negative, in colours that are told apart with any colour vision.
"""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.plots.exciting import MaximalInput, maximal_input
from fitwell.plots.kernels import filters
from fitwell.plots.landscape import landscape
from fitwell.plots.maps import feature_maps
from fitwell.plots.networks import network

__all__ = ["MaximalInput", "feature_maps", "filters", "landscape", "maximal_input", "network"]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
