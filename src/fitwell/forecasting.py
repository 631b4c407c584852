"""`fw.forecast`: what a fit will take, from its compiled program."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fitwell import arithmetic, feeding
from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.losses import SparseCategoricalCrossentropy
from fitwell.machine import free_memory
from fitwell.model import Model, require_model
from fitwell.objectives import resolve
from fitwell.programs import copy_program, optimizer_program, train_program, zero_totals
from fitwell.progress import duration
from fitwell.summary import size_text
from fitwell.training import Batch, Objective, TrainState, step
from fitwell.types import HostArray

_TIMED_SECONDS = 0.05
_SHARE = 0.8  # of the free memory that a fit may take
_SIZES = 256, 1024  # batches from which the memory of larger ones is told


@dataclass(frozen=True)
class Forecast:
    """What one training step takes.

    Attributes:
        batch_size: examples of a step.
        flops: operations of a step: forward, backward and update.
        memory: the most bytes the program holds at a time, a chunk's data included.
        seconds: of a step, measured with random data of the right shapes.
        epoch_seconds: of an epoch over `examples`, or None.
        largest_batch: the largest power of two that fits into the free memory.
    """

    batch_size: int
    flops: float
    memory: int
    seconds: float
    epoch_seconds: float | None
    largest_batch: int

    def __str__(self) -> str:
        epoch = "" if self.epoch_seconds is None else f", {_time(self.epoch_seconds)} an epoch"
        return (
            f"batch {self.batch_size}: {self.flops / 1e6:.4g} MFLOPs and {_time(self.seconds)} a "
            f"step ({self.flops / self.seconds / 1e9:.3g} GFLOP/s){epoch}, "
            f"{size_text(self.memory)}; batches up to {self.largest_batch} fit into memory"
        )


@named
@in_words
def forecast(model: Model, batch_size: int = 32, examples: int | None = None) -> Forecast:
    """FLOPs, memory and time of training, before it: the program is compiled, and timed briefly.

    The model's weights are left as they are; `fit` finds the program in the compile cache.

    Args:
        model: compiled, with known shapes.
        batch_size: examples of a step.
        examples: of an epoch, for `epoch_seconds`.

    Raises:
        NotReady: no model, or one that is not compiled or whose shapes are not known.
        InvalidArgument: batch_size or examples that are no whole numbers >= 1.

    >>> from fitwell import Sequential
    >>> from fitwell.layers import Dense, Input
    >>> model = Sequential([Input((10,)), Dense(5)])
    >>> model.compile(loss="mse")
    >>> found = forecast(model, batch_size=64, examples=640)
    >>> 2 * 2 * 64 * 10 * 5 < found.flops < 4 * 2 * 64 * 10 * 5  # forward and the kernel's gradient
    True
    """
    size = whole_number("forecast", "batch_size", batch_size, 1)
    if examples is not None:
        examples = whole_number("forecast", "examples", examples, 1)
    job = _Job(require_model("forecast", model))
    room = job.room(size)
    compiled = job.compiled(size, room)
    data = jax.device_put(job.batch((room, size)))
    seconds = _seconds(compiled, job.given(data))
    steps = None if examples is None else -(-examples // size)
    return Forecast(
        size, job.flops(size), _peak(compiled), seconds,
        None if steps is None else steps * seconds, job.largest(),
    )  # fmt: skip


class _Job:
    """The program of a fit, for data of any batch size."""

    def __init__(self, model: Model) -> None:
        self.optimizer = model._require_optimizer().program()
        self.network = model.network.program()
        train, _ = copy_program(self.network)(model.train_state)
        learn, _ = self.network.split_trainable(train.params)
        begin = optimizer_program(self.network, self.optimizer)
        self.train: TrainState = train._replace(optimizer=begin(learn))
        self.objective = self._objective(model)

    def _objective(self, model: Model) -> Objective:
        """The one for labels of the shape that the outputs suggest."""
        compiled = model.compiled()
        labels = [_labels(loss, (1,), out[0]) for loss, out in self._outputs(compiled.losses)]
        return resolve(model.network, compiled, labels, list(compiled.names))[0]

    def batch(self, lead: tuple[int, ...]) -> Batch:
        """Random inputs and zero labels with these axes in front."""
        rng = np.random.default_rng(0)
        xs = tuple(
            rng.normal(size=(*lead, *shape)).astype(dtype)
            if np.dtype(dtype).kind == "f"
            else np.zeros((*lead, *shape), dtype)
            for shape, dtype in self.network.fed_outputs
        )
        ys = tuple(
            _labels(loss, lead, out[0]) for loss, out in self._outputs(self.objective.losses)
        )
        return Batch(xs, ys, (None,) * len(ys), np.ones(lead, np.float32))

    def _outputs(self, losses: Any) -> list[tuple[Any, Any]]:
        return list(zip(losses, self.network.output_shapes, strict=True))

    def room(self, size: int) -> int:
        """Steps of a chunk of batches of this size."""
        return feeding.capacity(self.network, size, self.batch((1,)))

    def given(self, data: Any) -> tuple[Any, ...]:
        """Arguments of the chunk program."""
        totals = zero_totals(self.network, self.objective, data)
        return self.train, totals, data, np.zeros(data.mask.shape[0], np.float32), 1

    def compiled(self, size: int, room: int) -> Any:
        """The chunk program for so many batches of this size; no data are made for it."""
        data = jax.tree.map(
            lambda a: jax.ShapeDtypeStruct((room, size, *a.shape[2:]), a.dtype), self.batch((1, 1))
        )
        program = train_program(self.network, self.objective, self.optimizer)
        return program.lower(*self.given(data)).compile()

    def flops(self, size: int) -> float:
        """Operations of a step, counted in the program before it is optimised."""

        parts = self.network, self.objective, self.optimizer
        program = jax.make_jaxpr(lambda train, batch: step(*parts, train, batch, np.float32(1))[0])  # type: ignore[arg-type]
        return float(arithmetic.operations(program(self.train, self.batch((size,)))))

    def largest(self) -> int:
        """The largest power of two with which a fit fits into the free memory."""
        # Of one step, so that no chunk counts, whose length is another for each size.
        peaks = [_peak(self.compiled(size, 1)) for size in _SIZES]
        per_example = max((peaks[1] - peaks[0]) / (_SIZES[1] - _SIZES[0]), 1.0)
        fixed = max(peaks[0] - _SIZES[0] * per_example, 0.0)
        budget, size = _SHARE * free_memory(), 1
        while fixed + 2 * size * per_example + self._buffers(2 * size) <= budget:
            size *= 2
        return size

    def _buffers(self, size: int) -> float:
        """Bytes of the two chunks that a fit holds, beyond the one batch that a step has."""
        row = sum(a.nbytes for a in jax.tree.leaves(self.batch((1, 1))))
        return (2.0 * self.room(size) - 1) * size * row


def _labels(loss: Any, lead: tuple[int, ...], shape: tuple[int, ...]) -> HostArray:
    """Labels that a loss takes: class 0, or zeros of the output's shape."""
    if isinstance(loss, SparseCategoricalCrossentropy):
        return np.zeros((*lead, *shape[:-1]), np.int32)
    return np.zeros((*lead, *shape), np.float32)


def _peak(compiled: Any) -> int:
    """Bytes of arguments, results and intermediate arrays; donated ones count once."""
    found = compiled.memory_analysis()
    return int(
        found.argument_size_in_bytes
        + found.output_size_in_bytes
        + found.temp_size_in_bytes
        - found.alias_size_in_bytes
    )


def _seconds(compiled: Any, given: tuple[Any, ...]) -> float:
    """Seconds of a step: after a first one, as many as take a twentieth of a second."""
    train, totals, data, rates, count = given
    taken = 0.0
    for last in (False, True):
        while True:
            began = time.perf_counter()
            train, totals, _ = jax.block_until_ready(compiled(train, totals, data, rates, count))
            taken = time.perf_counter() - began
            if not last or taken >= _TIMED_SECONDS or count == len(rates):
                break
            count = min(len(rates), 4 * count)
    return taken / count


def _time(seconds: float) -> str:
    """Seconds as people read them, short ones too.

    >>> _time(125), _time(0.0125), _time(4e-6)
    ('2m05s', '12.5 ms', '4 us')
    """
    if seconds >= 1:
        return duration(seconds)
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"
