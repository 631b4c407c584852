"""Frames and columns of pandas, polars and pyarrow as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitwell.errors import InvalidData
from fitwell.types import HostArray


def is_frame(value: Any) -> bool:
    """Whether it is a frame or a column of pandas, polars or pyarrow."""
    root = type(value).__module__.partition(".")[0]
    return root in {"pandas", "polars", "pyarrow", "narwhals", "modin", "cudf"}


def frame_to_array(subject: str, frame: Any) -> HostArray:
    """A frame's columns side by side, in the narrowest dtype that holds all, or one column.

    Raises:
        InvalidData: a column that holds no numbers, by name; no columns; two of one name.
    """
    import narwhals as nw

    try:
        native: Any = nw.from_native(frame, allow_series=True)
        if isinstance(native, nw.Series):
            return np.asarray(native.to_numpy())
        if isinstance(native, nw.LazyFrame):
            native = native.collect()
        schema = native.schema
    except nw.exceptions.DuplicateError as error:
        cure = "Rename or drop the repeated ones."
        raise InvalidData(subject, "columns of different names", "repeated names", cure) from error
    except TypeError:  # a pandas.Index, a pyarrow.Array: arrays already
        return np.asarray(frame)
    if not schema:
        raise InvalidData(subject, "a frame with columns", "none", "Check the selection.")
    if len(native) == 0:
        return np.zeros((0, len(schema)), np.float32)
    columns = []
    for (name, dtype), series in zip(schema.items(), native.iter_columns(), strict=True):
        # Objects may be numbers with missing values: whoever converts the array finds out.
        if not (dtype.is_numeric() or dtype in (nw.Boolean, nw.Object)):
            encode = "Encode (StringLookup does)" if dtype == nw.String else "Encode"
            raise InvalidData(
                subject,
                "columns of numbers",
                f"column {name!r} of type {dtype}",
                f"{encode} or drop it, or train from the table with fitwell.tabular.",
            )
        columns.append(np.asarray(series.to_numpy()))
    return np.stack(columns, axis=1)
