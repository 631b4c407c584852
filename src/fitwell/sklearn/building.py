"""From the parameter `network` to a compiled model."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell import activations, losses, optimizers
from fitwell.data.labels import Target
from fitwell.description import check_arguments
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Input
from fitwell.layers.base import Layer
from fitwell.losses import BinaryCrossentropy, Loss, SparseCategoricalCrossentropy
from fitwell.model import Model
from fitwell.optimizers import Optimizer
from fitwell.sequential import Sequential
from fitwell.settings import settings
from fitwell.tabular.recipe import Plan, default_network

Builder = Callable[..., Any]

_ONE_AT_A_TIME = threading.RLock()  # a search may fit in threads, which share the settings


@dataclass(frozen=True)
class Job:
    """What a network is made for.

    Attributes:
        owner: the estimator's class, for messages.
        task: "regression", "binary", "multiclass", "multilabel" or "features".
        features, outputs: numbers per example that go in and come out.
        told: what a builder gets as its second argument: outputs, or the size of a code.
        rows, plan: of the training.
        seed: of the weights, the order of the rows and the noise.
    """

    owner: str
    task: str
    features: int
    outputs: int
    told: int
    rows: int
    plan: Plan
    seed: int


@dataclass(frozen=True)
class Learning:
    """How a network is trained, where the estimator says so; None leaves it to the network."""

    optimizer: Any = None
    learning_rate: float | None = None
    loss: Any = None


def build(network: Any, options: Mapping[str, Any] | None, job: Job, how: Learning) -> Model:
    """The compiled model; what was passed as `network` stays as it is.

    Raises:
        InvalidArgument: neither a network nor something that makes one.
        ShapeMismatch: its output is not what the labels need.
    """
    made = _made(network, dict(options or {}), job)
    if not made.built:
        made.build_for((job.features,))
    if network is not None:
        _check_output(made, job)
    _compile(made, job, how)
    return made


def _made(network: Any, options: dict[str, Any], job: Job) -> Model:
    """The model, perhaps without shapes and not compiled."""
    if callable(network) and not isinstance(network, Model | Layer | type):
        return _called(network, options, job)
    if options:
        cure = "Pass network=build, a function (features, outputs, ...) -> layers."
        received = f"{network!r:.60} and network_args={options!r}"
        raise InvalidArgument(job.owner, "a function that takes network_args", received, cure)
    if network is None:
        return default(job)
    if isinstance(network, Model):
        model = copy.deepcopy(network)
        model.seed = job.seed
        return model
    if isinstance(network, list | tuple):
        return Sequential([fresh(layer) for layer in network], seed=job.seed)
    raise InvalidArgument(
        job.owner,
        "network to be layers, a model, a function that makes them, or None",
        f"network={network!r}",
        'Write network=[Dense(16, activation="relu"), Dense(1)].',
    )


def _called(network: Builder, options: dict[str, Any], job: Job) -> Model:
    """What a builder makes; models that draw a seed draw one that `job.seed` decides."""
    _check_call(network, options, job)
    with _ONE_AT_A_TIME:
        before = settings._seeds
        settings.set_seed(job.seed)
        try:
            made = network(job.features, job.told, **options)
        finally:
            settings._seeds = before
    if callable(made) and not isinstance(made, Model):
        made = None
    if made is None:
        cure = "Let it return a list of layers or a model."
        received = f"{getattr(network, '__name__', network)!r}, which returns neither"
        raise InvalidArgument(job.owner, "a function that makes a network", received, cure)
    return made if isinstance(made, Model) else _made(made, {}, job)


def _check_call(network: Builder, options: dict[str, Any], job: Job) -> None:
    name = getattr(network, "__name__", repr(network))
    signature = inspect.signature(network)
    kinds = {each.kind for each in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        check_arguments(name, options, list(signature.parameters))
    try:
        signature.bind(job.features, job.told, **options)
    except TypeError as error:
        expected = "a function (features, outputs, **network_args)"
        cure = "Let it take the two numbers first; give all else defaults, or in network_args."
        received = f"{name}{signature}: {error}"
        raise InvalidArgument(job.owner, expected, received, cure) from error


def fresh(layer: Any) -> Any:
    """An equal layer that no model owns: weights are not shared between estimators."""
    return dataclasses.replace(layer) if isinstance(layer, Layer) else copy.deepcopy(layer)


def default(job: Job) -> Model:
    """The default network of `fitwell.tabular` for scaled features, compiled."""
    task = job.task if job.task in ("binary", "multiclass") else "regression"
    classes = tuple(range(max(job.outputs, 2))) if task != "regression" else ()
    target = Target("y", task, classes)
    model = default_network(job.features, target, job.plan, job.rows, job.seed)
    if job.task == "multilabel":
        return _with_outputs(model, job, "sigmoid", BinaryCrossentropy())
    if job.task == "regression" and job.outputs > 1:
        return _with_outputs(model, job, None, "mse")
    return model


def _with_outputs(model: Model, job: Job, activation: str | None, loss: Any) -> Model:
    """The same chain with as many outputs as there are labels."""
    *layers, last = (fresh(model.network.layers[view.name]) for view in model.layers)
    last = dataclasses.replace(last, **{"units": job.outputs, "activation": activation})
    wide = Sequential([Input((job.features,)), *layers, last], name=model.name, seed=job.seed)
    assert model.optimizer is not None
    wide.compile(model.optimizer, loss=loss)
    return wide


def last_activation(model: Model) -> str | None:
    """The name of what the output goes through: "sigmoid", "softmax", another, or None."""
    found = model.network.logits(0)[2]
    return None if found is None else activations.name_of(found)


def _check_output(model: Model, job: Job) -> None:
    shapes = [shape for shape, _ in model.network.output_shapes]
    wanted = [(job.outputs,)]
    if job.task == "binary" and last_activation(model) != "sigmoid":
        wanted.append((2,))
    if len(model.network.inputs) == 1 and len(shapes) == 1 and shapes[0] in wanted:
        if job.task != "multiclass" or last_activation(model) != "sigmoid":
            return
        raise InvalidArgument(
            job.owner,
            "a softmax at the end, for each row has one class",
            "a sigmoid",
            f'End with Dense({job.outputs}, activation="softmax").',
        )
    need = {
        "regression": "one number per target",
        "features": "the features again",
        "multiclass": "one number per class",
        "multilabel": "one number per label",
        "binary": "one number for two classes",
    }[job.task]
    raise ShapeMismatch(
        job.owner,
        f"a network of one input whose output has the shape {wanted[0]}: {need}",
        f"{len(model.network.inputs)} input(s), output {', '.join(map(str, shapes))}",
        f"End it with Dense({job.outputs}, ...); a function (features, outputs) -> layers is "
        "told how many.",
    )


def _compile(model: Model, job: Job, how: Learning) -> None:
    """What the estimator says goes before what the model was compiled with."""
    loss = _named_loss(model, how.loss)
    if model.optimizer is None:
        model.compile(how.optimizer or "adam", loss=loss or _loss(model, job))
    elif loss is not None:
        optimizer = how.optimizer or model.optimizer
        model.compile(optimizer, loss=loss, precision=model.precision)
    elif how.optimizer is not None:
        model.optimizer = optimizers.get(how.optimizer)
        model.train_state = model.train_state._replace(optimizer=())
    if how.learning_rate is not None:
        set_rate(model, how.learning_rate)


def set_rate(model: Model, rate: float) -> None:
    """Gives the optimizer a constant learning rate, checked by the optimizer."""
    optimizer = model.optimizer
    assert isinstance(optimizer, Optimizer)
    model.optimizer = dataclasses.replace(optimizer, learning_rate=rate)
    model.learning_rate_override = None


def hold_rate(model: Model, steps: int) -> None:
    """A constant rate, the highest of the schedule: nobody knows how many parts will come."""
    optimizer = model.optimizer
    assert isinstance(optimizer, Optimizer)
    if not isinstance(optimizer.learning_rate, int | float):
        rates = optimizer.rate(np.arange(steps + 2))  # a schedule may begin at 0
        set_rate(model, float(np.max(rates)))


def _named_loss(model: Model, loss: Any) -> Any:
    """A loss by name reads logits where the output has neither sigmoid nor softmax."""
    found = losses.get(loss) if isinstance(loss, str) else loss
    from_logits = getattr(found, "from_logits", None) is False and isinstance(loss, str)
    if from_logits and last_activation(model) not in ("sigmoid", "softmax"):
        return dataclasses.replace(found, from_logits=True)
    return found


def _loss(model: Model, job: Job) -> Loss | str:
    """By task and last activation; outputs that end without one are logits."""
    if job.task in ("regression", "features"):
        return "mse"
    activation = last_activation(model)
    units = model.network.output_shapes[0][0][-1]
    if job.task == "multilabel" or units == 1:
        return BinaryCrossentropy(from_logits=activation != "sigmoid")
    return SparseCategoricalCrossentropy(from_logits=activation != "softmax")
