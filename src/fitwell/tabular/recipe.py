"""The default network for a table, and how it is trained. No figure here is tuned per table."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from fitwell.callbacks import EarlyStopping
from fitwell.data.labels import Target
from fitwell.layers import (
    CategoryEmbedding,
    Concatenate,
    Dense,
    Dropout,
    EnsembleAdapter,
    EnsembleDense,
    Input,
    PiecewiseLinearEmbedding,
)
from fitwell.losses import (
    BinaryCrossentropy,
    Loss,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from fitwell.model import Model
from fitwell.optimizers import AdamW
from fitwell.schedules import CosineDecay
from fitwell.sequential import Sequential

MEMBERS = 8
_WIDTHS = (256, 256)
_ACTIVATION = "relu"
_FEW, _MANY = 1000, 10_000
"""Training rows up to which a table is small, and from which it is large."""
_STEPS = 6600
"""Steps of a fit, near enough: small tables are passed more often."""
_LEAST_EPOCHS, _MOST_EPOCHS = 16, 128
_VALIDATIONS, _MOST_BETWEEN = 32, 5
"""About how many a fit has, since each asks every member about every row; epochs between two."""


@dataclass(frozen=True)
class Strength:
    """What keeps a network of one size from learning a table by heart.

    Attributes:
        bins: of each feature, with edges at the quantiles of the training rows.
        units: numbers made of each feature.
        dropout: the part of every hidden layer that is left out in a step.
        weight_decay: per step and unit of the learning rate.
        learning_rate: the highest; it rises for a twentieth of the steps, then falls as a cosine.
        smoothing: of labels: their classes get 1 - smoothing, the rest is shared by all classes.
    """

    bins: int
    units: int
    dropout: float
    weight_decay: float
    learning_rate: float
    smoothing: float


def strength(rows: int, features: int) -> Strength:
    """That for so many training rows and features: between small and large tables, gradual.

    >>> strength(300, 10)
    Strength(bins=2, units=16, dropout=0.3, weight_decay=0.15, learning_rate=0.004, smoothing=0.1)
    >>> strength(13_000, 14)
    Strength(bins=47, units=16, dropout=0.1, weight_decay=0.0003, learning_rate=0.01, smoothing=0.0)
    """
    share = _share(rows)
    return Strength(
        bins=min(max(rows // 275, 2), 48),
        units=min(max(256 // features, 2), 16),
        dropout=round(0.3 - 0.2 * share, 2),
        weight_decay=_between(0.15, 0.0003, share),
        learning_rate=_between(0.004, 0.01, share),
        smoothing=round(0.1 - 0.1 * share, 2),
    )


def _share(rows: int) -> float:
    """0 for a small table, 1 for a large one, in between by the logarithm of the rows."""
    return min(max(math.log(rows / _FEW) / math.log(_MANY / _FEW), 0.0), 1.0)


def _between(few: float, many: float, share: float) -> float:
    value: float = few ** (1 - share) * many**share
    return value


@dataclass(frozen=True)
class Plan:
    """How long, and in how large steps.

    Attributes:
        epochs: passes over the training rows.
        batch_size: rows per step, for all members together.
        patience: validations without a better loss that end the fit.
        validation_freq: epochs between validations.
    """

    epochs: int
    batch_size: int
    patience: int
    validation_freq: int

    def steps(self, rows: int) -> int:
        """Steps of the whole fit."""
        return self.epochs * math.ceil(rows / self.batch_size)


def plan(rows: int, epochs: int | None = None) -> Plan:
    """The plan for so many training rows; larger tables are read in larger batches.

    >>> plan(600)
    Plan(epochs=128, batch_size=72, patience=32, validation_freq=4)
    >>> plan(13_000)
    Plan(epochs=128, batch_size=256, patience=8, validation_freq=4)
    """
    bounds = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512), (math.inf, 1024))
    wanted = next(size for bound, size in bounds if rows <= bound)
    batches = max(round(rows / wanted), 1)  # equally large ones: none is mostly padding
    size = math.ceil(rows / batches / MEMBERS) * MEMBERS
    chosen = epochs or min(max(math.ceil(_STEPS / batches), _LEAST_EPOCHS), _MOST_EPOCHS)
    every = min(math.ceil(chosen / _VALIDATIONS), _MOST_BETWEEN)
    waits = chosen // every if rows < _MANY else chosen // every // 4  # few rows tell little
    return Plan(chosen, size, max(waits, 4), every)


def default_network(
    features: int,
    targets: Target | Sequence[Target],
    chosen: Plan,
    rows: int,
    seed: int,
    categories: Sequence[tuple[int, int]] = (),
) -> Model:
    """The network, compiled: bins of every feature, wide layers that several members share.

    Categories of very many values are embedded beside the bins.

    Of several targets each has an output of its own on the same hidden layers, and the loss is the
    sum of theirs: numbers are standardised, so none outweighs the others by its unit.

    Args:
        features: columns of the encoded table.
        targets: decide the last layers and the losses.
        chosen: how long it will be trained.
        rows: of the training part.
        seed: of the weights, the order of the rows and dropout.
        categories: which features are places among how many values (`TableEncoder.categories`).
    """
    own = strength(rows, features)
    inputs = Input(shape=(features,))
    bins = PiecewiseLinearEmbedding(own.units, own.bins)
    hidden = [
        EnsembleAdapter(MEMBERS),
        *(
            layer
            for width in _WIDTHS
            for layer in (Dense(width, activation=_ACTIVATION), Dropout(own.dropout))
        ),
    ]
    optimizer = _optimizer(own, chosen.steps(rows))
    one = isinstance(targets, Target)
    each = [targets] if isinstance(targets, Target) else targets
    losses = [loss_of(target, own.smoothing) for target in each]
    if one and not categories:
        layers = [inputs, bins, *hidden, _last(each[0])]
        network: Model = Sequential(layers, name="table", seed=seed)
    else:
        x = bins(inputs)
        if categories:
            x = Concatenate()([x, CategoryEmbedding(tuple(categories))(inputs)])
        x = functools.reduce(lambda x, layer: layer(x), hidden, x)
        outputs = [_last(*pair)(x) for pair in zip(each, head_names(each), strict=True)]
        network = Model(inputs, outputs[0] if one else outputs, name="table", seed=seed)
    network.compile(optimizer, loss=losses[0] if one else losses)
    return network


_TAKEN = re.compile(r"(ensemble_)?dense(_\d+)?|target_\d+|val(_.*)?")


def head_names(targets: Sequence[Target]) -> list[str]:
    """Names for the outputs, and so for their losses: the columns', where a layer can have them.

    Letters, digits and _ stay, the rest becomes _. `target_2` is the second where that leaves
    nothing or the name of another output, where layers are called so by their position, and where
    its loss would be called like one of validation (`val_loss`).

    >>> head_names([Target(name, "regression") for name in ("price", "a (m2)", "val", "a_m2")])
    ['price', 'a_m2', 'target_3', 'target_4']
    """
    names = list[str]()
    for number, target in enumerate(targets, 1):
        name = re.sub(r"\W+", "_", target.name).strip("_")
        if not name or name in names or _TAKEN.fullmatch(name):
            name = f"target_{number}"
        names.append(name)
    return names


def loss_of(target: Target, smoothing: float = 0.0) -> Loss:
    """What a network for this target minimises; `smoothing` of its labels."""
    losses: dict[str, Loss] = {
        "binary": BinaryCrossentropy(label_smoothing=smoothing),
        "multiclass": SparseCategoricalCrossentropy(label_smoothing=smoothing),
        "regression": MeanSquaredError(),
    }
    return losses[target.task]


def head_of(target: Target) -> tuple[int, str | None]:
    """Units and activation of the last layer."""
    units = len(target.classes) if target.task == "multiclass" else 1
    return units, {"binary": "sigmoid", "multiclass": "softmax", "regression": None}[target.task]


def _last(target: Target, name: str | None = None) -> EnsembleDense:
    return EnsembleDense(*head_of(target), name=name)


def members(network: Model) -> int:
    """How many networks share its weights: 1 unless it is an ensemble."""
    found = (layer for layer in network.network.layers.values())
    return next((layer.members for layer in found if isinstance(layer, EnsembleAdapter)), 1)


def described(network: Model) -> str:
    """What `default_network` or a user made, in a line."""
    layers = list(network.network.layers.values())
    weights = f"{network.count_params():,} weights"
    bins = next((layer for layer in layers if isinstance(layer, PiecewiseLinearEmbedding)), None)
    if bins is None:
        return f"{network.name}, {len(layers)} layers: {weights}"
    hidden = [x for x in layers if isinstance(x, Dense) and x.activation == _ACTIVATION]
    dropout = next(layer for layer in layers if isinstance(layer, Dropout))
    features = network.input_shape[1]
    return (
        f"{members(network)} members that share {len(hidden)} x {hidden[0].units} {_ACTIVATION}, "
        f"{bins.bins} bin{'s' if bins.bins > 1 else ''} of {features} "
        f"feature{'s' if features > 1 else ''}, dropout {dropout.rate:.2g}: {weights}"
    )


def _optimizer(own: Strength, steps: int) -> AdamW:
    warm = max(steps // 20, 1)
    peak = own.learning_rate
    return AdamW(
        CosineDecay(0.0, max(steps - warm, 1), warmup_target=peak, warmup_steps=warm),
        weight_decay=own.weight_decay,
        exclude_from_weight_decay=("bias", "scale"),
    )


def stopping(chosen: Plan) -> EarlyStopping:
    """Ends a fit that has stopped getting better, and keeps its best epoch in any case."""
    return EarlyStopping(patience=chosen.patience, restore_best_weights=True)
