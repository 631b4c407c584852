"""The work that is measured: one entry of ROWS per line of the table.

To add work, add a Row; if it needs a new kind of layer, add its dataclass here and its case to
each peer in `peers.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SEED = 0
LEARNING_RATE = 1e-3
EPSILON = 1e-7  # Keras' default; the other peers' is 1e-8, so everybody is told

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


@dataclass(frozen=True)
class Dense:
    """activation(x @ kernel + bias); the last one's sigmoid or softmax decides the loss."""

    units: int
    activation: str


@dataclass(frozen=True)
class Row:
    """A network, its data and how long it is trained.

    Attributes:
        name: what `--rows` takes.
        title: what the table says.
        shape: of one example.
        network: its layers.
        data: makes x and y from a generator and the number of examples.
        examples: divisible by `batch`, so that every peer takes the same steps.
        batch: examples per step.
        epochs: of the fit that is timed, after a first fit of one epoch.
        first_loss: the range in which the mean training loss of the very first epoch lies, for
            everybody and several seeds; outside it a peer did other work than the rest.
        final_loss: the same for the last epoch.
        accuracy: the same for the training accuracy of the last epoch.
        goal: the ratio (best peer / fitwell) to reach.
        peers: who can do this work.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    network: tuple[Dense, ...]
    data: Callable[[np.random.Generator, int], tuple[Array, Array]]
    examples: int
    batch: int
    epochs: int
    first_loss: tuple[float, float]
    final_loss: tuple[float, float]
    accuracy: tuple[float, float]
    goal: float
    peers: tuple[str, ...] = PEERS

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.examples / self.batch)

    @property
    def binary(self) -> bool:
        return self.network[-1].activation == "sigmoid"

    def complaint(self, first: float, losses: Sequence[float], accuracy: float | None) -> str:
        """What shows that a peer did other work than the rest; empty if nothing does."""
        seen = [
            ("loss of the first epoch", first, self.first_loss),
            ("loss of the last epoch", losses[-1], self.final_loss),
            ("accuracy", accuracy, self.accuracy),
        ]
        if len(losses) != self.epochs:
            return f"expected {self.epochs} epochs, received {len(losses)}"
        for what, value, (low, high) in seen:
            if value is not None and not low <= value <= high:
                return f"expected {what} in [{low}, {high}], received {value:.4f}"
        return ""

    def make_data(self) -> tuple[Array, Array]:
        """The same arrays in every process."""
        return self.data(np.random.default_rng(SEED), self.examples)


def disc(random: np.random.Generator, examples: int) -> tuple[Array, Array]:
    """Points of the plane, 1 inside a disc; a tenth of the labels is flipped.

    The flips put a floor under the loss, -0.1 ln 0.1 - 0.9 ln 0.9 = 0.325, that every peer
    comes near however it draws its first weights.
    """
    x = random.uniform(-2, 2, (examples, 2)).astype(np.float32)
    flipped = random.random(examples) < 0.1
    return x, ((np.hypot(x[:, 0], x[:, 1]) < 1.5) ^ flipped).astype(np.float32)


def clusters(random: np.random.Generator, examples: int) -> tuple[Array, Array]:
    """Ten overlapping clouds in 784 dimensions, scaled as pixels in [0, 1] are."""
    centres = random.standard_normal((10, 784), dtype=np.float32)
    y = random.integers(10, size=examples)
    noise = random.standard_normal((examples, 784), dtype=np.float32)
    return 0.5 + 0.03 * centres[y] + 0.3 * noise, y.astype(np.int32)


ROWS = (
    Row(
        "tiny_mlp",
        "2-25-15-1, batch 32, Adam",
        (2,),
        (Dense(25, "relu"), Dense(15, "relu"), Dense(1, "sigmoid")),
        disc,
        examples=8192,
        batch=32,
        epochs=20,
        first_loss=(0.54, 0.66),
        final_loss=(0.36, 0.40),
        accuracy=(0.86, 0.90),
        goal=10.0,
    ),
    Row(
        "mnist_mlp",
        "784-128-64-10, batch 64, Adam",
        (784,),
        (Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax")),
        clusters,
        examples=32768,
        batch=64,
        epochs=4,
        first_loss=(1.40, 1.95),
        final_loss=(0.39, 0.49),
        accuracy=(0.83, 0.88),
        goal=1.3,
    ),
)
