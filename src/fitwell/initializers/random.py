"""Initializers that draw. A `seed` replaces the key: the same numbers come at every call."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import check_choice, check_number
from fitwell.errors import InvalidArgument
from fitwell.initializers.base import Initializer, fans, wrong_rank
from fitwell.types import Array, Key, Shape

_TRUNCATED_STDDEV = 0.87962566103423978  # of N(0, 1) cut off at -2 and 2


class _Random(Initializer):
    """An initializer that draws. Subclasses write `draw`."""

    seed: int | None = field(default=None, kw_only=True)

    def validate(self) -> None:
        whole = isinstance(self.seed, int) and not isinstance(self.seed, bool) and self.seed >= 0
        if self.seed is not None and not whole:
            raise InvalidArgument(
                type(self).__name__,
                "seed to be None or a whole number >= 0",
                f"seed={self.seed!r}",
                "Leave it out, and the model's seed decides.",
            )

    def __call__(self, key: Key, shape: Shape, dtype: Any = jnp.float32) -> Array:
        return self.draw(key if self.seed is None else jax.random.key(self.seed), shape, dtype)

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        raise NotImplementedError


class RandomNormal(_Random):
    """N(mean, stddev^2). `RandomNormal(stddev=0.01)` is `np.random.randn(...) * 0.01`.

    Args:
        mean: of the distribution.
        stddev: standard deviation, >= 0.
        seed: None takes the key.
    """

    mean: float = 0.0
    stddev: float = 0.05

    def validate(self) -> None:
        super().validate()
        check_number(self, "mean", open_low=True, open_high=True)
        check_number(self, "stddev", 0, open_high=True)

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        return jax.random.normal(key, shape, dtype) * self.stddev + self.mean


class TruncatedNormal(RandomNormal):
    """N(mean, stddev^2) without what is farther than 2 stddev from the mean.

    The cut leaves 0.88 of the standard deviation, as in Keras.

    Args:
        mean: of the distribution.
        stddev: standard deviation before the cut, >= 0.
        seed: None takes the key.
    """

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        return jax.random.truncated_normal(key, -2, 2, shape, dtype) * self.stddev + self.mean


class RandomUniform(_Random):
    """U(minval, maxval).

    Args:
        minval: lower end, included.
        maxval: upper end, excluded; not below minval.
        seed: None takes the key.
    """

    minval: float = -0.05
    maxval: float = 0.05

    def validate(self) -> None:
        super().validate()
        check_number(self, "minval", open_low=True, open_high=True)
        check_number(self, "maxval", self.minval, open_high=True)

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        return jax.random.uniform(key, shape, dtype, self.minval, self.maxval)


class Orthogonal(_Random):
    """gain * a random matrix with orthonormal columns, or rows where it is wider than high.

    A kernel of more than two axes is one matrix (product of all axes but the last, last axis).
    Source: Saxe et al. 2014, arXiv:1312.6120.

    Args:
        gain: factor of the orthonormal matrix.
        seed: None takes the key.
    """

    gain: float = 1.0

    def validate(self) -> None:
        super().validate()
        check_number(self, "gain", open_low=True, open_high=True)

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        if len(shape) < 2:
            raise wrong_rank("Orthogonal", "at least two axes", shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        gauss = jax.random.normal(key, (max(rows, columns), min(rows, columns)))
        q, r = jnp.linalg.qr(gauss)
        q = q * jnp.where(jnp.diagonal(r) < 0, -1, 1)  # uniform over all orthogonal matrices
        q = q.T if rows < columns else q
        return (self.gain * q).reshape(shape).astype(dtype)


def _draw_scaled(
    key: Key, shape: Shape, dtype: Any, scale: float, mode: str, distribution: str
) -> Array:
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    stddev = math.sqrt(scale / max(1.0, fan))
    if distribution == "uniform":
        limit = math.sqrt(3) * stddev
        return jax.random.uniform(key, shape, dtype, -limit, limit)
    if distribution == "untruncated_normal":
        return jax.random.normal(key, shape, dtype) * stddev
    return jax.random.truncated_normal(key, -2, 2, shape, dtype) * (stddev / _TRUNCATED_STDDEV)


class VarianceScaling(_Random):
    """Mean 0 and variance scale / fan.

    Args:
        scale: > 0.
        mode: which fan: `"fan_in"`, `"fan_out"` or `"fan_avg"`, their mean.
        distribution: `"truncated_normal"` (at 2 standard deviations; the variance is that after
            the cut), `"untruncated_normal"` or `"uniform"`.
        seed: None takes the key.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"

    def validate(self) -> None:
        super().validate()
        check_number(self, "scale", 0, open_low=True, open_high=True)
        check_choice(self, "mode", ("fan_in", "fan_out", "fan_avg"))
        check_choice(self, "distribution", ("truncated_normal", "untruncated_normal", "uniform"))

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        return _draw_scaled(key, shape, dtype, self.scale, self.mode, self.distribution)


class _Named(_Random):
    """Variance scaling with a rule that has a name: scale, mode, distribution."""

    rule: ClassVar[tuple[float, str, str]]

    def draw(self, key: Key, shape: Shape, dtype: Any) -> Array:
        return _draw_scaled(key, shape, dtype, *self.rule)


class HeNormal(_Named):
    """Truncated normal, variance 2 / fan_in: for ReLU (He et al. 2015, arXiv:1502.01852)."""

    rule = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Named):
    """U(-limit, limit), limit = sqrt(6 / fan_in): for ReLU (He et al. 2015, arXiv:1502.01852)."""

    rule = (2.0, "fan_in", "uniform")


class GlorotNormal(_Named):
    """Truncated normal, variance 2 / (fan_in + fan_out); Xavier (Glorot & Bengio 2010)."""

    rule = (1.0, "fan_avg", "truncated_normal")


class GlorotUniform(_Named):
    """U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out)); Xavier (Glorot & Bengio 2010)."""

    rule = (1.0, "fan_avg", "uniform")


class LecunNormal(_Named):
    """Truncated normal, variance 1 / fan_in: for selu (LeCun et al. 1998)."""

    rule = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """U(-limit, limit), limit = sqrt(3 / fan_in) (LeCun et al. 1998)."""

    rule = (1.0, "fan_in", "uniform")
