"""What layers with spatial axes check and share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.ops.geometry import Window
from fitwell.types import Shape

AXES = {
    1: "(steps, channels)",
    2: "(rows, columns, channels)",
    3: "(depth, rows, columns, channels)",
}


class Spatial(Layer):
    """A layer over `rank` axes and channels."""

    rank: ClassVar[int]

    def sizes(self, name: str) -> tuple[int, ...]:
        """A field's value for each axis: 3 stands for (3, 3)."""
        value: Any = getattr(self, name)
        return value if isinstance(value, tuple) else (value,) * self.rank

    def check_sizes(self, *names: str, low: int = 1) -> None:
        """Each is a whole number >= low, or a tuple of one per axis."""
        for name in names:
            value: Any = getattr(self, name)
            each = self.sizes(name)
            if len(each) != self.rank or any(type(n) is not int or n < low for n in each):
                many = f", or {self.rank} of them" if self.rank > 1 else ""
                raise InvalidArgument(
                    type(self).__name__,
                    f"{name} to be a whole number >= {low}{many}",
                    f"{name}={value!r}",
                    f"Write {name}={low + 1}"
                    + (f" or {name}={(low + 1,) * self.rank}." if many else "."),
                )

    def check_bias(self) -> None:
        for name in ("bias_regularizer", "bias_constraint"):
            if not getattr(self, "use_bias", True) and getattr(self, name) is not None:
                raise InvalidArgument(
                    type(self).__name__,
                    f"use_bias=True where {name} is given",
                    f"use_bias=False, {name}={getattr(self, name)!r}",
                    "Leave one of them out.",
                )

    def check_rank(self, shape: Shape) -> None:
        """Raises ShapeMismatch unless an example has the axes of this layer."""
        if len(shape) == self.rank + 1:
            return
        if len(shape) == self.rank:
            cure = f"If the channel axis is missing, put Reshape({(*shape, 1)}) before it."
        elif len(shape) > 1:
            cure = f"Put Reshape before it, or use a layer for inputs with {len(shape)} axes."
        else:
            cure = f"Put Reshape({AXES[self.rank]}) before it."
        raise ShapeMismatch(
            describe(self), f"an input of shape {AXES[self.rank]}", f"shape {shape}", cure
        )

    def check_fits(self, shape: Shape, windows: Sequence[Window], what: str) -> None:
        """Raises ShapeMismatch where a window is larger than the padded input."""
        for axis, window in enumerate(windows):
            if window.positions < 1:
                dilated = f" (dilated: {window.extent})" if window.dilation > 1 else ""
                raise ShapeMismatch(
                    describe(self),
                    f"an input at least as large as {what}, {window.kernel}{dilated} "
                    f"along axis {axis + 1}",
                    f"{window.size} in shape {shape}",
                    f'Make {what} smaller, write padding="same", or shrink the input less before.',
                )


def check_divides(owner: Layer, groups: int, channels: int, shape: Shape) -> None:
    if channels % groups:
        raise ShapeMismatch(
            describe(owner),
            f"a number of channels that groups={groups} divides",
            f"{channels} in shape {shape}",
            "Choose groups among the divisors of the channels.",
        )
