"""Pictures of probabilities: ROC, precision and recall, calibration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import whole_number
from fitwell.assessment import ranking
from fitwell.assessment.ranking import Curve, Reliability
from fitwell.plots.panels import (
    PALETTE,
    WIDTH,
    classified,
    distinct,
    legend,
    panel,
    plain,
    with_probabilities,
    words,
)
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_POINTS = 400  # of a curve: more are not seen


def roc(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """True positive rate over false positive rate for every threshold, with the area under it.

    The area is the probability that a row of the class gets a larger probability than one of the
    others; 0.5 is chance. Of more than two classes each is set against the rest, the eight most
    frequent ones.

    Args:
        y_true, labels, path: as for `confusion`.
        y_pred: probabilities, (n,) of the second class or (n, classes).

    Raises:
        InvalidArgument: labels in place of probabilities.

    >>> figure = roc([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> figure.axes[0].get_legend().texts[0].get_text()
    '1: area 0.750'

    Source: Fawcett 2006, doi:10.1016/j.patrec.2005.10.010.
    """
    figures.check_path(path)
    curves = _curves("roc", ranking.roc, y_true, y_pred, labels)
    return figures.finish(draw_roc(curves), path)


def precision_recall(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Precision over recall for every threshold, with the average precision.

    Of a rare class it shows more than `roc`: the dashed line of chance is the share of the class.
    Arguments and errors as for `roc`.

    >>> figure = precision_recall([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> figure.axes[0].get_legend().texts[0].get_text()
    '1: average 0.833'
    """
    figures.check_path(path)
    curves = _curves("precision_recall", ranking.precision_recall, y_true, y_pred, labels)
    return figures.finish(draw_precision_recall(curves), path)


def calibration(
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None = None,
    *,
    bins: int = 10,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """How often what was predicted with probability p comes true: on the diagonal, as often.

    Two classes: the probability of the second. More: that of the predicted class. Points are bins
    of equal width with Wilson's 95 % intervals; the bars below count their rows.

    Args:
        y_true, y_pred, labels, path: as for `roc`.
        bins: >= 1.

    >>> figure = calibration([0, 1, 1, 1], [0.25, 0.75, 0.75, 0.75], bins=2)
    >>> figure.axes[0].get_title()
    'Calibration: expected error 0.250'

    Source: Guo et al. 2017, arXiv:1706.04599.
    """
    figures.check_path(path)
    whole_number("calibration", "bins", bins, 1)
    found = classified("calibration", y_true, y_pred, labels)
    p = with_probabilities("calibration", found)
    bins_found = ranking.of_classes(found.truth, p, bins=bins)
    return figures.finish(draw_calibration(bins_found, probability_of(found.names)), path)


def probability_of(names: Sequence[str]) -> str:
    """What the bins of `ranking.of_classes` are about."""
    return f"probability of {names[1] if len(names) == 2 else 'the predicted class'}"


def one_against_rest(
    kind: Callable[[HostArray, HostArray], Curve],
    truth: HostArray,
    p: HostArray,
    names: Sequence[str],
) -> dict[str, Curve]:
    """A curve for the second of two classes, or for each of the most frequent ones."""
    if p.shape[1] == 2:
        return {names[1]: kind(truth == 1, p[:, 1])}
    order = np.argsort(-np.bincount(truth, minlength=p.shape[1]), kind="stable")
    return {names[i]: kind(truth == i, p[:, i]) for i in sorted(order[: len(PALETTE)])}


def _curves(
    subject: str,
    kind: Callable[[HostArray, HostArray], Curve],
    y_true: Any,
    y_pred: Any,
    labels: Sequence[Any] | None,
) -> dict[str, Curve]:
    found = classified(subject, y_true, y_pred, labels)
    p = with_probabilities(subject, found)
    return one_against_rest(kind, found.truth, p, found.names)


def draw_roc(curves: Mapping[str, Curve]) -> Figure:
    """The picture of ROC curves by name of their class."""
    figure, axes = panel(4.2, title="ROC")
    axes.plot([0, 1], [0, 1], color="#888888", linestyle="--", linewidth=1)
    for name, curve, colour in zip(distinct([*curves], 18), curves.values(), PALETTE, strict=False):
        label = f"{name}: area {curve.area:.3f}"
        axes.plot(*_thinned(curve), color=colour, label=label)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    legend(figure, axes, "lower right")
    return figure


def draw_precision_recall(curves: Mapping[str, Curve]) -> Figure:
    """The picture of precision-recall curves by name of their class."""
    figure, axes = panel(4.2, title="Precision and recall")
    for name, curve, colour in zip(distinct([*curves], 18), curves.values(), PALETTE, strict=False):
        x, y = _thinned(curve)
        label = f"{name}: average {curve.area:.3f}"
        axes.plot(x, y, color=colour, label=label, drawstyle="steps-pre")
        axes.axhline(curve.y[-1], color=colour, linestyle="--", linewidth=0.8)
    axes.set(xlabel="recall", ylabel="precision", ylim=(0, 1.04))
    legend(figure, axes, "lower left")
    return figure


def _thinned(curve: Curve) -> tuple[HostArray, HostArray]:
    if len(curve.x) <= _MOST_POINTS:
        return curve.x, curve.y
    kept = np.unique(np.linspace(0, len(curve.x) - 1, _MOST_POINTS).round().astype(int))
    return curve.x[kept], curve.y[kept]


def draw_calibration(found: Reliability, what: str) -> Figure:
    """The reliability diagram, and the rows of each bin below it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, height_ratios=[3, 1], sharex=True)
    plain(upper, f"Calibration: expected error {found.error:.3f}")
    plain(lower)
    upper.plot([0, 1], [0, 1], color="#888888", linestyle="--", linewidth=1)
    reach = np.maximum([found.observed - found.low, found.high - found.observed], 0)
    how: dict[str, Any] = {"color": figures.TRAINING, "markersize": 4, "capsize": 2}
    upper.errorbar(found.predicted, found.observed, reach, fmt="o-", **how)
    upper.set(ylabel="share that comes true", ylim=(-0.03, 1.03), xlim=(-0.02, 1.02))
    lower.bar(found.predicted, found.counts, width=0.06, color=figures.TRAINING, alpha=0.7)
    lower.set(xlabel=f"predicted {words(what, 40)}", ylabel="rows")
    lower.locator_params(axis="y", nbins=3)
    return figure
