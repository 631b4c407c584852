"""The symbols that the functional API passes around, and the shapes they have."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.compiling import operations_of_jax
from fitwell.errors import FitwellError, InvalidArgument, ShapeMismatch
from fitwell.layers.naming import describe, placed
from fitwell.randomness import abstract_key
from fitwell.types import HOST_DTYPES, Inputs, Key, Shape, Shapes

if TYPE_CHECKING:
    from fitwell.layers.base import Layer

_PROBE_BATCH = 1  # the batch size with which shapes are inferred; any number gives the same


@dataclass(frozen=True, eq=False)
class Call:
    """One use of a layer in a graph: compared by identity."""

    layer: Layer
    inputs: tuple[Symbol, ...]
    many: bool


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

    def __add__(self, other: Any) -> NoReturn:
        self._refuse("a + b", "Add()([a, b])")

    def __sub__(self, other: Any) -> NoReturn:
        self._refuse("a - b", "Subtract()([a, b])")

    def __mul__(self, other: Any) -> NoReturn:
        self._refuse("a * b", "Multiply()([a, b]), or Rescaling(2.0)(a) for a number")

    def __truediv__(self, other: Any) -> NoReturn:
        self._refuse("a / b", "Rescaling(1 / 2)(a) for a number")

    def __rtruediv__(self, other: Any) -> NoReturn:
        self._refuse("1 / a", "Lambda(lambda x: 1 / x)(a)")

    def __floordiv__(self, other: Any) -> NoReturn:
        self._refuse("a // b or a % b", "Lambda(lambda x: x // 2)(a) for a number")

    def __pow__(self, other: Any) -> NoReturn:
        self._refuse("a ** b", "Lambda(lambda x: x**2)(a) for a number")

    def __neg__(self) -> NoReturn:
        self._refuse("-a", "Rescaling(-1.0)(a)")

    def __abs__(self) -> NoReturn:
        self._refuse("abs(a)", "Lambda(jnp.abs)(a)")

    def __lt__(self, other: Any) -> NoReturn:
        self._refuse("a comparison", "Lambda(lambda x: x > 0)(a) for a number")

    def __matmul__(self, other: Any) -> NoReturn:
        self._refuse("a @ b", "Dot(axes=(2, 1))([a, b])")

    def __getitem__(self, place: Any) -> NoReturn:
        self._refuse("a[...]", "Lambda(lambda x: x[:, 0])(a)")

    def __array__(self, *arguments: Any) -> NoReturn:
        self._refuse("a function of numpy", "Lambda(jnp.sin)(a) for np.sin(a)")

    __radd__, __rsub__, __rmul__, __rmatmul__ = __add__, __sub__, __mul__, __matmul__
    __le__ = __gt__ = __ge__ = __lt__
    __mod__ = __rmod__ = __rfloordiv__ = __floordiv__
    __rpow__ = __pow__

    def _refuse(self, received: str, instead: str) -> NoReturn:
        expected = "layers for arithmetic on what Input and layers return"
        raise InvalidArgument("Symbol", expected, received, f"Write {instead}.")

    def __repr__(self) -> str:
        return f"<Symbol shape={self.shape} dtype={self.dtype} from {describe(self.call.layer)}>"


def connect(call: Call) -> Any:
    """The symbols a call gives: one, or a list if the layer has several outputs."""
    shapes: Any = [symbol.example_shape for symbol in call.inputs]
    dtypes = [symbol.dtype for symbol in call.inputs]
    try:
        _check_host(call)
        out = infer(call.layer, shapes, dtypes, many=call.many, lent=_lender_shape(call))
    except FitwellError as error:
        raise _in_its_place(error, call) from error.__cause__
    if isinstance(out, list | tuple):
        return [Symbol(call, i, tuple(o.shape[1:]), str(o.dtype)) for i, o in enumerate(out)]
    return Symbol(call, None, tuple(out.shape[1:]), str(out.dtype))


def _in_its_place(error: FitwellError, call: Call) -> FitwellError:
    """The same error, with where in the graph the layer stands that raised it."""
    own = error.subject in (describe(call.layer), type(call.layer).__name__)
    subject = placed(call) + ("" if own else f", {error.subject} inside")
    return type(error)(subject, error.expected, error.received, error.cure)


def _check_host(call: Call) -> None:
    """Layers on the host read inputs of the model, and nothing else reads text or 64-bit numbers.

    Raises:
        InvalidArgument: the graph would need them elsewhere.
    """
    layer = call.layer
    for symbol in call.inputs:
        subject = describe(layer)
        reads_input = not symbol.call.inputs
        if layer.on_host and not reads_input:
            raise InvalidArgument(
                subject,
                "an input of the model (values are looked up before anything is compiled)",
                f"what {type(symbol.call.layer).__name__} returns",
                "Let it read Input(...) directly.",
            )
        if not layer.on_host and reads_input and symbol.dtype in HOST_DTYPES:
            between = "StringLookup or TextVectorization" if symbol.dtype == "string" else None
            cure = f"Put {between} between." if between else 'Write Input(..., dtype="int32").'
            received = f"an input of dtype {symbol.dtype}"
            raise InvalidArgument(subject, "numbers of at most 32 bits", received, cure)
    for inner in layer.inner().values():
        if inner.on_host:
            cure = f"Use {type(inner).__name__} itself, on an input of the model."
            raise InvalidArgument(
                describe(layer), "a layer of the compiled program inside", describe(inner), cure
            )


def _lender_shape(call: Call) -> Shape | None:
    """The shape of the input of the layer whose weights this one borrows; it must come before.

    Raises:
        InvalidArgument: it does not.
    """
    lender = call.layer.lender
    if lender is None:
        return None
    stack, seen = list(call.inputs), set[int]()
    while stack:
        found = stack.pop().call
        if found.layer is lender:
            return found.inputs[0].example_shape
        if id(found) not in seen:
            seen.add(id(found))
            stack.extend(found.inputs)
    raise InvalidArgument(
        describe(call.layer),
        f"the instance of {type(lender).__name__} it borrows from among the layers before it",
        "none of them",
        "Write encoder = Dense(8), use encoder in the network, and then Tied(encoder).",
    )


def infer(
    layer: Layer,
    shapes: list[Shape],
    dtypes: list[str],
    *,
    many: bool,
    lent: Shape | None = None,
) -> Any:
    """Shape and dtype of a layer's output, without computing it.

    `lent` is the shape of the input of the layer whose weights this one borrows.

    Raises:
        ShapeMismatch: the layer does not take these shapes.
    """
    if layer.several_inputs not in (None, many):
        wants = "a list of inputs" if layer.several_inputs else "one input"
        got = f"a list of {len(shapes)}" if many else "one"
        cure = "Take one of them, or concatenate them first."
        cure = "Write layer([a, b])." if layer.several_inputs else cure
        raise InvalidArgument(describe(layer), wants, got, cure)
    try:
        if layer.on_host:
            encoded = layer.encoded(shapes[0], dtypes[0])
            return _traced(layer.program(), (encoded[0],), (encoded[1],), many, lent)
        return _traced(layer, tuple(shapes), tuple(dtypes), many, lent)
    except FitwellError as error:
        # Anew, without the frames of JAX and the remark that it adds to what it lets through.
        parts = error.subject, error.expected, error.received, error.cure
        raise type(error)(*parts) from None
    except (TypeError, ValueError, IndexError) as error:
        raise ShapeMismatch(
            describe(layer),
            "an input it can compute with",
            f"shape {shapes if many else shapes[0]}: {str(error).splitlines()[0]}",
            "Change the layer before it or the layer's own sizes.",
        ) from error


@functools.lru_cache(maxsize=512)
def _traced(
    layer: Layer,
    shapes: tuple[Shape, ...],
    dtypes: tuple[str, ...],
    many: bool,
    lent: Shape | None,
) -> Any:
    """Remembered by value: tracing is most of what it costs to build a model."""
    shape: Shapes = list(shapes) if many else shapes[0]

    def run(key: Key) -> Any:
        xs = [jnp.zeros((_PROBE_BATCH, *s), d) for s, d in zip(shapes, dtypes, strict=True)]
        x: Inputs = xs if many else xs[0]
        params, state = layer.init(key, shape if lent is None else lent), layer.init_state(shape)
        if layer.lender is not None:
            params = {**params, "lender": layer.lender.init(key, lent)}
        with operations_of_jax(describe(layer)):
            return _checked(layer, layer.forward(params, state, x, key=key, train=True)[0])

    return jax.eval_shape(run, abstract_key())


def _checked(layer: Layer, y: Any) -> Any:
    """What a layer made of a batch: arrays, each with the batch axis in front.

    Raises:
        InvalidArgument: something else than an array or a list of them.
        ShapeMismatch: the batch axis is gone.
    """
    for each in y if isinstance(y, list | tuple) and y else [y]:
        if not isinstance(each, jax.Array | np.ndarray):
            raise InvalidArgument(
                describe(layer),
                "its formula to return an array, or a list of arrays",
                type(each).__name__,
                "Return what it computed, as an array of jax.numpy.",
            )
        if each.shape[:1] != (_PROBE_BATCH,):
            raise ShapeMismatch(
                describe(layer),
                f"an output that keeps the first axis, which is the batch, of size {_PROBE_BATCH}",
                f"shape {each.shape}",
                "Keep it: x.sum(-1) in place of x.sum(), x.reshape(len(x), -1) for x.ravel().",
            )
    return y


__all__ = ["Call", "Symbol", "connect", "describe", "infer"]
