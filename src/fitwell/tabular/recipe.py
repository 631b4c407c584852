"""The default network for a table, and how it is trained. No figure here is tuned per table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fitwell.callbacks import EarlyStopping
from fitwell.data.labels import Target
from fitwell.layers import Dense, Dropout, Input, PeriodicEmbedding
from fitwell.losses import (
    BinaryCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from fitwell.model import Model
from fitwell.optimizers import AdamW
from fitwell.schedules import CosineDecay
from fitwell.sequential import Sequential

_WIDTHS = (256, 256, 256)
_ACTIVATION = "silu"
_STEPS = 3300
"""Steps of a fit, near enough: small tables are passed more often."""
_LEAST_EPOCHS, _MOST_EPOCHS = 16, 96


@dataclass(frozen=True)
class Strength:
    """What keeps a network of one size from learning a table by heart.

    Attributes:
        dropout: the part of every hidden layer that is left out in a step.
        weight_decay: per step and unit of the learning rate.
        learning_rate: the highest; it rises for a twentieth of the steps, then falls as a cosine.
        stddev: of the frequencies that the features' waves start with.
        smoothing: of two-class labels: probabilities stay away from 0 and 1.
    """

    dropout: float
    weight_decay: float
    learning_rate: float
    stddev: float
    smoothing: float


_SMALL_TABLE = 4000
_FEW_ROWS = Strength(dropout=0.4, weight_decay=0.3, learning_rate=0.001, stddev=0.2, smoothing=0.05)
_MANY_ROWS = Strength(
    dropout=0.25, weight_decay=0.1, learning_rate=0.004, stddev=1.0, smoothing=0.0
)


@dataclass(frozen=True)
class Plan:
    """How long, and in how large steps.

    Attributes:
        epochs: passes over the training rows.
        batch_size: rows per step.
        patience: epochs without a better validation loss that end the fit.
    """

    epochs: int
    batch_size: int
    patience: int

    def steps(self, rows: int) -> int:
        """Steps of the whole fit."""
        return self.epochs * math.ceil(rows / self.batch_size)


def plan(rows: int, epochs: int | None = None) -> Plan:
    """The plan for so many training rows; larger tables are read in larger batches.

    >>> plan(600)
    Plan(epochs=96, batch_size=64, patience=24)
    >>> plan(13_000).batch_size
    256
    """
    bounds = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512), (math.inf, 1024))
    size = next(size for bound, size in bounds if rows <= bound)
    natural = math.ceil(_STEPS / math.ceil(rows / size))
    chosen = epochs or min(max(natural, _LEAST_EPOCHS), _MOST_EPOCHS)
    return Plan(chosen, size, max(chosen // 4, 4))


def default_network(features: int, target: Target, chosen: Plan, rows: int, seed: int) -> Model:
    """The network, compiled: learned waves of every feature, three wide layers with dropout.

    Args:
        features: columns of the encoded table.
        target: decides the last layer and the loss.
        chosen: how long it will be trained.
        rows: of the training part.
        seed: of the weights, the order of the rows and dropout.
    """
    units = len(target.classes) if target.task == "multiclass" else 1
    activation = {"binary": "sigmoid", "multiclass": "softmax", "regression": None}[target.task]
    strength = _FEW_ROWS if rows < _SMALL_TABLE else _MANY_ROWS
    loss = {
        "binary": BinaryCrossentropy(label_smoothing=strength.smoothing),
        "multiclass": SparseCategoricalCrossentropy(),
        "regression": MeanSquaredError(),
    }[target.task]
    hidden = [
        layer
        for width in _WIDTHS
        for layer in (Dense(width, activation=_ACTIVATION), Dropout(strength.dropout))
    ]
    waves = PeriodicEmbedding(stddev=strength.stddev)
    network = Sequential(
        [Input(shape=(features,)), waves, *hidden, Dense(units, activation)],
        name="table",
        seed=seed,
    )
    network.compile(_optimizer(strength, chosen.steps(rows)), loss=loss)
    return network


def described(network: Model) -> str:
    """What `default_network` or a user made, in a line."""
    layers = list(network.network.layers.values())
    if not any(isinstance(layer, PeriodicEmbedding) for layer in layers):
        weights = f"{network.count_params():,} weights"
        return f"{network.name}, {len(layers)} layers: {weights}"
    hidden = [x for x in layers if isinstance(x, Dense) and x.activation == _ACTIVATION]
    dropout = next(layer for layer in layers if isinstance(layer, Dropout))
    features = network.input_shape[1]
    return (
        f"waves of {features} feature{'s' if features > 1 else ''}, {len(hidden)} x "
        f"{hidden[0].units} {_ACTIVATION}, dropout {dropout.rate}: "
        f"{network.count_params():,} weights"
    )


def _optimizer(strength: Strength, steps: int) -> AdamW:
    warm = max(steps // 20, 1)
    peak = strength.learning_rate
    return AdamW(
        CosineDecay(0.0, max(steps - warm, 1), warmup_target=peak, warmup_steps=warm),
        beta_2=0.95,
        weight_decay=strength.weight_decay,
        exclude_from_weight_decay=("bias", "periodic_embedding"),
        multipliers={"scale": 5.0},
    )


def stopping(chosen: Plan) -> EarlyStopping:
    """Ends a fit that has stopped getting better, and keeps its best epoch in any case."""
    return EarlyStopping(patience=chosen.patience, restore_best_weights=True)
