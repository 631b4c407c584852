"""Activation functions: array -> array, with Keras' names, arguments and defaults.

A layer takes one by name (`activation="relu"`) or as a function; `get` turns the first into the
second. A function of your own needs no registration.

Values are within a few units in the last place of the true ones at float32, tails included.
So are the gradients, except where a factor 1 - g(x) is subtracted from a saturated g (sigmoid,
tanh and what is built from them): there they are exact to the precision of 1. Where a function
has a kink, the gradient is that of its lower side: relu'(0) = 0, leaky_relu'(0) = slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp

from fitwell.errors import InvalidArgument, ShapeMismatch, missing_attribute
from fitwell.names import resolve
from fitwell.ops.precision import widened
from fitwell.types import Array

Activation: TypeAlias = str | Callable[..., Any] | None
"""What a layer takes as `activation`: a name, a function array -> array, or None for linear."""

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def linear(x: Array) -> Array:
    """x: no activation."""
    return x


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), in (0, 1); its largest slope is 1/4, at 0."""
    return jax.nn.sigmoid(x)


def hard_sigmoid(x: Array) -> Array:
    """relu6(x + 3) / 6: the piecewise linear sigmoid, 0 below -3 and 1 above 3."""
    return jax.nn.hard_sigmoid(x)


def tanh(x: Array) -> Array:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), in (-1, 1)."""
    return jnp.tanh(x)


def relu(
    x: Array,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """max(x, 0); in full: x above the threshold, negative_slope * (x - threshold) elsewhere.

    Args:
        x: any shape.
        negative_slope: slope at and below the threshold.
        max_value: the largest value; None sets no limit.
        threshold: x is passed where it is larger than this.

    Raises:
        InvalidArgument: max_value is negative.

    >>> relu(jnp.array([-2.0, 1.0, 9.0]), negative_slope=0.5, max_value=6.0).tolist()
    [-1.0, 1.0, 6.0]
    """
    if negative_slope == 0.0 and threshold == 0.0:
        y = jax.nn.relu(x)
    else:
        # A product with 0 would turn the infinite x of an overflow into NaN.
        below = negative_slope * (x - threshold) if negative_slope != 0.0 else 0.0
        y = jnp.where(x <= threshold, below, x)  # so that NaN stays NaN
    if max_value is None:
        return y
    if max_value < 0:
        _invalid("relu", "max_value >= 0 or None", f"max_value={max_value!r}")
    return jnp.where(y >= max_value, max_value, y)


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6)."""
    return jax.nn.relu6(x)


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """x where x > 0, negative_slope * x elsewhere.

    The slope is 0.2 as in Keras 3; the paper (Maas et al. 2013), PyTorch and many texts use 0.01.
    """
    return jnp.where(x > 0, x, negative_slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2016, arXiv:1511.07289)."""
    return jnp.where(x > 0, x, alpha * _expm1(jnp.where(x > 0, 0, x)))


def selu(x: Array) -> Array:
    """1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer.

    Meant for LecunNormal kernels (Klambauer et al. 2017, arXiv:1706.02515).
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017, arXiv:1704.07483).

    Raises:
        InvalidArgument: alpha is not positive.
    """
    if alpha <= 0:
        _invalid("celu", "alpha > 0", f"alpha={alpha!r}")
    return jnp.where(x > 0, x, alpha * _expm1(jnp.where(x > 0, 0, x) / alpha))


def gelu(x: Array, approximate: bool = False) -> Array:
    """x * P(N(0, 1) <= x) (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Args:
        x: any shape.
        approximate: use `gelu_tanh`, which differs by at most 5e-4.
    """
    return gelu_tanh(x) if approximate else jax.nn.gelu(x, approximate=False)


def gelu_tanh(x: Array) -> Array:
    """0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): `gelu(approximate=True)` under a name."""
    # (1 + tanh u) / 2 = sigmoid(2u), which does not cancel for large negative x.
    scale = 2 * math.sqrt(2 / math.pi)
    return x * jax.nn.sigmoid(x * (scale + scale * 0.044715 * jnp.square(x)))


def silu(x: Array) -> Array:
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017, arXiv:1710.05941)."""
    return x * jax.nn.sigmoid(x)


swish = silu


def hard_silu(x: Array) -> Array:
    """x * hard_sigmoid(x), also called hard swish (Howard et al. 2019, arXiv:1905.02244)."""
    return x * jax.nn.hard_sigmoid(x)


hard_swish = hard_silu


def mish(x: Array) -> Array:
    """x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)."""
    e = jnp.exp(jnp.minimum(x, 40))  # beyond, e^2 would overflow, and the gate is 1
    n = e * (e + 2)
    t = 1 / (n + 2)
    gate, gate_slope = n * t, 4 * (e * (e + 1) * t) * t  # tanh(softplus(x)) from one exp
    return _with_slope(x, x * gate, gate + x * gate_slope)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)): the smooth ReLU (the "soft relu")."""
    # Beyond 37 it is x to float64. No |x|: its derivative at 0 would spoil the second one.
    large = x > 37
    return jnp.where(large, x, jnp.log1p(jnp.exp(jnp.where(large, 0, x))))


def softsign(x: Array) -> Array:
    """x / (1 + |x|), in (-1, 1)."""
    size = 1 + jnp.abs(x)
    return _with_slope(x, x / size, 1 / jnp.square(size))  # the quotient rule cancels


def relu2(x: Array) -> Array:
    """max(x, 0)^2: the squared ReLU ("2nd_relu"; So et al. 2021, arXiv:2109.08668)."""
    return jnp.square(jax.nn.relu(x))


def squareplus(x: Array, b: float = 4) -> Array:
    """(x + sqrt(x^2 + b)) / 2: an algebraic softplus (Barron 2021, arXiv:2112.11687).

    Raises:
        InvalidArgument: b is not positive.
    """
    if b <= 0:
        _invalid("squareplus", "b > 0", f"b={b!r}")
    root = jnp.sqrt(jnp.square(x) + b)
    below = b / (2 * (root - jnp.where(x > 0, 0, x)))  # there x + root cancels
    return jnp.where(x > 0, (x + root) / 2, below)


def exponential(x: Array) -> Array:
    """exp(x). Infinite above 88.7 at float32."""
    return jnp.exp(x)


def threshold(x: Array, threshold: float = 0.0, default_value: float = 0.0) -> Array:
    """x where x > threshold, default_value elsewhere.

    Keras has no defaults; these make it usable by name.
    """
    return jnp.where(x <= threshold, default_value, x)  # so that NaN stays NaN


def glu(x: Array, axis: int = -1) -> Array:
    """a * sigmoid(b), where a and b are the halves of x: (..., 2n) -> (..., n).

    Source: Dauphin et al. 2017, arXiv:1612.08083.

    Raises:
        ShapeMismatch: the axis has an odd size.
    """
    if x.shape[axis] % 2:
        raise ShapeMismatch(
            "glu",
            f"an even size on axis {axis}, to split into two halves",
            f"shape {x.shape}",
            "Give the layer before it twice the number of outputs you want.",
        )
    a, b = jnp.split(x, 2, axis=axis)
    return a * jax.nn.sigmoid(b)


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x_i) / sum_j exp(x_j): the same shape, sums of 1 along the axis."""
    return jax.nn.softmax(widened(x), axis=axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x_i - log sum_j exp(x_j): the logarithm of softmax, finite where softmax rounds to 0."""
    return jax.nn.log_softmax(widened(x), axis=axis)


@jax.custom_jvp
def _with_slope(x: Array, y: Array, slope: Array) -> Array:
    """y with dy/dx = slope, where the derivative JAX would build from y's formula is inexact."""
    return y


@_with_slope.defjvp
def _with_slope_jvp(
    primals: tuple[Array, Array, Array], tangents: tuple[Array, Array, Array]
) -> tuple[Array, Array]:
    return _with_slope(*primals), primals[2] * tangents[0]


def _expm1(x: Array) -> Array:
    """exp(x) - 1 with slope exp(x): JAX's own slope, (exp(x) - 1) + 1, is 0 below -17."""
    return _with_slope(x, jnp.expm1(x), jnp.exp(x))


def _invalid(subject: str, expected: str, received: str) -> None:
    raise InvalidArgument(subject, expected, received, "Change it or leave it out.")


_BY_NAME: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        linear, sigmoid, hard_sigmoid, tanh, relu, relu6, leaky_relu, elu, selu, celu, gelu,
        gelu_tanh, silu, hard_silu, mish, softplus, softsign, relu2, squareplus, exponential,
        threshold, glu, softmax, log_softmax,
    )
}  # fmt: skip
_BY_NAME |= {
    "swish": silu,
    "hard_swish": hard_silu,
    "soft_relu": softplus,
    "2nd_relu": relu2,
}


def get(identifier: Activation) -> Callable[..., Any]:
    """The function a name stands for; None is linear, and functions are returned as they are.

    Raises:
        UnknownName: no activation has this name; proposes the nearest.
        InvalidArgument: neither a name nor a function.

    >>> get("ReLU") is relu, get("soft relu") is softplus, get(None) is linear
    (True, True, True)
    """
    if identifier is None:
        return linear
    found = resolve("activation", identifier, _BY_NAME)
    if callable(found) and not isinstance(found, type):
        return found
    raise InvalidArgument(
        "activation",
        "a name, a function array -> array, or None",
        repr(identifier),
        'Write activation="relu", or pass a function of one array.',
    )


def name_of(activation: Activation) -> str | None:
    """`"sigmoid"` for the name and for fitwell's or JAX's function; None for a user's own.

    >>> name_of("Sigmoid"), name_of(jax.nn.sigmoid), name_of(lambda x: x), name_of(None)
    ('sigmoid', 'sigmoid', None, None)
    """
    if activation is None:
        return None
    function = get(activation)
    name: str = getattr(function, "__name__", "")
    known = (_BY_NAME.get(name), getattr(jax.nn, name, None))
    return name if function in known else None


__all__ = [
    "celu", "elu", "exponential", "gelu", "gelu_tanh", "get", "glu", "hard_sigmoid",
    "hard_silu", "hard_swish", "leaky_relu", "linear", "log_softmax", "mish", "relu", "relu2",
    "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "squareplus",
    "swish", "tanh", "threshold",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
