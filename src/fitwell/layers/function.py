"""A user's function as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Params, Shape


class Lambda(Layer):
    """function(x, **arguments): a function of arrays without weights as a layer.

    It trains, but a model with it cannot be saved, since a file holds no code. A layer of your
    own (a class with `apply`) takes six lines and can be saved.

    Args:
        function: array -> array with the batch axis in front, of `jax.numpy` operations.
        output_shape: one example's output shape, checked if given; None takes what comes out.
        arguments: named arguments of the function: numbers, names and tuples of them.

    Raises:
        InvalidArgument: function cannot be called, or output_shape is no shape.
        ShapeMismatch: the function returns another shape than output_shape.

    >>> import jax.numpy as jnp
    >>> Lambda(lambda x: x**2).apply({}, jnp.array([[3.0]])).tolist()
    [[9.0]]
    """

    function: Callable[..., Any]
    output_shape: Shape | None = None
    arguments: Mapping[str, Any] | tuple[tuple[str, Any], ...] | None = None

    saveable: ClassVar[bool] = False

    def validate(self) -> None:
        if not callable(self.function):
            raise InvalidArgument(
                "Lambda",
                "a function array -> array",
                f"function={self.function!r}",
                "Write Lambda(lambda x: x**2).",
            )
        shape = self.output_shape
        if shape is not None and not (
            isinstance(shape, tuple) and all(type(n) is int and n >= 1 for n in shape)
        ):
            raise InvalidArgument(
                "Lambda",
                "output_shape to be a tuple of whole numbers >= 1, without the batch axis, or None",
                f"output_shape={shape!r}",
                "Leave it out: it is found by running the function on shapes.",
            )

    def apply(self, params: Params, x: Array) -> Any:
        y = self.function(x, **dict(self.arguments or ()))
        if self.output_shape is not None and y.shape[1:] != self.output_shape:
            raise ShapeMismatch(
                describe(self),
                f"the function to return output_shape={self.output_shape}",
                f"shape {y.shape[1:]}",
                "Correct output_shape or leave it out.",
            )
        return y


__all__ = ["Lambda"]
