"""Bins of each number: what lets a network follow steps and bends along one feature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.description import check_positive_int
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, HostArray, Key, Params, Shape, State

_MOST_ROWS = 200_000
"""That edges come from: of more, every second, third, ... row."""


class PiecewiseLinearEmbedding(Layer):
    """x weight + bias + sum_t clip((x - e_t) / (e_t+1 - e_t), 0, 1) height_t: (d,) -> (d units,).

    Each feature has bins between edges e_0 <= ... <= e_bins, the quantiles of the training data,
    and becomes `units` numbers that are linear within a bin and continuous everywhere. Heights
    begin as 0, so that training starts with straight lines. A bin without width adds nothing.

    The edges are state, not weights: they come from `edges`, from `model["..."].adapt(data)`, or
    from the training data at the first fit; until then there are no bins and the lines remain.

    Args:
        units: numbers made of a feature, >= 1.
        bins: between the edges of a feature, >= 1.
        edges: known edges, d rows of bins + 1 ascending numbers; None leaves them to the data.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, edges that do not ascend.
        ShapeMismatch: an input that is not one row of features, or edges for another one.
        InvalidData: no rows, or rows with NaN or infinity, to adapt to.

    >>> layer = PiecewiseLinearEmbedding(units=3, bins=2)
    >>> layer.statistics([np.array([[0.0], [1.0], [5.0]])])["edges"].tolist()
    [[0.0, 1.0, 5.0]]
    >>> layer.init(jax.random.key(0), (5,))["height"].shape
    (5, 2, 3)

    Source: Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning";
    with the line beside the bins: Gorishniy et al. 2025, "TabM", arXiv:2410.24210.
    """

    units: int = 16
    bins: int = 48
    edges: Any = None

    init_only: ClassVar[tuple[str, ...]] = ("edges",)
    adapts: ClassVar[bool] = True

    def validate(self) -> None:
        check_positive_int(self, "units", "bins")
        if self.edges is None:
            return
        try:
            known = np.asarray(self.edges, np.float64)
        except (TypeError, ValueError):
            known = np.empty(0)
        good = known.ndim == 2 and known.shape[1] == self.bins + 1 and np.isfinite(known).all()
        if not (good and (np.diff(known) >= 0).all()):
            raise InvalidArgument(
                "PiecewiseLinearEmbedding",
                f"edges of shape (features, {self.bins + 1}), ascending in each row",
                f"edges={self.edges!r}"[:80],
                "Leave them out: the first fit takes the quantiles of the training data.",
            )

    def init(self, key: Key, shape: Shape) -> Params:
        features = self._features(shape)
        weight, bias = jax.random.split(key)
        size = (features, self.units)
        return {
            "weight": jax.random.uniform(weight, size, minval=-1.0, maxval=1.0),
            "bias": jax.random.uniform(bias, size, minval=-1.0, maxval=1.0),
            "height": jnp.zeros((features, self.bins, self.units)),
        }

    def init_state(self, shape: Shape) -> State:
        features = self._features(shape)
        if self.edges is None:
            return {
                "edges": jnp.zeros((features, self.bins + 1)),
                "count": jnp.zeros((), jnp.int32),
            }
        known = np.asarray(self.edges, np.float32)
        if len(known) != features:
            raise ShapeMismatch(
                describe(self),
                f"edges for the {features} features of the input",
                f"edges of {len(known)}",
                "Give one row of edges per feature.",
            )
        return {"edges": jnp.asarray(known), "count": jnp.ones((), jnp.int32)}

    def _features(self, shape: Shape) -> int:
        if len(shape) != 1:
            raise ShapeMismatch(
                describe(self),
                "one row of features per example, shape (d,)",
                f"shape {shape}",
                "Put Flatten() before it.",
            )
        return shape[0]

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        edges = jnp.asarray(state["edges"], x.dtype)
        width = jnp.diff(edges)
        slope = jnp.where(width > 0, 1 / jnp.where(width > 0, width, 1), 0)
        filled = jnp.clip((x[..., None] - edges[:, :-1]) * slope, 0, 1)
        bent = jnp.einsum("bdt,dtu->bdu", filled, params["height"])
        y = x[..., None] * params["weight"] + params["bias"] + bent
        return y.reshape(x.shape[0], -1), state

    def statistics(self, chunks: Iterable[HostArray]) -> State:
        """The state for data that come in chunks: quantiles 0, 1/bins, ..., 1 of each feature.

        Raises:
            InvalidData: no rows, or values that are not finite.
        """
        read = [np.asarray(chunk) for chunk in chunks]
        step = -(-sum(map(len, read)) // _MOST_ROWS) or 1
        values = np.concatenate([chunk[::step] for chunk in read]).astype(np.float64)
        if not len(values) or not np.isfinite(values).all():
            received = "NaN or infinite values" if len(values) else "no rows"
            raise InvalidData(
                describe(self),
                "rows of finite numbers to adapt to",
                received,
                "Fill them in, or leave those rows out.",
            )
        levels = np.linspace(0, 1, self.bins + 1)
        # Values of the data themselves: between equal ones there is no bin of the last bit's width.
        edges = np.quantile(values, levels, axis=0, method="nearest").T
        return {
            "edges": edges.astype(np.float32),
            "count": np.asarray(min(len(values), 2**31 - 1), np.int32),
        }


__all__ = ["PiecewiseLinearEmbedding"]
