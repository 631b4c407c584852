"""The picture of a fit: training and validation curves, one panel per quantity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fitwell.figures import TRAINING, VALIDATION, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

Curve: TypeAlias = tuple[Sequence[int], Sequence[float]]

_LOG_RANGE = 100.0  # from this ratio of largest to smallest on, a linear axis hides the end


def draw(curves: Mapping[str, Curve], path: str | os.PathLike[str] | None = None) -> Figure:
    """A figure of panels, two to a row.

    Args:
        curves: name -> epochs (from 0) and values; `val_<name>` shares the panel of `<name>`.
        path: where to write it, as in `figures.finish`.
    """
    from matplotlib.figure import Figure

    quantities = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    across = min(2, len(quantities))
    down = -(-len(quantities) // across)
    # Figure alone, without pyplot: no window, no global state, no display needed.
    figure = Figure(figsize=(5.2 * across, 3.4 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, quantity in zip(panels, quantities, strict=False):
        _panel(panel, quantity, curves)
    for panel in panels[len(quantities) :]:
        panel.set_axis_off()
    return finish(figure, path)


def _panel(panel: Axes, quantity: str, curves: Mapping[str, Curve]) -> None:
    from matplotlib.ticker import MaxNLocator

    both = (("training", quantity, TRAINING), ("validation", f"val_{quantity}", VALIDATION))
    shown = [(label, *curves[name], colour) for label, name, colour in both if name in curves]
    for label, epochs, values, colour in shown:
        few = len(epochs) <= 30
        xs = np.asarray(epochs) + 1
        panel.plot(xs, values, color=colour, label=label, marker="o" if few else "", markersize=3)
    panel.set_title(quantity.replace("_", " "))
    panel.set_xlabel("epoch")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(alpha=0.3)
    panel.spines[["top", "right"]].set_visible(False)
    if _spans_decades(np.concatenate([np.asarray(v, np.float64) for _, _, v, _ in shown])):
        panel.set_yscale("log")
    if len(shown) == 2:
        panel.legend(frameon=False)


def _spans_decades(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() / values.min() > _LOG_RANGE)
