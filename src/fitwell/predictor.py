"""What a network with weights can do without training: read data, predict, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import feeding, sharing
from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.errors import InvalidArgument, InvalidData, NotReady, answer
from fitwell.examples import Examples
from fitwell.habits import MODELS
from fitwell.hooks import BatchHook, Callback, FittedModel, batch_hook, listed
from fitwell.measuring import measure
from fitwell.network import Network, pick
from fitwell.objectives import Compiled
from fitwell.optimizers import Optimizer
from fitwell.programs import predict_program
from fitwell.training import Batch, TrainState
from fitwell.types import HostArray, Shape

_PREDICT_ROWS = 1024  # of one dispatch, unless batch_size says otherwise


class Predictor:
    """Network and weights, evaluate and predict; the base of every model, not made by users."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, whole_number(name, "seed", seed, 0)
        self.extra: dict[str, Any] = {}
        self.optimizer: Optimizer | None = None
        self._network: Network | None = None
        self._train_state: TrainState | None = None
        self._links: sharing.Links = {}
        self._noisy_calls = 0
        self._compiled: Compiled | None = None
        self._input_form: Any = None
        self._output_form: Any = None

    if not TYPE_CHECKING:  # which otherwise took every name for right
        __getattr__ = answer(MODELS.get)

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
            raise self._shapeless()
        if self._links:
            self._network = sharing.as_trainable(self._network, self._links)
        return self._network

    def _shapeless(self) -> NotReady:
        return NotReady(
            self.name,
            "a network whose input shape is known",
            "none so far",
            "Begin with Input(shape=...), call build((None, n)), or fit first.",
        )

    @property
    def input_shape(self) -> Any:
        """What the model takes, with None for the batch axis; a list for several inputs."""
        shapes = [(None, *shape) for shape, _ in self.network.input_shapes]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """What `predict` returns, with None for the batch axis; a list for several outputs."""
        shapes = [(None, *shape) for shape, _ in self.network.output_shapes]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def train_state(self) -> TrainState:
        """Weights, state, optimizer state, key and step: one pytree."""
        if self._train_state is None:
            raise self._shapeless()
        if self._links:
            self._train_state = sharing.pull(self._train_state, self._links)
        return self._train_state

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        self._train_state = value
        if self._links:
            sharing.push(value, self._links)

    def _require_optimizer(self) -> Optimizer:
        if self.optimizer is None:
            cure = 'Call model.compile(loss="...") first.'
            raise NotReady(self.name, "a compiled model", "none", cure)
        return self.optimizer

    # What reading data needs to know

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: a dict's keys, or the layers' names."""
        given = isinstance(self._input_form, list)
        return self._input_form if given else self.network.input_names

    @property
    def output_names(self) -> list[str]:
        given = isinstance(self._output_form, list)
        return self._output_form if given else self.network.output_names

    def compiled(self) -> Compiled:
        """The arguments of `compile`, one entry per output."""
        self._require_optimizer()
        assert self._compiled is not None
        return self._compiled

    @property
    def first_dtype(self) -> str:
        """What the first layer reads, for a model that learns its shapes from data."""
        return self.network.input_shapes[0][1]

    def build_for(self, shape: Shape) -> None:
        """Makes the weights for examples of this shape; only a Sequential can wait for it."""
        raise NotReady(self.name, "a network", "none", "Use Sequential or Model(inputs, outputs).")

    def unbuild(self) -> None:
        """Forgets shapes and weights: the data they were made for turned out to be wrong."""
        self._network = self._train_state = self._compiled = None
        self._links = {}

    # Normalization and its like

    def _unadapted(self) -> list[str]:
        state = self.train_state.state
        return [
            name
            for name, layer in self.network.layers.items()
            if layer.adapts and float(state[name]["count"]) == 0
        ]

    def before_iterable(self) -> None:
        """An iterable is read only once: layers must have their statistics before."""
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
                seen = data.x[self.network.fed.index(place[0])]
            else:
                upto = Network(self.network.nodes, self.network.inputs, (place,))
                (seen,) = self._predict_arrays(upto.program(), list(data.x), _PREDICT_ROWS)
            state = node.layer.statistics([seen])  # type: ignore[attr-defined]
            train = self.train_state
            fresh = jax.tree.map(jnp.asarray, state)
            self.train_state = train._replace(state={**train.state, name: fresh})

    # evaluate and predict

    @named
    @in_words
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics over data, in inference; exact for any batch size.

        Args:
            x, y, sample_weight: as in `fit`.
            batch_size: examples per step; only memory and speed depend on it.
            verbose: accepted for Keras' sake; nothing is printed.
            steps: batches to stop after.
            callbacks: their `on_test_*` hooks are called.

        Returns:
            the loss, or a list `[loss, metric, ...]`, or a dict with `return_dict=True`.
        """
        self._require_optimizer()
        if x is None:
            raise InvalidArgument("evaluate", "x", "None", "Call evaluate(x, y).")
        size = feeding.batch_rows("evaluate", batch_size, 32)
        if steps is not None:
            whole_number("evaluate", "steps", steps, 1)
        data = (x, y, sample_weight)
        if feeding.is_iterable_of_batches(x):
            feeding.check_alone("evaluate", y=y, sample_weight=sample_weight)
            data = x
        examples = Examples(self, "evaluate")
        source = examples.source(data, size, steps=steps)
        train = self.train_state
        network = self.network.program()
        own = self._called(callbacks, "test")
        hook = batch_hook(own, "test")
        found = measure(network, examples.objective, train.params, train.state, source, hook)
        assert found is not None  # nothing stops it
        for callback in own:
            callback.on_test_end(found)
        if return_dict:
            return found
        values = list(found.values())
        return values[0] if len(values) == 1 else values

    @named
    @in_words
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Any:
        """The outputs for x, in inference: dropout and noise are off, the result is deterministic.

        Args:
            x: as in `fit`, or an iterable of batches of inputs.
            batch_size: rows per dispatch; only memory depends on it.
            verbose: accepted for Keras' sake; nothing is printed.
            steps: batches of an iterable to stop after.
            callbacks: their `on_predict_*` hooks are called, around each dispatch.

        Returns:
            an array `(n, ...)`, or a list or dict of them as the outputs were given to Model.
        """
        rows = feeding.batch_rows("predict", batch_size, _PREDICT_ROWS)
        if steps is not None:
            whole_number("predict", "steps", steps, 1)
        own = self._called(callbacks, "predict")
        hook = batch_hook(own, "predict")
        if feeding.is_iterable_of_batches(x):
            parts = []
            for i, item in enumerate(feeding.iterable(x)):
                if steps is not None and i >= steps:
                    break
                parts.append(self._predict_one(feeding.unpack("predict", item)[0], rows, hook))
            if not parts:
                cure = "Check the data loader."
                raise InvalidData("predict", "at least one batch", "none", cure)
            outputs = [np.concatenate(p) for p in zip(*parts, strict=True)]
        else:
            outputs = self._predict_one(x, rows, hook)
        for callback in own:
            callback.on_predict_end({})
        return self._form_outputs(outputs)

    def _called(self, callbacks: Callback | Sequence[Callback] | None, kind: str) -> list[Callback]:
        """The callbacks as a list, with this model, after their `on_<kind>_begin`."""
        own = listed("evaluate" if kind == "test" else kind, callbacks)
        for callback in own:
            callback.set_model(cast(FittedModel, self))  # a Predictor is always part of a Model
            getattr(callback, f"on_{kind}_begin")({})
        return own

    def _predict_one(self, x: Any, rows: int, hook: BatchHook | None) -> list[HostArray]:
        examples = Examples(self, "predict")
        xs = examples.read(x)
        return self._predict_arrays(self.network.program(), xs, rows, hook, examples.encoded)

    def _predict_arrays(
        self, network: Network, xs: list[HostArray], rows: int, hook: BatchHook | None = None,
        encode: Callable[[list[HostArray], int], list[HostArray]] | None = None,
    ) -> list[HostArray]:  # fmt: skip
        """Dispatches of `rows` examples; the last is padded to a power of two: few programs.

        Text is encoded dispatch by dispatch: counts of all words of all rows may not fit in memory.
        """
        program = predict_program(network)
        train = self.train_state
        state = train.state
        n = len(xs[0])
        parts = []
        for start in range(0, n, rows):
            some = [a[start : start + rows] for a in xs]
            some = some if encode is None else encode(some, start)
            count = len(some[0])
            # A network that keeps states has room for so many rows and no more.
            size = count if network.remembers else min(rows, 1 << (count - 1).bit_length())
            if hook is not None:
                hook("begin", start // rows, {})
            real = (np.arange(size) < count).astype(np.float32)
            outputs, new = program(train.params, state, feeding.padded(some, size), real)
            state = new or state
            parts.append([np.asarray(o)[:count] for o in outputs])
            if hook is not None:
                hook("end", start // rows, {})
        if network.remembers:
            self.train_state = train._replace(state=state)
        return [np.concatenate(p) for p in zip(*parts, strict=True)]  # a copy: the user's own

    def _call_on_arrays(self, x: Any, training: bool) -> Any:
        xs = [jnp.asarray(a) for a in Examples(self, "call").inputs(x)]
        train = self.train_state
        self._noisy_calls += training  # each draws anew
        key = jax.random.fold_in(jax.random.fold_in(train.key, train.step), self._noisy_calls)
        values, _ = self.network.forward(train.params, train.state, xs, key=key, train=training)
        outputs = [pick(values, ref) for ref in self.network.outputs]
        return self._form_outputs(outputs)

    def _form_outputs(self, outputs: list[Any]) -> Any:
        if isinstance(self._output_form, list):
            return dict(zip(self._output_form, outputs, strict=True))
        return outputs if self._output_form == "list" else outputs[0]
