"""One call of `fit_many` and its like: its data, and its lanes trained together."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax

from fitwell import feeding
from fitwell.arguments import whole_number
from fitwell.callbacks.monitor import Monitor
from fitwell.data import targets
from fitwell.errors import InvalidArgument, warn
from fitwell.examples import Examples
from fitwell.model import Model, require_model
from fitwell.optimizers import Optimizer
from fitwell.pacing import interruptible
from fitwell.population import running, varying
from fitwell.population.lanes import Lane
from fitwell.population.plan import Outcome, Plan, Signals
from fitwell.population.showing import Progress
from fitwell.population.starting import Prepared, check_comparable


class Job:
    """One call: the data as arrays, and what all lanes share.

    Args:
        epochs: None for as many as make about `steps` steps, at least one.
        folds: lanes are validated on rows of x and y that they name.
    """

    def __init__(
        self, subject: str, model: Model, x: Any, y: Any, *, batch_size: Any, epochs: int | None,
        patience: int | None = None, monitor: str | None = None, mode: str = "auto",
        class_weight: Any = None, sample_weight: Any = None, validation_split: float = 0.0,
        validation_data: Any = None, folds: bool = False, steps: int = 0,
    ) -> None:  # fmt: skip
        self.subject, self.model, self.folds = subject, require_model(subject, model), folds
        self.optimizer = _optimizer(subject, model)
        if x is None or feeding.is_iterable_of_batches(x):
            received = "None" if x is None else "an iterable of batches"
            raise InvalidArgument(subject, "x and y as arrays", received, "Pass arrays.")
        if patience is not None:
            whole_number(subject, "patience", patience, 1)
        examples = Examples(model, subject)
        self.data, self.held_out, self.batch_size = model._training_data(
            examples, x, y, batch_size, class_weight=class_weight, sample_weight=sample_weight,
            validation_split=0.0 if validation_data is not None else validation_split,
        )  # fmt: skip
        self.split = self.held_out is not None
        if validation_data is not None:
            held = Examples(model, "validation_data", examples.objective)
            self.held_out = held.batch(*feeding.unpack(subject, validation_data))
        self.objective, self.rows = examples.objective, len(self.data.x[0])
        self.shuffle, self.patience = batch_size != "full", patience
        if epochs is None:
            epochs = max(1, round(steps / -(-self.rows // self.batch_size)))
        self.epochs = whole_number(subject, "epochs", epochs, 1)
        self.monitor_given = monitor is not None
        self.monitor, self.sign = self._monitored(monitor, mode)

    def _monitored(self, monitor: str | None, mode: str) -> tuple[str, int]:
        """The value that gets better, and 1 if smaller is better, -1 if larger is."""
        validated = self.folds or self.held_out is not None
        names = self.objective.log_names(validated=validated)
        name = monitor or ("val_loss" if validated else "loss")
        if name not in names:
            cure = f"The choices are {', '.join(names)}."
            raise InvalidArgument(self.subject, "monitor to be measured", repr(monitor), cure)
        return name, -int(Monitor(self.subject, name, mode).sign)

    def run(
        self, lanes: Sequence[Lane], verbose: int | str, time_limit: Any
    ) -> tuple[Model, Plan, list[Outcome], float]:
        """Trains the lanes: all at once, or fewer at a time where memory does not allow it."""
        began, limit = time.perf_counter(), None
        if time_limit is not None:
            limit = began + feeding.seconds(self.subject, "time_limit", time_limit)
        ready = self.prepare(lanes)
        with interruptible() as interrupted, Progress(verbose, ready.plan, len(lanes)) as progress:
            signals = Signals(limit, interrupted)
            try:
                outcomes = self._outcomes(ready, ready.lanes, signals, progress)
            except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as e:
                raise varying.answer_concrete(self.subject, list(ready.plan.names), e) from e
        return self.model, ready.plan, outcomes, time.perf_counter() - began

    def prepare(self, lanes: Sequence[Lane]) -> Prepared:
        """Checks the lanes, and plans what they have in common."""
        if not self.monitor_given:
            check_comparable(self.subject, lanes)
        if self.model.epochs_trained:
            warn(
                f"{self.subject}: the model was trained for {self.model.epochs_trained} epochs, "
                "but each lane begins with fresh weights of its seed. Freeze the layers whose "
                'weights it shall keep: model["name"].trainable = False.'
            )
        weighed = [self._weighed(number, lane) for number, lane in enumerate(lanes)]
        common = {
            "objective": self.objective, "optimizer": self.optimizer, "data": self.data,
            "held_out": self.held_out, "folds": self.folds, "batch_size": self.batch_size,
            "shuffle": self.shuffle, "epochs": self.epochs, "patience": self.patience,
            "monitor": self.monitor, "sign": self.sign, "capacity": self._capacity,
        }  # fmt: skip
        return Prepared(self.subject, self.model, weighed, common)

    def _weighed(self, number: int, lane: Lane) -> Lane:
        """The lane with its weights checked, and divided as the examples are."""
        if lane.weight is None:
            return lane
        subject = f"{self.subject}, lane {number}"
        there = len(self.held_out.x[0]) if self.split and self.held_out is not None else 0
        weight = targets.sample_weights(subject, lane.weight, self.rows + there)
        if weight.ndim > 1:
            cure = "Give one number per example; sample_weight takes one per loss."
            raise InvalidArgument(
                subject, "sample_weights of shape (n,)", f"shape {weight.shape}", cure
            )
        held = weight[self.rows :] if there else None
        return dataclasses.replace(lane, weight=weight[: self.rows], held_weight=held)

    def _capacity(self, lanes: int) -> int:
        return feeding.capacity(self.model.network, self.batch_size * lanes, self.data)

    def _outcomes(
        self, ready: Prepared, lanes: Sequence[Lane], signals: Signals, progress: Progress
    ) -> list[Outcome]:
        """What became of the lanes; of groups that had no memory, each half on its own again."""
        some = [[lanes[i] for i in part] for part in running.parts(len(lanes))]
        build = partial(ready.group, signals=signals, report=progress.report)
        outcomes: list[Outcome] = []
        for one, found in zip(some, running.run(build, some, signals), strict=True):
            # What the group held is free by now: nothing here, nor an error, refers to it.
            outcomes += self._halved(ready, one, signals, progress) if found is None else found
        return outcomes

    def _halved(
        self, ready: Prepared, lanes: Sequence[Lane], signals: Signals, progress: Progress
    ) -> list[Outcome]:
        half = (len(lanes) + 1) // 2
        warn(f"{self.subject}: no memory for {len(lanes)} lanes at once; {half} at a time.")
        halves = lanes[:half], lanes[half:]
        return [o for part in halves for o in self._outcomes(ready, part, signals, progress)]


def _optimizer(subject: str, model: Model) -> Optimizer:
    """The compiled optimizer, with the rate that was assigned to the model if there is one."""
    optimizer = model._require_optimizer()
    if optimizer.needs_value:
        cure = "Fit its models one by one, or choose Adam."
        raise InvalidArgument(subject, "an optimizer without a line search", repr(optimizer), cure)
    if model.learning_rate_override is None:
        return optimizer
    return dataclasses.replace(optimizer, learning_rate=model.learning_rate_override)
