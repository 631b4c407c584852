"""What layers around another layer ask of it."""

from __future__ import annotations

from fitwell.errors import InvalidArgument
from fitwell.layers.base import Layer


def check_inner(owner: Layer, layer: Layer) -> None:
    """Raises InvalidArgument for settings of an inner layer that only the outer one can have."""
    if not layer.trainable:
        raise InvalidArgument(
            type(owner).__name__,
            "trainable=False on itself",
            f"{type(layer).__name__}(trainable=False) inside",
            f"Write {type(owner).__name__}(..., trainable=False).",
        )
    if getattr(layer, "activity_regularizer", None) is not None:
        raise InvalidArgument(
            type(owner).__name__,
            "a layer inside without activity_regularizer",
            f"activity_regularizer={layer.activity_regularizer!r}",  # type: ignore[attr-defined]
            "Put ActivityRegularization(l1=..., l2=...) behind it.",
        )


__all__ = ["check_inner"]
