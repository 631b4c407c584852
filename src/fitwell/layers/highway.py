"""A layer that learns how much of its input to let through unchanged."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from fitwell import activations
from fitwell.initializers import Constant
from fitwell.layers.base import Layer, flat_features
from fitwell.types import Array, Key, Params, Shape


class Highway(Layer):
    """t * activation(x @ kernel + bias) + (1 - t) * x, t = sigmoid(x @ gate_kernel + gate_bias).

    (..., n) -> (..., n); the kernels are (n, n), the biases (n,). The gate t starts nearly closed,
    so that deep stacks begin as the identity and gradients reach their first layer.

    Args:
        activation: a name, a function array -> array, or None for none.
        kernel_initializer: "auto" follows the activation; or a name or an initializer.
        bias_initializer: a name or an initializer.
        gate_kernel_initializer: of the gate's kernel.
        gate_bias_initializer: of the gate's bias; -2 opens the gate by 12 % at the start.
        kernel_regularizer: added to the loss, as a function of the kernel.
        gate_kernel_regularizer: added to the loss, as a function of the gate's kernel.

    Raises:
        UnknownName: a name that stands for nothing.

    >>> import jax.numpy as jnp
    >>> layer = Highway(gate_bias_initializer=Constant(-100.0))
    >>> params = layer.init(jax.random.key(0), (3,))
    >>> layer.apply(params, jnp.array([[1.0, -2.0, 3.0]])).tolist()
    [[1.0, -2.0, 3.0]]

    Source: Srivastava, Greff & Schmidhuber 2015, "Highway networks", arXiv:1505.00387.
    """

    activation: activations.Activation = "relu"
    kernel_initializer: Any = "auto"
    bias_initializer: Any = "zeros"
    gate_kernel_initializer: Any = "glorot_uniform"
    gate_bias_initializer: Any = Constant(-2.0)
    kernel_regularizer: Any = None
    gate_kernel_regularizer: Any = None

    init_only: ClassVar[tuple[str, ...]] = (
        "kernel_initializer",
        "bias_initializer",
        "gate_kernel_initializer",
        "gate_bias_initializer",
    )

    def init(self, key: Key, shape: Shape) -> Params:
        n = flat_features(self, shape)
        shapes = {"kernel": (n, n), "bias": (n,), "gate_kernel": (n, n), "gate_bias": (n,)}
        keys = jax.random.split(key, len(shapes))
        pairs = zip(shapes.items(), keys, strict=True)
        return {name: self.initializer(name)(k, size) for (name, size), k in pairs}

    def apply(self, params: Params, x: Array) -> Array:
        gate = jax.nn.sigmoid(x @ params["gate_kernel"] + params["gate_bias"])
        y = activations.get(self.activation)(x @ params["kernel"] + params["bias"])
        return x + gate * (y - x)

    def split_activation(self) -> tuple[Layer | None, Any]:
        return self, None  # the activation is not the last thing that happens


__all__ = ["Highway"]
