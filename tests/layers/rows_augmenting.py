"""Rows of the contract table: augmentations. In prediction nothing changes (a crop: the middle).

Training is deterministic for one key, so that the contract's gradients are those of one draw.
"""

from __future__ import annotations

from fitwell import layers

from .table import row, same

IMAGE = (4, 5, 2)
WIDE = {"value_range": (-50, 50)}

ROWS = [
    row("random_flip", layers.RandomFlip(seed=3), IMAGE, formula=same),
    row("random_crop", layers.RandomCrop(2, 2), IMAGE, formula=lambda p, x: x[:, 1:3, 1:3]),
    row("random_rotation", layers.RandomRotation(0.2), IMAGE, formula=same),
    row("random_translation", layers.RandomTranslation(0.3, 0.2), IMAGE, formula=same),
    row("random_zoom", layers.RandomZoom((-0.2, 0.4)), IMAGE, formula=same),
    row("random_brightness", layers.RandomBrightness(0.2, **WIDE), IMAGE, formula=same),
    row("random_contrast", layers.RandomContrast(0.3, **WIDE), IMAGE, formula=same),
    row("random_erasing", layers.RandomErasing((1, 1), fill_value=[1, 2]), IMAGE, formula=same),
]
