"""Layers that add randomness in training and none in prediction."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape, State


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
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    def validate(self) -> None:
        check_number(self, "rate", 0, 1, open_high=True)
        _check_seed(self, self.seed)
        shape = self.noise_shape
        sizes = shape if isinstance(shape, tuple) else (0,)
        if shape is not None and not (
            all(n is None or (type(n) is int and n >= 1) for n in sizes) and sizes[:1] in _BATCH
        ):
            raise InvalidArgument(
                "Dropout",
                "noise_shape to begin with None or 1 (the batch), then None or sizes >= 1",
                f"noise_shape={shape!r}",
                "To share the mask along an axis write 1 there: noise_shape=(None, 1, 8).",
            )

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        mask_shape = self._mask_shape(x.shape)
        if not train or self.rate == 0:
            return x, state
        keep = jax.random.bernoulli(_mixed(key, self.seed), 1 - self.rate, mask_shape)
        return jnp.where(keep, x / (1 - self.rate), 0), state

    def _mask_shape(self, shape: Shape) -> Shape:
        if self.noise_shape is None:
            return shape
        mask = self.noise_shape
        if len(mask) != len(shape) or any(
            n not in (None, 1, size) for n, size in zip(mask[1:], shape[1:], strict=True)
        ):
            raise ShapeMismatch(
                describe(self),
                f"an input that noise_shape={mask} can be stretched to",
                f"shape {shape[1:]}",
                f"Give noise_shape {len(shape)} entries, each None, 1 or the input's size.",
            )
        return tuple(size if n is None else n for n, size in zip(mask, shape, strict=True))


_BATCH = ((None,), (1,))


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
        _check_seed(self, self.seed)

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        if not train or self.stddev == 0:
            return x, state
        noise = jax.random.normal(_mixed(key, self.seed), x.shape, jnp.result_type(x, 0.0))
        return x + self.stddev * noise, state


def _check_seed(owner: Layer, seed: int | None) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise InvalidArgument(
            type(owner).__name__,
            "seed to be a whole number or None",
            f"seed={seed!r}",
            "Leave it out: the model's seed decides all random numbers.",
        )


def _mixed(key: Key, seed: int | None) -> Key:
    return key if seed is None else jax.random.fold_in(key, seed % 2**32)


__all__ = ["Dropout", "GaussianNoise"]
