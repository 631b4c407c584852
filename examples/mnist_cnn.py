"""A convolutional network on 800 handwritten digits, and what it looks for.

python examples/mnist_cnn.py [folder for the pictures]
"""

import sys
from pathlib import Path

import numpy as np
from _data import mnist

import fitwell as fw
from fitwell.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
    RandomTranslation,
)

EPOCHS, BATCH = 25, 32


def network() -> fw.Sequential:
    """Two convolutions, each halved by pooling, and one dense layer: 13,066 weights.

    800 images are few. Shifting each of them by up to three pixels, anew in every epoch, makes more
    of them, and dropout keeps the dense layer from learning single images by heart. Both act in
    training only.
    """
    return fw.Sequential(
        [
            Input((28, 28, 1)),
            RandomTranslation(0.1, 0.1, fill_mode="constant"),
            Conv2D(16, 5, activation="relu", name="first"),
            MaxPooling2D(),
            Conv2D(32, 3, activation="relu", name="second"),
            MaxPooling2D(),
            Flatten(),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ],
        seed=0,
    )


def main(pictures: Path = Path()) -> float:
    """Trains, draws, and returns the accuracy on the 200 images that were held out."""
    images, labels = mnist()
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:800], order[800:]

    # The rate falls along half a cosine wave: large steps first, small ones to settle.
    rate = fw.schedules.CosineDecay(3e-3, decay_steps=EPOCHS * len(train) // BATCH)
    model = network()
    model.compile(fw.optimizers.Adam(rate), metrics=["accuracy"])  # the loss follows the softmax
    history = model.fit(images[train], labels[train], batch_size=BATCH, epochs=EPOCHS)
    model.summary()

    _, accuracy = model.evaluate(images[test], labels[test], verbose=0)
    print(f"accuracy: {history.history['accuracy'][-1]:.3f} in training, shifted and with dropout")
    print(f"accuracy: {accuracy:.3f} on 200 held-out images")

    # Edges and strokes: what the first layer's filters look for, and where they find it.
    fw.plots.filters(model, "first", path=pictures / "mnist_filters.svg")
    fw.plots.feature_maps(model, images[test[0]], path=pictures / "mnist_feature_maps.svg")
    print(f"pictures: mnist_filters.svg, mnist_feature_maps.svg in {pictures.resolve()}")
    return accuracy


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
