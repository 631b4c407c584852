"""The model: a network with its weights, the only mutable object of the library."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import jax

from fitwell import composing, optimizers, saving, sharing, tree
from fitwell.arguments import named
from fitwell.curvature import curvature as measure_curvature
from fitwell.data.arrays import by_name
from fitwell.errors import FitwellError, InvalidArgument, NotReady, ShapeMismatch, did_you_mean
from fitwell.exporting import export as export_model
from fitwell.graph import from_symbols, instances
from fitwell.layers.base import Layer
from fitwell.layers.inputs import InputLayer
from fitwell.layers.naming import by_position
from fitwell.network import Network
from fitwell.objectives import check_names, per_output
from fitwell.programs import start
from fitwell.settings import settings
from fitwell.summary import summary, summary_html
from fitwell.trainer import Trainer
from fitwell.training import TrainState
from fitwell.types import HostArray, Params, State
from fitwell.views import LayerView

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Model(Trainer):
    """A network with its weights: `Model(inputs, outputs)` between symbols.

    >>> from fitwell.layers import Dense, Input
    >>> x = Input(shape=(4,))
    >>> model = Model(x, Dense(2)(Dense(8, activation="relu")(x)))
    >>> model.count_params()
    58

    Args:
        inputs: a symbol, or a list or dict of them; the data are passed in the same form.
        outputs: a symbol, or a list or dict of them; `predict` returns the same form.
        name: shown by `summary`.
        seed: of the weights, the order of the examples and the noise. None draws one
            (see `fitwell.utils.set_random_seed`); `model.seed` tells which.
    """

    kind: ClassVar[str] = "Model"

    @named
    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        super().__init__(name or "model", settings.next_seed() if seed is None else seed)
        ins, self._input_form = composing.symbols_of("inputs", inputs)
        outs, self._output_form = composing.symbols_of("outputs", outputs)
        for symbol in ins:
            if not isinstance(symbol.call.layer, InputLayer):
                cure = "Pass what Input(shape=...) returned."
                raise InvalidArgument("Model", "inputs made by Input", repr(symbol), cure)
        self._begin(from_symbols(ins, outs), instances(ins, outs))

    @classmethod
    def from_parts(cls, network: Network, facts: Mapping[str, Any], train: TrainState) -> Self:
        """A model around what was read from a file; `facts` are those of `save`."""
        model = cls.__new__(cls)
        Trainer.__init__(model, str(facts["name"]), int(facts["seed"]))
        model._input_form, model._output_form = facts["input_form"], facts["output_form"]
        model.epochs_trained, model.extra = int(facts["epochs"]), dict(facts["extra"])
        rate = facts["learning_rate"]
        model.learning_rate_override = None if rate is None else float(rate)
        model._network, model._train_state = network, train
        model._precision = network.precision
        return model

    input, inputs = property(composing.input_of), property(composing.inputs_of)
    output, outputs = property(composing.output_of), property(composing.outputs_of)

    # Weights

    def _begin(self, network: Network, layers: Mapping[str, Layer]) -> None:
        train = start(network, self.seed)
        self._links = sharing.link(self, layers, train)
        self._network, self._train_state, self._shared = network, train, {}
        self.precision = self._precision

    def weights_of(self, name: str) -> tuple[Params, State]:
        train = self.train_state
        return train.params.get(name, {}), train.state.get(name, {})

    def set_weights_of(self, name: str, params: Params, state: State) -> None:
        train = self.train_state
        self.train_state = train._replace(
            params={**train.params, **({name: params} if params else {})},
            state={**train.state, **({name: state} if state else {})},
        )

    def change_layer(self, name: str, **changes: Any) -> None:
        sharing.change(self._links, name, changes)
        self._network = self.network.with_layer(name, **changes)
        self._shared.pop(name, None)

    @property
    def layers(self) -> list[LayerView]:
        """The layers as views, in order; inputs are layer 0 and are shown by `summary` alone."""
        named = self.network.layers.items()
        return [LayerView(self, n) for n, layer in named if not isinstance(layer, InputLayer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> LayerView:
        """The view of a layer by name, or by its place in `layers`."""
        if index is not None:
            views = self.layers
            if not isinstance(index, int) or not -len(views) <= index < len(views):
                cure = "Layers count from 0, the input not included."
                received = f"index={index!r}"
                raise InvalidArgument("model", f"an index below {len(views)}", received, cure)
            return views[index]
        if name not in self.network.layers:
            names = [view.name for view in self.layers]
            raise InvalidArgument(
                "model", "a layer's name", repr(name), did_you_mean(str(name), names)
            )
        return LayerView(self, name)

    def __getitem__(self, name: str) -> LayerView:
        return self.get_layer(name)

    @property
    def weights(self) -> list[Any]:
        """Every array, layer by layer (copies)."""
        return [array for view in self.layers for array in view.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        return [array for view in self.layers for array in view.trainable_weights]

    @property
    def trainable(self) -> bool:
        """Whether any layer learns; set it to freeze or release all."""
        return any(view.trainable for view in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for view in self.layers:
            view.trainable = value

    def get_weights(self) -> list[HostArray]:
        """Copies of all weights and state as numpy arrays, layer by layer, kernel before bias."""
        return [array for view in self.layers for array in view.get_weights()]

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Takes arrays in the order of `get_weights`.

        Raises:
            ShapeMismatch: a different number or shape of arrays; nothing is changed then.
        """
        given = list(weights)
        views = [(view, len(view.get_weights())) for view in self.layers]
        total = sum(n for _, n in views)
        if len(given) != total:
            cure = "Pass what get_weights() of an equal model returns."
            raise ShapeMismatch("set_weights", f"{total} arrays", f"{len(given)}", cure)
        before = self.train_state
        try:
            for view, n in views:
                view.set_weights(given[:n])
                given = given[n:]
        except FitwellError:
            self.train_state = before
            raise

    def count_params(self) -> int:
        """The number of weights, state included, as in Keras."""
        return tree.size(self.train_state.params) + tree.size(self.train_state.state)

    # Compile

    @named
    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        augment: Any = None,
        precision: str = "float32",
    ) -> None:
        """Chooses what is minimised, how, and what is measured.

        Args:
            optimizer: a name or an optimizer; Adam by default.
            loss: a name, a Loss, a function (y_true, y_pred) -> losses; a list or dict for several
                outputs. None: chosen from the last layer and the labels at the first fit, and said.
            loss_weights: factors of the losses of several outputs.
            metrics, weighted_metrics: names or Metrics, measured without and with sample weights.
            augment: `layers.MixUp(...)`, `layers.CutMix(...)` or a list of them: in training,
                examples of a batch are mixed with each other, and their labels with them.
            precision: `"bfloat16"` has layers compute with 8 bits: faster on accelerators, not on a
                CPU; weights, losses and predictions stay float32 (Keras' mixed_bfloat16).

        Raises:
            UnknownName, InvalidArgument: with the nearest right name, or those that there are.
        """
        arguments = (loss, loss_weights, metrics, weighted_metrics, augment)
        check_names(loss, metrics, weighted_metrics, augment)
        chosen = optimizers.get(optimizer)
        compiled = per_output(self.output_names, *arguments) if self._built else None
        self.precision = precision
        # Only now: an argument that is refused leaves the model as it was.
        self._compile_arguments, self._compiled, self.optimizer = arguments, compiled, chosen
        self.learning_rate_override = None
        if self._built:
            self._train_state = self.train_state._replace(optimizer=())

    # Files

    @named
    def save(
        self,
        path: str | Path,
        include_optimizer: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes one safetensors file: description in its header, weights as arrays.

        Args:
            path: `"model.safetensors"`.
            include_optimizer: also keep the optimizer's state, to train on exactly.
            extra: JSON values of your own; `fitwell.load(path).extra` returns them.

        Raises:
            InvalidArgument: a Lambda layer, or a function without a name.
            InvalidFile: the folder is missing or cannot be written to.
        """
        facts = {
            "kind": self.kind,
            "name": self.name,
            "seed": self.seed,
            "epochs": self.epochs_trained,
            "learning_rate": self.learning_rate_override,
            "input_form": self._input_form,
            "output_form": self._output_form,
            "extra": dict(self.extra if extra is None else extra),
        }
        saving.write_model(
            path,
            facts,
            self.network,
            self.train_state,
            self.optimizer,
            self._compiled,
            include_optimizer,
        )

    def save_weights(self, path: str | Path) -> None:
        """Writes the weights and the state alone."""
        saving.write_weights(path, self.train_state)

    def load_weights(self, path: str | Path) -> None:
        """Takes the weights of a file that `save` or `save_weights` wrote for an equal network."""
        self.train_state = saving.read_weights(path, self.train_state)

    curvature, export, _repr_html_ = measure_curvature, export_model, summary_html

    def summary(self, print_fn: Any = None) -> None:
        """Prints a table of the layers: shapes, weights, FLOPs, activation memory, initializers.

        FLOPs are operations of the forward pass for one example. Under the table: what share of the
        weights and of the arithmetic is in convolutions, dense layers, recurrent layers ...
        """
        (print_fn or print)(summary(self.name, self.network, self.seed))

    def plot(self, path: str | Path | None = None) -> Figure:
        """The network as a picture (see `fitwell.plots.network`); `path="network.svg"` writes it.

        >>> from fitwell.layers import Dense, Input
        >>> model = Model(x := Input((4,)), Dense(2)(Dense(20, activation="relu")(x)))
        >>> [text.get_text() for text in model.plot().axes[0].texts][:3]
        ['model: 142 weights', 'input', 'Input']
        """
        from fitwell.plots import network

        return network(self, path)

    def __call__(self, x: Any, training: bool = False) -> Any:
        """Symbols in, symbols out: the layers become part of another model, with their weights.

        Arrays in, arrays out, in inference; `training=True` has dropout and noise on, drawn anew.
        """
        leaves = jax.tree.leaves(x, is_leaf=composing.is_symbol)
        if not any(composing.is_symbol(leaf) for leaf in leaves):
            return self._call_on_arrays(x, training)
        if not self._built:
            self.build_for(x.example_shape)
        return self._form_outputs(composing.replay(self, by_name(self.name, x, self.input_names)))

    def shared_layer(self, name: str) -> Layer:
        """The layer as other models take it over: one instance, whose weights this model owns."""
        if name not in self._shared:
            layer = self.network.layers[name]
            kept = None if by_position(layer, name) else name
            lender = self.network.first_use(name).lender
            borrowed: dict[str, Any] = {} if lender is None else {"of": self.shared_layer(lender)}
            self._shared[name] = dataclasses.replace(layer, name=kept, **borrowed)
            linked = sharing.owner_of(self._links[name][0]) if name in self._links else None
            sharing.set_owner(self._shared[name], *(linked or (self, name)), keep=True)
        return self._shared[name]

    def __repr__(self) -> str:
        weights = f"{self.count_params()} weights" if self._built else "not built yet"
        return f"<{type(self).__name__} {self.name}: {weights}>"


def require_model(subject: str, model: Any) -> Model:
    """The model, or the answer to what is none."""
    if not isinstance(model, Model):
        cure = "Pass Sequential([...]) or Model(inputs, outputs), compiled."
        raise NotReady(subject, "a model", repr(model), cure)
    return model
