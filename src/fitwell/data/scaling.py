"""Robust scales of numbers: medians and quartiles, and a smooth clip for what lies far out."""

from __future__ import annotations

import warnings

import numpy as np

from fitwell.types import HostArray

_CLIP = 3.0


def center_and_scale(x: HostArray) -> tuple[HostArray, HostArray]:
    """The median m and 1 / (q75 - q25) along the first axis; NaN is left out.

    Where the quartiles are equal the range takes their place, with 2 / (max - min). The scale of
    what does not vary is 0, and so is the centre of what has no value.

    >>> center, scale = center_and_scale(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, np.nan]]))
    >>> center.tolist(), scale.tolist()
    ([2.0, 7.0], [1.0, 0.0])
    """
    levels = [0, 0.25, 0.5, 0.75, 1]
    half = np.asarray(x, np.float64) / 2  # the difference of finite numbers is then finite
    quantiles = np.nanquantile if np.isnan(half).any() else np.quantile
    with warnings.catch_warnings(), np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # columns of nothing but NaN
        low, first, center, third, high = np.nan_to_num(quantiles(half, levels, axis=0))
        spread = np.where(third > first, third - first, (high - low) / 2)
        scale = np.where(spread > 0, np.minimum(0.5 / spread, 1e300), 0.0)
    return 2 * center, scale


def scaled(x: HostArray, center: HostArray | float, scale: HostArray | float) -> HostArray:
    """z = (x - center) * scale; z / sqrt(1 + (z / 3)^2), in (-3, 3).

    Source: Holzmueller et al. 2024, "Better by default" (RealMLP), arXiv:2407.04491.

    >>> scaled(np.array([2.0, 3.0, 1e9]), 2.0, 1.0).round(3).tolist()
    [0.0, 0.949, 3.0]
    """
    with np.errstate(over="ignore"):  # halves, as above
        half = np.clip((x / 2 - center / 2) * scale, -1e30, 1e30)
    return smooth_clip(2 * half)


def smooth_clip(z: HostArray) -> HostArray:
    """z / sqrt(1 + (z / 3)^2): z where it is small, and never beyond -3 and 3."""
    clipped: HostArray = z / np.hypot(1.0, z / _CLIP)
    return clipped
