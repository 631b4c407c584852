"""Which classes are taken for which: the confusion matrix."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.assessment import measures
from fitwell.plots.panels import classified, distinct, panel
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 20
_DEEPEST = 0.6  # opacity: text on it stays readable
_WITH_SHARES = 6


def confusion(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """C_ij = number of rows of class i that were taken for class j.

    Blue cells are right, red ones wrong; the deeper, the larger their share of the row (of six
    classes or fewer the share is written, too). Of more than 20 classes, those with most errors.

    Args:
        y_true: (n,) labels of any type, or (n, classes) one-hot.
        y_pred: (n,) labels, or probabilities: (n,) of the second class, or (n, classes).
        labels: names of the classes in the order of their numbers; None takes the values.
        path: a file to write, .svg, .png or .pdf.

    Raises:
        ShapeMismatch, InvalidData: labels and predictions that do not fit together.

    >>> figure = confusion(["cat", "dog", "dog"], ["cat", "cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1\\n100 %', '0\\n0 %', '1\\n50 %', '1\\n50 %']
    """
    figures.check_path(path)
    found = classified("confusion", y_true, y_pred, labels)
    counts = measures.confusion(found.truth, found.chosen, len(found.names))
    return figures.finish(draw_confusion(counts, found.names), path)


def draw_confusion(counts: HostArray, names: Sequence[str]) -> Figure:
    """The picture of a matrix of counts."""
    kept = _most_confused(counts)
    counts, shown = counts[np.ix_(kept, kept)], distinct([names[i] for i in kept], 14)
    size = len(kept)
    more = f", {size} of {len(names)} classes" if size < len(names) else ""
    cell = 0.85 if size <= _WITH_SHARES else 0.42
    room = 1.0 + 0.075 * max(map(len, shown))
    title = f"Confusion matrix{more}"
    figure, axes = panel(max(2.6, size * cell + room), max(3.4, size * cell + room), title)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    _cells(axes, counts)
    axes.set(xlim=(0, size), ylim=(size, 0), aspect="equal", xlabel="predicted", ylabel="true")
    places = np.arange(size) + 0.5
    long = max(map(len, shown)) * size > 40
    axes.set_xticks(places, shown, rotation=45 if long else 0, ha="right" if long else "center")
    axes.set_yticks(places, shown)
    axes.tick_params(length=0)
    return figure


def _most_confused(counts: HostArray) -> HostArray:
    size = len(counts)
    wrong = counts * (1 - np.eye(size, dtype=counts.dtype))
    errors = wrong.sum(axis=0) + wrong.sum(axis=1)
    order = np.argsort(-errors, kind="stable")[:MOST_CLASSES]
    kept: HostArray = np.sort(order) if size > MOST_CLASSES else np.arange(size)
    return kept


def _cells(axes: Axes, counts: HostArray) -> None:
    from matplotlib.patches import Rectangle

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    small = len(counts) > _WITH_SHARES
    for (i, j), count in np.ndenumerate(counts):
        colour = figures.TRAINING if i == j else figures.VALIDATION
        depth = _DEEPEST * shares[i, j]
        box = Rectangle((j, i), 1, 1, facecolor=(colour, depth), edgecolor="#888888", linewidth=0.5)
        axes.add_patch(box)
        if small and not count:
            continue
        text = f"{count:,}" if small else f"{count:,}\n{100 * shares[i, j]:.0f} %"
        size = 7.5 if small else 10
        axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", size=size)
