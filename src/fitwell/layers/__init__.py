"""Layers: frozen descriptions of maps from arrays to arrays, with Keras 3's names.

One family per file; all stand on `base.py`, which holds the contract.
"""

from fitwell.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from fitwell.layers.activity import ActivityRegularization
from fitwell.layers.base import Input, InputLayer, Layer
from fitwell.layers.dense import Dense
from fitwell.layers.function import Lambda
from fitwell.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from fitwell.layers.noise import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from fitwell.layers.normalizing import (
    BatchNormalization,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from fitwell.layers.periodic import PeriodicEmbedding
from fitwell.layers.preprocessing import Normalization, Rescaling
from fitwell.layers.reparametrizing import DropConnect, SpectralNormalization, WeightNormalization
from fitwell.layers.reshaping import Flatten, Permute, RepeatVector, Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dot",
    "DropConnect",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "InstanceNormalization",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "PReLU",
    "PeriodicEmbedding",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "Subtract",
    "UnitNormalization",
    "WeightNormalization",
]
