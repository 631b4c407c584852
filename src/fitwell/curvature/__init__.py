"""Second derivatives of the loss: minimum, saddle or flat, and the way down from a saddle."""

from fitwell.curvature.asking import curvature
from fitwell.curvature.result import Curvature

__all__ = ["Curvature", "curvature"]
