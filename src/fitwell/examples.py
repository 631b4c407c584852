"""From what users pass to fit, evaluate and predict to batches for one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from fitwell import feeding
from fitwell.data import arrays, targets
from fitwell.data.sources import ArraySource, IterableSource, Source
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.network import Network
from fitwell.objectives import Compiled, resolve
from fitwell.training import Batch, Objective
from fitwell.types import HostArray, Shape


class Receiver(Protocol):
    """What reading data needs of the model."""

    @property
    def network(self) -> Network: ...
    @property
    def built(self) -> bool: ...
    @property
    def input_names(self) -> Sequence[str]: ...
    @property
    def output_names(self) -> Sequence[str]: ...
    def compiled(self) -> Compiled: ...
    def build_for(self, shape: Shape) -> None: ...
    def before_iterable(self) -> None: ...


class Examples:
    """Reads data for one call; the first labels it sees decide what the objective is.

    Args:
        subject: the method the user called, for messages.
        objective: losses and metrics, if they are known already.

    Attributes:
        objective: losses and metrics, after the first labels.
        notes: what was decided on the way, in words.
    """

    def __init__(self, model: Receiver, subject: str, objective: Objective | None = None) -> None:
        self.model, self.subject = model, subject
        self._objective = objective
        self.notes: list[str] = []

    @property
    def objective(self) -> Objective:
        assert self._objective is not None
        return self._objective

    def inputs(self, x: Any) -> list[HostArray]:
        """The model's inputs; a model whose input size is not known yet learns it here."""
        if not self.model.built:
            x = arrays.to_array(f"{self.subject}, x", x)
            if x.ndim == 0 or len(x) == 0:
                cure = "Pass numbers of shape (n, ...)."
                raise InvalidData(f"{self.subject}, x", "at least one example", "empty data", cure)
            self.model.build_for(x.shape[1:])
        shapes = [shape for shape, _ in self.model.network.input_shapes]
        return arrays.inputs(self.subject, x, self.model.input_names, shapes)

    def batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Batch:
        """All examples as one Batch; without y, the inputs are the targets."""
        xs = self.inputs(x)
        for name, array in zip(self.model.input_names, xs, strict=True):
            arrays.warn_not_finite(self.subject, "x" if len(xs) == 1 else name, array)
        names = self.model.output_names
        ys = list(xs) if y is None else arrays.by_name(f"{self.subject}, y", y, names)
        labels = self._labels(ys)
        rows = {"x": xs[0], **{f"y of {k}": v for k, v in zip(names, labels, strict=True)}}
        n = arrays.check_lengths(self.subject, rows)
        by_row = per_output(sample_weight, names)
        by_class = per_output(class_weight, names) if len(names) > 1 else [class_weight]
        weights = tuple(
            targets.weights(self.subject, label, row, of_class, n)
            for label, row, of_class in zip(labels, by_row, by_class, strict=True)
        )
        return Batch(tuple(xs), tuple(labels), weights, None)

    def _labels(self, ys: Sequence[Any]) -> list[HostArray]:
        if self._objective is None:
            network = self.model.network
            self._objective, labels, self.notes = resolve(
                network, self.model.compiled(), ys, self.subject
            )
            return labels
        shapes = self.model.network.output_shapes
        return [
            targets.align(f"{self.subject}, y", y, loss, shape)
            for y, loss, (shape, _) in zip(ys, self.objective.losses, shapes, strict=True)
        ]

    def source(
        self,
        data: Any,
        batch_size: int,
        *,
        steps: int | None = None,
        shuffle: bool = False,
        seed: int = 0,
    ) -> Source:
        """Batches of a Batch, of `(x, y, weight)` or of an iterable of batches."""
        if not isinstance(data, Batch):
            if feeding.is_iterable_of_batches(data):
                return self.iterable(data, steps)
            data = self.batch(*feeding.unpack(data))
        room = feeding.capacity(self.model.network, batch_size, data)
        return ArraySource(data, batch_size, room, shuffle=shuffle, seed=seed, limit=steps)

    def iterable(self, batches: Any, steps: int | None) -> Source:
        """Batches as a generator or a data loader gives them."""

        def prepare(item: Any) -> Batch:
            batch = self.batch(*feeding.unpack(item))
            self.model.before_iterable()
            return batch

        def room(first: Batch) -> int:
            return feeding.capacity(self.model.network, len(first.x[0]), first)

        return IterableSource(feeding.iterable(batches), prepare, room, steps)


def per_output(value: Any, names: Sequence[str]) -> list[Any]:
    """One entry per output: from a dict by name, a list of arrays, or the same for all."""
    if isinstance(value, dict) and set(value) <= set(names):
        return [value.get(name) for name in names]
    if len(names) > 1 and isinstance(value, list | tuple) and len(value) == len(names):
        return list(value)
    if isinstance(value, dict) and len(names) > 1:
        raise InvalidArgument(
            "fit",
            f"weights by output name ({', '.join(names)})",
            f"the keys {', '.join(map(str, value))}",
            "Pass {output: weights}.",
        )
    return [value] * len(names)
