"""Where the decision lies: a map of what a model predicts, with the data on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import whole_number
from fitwell.assessment.reading import subject_of
from fitwell.assessment.subject import Subject
from fitwell.errors import InvalidArgument
from fitwell.plots.panels import PALETTE, panel, words
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SUBJECT = "boundary"
_MOST_POINTS = 600
_MARGIN = 0.07


@dataclass(frozen=True)
class Plane:
    """A plane through the inputs.

    Attributes:
        places: (n, 2) where the rows lie on it.
        origin, axes: (features,) and (2, features): input = origin + place @ axes.
        names: of the two axes.
    """

    places: HostArray
    origin: HostArray
    axes: HostArray
    names: tuple[str, str]


def boundary(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    labels: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
    resolution: int = 150,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """What the model predicts over a plane of its inputs: regions of classes, or heights.

    Two features span the plane themselves. Of more, it is spanned by the two principal components
    of the standardised features, through their mean: a section of the space, so points of the data
    lie above and below it, and may seem to be on the wrong side. Of more than eight classes the
    names stand in the middle of their points, since colours repeat.

    Args:
        model: compiled, of rows of numbers; or what `fitwell.tabular` returns: the features that
            its columns become are used.
        X, y: as for `importance`.
        labels: names of the classes.
        names: of the columns of an array.
        resolution: points on each side, >= 2.
        path: a file to write, .svg, .png or .pdf.

    Raises:
        InvalidArgument: a model of images, sequences, several inputs or one number; several labels.

    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, activation="sigmoid")])
    >>> model.compile(loss="binary_crossentropy")
    >>> figure = boundary(model, np.eye(2), [0, 1], resolution=20)
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('X[:, 0]', 'X[:, 1]')
    """
    figures.check_path(path)
    whole_number(_SUBJECT, "resolution", resolution, 2)
    subject = subject_of(_SUBJECT, model, X, y, names=names, classes=labels)
    return figures.finish(_draw(subject, plane_of(subject), resolution), path)


def plane_of(subject: Subject) -> Plane:
    """The plane of two features, or of the two principal components.

    Raises:
        InvalidArgument: inputs that are no rows of two numbers or more.
    """
    inputs = subject.inputs
    flat = len(inputs) == 1 and inputs[0].ndim == 2 and inputs[0].shape[1] > 1
    if not flat or subject.task == "multilabel":
        shapes = ", ".join(str(each.shape) for each in inputs)
        received = "several labels" if flat else f"inputs of shape {shapes}"
        cure = "For images look at fw.plots.feature_maps."
        expected = "one input of two features or more, and one target"
        raise InvalidArgument(_SUBJECT, expected, received, cure)
    x = inputs[0].astype(np.float64)
    if x.shape[1] == 2:
        names = [each.name for each in subject.features]
        both = (names[0], names[1]) if len(names) == 2 else ("feature 0", "feature 1")
        return Plane(x, np.zeros(2), np.eye(2), both)
    mean, scale = x.mean(axis=0), np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    standard = (x - mean) / scale
    _, sizes, directions = np.linalg.svd(standard, full_matrices=False)
    first = directions[:2] * np.sign(directions[:2].sum(axis=1, keepdims=True) + 1e-12)
    share = 100 * sizes**2 / max(float(np.sum(sizes**2)), 1e-300)
    told = [f"principal component {i + 1} ({share[i]:.0f} % of the variance)" for i in range(2)]
    return Plane(standard @ first.T, mean, first * scale, (told[0], told[1]))


def _draw(subject: Subject, plane: Plane, resolution: int) -> Figure:
    low, high = plane.places.min(axis=0), plane.places.max(axis=0)
    room = _MARGIN * np.where(high > low, high - low, 1.0)
    ticks = [np.linspace(low[i] - room[i], high[i] + room[i], resolution) for i in range(2)]
    grid = np.stack(np.meshgrid(*ticks), axis=-1).reshape(-1, 2)
    asked = (plane.origin + grid @ plane.axes).astype(subject.inputs[0].dtype)
    found = subject.answer((asked,))
    figure, axes = panel(4.4)
    axes.grid(visible=False)
    draw = _heights if subject.task == "regression" else _regions
    draw(axes, ticks, found, subject, plane)
    axes.set(xlabel=words(plane.names[0], 50), ylabel=words(plane.names[1], 50))
    axes.set(xlim=ticks[0][[0, -1]], ylim=ticks[1][[0, -1]])
    return figure


def _drawn(rows: int) -> HostArray:
    if rows <= _MOST_POINTS:
        return np.arange(rows)
    return np.random.default_rng(0).choice(rows, _MOST_POINTS, replace=False)


def _regions(
    axes: Axes, ticks: list[HostArray], found: HostArray, subject: Subject, plane: Plane
) -> None:
    """The likeliest class at each point, the stronger the surer; points in the colour of truth."""
    from matplotlib.colors import to_rgb

    side = (len(ticks[1]), len(ticks[0]))
    colours = np.array([to_rgb(PALETTE[i % len(PALETTE)]) for i in range(found.shape[1])])
    chosen = found.argmax(axis=1)
    chance = 1 / found.shape[1]
    sure = (found.max(axis=1) - chance) / (1 - chance)
    shade = np.concatenate([colours[chosen], 0.08 + 0.42 * sure[:, None]], axis=1)
    extent = (ticks[0][0], ticks[0][-1], ticks[1][0], ticks[1][-1])
    axes.imshow(shade.reshape(*side, 4), extent=extent, origin="lower", aspect="auto")
    if found.shape[1] == 2:
        axes.contour(*ticks, found[:, 1].reshape(side), [0.5], colors="#666666", linewidths=1.2)
    rows = _drawn(subject.rows)
    for number, name in enumerate(subject.classes):
        of_class = plane.places[rows][subject.truth[rows] == number]
        how: dict[str, Any] = {"markersize": 4, "markeredgecolor": "white", "markeredgewidth": 0.4}
        colour = PALETTE[number % len(PALETTE)]
        axes.plot(*of_class.T, "o", color=colour, label=words(name, 20), **how)
    if len(subject.classes) <= len(PALETTE):
        axes.legend(frameon=True, framealpha=0.7, fontsize="small", title=words(subject.target, 20))
    else:  # colours repeat: names stand where their classes are
        _names(axes, subject, plane)


def _names(axes: Axes, subject: Subject, plane: Plane) -> None:
    """The name of each class in the middle of its points."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    how: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold", "size": 9}
    for number in np.unique(subject.truth):
        x, y = np.median(plane.places[subject.truth == number], axis=0)
        axes.text(x, y, words(subject.classes[number], 14), path_effects=halo, **how)


def _heights(
    axes: Axes, ticks: list[HostArray], found: HostArray, subject: Subject, plane: Plane
) -> None:
    """The prediction at each point, and the truth of the rows in the same colours."""
    rows = _drawn(subject.rows)
    heights = found.reshape(len(ticks[1]), len(ticks[0]), -1).mean(axis=-1)
    truth = subject.truth.reshape(subject.rows, -1).mean(axis=1)[rows]
    low = min(float(heights.min()), float(truth.min()))
    high = max(float(heights.max()), float(truth.max()), low + 1e-12)
    levels = np.linspace(low, high, 20)
    filled = axes.contourf(*ticks, heights, levels, cmap="viridis")
    x, y = plane.places[rows].T
    how: dict[str, Any] = {"vmin": low, "vmax": high, "cmap": "viridis"}
    axes.scatter(x, y, 14, truth, edgecolors="white", linewidths=0.4, **how)
    figure = axes.figure
    figure.colorbar(filled, ax=axes, label=words(subject.target, 24), format="%.3g")
