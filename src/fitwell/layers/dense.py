"""The fully connected layer."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from fitwell import activations
from fitwell.description import check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.layers.base import Layer, flat_features
from fitwell.types import Array, Key, Params, Shape


class Dense(Layer):
    """activation(x @ kernel + bias): (..., in) -> (..., units), on the last axis of any rank.

    The kernel is (in, units), the bias (units,). Unless told otherwise the kernel starts as suits
    the activation: He for the ReLU family, LeCun for selu, Glorot for the rest.

    Args:
        units: number of outputs, >= 1.
        activation: a name, a function array -> array, or None for none.
        use_bias: False leaves the bias out.
        kernel_initializer: "auto" follows the activation; or a name or an initializer.
        bias_initializer: a name or an initializer.
        kernel_regularizer: added to the loss, as a function of the kernel; bias_regularizer alike.
        activity_regularizer: added to the loss, as a function of the output.
        kernel_constraint: applied to the kernel after every step; bias_constraint alike.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a rule for a bias that is not used.
        UnknownName: a name that stands for nothing.

    >>> layer = Dense(3, activation="relu")
    >>> params = layer.init(jax.random.key(0), (4,))
    >>> {name: weight.shape for name, weight in params.items()}
    {'kernel': (4, 3), 'bias': (3,)}
    >>> layer.initializer_names()["kernel"]
    'HeNormal'

    Source: Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0.
    """

    units: int
    activation: activations.Activation = None
    use_bias: bool = True
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "units")
        for name in ("bias_regularizer", "bias_constraint"):
            if not self.use_bias and getattr(self, name) is not None:
                raise InvalidArgument(
                    "Dense",
                    f"use_bias=True where {name} is given",
                    f"use_bias=False, {name}={getattr(self, name)!r}",
                    "Leave one of them out.",
                )

    def init(self, key: Key, shape: Shape) -> Params:
        kernel_key, bias_key = jax.random.split(key)
        kernel_shape = (flat_features(self, shape), self.units)
        params = {"kernel": self.initializer("kernel")(kernel_key, kernel_shape)}
        if self.use_bias:
            params["bias"] = self.initializer("bias")(bias_key, (self.units,))
        return params

    def apply(self, params: Params, x: Array) -> Array:
        # A product of two matrices: inside a loop XLA's CPU code is slow at any other.
        y = x.reshape(-1, x.shape[-1]) @ params["kernel"]
        if self.use_bias:
            y = y + params["bias"]
        y = y.reshape(*x.shape[:-1], self.units)
        result: Array = activations.get(self.activation)(y)
        return result

    def transposed(self, params: Params, y: Array) -> Array:
        x = y.reshape(-1, y.shape[-1]) @ params["kernel"].T
        return x.reshape(*y.shape[:-1], x.shape[-1])


__all__ = ["Dense"]
