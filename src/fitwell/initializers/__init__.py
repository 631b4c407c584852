"""Initializers: (key, shape, dtype) -> the first values of a weight.

Kernels have the shape (..., in, out). Names, arguments and defaults are Keras'. `get` turns a name
into an initializer, and `for_activation` chooses the default of a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from fitwell.errors import InvalidArgument, ShapeMismatch, missing_attribute
from fitwell.initializers.base import Initializer, fans
from fitwell.initializers.constant import Constant, Identity, Ones, Zeros
from fitwell.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from fitwell.names import resolve, simple_name
from fitwell.types import Array, Key, Shape

# Keras' second names, so that `initializers.he_normal(seed=1)` works as it does there.
XavierNormal = glorot_normal = GlorotNormal
XavierUniform = glorot_uniform = GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
zeros, ones, constant = Zeros, Ones, Constant
identity, orthogonal = Identity, Orthogonal
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling

_BY_NAME: dict[str, type[Initializer]] = {
    initializer.__name__: initializer
    for initializer in (
        Zeros, Ones, Constant, Identity, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal,
        VarianceScaling, HeNormal, HeUniform, GlorotNormal, GlorotUniform, LecunNormal,
        LecunUniform,
    )
}  # fmt: skip
_BY_NAME |= {
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "xavier_normal": GlorotNormal,
    "xavier_uniform": GlorotUniform,
    "kaiming_normal": HeNormal,
    "kaiming_uniform": HeUniform,
}


class _FromFunction(Initializer):
    """A user's function (key, shape) -> array; `get` wraps it."""

    function: Callable[..., Any]

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        values = jnp.asarray(self.function(key, shape), dtype)
        if values.shape != tuple(shape):
            raise ShapeMismatch(
                f"initializer {getattr(self.function, '__name__', repr(self.function))}",
                f"to return the weight's shape {tuple(shape)}",
                f"shape {values.shape}",
                "Use the second argument of the function as the shape.",
            )
        return values


def get(identifier: Any) -> Initializer:
    """The initializer that a name, a class or a function stands for; instances are returned.

    Args:
        identifier: `"he_normal"` or `"HeNormal"`, an initializer, or a function (key, shape) ->
            array, such as those of `jax.nn.initializers`.

    Raises:
        UnknownName: no initializer has this name; proposes the nearest.
        InvalidArgument: none of these.

    >>> get("xavier_uniform"), get(RandomNormal(stddev=0.01))
    (GlorotUniform(), RandomNormal(stddev=0.01))
    """
    found = resolve("initializer", identifier, _BY_NAME)
    if isinstance(found, type) and issubclass(found, Initializer):
        return found()
    if isinstance(found, Initializer):
        return found
    if callable(found) and not isinstance(found, type):
        return _FromFunction(found)
    raise InvalidArgument(
        "initializer",
        "a name, an initializer, or a function (key, shape) -> array",
        repr(identifier),
        'Write kernel_initializer="he_normal", or Constant(value) for a number.',
    )


# The ReLU family: what is about x for positive x and about 0, or damped, for negative x. Half of
# the variance is lost there, and He's factor 2 makes up for it.
_RELU_FAMILY = frozenset({
    "relu", "relu6", "leakyrelu", "prelu", "relu2", "2ndrelu", "elu", "celu", "gelu", "gelutanh",
    "silu", "swish", "hardsilu", "hardswish", "mish", "softplus", "softrelu", "squareplus",
    "threshold",
})  # fmt: skip


def for_activation(activation: str | Callable[..., Any] | None) -> Initializer:
    """The default kernel initializer of a layer with this activation.

    HeNormal for the ReLU family (relu, relu6, leaky_relu, prelu, relu2, elu, celu, gelu, silu,
    hard_silu, mish, softplus, squareplus, threshold), LecunNormal for selu, GlorotUniform
    otherwise: saturating, linear and unknown functions.

    Args:
        activation: a name, or a function, known by its `__name__`.

    >>> for_activation("relu"), for_activation("selu"), for_activation(None)
    (HeNormal(), LecunNormal(), GlorotUniform())
    """
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", "")
    name = simple_name(name)
    if name == "selu":
        return LecunNormal()
    return HeNormal() if name in _RELU_FAMILY else GlorotUniform()


__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "XavierNormal", "XavierUniform",
    "Zeros", "constant", "fans", "for_activation", "get", "glorot_normal", "glorot_uniform",
    "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal",
    "random_normal", "random_uniform", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
