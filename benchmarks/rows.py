"""The work that is measured: one entry of ROWS per table of RESULTS.md.

To add work, add a Row; its network comes from `layer_rows.networks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from layer_rows import Row as Network
from layer_rows import networks
from numpy.typing import NDArray

Array = NDArray[Any]
Range = tuple[float, float]

SEED = 0
LEARNING_RATE = 1e-3
EPSILON = 1e-7  # Keras' default; the other peers' is 1e-8, so everybody is told
VALIDATION = 8  # examples for training per example for validation

PEERS = (
    "fitwell",
    "pytorch",
    "pytorch-fused",
    "pytorch-compiled",
    "keras-jax",
    "keras-jax-32",
    "keras-tensorflow",
    "keras-tensorflow-32",
    "scikit-learn",
)
"""`-32`: 32 steps per execution. `-fused`: Adam(fused=True), faster than PyTorch's default."""
DENSE_ONLY = ("keras-jax-32", "scikit-learn")
"""scikit-learn has no other layers; what 32 steps save on JAX is seen in short steps only."""


class Data(NamedTuple):
    """Examples to train with, and others for validation."""

    x: Array
    y: Array
    validation: tuple[Array, Array]


class Epochs(NamedTuple):
    """Means of each epoch, as the library reports them; `accuracy` is empty if it keeps none."""

    loss: list[float]
    accuracy: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


@dataclass(frozen=True)
class Row:
    """A network, its data and how long it is trained.

    Attributes:
        name: what `--rows` takes.
        title: what the table says.
        network: the layers, for both families of libraries; it ends with logits.
        data: makes x and y from a generator and the number of examples.
        examples: for training; divisible by `VALIDATION * batch`, so that every peer takes the
            same steps.
        epochs: of the fit that is timed, after a first fit of one epoch.
        first_loss: the range in which the mean training loss of the very first epoch lies, for
            everybody and several seeds; outside it a peer did other work than the rest.
        final_loss: the same for the last epoch.
        accuracy: the same for both accuracies of the last epoch, in training and in validation.
        target: the validation loss to which the time is measured; everybody comes below it.
        goal: the ratio (best peer / fitwell) to reach.
        hidden: the hidden units if dense layers are all there is: what scikit-learn can do.
    """

    name: str
    title: str
    network: Network
    data: Callable[[np.random.Generator, int], tuple[Array, Array]]
    examples: int
    epochs: int
    first_loss: Range
    final_loss: Range
    accuracy: Range
    target: float
    goal: float
    hidden: tuple[int, ...] = ()

    @property
    def batch(self) -> int:
        return self.network.batch

    @property
    def steps_per_epoch(self) -> int:
        return self.examples // self.batch

    @property
    def binary(self) -> bool:
        return self.network.classes == 2

    @property
    def peers(self) -> tuple[str, ...]:
        """Who can do this work."""
        return tuple(peer for peer in PEERS if self.hidden or peer not in DENSE_ONLY)

    def complaint(self, first: Epochs, last: Epochs) -> str:
        """What shows that a peer did other work than the rest; empty if nothing does."""
        if len(last.loss) != self.epochs or len(last.val_loss) != self.epochs:
            counts = f"{len(last.loss)} and {len(last.val_loss)} validated"
            return f"expected {self.epochs} epochs, received {counts}"
        seen = [
            ("loss of the first epoch", first.loss[-1], self.first_loss),
            ("loss of the last epoch", last.loss[-1], self.final_loss),
            *(("accuracy", value, self.accuracy) for value in last.accuracy[-1:]),
            ("accuracy in validation", last.val_accuracy[-1], self.accuracy),
            ("validation loss, the smallest,", min(last.val_loss), (0.0, self.target)),
        ]
        for what, value, (low, high) in seen:
            if not low <= value <= high:
                return f"expected {what} in [{low}, {high}], received {value:.4f}"
        return ""

    def make_data(self) -> Data:
        """The same arrays in every process."""
        n = self.examples
        x, y = self.data(np.random.default_rng(SEED), n + n // VALIDATION)
        return Data(x[:n], y[:n], (x[n:], y[n:]))


def disc(random: np.random.Generator, examples: int) -> tuple[Array, Array]:
    """Points of the plane, 1 inside a disc; a tenth of the labels is flipped.

    The flips put a floor under the loss, -0.1 ln 0.1 - 0.9 ln 0.9 = 0.325, that every peer
    comes near however it draws its first weights.
    """
    x = random.uniform(-2, 2, (examples, 2)).astype(np.float32)
    flipped = random.random(examples) < 0.1
    return x, ((np.hypot(x[:, 0], x[:, 1]) < 1.5) ^ flipped).astype(np.float32)


def clusters(
    random: np.random.Generator,
    examples: int,
    *,
    coarse: tuple[int, ...],
    shape: tuple[int, ...],
    contrast: float,
) -> tuple[Array, Array]:
    """Ten clouds, scaled as pixels in [0, 1] are; a tenth of the labels is drawn anew.

    Those labels put a floor under the loss, -0.91 ln 0.91 - 9 * 0.01 ln 0.01 = 0.500, and the
    best accuracy is 0.91, where the clouds do not overlap.

    Args:
        coarse: the shape in which a cloud's centre is drawn, with deviation `contrast`.
        shape: of an example. Its axes are whole multiples of those of `coarse`, whose numbers
            are repeated: patches of an image, a constant over time. The noise has deviation 0.3.
    """
    centres = random.standard_normal((10, *coarse), dtype=np.float32)
    for axis, (few, many) in enumerate(zip(coarse, shape, strict=True), 1):
        centres = centres.repeat(many // few, axis)
    clouds = random.integers(10, size=examples)
    noise = random.standard_normal((examples, *shape), dtype=np.float32)
    drawn = random.random(examples) < 0.1
    y = np.where(drawn, random.integers(10, size=examples), clouds)
    return 0.5 + contrast * centres[clouds] + 0.3 * noise, y.astype(np.int32)


def flat(contrast: float) -> Callable[[np.random.Generator, int], tuple[Array, Array]]:
    """`clusters` in 784 dimensions."""
    return partial(clusters, coarse=(784,), shape=(784,), contrast=contrast)


def reading(name: str, *, epochs: int, first_loss: Range, final_loss: Range) -> Row:
    """A recurrent layer that reads 64 steps of 32 features."""
    return Row(
        name.lower(),
        f"{name} 64x32 to 128, batch 64, Adam",
        networks.reader(name, 64, 32, 128),
        partial(clusters, coarse=(1, 32), shape=(64, 32), contrast=0.3),
        examples=2048,
        epochs=epochs,
        first_loss=first_loss,
        final_loss=final_loss,
        accuracy=(0.86, 0.94),
        target=0.7,
        goal=0.8,
    )


ROWS = (
    Row(
        "tiny_mlp",
        "2-25-15-1, batch 32, Adam",
        networks.mlp(2, 25, 15, 1, batch=32),
        disc,
        examples=8192,
        epochs=20,
        first_loss=(0.54, 0.68),
        final_loss=(0.36, 0.41),
        accuracy=(0.85, 0.91),
        target=0.43,
        goal=10.0,
        hidden=(25, 15),
    ),
    Row(
        "mnist_mlp",
        "784-128-64-10, batch 64, Adam",
        networks.mlp(784, 128, 64, 10, batch=64),
        flat(0.05),
        examples=16384,
        epochs=4,
        first_loss=(1.3, 2.0),
        final_loss=(0.52, 0.6),
        accuracy=(0.85, 0.92),
        target=0.76,
        goal=1.3,
        hidden=(128, 64),
    ),
    Row(
        "wide_mlp",
        "784-512-512-10, batch 128, Adam",
        networks.mlp(784, 512, 512, 10, batch=128),
        flat(0.05),
        examples=16384,
        epochs=3,
        first_loss=(1.15, 1.55),
        final_loss=(0.53, 0.61),
        accuracy=(0.82, 0.92),
        target=0.78,
        goal=1.1,
        hidden=(512, 512),
    ),
    Row(
        "cnn_28",
        "CNN 32-64, 28x28x1, batch 64, Adam",
        networks.cnn((28, 28, 1), 32, 64),
        partial(clusters, coarse=(7, 7, 1), shape=(28, 28, 1), contrast=0.12),
        examples=2048,
        epochs=2,
        first_loss=(1.6, 2.6),
        final_loss=(0.47, 0.6),
        accuracy=(0.88, 0.94),
        target=0.7,
        goal=1.0,
    ),
    Row(
        "cnn_32",
        "CNN 32-64-128, 32x32x3, batch 64, Adam",
        networks.cnn((32, 32, 3), 32, 64, 128),
        partial(clusters, coarse=(8, 8, 3), shape=(32, 32, 3), contrast=0.2),
        examples=1024,
        epochs=3,
        first_loss=(1.9, 3.0),
        final_loss=(0.4, 0.6),
        accuracy=(0.88, 0.95),
        target=0.9,
        goal=1.0,
    ),
    reading("LSTM", epochs=4, first_loss=(0.9, 2.0), final_loss=(0.45, 0.58)),
    reading("GRU", epochs=2, first_loss=(1.3, 2.1), final_loss=(0.46, 0.58)),
)
