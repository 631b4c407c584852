"""Layers that add randomness in training and none in prediction."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_number, is_zero
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, check_data_format, describe
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, Shape, State

NoiseShape = tuple[int | None, ...] | None

_BATCH = ((None,), (1,))
# What selu tends to for very negative inputs: -scale * alpha (Klambauer et al. 2017).
_SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


class Dropout(Layer):
    """x * mask / (1 - rate) in training, x in prediction; mask is 1 with probability 1 - rate.

    The division keeps the mean, so nothing is left to do in prediction ("inverted" dropout).

    Args:
        rate: the part of the numbers that is set to 0, in [0, 1).
        noise_shape: shape of the mask with the batch axis: None takes the input's size and 1
            shares the mask along the axis. `(None, 1, 8)` drops whole features of a sequence.
        seed: a whole number mixed into the layer's random key. Not needed to repeat a run: the
            model's seed alone decides all masks.

    Raises:
        InvalidArgument: a rate outside [0, 1), or a noise_shape that is no shape.
        ShapeMismatch: a noise_shape that does not fit the input.

    >>> layer, x = Dropout(0.5), jnp.ones((1, 6))
    >>> y, _ = layer.forward({}, {}, x, key=jax.random.key(0), train=True)
    >>> sorted(set(y[0].tolist()))
    [0.0, 2.0]

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15.
    """

    rate: float
    noise_shape: NoiseShape = None
    seed: int | None = None

    def validate(self) -> None:
        check_number(self, "rate", 0, 1, open_high=True)
        check_seed(self, self.seed)
        _check_noise_shape(self, self.noise_shape)

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        mask_shape = _mask_shape(self, self.noise_shape, x.shape)
        if not train or is_zero(self.rate):
            return x, state
        return _dropped(x, self.rate, mask_shape, seeded(key, self.seed)), state


class _SpatialDropout(Layer):
    """The map of the three layers below."""

    rate: float

    dimensions: ClassVar[int]

    def validate(self) -> None:
        check_data_format(self)
        check_number(self, "rate", 0, 1, open_high=True)
        check_seed(self, self.seed)  # type: ignore[attr-defined]

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if x.ndim != self.dimensions + 2:
            axes = ("time",) if self.dimensions == 1 else ("depth", "height", "width")
            form = ", ".join([*axes[-self.dimensions :], "channels"])
            raise ShapeMismatch(
                describe(self),
                f"an input of shape ({form})",
                f"shape {x.shape[1:]}",
                f"For such an input use {_fitting(x.ndim - 2)}.",
            )
        if not train or is_zero(self.rate):
            return x, state
        mask_shape = (x.shape[0], *(1,) * self.dimensions, x.shape[-1])
        drawn = seeded(key, self.seed)  # type: ignore[attr-defined]
        return _dropped(x, self.rate, mask_shape, drawn), state


def _fitting(dimensions: int) -> str:
    return f"SpatialDropout{dimensions}D" if 1 <= dimensions <= 3 else "Dropout"


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence: (time, channels), one mask for all times.

    Neighbours in time are alike, so dropping single numbers would take little away.

    Args:
        rate: the part of the channels that is set to 0, in [0, 1).
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a rate outside [0, 1).
        ShapeMismatch: an input of another rank.

    >>> layer, x = SpatialDropout1D(0.5), jnp.ones((2, 3, 4))
    >>> y, _ = layer.forward({}, {}, x, key=jax.random.key(0), train=True)
    >>> bool((y == y[:, :1]).all())
    True

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".
    """

    seed: int | None = None

    dimensions: ClassVar[int] = 1


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of an image: (height, width, channels). See SpatialDropout1D.

    Args:
        rate, seed: as in SpatialDropout1D.
        data_format: None or "channels_last"; fitwell knows no other.
    """

    data_format: str | None = None
    seed: int | None = None

    dimensions: ClassVar[int] = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of a volume: (depth, height, width, channels).

    Args:
        rate, data_format, seed: as in SpatialDropout2D.
    """

    data_format: str | None = None
    seed: int | None = None

    dimensions: ClassVar[int] = 3


class AlphaDropout(Layer):
    """a * (mask * x + (1 - mask) * floor) + b in training, x in prediction.

    The floor is selu's limit for very negative inputs, -1.7581; a and b are such that an input
    with mean 0 and variance 1 keeps both, as networks of selu layers need.

    Args:
        rate: the part of the numbers that is replaced, in [0, 1).
        noise_shape: as in Dropout.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a rate outside [0, 1), or a noise_shape that is no shape.
        ShapeMismatch: a noise_shape that does not fit the input.

    >>> x = jax.random.normal(jax.random.key(0), (1000, 100))
    >>> y, _ = AlphaDropout(0.3).forward({}, {}, x, key=jax.random.key(1), train=True)
    >>> abs(float(y.mean())) < 0.02, abs(float(y.var()) - 1) < 0.02
    (True, True)

    Source: Klambauer et al. 2017, "Self-normalizing neural networks".
    """

    rate: float
    noise_shape: NoiseShape = None
    seed: int | None = None

    def validate(self) -> None:
        check_number(self, "rate", 0, 1, open_high=True)
        check_seed(self, self.seed)
        _check_noise_shape(self, self.noise_shape)

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        mask_shape = _mask_shape(self, self.noise_shape, x.shape)
        if not train or is_zero(self.rate):
            return x, state
        a = ((1 - self.rate) * (1 + self.rate * _SELU_FLOOR**2)) ** -0.5
        b = -a * self.rate * _SELU_FLOOR
        keep = jax.random.bernoulli(seeded(key, self.seed), 1 - self.rate, mask_shape)
        return a * jnp.where(keep, x, _SELU_FLOOR) + b, state


class GaussianDropout(Layer):
    """x * N(1, rate / (1 - rate)) in training, x in prediction: Dropout's mean and variance.

    Args:
        rate: of the Dropout it stands for, in [0, 1): the factor's variance is rate / (1 - rate).
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a rate outside [0, 1).

    >>> layer, x = GaussianDropout(0.5), jnp.ones((1000, 100))
    >>> y, _ = layer.forward({}, {}, x, key=jax.random.key(0), train=True)
    >>> abs(float(y.mean()) - 1) < 0.02, abs(float(y.var()) - 1) < 0.02
    (True, True)

    Source: Srivastava et al. 2014, JMLR 15, section 10.
    """

    rate: float
    seed: int | None = None

    def validate(self) -> None:
        check_number(self, "rate", 0, 1, open_high=True)
        check_seed(self, self.seed)

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if not train or is_zero(self.rate):
            return x, state
        noise = jax.random.normal(seeded(key, self.seed), x.shape, jnp.result_type(x, 0.0))
        return x * (1 + (self.rate / (1 - self.rate)) ** 0.5 * noise), state


class GaussianNoise(Layer):
    """x + stddev * N(0, 1) in training, x in prediction.

    Args:
        stddev: standard deviation of the noise, >= 0, in the units of x.
        seed: a whole number mixed into the layer's random key.

    Raises:
        InvalidArgument: a negative stddev.

    >>> layer, x = GaussianNoise(0.1), jnp.ones((1, 2))
    >>> layer.forward({}, {}, x, key=jax.random.key(0), train=False)[0].tolist()
    [[1.0, 1.0]]

    Source: Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".
    """

    stddev: float
    seed: int | None = None

    def validate(self) -> None:
        check_number(self, "stddev", 0)
        check_seed(self, self.seed)

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if not train or self.stddev == 0:
            return x, state
        noise = jax.random.normal(seeded(key, self.seed), x.shape, jnp.result_type(x, 0.0))
        return x + self.stddev * noise, state


def _dropped(x: Array, rate: float, mask_shape: Shape, key: Key) -> Array:
    keep = jax.random.bernoulli(key, 1 - rate, mask_shape)
    return jnp.where(keep, x / (1 - rate), 0)


def _check_noise_shape(owner: Layer, shape: NoiseShape) -> None:
    sizes = shape if isinstance(shape, tuple) else (0,)
    if shape is not None and not (
        all(n is None or (type(n) is int and n >= 1) for n in sizes) and sizes[:1] in _BATCH
    ):
        raise InvalidArgument(
            type(owner).__name__,
            "noise_shape to begin with None or 1 (the batch), then None or sizes >= 1",
            f"noise_shape={shape!r}",
            "To share the mask along an axis write 1 there: noise_shape=(None, 1, 8).",
        )


def _mask_shape(owner: Layer, mask: NoiseShape, shape: Shape) -> Shape:
    if mask is None:
        return shape
    if len(mask) != len(shape) or any(
        n not in (None, 1, size) for n, size in zip(mask[1:], shape[1:], strict=True)
    ):
        raise ShapeMismatch(
            describe(owner),
            f"an input that noise_shape={mask} can be stretched to",
            f"shape {shape[1:]}",
            f"Give noise_shape {len(shape)} entries, each None, 1 or the input's size.",
        )
    return tuple(size if n is None else n for n, size in zip(mask, shape, strict=True))


__all__ = [
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
