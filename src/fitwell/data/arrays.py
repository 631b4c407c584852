"""From what users pass (numpy, JAX, lists, frames, dicts) to checked arrays in host memory."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitwell.errors import InvalidData, ShapeMismatch, did_you_mean
from fitwell.types import HostArray, Shape


class DataWarning(UserWarning):
    """Something unusual in the data that a fit can still begin with."""


def to_array(subject: str, value: Any) -> HostArray:
    """One array in host memory, of a dtype the engine takes.

    float64 becomes float32 and int64 int32; small integers and booleans stay as they are, and are
    converted on the device.

    Raises:
        InvalidData: objects, text, ragged lists, whole numbers beyond 32 bits.
    """
    if is_frame(value):
        value = frame_to_array(subject, value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise _ragged(subject) from error
    if array.dtype == object:
        array = _from_objects(subject, array)
    if array.dtype.kind in "USMm":
        kind = "text" if array.dtype.kind in "US" else "dates"
        raise InvalidData(
            subject,
            "numbers",
            f"{kind} (first value {array.flat[0]!r})" if array.size else kind,
            "Encode it as numbers first, or train from the table with fitwell.tabular.",
        )
    if array.dtype.kind == "c":
        raise InvalidData(subject, "real numbers", "complex numbers", "Pass real and imaginary.")
    if array.dtype == np.float64:
        return array.astype(np.float32)
    if array.dtype.kind in "iu" and array.dtype.itemsize >= 4 and array.dtype != np.int32:
        if array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
            return array.astype(np.float32)
        return array.astype(np.int32)
    return array


def _ragged(subject: str) -> InvalidData:
    return InvalidData(
        subject,
        "rows of one length",
        "a ragged list (rows of different lengths)",
        "Pad the rows to one length.",
    )


def _from_objects(subject: str, array: HostArray) -> HostArray:
    try:
        return np.stack([np.asarray(row, np.float64) for row in array]) if array.size else array
    except (TypeError, ValueError) as error:
        lengths = {len(row) for row in array if hasattr(row, "__len__")}
        if len(lengths) > 1 and not any(isinstance(row, str) for row in array):
            raise _ragged(subject) from error
        flat = array.reshape(-1)
        odd = next((v for v in flat if not isinstance(v, int | float | np.number)), flat[0])
        raise InvalidData(
            subject,
            "an array of numbers",
            f"an object array that holds {type(odd).__name__} ({odd!r})",
            "Convert it with .astype('float32') after encoding text and filling missing values.",
        ) from error


def is_frame(value: Any) -> bool:
    """Whether it is a frame or a column of pandas, polars or pyarrow."""
    root = type(value).__module__.partition(".")[0]
    return root in {"pandas", "polars", "pyarrow", "narwhals", "modin", "cudf"}


def frame_to_array(subject: str, frame: Any) -> HostArray:
    """A frame's numeric columns side by side, or one column as it is.

    Raises:
        InvalidData: a column that holds no numbers, by name.
    """
    import narwhals as nw

    native = nw.from_native(frame, allow_series=True)
    if isinstance(native, nw.Series):
        return np.asarray(native.to_numpy())
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    for name, dtype in native.schema.items():
        if not (dtype.is_numeric() or dtype == nw.Boolean):
            raise InvalidData(
                subject,
                "columns of numbers",
                f"column {name!r} of type {dtype}",
                "Encode or drop it, or train from the table with fitwell.tabular.",
            )
    columns = [np.asarray(native[name].to_numpy()) for name in native.columns]
    if not columns:
        raise InvalidData(subject, "a frame with columns", "none", "Check the selection.")
    if all(c.dtype == columns[0].dtype and c.dtype.kind in "iub" for c in columns):
        return np.stack(columns, axis=1)
    return np.stack([c.astype(np.float32) for c in columns], axis=1)


def by_name(subject: str, value: Any, names: Sequence[str]) -> list[Any]:
    """A user's input or output as a list in the model's order.

    One array stands for itself where the model has one; several are a list, a tuple or a dict.
    """
    if isinstance(value, Mapping):
        missing = [name for name in names if name not in value]
        if missing:
            given = [str(name) for name in value]
            near = did_you_mean(missing[0], given) if given else ""
            raise InvalidData(
                subject,
                f"a dict with the names {', '.join(names)}",
                f"{', '.join(given)}",
                f"{missing[0]} is missing. {near}".strip(),
            )
        return [value[name] for name in names]
    if len(names) == 1:
        alone = isinstance(value, list | tuple) and len(value) == 1 and hasattr(value[0], "ndim")
        return [value[0] if alone and value[0].ndim > 0 else value]
    if isinstance(value, list | tuple) and len(value) == len(names):
        return list(value)
    received = f"{len(value)}" if isinstance(value, list | tuple) else type(value).__name__
    raise InvalidData(
        subject,
        f"{len(names)} arrays ({', '.join(names)})",
        received,
        "Pass a list in that order, or a dict by name.",
    )


def inputs(subject: str, x: Any, names: Sequence[str], shapes: Sequence[Shape]) -> list[HostArray]:
    """The model's inputs, checked against their shapes.

    Raises:
        ShapeMismatch: the shape of an example is not the one the network was built for.
        InvalidData: empty data, unequal numbers of examples.
    """
    arrays = []
    for name, shape, value in zip(names, shapes, by_name(f"{subject}, x", x, names), strict=True):
        array = to_array(f"{subject}, {name}" if len(names) > 1 else f"{subject}, x", value)
        arrays.append(fit_rank(subject, name, array, shape))
    check_lengths(subject, dict(zip(names, arrays, strict=True)))
    return arrays


def fit_rank(subject: str, name: str, array: HostArray, shape: Shape) -> HostArray:
    """Adds or drops a last axis of 1, as Keras does; any other difference is an error."""
    if array.shape[1:] == shape and array.ndim:
        return array
    if array.ndim and shape == (*array.shape[1:], 1):
        return array[..., None]
    if array.ndim > 1 and (*shape, 1) == array.shape[1:]:
        return array[..., 0]
    if array.shape == shape and array.ndim:
        cure = "This is one example: pass x[None], a batch of one."
    elif array.ndim > 1 and array.shape[0] != 0 and array.shape[1:][::-1] == shape:
        cure = "The axes are in another order: transpose x."
    else:
        cure = "Change the data or the network's first layer."
    raise ShapeMismatch(
        f"{subject}, layer {name}",
        f"x of shape {_batch(shape)}",
        f"{array.shape}",
        cure,
    )


def _batch(shape: Shape) -> str:
    return f"({', '.join(['n', *map(str, shape)])}{',' if not shape else ''})"


def check_lengths(subject: str, arrays: Mapping[str, HostArray]) -> int:
    """The common number of examples.

    Raises:
        InvalidData: none at all, or unequal numbers.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        cure = "Each example needs one row in every array."
        raise InvalidData(subject, "as many rows in every array", listed, cure)
    n = next(iter(lengths.values()))
    if n == 0:
        cure = "Check the file or the filter that made it."
        raise InvalidData(subject, "at least one example", "empty data", cure)
    return n


def warn_not_finite(subject: str, name: str, array: HostArray) -> None:
    """A warning for NaN and infinity in the inputs: training would end in NaN."""
    if array.dtype.kind != "f" or np.isfinite(array.sum(dtype=np.float64)):
        return
    bad = ~np.isfinite(array.reshape(len(array), -1))
    columns = np.flatnonzero(bad.any(axis=0))[:5].tolist()
    warnings.warn(
        f"{subject}: {name} has NaN or infinity in {int(bad.any(axis=1).sum())} of {len(array)} "
        f"rows (columns {columns}). The loss becomes NaN: fill or drop them.",
        DataWarning,
        stacklevel=4,
    )
