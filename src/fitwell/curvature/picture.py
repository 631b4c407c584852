"""The picture of a spectrum."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from fitwell.curvature.result import Curvature
from fitwell.figures import NEGATIVE, POSITIVE, check_path, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ZERO = "#777777"
_DECADES = 1e-6  # of the density's peak, that are shown
_LINEAR = 1e-4  # of the largest eigenvalue: below, the axis is linear


def draw(found: Curvature, path: str | os.PathLike[str] | None = None) -> Figure:
    """Panels: the eigenvalues in order (if all are known), and the density.

    Args:
        path: where to write it, as in `figures.finish`.
    """
    from matplotlib.figure import Figure

    check_path(path)
    panels = 2 if found.exact else 1
    figure = Figure(figsize=(5.2 * panels, 3.6), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    if found.exact:
        _in_order(axes[0], found)
    _density(axes[-1], found)
    of = found.spectrum.size
    least = "" if found.exact else "at least "
    figure.suptitle(
        f"{found.verdict}: {least}{found.negative} of {of} directions lead down",
        fontsize=10, weight="bold",
    )  # fmt: skip
    return finish(figure, path)


def _in_order(axes: Axes, found: Curvature) -> None:
    values, zero = found.eigenvalues, found.tolerance
    places = np.arange(1, len(values) + 1)
    kinds = (
        (f"{found.negative} negative", values < -zero, NEGATIVE, "v"),
        (f"{found.zero} zero", np.abs(values) <= zero, _ZERO, "o"),
        (f"{found.positive} positive", values > zero, POSITIVE, "^"),
    )
    for label, here, colour, marker in kinds:
        axes.plot(
            places[here], values[here], marker, color=colour, label=label, markersize=4,
            markeredgewidth=0,
        )  # fmt: skip
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.set_yscale("symlog", linthresh=max(zero, _LINEAR * np.abs(values).max()) or 1.0)
    axes.margins(y=0.08)
    axes.set_xlabel("number of the eigenvalue, ascending")
    axes.set_title("eigenvalues", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    _bare(axes)


def _density(axes: Axes, found: Curvature) -> None:
    points, density = found.density()
    # Smoothed, zeros reach below zero; they are no way down.
    below, above = (NEGATIVE if found.negative else _ZERO, POSITIVE if found.positive else _ZERO)
    for here, colour in ((points < 0, below), (points >= 0, above)):
        axes.fill_between(points, density, where=here, color=colour, alpha=0.35, linewidth=0)
    axes.plot(points, density, color="#444444", linewidth=1.0)
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylim(density.max() * _DECADES, density.max() * 3)
    axes.set_xlabel("eigenvalue")
    axes.set_title("density of the eigenvalues, smoothed", fontsize=9)
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
