"""`model.checkup`: the doctor before training."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np

from fitwell import feeding, losses, tree
from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.data.arrays import to_array
from fitwell.data.targets import choose_loss
from fitwell.doctor import probing
from fitwell.doctor.clinic import ties, with_cures
from fitwell.doctor.finding import Findings
from fitwell.doctor.reading import activation_name, plan
from fitwell.doctor.verdict import verdict
from fitwell.doctor.watching import Case
from fitwell.errors import FitwellError, InvalidArgument
from fitwell.examples import Examples, Receiver
from fitwell.layerwise import rows_of
from fitwell.optimizers import Optimizer
from fitwell.training import Batch, Objective, TrainState


class Patient(Receiver, Protocol):
    """What a checkup needs of a model."""

    optimizer: Optimizer | None
    learning_rate_override: float | None
    epochs_trained: int

    @property
    def train_state(self) -> TrainState: ...


@named
@in_words
def checkup(
    model: Patient,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    *,
    batch_size: int = 32,
    epochs: int | None = None,
) -> Findings:
    """What is wrong before training: data, labels, pairing, network, first weights, plan.

    The first thing that `fit` does, by itself; nothing is trained and no weight changes. Data and
    labels that `fit` refuses are findings here.

    Args:
        x, y: arrays, as in `fit`.
        validation_data: `(x, y)`, to be held against the training data.
        batch_size, epochs: of the fit that is planned. Without epochs neither its length is
            judged, nor the rate of gradient descent by the curvature at the first weights.

    Returns:
        the findings, worst first; empty if there is nothing to say.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: no data, or an iterable of batches.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, activation="softmax")])
    >>> model.compile(loss="mse")
    >>> found = model.checkup(np.eye(2), np.array([0.0, 1.0]))
    >>> found[0].code, found[0].severity.name
    ('softmax_single_unit', 'CRITICAL')
    """
    if x is None or feeding.is_iterable_of_batches(x):
        received = "None" if x is None else f"an iterable of batches ({type(x).__name__})"
        cure = "Call checkup(x, y) with arrays; some thousand examples are enough."
        raise InvalidArgument("checkup", "arrays", received, cure)
    whole_number("checkup", "batch_size", batch_size, 1)
    examples = Examples(model, "checkup")
    refused: tuple[str, ...] = ()
    try:
        data = examples.batch(x, y)
        objective = examples.objective
    except FitwellError as error:
        if y is None:
            raise
        data, objective, refused = _as_given(model, x, y, error)
    held_out = held = None
    if validation_data is not None and not refused:
        held = Examples(model, "validation_data", objective)
        held_out = held.batch(*feeding.unpack("validation_data", validation_data))
    rows = len(data.x[0])
    told = None
    if model.optimizer is not None and epochs is not None:
        told = plan(
            model.optimizer, batch_size, epochs, -(-rows // batch_size), rows,
            held_out is not None, tree.size(model.network.split_trainable(
                model.train_state.params)[0]), model.learning_rate_override,
        )  # fmt: skip
    case = Case(
        model.network,
        objective,
        model.train_state,
        data,
        held_out,
        told,
        refused,
        model.epochs_trained == 0,
        words=(examples.words, None if held is None else held.words),
    )
    record = case.record()
    movable = case.small and not model.network.remembers and not refused
    if movable and told is not None and not told.per_weight:
        sample = rows_of(data)
        curvature = probing.sharpness(model.network, objective, model.train_state, sample)
        record = dataclasses.replace(record, curvature=curvature)
    return with_cures(verdict(record), ties(model, *case.given))


def _as_given(
    model: Patient, x: Any, y: Any, error: FitwellError
) -> tuple[Batch, Objective, tuple[str, ...]]:
    """Data whose labels the loss refuses, as they are; an error of the inputs is raised."""
    reader = Examples(model, "checkup")
    inputs = reader.inputs(x)
    compiled, names = model.compiled(), model.output_names
    given = [y[name] for name in names] if isinstance(y, dict) else y
    several = [given] if len(names) == 1 else list(given)
    ys = tuple(np.asarray(to_array("checkup, y", one)) for one in several)
    if any(one.dtype.kind not in "fiub" or len(one) != len(inputs[0]) for one in ys):
        raise error
    chosen = []
    for loss, (shape, _), one, (place, _) in zip(
        compiled.losses, model.network.output_shapes, ys, model.network.outputs, strict=True
    ):
        if loss == "auto":
            name = activation_name(model.network.nodes[place].layer.split_activation()[1])
            loss = choose_loss(name, shape, one)[0]
        chosen.append(None if loss is None else losses.get(loss))
    objective = Objective(tuple(chosen), compiled.weights, (), tuple(compiled.names))
    batch = Batch(tuple(inputs), ys, tuple(None for _ in ys), None)
    return batch, objective, tuple(str(error) for _ in ys)
