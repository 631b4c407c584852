"""Layers that bring raw numbers to a good scale."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fitwell.description import freeze
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, HostArray, Key, Params, Shape, State

_EPSILON = 1e-7  # Keras': the smallest standard deviation that is divided by
_ROWS = 8192  # read at a time by `adapt`, which works in float64
_LARGEST_COUNT = 2**31 - 1


class Normalization(Layer):
    """(x - mean) / max(sqrt(variance), 1e-7): the shape of x, each feature with mean 0, variance 1.

    Mean and variance are state, not weights. They come from `mean` and `variance`, from `adapt`,
    or from the training data at the first fit; until then the layer returns x as it is. A feature
    that never varied (variance 0) carries no information and becomes 0, whatever its value.

    Args:
        axis: the axis or axes that have statistics of their own, counted with the batch axis as 0,
            or from the end; None uses one mean and one variance for all numbers.
        mean: known means, a number or one per feature; together with variance.
        variance: known variances, >= 0 (biased: divided by n).
        invert: the way back: x * max(sqrt(variance), 1e-7) + mean.

    Raises:
        InvalidArgument: an axis that is 0 or no whole number; one of mean and variance alone; a
            variance below 0; numbers that are not finite.
        ShapeMismatch: an axis the input does not have, or mean and variance that do not fit it.

    >>> layer = Normalization()
    >>> layer.adapt([[0.0, 10.0], [4.0, 30.0]])
    >>> layer.mean, layer.variance
    ((2.0, 20.0), (4.0, 100.0))
    """

    axis: int | tuple[int, ...] | None = -1
    mean: Any = None
    variance: Any = None
    invert: bool = False

    init_only: ClassVar[tuple[str, ...]] = ("mean", "variance")
    adapts: ClassVar[bool] = True

    def validate(self) -> None:
        axes = self._axes()
        if any(type(a) is not int or a == 0 for a in axes) or len(set(axes)) < len(axes):
            raise InvalidArgument(
                "Normalization",
                "axis to be None or different whole numbers other than 0",
                f"axis={self.axis!r}",
                "Axis 0 is the batch; the features of a table are axis -1.",
            )
        if (self.mean is None) != (self.variance is None):
            raise InvalidArgument(
                "Normalization",
                "mean and variance together",
                f"mean={self.mean!r}, variance={self.variance!r}",
                "Give both, or neither and let adapt compute them.",
            )
        _check_numbers(self, "mean")
        _check_numbers(self, "variance", low=0)

    def _axes(self) -> tuple[Any, ...]:
        if self.axis is None:
            return ()
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def _kept(self, shape: Shape) -> tuple[int, ...]:
        """The axes of an example (0 is its first) that have statistics of their own, sorted."""
        rank = len(shape) + 1
        kept = sorted(a - 1 if a > 0 else a + rank - 1 for a in self._axes())
        if len(set(kept)) < len(kept) or any(not 0 <= a < len(shape) for a in kept):
            raise ShapeMismatch(
                describe(self),
                f"an input with the axes axis={self.axis!r}",
                f"shape {shape}",
                "Choose axes the input has, or axis=None for one mean of all numbers.",
            )
        return tuple(kept)

    def init_state(self, shape: Shape) -> State:
        kept = tuple(shape[a] for a in self._kept(shape))
        if self.mean is None:
            return {
                "mean": jnp.zeros(kept),
                "variance": jnp.ones(kept),
                "count": jnp.zeros((), jnp.int32),
            }
        state: State = {}
        for name in ("mean", "variance"):
            value = np.asarray(getattr(self, name), np.float64)
            if not _stretches(value.shape, kept):
                raise ShapeMismatch(
                    describe(self),
                    f"{name} to be a number or of shape {kept} for an input of shape {shape}",
                    f"{name} of shape {value.shape}",
                    "Give one per feature, or adapt the layer to data like its input.",
                )
            state[name] = jnp.asarray(np.broadcast_to(value, kept), jnp.float32)
        return state | {"count": jnp.ones((), jnp.int32)}

    def forward(
        self, params: Params, state: State, x: Array, *, key: Key, train: bool
    ) -> tuple[Array, State]:
        kept = self._kept(x.shape[1:])
        along = (1, *(n if a in kept else 1 for a, n in enumerate(x.shape[1:])))
        mean, variance = (state[name].reshape(along) for name in ("mean", "variance"))
        deviation = jnp.maximum(jnp.sqrt(variance), _EPSILON)
        if self.invert:
            y = x * deviation + mean
        else:
            y = jnp.where(variance > 0, (x - mean) / deviation, 0)
        return jnp.where(state["count"] > 0, y, x), state

    def statistics(self, chunks: Iterable[HostArray]) -> State:
        """The state for data that come in chunks: one pass, in float64 (Chan et al. 1979).

        Args:
            chunks: arrays of shape (rows, ...), any number of rows each.

        Returns:
            mean and variance in float32, and the count of values behind each of them.

        Raises:
            InvalidData: no rows, no numbers, NaN or infinite values (names the features), or
                values too spread out for float32.
        """
        count, mean, variance = self._moments(chunks)
        return {
            "mean": mean.astype(np.float32),
            "variance": variance.astype(np.float32),
            "count": np.asarray(min(count, _LARGEST_COUNT), np.int32),
        }

    def adapt(self, data: Any) -> None:
        """Sets mean and variance to those of data, before the layer's model is built.

        This is Keras' habit and the one exception to the rule that descriptions do not change:
        the fields of this very layer are set. A model that exists already keeps its own state.

        Args:
            data: an array-like of shape (rows, ...), or an iterator over such chunks.

        Raises:
            InvalidData: as `statistics`.
        """
        if isinstance(data, Iterator):
            chunks: Iterable[HostArray] = data
        else:
            rows = np.asarray(data)
            chunks = (rows[i : i + _ROWS] for i in range(0, len(np.atleast_1d(rows)), _ROWS))
        _, mean, variance = self._moments(chunks)
        object.__setattr__(self, "mean", freeze(mean))
        object.__setattr__(self, "variance", freeze(variance))

    def _moments(self, chunks: Iterable[HostArray]) -> _Moments:
        parts = (self._chunk_moments(np.asarray(chunk)) for chunk in chunks)
        merge = functools.partial(_merged, self)
        count, mean, squares = functools.reduce(merge, parts, _NOTHING)
        if count == 0:
            raise InvalidData(
                describe(self), "data to adapt to", "no rows", "Pass at least one example."
            )
        variance = squares / count
        largest = np.finfo(np.float32).max
        if (np.abs(mean) > largest).any() or (variance > largest).any():
            raise InvalidData(
                describe(self),
                "values whose mean and variance fit float32",
                f"a variance of {variance.max():.3g}",
                "Take the logarithm of the large values or divide them first.",
            )
        return count, mean, variance

    def _chunk_moments(self, values: HostArray) -> _Moments:
        """Count, mean and sum of squared deviations of each feature."""
        if values.ndim == 0 or values.dtype.kind not in "biuf":
            raise InvalidData(
                describe(self),
                "an array of numbers with the examples on its first axis",
                f"dtype {values.dtype} and shape {values.shape}",
                "Convert the data to numbers first.",
            )
        kept = self._kept(values.shape[1:])
        rest = tuple(d for d in range(values.ndim) if d - 1 not in kept)
        count = math.prod(values.shape[d] for d in rest)
        if count == 0:
            return _NOTHING
        values = values.astype(np.float64)
        _check_finite(self, values, rest)
        # Deviations from one of the values: a constant feature gets a variance of exactly 0.
        start = values[tuple(slice(0, 1) if d in rest else slice(None) for d in range(values.ndim))]
        values = values - start
        mean = values.mean(axis=rest, keepdims=True)
        squares = np.square(values - mean).sum(axis=rest)
        return count, np.squeeze(start + mean, axis=rest), squares


_Moments = tuple[int, HostArray, HostArray]
_NOTHING: _Moments = (0, np.zeros(()), np.zeros(()))


def _merged(owner: Normalization, a: _Moments, b: _Moments) -> _Moments:
    """Chan, Golub & LeVeque 1979: the moments of two sets from the moments of each."""
    if a[0] == 0 or b[0] == 0:
        return b if a[0] == 0 else a
    if a[1].shape != b[1].shape:
        raise ShapeMismatch(
            describe(owner),
            f"chunks with the same features, shape {a[1].shape}",
            f"shape {b[1].shape}",
            "Check the source of the chunks.",
        )
    count, delta = a[0] + b[0], b[1] - a[1]
    mean = a[1] + delta * (b[0] / count)
    return count, mean, a[2] + b[2] + np.square(delta) * (a[0] * b[0] / count)


def _check_finite(owner: Layer, values: HostArray, rest: tuple[int, ...]) -> None:
    bad = ~np.isfinite(values).all(axis=rest)
    if not bad.any():
        return
    places = [str(p[0]) if len(p) == 1 else str(tuple(p)) for p in np.argwhere(bad).tolist() if p]
    where = f" in features {', '.join(places[:10])}" if places else ""
    more = f" and {len(places) - 10} more" if len(places) > 10 else ""
    raise InvalidData(
        describe(owner),
        "finite numbers to adapt to",
        f"NaN or infinite values{where}{more}",
        "Fill them in, or leave those rows or features out.",
    )


class Rescaling(Layer):
    """x * scale + offset: the shape of x.

    Args:
        scale: a number, or an array that fits one example: `1/255` brings bytes to [0, 1].
        offset: likewise.

    Raises:
        InvalidArgument: scale or offset is not made of finite numbers.
        ShapeMismatch: scale or offset does not fit the input.

    >>> Rescaling(1 / 127.5, offset=-1).apply({}, jnp.array([[0.0, 255.0]])).tolist()
    [[-1.0, 1.0]]
    """

    scale: Any
    offset: Any = 0.0

    def validate(self) -> None:
        _check_numbers(self, "scale", required=True)
        _check_numbers(self, "offset", required=True)

    def apply(self, params: Params, x: Array) -> Array:
        for name in ("scale", "offset"):
            given = np.shape(getattr(self, name))
            if not _stretches(given, x.shape[1:]):
                raise ShapeMismatch(
                    describe(self),
                    f"an input that {name} of shape {given} fits",
                    f"shape {x.shape[1:]}",
                    f"Give one {name} per feature, or one number.",
                )
        dtype = jnp.result_type(x, 0.0)
        return x * jnp.asarray(self.scale, dtype) + jnp.asarray(self.offset, dtype)


def _stretches(shape: Shape, target: Shape) -> bool:
    """Whether an array of `shape` broadcasts to `target`, neither growing it."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def _check_numbers(
    owner: Layer, name: str, *, low: float = -math.inf, required: bool = False
) -> None:
    value = getattr(owner, name)
    if value is None and not required:
        return
    try:
        array = np.asarray(value, np.float64)
        good = bool(np.isfinite(array).all() and (array >= low).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        bound = "" if low == -math.inf else f" >= {low:g}"
        raise InvalidArgument(
            type(owner).__name__,
            f"{name} to be a finite number{bound}, or a list of them",
            f"{name}={value!r}",
            f"Check where {name} comes from.",
        )


__all__ = ["Normalization", "Rescaling"]
