"""Layers that turn numbers into bins, and bins or other whole numbers into indicators."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fitwell.description import check_choice, check_number, check_positive_int, freeze
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, HostArray, Key, Params, Shape, State

_MODES = ("one_hot", "multi_hot", "count")
_EXACT = 100_000  # values that `Discretization` keeps before it begins to summarize


class CategoryEncoding(Layer):
    """Whole numbers 0 ... num_tokens - 1 as indicators.

    output_mode "one_hot": (..., n) -> (..., n, num_tokens), and (..., 1) -> (..., num_tokens).
    "multi_hot": (..., n) -> (..., num_tokens), 1 for every number that occurs among the n.
    "count": the same with how often it occurs. A single number per example, shape (), becomes
    (num_tokens,) in all of them.

    A number outside the range is an error where the data are read; deeper in a network, where no
    data can be checked, its indicators are NaN.

    Args:
        num_tokens: how many numbers there are, >= 1.
        output_mode: "multi_hot", "one_hot" or "count".

    Raises:
        InvalidArgument: num_tokens that is no whole number >= 1, or another mode.
        InvalidData: (in fit and predict) a number outside the range.

    >>> CategoryEncoding(4).apply({}, jnp.array([[0, 2, 2]])).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    >>> CategoryEncoding(4, "count").apply({}, jnp.array([[0, 2, 2]])).tolist()
    [[1.0, 0.0, 2.0, 0.0]]
    >>> CategoryEncoding(3, "one_hot").apply({}, jnp.array([[2], [0]])).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """

    num_tokens: int
    output_mode: str = "multi_hot"

    input_dtype: ClassVar[str] = "int32"
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        check_positive_int(self, "num_tokens")
        check_choice(self, "output_mode", _MODES)

    def apply(self, params: Params, x: Array) -> Array:
        ids = x.astype(jnp.int32)
        return _encoded(jnp.where(ids == x, ids, -1), self.num_tokens, self.output_mode)

    def check_data(self, subject: str, values: HostArray) -> None:
        bad = (values < 0) | (values >= self.num_tokens) | (values != np.floor(values))
        if bad.any():
            raise InvalidData(
                f"{subject}, for {describe(self)}",
                f"whole numbers from 0 to {self.num_tokens - 1} (num_tokens={self.num_tokens})",
                f"{values[bad][0]} at {tuple(int(i) for i in np.argwhere(bad)[0])}",
                "Give num_tokens the largest number plus 1.",
            )


class Discretization(Layer):
    """The bin of each number: 0 below bin_boundaries[0], k from bin_boundaries[k - 1] on.

    The shape of x for output_mode "int"; else the bins are encoded as by CategoryEncoding. The
    boundaries are state: they come from `bin_boundaries`, from `adapt`, or from the training data
    at the first fit (quantiles of all numbers together, so that the bins hold equally many). NaN
    is in no bin, and before boundaries are known no number is: the bin is then -1, its indicators
    NaN.

    Args:
        bin_boundaries: numbers that rise; n of them make n + 1 bins.
        num_bins: how many bins to adapt, >= 2, if the boundaries are not given.
        epsilon: error allowed in the ranks of the quantiles, in (0, 1), where data come in several
            chunks that are too many to keep. In one piece the quantiles are exact.
        output_mode: "int", "one_hot", "multi_hot" or "count".

    Raises:
        InvalidArgument: neither boundaries nor num_bins, both where they contradict each other,
            boundaries that do not rise, or another mode.
        InvalidData: (in adapt) no numbers, or NaN or infinite ones.

    >>> layer = Discretization([0.0, 1.0])
    >>> x = jnp.array([[-5.0, 0.0, 0.5, 1.0]])
    >>> layer.forward({}, layer.init_state((4,)), x, key=None, train=False)[0].tolist()
    [[0, 1, 1, 2]]
    >>> layer = Discretization(num_bins=2)
    >>> layer.adapt([1.0, 2.0, 3.0])
    >>> layer.bin_boundaries
    (2.0,)
    """

    bin_boundaries: Any = None
    num_bins: int | None = None
    epsilon: float = 0.01
    output_mode: str = "int"

    adapts: ClassVar[bool] = True
    keeps_time: ClassVar[bool] = False

    def validate(self) -> None:
        check_choice(self, "output_mode", ("int", *_MODES))
        check_number(self, "epsilon", 0, 1, open_low=True, open_high=True)
        if self.bin_boundaries is None and self.num_bins is None:
            cure = "Write Discretization([0, 1, 2]), or Discretization(num_bins=4)."
            self._refuse("bin_boundaries or num_bins", "neither", cure)
        bins = self.num_bins
        if bins is not None and (type(bins) is not int or bins < 2):
            cure = "Pass num_bins=2 or more."
            self._refuse("num_bins to be a whole number >= 2", f"num_bins={bins!r}", cure)
        if self.bin_boundaries is None:
            return
        try:
            numbers = np.asarray(self.bin_boundaries, np.float64)
            flat = numbers.ndim == 1 and numbers.size > 0 and np.isfinite(numbers).all()
            good = bool(flat and (np.diff(numbers) >= 0).all())
        except (TypeError, ValueError):
            good = False
        if not good:
            self._refuse(
                "bin_boundaries to be finite numbers that rise",
                f"bin_boundaries={self.bin_boundaries!r}",
                "Sort them.",
            )
        if bins is not None and bins != len(numbers) + 1:
            self._refuse(
                "bin_boundaries or num_bins",
                f"both, {len(numbers)} boundaries and num_bins={bins}",
                "Leave one of them out.",
            )

    @property
    def depth(self) -> int:
        """How many bins there are."""
        return self.num_bins or len(self.bin_boundaries) + 1

    def init_state(self, shape: Shape) -> State:
        if self.bin_boundaries is None:
            return {"boundaries": jnp.zeros(self.depth - 1), "count": jnp.zeros((), jnp.int32)}
        boundaries = jnp.asarray(self.bin_boundaries, jnp.float32)
        return {"boundaries": boundaries, "count": jnp.ones((), jnp.int32)}

    def program(self) -> Layer:
        """The boundaries are in the state; only how many there are is compiled in."""
        return Discretization(
            num_bins=self.depth,
            output_mode=self.output_mode,
            name=self.name,
            trainable=self.trainable,
        )

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        bins = jnp.searchsorted(state["boundaries"], x, side="right").astype(jnp.int32)
        bins = jnp.where((state["count"] > 0) & ~jnp.isnan(x), bins, -1)
        if self.output_mode == "int":
            return bins, state
        return _encoded(bins, self.depth, self.output_mode), state

    def statistics(self, chunks: Iterable[HostArray]) -> State:
        """The state for data that come in chunks: the quantiles of all numbers.

        Raises:
            InvalidArgument: the layer was given its boundaries.
            InvalidData: no numbers, or NaN or infinite ones.
        """
        if self.num_bins is None:
            self._refuse(
                "num_bins, to adapt to data",
                f"bin_boundaries={self.bin_boundaries!r}",
                "Write Discretization(num_bins=...) without boundaries.",
            )
        values, weights = np.zeros(0), np.zeros(0)
        for chunk in chunks:
            if len(values) > max(_EXACT, 20 / self.epsilon):
                values, weights = _summary(values, weights, math.ceil(10 / self.epsilon))
            fresh = self._numbers(np.asarray(chunk))
            values = np.concatenate([values, fresh])
            weights = np.concatenate([weights, np.ones(len(fresh))])
        if not len(values):
            raise InvalidData(
                describe(self), "data to adapt to", "no numbers", "Pass at least one example."
            )
        parts = np.arange(1, self.depth) / self.depth
        boundaries = _quantiles(values, weights, parts).astype(np.float32)
        return {"boundaries": boundaries, "count": np.asarray(1, np.int32)}

    def adapt(self, data: Any) -> None:
        """Sets the boundaries to the quantiles of data, before the layer's model is built.

        As Normalization.adapt: the fields of this very layer are set.

        Args:
            data: an array-like of numbers, or an iterator over such chunks.

        Raises:
            InvalidArgument, InvalidData: as `statistics`.
        """
        chunks = data if isinstance(data, Iterator) else [np.asarray(data)]
        object.__setattr__(self, "bin_boundaries", freeze(self.statistics(chunks)["boundaries"]))

    def _numbers(self, values: HostArray) -> HostArray:
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            found = f"dtype {values.dtype}" if values.dtype.kind not in "biuf" else "NaN or inf"
            raise InvalidData(
                describe(self),
                "finite numbers to adapt to",
                found,
                "Convert, fill in or leave out what is no number.",
            )
        return values.astype(np.float64).ravel()

    def _refuse(self, expected: str, received: str, cure: str) -> None:
        raise InvalidArgument("Discretization", expected, received, cure)


def _encoded(ids: Array, depth: int, mode: str) -> Array:
    """Indicators of `depth` numbers; NaN for what is none of them."""
    if mode == "one_hot" and ids.ndim > 1 and ids.shape[-1] == 1:
        ids = ids[..., 0]
    hot = (ids[..., None] == jnp.arange(depth)).astype(jnp.float32)
    hot = jnp.where(((ids >= 0) & (ids < depth))[..., None], hot, jnp.nan)
    if mode == "one_hot" or ids.ndim == 1:
        return hot
    total = hot.sum(axis=-2)
    return total if mode == "count" else jnp.where(total > 1, 1, total)


def _quantiles(values: HostArray, weights: HostArray, parts: HostArray) -> HostArray:
    """Linear interpolation between weighted values: numpy's quantiles where all weights are 1."""
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    middle = np.cumsum(weights) - weights / 2
    return np.interp(middle[0] + parts * (middle[-1] - middle[0]), middle, values)


def _summary(values: HostArray, weights: HostArray, size: int) -> tuple[HostArray, HostArray]:
    """`size` values, of equal weight, with nearly the same quantiles."""
    parts = (np.arange(size) + 0.5) / size
    return _quantiles(values, weights, parts), np.full(size, weights.sum() / size)


__all__ = ["CategoryEncoding", "Discretization"]
