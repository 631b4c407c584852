"""What changes examples at random in training and leaves them alone in prediction."""

from fitwell.layers.augmenting.color import RandomBrightness, RandomContrast, RandomErasing
from fitwell.layers.augmenting.mixing import CutMix, MixUp
from fitwell.layers.augmenting.moving import RandomCrop, RandomFlip
from fitwell.layers.augmenting.warping import RandomRotation, RandomTranslation, RandomZoom

__all__ = [
    "CutMix",
    "MixUp",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
]
