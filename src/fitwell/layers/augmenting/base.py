"""What the augmentations share: one image, one draw; nothing in prediction."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp

from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, check_data_format, describe
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, State


class Augmentation(Layer):
    """A layer for images (height, width, channels). Subclasses write `augment`.

    Args:
        data_format: None or "channels_last"; fitwell knows no other.
    """

    data_format: str | None = field(default=None, kw_only=True)

    def validate(self) -> None:
        check_data_format(self)
        check_seed(self, self.seed)  # type: ignore[attr-defined]

    def augment(self, x: Array, key: Key) -> Array:
        """The batch (rows, height, width, channels) in training, each image by its own draw."""
        raise NotImplementedError

    def unchanged(self, x: Array) -> Array:
        """The batch in prediction."""
        return x

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if x.ndim != 4:
            raise ShapeMismatch(
                describe(self),
                "images of shape (height, width, channels)",
                f"shape {x.shape[1:]}",
                "For one channel put Reshape((height, width, 1)) before it.",
            )
        x = x.astype(jnp.result_type(x, 0.0))
        if not train:
            return self.unchanged(x), state
        return self.augment(x, seeded(key, self.seed)), state  # type: ignore[attr-defined]


def span(owner: Layer, name: str, low: float, high: float, *, below: bool = True) -> Any:
    """The two ends of a factor: (f, g) as given, a number f as (-f, f), or (0, f) if not `below`.

    Raises:
        InvalidArgument: no number and no pair of numbers in [low, high] in rising order.
    """
    value = getattr(owner, name)
    pair = value if isinstance(value, tuple) else (value, value)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in pair)
    if len(pair) != 2 or not numbers or not low <= pair[0] <= pair[1] <= high:
        raise InvalidArgument(
            type(owner).__name__,
            f"{name} to be a number in [{low:g}, {high:g}] or a rising pair of them",
            f"{name}={value!r}",
            f"Write {name}={high / 10:g}, or {name}=({max(low, -high) / 10:g}, {high / 10:g}).",
        )
    if isinstance(value, tuple):
        return value
    return (-abs(value), abs(value)) if below else (0.0, abs(value))


def draw(key: Key, x: Array, ends: tuple[float, float]) -> Array:
    """A uniform number between the ends for each image: (rows,)."""
    low, high = ends
    return jax.random.uniform(key, x.shape[:1], x.dtype, low, high)


def per_image(values: Array) -> Array:
    """(rows,) in a shape that broadcasts over images."""
    return values[:, None, None, None]


def check_value_range(owner: Layer) -> tuple[float, float]:
    """The field value_range.

    Raises:
        InvalidArgument: no rising pair of numbers.
    """
    value = owner.value_range  # type: ignore[attr-defined]
    good = isinstance(value, tuple) and len(value) == 2
    if not good or not all(isinstance(v, int | float) for v in value) or value[0] >= value[1]:
        raise InvalidArgument(
            type(owner).__name__,
            "value_range to be a rising pair of numbers",
            f"value_range={value!r}",
            "Write value_range=(0, 1) for images between 0 and 1.",
        )
    return value
