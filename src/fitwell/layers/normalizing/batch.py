"""Normalization by the statistics of a batch."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from fitwell.description import check_number
from fitwell.layers.base import Layer
from fitwell.layers.normalizing.affine import check_affine, check_axis, init_affine, places
from fitwell.ops.columns import column_mean, repeat_row
from fitwell.ops.precision import widened
from fitwell.types import Array, Key, Params, Shape, State


class BatchNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, per channel: the shape of x.

    In training, mean and variance (divided by n) are the batch's own, over all examples and all
    places of a channel, and the moving statistics follow them:

        moving = momentum * moving + (1 - momentum) * batch's

    In prediction they are the moving statistics, so a prediction does not depend on the other rows
    of its batch. Rows that only pad a partial batch and masked steps of
    a sequence enter neither. Every channel has one gamma and
    one beta, the same for all examples. With `trainable = False` the layer computes as in
    prediction during `fit` too, and its moving statistics rest.

    The result has mean 0 and variance 1, not a normal distribution. Why it helps is not settled:
    the paper's reason is that each layer's input keeps its distribution; Santurkar et al. 2018
    found a smoother loss instead.

    Args:
        axis: the axis of the channels, counted with the batch axis as 0, or from the end.
        momentum: of the moving statistics, in [0, 1); nearer to 1 is slower and steadier.
        epsilon: added to the variance, > 0.
        center: False leaves beta out.
        scale: False leaves gamma out.
        beta_initializer: a name or an initializer; the three others likewise.
        beta_regularizer: added to the loss, as a function of beta; gamma_regularizer alike.
        beta_constraint: applied to beta after every step; gamma_constraint alike.

    Raises:
        InvalidArgument: axis 0, a momentum outside [0, 1), an epsilon that is not positive, or a
            rule for a weight that is not used.
        ShapeMismatch: an axis the input does not have.

    >>> layer, x = BatchNormalization(epsilon=1e-12), jnp.array([[0.0], [2.0]])
    >>> params, state = layer.init(jax.random.key(0), (1,)), layer.init_state((1,))
    >>> y, new = layer.forward(params, state, x, key=jax.random.key(0), train=True)
    >>> y.tolist(), round(float(new["moving_mean"][0]), 6)
    ([[-1.0], [1.0]], 0.01)

    Source: Ioffe & Szegedy 2015, "Batch normalization", arXiv:1502.03167.
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    moving_mean_initializer: Any = "zeros"
    moving_variance_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    init_only: ClassVar[tuple[str, ...]] = (
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
    )
    uses_mask: ClassVar[bool] = True
    uses_rows: ClassVar[bool] = True

    def validate(self) -> None:
        check_axis(self, several=False)
        check_number(self, "momentum", 0, 1, open_high=True)
        check_affine(self)

    def init(self, key: Key, shape: Shape) -> Params:
        return init_affine(self, key, self._channels(shape))

    def init_state(self, shape: Shape) -> State:
        channels, key = self._channels(shape), jax.random.key(0)
        return {
            "moving_mean": self.initializer("moving_mean")(key, channels),
            "moving_variance": self.initializer("moving_variance")(key, channels),
        }

    def forward(
        self,
        params: Params,
        state: State,
        x: Array,
        *,
        key: Key,
        train: bool,
        mask: Array | None = None,
        rows: Array | None = None,
    ) -> tuple[Array, State]:
        (place,) = places(self, self.axis, x.shape[1:])
        last = jnp.moveaxis(x, place, -1)
        matrix = widened(last).reshape(-1, last.shape[-1])
        mean, variance = state["moving_mean"], state["moving_variance"]
        if train:
            weight = _weight(x, mask, rows, place)
            mean, variance = _moments(matrix, weight)
            state = {
                "moving_mean": self._moved(state["moving_mean"], mean),
                "moving_variance": self._moved(state["moving_variance"], variance),
            }
        factor = params.get("gamma", 1) / jnp.sqrt(variance + self.epsilon)
        # What is subtracted from the rows is a constant for the gradient; what would follow from
        # its change is in `shift`. So the backward pass sums over the rows less often.
        fixed = lax.stop_gradient(mean)
        shift = params.get("beta")
        if train:
            shift = (0 if shift is None else shift) - (mean - fixed) * factor
        y = (matrix - repeat_row(fixed, len(matrix))) * repeat_row(factor, len(matrix))
        if shift is not None:
            y = y + repeat_row(shift, len(matrix))
        return jnp.moveaxis(y.reshape(last.shape).astype(x.dtype), -1, place), state

    def _channels(self, shape: Shape) -> Shape:
        (place,) = places(self, self.axis, shape)
        return (shape[place - 1],)

    def _moved(self, moving: Array, fresh: Array) -> Array:
        fresh = lax.stop_gradient(fresh)
        return (moving * self.momentum + fresh * (1 - self.momentum)).astype(moving.dtype)


def _moments(matrix: Array, weight: Array | None) -> tuple[Array, Array]:
    """Mean and variance of each column; in two passes, since E[x^2] - E[x]^2 loses digits."""
    if weight is not None:
        matrix = jnp.where(weight[:, None] > 0, matrix, 0)  # padding may hold anything
    mean = column_mean(matrix, weight)
    fixed = lax.stop_gradient(mean)
    centred = matrix - repeat_row(fixed, len(matrix))
    return mean, column_mean(jnp.square(centred), weight) - jnp.square(mean - fixed)


def _weight(x: Array, mask: Array | None, rows: Array | None, place: int) -> Array | None:
    """1 for each row of the matrix of channels that holds no padding, else 0; None if all do."""
    real: Array | None = None
    if rows is not None:
        real = rows.reshape(-1, *(1,) * (x.ndim - 1)) > 0
    if mask is not None and place != 1:
        steps = mask.reshape(*mask.shape, *(1,) * (x.ndim - 2)) > 0
        real = steps if real is None else real & steps
    if real is None:
        return None
    real = jnp.broadcast_to(real, (*x.shape[:place], 1, *x.shape[place + 1 :]))
    return real.reshape(-1).astype(x.dtype)


__all__ = ["BatchNormalization"]
