"""Normalizations."""

from __future__ import annotations

from layer_rows.row import Row

IMAGE, SEQUENCE = (16, 16, 64), (64, 128)

ROWS = {
    "batch_normalization": Row(
        IMAGE, lambda L: [L.BatchNormalization()], lambda nn: [nn.BatchNorm2d(64)]
    ),
    "batch_normalization_dense": Row(
        (128,), lambda L: [L.BatchNormalization()], lambda nn: [nn.BatchNorm1d(128)], batch=256
    ),
    "layer_normalization": Row(
        SEQUENCE, lambda L: [L.LayerNormalization()], lambda nn: [nn.LayerNorm(128)], sequence=True
    ),
    "rms_normalization": Row(
        SEQUENCE, lambda L: [L.RMSNormalization()], lambda nn: [nn.RMSNorm(128)], sequence=True
    ),
    "group_normalization": Row(
        IMAGE, lambda L: [L.GroupNormalization(8)], lambda nn: [nn.GroupNorm(8, 64)]
    ),
    "instance_normalization": Row(
        IMAGE,
        lambda L: [L.InstanceNormalization()],
        lambda nn: [nn.InstanceNorm2d(64, affine=True)],
    ),
}
