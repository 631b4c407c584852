"""The start of a graph: what an example looks like."""

from __future__ import annotations

from typing import Any

from fitwell.arguments import named
from fitwell.description import check_choice
from fitwell.errors import InvalidArgument
from fitwell.layers.base import Call, Layer, Symbol
from fitwell.types import HOST_DTYPES, Params, Shape


class InputLayer(Layer):
    """The start of a graph: layer 0. Made by `Input`."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    def validate(self) -> None:
        numbers = ("float32", "int32", "bfloat16", "float16", "uint8", "bool")
        check_choice(self, "dtype", (*numbers, *HOST_DTYPES))

    def apply(self, params: Params, x: Any) -> Any:
        return x


@named
def Input(  # noqa: N802 - Keras' name
    shape: tuple[int, ...] | list[int] | None = None,
    batch_size: int | None = None,
    dtype: str = "float32",
    *,
    batch_shape: tuple[int | None, ...] | list[int | None] | None = None,
    name: str | None = None,
) -> Symbol:
    """A symbolic input: the start of a graph, or the first entry of a Sequential.

    Args:
        shape: one example's, without the batch axis: `(4,)`, `(28, 28, 1)`; `()` for scalars.
        batch_size: accepted for Keras' sake; every batch size works.
        dtype: what the data are converted to: `"float32"` or `"int32"`; `"string"` for text that
            StringLookup or TextVectorization reads, `"int64"` for ids that IntegerLookup reads.
        batch_shape: in place of shape, with the batch axis in front: `(None, 4)`.
        name: of the layer and of its entry in a dict of inputs.

    >>> Input(shape=(4,)).shape
    (None, 4)
    """
    found = _example_shape(shape, batch_shape)
    return Symbol(Call(InputLayer(found, dtype, name=name), (), False), None, found, dtype)


def _example_shape(shape: Any, batch_shape: Any) -> Shape:
    """The shape of one example, from either argument of Input.

    Raises:
        InvalidArgument: neither is given, both are, or it is no shape.
    """
    received = f"shape={shape!r}"
    if batch_shape is not None:
        received = f"batch_shape={batch_shape!r}" + (f", {received}" if shape is not None else "")
        front = isinstance(batch_shape, list | tuple) and len(batch_shape) > 0 and shape is None
        shape = tuple(batch_shape[1:]) if front else None
    found = (shape,) if isinstance(shape, int) else shape
    if isinstance(found, list | tuple) and all(type(n) is int and n >= 1 for n in found):
        return tuple(found)
    several = isinstance(found, list | tuple) and None in found
    raise InvalidArgument(
        "Input",
        "shape=(n, ...) with whole numbers >= 1, without the batch axis",
        received,
        "Pad sequences to one length and write that; later steps can be masked."
        if several
        else "For 4 numbers per example write Input(shape=(4,)).",
    )


__all__ = ["Input", "InputLayer"]
