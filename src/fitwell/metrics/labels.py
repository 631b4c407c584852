"""Checks of whole arrays of labels, on the host."""

from __future__ import annotations

import numpy as np

from fitwell.errors import InvalidData
from fitwell.types import HostArray


def check_binary(subject: str, y_true: HostArray) -> None:
    """Raises InvalidData unless all labels lie in [0, 1]."""
    wrong = y_true[(y_true < 0) | (y_true > 1)]
    if wrong.size:
        raise InvalidData(
            f"metric {subject}",
            "labels 0 and 1",
            f"the label {wrong.flat[0]}",
            "Encode the two classes as 0 and 1.",
        )


def check_classes(subject: str, y_true: HostArray, count: int) -> None:
    """Raises InvalidData unless all labels are whole numbers in 0 .. count-1."""
    wrong = y_true[(y_true < 0) | (y_true >= count) | (y_true != np.floor(y_true))]
    if wrong.size:
        raise InvalidData(
            f"metric {subject}",
            f"class numbers from 0 to {count - 1}",
            f"the label {wrong.flat[0]}",
            "Number the classes 0, 1, 2, ..., one for each column of y_pred.",
        )
