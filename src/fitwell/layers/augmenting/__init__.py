"""Layers that change images at random in training and leave them alone in prediction."""

from fitwell.layers.augmenting.color import RandomBrightness, RandomContrast, RandomErasing
from fitwell.layers.augmenting.moving import RandomCrop, RandomFlip
from fitwell.layers.augmenting.warping import RandomRotation, RandomTranslation, RandomZoom

__all__ = [
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
]
