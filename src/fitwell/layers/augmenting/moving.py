"""Augmentations that move pixels to other places and change no value."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from fitwell.description import check_choice, check_positive_int
from fitwell.errors import ShapeMismatch
from fitwell.layers.augmenting.base import Augmentation, per_image
from fitwell.layers.base import describe
from fitwell.types import Array, Key

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(Augmentation):
    """Each image mirrored with probability 1/2, in each direction of `mode`, in training.

    Args:
        mode: "horizontal" (left and right change places), "vertical" or
            "horizontal_and_vertical": both, each by its own draw.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: another mode.
        ShapeMismatch: an input that is no image.

    >>> x = jnp.arange(3.0).reshape(1, 1, 3, 1) * jnp.ones((99, 1, 1, 1))
    >>> y, _ = RandomFlip("horizontal").forward({}, {}, x, key=jax.random.key(0), train=True)
    >>> sorted({tuple(row) for row in y[:, 0, :, 0].tolist()})
    [(0.0, 1.0, 2.0), (2.0, 1.0, 0.0)]
    """

    mode: str = "horizontal_and_vertical"
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        check_choice(self, "mode", _MODES)

    def augment(self, x: Array, key: Key) -> Array:
        flips = jax.random.bernoulli(key, 0.5, (2, x.shape[0]))
        for axis, direction, flip in ((1, "vertical", flips[0]), (2, "horizontal", flips[1])):
            if direction in self.mode:
                x = jnp.where(per_image(flip), jnp.flip(x, axis), x)
        return x


class RandomCrop(Augmentation):
    """A window of (height, width) at a random place of each image in training, else the middle.

    (H, W, channels) -> (height, width, channels). Images smaller than the window are an error
    (Keras stretches them).

    Args:
        height: of the window, in pixels, >= 1.
        width: of the window, in pixels, >= 1.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a size that is no whole number >= 1.
        ShapeMismatch: an input that is no image, or one smaller than the window.

    >>> x = jnp.arange(5.0).reshape(1, 1, 5, 1)
    >>> y, _ = RandomCrop(1, 3).forward({}, {}, x, key=jax.random.key(0), train=False)
    >>> y[0, 0, :, 0].tolist()
    [1.0, 2.0, 3.0]
    """

    height: int
    width: int
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        check_positive_int(self, "height", "width")

    def augment(self, x: Array, key: Key) -> Array:
        down, right = self._room(x)
        limits = jnp.array([[down + 1], [right + 1]])
        corners = jax.random.randint(key, (2, x.shape[0]), 0, limits)
        size = (self.height, self.width, x.shape[3])

        def window(image: Array, top: Array, left: Array) -> Array:
            return lax.dynamic_slice(image, (top, left, 0), size)

        return jax.vmap(window)(x, corners[0], corners[1])

    def unchanged(self, x: Array) -> Array:
        down, right = self._room(x)
        top, left = down // 2, right // 2
        return x[:, top : top + self.height, left : left + self.width]

    def _room(self, x: Array) -> tuple[int, int]:
        """How far the window can move."""
        down, right = x.shape[1] - self.height, x.shape[2] - self.width
        if down < 0 or right < 0:
            raise ShapeMismatch(
                describe(self),
                f"images of at least {self.height} x {self.width} pixels",
                f"shape {x.shape[1:]}",
                "Put ZeroPadding2D before it, or crop less.",
            )
        return down, right


__all__ = ["RandomCrop", "RandomFlip"]
