"""Watching one number of the logs: which way is better, and what to do if it is missing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument, did_you_mean, nearest, warn
from fitwell.types import Logs

# What names of metrics end with; the longest ending counts, so that brier_score is no score.
_ENDINGS = {
    "min": "loss error crossentropy entropy hinge poisson divergence logcosh brier_score brier "
    "mse mae mape msle rmse pinball quantile huber",
    "max": "accuracy acc auc precision recall score r2 f1 similarity correlation corrcoef "
    "matthews mcc iou specificity sensitivity",
}


class Monitor:
    """The number `name` of the logs.

    Args:
        owner: the callback's name, for messages.
        name: as in the logs: `"loss"`, `"val_accuracy"`.
        mode: `"min"`, `"max"`, or `"auto"`: known from the name.
        min_delta: by how much a value must be better to count, in the unit of the number.

    Raises:
        InvalidArgument: another mode; or "auto" for a name that does not say which way is better.
    """

    def __init__(self, owner: str, name: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            cure = 'Pass a name of the logs, such as "val_loss".'
            raise InvalidArgument(owner, "monitor to be a name", f"monitor={name!r}", cure)
        check_number(owner, "min_delta", min_delta)
        self.owner, self.name, self.min_delta = owner, name, abs(min_delta)
        if mode not in ("auto", "min", "max"):
            cure = 'Pass mode="min" if less is better, "max" if more is.'
            raise InvalidArgument(
                owner, 'mode to be "auto", "min" or "max"', f"mode={mode!r}", cure
            )
        direction = _direction(name) if mode == "auto" else mode
        if direction is None:
            cure = 'Pass mode="max" if more is better, mode="min" if less is.'
            expected = "a monitor whose name says which way is better"
            raise InvalidArgument(owner, expected, f"monitor={name!r}", _proposal(name) + cure)
        self.sign = 1.0 if direction == "max" else -1.0
        self.expected: tuple[str, ...] = ()

    def begin(self, params: Mapping[str, Any]) -> None:
        """Before training: refuses what can never be measured.

        `params["metrics"]`, where there is one, lists the names that the logs will have. A name
        that is not among them may still be added by another callback, so only a `val_` name
        without any validation is refused; the rest is left to `value`.
        """
        self.warned = False
        self.expected = tuple(params.get("metrics") or ())
        validated = any(name.startswith("val_") for name in self.expected)
        if self.expected and self.name.startswith("val_") and not validated:
            raise InvalidArgument(
                self.owner,
                f"validation data to measure {self.name} on",
                "none",
                f"Pass validation_data or validation_split to fit, or watch "
                f"monitor={self.name.removeprefix('val_')!r}.",
            )

    def value(self, logs: Logs) -> float | None:
        """The number, or None with one warning per fit: a long fit is not lost to a misspelling."""
        found = logs.get(self.name)
        if found is None and self.name not in self.expected and not self.warned:
            self.warned = True
            warn(
                f"{self.owner}: {self.name!r} is not measured, so nothing is done. "
                f"{did_you_mean(self.name, logs)}"
            )
        return None if found is None else float(found)

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`. NaN never is."""
        if math.isnan(value):
            return False
        if reference is None:
            return True
        return self.sign * (value - reference) > self.min_delta


def _direction(name: str) -> str | None:
    """Which way the metric of a name is better: "min", "max", or None if the name does not say.

    >>> _direction("val_out_accuracy_1"), _direction("brier_score"), _direction("false_positives")
    ('max', 'min', None)
    """
    stem = "_" + re.sub(r"_\d+$", "", name.lower())
    matches = [
        (len(ending), mode)
        for mode, endings in _ENDINGS.items()
        for ending in endings.split()
        if stem.endswith("_" + ending)
    ]
    return max(matches)[1] if matches else None


def _proposal(name: str) -> str:
    """`"Did you mean val_loss? "` for a misspelt name, else nothing.

    >>> _proposal("val_los"), _proposal("kappa")
    ('Did you mean val_loss? ', '')
    """
    prefix, stem = ("val_", name[4:]) if name.startswith("val_") else ("", name)
    near = nearest(stem, " ".join(_ENDINGS.values()).split())
    return f"Did you mean {prefix}{near}? " if near else ""


def check_save_freq(owner: str, value: Any) -> None:
    """Raises InvalidArgument unless `value` is "epoch" or a number of batches."""
    if value != "epoch":
        whole_number(owner, "save_freq", value, 1, 'Pass "epoch" or a number of batches.')


def check_number(owner: str, name: str, value: Any) -> None:
    """Raises InvalidArgument unless `value` is a finite number."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        expected, cure = f"{name} to be a finite number", f"Pass {name} as a number."
        raise InvalidArgument(owner, expected, f"{name}={value!r}", cure)
