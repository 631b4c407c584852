"""A layer at every step of a sequence."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import jax

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.layers.recurrent.wrapping import check_inner
from fitwell.types import Array, Key, Params, Shape, State


class TimeDistributed(Layer):
    """y_t = layer(x_t) with the same weights at each step: (time, ...) -> (time, ...).

    Args:
        layer: a layer with one input.

    Raises:
        InvalidArgument: no layer, or one with several inputs.
        ShapeMismatch: an input without a time axis, or steps that the layer does not take.

    >>> from fitwell.layers import Flatten, Input
    >>> TimeDistributed(Flatten())(Input((10, 4, 4))).shape
    (None, 10, 16)
    """

    layer: Any

    uses_mask: ClassVar[bool] = True
    uses_rows: ClassVar[bool] = True

    def validate(self) -> None:
        if not isinstance(self.layer, Layer) or self.layer.several_inputs:
            cure = "Write TimeDistributed(Dense(8)); for a model, wrap each of its layers."
            expected = "layer to be a layer with one input"
            raise InvalidArgument("TimeDistributed", expected, f"layer={self.layer!r}", cure)
        check_inner(self, self.layer)

    def inner(self) -> dict[str, Layer]:
        return {"layer": self.layer}

    def program(self) -> Layer:
        return dataclasses.replace(self, layer=self.layer.program())

    def initializer_names(self) -> dict[str, str]:
        names: dict[str, str] = self.layer.initializer_names()
        return names

    def split_activation(self) -> tuple[Layer | None, Any]:
        """That of the layer inside: it acts along the last axis, of every step alike."""
        bare, activation = self.layer.split_activation()
        if activation is None or bare is None:
            return self, None
        return dataclasses.replace(self, layer=bare), activation

    def _step_shape(self, shape: Shape) -> Shape:
        if not shape:
            raise ShapeMismatch(
                describe(self),
                "a sequence per example, shape (time, ...)",
                f"shape {shape}",
                "Put Reshape before it, or use the layer alone.",
            )
        return shape[1:]

    def init(self, key: Key, shape: Shape) -> Params:
        fresh = self.layer.init(key, self._step_shape(shape))
        return {"layer": fresh} if fresh else {}

    def init_state(self, shape: Shape) -> State:
        fresh = self.layer.init_state(self._step_shape(shape))
        return {"layer": fresh} if fresh else {}

    def forward(
        self,
        params: Params,
        state: State,
        x: Array,
        *,
        key: Key,
        train: bool,
        mask: Array | None = None,
        rows: Array | None = None,
    ) -> tuple[Any, State]:
        self._step_shape(x.shape[1:])
        batch, time = x.shape[:2]
        more = {}
        if self.layer.uses_rows:  # each real step is a row
            real = None if rows is None else rows[:, None].repeat(time, 1)
            if mask is not None:
                real = mask.astype(x.dtype) if real is None else real * mask
            more = {"rows": None if real is None else real.reshape(-1)}
        y, new = self.layer.forward(
            params.get("layer", {}),
            state.get("layer", {}),
            x.reshape(batch * time, *x.shape[2:]),
            key=key,
            train=train,
            **more,
        )
        y = jax.tree.map(lambda a: a.reshape(batch, time, *a.shape[1:]), y)
        return y, {"layer": new} if new else {}


__all__ = ["TimeDistributed"]
