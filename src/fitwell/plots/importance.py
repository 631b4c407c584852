"""What a model rests on: permutation importance and partial dependence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import whole_number
from fitwell.assessment.dependence import Dependence
from fitwell.assessment.dependence import partial_dependence as dependence_of
from fitwell.assessment.reading import subject_of
from fitwell.assessment.shuffling import Importance, importances
from fitwell.assessment.subject import Feature, Subject
from fitwell.errors import InvalidArgument, UnknownName, did_you_mean
from fitwell.plots.panels import PALETTE, counted, distinct, legend, panel, words
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TICKS = 150  # of rows at the bottom of a partial dependence
_SPREAD = 0.1  # between the classes of a category, whose width is 1


def importance(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    repeats: int = 5,
    most: int = 20,
    names: Sequence[str] | None = None,
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """I_j = score with column j shuffled among the rows - score: how much worse it gets.

    The score is RMSE for numbers and log loss for classes, on the rows that are passed: take rows
    that the model did not learn from. Lines are 95 % intervals over rows and shuffles: a column
    whose line crosses 0 may not matter. Columns that say the same share their importance.

    Args:
        model: compiled, or what `fitwell.tabular` returns: its raw columns are shuffled.
        X, y: as `evaluate` takes them; for a model of tables, a table with the target in it. Of
            sequences, channels are shuffled; of several inputs, each as a whole.
        repeats: shuffles of each column, >= 1.
        most: how many columns at most, the most important first.
        names: of the columns of an array.
        seed: of the shuffles.
        path: a file to write, .svg, .png or .pdf.

    Raises:
        InvalidArgument: no model, or one with nothing to shuffle, such as a model of images.

    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> figure = importance(model, np.eye(2), [1.0, 2.0], names=["age", "size"])
    >>> sorted(tick.get_text() for tick in figure.axes[0].get_yticklabels())
    ['age', 'size']

    Source: Breiman 2001, doi:10.1023/A:1010933404324; Fisher, Rudin & Dominici 2019,
    arXiv:1801.01489.
    """
    figures.check_path(path)
    whole_number("importance", "repeats", repeats, 1)
    whole_number("importance", "most", most, 1)
    subject = _with_features("importance", subject_of("importance", model, X, y, names=names))
    found, _ = importances(subject, repeats=repeats, seed=seed)
    return figures.finish(draw_importance(found[:most], subject.loss_name), path)


def partial_dependence(
    model: Any,
    X: Any,
    y: Any = None,
    feature: str | int = 0,
    *,
    names: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """PD(v) = mean over the rows of the prediction with one column set to v.

    Other columns stay as they are in the data, so combinations that do not occur are asked, too.
    The band holds the predictions of 80 % of the rows. Of more than eight classes, those that move
    most.

    Args:
        model, X, y, names, path: as for `importance`.
        feature: the name of a column, or its place.

    Raises:
        UnknownName: there is no such column.

    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> figure = partial_dependence(model, np.eye(2), [1.0, 2.0], 1)
    >>> figure.axes[0].get_xlabel()
    'X[:, 1]'

    Source: Friedman 2001, doi:10.1214/aos/1013203451.
    """
    figures.check_path(path)
    caller = "partial_dependence"
    subject = _with_features(caller, subject_of(caller, model, X, y, names=names))
    found = dependence_of(subject, _chosen(caller, subject, feature))
    return figures.finish(draw_dependence(found, subject.task, subject.classes), path)


def _with_features(caller: str, subject: Subject) -> Subject:
    if subject.features:
        return subject
    cure = "Look at fw.plots.maximal_input and feature_maps instead."
    raise InvalidArgument(caller, "columns to shuffle", subject.unshuffled.rstrip("."), cure)


def _chosen(caller: str, subject: Subject, feature: str | int) -> Feature:
    names = [each.name for each in subject.features]
    if isinstance(feature, int) and -len(names) <= feature < len(names):
        found = subject.features[feature]
    elif feature in names:
        found = subject.features[names.index(str(feature))]
    else:
        cure = did_you_mean(str(feature), names)
        raise UnknownName(caller, "the name or place of a column", repr(feature), cure)
    if found.values is None:
        cure = "Choose a column of numbers, categories, truth values or dates."
        raise InvalidArgument(caller, "a column with values", found.name, cure)
    return found


def draw_importance(found: Sequence[Importance], loss: str) -> Figure:
    """Bars with intervals, the most important on top."""
    figure, axes = panel(0.9 + 0.28 * max(len(found), 2), title="What the predictions rest on")
    places = np.arange(len(found))
    values = np.array([one.value for one in found])
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
    axes.barh(places, values, color=figures.TRAINING, alpha=0.7, height=0.65)
    axes.hlines(places, low, high, color="#888888", linewidth=1.6)
    axes.axvline(0, color="#888888", linewidth=1)
    axes.set_yticks(places, distinct([one.name for one in found], 22))
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"{loss} gets worse by")
    counted(axes.xaxis)
    return figure


def draw_dependence(found: Dependence, task: str, classes: Sequence[str]) -> Figure:
    """Lines or bars, with the data below them."""
    figure, axes = panel(3.2)
    several = found.mean.shape[1] > 1
    drawn = _moved_most(found)
    names = distinct([classes[k] for k in drawn], 16) if several else [None]
    for place, (k, name) in enumerate(zip(drawn, names, strict=True)):
        how = {"color": PALETTE[place], "label": name}
        if found.ordered:
            _line(axes, found, k, how)
        else:
            _points(axes, found, k, how, _SPREAD * (place - (len(drawn) - 1) / 2))
    if several:
        legend(figure, axes)
    what = f"p({classes[1]})" if task == "binary" else "probability" if several else "prediction"
    axes.set(xlabel=words(found.name, 40), ylabel=f"mean {words(what, 24)}")
    return figure


def _moved_most(found: Dependence) -> HostArray:
    """The classes that are drawn: all, or of many those that the feature moves most."""
    reach = np.ptp(found.mean, axis=0)
    return np.sort(np.argsort(-reach, kind="stable")[: len(PALETTE)])


def _line(axes: Axes, found: Dependence, k: int, how: Mapping[str, Any]) -> None:
    from matplotlib.ticker import MaxNLocator

    few = len(found.values) <= 30
    axes.plot(found.values, found.mean[:, k], marker="o" if few else "", markersize=3, **how)
    if found.mean.shape[1] == 1:
        band: dict[str, Any] = {"color": how["color"], "alpha": 0.15, "linewidth": 0}
        axes.fill_between(found.values, found.low[:, k], found.high[:, k], **band)
    counted(axes.yaxis)
    if not isinstance(found.values[0], int | float):
        axes.tick_params(axis="x", rotation=30)
        return
    axes.plot(found.counts[:_TICKS], np.zeros(min(len(found.counts), _TICKS)), "|",
              transform=axes.get_xaxis_transform(), color="#888888", alpha=0.5)  # fmt: skip
    counted(axes.xaxis)
    if all(float(value).is_integer() for value in found.values):
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _points(axes: Axes, found: Dependence, k: int, how: Mapping[str, Any], shift: float) -> None:
    places = np.arange(len(found.values)) + shift
    reach = [found.mean[:, k] - found.low[:, k], found.high[:, k] - found.mean[:, k]]
    bars: dict[str, Any] = {"fmt": "o", "markersize": 5, "elinewidth": 4, **how}
    drawn = axes.errorbar(places, found.mean[:, k], np.maximum(reach, 0), **bars)
    for one in drawn.lines[2]:
        one.set_alpha(0.25)
    names = [
        f"{words(value, 14)}\n{count:,}"
        for value, count in zip(found.values, found.counts, strict=True)
    ]
    crowded = sum(len(name) for name in names) > 60
    axes.set_xticks(np.arange(len(names)), names, rotation=45 if crowded else 0, size="small")
