"""Trials whose networks have one shape, as lanes of one program."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fitwell.model import Model
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.population.lanes import Lane
from fitwell.population.space import Value
from fitwell.population.varying import DROPOUTS


@dataclass
class Trial:
    """One point of the space, and what is known of it.

    Attributes:
        number: from 0, in the order in which trials were drawn.
        values: what was chosen, by name.
        model: what the builder made of it; None once it is in a group.
        score: the best value so far; NaN before.
        epochs: trained so far; best_epoch: that of the score.
        proposal: the trial of `optuna` that chose the values, or None.
    """

    number: int
    values: dict[str, Value]
    model: Model | None = None
    score: float = float("nan")
    epochs: int = 0
    best_epoch: int = 0
    larger_is_better: bool = False
    proposal: Any = None

    def rank(self) -> tuple[bool, float]:
        """What trials are ordered by: the best score first, those without one last."""
        signed = -self.score if self.larger_is_better else self.score
        return not math.isfinite(self.score), signed if math.isfinite(self.score) else 0.0


@dataclass
class Family:
    """Trials that are lanes of one program, with the model that stands for all."""

    model: Model
    trials: list[Trial]
    lanes: list[Lane]


def families(trials: Sequence[Trial], seed: int) -> list[Family]:
    """Trials by what their programs have in common.

    Dropout rates, numbers of the optimizer and the learning rate are lanes; whatever else differs
    needs a program of its own.
    """
    found: dict[Any, list[Trial]] = {}
    for trial in trials:
        assert trial.model is not None
        found.setdefault(_key(trial.model), []).append(trial)
    return [_family(alike, seed) for alike in found.values()]


def _key(model: Model) -> Any:
    optimizer = model._require_optimizer()
    numbers = {name: 0.5 if value else value for name, value in _numbers(optimizer).items()}
    kind = type(optimizer), tuple(numbers), _bare(optimizer)
    return _leveled(model.network), kind, model.compiled()


def _leveled(network: Network) -> Network:
    """The network with one rate for all dropout that there is."""
    layers: dict[str, Any] = {
        name: dataclasses.replace(layer, rate=0.5, name=layer.name)
        for name, layer in network.layers.items()
        if isinstance(layer, DROPOUTS)
    }
    return network.with_layers(layers).program() if layers else network.program()


def _numbers(optimizer: Optimizer) -> dict[str, float]:
    """The optimizer's numbers that may differ between lanes."""
    return {
        field.name: value
        for field in dataclasses.fields(optimizer)
        if field.name != "learning_rate"
        and isinstance(value := getattr(optimizer, field.name), float)
        and value != 0
    }


def _bare(optimizer: Optimizer) -> tuple[Any, ...]:
    """What of the optimizer must be equal within a program."""
    numbers = _numbers(optimizer)
    return tuple(
        (field.name, getattr(optimizer, field.name))
        for field in dataclasses.fields(optimizer)
        if field.name not in numbers and field.name not in ("learning_rate", "name")
    )


def _family(trials: list[Trial], seed: int) -> Family:
    models = [trial.model for trial in trials if trial.model is not None]
    values: list[dict[str, float]] = [{} for _ in models]
    for name in _numbers(models[0]._require_optimizer()):
        each = [float(getattr(model.optimizer, name)) for model in models]
        if len(set(each)) > 1:
            for mine, value in zip(values, each, strict=True):
                mine[f"optimizer.{name}"] = value
    for name, layer in models[0].network.layers.items():
        if isinstance(layer, DROPOUTS):
            rates = [float(model.network.layers[name].rate) for model in models]  # type: ignore[attr-defined]
            if len(set(rates)) > 1:
                for mine, value in zip(values, rates, strict=True):
                    mine[f"{name}.rate"] = value
    lanes = [
        Lane(seed, model._require_optimizer().learning_rate, mine)
        for model, mine in zip(models, values, strict=True)
    ]
    for trial in trials:
        trial.model = None
    return Family(models[0], trials, lanes)
