"""Augmentations that change the values of pixels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.layers.augmenting.base import Augmentation, check_value_range, draw, per_image, span
from fitwell.types import Array, Key

Factor = float | tuple[float, float]


class RandomBrightness(Augmentation):
    """clip(x + delta * (high - low), low, high) in training, one delta per image.

    Args:
        factor: delta is uniform in [-factor, factor], or between the two given numbers; in
            [-1, 1]. 0 changes nothing, 1 makes every image white.
        value_range: (low, high) of the pixels.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a factor outside [-1, 1], or a value_range that is none.
        ShapeMismatch: an input that is no image.

    >>> layer, x = RandomBrightness((0.5, 0.5), value_range=(0, 1)), jnp.full((1, 1, 1, 1), 0.25)
    >>> layer.forward({}, {}, x, key=jax.random.key(0), train=True)[0].item()
    0.75
    """

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        span(self, "factor", -1, 1)
        check_value_range(self)

    def augment(self, x: Array, key: Key) -> Array:
        low, high = self.value_range
        delta = per_image(draw(key, x, span(self, "factor", -1, 1)))
        return jnp.clip(x + delta * (high - low), low, high)


class RandomContrast(Augmentation):
    """clip((x - mean) * f + mean, low, high) in training; mean of each channel of each image.

    Args:
        factor: f is uniform in [1 - factor, 1 + factor], or in [1 - a, 1 + b] for a pair (a, b);
            a and b in [0, 1].
        value_range: (low, high) of the pixels.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a factor outside [0, 1], or a value_range that is none.
        ShapeMismatch: an input that is no image.

    >>> layer, x = RandomContrast((0, 1)), jnp.array([10.0, 20.0]).reshape(1, 1, 2, 1)
    >>> y, _ = layer.forward({}, {}, x, key=jax.random.key(0), train=True)
    >>> float(y[0, 0, 1, 0] - y[0, 0, 0, 0]) > 10
    True
    """

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        pair = self.factor if isinstance(self.factor, tuple) else (self.factor, self.factor)
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in pair)
        if len(pair) != 2 or not numbers or not all(0 <= v <= 1 for v in pair):
            raise InvalidArgument(
                "RandomContrast",
                "factor to be a number in [0, 1] or a pair of them",
                f"factor={self.factor!r}",
                "Write factor=0.2 for a contrast between 0.8 and 1.2.",
            )
        check_value_range(self)

    def augment(self, x: Array, key: Key) -> Array:
        less, more = self.factor if isinstance(self.factor, tuple) else (self.factor, self.factor)
        factor = per_image(draw(key, x, (1 - less, 1 + more)))
        mean = jnp.mean(x, (1, 2), keepdims=True)
        return jnp.clip((x - mean) * factor + mean, *self.value_range)


class RandomErasing(Augmentation):
    """A rectangle of each image overwritten in training, at a random place (Cutout).

    The rectangle's height is sqrt(s) of the image's, its width sqrt(t) of the image's, with s and t
    drawn from `scale`: `scale=(s, s)` gives Cutout's fixed size of a part s of the area.

    Args:
        factor: how likely an image is hit: the probability is drawn from [0, factor], or between
            the two given numbers, so that `factor=1.0` hits half of them, `(1, 1)` all.
        scale: (smallest, largest) part of the area, in [0, 1]; a number s stands for (0, s).
        fill_value: a number, one per channel, or None for noise N(0, 1) * high.
        value_range: (low, high) of the pixels; what is filled in is clipped to it.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: factor or scale outside [0, 1], a fill_value or value_range that is none.
        ShapeMismatch: an input that is no image.

    >>> layer, x = RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0.0), jnp.ones((1, 8, 8, 1))
    >>> float(layer.forward({}, {}, x, key=jax.random.key(0), train=True)[0].sum())
    48.0

    Source: DeVries & Taylor 2017, "Cutout", arXiv:1708.04552; Zhong et al. 2020, "Random erasing
    data augmentation", arXiv:1708.04896.
    """

    factor: Factor = 1.0
    scale: Factor = (0.02, 0.33)
    fill_value: Any = None
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None

    def validate(self) -> None:
        super().validate()
        span(self, "factor", 0, 1, below=False)
        span(self, "scale", 0, 1, below=False)
        check_value_range(self)
        fill = self.fill_value
        values = fill if isinstance(fill, tuple) else (0.0 if fill is None else fill,)
        if not values or not all(isinstance(v, int | float) and np.isfinite(v) for v in values):
            raise InvalidArgument(
                "RandomErasing",
                "fill_value to be a number, one per channel, or None",
                f"fill_value={fill!r}",
                "Write fill_value=0.0, or leave it out for noise.",
            )

    def augment(self, x: Array, key: Key) -> Array:
        keys = jax.random.split(key, 7)
        hidden = jnp.ones_like(x[..., :1], dtype=bool)
        ends = span(self, "scale", 0, 1, below=False)
        for i, axis in enumerate((1, 2)):
            size = x.shape[axis]
            length = jnp.sqrt(draw(keys[i], x, ends)) * size
            start = draw(keys[2 + i], x, (0, 1)) * (size - length)
            places = jnp.arange(size).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
            hidden &= (places >= per_image(start)) & (places < per_image(start + length))
        chance = draw(keys[4], x, span(self, "factor", 0, 1, below=False))
        hidden &= per_image(draw(keys[5], x, (0, 1)) < chance)
        return jnp.where(hidden, self._filling(x, keys[6]), x)

    def _filling(self, x: Array, key: Key) -> Array:
        if self.fill_value is None:
            values = jax.random.normal(key, x.shape, x.dtype) * self.value_range[1]
        else:
            values = jnp.asarray(self.fill_value, x.dtype)
        return jnp.clip(values, *self.value_range)


__all__ = ["RandomBrightness", "RandomContrast", "RandomErasing"]
