"""The contract of a layer."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell import activations, constraints, initializers, regularizers
from fitwell.arguments import named
from fitwell.description import Description
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.symbols import Call, Symbol, connect, describe, infer
from fitwell.types import Array, HostArray, Key, Params, Shape, State

_NAMED_FIELDS: dict[str, Any] = {
    "activation": activations.get,
    "_initializer": initializers.get,
    "_regularizer": regularizers.get,
    "_constraint": constraints.get,
}

_HOST_METHODS = "encode(self, values) with encoded(self, shape, dtype)"

_SWITCHES = {"bias": "use_bias", "beta": "center", "gamma": "scale"}  # a weight only if it is True


class Layer(Description):
    """A frozen description of a map from arrays to arrays; holds hyper-parameters, no arrays.

    A layer of your own is this and nothing else:

    >>> class Scale(Layer):
    ...     start: float = 1.0
    ...
    ...     def init(self, key, shape):
    ...         return {"factor": jnp.full(shape[-1:], self.start)}
    ...
    ...     def apply(self, params, x):
    ...         return x * params["factor"]

    It trains, saves, loads (`load(path, custom_objects=[Scale])`), summarises and vmaps.

    Shapes exclude the batch axis; arrays have it in front. A field called
    `<weight>_regularizer` or `<weight>_constraint` acts on the weight of that name, and
    `activity_regularizer` on the output, in every layer (`recurrent_regularizer` finds the weight
    `recurrent_kernel`). Names in these fields, in `<weight>_initializer` and in `activation` are
    checked when the layer is made.

    Args:
        name: None lets the network name the layer by class and position.
        trainable: False keeps the weights as they are in `fit`.
    """

    name: str | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)

    habits: ClassVar[Mapping[str, str]] = {
        "__init__": "Write `units: int = 3` in the class body; weights are made in "
        "init(self, key, shape).",
        "build": "Make the weights in init(self, key, shape), which returns them by name.",
        "call": "Write the map as apply(self, params, x), where params are what init returned.",
    }

    several_inputs: ClassVar[bool | None] = False
    """True if the layer takes a list of arrays; None if it takes either."""

    init_only: ClassVar[tuple[str, ...]] = ()
    """Fields that only `init` and `init_state` read: they do not enter the compiled program."""

    input_dtype: ClassVar[str] = "float32"
    """What a network that begins with this layer converts its input to."""

    on_host: ClassVar[bool] = False
    """True if the layer reads an input of the model, by `encode`, before anything is compiled."""

    adapts: ClassVar[bool] = False
    """True if the layer's state is computed from data by `statistics(chunks)`."""

    saveable: ClassVar[bool] = True
    """False if the layer holds code, which a model file does not: the saver refuses it."""

    uses_mask: ClassVar[bool] = False
    """True if `forward` takes `mask=`: which steps are real, (batch, time), or None for all."""

    uses_rows: ClassVar[bool] = False
    """True if `forward` takes `rows=`: which examples are no padding, (batch,), None for all."""

    moves_only: ClassVar[bool] = False
    """True if the output holds the input's numbers and no others."""

    keeps_time: ClassVar[bool] = True
    """False if the output's first axis is no longer the input's time axis."""

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            automatic = value == "auto" and each.default == "auto"
            for suffix, get in _NAMED_FIELDS.items():
                if each.name.endswith(suffix) and value is not None and not automatic:
                    get(value)
            if each.name.endswith("activation") and isinstance(value, Layer):
                _check_activation(self, value)
        self.validate()

    def init(self, key: Key, shape: Any) -> Params:
        """Fresh weights for an input of `shape` (one example's; a list for several inputs)."""
        return {}

    def init_state(self, shape: Any) -> State:
        """Fresh arrays that change without gradients."""
        return {}

    def apply(self, params: Params, x: Any) -> Any:
        """The map. Layers with state, noise or a train/predict difference override `forward`."""
        raise self._without("apply(self, params, x) or forward(...)", "one of them")

    def _without(self, methods: str, needed: str) -> InvalidArgument:
        cure = f"Define {needed} in your layer."
        return InvalidArgument(type(self).__name__, f"the method {methods}", "neither", cure)

    def forward(
        self, params: Params, state: State, x: Any, *, key: Key, train: bool
    ) -> tuple[Any, State]:
        """The map in full: output and new state."""
        return self.apply(params, x), state

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        """Which steps of y are real, given which of x are: a mask, a list for several inputs.

        By default a mask is passed on as long as the time axis is there; a step that is real in
        one of several inputs is real (as in Keras).
        """
        masks = mask if isinstance(mask, list) else [mask]
        if not self.keeps_time or any(m is None or m.shape != masks[0].shape for m in masks):
            return None
        either: Array = functools.reduce(jnp.logical_or, masks)
        return either if jax.tree.leaves(y)[0].shape[:2] == either.shape else None

    def inner(self) -> dict[str, Layer]:
        """Layers inside this one, by the name under which their weights lie in `params`."""
        return {}

    @property
    def lender(self) -> Layer | None:
        """The instance whose weights this layer borrows (see `Tied`).

        Its weights are then in `params["lender"]`, and `init` gets the shape of its input.
        """
        return None

    def transposed(self, params: Params, y: Array) -> Array:
        """The transpose of the layer's linear map, without bias and activation, for `Tied`."""
        raise InvalidArgument(
            f"Tied({type(self).__name__})",
            "a layer whose map has a transpose: Dense, Embedding or a convolution",
            describe(self),
            "Give the layer weights of its own.",
        )

    @property
    def remembers(self) -> bool:
        """Whether its state goes on from prediction to prediction too (stateful layers)."""
        return any(layer.remembers for layer in self.inner().values())

    def check_data(self, subject: str, values: HostArray) -> None:
        """Raises InvalidData for an input of the network that this layer cannot read."""
        for layer in self.inner().values():
            layer.check_data(subject, values)

    def encode(self, values: HostArray) -> HostArray:
        """Of layers on the host: the numbers that `forward` gets for these rows of the input."""
        raise self._without(_HOST_METHODS, "both")

    def encoded(self, shape: Shape, dtype: str) -> tuple[Shape, str]:
        """Of layers on the host: what `encode` makes of one example of that shape and dtype.

        Raises:
            InvalidArgument, ShapeMismatch: it cannot read such an input.
        """
        raise self._without(_HOST_METHODS, "both")

    def split_activation(self) -> tuple[Layer | None, Any]:
        """The layer without its output activation, and that activation.

        None in the first place means that the layer is nothing but an activation. The engine
        uses this to compute cross-entropies from logits.
        """
        if getattr(self, "activation", None) is None:
            return self, None
        return dataclasses.replace(self, activation=None), self.activation  # type: ignore[attr-defined,call-arg]

    def initializer(self, weight: str) -> Any:
        """The initializer of a weight: its field resolved, "auto" by the layer's activation."""
        value = getattr(self, f"{weight}_initializer")
        if value == "auto":
            activation = getattr(self, "activation", None)
            known = type(activation).__name__ if isinstance(activation, Layer) else activation
            return initializers.for_activation(known)
        return initializers.get(value)

    def initializer_names(self) -> dict[str, str]:
        """The initializer of each weight in words: `{"kernel": "HeNormal", "bias": "Zeros"}`."""
        names = {}
        for each in dataclasses.fields(self):
            # None: the layer has no rule of its own for this weight.
            if each.name.endswith("_initializer") and getattr(self, each.name) is not None:
                weight = each.name.removesuffix("_initializer")
                if getattr(self, _SWITCHES.get(weight, ""), True) is False:
                    continue
                found = self.initializer(weight)
                found = getattr(found, "function", found)  # a user's function has its own name
                names[weight] = getattr(found, "__name__", type(found).__name__)
        return names

    def program(self) -> Layer:
        """The same layer without what only matters before training: the key of compiled code."""
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        changes: dict[str, Any] = {name: defaults[name] for name in self.init_only}
        return dataclasses.replace(self, **changes)

    @named
    def __call__(self, inputs: Any) -> Any:
        """Adds the layer to a graph: symbols in, symbols out (functional API).

        A layer without weights also maps an array to an array: it can serve as an activation.
        """
        if isinstance(inputs, jax.Array) and is_plain_function(self):
            return self.apply({}, inputs)
        many = isinstance(inputs, list | tuple)
        symbols = tuple(inputs) if many else (inputs,)
        for symbol in symbols:
            if not isinstance(symbol, Symbol):
                raise InvalidArgument(
                    describe(self),
                    "symbols, such as what Input(shape=...) returns",
                    type(symbol).__name__,
                    "To run a layer on arrays, put it into a model and call model.predict.",
                )
        return connect(Call(self, symbols, many))


def is_plain_function(layer: Layer) -> bool:
    """Whether the layer is a map without weights, state and noise, such as LeakyReLU."""
    own = type(layer)
    return own.apply is not Layer.apply and own.init is Layer.init and own.forward is Layer.forward


def _check_activation(owner: Layer, activation: Layer) -> None:
    if not is_plain_function(activation):
        raise InvalidArgument(
            type(owner).__name__,
            "an activation without weights, state and noise",
            repr(activation),
            "Make it the next layer instead.",
        )


def flat_features(owner: Layer, shape: Shape) -> int:
    """The size of the last axis, for layers that need at least one."""
    if not shape:
        raise ShapeMismatch(
            describe(owner),
            "at least one axis besides the batch axis",
            "a single number per example (shape ())",
            "Put Reshape((1,)) before it.",
        )
    return shape[-1]


def check_data_format(owner: Layer) -> None:
    """Raises InvalidArgument for channels on another axis than the last."""
    value = getattr(owner, "data_format", None)
    if value not in (None, "channels_last"):
        raise InvalidArgument(
            type(owner).__name__,
            'data_format=None or "channels_last"',
            f"data_format={value!r}",
            "Move the channels to the last axis: Permute before the layer, or "
            "numpy.moveaxis(x, 1, -1) on the data.",
        )


__all__ = [
    "Call",
    "Layer",
    "Symbol",
    "check_data_format",
    "connect",
    "describe",
    "flat_features",
    "infer",
]
