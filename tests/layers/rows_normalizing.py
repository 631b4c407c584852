"""Rows of the contract table: normalization layers, against golden/layers_normalizing.npz."""

from __future__ import annotations

from fitwell import layers
from fitwell.initializers import Constant

from .table import row

MOVING = {
    "moving_mean_initializer": Constant(0.3),
    "moving_variance_initializer": Constant(2.5),
}

ROWS = [
    row("batch_normalization", layers.BatchNormalization(**MOVING), (2, 3)),
    row(
        "batch_normalization_axis",
        layers.BatchNormalization(axis=1, epsilon=0.1, center=False, **MOVING),
        (3, 2),
    ),
    row("layer_normalization", layers.LayerNormalization(), (2, 4)),
    row(
        "layer_normalization_axes",
        layers.LayerNormalization(axis=(3, 1), epsilon=0.2, scale=False),
        (2, 3, 2),
    ),
    row("layer_normalization_torch", layers.LayerNormalization(gamma_regularizer="l2"), (4,)),
    row("group_normalization", layers.GroupNormalization(groups=2), (2, 3, 4)),
    row("group_normalization_axis", layers.GroupNormalization(groups=2, axis=1), (4, 3)),
    row("group_normalization_torch", layers.GroupNormalization(groups=3), (2, 2, 6)),
    row("instance_normalization", layers.InstanceNormalization(), (2, 4, 3)),
    row("rms_normalization", layers.RMSNormalization(), (2, 4)),
    row("unit_normalization", layers.UnitNormalization(), (2, 4)),
    row("unit_normalization_axes", layers.UnitNormalization(axis=(1, 2)), (2, 4)),
]
