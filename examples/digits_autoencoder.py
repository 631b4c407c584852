"""A linear autoencoder finds the principal components, and one with hidden layers does better.

python examples/digits_autoencoder.py
"""

from typing import NamedTuple

import numpy as np
from _data import digits

import fitwell as fw

CODE = 10  # numbers that an image of 64 pixels is squeezed into


class Findings(NamedTuple):
    angle: float  # the largest between the two subspaces, in rad
    components: float  # mean squared error on held-out images, rebuilt from the components
    linear: float
    deep: float


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """The largest principal angle between the spans of two matrices' columns, in float64.

    The singular values of (I - B B^T) A, for orthonormal A and B, are the sines of the angles. The
    cosines, those of A^T B, would lose all angles below 1e-8 in the rounding of numbers near 1.
    """
    a, b = (np.linalg.qr(m.astype(np.float64))[0] for m in (a, b))
    return float(np.arcsin(min(np.linalg.svd(a - b @ (b.T @ a))[1][0], 1.0)))


def linear(images: np.ndarray) -> fw.Model:
    """x' = W^T (W x + b) + c, where W has CODE rows: without activations, and with one W.

    The mean squared error has no other minimum than W whose rows span the first CODE principal
    components (Baldi & Hornik 1989), but it is a flat one: along the last component that is in,
    against the first that is out, the error hardly changes. Small steps need an age; L-BFGS learns
    the curvature and gets there to the precision of float32. It wants all images in every step.

    Two kernels of their own (tied=False) end in the same subspace as far as the decoder goes; the
    encoder may add anything in directions in which the images do not vary, and some pixels of the
    digits are always 0.
    """
    model = fw.architectures.autoencoder((64,), CODE, tied=True, seed=0)
    model.compile(fw.optimizers.LBFGS(), loss="mse")
    model.fit(images, epochs=500, batch_size="full", verbose=0)  # towards the images themselves
    return model


def deep(images: np.ndarray) -> fw.Model:
    """64 -> 128 -> CODE -> 128 -> 64 with ReLU: a curved surface in place of the flat subspace.

    The sigmoid keeps the pixels of the answer in [0, 1], where those of the images are.
    """
    model = fw.architectures.autoencoder((64,), CODE, (128,), output_activation="sigmoid", seed=0)
    epochs, batch = 100, 32
    rate = fw.schedules.CosineDecay(3e-3, decay_steps=epochs * len(images) // batch)
    model.compile(fw.optimizers.Adam(rate), loss="mse")
    model.fit(images, epochs=epochs, batch_size=batch, verbose=0)
    return model


def main() -> Findings:
    """Trains both, and compares them with the components that the SVD finds."""
    images, _ = digits()
    order = np.random.default_rng(0).permutation(len(images))
    train, test = images[order[:1400]], images[order[1400:]]

    mean = train.mean(axis=0, dtype=np.float64)
    components = np.linalg.svd(train - mean)[2][:CODE].T  # (64, CODE), the directions first to last
    rebuilt = mean + (test - mean) @ components @ components.T

    first, second = linear(train), deep(train)
    found = Findings(
        angle=angle(np.asarray(first["code"].kernel), components),
        components=float(np.mean((rebuilt - test) ** 2)),
        linear=first.evaluate(test, test, verbose=0),
        deep=second.evaluate(test, test, verbose=0),
    )
    print(f"angle between the linear code's subspace and the components': {found.angle:.1e} rad")
    print(f"mean squared error on {len(test)} held-out images, {CODE} numbers for each:")
    print(f"  principal components {found.components:.5f}")
    print(f"  linear autoencoder   {found.linear:.5f}")
    print(f"  with hidden layers   {found.deep:.5f}")
    return found


if __name__ == "__main__":
    main()
