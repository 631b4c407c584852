"""Layers that tell a sequence's positions apart: learned, as waves, as turns."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from fitwell.description import check_number, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.ops import attention as ops
from fitwell.types import Array, Key, Params, Shape


class PositionEmbedding(Layer):
    """embeddings[t] at position t, whatever the input: (..., T, features) -> the same shape.

    Add it to the tokens: `Add()([tokens, PositionEmbedding(64)(tokens)])`.

    Args:
        sequence_length: the longest sequence, >= 1; shorter ones take the first rows.
        embeddings_initializer: of the (sequence_length, features) table.

    Raises:
        InvalidArgument: a sequence_length that is no whole number >= 1.
        ShapeMismatch: a sequence longer than sequence_length, or an input that is none.

    >>> import jax
    >>> layer = PositionEmbedding(6)
    >>> params = layer.init(jax.random.key(0), (4, 8))
    >>> params["embeddings"].shape, layer.apply(params, jnp.ones((2, 4, 8))).shape
    ((6, 8), (2, 4, 8))

    Source: Gehring et al. 2017, arXiv:1705.03122.
    """

    sequence_length: int
    embeddings_initializer: Any = "glorot_uniform"

    init_only: ClassVar[tuple[str, ...]] = ("embeddings_initializer",)

    def validate(self) -> None:
        check_positive_int(self, "sequence_length")

    def init(self, key: Key, shape: Shape) -> Params:
        self._check(shape)
        table = (self.sequence_length, shape[-1])
        return {"embeddings": self.initializer("embeddings")(key, table)}

    def apply(self, params: Params, x: Array) -> Array:
        self._check(x.shape[1:])
        return jnp.broadcast_to(params["embeddings"][: x.shape[-2]], x.shape)

    def _check(self, shape: Shape) -> None:
        _check_sequence(self, shape)
        if shape[-2] > self.sequence_length:
            raise ShapeMismatch(
                describe(self),
                f"a sequence of at most sequence_length={self.sequence_length} positions",
                f"{shape[-2]}",
                f"Make it PositionEmbedding({shape[-2]}), or cut the sequences.",
            )


class SinePositionEncoding(Layer):
    """sin and cos of t / max_wavelength ** (2i / features) in features 2i and 2i + 1.

    (..., T, features) -> the same shape, whatever the input. Add it to the tokens. The encoding of
    t + k is a fixed linear map of that of t: shifts are easy to learn.

    Args:
        max_wavelength: > 0; the slowest wave takes nearly 2 pi times that many positions.

    Raises:
        InvalidArgument: a max_wavelength that is no number > 0.
        ShapeMismatch: an input that is no sequence of vectors.

    >>> SinePositionEncoding().apply({}, jnp.zeros((1, 2, 2)))[0, 0].tolist()
    [0.0, 1.0]

    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """

    max_wavelength: float = 10000

    def validate(self) -> None:
        check_number(self, "max_wavelength", 0, open_low=True)

    def apply(self, params: Params, x: Array) -> Array:
        _check_sequence(self, x.shape[1:])
        waves = jnp.asarray(ops.sinusoids(x.shape[-2], x.shape[-1], self.max_wavelength), x.dtype)
        return jnp.broadcast_to(waves, x.shape)


class RotaryEmbedding(Layer):
    """Turns features i and i + d/2 of position t by the angle t max_wavelength ** (-2i / d).

    (T, ..., d) -> the same shape. The dot product of a turned query and a turned key depends on
    their positions only through the difference. Put it on queries and keys, before attention.

    Args:
        max_wavelength: > 0; the larger, the slower the last features turn.
        scaling_factor: > 0; divides the positions, for sequences longer than those trained on.
        sequence_axis: of the positions, counted with the batch axis as 0, or from the end.
        feature_axis: of the features, an even number of them.

    Raises:
        InvalidArgument: a number that is not > 0, or an axis that is the batch or no number.
        ShapeMismatch: an input without these axes, or with an odd number of features.

    >>> x = jnp.array([[[1.0, 0.0], [1.0, 0.0]]])
    >>> RotaryEmbedding().apply({}, x)[0].round(3).tolist()  # (cos 1, sin 1) at position 1
    [[1.0, 0.0], [0.5400000214576721, 0.8410000205039978]]

    Source: Su et al. 2021, arXiv:2104.09864; the division: Chen et al. 2023, arXiv:2306.15595.
    """

    max_wavelength: float = 10000
    scaling_factor: float = 1.0
    sequence_axis: int = 1
    feature_axis: int = -1

    def validate(self) -> None:
        check_number(self, "max_wavelength", 0, open_low=True)
        check_number(self, "scaling_factor", 0, open_low=True)
        for name in ("sequence_axis", "feature_axis"):
            axis = getattr(self, name)
            if type(axis) is not int or axis == 0:
                raise InvalidArgument(
                    "RotaryEmbedding",
                    f"{name} to be a whole number other than 0",
                    f"{name}={axis!r}",
                    "Axis 0 is the batch; the first axis of an example is 1.",
                )

    def apply(self, params: Params, x: Array) -> Array:
        axes = (self.sequence_axis, self.feature_axis)
        sequence, features = (a % x.ndim if -x.ndim < a < x.ndim else 0 for a in axes)
        if 0 in (sequence, features) or sequence == features or x.shape[features] % 2:
            raise ShapeMismatch(
                describe(self),
                f"a sequence along axis {self.sequence_axis} of vectors along axis "
                f"{self.feature_axis}, of even length",
                f"shape {x.shape[1:]}",
                "Choose other axes, or make the number of features even.",
            )
        moved = jnp.moveaxis(x, (sequence, features), (-2, -1))
        turned = ops.rotate(moved, self.max_wavelength, self.scaling_factor)
        return jnp.moveaxis(turned, (-2, -1), (sequence, features))


def _check_sequence(owner: Layer, shape: Shape) -> None:
    if len(shape) < 2:
        raise ShapeMismatch(
            describe(owner),
            "a sequence of vectors: shape (time, features)",
            f"shape {shape}",
            "Put Embedding before it for whole numbers, or Reshape((time, features)).",
        )


__all__ = ["PositionEmbedding", "RotaryEmbedding", "SinePositionEncoding"]
