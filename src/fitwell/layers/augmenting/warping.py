"""Augmentations that read each pixel from another, mostly fractional, place of the image."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates

from fitwell.description import check_choice, check_number
from fitwell.errors import InvalidArgument
from fitwell.layers.augmenting.base import Augmentation, draw, span
from fitwell.types import Array, Key

Factor = float | tuple[float, float]

_ORDER = {"nearest": 0, "bilinear": 1}
_MODES = ("constant", "nearest", "reflect", "wrap")


class _Warp(Augmentation):
    """An augmentation by coordinates. Subclasses have the fields below and write `coordinates`."""

    def validate(self) -> None:
        super().validate()
        check_choice(self, "fill_mode", _MODES)
        check_choice(self, "interpolation", tuple(_ORDER))
        check_number(self, "fill_value", open_low=True, open_high=True)

    def coordinates(self, x: Array, down: Array, right: Array, key: Key) -> tuple[Any, Any]:
        """Where to read, in pixels from the middle, for the place (down, right) from the middle.

        `down` and `right` broadcast to (rows, height, width), and so do the results.
        """
        raise NotImplementedError

    def augment(self, x: Array, key: Key) -> Array:
        rows, height, width, _ = x.shape
        middle = ((height - 1) / 2, (width - 1) / 2)
        down = (jnp.arange(height, dtype=x.dtype) - middle[0])[None, :, None]
        right = (jnp.arange(width, dtype=x.dtype) - middle[1])[None, None, :]
        found = self.coordinates(x, down, right, key)
        y, z = (
            jnp.broadcast_to(c + m, (rows, height, width))
            for c, m in zip(found, middle, strict=True)
        )
        read = functools.partial(
            map_coordinates,
            order=_ORDER[self.interpolation],  # type: ignore[attr-defined]
            mode=self.fill_mode,  # type: ignore[attr-defined]
            cval=self.fill_value,  # type: ignore[attr-defined]
        )
        channels = jax.vmap(lambda c, y, z: read(c, [y, z]), in_axes=(2, None, None), out_axes=2)
        return jax.vmap(channels)(x, y, z)


class RandomRotation(_Warp):
    """Each image turned about its middle by a random angle in training.

    Args:
        factor: the angle is uniform in [-factor, factor] * 2 pi, or between the two given numbers
            times 2 pi; in [-1, 1]. Positive is counter-clockwise.
        fill_mode: what lies outside the image: "reflect" (d c b a | a b c d | d c b a), "constant"
            (fill_value), "wrap" (a b c d | a b c d | a b c d) or "nearest" (a a a a | a b c d | d).
        interpolation: "bilinear" or "nearest".
        seed: a whole number mixed into the layer's random key.
        fill_value: for fill_mode "constant".

    Raises:
        InvalidArgument: a factor outside [-1, 1], an unknown fill_mode or interpolation.
        ShapeMismatch: an input that is no image.

    >>> layer, x = RandomRotation((0.25, 0.25)), jnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> y, _ = layer.forward({}, {}, x.reshape(1, 2, 2, 1), key=jax.random.key(0), train=True)
    >>> y[0, :, :, 0].round().tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """

    factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0

    def validate(self) -> None:
        super().validate()
        span(self, "factor", -1, 1)

    def coordinates(self, x: Array, down: Array, right: Array, key: Key) -> tuple[Any, Any]:
        angle = 2 * math.pi * draw(key, x, span(self, "factor", -1, 1))[:, None, None]
        sine, cosine = jnp.sin(angle), jnp.cos(angle)
        return sine * right + cosine * down, cosine * right - sine * down


class RandomTranslation(_Warp):
    """Each image shifted by a random part of its height and of its width in training.

    Args:
        height_factor: the shift down is uniform in [-f, f] * height, or between the two given
            numbers times the height; in [-1, 1].
        width_factor: likewise to the right.
        fill_mode, interpolation, seed, fill_value: as in RandomRotation.

    Raises:
        InvalidArgument: a factor outside [-1, 1], an unknown fill_mode or interpolation.
        ShapeMismatch: an input that is no image.

    >>> layer = RandomTranslation(0, (0.25, 0.25), fill_mode="wrap")
    >>> x = jnp.arange(4.0).reshape(1, 1, 4, 1)
    >>> layer.forward({}, {}, x, key=jax.random.key(0), train=True)[0][0, 0, :, 0].tolist()
    [3.0, 0.0, 1.0, 2.0]
    """

    height_factor: Factor
    width_factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0

    def validate(self) -> None:
        super().validate()
        span(self, "height_factor", -1, 1)
        span(self, "width_factor", -1, 1)

    def coordinates(self, x: Array, down: Array, right: Array, key: Key) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        by_height = draw(keys[0], x, span(self, "height_factor", -1, 1)) * x.shape[1]
        by_width = draw(keys[1], x, span(self, "width_factor", -1, 1)) * x.shape[2]
        return down - by_height[:, None, None], right - by_width[:, None, None]


class RandomZoom(_Warp):
    """Each image seen from nearer or farther in training: x at place p is read at (1 + f) p.

    Args:
        height_factor: f is uniform in [-factor, factor], factor < 1, or between the two given
            numbers, above -1 and up to 1. Negative zooms in.
        width_factor: likewise for the width; None takes the height's, which keeps the proportions.
        fill_mode, interpolation, seed, fill_value: as in RandomRotation.

    Raises:
        InvalidArgument: a factor outside (-1, 1], an unknown fill_mode or interpolation.
        ShapeMismatch: an input that is no image.

    >>> layer, x = RandomZoom(0, (-0.5, -0.5)), jnp.arange(5.0).reshape(1, 1, 5, 1)
    >>> layer.forward({}, {}, x, key=jax.random.key(0), train=True)[0][0, 0, :, 0].tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """

    height_factor: Factor
    width_factor: Factor | None = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0

    def validate(self) -> None:
        super().validate()
        for name in ("height_factor", "width_factor"):
            if getattr(self, name) is not None and span(self, name, -1, 1)[0] == -1:
                raise InvalidArgument(
                    "RandomZoom",
                    f"{name} with a lower end above -1, where the image becomes one pixel",
                    f"{name}={getattr(self, name)!r}",
                    f"Write {name}=0.2.",
                )

    def coordinates(self, x: Array, down: Array, right: Array, key: Key) -> tuple[Any, Any]:
        keys = jax.random.split(key)
        tall = 1 + draw(keys[0], x, span(self, "height_factor", -1, 1))[:, None, None]
        if self.width_factor is None:
            return tall * down, tall * right
        wide = 1 + draw(keys[1], x, span(self, "width_factor", -1, 1))[:, None, None]
        return tall * down, wide * right


__all__ = ["RandomRotation", "RandomTranslation", "RandomZoom"]
