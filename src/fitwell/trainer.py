"""What trains: the half of the model that changes its weights."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import jax
import numpy as np

from fitwell import feeding, resuming, tree
from fitwell.arguments import named, whole_number
from fitwell.callbacks import Callback
from fitwell.callbacks.layers import probe_of
from fitwell.compiling import in_words
from fitwell.curvature.escaping import SaddleEscape
from fitwell.data.sources import ArraySource, Kept, Source
from fitwell.doctor.asking import checkup
from fitwell.doctor.modes import check_mode
from fitwell.doctor.reading import plan
from fitwell.doctor.showing import printer
from fitwell.doctor.watching import Case, Doctor
from fitwell.errors import InvalidArgument, NotReady
from fitwell.examples import Examples, Receiver
from fitwell.fitting import Fit
from fitwell.history import History
from fitwell.hooks import FittedModel, in_order, listed, pace_notes
from fitwell.layers.base import Layer
from fitwell.layerwise import LayerProbe
from fitwell.ops.precision import checked
from fitwell.optimizers import Optimizer
from fitwell.predictor import Predictor
from fitwell.programs import optimizer_program
from fitwell.progress import ProgressBar
from fitwell.replaying import Position
from fitwell.training import Batch
from fitwell.types import HostArray


class Trainer(Predictor):
    """fit, the learning rate and exact resume; the base of every model, not made by users."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name, seed)
        self.stop_training = False
        self.epochs_trained = 0
        self.learning_rate_override: float | None = None
        self.history: History | None = None
        self._precision = "float32"
        self._compile_arguments: tuple[Any, ...] | None = None
        self._fit: Fit | None = None
        self._shared: dict[str, Layer] = {}
        self._callbacks: list[Callback] = []

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

    @property
    def precision(self) -> str:
        """What layers with weights compute in: `"float32"` or `"bfloat16"`; `compile` sets it."""
        return self._precision

    @precision.setter
    def precision(self, value: str) -> None:
        self._precision = checked("compile", value)
        if self._built:
            self._network = dataclasses.replace(self.network, precision=value)

    def epoch_finished(self) -> None:
        self.epochs_trained += 1

    checkup = checkup

    # fit

    @named
    @in_words
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
        escape_saddles: bool = False,
        doctor: str = "warn",
    ) -> History:
        """Trains: `w <- w - step(gradient of the mean loss)`, epochs times over the data.

        A second call continues where the first ended. Ctrl-C ends the fit with weights and history
        kept: at once while it compiles, else after the dispatch under way, which is a moment, or
        one step where a step takes longer, for nothing can cut it short. A second Ctrl-C does not
        wait: KeyboardInterrupt.

        Args:
            x: (n, ...) numbers, or texts if the model reads them: numpy, JAX, lists, frames of
                pandas, polars and pyarrow; a list or dict for several inputs; or an iterable of
                batches `(x, y)`, `(x, y, weight)`.
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
            time_limit: seconds, or "90s", "10m": the fit ends after the dispatch that exceeds it,
                or untrained if it still compiles then. As after Ctrl-C, a validation that then
                takes longer than a moment is given up.
            escape_saddles: where the loss of three epochs stands still and the curvature says that
                the point is a saddle, step along its worst direction; the negative eigenvalue
                is printed and enters the history as `"saddle_curvature"`. Needs arrays.
            doctor: "warn" looks at data, network and plan before, and at what came of them after,
                and says what is wrong; where the loss becomes NaN the fit ends with its last good
                weights. "strict" raises where nothing can be learned; "treat" tries cures after a
                fit that went wrong, as long as it took, 10 s at least: history.treated is a
                `fitwell.treat`, and the model has its weights if they fit; "off" goes on.

        Returns:
            the History: `.history["loss"]`, `.plot()`, `.frame()`, `.stopped`.

        Raises:
            InvalidData, ShapeMismatch, InvalidArgument: before anything is trained.
        """
        began = time.perf_counter()
        optimizer = self._require_optimizer()
        own = listed("fit", callbacks)
        epochs = whole_number("fit", "epochs", epochs, 0)
        initial_epoch = whole_number("fit", "initial_epoch", initial_epoch, 0)
        validation_freq = feeding.frequency(validation_freq)
        steps = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        for name, value in steps.items():
            if value is not None:
                whole_number("fit", name, value, 1)
        limit = (
            None if time_limit is None else began + feeding.seconds("fit", "time_limit", time_limit)
        )
        examples = Examples(self, "fit")
        source, held_out = self._training_sources(
            examples, x, y, batch_size, class_weight=class_weight, sample_weight=sample_weight,
            validation_split=0.0 if validation_data is not None else validation_split,
            shuffle=shuffle, steps=steps_per_epoch,
        )  # fmt: skip
        validation = held = None
        if validation_data is not None or held_out is not None:
            size = feeding.batch_rows("fit", validation_batch_size, source.batch_size)
            held = Examples(self, "validation_data", examples.objective)
            if isinstance(validation_data, Iterator):  # read once, but wanted after each epoch
                validation_data = Kept(validation_data)
            validation = held.source(held_out or validation_data, size, steps=validation_steps)
        self._begin_optimizer(optimizer, source)
        if escape_saddles:
            place = self.network, examples.objective, optimizer, source
            own = [SaddleEscape(*place, verbose=verbose != 0), *own]
        watching: list[Doctor] = []  # after the bar, which must not cover what the doctor says
        if check_mode(doctor) != "off":
            parts = examples, held, source, validation, optimizer
            watching = [self._doctor(*parts, epochs, doctor, verbose)]
            watching[0].alone = not any(one.keeps_layers for one in own)
            watching[0].restored = any(one.keeps_best for one in own)
        history = History()
        bar = ProgressBar(verbose, [*examples.notes, *pace_notes(own)])
        self.history, self._callbacks = history, [*in_order(own), bar, *watching]
        params = {
            "epochs": epochs,
            "initial_epoch": initial_epoch,
            "steps": source.steps,
            "batch_size": source.batch_size,
            "verbose": verbose,
            "metrics": examples.objective.log_names(validated=validation is not None),
        }
        history.params = params
        for callback in self._callbacks:
            callback.set_params(params)
            callback.set_model(cast(FittedModel, self))  # a Trainer is always part of a Model
        self._fit = Fit(
            self, self.network, examples.objective, optimizer, source, validation,
            self._callbacks, history,
            position=Position(initial_epoch, data_epoch=self.epochs_trained),
            epochs=epochs, validation_freq=validation_freq, deadline=limit,
            on_breakdown=watching[0].on_breakdown if watching else None,
        )  # fmt: skip
        try:
            return self._fit.run()
        except BaseException:
            self._fit.rescue()
            raise
        finally:
            self._fit, self._callbacks = None, []  # the doctor among them holds the data
            bar.close()

    def _doctor(
        self, examples: Examples, held: Examples | None, source: Source,
        validation: Source | None, optimizer: Optimizer, epochs: int, mode: str, verbose: int | str,
    ) -> Doctor:  # fmt: skip
        data, held_out = (
            one.data if isinstance(one, ArraySource) else None for one in (source, validation)
        )
        learn, _ = self.network.split_trainable(self.train_state.params)
        steps = source.steps or 1
        rows = steps * source.batch_size if data is None else len(data.x[0])
        told = plan(
            optimizer, source.batch_size, epochs, steps, rows, validation is not None,
            tree.size(learn), self.learning_rate_override, self.epochs_trained,
        )  # fmt: skip
        parts = self.network, examples.objective, self.train_state
        case = Case(
            *parts, data, held_out, told, fresh=self.epochs_trained == 0, optimizer=optimizer,
            words=(examples.words, None if held is None else held.words),
        )  # fmt: skip
        return Doctor(case, mode, printer(verbose))

    def _training_sources(
        self, examples: Examples, x: Any, y: Any, batch_size: Any, *, class_weight: Any,
        sample_weight: Any, validation_split: float, shuffle: bool, steps: int | None,
    ) -> tuple[Source, Batch | None]:  # fmt: skip
        """The training batches, and what was split off for validation."""
        if x is None:
            raise InvalidArgument("fit", "x", "None", "Call fit(x, y).")
        if feeding.is_iterable_of_batches(x):
            feeding.check_alone(
                "fit", y=y, sample_weight=sample_weight, class_weight=class_weight,
                validation_split=validation_split or None,
            )  # fmt: skip
            return examples.iterable(x, steps), None
        data, held_out, size = self._training_data(
            examples, x, y, batch_size, class_weight=class_weight, sample_weight=sample_weight,
            validation_split=validation_split,
        )  # fmt: skip
        self._adapt(data)
        shuffle = shuffle and batch_size != "full"
        source = examples.source(data, size, steps=steps, shuffle=shuffle, seed=self.seed)
        return source, held_out

    def _training_data(
        self, examples: Examples, x: Any, y: Any, batch_size: Any, *, class_weight: Any,
        sample_weight: Any, validation_split: float,
    ) -> tuple[Batch, Batch | None, int]:  # fmt: skip
        """Arrays to train on, what was split off for validation, and the size of a batch."""
        data, held_out = examples.batch(x, y, sample_weight), None
        if validation_split:
            data, held_out = feeding.split_off(examples.subject, data, validation_split)
        if class_weight is not None:
            data = examples.class_weighted(data, class_weight)
        if batch_size == "full":
            return data, held_out, len(data.x[0])
        return data, held_out, feeding.batch_rows(examples.subject, batch_size, 32)

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
        begin = optimizer_program(self.network.program(), optimizer.program())
        wanted = jax.eval_shape(begin, learn)  # of the compiled function: traced once, not per fit
        have = self.train_state.optimizer
        same = str(jax.tree.structure(have)) == str(jax.tree.structure(wanted)) and all(
            a.shape == b.shape
            for a, b in zip(jax.tree.leaves(have), jax.tree.leaves(wanted), strict=True)
        )
        if not same:
            self.train_state = self.train_state._replace(optimizer=begin(learn))

    # Exact resume

    def checkpoint(self) -> tuple[dict[str, HostArray], dict[str, Any]]:
        """Everything a killed fit needs to go on exactly: arrays, and facts as JSON."""
        return resuming.checkpoint(self, self._running("checkpoint"), self._callbacks)

    def resume(self, flat: dict[str, HostArray], facts: dict[str, Any]) -> None:
        """The inverse of `checkpoint`, from a callback's `on_train_begin`."""
        resuming.resume(self, self._running("resume"), self._callbacks, flat, facts)

    def layer_probe(self, sample: Any = None) -> LayerProbe:
        """What looks at the layers of the fit in progress, for callbacks.

        Args:
            sample: `(x, y)`; by default 256 rows of the training data.

        Raises:
            NotReady: no fit is in progress.
            InvalidArgument: batches of an iterable and no sample; a network that remembers.
        """
        fit = self._running("layer_probe")
        parts = fit.objective, fit.optimizer, fit.source
        return probe_of(cast(Receiver, self), *parts, sample)

    def _running(self, subject: str) -> Fit:
        if self._fit is None:
            raise NotReady(subject, "a fit in progress", "none", "Call it from a callback.")
        return self._fit
