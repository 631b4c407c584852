"""From a folder of images to a model: `train`, `load`, and a model that takes image files."""

from typing import TYPE_CHECKING

from fitwell.errors import missing_attribute
from fitwell.images.model import KEY, ImageModel, load
from fitwell.images.training import Prepared, build, fit, prepare, train

__all__ = ["KEY", "ImageModel", "Prepared", "build", "fit", "load", "prepare", "train"]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
