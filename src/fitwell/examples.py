"""From what users pass to fit, evaluate and predict to batches for one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fitwell import feeding
from fitwell.data import arrays, targets
from fitwell.data.frames import is_frame
from fitwell.data.sources import ArraySource, IterableSource, Source
from fitwell.errors import FitwellError, InvalidArgument, InvalidData
from fitwell.layers.nodes import readers
from fitwell.network import Network
from fitwell.objectives import Compiled, resolve
from fitwell.training import Batch, Objective
from fitwell.types import HostArray, Shape


class Receiver(Protocol):
    """What reading data needs of the model."""

    @property
    def network(self) -> Network: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...
    @property
    def built(self) -> bool: ...
    @property
    def first_dtype(self) -> str: ...
    @property
    def input_names(self) -> Sequence[str]: ...
    @property
    def output_names(self) -> Sequence[str]: ...
    def compiled(self) -> Compiled: ...
    def build_for(self, shape: Shape) -> None: ...
    def unbuild(self) -> None: ...
    def before_iterable(self) -> None: ...


class Examples:
    """Reads data for one call; the first labels it sees decide what the objective is.

    Args:
        subject: the method the user called, for messages.
        objective: losses and metrics, if they are known already.

    Attributes:
        objective: losses and metrics, after the first labels.
        notes: what was decided on the way, in words.
        words: the inputs of the last batch as given, where layers on the host encode them.
    """

    def __init__(self, model: Receiver, subject: str, objective: Objective | None = None) -> None:
        self.model, self.subject = model, subject
        self._objective = objective
        self.notes: list[str] = []
        self.words: tuple[HostArray, ...] | None = None

    @property
    def objective(self) -> Objective:
        assert self._objective is not None
        return self._objective

    def inputs(self, x: Any) -> list[HostArray]:
        """What the network gets for x, one array per place in `network.fed`."""
        return self.encoded(self.read(x))

    def read(self, x: Any) -> list[HostArray]:
        """The model's inputs; a model whose input size is not known yet learns it here."""
        if "table" in self.model.extra and is_frame(x):
            raise InvalidData(
                f"{self.subject}, x",
                "an array of encoded features, for this is the network of a table model",
                "a data frame",
                "Load the file with fitwell.tabular.load: that model takes frames as they are.",
            )
        if not self.model.built:
            x = arrays.read(f"{self.subject}, x", x, self.model.first_dtype)
            if x.ndim == 0 or len(x) == 0:
                cure = "Pass numbers of shape (n, ...)."
                raise InvalidData(f"{self.subject}, x", "at least one example", "empty data", cure)
            self.model.build_for(x.shape[1:])
        network, names = self.model.network, self.model.input_names
        shapes, dtypes = zip(*network.input_shapes, strict=True)
        found = arrays.inputs(self.subject, x, names, shapes, dtypes)
        for node, which in readers(network.nodes, network.inputs):
            name = "x" if len(names) == 1 else names[which]
            node.layer.check_data(f"{self.subject}, {name}", found[which])
        return found

    def encoded(self, inputs: list[HostArray], first: int = 0) -> list[HostArray]:
        """What layers on the host make of the inputs; those of numbers as they are.

        Args:
            first: the row of the user's data that these begin with, for messages.
        """
        network = self.model.network
        if network.fed == network.inputs:
            return inputs
        given: dict[int, HostArray] = dict(zip(network.inputs, inputs, strict=True))
        for place in network.fed:
            node = network.nodes[place]
            if node.layer.on_host:
                given[place] = node.layer.encode(given[node.inputs[0][0]])
        rows = f" (rows from {first} on)" if first else ""
        for node in network.nodes:
            for place, _ in node.inputs:
                host = network.nodes[place]
                if host.layer.on_host and host.out[0][1] == "int32":  # the ids as they are
                    node.layer.check_data(
                        f"{self.subject}, ids from {host.name}{rows}", given[place]
                    )
        return [given[place] for place in network.fed]

    def batch(self, x: Any, y: Any, sample_weight: Any = None) -> Batch:
        """All examples as one Batch; without y, the inputs are the targets.

        A model that took its shapes from data which turn out to be wrong forgets them again.
        """
        was_built = self.model.built
        try:
            return self._batch(x, y, sample_weight)
        except FitwellError:
            if not was_built:
                self.model.unbuild()
            raise

    def _batch(self, x: Any, y: Any, sample_weight: Any) -> Batch:
        inputs = self.read(x)
        if self.model.network.fed != self.model.network.inputs:
            self.words = tuple(inputs)
        for name, array in zip(self.model.input_names, inputs, strict=True):
            arrays.warn_not_finite(self.subject, "x" if len(inputs) == 1 else name, array)
        names = self.model.output_names
        what = f"{self.subject}, y" if y is not None else f"{self.subject}, x as y (none was given)"
        try:
            labels = self._labels(what, arrays.by_name(what, inputs if y is None else y, names))
        except FitwellError as error:
            if y is not None:
                raise
            cure = f"{error.cure} No labels were passed: if there are any, pass (x, y)."
            raise type(error)(error.subject, error.expected, error.received, cure) from None
        rows = {"x": inputs[0], **{f"y of {k}": v for k, v in zip(names, labels, strict=True)}}
        n = arrays.check_lengths(self.subject, rows)
        weights = tuple(
            None if weight is None else targets.sample_weights(self.subject, weight, n)
            for weight in per_output(self.subject, "sample_weight", sample_weight, names)
        )
        return Batch(tuple(self.encoded(inputs)), tuple(labels), weights, None)

    def class_weighted(self, data: Batch, class_weight: Any) -> Batch:
        """The same examples, weighted by their classes too."""
        names = self.model.output_names
        several = [class_weight]
        if len(names) > 1:
            several = per_output(self.subject, "class_weight", class_weight, names)
        weights = tuple(
            old if one is None else targets.class_weights(self.subject, y, one, old)
            for y, one, old in zip(data.y, several, data.weight, strict=True)
        )
        return data._replace(weight=weights)

    def _labels(self, subject: str, ys: Sequence[Any]) -> list[HostArray]:
        network, names = self.model.network, self.model.output_names
        each = [subject if len(names) == 1 else f"{subject} of {name}" for name in names]
        if self._objective is None:
            self._objective, labels, self.notes = resolve(network, self.model.compiled(), ys, each)
            return labels
        return [
            targets.align(of, y, loss, shape)
            for of, y, loss, (shape, _) in zip(
                each, ys, self.objective.losses, network.output_shapes, strict=True
            )
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
            data = self.batch(*feeding.unpack(self.subject, data))
        room = feeding.capacity(self.model.network, batch_size, data)
        return ArraySource(data, batch_size, room, shuffle=shuffle, seed=seed, limit=steps)

    def iterable(self, batches: Any, steps: int | None) -> Source:
        """Batches as a generator or a data loader gives them."""

        def prepare(item: Any) -> Batch:
            batch = self.batch(*feeding.unpack(self.subject, item))
            self.model.before_iterable()
            # One dtype for all: the first batch may be whole numbers by chance.
            fed = self.model.network.fed_outputs
            xs = (a.astype(dtype) for a, (_, dtype) in zip(batch.x, fed, strict=True))
            return batch._replace(x=tuple(xs))

        def room(first: Batch) -> int:
            return feeding.capacity(self.model.network, len(first.x[0]), first)

        return IterableSource(self.subject, feeding.iterable(batches), prepare, room, steps)


def per_output(subject: str, argument: str, value: Any, names: Sequence[str]) -> list[Any]:
    """One entry per output: from a dict by name, a list of arrays, or the same for all."""
    if isinstance(value, dict):
        if not set(value) <= set(names):
            raise InvalidArgument(
                f"{subject}, {argument}",
                f"a dict by output name ({', '.join(names)})",
                f"the keys {', '.join(map(str, value))}",
                f"Pass {argument}={{{names[0]!r}: ...}}.",
            )
        return [value.get(name) for name in names]
    if len(names) > 1 and isinstance(value, list | tuple) and len(value) == len(names):
        return list(value)
    return [value] * len(names)
