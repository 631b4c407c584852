"""Augmentations that mix two examples with their labels: part of `compile`, not of the network."""

from __future__ import annotations

import functools
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.description import Description
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.types import Array, HostArray, Key, Shape


class Mixing(Description):
    """What `compile(augment=...)` takes. Subclasses write `mix`.

    The loss of an example that is a share s of one row and 1 - s of another is
    `s * loss(own label) + (1 - s) * loss(other label)`; for a cross-entropy that is the loss of the
    mixed one-hot label. Training metrics compare with the label of the larger share.
    """

    def mix(self, x: Array, partner: Array, key: Key) -> tuple[Array, Array]:
        """Rows mixed with their partners, and the share of the own label: (rows,)."""
        raise NotImplementedError

    def check_input(self, shape: Shape, dtype: str) -> None:
        """Whether examples of this shape can be mixed.

        Raises:
            ShapeMismatch, InvalidArgument: they cannot.
        """
        ids = dtype == "string" or (len(shape) < 3 and np.dtype(dtype).kind in "iu")
        if ids:  # images may be whole numbers
            what = "text" if dtype == "string" else f"whole numbers ({dtype}), which are ids"
            raise InvalidArgument(
                f"compile, augment={type(self).__name__}",
                "numbers that can be averaged",
                f"an input of {what}",
                "Leave augment out: the mean of two ids is a third, unrelated one.",
            )

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        name = type(self).__name__
        raise InvalidArgument(
            name,
            "its place in compile, since it changes labels, too",
            "a use as a layer",
            f"Write model.compile(..., augment={name}(...)).",
        )


class MixUp(Mixing):
    """x' = s * x + (1 - s) * partner, with s ~ Beta(alpha, alpha), for each example of a batch.

    Partners are other rows of the batch, drawn anew for each batch. Any input of numbers will do:
    images, tables, signals.

    Args:
        alpha: 0.2 leaves most examples nearly pure, 1.0 draws s uniformly; > 0.

    Raises:
        InvalidArgument: alpha is no positive number; an input of ids.

    >>> x, partner = jnp.zeros((3, 2)), jnp.ones((3, 2))
    >>> mixed, share = MixUp(0.4).mix(x, partner, jax.random.key(0))
    >>> bool(jnp.allclose(mixed, 1 - share[:, None]))
    True

    Source: Zhang et al. 2018, "mixup: beyond empirical risk minimization", arXiv:1710.09412.
    """

    alpha: float = 0.2

    def validate(self) -> None:
        _positive(self, "alpha", self.alpha)

    def mix(self, x: Array, partner: Array, key: Key) -> tuple[Array, Array]:
        x = x.astype(jnp.result_type(x, 0.0))
        share = symmetric_beta(key, self.alpha, x.shape[:1])
        own = share.reshape(-1, *(1,) * (x.ndim - 1)).astype(x.dtype)
        return own * x + (1 - own) * partner, share


class CutMix(Mixing):
    """A rectangle of each image replaced by the same rectangle of another image of the batch.

    With s ~ Beta(factor, factor), the rectangle's sides are sqrt(1 - s) of the image's, its centre
    is uniform, what lies outside is cut off, and the label's share is what is left of the image.

    Args:
        factor: 1.0 draws s uniformly; > 0.

    Raises:
        InvalidArgument: factor is no positive number.
        ShapeMismatch: an input that is no image (height, width, channels).

    >>> x, partner = jnp.zeros((3, 8, 8, 1)), jnp.ones((3, 8, 8, 1))
    >>> mixed, share = CutMix().mix(x, partner, jax.random.key(0))
    >>> bool(jnp.allclose(mixed.mean((1, 2, 3)), 1 - share))
    True

    Source: Yun et al. 2019, "CutMix: regularization strategy to train strong classifiers with
    localizable features", arXiv:1905.04899.
    """

    factor: float = 1.0

    def validate(self) -> None:
        _positive(self, "factor", self.factor)

    def check_input(self, shape: Shape, dtype: str) -> None:
        if len(shape) != 3:
            raise ShapeMismatch(
                "compile, augment=CutMix",
                "images of shape (height, width, channels)",
                f"an input of shape {shape}",
                "Use MixUp, which mixes any numbers, or give the images an axis of channels.",
            )

    def mix(self, x: Array, partner: Array, key: Key) -> tuple[Array, Array]:
        size_key, row_key, column_key = jax.random.split(key, 3)
        share = symmetric_beta(size_key, self.factor, x.shape[:1])
        side = jnp.sqrt(1 - share)
        cut = jnp.ones((len(x), 1, 1, 1), bool)
        for axis, axis_key in ((1, row_key), (2, column_key)):
            size = x.shape[axis]
            middle = jax.random.uniform(axis_key, share.shape) * size
            low, high = (jnp.round(middle + half * side * size / 2) for half in (-1, 1))
            places = jnp.arange(size).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
            low, high = low.reshape(-1, 1, 1, 1), high.reshape(-1, 1, 1, 1)
            cut &= (places >= low) & (places < high)
        return jnp.where(cut, partner, x), 1 - cut.mean((1, 2, 3))


def symmetric_beta(key: Key, a: float, shape: Shape) -> Array:
    """Draws from Beta(a, a): a uniform number through the inverse of the distribution function.

    The inverse is a table with lines between its points. `jax.random.beta` rejects in loops: it
    takes 2 s to compile and 170 us for 32 numbers, as long as the step of a small network.
    """
    table = jnp.asarray(_quantiles(float(a)))
    place = jax.random.uniform(key, shape) * (len(table) - 1)
    low = jnp.minimum(place.astype(jnp.int32), len(table) - 2)
    return table[low] + (place - low) * (table[low + 1] - table[low])


@functools.lru_cache(maxsize=16)
def _quantiles(a: float) -> HostArray:
    from scipy.special import betaincinv  # with jax; costs a tenth of a second to import

    return np.asarray(betaincinv(a, a, np.linspace(0, 1, 4097)), np.float32)


def mixings(value: Any) -> tuple[Mixing, ...]:
    """What was given as `augment`: None, one, or a list of which each batch draws one.

    Raises:
        InvalidArgument: anything else.
    """
    if value is None:
        return ()
    several = tuple(value) if isinstance(value, list | tuple) else (value,)
    for one in several:
        if not isinstance(one, Mixing):
            raise InvalidArgument(
                "compile, augment",
                "MixUp(...), CutMix(...) or a list of them",
                repr(one),
                "Augmentations that leave labels alone, such as RandomFlip, are layers: put them "
                "first in the model.",
            )
    return several


def mix(several: tuple[Mixing, ...], x: Array, mask: Array, key: Key) -> tuple[Array, Array, Array]:
    """A batch mixed by one of several: examples, the rows of their partners, shares of own labels.

    Args:
        x: (rows, ...).
        mask: (rows,), 1 for real rows; real rows have real partners.
    """
    which, order_key, key = jax.random.split(key, 3)
    real = mask != 0
    shuffled = jnp.argsort(jnp.where(real, jax.random.uniform(order_key, mask.shape), 2.0))
    # The r-th real row meets the r-th of the shuffled: a permutation of the real rows.
    rows = jnp.where(real, shuffled[jnp.cumsum(real) - 1], jnp.arange(len(mask)))
    x = x.astype(jnp.result_type(x, 0.0))
    index = jax.random.randint(which, (), 0, len(several))
    mixed, share = jax.lax.switch(index, [one.mix for one in several], x, x[rows], key)
    return mixed, rows, share


def _positive(owner: Mixing, name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise InvalidArgument(
            type(owner).__name__,
            f"{name} to be a number > 0",
            f"{name}={value!r}",
            f"Write {type(owner).__name__}({getattr(type(owner), name)}).",
        )


__all__ = ["CutMix", "MixUp", "Mixing", "mix", "mixings"]
