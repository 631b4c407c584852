"""What the normalization layers share: axes, and the learned scale and shift gamma and beta."""

from __future__ import annotations

from typing import Any

import jax

from fitwell.description import check_choice, check_number
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.ops.columns import repeat_row
from fitwell.types import Array, Key, Params, Shape


def check_axis(owner: Any, *, several: bool) -> None:
    """Raises InvalidArgument unless `owner.axis` is an axis (or several) other than the batch."""
    axes = owner.axis if several and isinstance(owner.axis, tuple) else (owner.axis,)
    if any(type(a) is not int or a == 0 for a in axes) or len(set(axes)) < max(len(axes), 1):
        kind = "different whole numbers" if several else "a whole number"
        raise InvalidArgument(
            type(owner).__name__,
            f"axis to be {kind} other than 0",
            f"axis={owner.axis!r}",
            "Axis 0 is the batch; the channels of an image are axis -1.",
        )


def check_affine(owner: Any) -> None:
    """Checks epsilon, center, scale, and that no rule is given for a weight that is not used."""
    check_number(owner, "epsilon", 0, open_low=True, open_high=True)
    for switch, weight in (("center", "beta"), ("scale", "gamma")):
        check_choice(owner, switch, (True, False))
        for rule in (f"{weight}_regularizer", f"{weight}_constraint"):
            if not getattr(owner, switch) and getattr(owner, rule) is not None:
                raise InvalidArgument(
                    type(owner).__name__,
                    f"{switch}=True where {rule} is given",
                    f"{switch}=False, {rule}={getattr(owner, rule)!r}",
                    "Leave one of them out.",
                )


def places(owner: Layer, axis: Any, shape: Shape) -> tuple[int, ...]:
    """The axes, counted with the batch axis as 0 and sorted, for examples of `shape`."""
    rank = len(shape) + 1
    found = tuple(sorted(a % rank for a in (axis if isinstance(axis, tuple) else (axis,))))
    given = axis if isinstance(axis, tuple) else (axis,)
    if any(not -rank < a < rank for a in given) or 0 in found or len(set(found)) < len(found):
        raise ShapeMismatch(
            describe(owner),
            f"an input with the axis {axis}, besides the batch axis",
            f"shape {shape}",
            f"Choose axis from 1 to {rank - 1}, or -1."
            if shape
            else "Put Reshape((1,)) before it.",
        )
    return found


def init_affine(owner: Any, key: Key, shape: Shape) -> Params:
    """Gamma and beta of `shape`, those that are used."""
    gamma_key, beta_key = jax.random.split(key)
    params: Params = {}
    if owner.scale:
        params["gamma"] = owner.initializer("gamma")(gamma_key, shape)
    if owner.center:
        params["beta"] = owner.initializer("beta")(beta_key, shape)
    return params


def apply_affine(params: Params, x: Array, along: Shape) -> Array:
    """x * gamma + beta, the weights reshaped to `along`."""
    if "gamma" in params:
        x = x * spread(params["gamma"], x, along)
    if "beta" in params:
        x = x + spread(params["beta"], x, along)
    return x


def spread(weight: Array, x: Array, along: Shape) -> Array:
    """A weight in a shape that broadcasts to x's; of the last axis, so that gradients are fast."""
    if along[-1] == weight.size:
        return repeat_row(weight.reshape(-1), x.size // weight.size).reshape(x.shape)
    return weight.reshape(along)


def stretched(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape with 1 everywhere but at `axes`: what weights of those axes broadcast from."""
    return tuple(n if i in axes else 1 for i, n in enumerate(shape))
