"""What every metric is: sums over a batch, their merge, and the value they give."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.compiling import compile, operations_of_jax, program
from fitwell.description import Description
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.metrics.shapes import align
from fitwell.types import Array, HostArray

Stats: TypeAlias = dict[str, Any]
"""What a metric keeps of a batch: arrays by name."""

_PIECE_ROWS = 2**16  # float32 sums over more rows than this would lose digits
_PIECE_ELEMENTS = 2**22


class Metric(Description):
    """A number that tells how good predictions are: `result(merge(measure(...), ...))`.

    A metric has no state. `measure` turns a batch into sums, `merge` joins the sums of two
    batches, `result` turns sums into the value. So the value does not depend on how the examples
    were divided into batches. A metric of your own:

    >>> class Bias(Metric):
    ...     def measure(self, y_true, y_pred, weight):
    ...         error = jnp.where(weight != 0, (y_pred - y_true) * weight, 0)
    ...         return {"error": error.sum(), "weight": weight.sum()}
    ...
    ...     def result(self, stats):
    ...         return float(stats["error"] / stats["weight"])
    >>> Bias()([1.0, 2.0], [1.5, 3.0])
    0.75

    A mean over examples needs less: see `MeanMetric` and `FunctionMetric`.

    Args:
        name: what the logs call it; None means the class name (`"f1_score"`).
    """

    name: str | None = field(default=None, kw_only=True)

    collects: ClassVar[bool] = False
    """True if `measure` returns arrays with a batch axis, which `merge` joins along it."""

    @property
    def label(self) -> str:
        """The name in the logs: `name`, or the class name in Keras' spelling."""
        return self.name or snake_case(type(self).__name__)

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        """The sums of one batch; pure, and part of the compiled training loop.

        Args:
            y_true: targets, `(batch, ...)`.
            y_pred: predictions, `(batch, ...)`.
            weight: `(batch,)`, float; 0 for rows of padding, which may hold anything, even NaN.
        """
        raise _undefined(self, "measure(self, y_true, y_pred, weight)")

    def merge(self, a: Stats, b: Stats) -> Stats:
        """The sums of two batches together. Zeros are the neutral element of a sum."""
        if self.collects:
            return {key: np.concatenate([a[key], b[key]]) for key in a}
        return {key: a[key] + b[key] for key in a}

    def result(self, stats: Stats) -> Any:
        """The value, computed on the host in float64; NaN if the total weight is 0."""
        raise _undefined(self, "result(self, stats)")

    def check(self, y_true: HostArray, y_pred: HostArray) -> None:
        """Raises InvalidData for labels that the metric has no meaning for (whole arrays only)."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The value for whole arrays.

        Args:
            y_true: targets, `(n, ...)`.
            y_pred: predictions, `(n, ...)`.
            sample_weight: `(n,)`, >= 0; None weighs all examples equally.

        Raises:
            InvalidData: NaN, text or objects in the arrays; negative weights; labels out of range.
            ShapeMismatch: the shapes do not fit together.
        """
        arrays = _checked(self, y_true, y_pred, sample_weight)
        self.check(arrays[0], arrays[1])
        measure = _measuring(self)
        parts = (jax.tree.map(_float64, measure(*piece)) for piece in _pieces(*arrays))
        return self.result(functools.reduce(self.merge, parts))


class MeanMetric(Metric):
    """mean(values) = Σᵢ wᵢ values(y_true, y_pred)ᵢ / Σᵢ wᵢ: subclasses define `values`.

    Every element of an example has the weight of its example.

    >>> class Within(MeanMetric):
    ...     tolerance: float = 0.1
    ...
    ...     def values(self, y_true, y_pred):
    ...         return abs(y_true - y_pred) <= self.tolerance
    >>> Within(0.5)([1.0, 2.0], [1.25, 3.0])
    0.5
    """

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One value or more for each example: `(batch, ...)`, numbers or booleans."""
        raise _undefined(self, "values(self, y_true, y_pred)")

    def measure(self, y_true: Array, y_pred: Array, weight: Array) -> Stats:
        with operations_of_jax(f"metric {self.label}"):
            values = self.values(*align(y_true, y_pred))
        if values.shape[:1] != weight.shape:
            raise ShapeMismatch(
                f"metric {self.label}",
                f"one value per example: shape ({weight.shape[0]}, ...)",
                f"shape {values.shape}",
                "Average over axis=-1, not over the batch.",
            )
        return weighted_sum(values, weight)

    def result(self, stats: Stats) -> Any:
        return ratio(float(stats["total"]), float(stats["weight"]), empty=math.nan)


class FunctionMetric(MeanMetric):
    """The mean of what a function returns for each example.

    Args:
        function: `f(y_true, y_pred) -> (batch, ...)`, written with `jax.numpy`.
        name: what the logs call it; None means the function's own name.

    >>> def within_one(y_true, y_pred):
    ...     return jnp.abs(y_true - y_pred) <= 1
    >>> FunctionMetric(within_one)([1.0, 2.0], [1.5, 4.0])
    0.5
    """

    function: Callable[[Array, Array], Array]

    def validate(self) -> None:
        if not callable(self.function):
            raise InvalidArgument(
                "FunctionMetric",
                "a function f(y_true, y_pred)",
                f"function={self.function!r}",
                "Pass a function made of JAX operations.",
            )

    @property
    def label(self) -> str:
        own = getattr(self.function, "__name__", type(self.function).__name__)
        return self.name or own.strip("<>")

    def values(self, y_true: Array, y_pred: Array) -> Array:
        return jnp.asarray(self.function(y_true, y_pred))


def weighted_sum(values: Array, weight: Array) -> Stats:
    """Σ w·value over all elements, and the sum of their weights; rows of weight 0 are not read."""
    spread = weight.reshape(weight.shape + (1,) * (values.ndim - 1))
    weighted = jnp.where(spread != 0, values * spread, 0)
    per_example = math.prod(values.shape[1:])
    return {"total": jnp.sum(weighted), "weight": jnp.sum(weight) * per_example}


def ratio(numerator: Any, denominator: Any, *, empty: float = 0.0) -> Any:
    """numerator / denominator in float64, `empty` where the denominator is 0; scalars as float."""
    if np.ndim(numerator) == np.ndim(denominator) == 0:  # as Python's numbers: a tenth of the time
        divisor = float(denominator)
        return float(numerator) / divisor if divisor else empty
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.where(bottom == 0, empty, top / np.where(bottom == 0, 1, bottom))


def snake_case(name: str) -> str:
    """`MeanSquaredError` -> `mean_squared_error`, as Keras spells it: `AUC` -> `auc`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _undefined(owner: Metric, method: str) -> InvalidArgument:
    return InvalidArgument(
        type(owner).__name__, f"the method {method}", "none", "Define it in your metric."
    )


@program()
def _measuring(metric: Metric) -> Any:
    return compile(metric.measure)


def _float64(leaf: Any) -> HostArray:
    return np.asarray(leaf, np.float64)


def _checked(owner: Metric, y_true: Any, y_pred: Any, weight: Any) -> tuple[HostArray, ...]:
    subject = f"metric {owner.label}"
    truth = _numeric(subject, "y_true", y_true)
    prediction = _numeric(subject, "y_pred", y_pred)
    given = np.ones(len(truth)) if weight is None else weight
    weights = _numeric(subject, "sample_weight", given).astype(np.float32)
    if len(truth) != len(prediction) or weights.shape != truth.shape[:1]:
        raise ShapeMismatch(
            subject,
            "y_true and y_pred of equal length, and one weight per example",
            f"shapes {truth.shape}, {prediction.shape} and {weights.shape} for the weights",
            "Pass arrays that describe the same examples.",
        )
    if (weights < 0).any():
        raise InvalidData(
            subject, "weights >= 0", f"{weights.min():g}", "Give unwanted examples the weight 0."
        )
    return truth, prediction, weights


def _numeric(subject: str, name: str, value: Any) -> HostArray:
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different length
        array = np.empty((), object)
    if array.ndim == 0 or not (
        array.dtype.kind in "biuf" or jnp.issubdtype(array.dtype, jnp.floating)
    ):
        raise InvalidData(
            subject,
            f"{name} to be an array of numbers with a batch axis",
            f"dtype {array.dtype} and shape {array.shape}",
            "Pass rows of equal length, and encode text as class numbers 0, 1, 2, ... first.",
        )
    if array.dtype.kind in "iu" and array.size and np.abs(array).max() >= 2**31:
        return array.astype(np.float32)  # the device has 32-bit integers: these would wrap around
    if array.dtype.kind not in "biu" and np.isnan(array).any():
        rows = np.isnan(array).reshape(len(array), -1).any(axis=1)
        raise InvalidData(
            subject,
            f"no NaN in {name}",
            f"NaN in {rows.sum()} of {len(rows)} examples",
            "Leave those examples out, or find out where the NaN comes from.",
        )
    return array


def _pieces(*arrays: HostArray) -> Iterator[tuple[HostArray, ...]]:
    """Slices of at most a piece's size; the last is padded, so that few sizes are compiled."""
    example = max(math.prod(a.shape[1:]) for a in arrays)
    rows = max(1, min(_PIECE_ROWS, _PIECE_ELEMENTS // max(1, example)))
    total = len(arrays[0])
    for start in range(0, max(1, total), rows):
        here = min(rows, total - start)
        padding = min(rows, 1 << max(0, here - 1).bit_length()) - here
        yield tuple(
            np.pad(a[start : start + here], [(0, padding)] + [(0, 0)] * (a.ndim - 1))
            for a in arrays
        )
