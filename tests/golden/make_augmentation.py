"""Writes augmentation.npz: Keras' augmentations with factors that leave nothing to chance.

    KERAS_BACKEND=torch python tests/golden/make_augmentation.py

`x` is the batch of images; every other array is what the layer of that name makes of it in
training. The cases are those of tests/layers/test_augmenting.py.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import numpy as np
from keras import layers

CASES = {
    "rotation": layers.RandomRotation((0.1, 0.1)),
    "rotation_constant": layers.RandomRotation((-0.3, -0.3), "constant", fill_value=3.0),
    "rotation_nearest": layers.RandomRotation((0.2, 0.2), "nearest", "nearest"),
    "translation": layers.RandomTranslation((0.3, 0.3), (-0.15, -0.15)),
    "translation_wrap": layers.RandomTranslation((0.5, 0.5), (0.2, 0.2), "wrap"),
    "zoom": layers.RandomZoom((0.4, 0.4)),
    "zoom_both": layers.RandomZoom((-0.4, -0.4), (0.3, 0.3), "constant"),
    "brightness": layers.RandomBrightness((0.3, 0.3), value_range=(-2.0, 2.0)),
    "contrast": layers.RandomContrast((0.0, 0.0), value_range=(-1.0, 1.0)),
}

if __name__ == "__main__":
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype(np.float32)
    made = {name: np.asarray(layer(x, training=True)) for name, layer in CASES.items()}
    np.savez_compressed(Path(__file__).with_name("augmentation.npz"), x=x, **made)
