"""Activations as layers of their own: those without parameters, with numbers, and with weights."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell import activations
from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape


class Activation(Layer):
    """activation(x): the shape of x, for functions that act on each number.

    Args:
        activation: a name, or a function array -> array.

    >>> Activation("relu").apply({}, jnp.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    activation: activations.Activation

    def apply(self, params: Params, x: Array) -> Array:
        result: Array = activations.get(self.activation)(x)
        return result

    def split_activation(self) -> tuple[Layer | None, Any]:
        return None, self.activation


class ReLU(Layer):
    """min(x, max_value) where x > threshold, negative_slope * (x - threshold) elsewhere.

    With the defaults: max(x, 0), the gradient 0 at 0.

    Args:
        max_value: the largest output, >= 0; None sets no limit.
        negative_slope: slope below the threshold, >= 0.
        threshold: >= 0.

    >>> ReLU(max_value=6.0).apply({}, jnp.array([[-1.0, 2.0, 9.0]])).tolist()
    [[0.0, 2.0, 6.0]]
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def validate(self) -> None:
        if self.max_value is not None:
            check_number(self, "max_value", 0)
        check_number(self, "negative_slope", 0)
        check_number(self, "threshold", 0)

    def apply(self, params: Params, x: Array) -> Array:
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """x where x > 0, negative_slope * x elsewhere.

    Args:
        negative_slope: >= 0. Keras 3 says 0.3 here and 0.2 for the function `leaky_relu`.

    >>> LeakyReLU(0.5).apply({}, jnp.array([[-2.0, 2.0]])).tolist()
    [[-1.0, 2.0]]

    Source: Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic
    models".
    """

    negative_slope: float = 0.3

    def validate(self) -> None:
        check_number(self, "negative_slope", 0)

    def apply(self, params: Params, x: Array) -> Array:
        return activations.leaky_relu(x, self.negative_slope)


class PReLU(Layer):
    """x where x > 0, alpha * x elsewhere, with alpha learned: one per number of an example.

    Args:
        alpha_initializer: a name or an initializer.
        alpha_regularizer: added to the loss, as a function of alpha.
        alpha_constraint: applied to alpha after every step.
        shared_axes: axes along which alpha is the same, counted with the batch axis as 0, so
            that `shared_axes=(1, 2)` gives one alpha per channel of an image.

    Raises:
        InvalidArgument: shared_axes holds something other than whole numbers >= 1.
        ShapeMismatch: an axis of shared_axes that the input does not have.

    >>> import jax
    >>> params = PReLU(shared_axes=(1, 2)).init(jax.random.key(0), (28, 28, 3))
    >>> params["alpha"].shape
    (1, 1, 3)

    Source: He et al. 2015, arXiv:1502.01852.
    """

    alpha_initializer: Any = "zeros"
    alpha_regularizer: Any = None
    alpha_constraint: Any = None
    shared_axes: tuple[int, ...] | int | None = None

    init_only: ClassVar[tuple[str, ...]] = ("alpha_initializer", "shared_axes")

    def validate(self) -> None:
        if any(isinstance(a, bool) or not isinstance(a, int) or a < 1 for a in self._shared()):
            raise InvalidArgument(
                "PReLU",
                "shared_axes to be whole numbers >= 1",
                f"shared_axes={self.shared_axes!r}",
                "Axis 0 is the batch; the first axis of an example is 1.",
            )

    def _shared(self) -> tuple[int, ...]:
        axes = self.shared_axes
        return axes if isinstance(axes, tuple) else () if axes is None else (axes,)

    def init(self, key: Key, shape: Shape) -> Params:
        if any(axis > len(shape) for axis in self._shared()):
            raise ShapeMismatch(
                describe(self),
                f"an input with the axes {self._shared()} besides the batch axis",
                f"shape {shape}",
                f"Choose shared_axes from 1 to {len(shape)}.",
            )
        alpha = tuple(1 if i in self._shared() else n for i, n in enumerate(shape, start=1))
        return {"alpha": self.initializer("alpha")(key, alpha)}

    def apply(self, params: Params, x: Array) -> Array:
        return jnp.where(x > 0, x, params["alpha"] * x)


class ELU(Layer):
    """x where x > 0, alpha * (exp(x) - 1) elsewhere.

    Args:
        alpha: minus the value far to the left, >= 0.

    >>> ELU().apply({}, jnp.array([[-50.0, 2.0]])).tolist()
    [[-1.0, 2.0]]

    Source: Clevert, Unterthiner & Hochreiter 2016, arXiv:1511.07289.
    """

    alpha: float = 1.0

    def validate(self) -> None:
        check_number(self, "alpha", 0)

    def apply(self, params: Params, x: Array) -> Array:
        return activations.elu(x, self.alpha)


class Softmax(Layer):
    """exp(x_i) / sum_j exp(x_j): the shape of x, sums of 1 along the axis.

    Args:
        axis: counted with the batch axis as 0, or from the end.

    Raises:
        InvalidArgument: axis is 0 (it would mix examples) or no whole number.
        ShapeMismatch: an axis that the input does not have.

    >>> Softmax().apply({}, jnp.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    axis: int = -1

    def validate(self) -> None:
        if isinstance(self.axis, bool) or not isinstance(self.axis, int) or self.axis == 0:
            raise InvalidArgument(
                "Softmax",
                "axis to be a whole number other than 0",
                f"axis={self.axis!r}",
                "Axis 0 is the batch; the last axis is -1.",
            )

    def apply(self, params: Params, x: Array) -> Array:
        if not -x.ndim < self.axis < x.ndim:
            raise ShapeMismatch(
                describe(self),
                f"an input with the axis {self.axis}",
                f"shape {x.shape[1:]}",
                f"Choose axis from 1 to {x.ndim - 1}, or -1.",
            )
        return activations.softmax(x, self.axis)

    def split_activation(self) -> tuple[Layer | None, Any]:
        # The losses read logits from the last axis; over another axis it stays a layer.
        return (None, "softmax") if self.axis == -1 else (self, None)


__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]
