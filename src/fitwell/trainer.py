"""What trains, measures and predicts: the half of the model that deals with data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import feeding, resuming
from fitwell.arguments import named
from fitwell.callbacks import Callback
from fitwell.data import arrays, targets
from fitwell.data.sources import ArraySource, IterableSource, Source
from fitwell.errors import InvalidArgument, InvalidData, NotReady
from fitwell.fitting import Fit, Position, measure
from fitwell.history import History
from fitwell.network import Network
from fitwell.objectives import Compiled, resolve
from fitwell.optimizers import Optimizer
from fitwell.progress import ProgressBar
from fitwell.training import Batch, Objective, TrainState, optimizer_program, predict_program
from fitwell.types import HostArray

_PREDICT_ROWS = 1024  # of one dispatch, unless batch_size says otherwise


class Trainer:
    """State and methods that `Model` and `Sequential` share; not made by users."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self.stop_training = False
        self.epochs_trained = 0
        self.optimizer: Optimizer | None = None
        self.learning_rate_override: float | None = None
        self.history: History | None = None
        self.extra: dict[str, Any] = {}
        self._network: Network | None = None
        self._train_state: TrainState | None = None
        self._compile_arguments: tuple[Any, ...] | None = None
        self._compiled: Compiled | None = None
        self._input_form: Any = None
        self._output_form: Any = None
        self._fit: Fit | None = None
        self._callbacks: list[Callback] = []

    # What it consists of

    @property
    def _built(self) -> bool:
        return self._network is not None

    @property
    def built(self) -> bool:
        """Whether the shapes are known and the weights made."""
        return self._built

    @property
    def network(self) -> Network:
        """The pure description of the graph; `network.forward` is the map."""
        if self._network is None:
            raise NotReady(
                self.name,
                "a network whose input shape is known",
                "none so far",
                "Begin with Input(shape=...), call build((None, n)), or fit first.",
            )
        return self._network

    @property
    def train_state(self) -> TrainState:
        """Weights, state, optimizer state, key and step: one pytree."""
        assert self.network is not None
        assert self._train_state is not None
        return self._train_state

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        self._train_state = value

    @property
    def learning_rate(self) -> float:
        """The rate of the next step. Assigning one holds from then on, in place of a schedule."""
        if self.learning_rate_override is not None:
            return self.learning_rate_override
        step = int(self.train_state.step) if self._built else 0
        return float(self._require_optimizer().rate(np.array([step]))[0])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if not (isinstance(value, int | float | np.number) and 0 <= value < float("inf")):
            cure = "Assign a number such as 1e-3."
            raise InvalidArgument("learning_rate", "a finite number >= 0", repr(value), cure)
        self.learning_rate_override = float(value)

    def epoch_finished(self) -> None:
        self.epochs_trained += 1

    def _require_optimizer(self) -> Optimizer:
        if self.optimizer is None:
            cure = 'Call model.compile(loss="...") first.'
            raise NotReady(self.name, "a compiled model", "none", cure)
        return self.optimizer

    # fit

    @named
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | str | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        time_limit: float | str | None = None,
    ) -> History:
        """Trains: `w <- w - step(gradient of the mean loss)`, epochs times over the data.

        A second call continues where the first ended. Ctrl-C ends the fit with weights and
        history kept.

        Args:
            x: (n, ...) numbers: numpy, JAX, lists, frames of pandas, polars and pyarrow; a list or
                dict for several inputs; or an iterable of batches `(x, y)`, `(x, y, weight)`.
            y: labels, one row per example; a list or dict for several outputs. None: towards x.
            batch_size: examples per step, 32 by default; `"full"` for all.
            epochs: the epoch to stop before; passes over the data if `initial_epoch` is 0.
            verbose: 0 silent, 1 a bar or a few lines, 2 a line per epoch; "auto" is 1.
            validation_split: the share at the end of the data that is kept for validation.
            validation_data: `(x, y)`, `(x, y, weight)` or an iterable of batches.
            class_weight: `{label: weight}` or "balanced"; by output name for several outputs.
            sample_weight: a weight per example.
            initial_epoch: the number of the first epoch.
            steps_per_epoch: batches that make an epoch; needed for endless iterables.
            validation_freq: epochs between validations, or a list of epochs, from 1.
            time_limit: seconds, or "90s", "10m": the fit ends after the dispatch that exceeds it.

        Returns:
            the History: `.history["loss"]`, `.plot()`, `.frame()`, `.stopped`.

        Raises:
            InvalidData, ShapeMismatch, InvalidArgument: before anything is trained.
        """
        began = time.perf_counter()
        optimizer = self._require_optimizer()
        epochs = feeding.whole_number("fit", "epochs", epochs, 0)
        initial_epoch = feeding.whole_number("fit", "initial_epoch", initial_epoch, 0)
        if steps_per_epoch is not None:
            feeding.whole_number("fit", "steps_per_epoch", steps_per_epoch, 1)
        limit = None if time_limit is None else began + feeding.seconds(time_limit)
        source, validation, objective, notes = self._training_sources(
            x, y, batch_size, validation_split, validation_data, shuffle, class_weight,
            sample_weight, steps_per_epoch, validation_steps, validation_batch_size,
        )  # fmt: skip
        self._begin_optimizer(optimizer, source)
        history = History()
        own = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or [])
        bar = ProgressBar(verbose, notes)
        self.history, self._callbacks = history, [*own, bar]
        params = {
            "epochs": epochs,
            "initial_epoch": initial_epoch,
            "steps": source.steps,
            "batch_size": source.batch_size,
            "verbose": verbose,
        }
        history.params = params
        for callback in self._callbacks:
            callback.set_params(params)
            callback.set_model(self)
        self._fit = Fit(
            self, self.network, objective, optimizer, source, validation, self._callbacks, history,
            position=Position(initial_epoch, data_epoch=self.epochs_trained),
            epochs=epochs, validation_freq=validation_freq, deadline=limit,
        )  # fmt: skip
        try:
            return self._fit.run()
        except BaseException:
            self._fit.rescue()
            raise
        finally:
            self._fit = None
            bar.close()

    def _training_sources(
        self, x: Any, y: Any, batch_size: Any, validation_split: float, validation_data: Any,
        shuffle: bool, class_weight: Any, sample_weight: Any, steps: int | None,
        validation_steps: int | None, validation_batch_size: int | None,
    ) -> tuple[Source, Source | None, Objective, list[str]]:  # fmt: skip
        if x is None:
            raise InvalidArgument("fit", "x", "None", "Call fit(x, y).")
        source: Source
        if feeding.is_iterable_of_batches(x):
            if y is not None or validation_split or class_weight is not None:
                cure = "Let the iterable give (x, y, weight), and pass validation_data."
                received = "y, validation_split or class_weight"
                raise InvalidArgument("fit", "x alone with an iterable of batches", received, cure)
            source, objective, notes = self._iterable_source("fit", x, steps)
        else:
            data, objective, notes = self._batch("fit", x, y, sample_weight, class_weight)
            if validation_split and validation_data is None:
                data, held_out = feeding.split_off(data, validation_split)
                validation_data = held_out
            self._adapt(data)
            full = batch_size == "full"
            size = len(data.x[0]) if full else self._batch_size("fit", batch_size, 32)
            room = feeding.capacity(self.network, size, data)
            source = ArraySource(
                data, size, room, shuffle=shuffle and not full, seed=self.seed, limit=steps
            )
        if validation_data is None:
            return source, None, objective, notes
        size = self._batch_size("fit", validation_batch_size, source.batch_size)
        validation = self._measured_source(
            "validation_data", validation_data, size, objective, validation_steps
        )
        return source, validation, objective, notes

    def _begin_optimizer(self, optimizer: Optimizer, source: Source) -> None:
        """Optimizer state for the weights that learn; kept if it fits them already."""
        if optimizer.needs_value and source.steps != 1:
            raise InvalidArgument(
                f"fit with {type(optimizer).__name__}",
                'batch_size="full" (its line search needs the same loss at every point)',
                f"batches of {source.batch_size}",
                'Pass batch_size="full".',
            )
        learn, _ = self.network.split_trainable(self.train_state.params)
        wanted = jax.eval_shape(optimizer.init, learn)
        have = self.train_state.optimizer
        same = str(jax.tree.structure(have)) == str(jax.tree.structure(wanted)) and all(
            a.shape == b.shape
            for a, b in zip(jax.tree.leaves(have), jax.tree.leaves(wanted), strict=True)
        )
        if not same:
            fresh = optimizer_program(optimizer.program())(learn)
            self.train_state = self.train_state._replace(optimizer=fresh)

    # From the users' data to batches

    def _batch_size(self, subject: str, value: Any, default: int) -> int:
        if value is None:
            return default
        return feeding.whole_number(subject, "batch_size", value, 1)

    def _inputs(self, subject: str, x: Any) -> list[HostArray]:
        if not self._built:
            first = arrays.to_array(f"{subject}, x", x)
            if first.ndim == 0 or len(first) == 0:
                raise InvalidData(
                    f"{subject}, x", "at least one example", "empty data", "Pass (n, ...) numbers."
                )
            self._build(first.shape[1:])
            x = first
        network = self.network
        shapes = [shape for shape, _ in network.input_shapes]
        by_key = isinstance(self._input_form, list)
        names = self._input_form if by_key else network.input_names
        return arrays.inputs(subject, x, names, shapes)

    def _build(self, shape: tuple[int, ...]) -> None:
        raise NotImplementedError

    def _batch(
        self, subject: str, x: Any, y: Any, sample_weight: Any, class_weight: Any = None,
        objective: Objective | None = None,
    ) -> tuple[Batch, Objective, list[str]]:  # fmt: skip
        """All examples as one Batch; the objective for these labels, unless it is given."""
        xs = self._inputs(subject, x)
        for name, array in zip(self.network.input_names, xs, strict=True):
            arrays.warn_not_finite(subject, "x" if len(xs) == 1 else name, array)
        names = self._output_form if isinstance(self._output_form, list) else None
        names = names or self.network.output_names
        ys = list(xs) if y is None else arrays.by_name(f"{subject}, y", y, names)
        notes: list[str] = []
        if objective is None:
            assert self._compiled is not None
            objective, labels, notes = resolve(self.network, self._compiled, ys, subject)
        else:
            labels = [
                targets.align(f"{subject}, y", y, loss, shape)
                for y, loss, (shape, _) in zip(
                    ys, objective.losses, self.network.output_shapes, strict=True
                )
            ]
        n = arrays.check_lengths(
            subject, {"x": xs[0], **{f"y of {k}": v for k, v in zip(names, labels, strict=True)}}
        )
        several = len(labels) > 1
        weights = []
        for i, (name, label) in enumerate(zip(names, labels, strict=True)):
            by_class = (
                class_weight.get(name)
                if several and isinstance(class_weight, dict)
                else class_weight
            )
            by_row = sample_weight
            if several and isinstance(sample_weight, dict):
                by_row = sample_weight.get(name)
            elif several and isinstance(sample_weight, list | tuple):
                by_row = sample_weight[i]
            weights.append(targets.weights(subject, label, by_row, by_class, n))
        return Batch(tuple(xs), tuple(labels), tuple(weights), None), objective, notes

    def _iterable_source(
        self, subject: str, x: Any, steps: int | None, objective: Objective | None = None
    ) -> tuple[IterableSource, Objective, list[str]]:
        found: list[Any] = [objective, []]

        def prepare(item: Any) -> Batch:
            own_x, own_y, weight = feeding.unpack(item)
            batch, found[0], notes = self._batch(subject, own_x, own_y, weight, objective=found[0])
            found[1] = found[1] or notes
            self._refuse_unadapted()
            return batch

        def room(first: Batch) -> int:
            return feeding.capacity(self.network, len(first.x[0]), first)

        if steps is None and not hasattr(x, "__iter__"):
            steps = len(x)
        source = IterableSource(feeding.iterable(x), prepare, room, steps)
        return source, found[0], found[1]

    def _measured_source(
        self, subject: str, data: Any, size: int, objective: Objective | None, steps: int | None
    ) -> Source:
        if isinstance(data, Batch):
            batch = data
        elif feeding.is_iterable_of_batches(data):
            source, self._objective, _ = self._iterable_source(subject, data, steps, objective)
            return source
        else:
            x, y, weight = feeding.unpack(data)
            batch, self._objective, _ = self._batch(subject, x, y, weight, objective=objective)
        room = feeding.capacity(self.network, size, batch)
        return ArraySource(batch, size, room, shuffle=False, limit=steps)

    # Normalization and its like

    def _unadapted(self) -> list[str]:
        state = self.train_state.state
        return [
            name
            for name, layer in self.network.layers.items()
            if getattr(layer, "adapts", False) and float(state[name]["count"]) == 0
        ]

    def _refuse_unadapted(self) -> None:
        for name in self._unadapted():
            raise NotReady(
                f"layer {name}",
                "statistics of the data",
                "an iterable of batches, which is read only once",
                f'Call model["{name}"].adapt(data) first.',
            )

    def _adapt(self, data: Batch) -> None:
        """Layers that were not adapted adapt to the training data now, as they see it."""
        for name in self._unadapted():
            node = self.network.first_use(name)
            place = node.inputs[0]
            if place[0] in self.network.inputs:
                seen = data.x[self.network.inputs.index(place[0])]
            else:
                upto = Network(self.network.nodes, self.network.inputs, (place,))
                (seen,) = self._predict_arrays(upto.program(), list(data.x), _PREDICT_ROWS)
            state = node.layer.statistics([seen])  # type: ignore[attr-defined]
            train = self.train_state
            fresh = jax.tree.map(jnp.asarray, state)
            self.train_state = train._replace(state={**train.state, name: fresh})

    # evaluate and predict

    @named
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over data, in inference; exact for any batch size.

        Returns:
            the loss, or a list `[loss, metric, ...]`, or a dict with `return_dict=True`.
        """
        self._require_optimizer()
        if x is None:
            raise InvalidArgument("evaluate", "x", "None", "Call evaluate(x, y).")
        size = self._batch_size("evaluate", batch_size, 32)
        data = x if feeding.is_iterable_of_batches(x) else (x, y, sample_weight)
        source = self._measured_source("evaluate", data, size, None, steps)
        train = self.train_state
        found = measure(self.network.program(), self._objective, train.params, train.state, source)
        if return_dict:
            return found
        values = list(found.values())
        return values[0] if len(values) == 1 else values

    @named
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
    ) -> Any:
        """The outputs for x, in inference: dropout and noise are off, the result is deterministic.

        Args:
            x: as in `fit`, or an iterable of batches of inputs.
            batch_size: rows per dispatch; only memory depends on it.

        Returns:
            an array `(n, ...)`, or a list or dict of them as the outputs were given to Model.
        """
        rows = self._batch_size("predict", batch_size, _PREDICT_ROWS)
        if feeding.is_iterable_of_batches(x):
            parts = []
            for i, item in enumerate(feeding.iterable(x)):
                if steps is not None and i >= steps:
                    break
                parts.append(self._predict_one(feeding.unpack(item)[0], rows))
            if not parts:
                cure = "Check the data loader."
                raise InvalidData("predict", "at least one batch", "none", cure)
            outputs = [np.concatenate(p) for p in zip(*parts, strict=True)]
        else:
            outputs = self._predict_one(x, rows)
        return self._form_outputs(outputs)

    def _predict_one(self, x: Any, rows: int) -> list[HostArray]:
        xs = self._inputs("predict", x)
        return self._predict_arrays(self.network.program(), xs, rows)

    def _predict_arrays(self, network: Network, xs: list[HostArray], rows: int) -> list[HostArray]:
        """Dispatches of `rows` examples; the last is padded to a power of two: few programs."""
        program = predict_program(network)
        train = self.train_state
        n = len(xs[0])
        parts = []
        for start in range(0, n, rows):
            some = [a[start : start + rows] for a in xs]
            count = len(some[0])
            size = min(rows, 1 << (count - 1).bit_length())
            outputs = program(train.params, train.state, feeding.padded(some, size))
            parts.append([np.asarray(o)[:count] for o in outputs])
        return [p[0] if len(parts) == 1 else np.concatenate(p) for p in zip(*parts, strict=True)]

    def _call_on_arrays(self, x: Any, training: bool) -> Any:
        xs = [jnp.asarray(a) for a in self._inputs("call", x)]
        train = self.train_state
        key = jax.random.fold_in(train.key, train.step)
        values, _ = self.network.forward(train.params, train.state, xs, key=key, train=training)
        outputs = [values[i] if k is None else values[i][k] for i, k in self.network.outputs]
        return self._form_outputs(outputs)

    def _form_outputs(self, outputs: list[Any]) -> Any:
        if isinstance(self._output_form, list):
            return dict(zip(self._output_form, outputs, strict=True))
        return outputs if self._output_form == "list" else outputs[0]

    # Exact resume

    def checkpoint(self) -> tuple[dict[str, HostArray], dict[str, Any]]:
        """Everything a killed fit needs to go on exactly: arrays, and facts as JSON."""
        return resuming.checkpoint(self, self._running("checkpoint"), self._callbacks)

    def resume(self, flat: dict[str, HostArray], facts: dict[str, Any]) -> None:
        """The inverse of `checkpoint`, from a callback's `on_train_begin`."""
        resuming.resume(self, self._running("resume"), self._callbacks, flat, facts)

    def _running(self, subject: str) -> Fit:
        if self._fit is None:
            raise NotReady(subject, "a fit in progress", "none", "Call it from a callback.")
        return self._fit
