"""A convolutional network on scikit-learn's digits, measured by 5-fold cross-validation.

python examples/digits_cnn.py
"""

import numpy as np
from _data import digits
from sklearn.model_selection import KFold

import fitwell as fw
from fitwell.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

EPOCHS, BATCH = 20, 32


def network(seed: int) -> fw.Sequential:
    return fw.Sequential(
        [
            Input((8, 8, 1)),
            Conv2D(32, 3, padding="same", activation="relu"),
            MaxPooling2D(),
            Conv2D(64, 3, padding="same", activation="relu"),
            MaxPooling2D(),
            Flatten(),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ],
        seed=seed,
    )


def main() -> list[float]:
    """Returns the accuracy of each fold: of a fifth of the images, by a model of the others.

    Every image is predicted once by a model that has not seen it, so their mean is an estimate from
    all 1797. The five models have one shape and share one compiled program.
    """
    pixels, labels = digits()
    images = pixels.reshape(-1, 8, 8, 1)
    accuracies = []
    folds = KFold(5, shuffle=True, random_state=0).split(images)
    for number, (train, test) in enumerate(folds):
        rate = fw.schedules.CosineDecay(3e-3, decay_steps=EPOCHS * len(train) // BATCH)
        model = network(seed=number)
        model.compile(fw.optimizers.Adam(rate), metrics=["accuracy"])
        model.fit(images[train], labels[train], batch_size=BATCH, epochs=EPOCHS, verbose=0)
        _, accuracy = model.evaluate(images[test], labels[test], verbose=0)
        accuracies.append(accuracy)
        print(f"fold {number + 1}: accuracy {accuracy:.4f} on {len(test)} images")
    print(f"mean: {np.mean(accuracies):.4f}")
    return accuracies


if __name__ == "__main__":
    main()
