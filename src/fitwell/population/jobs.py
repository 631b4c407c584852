"""One call of `fit_many` and its like: the data, the plan, the states of the lanes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import feeding
from fitwell.errors import InvalidArgument, NotReady, warn
from fitwell.examples import Examples
from fitwell.fitting import interruptible
from fitwell.model import Model
from fitwell.population import programs, running, shapes, varying
from fitwell.population.lanes import Lane
from fitwell.population.members import copy_of
from fitwell.population.plan import Outcome, Plan, Report, Signals
from fitwell.population.showing import Progress
from fitwell.predictor import batch_rows
from fitwell.programs import start
from fitwell.training import Batch, TrainState
from fitwell.types import HostArray

_LARGER = ("accuracy", "auc", "f1", "precision", "recall", "r2", "similarity", "iou")


class Job:
    """One call: the data as arrays, and what all lanes share."""

    def __init__(
        self, subject: str, model: Model, x: Any, y: Any, *, batch_size: Any, epochs: int,
        patience: int | None, monitor: str | None, class_weight: Any = None,
        sample_weight: Any = None, validation_split: float = 0.0, validation_data: Any = None,
        folds: bool = False,
    ) -> None:  # fmt: skip
        self.subject, self.model, self.folds = subject, model, folds
        self.optimizer = model._require_optimizer()
        if self.optimizer.needs_value:
            cure = "Fit its models one by one, or choose Adam."
            raise InvalidArgument(
                subject, "an optimizer without a line search", repr(self.optimizer), cure
            )
        if x is None or feeding.is_iterable_of_batches(x):
            received = "None" if x is None else "an iterable of batches"
            raise InvalidArgument(subject, "x and y as arrays", received, "Pass arrays.")
        self.epochs = feeding.whole_number(subject, "epochs", epochs, 1)
        if patience is not None:
            feeding.whole_number(subject, "patience", patience, 1)
        self.patience = patience
        examples = Examples(model, subject)
        data, held_out = examples.batch(x, y, sample_weight), None
        if validation_data is not None:
            held = Examples(model, "validation_data", examples.objective)
            held_out = held.batch(*feeding.unpack(subject, validation_data))
        elif validation_split:
            data, held_out = feeding.split_off(data, validation_split)
        if class_weight is not None:
            data = examples.class_weighted(data, class_weight)
        self.data, self.held_out, self.objective = data, held_out, examples.objective
        full = batch_size == "full"
        self.rows = len(data.x[0])
        self.batch_size = self.rows if full else batch_rows(subject, batch_size, 32)
        self.choose_monitor(monitor)

    def choose_monitor(self, monitor: str | None) -> None:
        validated = self.folds or self.held_out is not None
        names = self.objective.log_names(validated=validated)
        self.monitor = monitor or ("val_loss" if validated else "loss")
        if self.monitor not in names:
            cure = f"The choices are {', '.join(names)}."
            raise InvalidArgument(self.subject, "monitor to be measured", repr(monitor), cure)
        larger = any(word in self.monitor for word in _LARGER)
        self.sign = -1 if larger and "loss" not in self.monitor else 1

    def run(
        self, lanes: list[Lane], verbose: int | str, time_limit: Any
    ) -> tuple[Model, Plan, list[Outcome], float]:
        """Trains the lanes: all at once, or fewer at a time where memory does not allow it."""
        began = time.perf_counter()
        limit = None if time_limit is None else began + feeding.seconds(time_limit)
        self.prepare(lanes)
        with interruptible() as interrupted, Progress(verbose, self.plan, len(lanes)) as progress:
            signals = Signals(limit, interrupted)
            try:
                outcomes = self._outcomes(lanes, signals, progress)
            except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as e:
                raise varying.answer_concrete(self.subject, list(self.plan.names), e) from e
        return self.model, self.plan, outcomes, time.perf_counter() - began

    def prepare(self, lanes: Sequence[Lane]) -> None:
        """Checks the lanes, and plans what they have in common."""
        for number, lane in enumerate(lanes):
            self._check(number, lane)
        shaped = any(lane.width is not None or lane.depth is not None for lane in lanes)
        self.chain = shapes.chain(self.subject, self.model.network) if shaped else None
        self.gated: list[str] = []
        if self.chain is not None:
            closed = [set(shapes.closed(self.chain, self._shape(lane))) for lane in lanes]
            self.gated = sorted(set().union(*closed))
        names = tuple(sorted({name for lane in lanes for name in lane.values}))
        for name in names:
            values = [lane.values[name] for lane in lanes]
            varying.check(
                self.subject, self.model.network, self.objective, self.optimizer, name, values
            )
        network = self.model.network.program()
        self.plan = Plan(
            network, self.objective, self.optimizer, self.data, self.held_out, self.folds,
            self.batch_size, self.epochs, self.patience, self.monitor, self.sign, names,
            self._gates, self._capacity,
        )  # fmt: skip

    def group(
        self, lanes: Sequence[Lane], signals: Signals, report: Report | None = None
    ) -> running.Group:
        """Some of the prepared lanes, before their first step."""
        train, masks = self._start(lanes), self._masks(lanes)
        return running.Group(self.plan, lanes, train, masks, signals, report)

    def _capacity(self, lanes: int) -> int:
        return feeding.capacity(self.model.network, self.batch_size * lanes, self.data)

    def _outcomes(self, lanes: list[Lane], signals: Signals, progress: Progress) -> list[Outcome]:
        groups = []
        try:
            for part in running.parts(len(lanes)):
                some = [lanes[i] for i in part]
                groups.append(self.group(some, signals, progress.report))
            return running.run(groups)
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error) or len(lanes) == 1:
                raise
        del groups
        half = (len(lanes) + 1) // 2
        warn(f"{self.subject}: no memory for {len(lanes)} lanes at once; {half} at a time.")
        return [
            outcome
            for some in (lanes[:half], lanes[half:])
            for outcome in self._outcomes(some, signals, progress)
        ]

    def _check(self, number: int, lane: Lane) -> None:
        if lane.weight is not None and np.shape(lane.weight) != (self.rows,):
            raise InvalidArgument(
                f"{self.subject}, sample_weights of lane {number}",
                f"a number for each of the {self.rows} training examples",
                f"shape {np.shape(lane.weight)}",
                "Give each lane an array of that length.",
            )

    def _start(self, lanes: Sequence[Lane]) -> TrainState:
        """The lanes' states before the first step, stacked: those of models with their seeds."""
        begun = [self._start_of(lane) for lane in lanes]
        train = stacked(begun)
        learn, _ = self.model.network.split_trainable(train.params)
        begin = programs.optimizer_program(
            self.plan.network, self.objective, self.optimizer.program()
        )
        return train._replace(optimizer=begin(learn, self.plan.values(lanes)))

    def _shape(self, lane: Lane) -> shapes.Shape:
        assert self.chain is not None
        return shapes.checked(self.subject, self.chain, lane.width, lane.depth)

    def _gates(self, lanes: Sequence[Lane]) -> dict[str, HostArray]:
        if self.chain is None:
            return {}
        closed = [set(shapes.closed(self.chain, self._shape(lane))) for lane in lanes]
        return {
            f"{varying.GATE}{name}": np.array([name not in one for one in closed], np.float32)
            for name in self.gated
        }

    def _masks(self, lanes: Sequence[Lane]) -> Any:
        """1 for each weight that a lane has, 0 for the others; of the weights that learn."""
        if self.chain is None:
            return {}
        own = [shapes.mask(self.chain, self._shape(lane)) for lane in lanes]
        return self.model.network.split_trainable(jax.tree.map(on_top, *own))[0]

    def _start_of(self, lane: Lane) -> TrainState:
        begun = start(self.model.network, lane.seed)
        if self.chain is not None:
            small = start(shapes.truly(self.chain, self._shape(lane)), lane.seed)
            wide = begun.params, begun.state
            params, state = shapes.embedded(small.params, small.state, wide)
            begun = begun._replace(params=params, state=state)
        if lane.init_scale != 1.0:
            scaled = jax.tree.map(lambda a: a * lane.init_scale if a.ndim > 1 else a, begun.params)
            begun = begun._replace(params=scaled)
        if not any(layer.adapts for layer in self.model.network.layers.values()):
            return begun
        own = copy_of(self.model, begun, lane.seed)
        own._adapt(_some(self.data, lane.rows))
        return own.train_state


def _some(data: Batch, rows: HostArray | None) -> Batch:
    return data if rows is None else jax.tree.map(lambda a: a[rows], data)


def stacked(begun: Sequence[TrainState]) -> TrainState:
    """States on top of each other, on the host: a program for each number of lanes costs more."""
    keys = jnp.stack([one.key for one in begun])
    bare = [one._replace(key=()) for one in begun]  # type: ignore[arg-type] # numpy knows no keys
    return jax.tree.map(on_top, *bare)._replace(key=keys)


def on_top(*leaves: Any) -> HostArray:
    """Arrays of the device as one of the host."""
    return np.stack([np.asarray(leaf) for leaf in leaves])


def require_model(subject: str, model: Any) -> Model:
    """The model, or the answer to what is none."""
    if not isinstance(model, Model):
        cure = "Pass Sequential([...]) or Model(inputs, outputs), compiled."
        raise NotReady(subject, "a model", repr(model), cure)
    return model
