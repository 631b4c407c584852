"""Layers that bring what flows through a network to mean 0 and variance 1, or to length 1."""

from fitwell.layers.normalizing.batch import BatchNormalization
from fitwell.layers.normalizing.example import (
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]
