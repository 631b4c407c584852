"""The contract of a layer, and the symbols that the functional API passes around."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell import activations, constraints, initializers, regularizers
from fitwell.description import Description
from fitwell.errors import FitwellError, InvalidArgument, ShapeMismatch
from fitwell.types import Array, Inputs, Key, Params, Shape, Shapes, State

_PROBE_BATCH = 2  # the batch size with which shapes are inferred; any number gives the same

_NAMED_FIELDS: dict[str, Any] = {
    "activation": activations.get,
    "_initializer": initializers.get,
    "_regularizer": regularizers.get,
    "_constraint": constraints.get,
}


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
    `activity_regularizer` on the output, in every layer. Names in these fields, in
    `<weight>_initializer` and in `activation` are checked when the layer is made.

    Args:
        name: None lets the network name the layer by class and position.
        trainable: False keeps the weights as they are in `fit`.
    """

    name: str | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)

    several_inputs: ClassVar[bool] = False
    """True if the layer takes a list of arrays."""

    init_only: ClassVar[tuple[str, ...]] = ()
    """Fields that only `init` and `init_state` read: they do not enter the compiled program."""

    input_dtype: ClassVar[str] = "float32"
    """What a network that begins with this layer converts its input to."""

    adapts: ClassVar[bool] = False
    """True if the layer's state is computed from data by `statistics(chunks)`."""

    saveable: ClassVar[bool] = True
    """False if the layer holds code, which a model file does not: the saver refuses it."""

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
        raise InvalidArgument(
            type(self).__name__,
            "the method apply(self, params, x) or forward(...)",
            "neither",
            "Define one of them in your layer.",
        )

    def forward(
        self, params: Params, state: State, x: Any, *, key: Key, train: bool
    ) -> tuple[Any, State]:
        """The map in full: output and new state."""
        return self.apply(params, x), state

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
            if each.name.endswith("_initializer"):
                weight = each.name.removesuffix("_initializer")
                found = self.initializer(weight)
                found = getattr(found, "function", found)  # a user's function has its own name
                names[weight] = getattr(found, "__name__", type(found).__name__)
        return names

    def program(self) -> Layer:
        """The same layer without what only matters before training: the key of compiled code."""
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        changes: dict[str, Any] = {name: defaults[name] for name in self.init_only}
        return dataclasses.replace(self, **changes)

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


class InputLayer(Layer):
    """The start of a graph: layer 0. Made by `Input`."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def apply(self, params: Params, x: Any) -> Any:
        return x


@dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer in a graph: compared by identity."""

    layer: Layer
    inputs: tuple[Symbol, ...]
    many: bool
    weights: Any = None  # (params, state) a layer brings along from the model it comes from


@dataclass(frozen=True, eq=False)
class Symbol:
    """What a layer of the functional API takes and returns: shape and dtype, no numbers.

    Attributes:
        call: the use of a layer that makes it.
        index: which of its outputs; None if it has just one.
        example_shape: the shape of one example.
        dtype: `"float32"`, `"int32"`, ...
    """

    call: Call
    index: int | None
    example_shape: Shape
    dtype: str

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape with the batch axis, as Keras prints it: `(None, 4)`."""
        return (None, *self.example_shape)

    def __repr__(self) -> str:
        return f"<Symbol shape={self.shape} dtype={self.dtype} from {describe(self.call.layer)}>"


def Input(  # noqa: N802 - Keras' name
    shape: tuple[int, ...] | list[int] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
    name: str | None = None,
) -> Symbol:
    """A symbolic input: the start of a graph, or the first entry of a Sequential.

    Args:
        shape: one example's, without the batch axis: `(4,)`, `(28, 28, 1)`; `()` for scalars.
        batch_size: accepted for Keras' sake; every batch size works.
        dtype: what the data are converted to: `"float32"` or `"int32"`.
        name: of the layer and of its entry in a dict of inputs.

    >>> Input(shape=(4,)).shape
    (None, 4)
    """
    if isinstance(shape, int):
        shape = (shape,)
    if shape is None or any(not isinstance(n, int) or n < 1 for n in shape):
        raise InvalidArgument(
            "Input",
            "shape=(n, ...) with whole numbers >= 1, without the batch axis",
            f"shape={shape!r}",
            "For 4 numbers per example write Input(shape=(4,)).",
        )
    layer = InputLayer(tuple(shape), dtype, name=name)
    return Symbol(Call(layer, (), False), None, layer.shape, dtype)


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


def describe(layer: Layer) -> str:
    """`dense_1 (Dense)` for a named layer, `Dense` otherwise."""
    kind = type(layer).__name__
    return f"{layer.name} ({kind})" if layer.name else kind


def connect(call: Call) -> Any:
    """The symbols a call gives: one, or a list if the layer has several outputs."""
    shapes: Any = [symbol.example_shape for symbol in call.inputs]
    dtypes = [symbol.dtype for symbol in call.inputs]
    before = [symbol.call.layer for symbol in call.inputs]
    out = infer(call.layer, shapes, dtypes, many=call.many, before=before)
    if isinstance(out, list | tuple):
        return [Symbol(call, i, tuple(o.shape[1:]), str(o.dtype)) for i, o in enumerate(out)]
    return Symbol(call, None, tuple(out.shape[1:]), str(out.dtype))


def infer(
    layer: Layer, shapes: list[Shape], dtypes: list[str], *, many: bool, before: list[Layer]
) -> Any:
    """Shape and dtype of a layer's output, without computing it.

    Raises:
        ShapeMismatch: the layer does not take these shapes; names it and what came before.
    """
    if layer.several_inputs != many:
        wants = "a list of inputs" if layer.several_inputs else "one input"
        got = f"a list of {len(shapes)}" if many else "one"
        cure = "Write layer([a, b])." if layer.several_inputs else "Concatenate them first."
        raise InvalidArgument(describe(layer), wants, got, cure)
    try:
        return _traced(layer, tuple(shapes), tuple(dtypes), many)
    except FitwellError as error:
        subject = error.subject if layer.name is None else describe(layer)
        if "after" in error.subject:
            subject = error.subject
        elif before:
            subject += " after " + " and ".join(describe(b) for b in before)
        # Anew, without the frames of JAX and the remark that it adds to what it lets through.
        raise type(error)(subject, error.expected, error.received, error.cure) from None
    except (TypeError, ValueError, IndexError) as error:
        after = " and ".join(describe(b) for b in before)
        raise ShapeMismatch(
            describe(layer) + (f" after {after}" if after else ""),
            "an input it can compute with",
            f"shape {shapes if many else shapes[0]}: {str(error).splitlines()[0]}",
            "Change the layer before it or the layer's own sizes.",
        ) from error


@functools.lru_cache(maxsize=512)
def _traced(layer: Layer, shapes: tuple[Shape, ...], dtypes: tuple[str, ...], many: bool) -> Any:
    """Remembered by value: tracing is most of what it costs to build a model."""
    shape: Shapes = list(shapes) if many else shapes[0]

    def run(key: Key) -> Any:
        xs = [jnp.zeros((_PROBE_BATCH, *s), d) for s, d in zip(shapes, dtypes, strict=True)]
        x: Inputs = xs if many else xs[0]
        params, state = layer.init(key, shape), layer.init_state(shape)
        return layer.forward(params, state, x, key=key, train=True)[0]

    return jax.eval_shape(run, jax.eval_shape(lambda: jax.random.key(0)))


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


__all__ = ["Array", "Call", "Input", "InputLayer", "Layer", "Symbol", "connect", "infer"]
