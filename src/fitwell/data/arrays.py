"""From what users pass (numpy, JAX, lists, frames, dicts) to checked arrays in host memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from fitwell.data.frames import frame_to_array, is_frame
from fitwell.errors import InvalidData, ShapeMismatch, did_you_mean, warn
from fitwell.texts import to_integers, to_texts
from fitwell.types import HostArray, Shape

TEXT_CURE = (
    "Look words up with StringLookup or TextVectorization, convert digits with astype('float32'), "
    "or train from the table with fitwell.tabular."
)
DATES_CURE = "Encode it as numbers first, or train from the table with fitwell.tabular."


class DataWarning(UserWarning):
    """Something unusual in the data that a fit can still begin with."""


def to_array(subject: str, value: Any) -> HostArray:
    """One array in host memory, of a dtype the engine takes.

    float64 becomes float32 and int64 int32 (float32 where a number needs more than 32 bits); small
    integers and booleans stay as they are, and are converted on the device. None becomes NaN.

    Raises:
        InvalidData: objects, text, dates, complex numbers, ragged lists.
    """
    if is_frame(value):
        value = frame_to_array(subject, value)
    if hasattr(value, "toarray"):  # scipy's sparse matrices
        kind = f"a sparse matrix ({type(value).__name__})"
        raise InvalidData(subject, "a dense array", kind, "Pass x.toarray().")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise _ragged(subject) from error
    if array.dtype == object:
        array = _from_objects(subject, array)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "USMm":
        what, cure = ("text", TEXT_CURE) if kind in "US" else ("dates", DATES_CURE)
        raise InvalidData(
            subject,
            "numbers",
            f"{what} (first value {str(array.flat[0])!r})" if array.size else what,
            cure,
        )
    if kind == "c":
        cure = "Pass the real and the imaginary part as two columns."
        raise InvalidData(subject, "real numbers", "complex numbers", cure)
    if array.dtype.names:
        cure = "Stack its fields as columns: np.stack([a[name] for name in a.dtype.names], 1)."
        raise InvalidData(subject, "an array of numbers", "a structured array", cure)
    if kind == "V" or (kind == "f" and size > 4):  # V: bfloat16 and its like
        with np.errstate(over="ignore"):  # infinity is answered by those who read the numbers
            return array.astype(np.float32)
    if kind in "iu" and size >= 4 and array.dtype != np.int32:
        beyond = array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31))
        return array.astype(np.float32 if beyond else np.int32)
    return array


def _ragged(subject: str) -> InvalidData:
    return InvalidData(
        subject,
        "rows of one length",
        "a ragged list (rows of different lengths)",
        "Pad the rows to one length.",
    )


def _from_objects(subject: str, array: HostArray) -> HostArray:
    """Numbers that were kept as objects; rows that are lists or arrays are stacked."""
    if array.ndim == 0:
        cure = "Pass an array, a list or a frame."
        raise InvalidData(subject, "an array of numbers", type(array.item()).__name__, cure)
    if any(hasattr(v, "__len__") and not isinstance(v, str | bytes) for v in array.flat):
        try:
            inner = np.asarray(array.tolist())
        except ValueError as error:
            raise _ragged(subject) from error
        return inner if inner.dtype != object else _from_objects(subject, inner)
    missing = np.array([v is None or type(v).__name__ == "NAType" for v in array.flat], bool)
    real = (Real, Decimal, np.bool_)
    known = zip(array.flat, missing, strict=True)
    odd = [v for v, none in known if not none and not isinstance(v, real)][:1]
    if odd and isinstance(odd[0], str | bytes):
        raise InvalidData(subject, "numbers", f"text (first value {odd[0]!r})", TEXT_CURE)
    if odd:
        raise InvalidData(
            subject,
            "an array of numbers",
            f"an object array that holds {type(odd[0]).__name__} ({odd[0]!r})",
            "Convert it with .astype('float32') after encoding text and filling missing values.",
        )
    filled = np.where(missing.reshape(array.shape), np.nan, array)
    try:
        return filled.astype(np.float64)
    except OverflowError as error:  # a whole number of more than 300 digits
        received = "a whole number beyond 1e308"
        raise InvalidData(subject, "numbers", received, "Rescale the column.") from error


def by_name(subject: str, value: Any, names: Sequence[str]) -> list[Any]:
    """A user's input or output as a list in the model's order.

    One array stands for itself where the model has one; several are a list, a tuple or a dict.
    """
    if isinstance(value, Mapping):
        missing = [name for name in names if name not in value]
        if missing:
            strange = [str(name) for name in value if name not in names]
            near = did_you_mean(strange[0], names) if strange else "Add it."
            raise InvalidData(
                subject,
                f"a dict with the names {', '.join(names)}",
                ", ".join(map(str, value)) or "an empty dict",
                f"{missing[0]} is missing. {near}",
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


def read(subject: str, value: Any, dtype: str) -> HostArray:
    """One input: text or 64-bit ids where a layer on the host reads them, otherwise numbers."""
    if dtype == "string":
        return to_texts(subject, value)
    return to_integers(subject, value) if dtype == "int64" else to_array(subject, value)


def inputs(
    subject: str,
    x: Any,
    names: Sequence[str],
    shapes: Sequence[Shape],
    dtypes: Sequence[str] | None = None,
) -> list[HostArray]:
    """The model's inputs, checked against their shapes; numbers unless `dtypes` says otherwise.

    Raises:
        ShapeMismatch: the shape of an example is not the one the network was built for.
        InvalidData: empty data, unequal numbers of examples.
    """
    arrays = []
    given = by_name(f"{subject}, x", x, names)
    dtypes = ["float32"] * len(names) if dtypes is None else dtypes
    for name, shape, dtype, value in zip(names, shapes, dtypes, given, strict=True):
        array = read(f"{subject}, {name}" if len(names) > 1 else f"{subject}, x", value, dtype)
        if array.ndim and len(array) == 0:
            check_lengths(subject, {name: array})
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
    elif array.ndim == len(shape) + 2:
        cure = "That is an axis too many: for one input pass one array, no list of them."
    elif sorted(array.shape[1:]) == sorted(shape) or array.shape[:-1] == shape:
        cure = "The axes are in another order: transpose x."
    else:
        cure = "Change the data or the network's first layer."
    raise ShapeMismatch(
        f"{subject}, layer {name}",
        f"x of shape {shape_of_batch(shape)}",
        f"{array.shape}",
        cure,
    )


def shape_of_batch(shape: Shape) -> str:
    """The shape of a batch of examples in words: `(4,)` -> `(n, 4)`."""
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
    warn(
        f"{subject}: {name} has NaN or infinity in {int(bad.any(axis=1).sum())} of {len(array)} "
        f"rows (columns {columns}). The loss becomes NaN: fill or drop them.",
        DataWarning,
    )
