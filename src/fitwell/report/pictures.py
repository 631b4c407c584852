"""From the numbers of a Study to the pictures of its page."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fitwell.assessment.measures import LOWER_IS_BETTER
from fitwell.plots.classes import draw_confusion
from fitwell.plots.importance import draw_dependence, draw_importance
from fitwell.plots.panels import PALETTE, counted, panel, words
from fitwell.plots.residuals import draw_agreement, draw_residuals
from fitwell.plots.thresholds import draw_calibration, draw_precision_recall, draw_roc
from fitwell.report import health, svg
from fitwell.report.study import Course, Judgement, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_FEATURES = 20
_WIDE = 6.0  # inches


@dataclass(frozen=True)
class Picture:
    """One figure of the page.

    Attributes:
        svg: the element, or "" if it would be too large.
        caption: what it shows and how it is read.
        paper: whether it keeps the colours of paper, turned around on a dark page.
        wide: whether it needs the whole width, and scrolls on a phone.
    """

    svg: str
    caption: str
    paper: bool = False
    wide: bool = False


NONE = Picture("", "")

Pictures = Mapping[str, Sequence[Picture]]
"""By section of the page."""

Drawn: TypeAlias = "Iterator[tuple[Callable[[], Figure], str]]"
"""What draws a figure, and its caption."""


def pictures(study: Study, key: str = "") -> Pictures:
    """All of them; `key` tells the studies of a page apart."""
    sections: dict[str, Drawn] = {
        "scores": _scores(study),
        "course": _course(study.course),
        "errors": _errors(study.judgement),
        "reliance": _reliance(study),
        "layers": iter(health.layers(study.course.layers)),
    }
    found = {
        name: [_picture(f"{key}{name}{i}", *one) for i, one in enumerate(several)]
        for name, several in sections.items()
    }
    found["findings"] = [
        _picture(f"{key}finding{i}", draw, "")
        if (draw := health.shown_by(one, study.course))
        else NONE
        for i, one in enumerate(study.course.findings)
    ]
    caption = "The network, from its inputs to its outputs."
    found["network"] = [_picture(f"{key}network", study.model.plot, caption, paper=True)]
    return found


def _picture(key: str, draw: Callable[[], Figure], caption: str, *, paper: bool = False) -> Picture:
    with svg.themed(paper), warnings.catch_warnings():
        # Measured with a font that lacks a letter; the reader's browser has it.
        warnings.filterwarnings("ignore", message=r"(?s).*Glyph .* missing from font")
        figure = draw()
        text = svg.inline(figure, key, caption)
    wide = figure.get_figwidth() > _WIDE
    return Picture(text if len(text) <= svg.MOST_BYTES else "", caption, paper, wide)


def _scores(study: Study) -> Drawn:
    name = next(iter(study.judgement.scores))
    if study.baselines:
        better = "lower" if name in LOWER_IS_BETTER else "higher"
        yield (
            partial(_compared, study, name),
            f"{name}, {better} is better. The line is the 95 % interval of the network: a "
            "bootstrap over the rows (1,000 resamples, fewer for many rows).",
        )


def _compared(study: Study, name: str) -> Figure:
    """Dots for the network and the baselines, with the network's interval."""
    value, low, high = study.judgement.scores[name]
    rows = [("network", value)]
    rows += [(other, scores[name]) for other, scores in study.baselines.items() if name in scores]
    figure, axes = panel(0.8 + 0.36 * len(rows), title=name)
    places = np.arange(len(rows))
    axes.hlines(0, low, high, color=PALETTE[0], linewidth=4, alpha=0.4)
    colours = [PALETTE[0], *[PALETTE[1]] * (len(rows) - 1)]
    for place, (_, number), colour in zip(places, rows, colours, strict=True):
        axes.plot(number, place, "o", color=colour, markersize=7)
    axes.axvspan(low, high, color=PALETTE[0], alpha=0.08, linewidth=0)
    axes.set_yticks(places, [words(label) for label, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.1)
    counted(axes.xaxis)
    return figure


def _course(course: Course) -> Drawn:
    """A panel per quantity, with the epoch whose weights were kept."""
    quantities = dict.fromkeys(name.removeprefix("val_") for name in course.curves)
    kept = f" The dashed line is the best epoch, {course.best}." if course.best else ""
    for quantity in quantities:
        pair = {n: c for n, c in course.curves.items() if n.removeprefix("val_") == quantity}
        if any(values and np.isfinite(values).any() for _, values in pair.values()):
            caption = f"{quantity.replace('_', ' ').capitalize()} over the epochs.{kept}"
            yield partial(health.curve, pair, course.best), caption


def _errors(judgement: Judgement) -> Drawn:
    counts, classes = judgement.confusion, judgement.classes
    if counts is not None:
        yield (
            partial(draw_confusion, counts, classes),
            "Rows are true classes, columns predicted ones. Blue is right, red is wrong: the "
            "deeper, the larger the share of the row.",
        )
    few = len(judgement.roc) < len(classes)
    some = " The eight most frequent classes." if few and len(classes) > 2 else ""
    if judgement.roc:
        yield (
            partial(draw_roc, judgement.roc),
            "How many of a class are found over how many others are taken for it, for every "
            f"threshold. The diagonal is chance.{some}",
        )
    if judgement.precision_recall:
        yield (
            partial(draw_precision_recall, judgement.precision_recall),
            "The share of finds that are right over the share that is found. The dashed line is "
            "chance. For rare classes this says more than ROC.",
        )
    if judgement.calibration is not None:
        what, bins = judgement.calibration
        yield (
            partial(draw_calibration, bins, what),
            "On the diagonal, what is said with 70 % comes true in 70 % of the rows. Lines are "
            "95 % intervals (Wilson), bars count the rows.",
        )
    if judgement.residuals is not None:
        yield from _residuals(*judgement.residuals)


def _residuals(truth: Any, predicted: Any) -> Drawn:
    def drawn(draw: Callable[..., None], height: float) -> Figure:
        figure, axes = panel(height)
        draw(axes, truth, predicted)
        return figure

    yield (
        partial(drawn, draw_agreement, 4.2),
        "Each dot is a row (a sample of 800 of many); on the diagonal the prediction is right.",
    )
    yield (
        partial(drawn, draw_residuals, 3.4),
        "How far predictions are off, 99.5 % of the rows. Around 0 and narrow is good.",
    )


def _reliance(study: Study) -> Drawn:
    reliance = study.reliance
    shown = reliance.importances[:_MOST_FEATURES]
    if shown:
        more = len(reliance.importances) - len(shown)
        others = f" {more} more columns matter less." if more else ""
        yield (
            partial(draw_importance, shown, reliance.loss),
            f"How much worse {reliance.loss} gets when a column is shuffled: on {reliance.rows:,} "
            f"rows, mean of {reliance.repeats} shuffles. Lines are 95 % intervals (bootstrap over "
            f"rows and shuffles). Columns that say the same share their importance.{others}",
        )
    judgement = study.judgement
    many = len(judgement.classes) > len(PALETTE)
    which = " Of the classes the eight that it moves most." if many else ""
    for one in reliance.dependences:
        yield (
            partial(draw_dependence, one, judgement.task, judgement.classes),
            f"The mean prediction if {one.name} had this value in every row and all else stayed "
            f"as it is. The band holds 80 % of the rows.{which}",
        )
