"""Normalization of each example by itself: training and prediction are the same map."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import lax

from fitwell.description import check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.layers.normalizing.affine import (
    apply_affine,
    check_affine,
    check_axis,
    init_affine,
    places,
    spread,
    stretched,
)
from fitwell.ops.columns import column_sum, repeat_row
from fitwell.ops.precision import in_float32, widened
from fitwell.types import Array, Key, Params, Shape

_SMALLEST_LENGTH = 1e-12  # Keras': a vector shorter than this is not stretched to length 1


class LayerNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta over `axis`: the shape of x.

    Mean and variance (divided by n) are those of the example's own numbers along the axes; gamma
    and beta have one entry for each of these numbers.

    Args:
        axis: the axis or axes to normalize over, counted with the batch axis as 0, or from the end.
        epsilon: added to the variance, > 0.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: a name or an initializer; gamma_initializer alike.
        beta_regularizer: added to the loss, as a function of beta; gamma_regularizer alike.
        beta_constraint: applied to beta after every step; gamma_constraint alike.

    Raises:
        InvalidArgument: axis 0, an epsilon that is not positive, or a rule for a weight that is
            not used.
        ShapeMismatch: an axis the input does not have.

    >>> import jax
    >>> layer, x = LayerNormalization(epsilon=1e-12), jnp.array([[0.0, 2.0], [5.0, 5.5]])
    >>> layer.apply(layer.init(jax.random.key(0), (2,)), x).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    Source: Ba, Kiros & Hinton 2016, "Layer normalization", arXiv:1607.06450.
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("beta_initializer", "gamma_initializer")

    def validate(self) -> None:
        check_axis(self, several=True)
        check_affine(self)

    def init(self, key: Key, shape: Shape) -> Params:
        axes = places(self, self.axis, shape)
        return init_affine(self, key, tuple(shape[a - 1] for a in axes))

    def apply(self, params: Params, x: Array) -> Array:
        axes = places(self, self.axis, x.shape[1:])
        return apply_affine(params, _standard(x, axes, self.epsilon), stretched(x.shape, axes))


class GroupNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta over groups of channels: x's shape.

    The channels are divided into `groups` of neighbours. Mean and variance are those of one
    example's group: its channels at all places. Gamma and beta have one entry per channel.

    Args:
        groups: how many, >= 1, a divisor of the number of channels; -1 makes each channel a group.
        axis: the axis of the channels, counted with the batch axis as 0, or from the end.
        epsilon: added to the variance, > 0.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: a name or an initializer; gamma_initializer alike.
        beta_regularizer: added to the loss, as a function of beta; gamma_regularizer alike.
        beta_constraint: applied to beta after every step; gamma_constraint alike.

    Raises:
        InvalidArgument: a number of groups that is none, axis 0, an epsilon that is not positive,
            or a rule for a weight that is not used.
        ShapeMismatch: channels that cannot be divided so, or an axis the input does not have.

    >>> import jax
    >>> layer = GroupNormalization(groups=2, epsilon=1e-12)
    >>> x = jnp.array([[0.0, 2.0, 7.0, 6.0]])
    >>> layer.apply(layer.init(jax.random.key(0), (4,)), x).tolist()
    [[-1.0, 1.0, 1.0, -1.0]]

    Source: Wu & He 2018, "Group normalization", arXiv:1803.08494.
    """

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("beta_initializer", "gamma_initializer")

    def validate(self) -> None:
        if type(self.groups) is not int or (self.groups < 1 and self.groups != -1):
            raise InvalidArgument(
                type(self).__name__,
                "groups to be a whole number >= 1, or -1 for one per channel",
                f"groups={self.groups!r}",
                "Choose a divisor of the number of channels.",
            )
        check_axis(self, several=False)
        check_affine(self)

    def init(self, key: Key, shape: Shape) -> Params:
        (place,) = places(self, self.axis, shape)
        return init_affine(self, key, (shape[place - 1],))

    def apply(self, params: Params, x: Array) -> Array:
        (place,) = places(self, self.axis, x.shape[1:])
        channels = x.shape[place]
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ShapeMismatch(
                describe(self),
                f"a number of channels that {groups} groups divide",
                f"{channels} channels in shape {x.shape[1:]}",
                "Choose groups among the divisors of the number of channels.",
            )
        last = jnp.moveaxis(x, place, -1)
        rows = last.reshape(len(x), math.prod(last.shape[1:-1]), channels)
        y = _grouped(rows, groups, params, self.epsilon)
        return jnp.moveaxis(y.reshape(last.shape), -1, place)


class InstanceNormalization(GroupNormalization):
    """GroupNormalization with groups of one channel: each channel of each example by itself.

    Args, Raises: as GroupNormalization, without `groups`.

    >>> import jax
    >>> layer, x = InstanceNormalization(epsilon=1e-12), jnp.array([[[0.0, 5.0], [2.0, 9.0]]])
    >>> layer.apply(layer.init(jax.random.key(0), (2, 2)), x).tolist()
    [[[-1.0, -1.0], [1.0, 1.0]]]

    Source: Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization", arXiv:1607.08022.
    """

    groups: int = dataclasses.field(default=-1, init=False)


class RMSNormalization(Layer):
    """scale * x / sqrt(mean(x^2) + epsilon) over `axis`: the shape of x.

    LayerNormalization without the mean and without the shift.

    Args:
        axis: the axis or axes to normalize over, counted with the batch axis as 0, or from the end.
        epsilon: added to the mean square, > 0.

    Raises:
        InvalidArgument: axis 0, or an epsilon that is not positive.
        ShapeMismatch: an axis the input does not have.

    >>> import jax
    >>> layer, x = RMSNormalization(epsilon=1e-12), jnp.array([[2.0, -2.0, 2.0, 2.0]])
    >>> layer.apply(layer.init(jax.random.key(0), (4,)), x).tolist()
    [[1.0, -1.0, 1.0, 1.0]]

    Source: Zhang & Sennrich 2019, "Root mean square layer normalization", arXiv:1910.07467.
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6

    def validate(self) -> None:
        check_axis(self, several=True)
        check_number(self, "epsilon", 0, open_low=True, open_high=True)

    def init(self, key: Key, shape: Shape) -> Params:
        axes = places(self, self.axis, shape)
        return {"scale": jnp.ones(tuple(shape[a - 1] for a in axes))}

    def apply(self, params: Params, x: Array) -> Array:
        axes = places(self, self.axis, x.shape[1:])
        square = jnp.mean(jnp.square(widened(x)), axes, keepdims=True)
        scale = spread(params["scale"], x, stretched(x.shape, axes))
        return (x / jnp.sqrt(square + self.epsilon)).astype(x.dtype) * scale


class UnitNormalization(Layer):
    """x / |x| over `axis`: vectors of length 1; the zero vector stays what it is.

    Args:
        axis: the axis or axes of the vectors, counted with the batch axis as 0, or from the end.

    Raises:
        InvalidArgument: axis 0.
        ShapeMismatch: an axis the input does not have.

    >>> UnitNormalization().apply({}, jnp.array([[0.0, -5.0], [0.0, 0.0]])).tolist()
    [[0.0, -1.0], [0.0, 0.0]]
    """

    axis: int | tuple[int, ...] = -1

    def validate(self) -> None:
        check_axis(self, several=True)

    def apply(self, params: Params, x: Array) -> Array:
        axes = places(self, self.axis, x.shape[1:])
        square = jnp.sum(jnp.square(widened(x)), axes, keepdims=True)
        return (x / jnp.sqrt(jnp.maximum(square, _SMALLEST_LENGTH**2))).astype(x.dtype)


@in_float32
def _standard(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """x with mean 0 and variance 1 along the axes."""
    x = x - jnp.mean(x, axes, keepdims=True)
    return x / jnp.sqrt(jnp.mean(jnp.square(x), axes, keepdims=True) + epsilon)


@in_float32
def _grouped(x: Array, groups: int, params: Params, epsilon: float) -> Array:
    """GroupNormalization of (batch, rows, channels).

    Whatever is summed or repeated over the rows is so channel by channel, as `ops.columns` does it
    fast; groups are formed of the sums. The mean that is subtracted is a constant for the gradient,
    and what would follow from its change is in `shift`: so the backward pass sums over the rows
    twice (the gradient, and the gradient times x) instead of five times.
    """
    rows, channels = x.shape[1:]

    def mean_of_groups(sums: Array) -> Array:
        """(batch, channels): for each channel the mean over its group and all rows."""
        divided = sums.reshape(-1, groups, channels // groups)
        mean = divided.mean(-1, keepdims=True) / rows
        return jnp.broadcast_to(mean, divided.shape).reshape(sums.shape)

    mean = mean_of_groups(column_sum(x))
    fixed = lax.stop_gradient(mean)
    centred = x - repeat_row(fixed, rows)
    variance = mean_of_groups(column_sum(jnp.square(centred))) - jnp.square(mean - fixed)
    factor = params.get("gamma", 1) / jnp.sqrt(variance + epsilon)
    shift = params.get("beta", 0) - (mean - fixed) * factor
    return centred * repeat_row(factor, rows) + repeat_row(shift, rows)


__all__ = [
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]
