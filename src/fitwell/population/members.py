"""Models from the lanes of a population, and one model from several."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from fitwell.layers import Average, Input
from fitwell.model import Model
from fitwell.network import Network
from fitwell.training import TrainState


def copy_of(model: Model, train: TrainState, seed: int, network: Network | None = None) -> Model:
    """A model like this one, compiled alike, with other weights and another seed."""
    facts = {
        "name": model.name,
        "seed": seed,
        "epochs": 0,
        "learning_rate": None,
        "input_form": model._input_form,
        "output_form": model._output_form,
        "extra": dict(model.extra),
    }
    copy = type(model).from_parts(network or model.network, facts, train)
    copy.optimizer, copy._compiled = model.optimizer, model._compiled
    return copy


def mean_of(models: Sequence[Model], name: str) -> Model:
    """One model whose outputs are the means of the models' outputs; `save` keeps all of them."""
    first = models[0]
    inputs = [
        Input(shape, dtype=dtype, name=given)
        for (shape, dtype), given in zip(
            first.network.input_shapes, first.network.input_names, strict=True
        )
    ]
    fed: Any = inputs if len(inputs) > 1 else inputs[0]
    if isinstance(first._input_form, list):
        fed = dict(zip(first._input_form, inputs, strict=True))
    results = [listed(_renamed(model, i)(fed)) for i, model in enumerate(models)]
    means = [Average()([of[i] for of in results]) if len(models) > 1 else results[0][i]
             for i in range(len(results[0]))]  # fmt: skip
    outputs: Any = means if len(means) > 1 or first._output_form == "list" else means[0]
    if isinstance(first._output_form, list):
        outputs = dict(zip(first._output_form, means, strict=True))
    mean = Model(fed, outputs, name=name, seed=first.seed)
    mean.optimizer, mean.precision = first.optimizer, first.precision
    if first._compiled is not None:
        mean._compiled = first._compiled
    return mean


def _renamed(model: Model, number: int) -> Model:
    """The model with names that no other member has: a model's layers have different names."""

    def name(of: str) -> str:
        return f"{of}_of_{number}"

    nodes = tuple(
        dataclasses.replace(
            node,
            name=name(node.name),
            layer=dataclasses.replace(node.layer, name=name(node.name)),
            lender=None if node.lender is None else name(node.lender),
        )
        for node in model.network.nodes
    )
    network = dataclasses.replace(model.network, nodes=nodes)
    train = model.train_state
    params, state = ({name(k): v for k, v in of.items()} for of in (train.params, train.state))
    return copy_of(model, train._replace(params=params, state=state), model.seed, network)


def listed(outputs: Any) -> list[Any]:
    """The outputs of a model in order, whatever form they come in."""
    if isinstance(outputs, dict):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
