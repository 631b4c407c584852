"""Rows of the contract table: dropout in all forms. In prediction each of them is the identity."""

from __future__ import annotations

from fitwell import layers

from .table import row, same

ROWS = [
    row("alpha_dropout", layers.AlphaDropout(0.3), (4,), formula=same),
    row("alpha_dropout_shared", layers.AlphaDropout(0.3, (None, 1, 2)), (3, 2), formula=same),
    row("gaussian_dropout", layers.GaussianDropout(0.3, seed=1), (4,), formula=same),
    row("spatial_dropout1d", layers.SpatialDropout1D(0.4), (3, 4), formula=same),
    row("spatial_dropout2d", layers.SpatialDropout2D(0.4), (2, 3, 4), formula=same),
    row("spatial_dropout3d", layers.SpatialDropout3D(0.4), (2, 2, 2, 3), formula=same),
]
