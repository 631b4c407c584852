"""Layers over the time of a fit, and what shows that a finding is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import curves, figures
from fitwell.plots.panels import PALETTE, counted, legend, panel, words
from fitwell.report.study import Course

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Records = Sequence[Mapping[str, Any]]
Pair = Mapping[str, tuple[list[int], list[float]]]

_MOST_LAYERS = 8
_LOG_RANGE = 100.0
_USUAL = (1e-4, 1e-1)
_LEAST_UPDATE = 1e-6  # of the weights: what is less is nothing

_QUANTITIES = {
    "update_ratio": "How far a step moves the weights of a layer, relative to their size. Usual is "
    "1e-4 to 1e-1 (the band): below it learns slowly, above it jumps.",
    "gradient_norm": "The length of the gradient of each layer. Layers far below the others hardly "
    "learn.",
    "activation_rms": "The size of each layer's outputs: it should neither vanish nor explode from "
    "layer to layer.",
    "weight_norm": "The length of the weights of each layer.",
    "dead": "The share of units that are 0 for every row: they no longer learn.",
    "saturated": "The share of outputs where the activation is flat: no gradient comes through.",
    "constant": "The share of units that say the same for every row.",
}
"""What is drawn of the records of layers, and how it is read."""

_SHOWN_BY_LAYERS = {
    "dying_relu": "dead",
    "saturation": "saturated",
    "vanishing_gradient": "gradient_norm",
    "exploding_gradient": "gradient_norm",
    "exploding_activation": "activation_rms",
}
_SHOWN_BY_LOSS = {
    "lr_too_high", "lr_too_low", "nan", "oscillating_loss", "slow_convergence", "loss_increasing",
    "high_initial_loss", "too_few_epochs", "underfitting", "overfitting",
}  # fmt: skip


def layers(records: Records) -> list[tuple[Callable[[], Figure], str]]:
    """A picture per quantity that was seen at several moments, with its caption."""
    found: list[tuple[Callable[[], Figure], str]] = []
    for name, caption in _QUANTITIES.items():
        lines = _lines_of(records, name)
        if lines and any(value for line in lines.values() for _, value in line):
            found.append((partial(_draw, name, lines), caption))
    return found


def _lines_of(records: Records, name: str) -> dict[str, list[tuple[float, float]]]:
    """By layer: (step, value) where it is known; empty if there is but one moment."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        value = record.get(name)
        if isinstance(value, int | float) and np.isfinite(value):
            moment = float(record.get("step", record.get("epoch", 0)))
            lines.setdefault(str(record.get("layer", "")), []).append((moment, float(value)))
    return lines if any(len(line) > 1 for line in lines.values()) else {}


def _draw(name: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    figure, axes = panel(3.3, title=name.replace("_", " ").capitalize())
    for (layer, line), colour in zip(list(lines.items())[:_MOST_LAYERS], PALETTE, strict=False):
        xs, ys = np.array(line).T
        axes.plot(xs, ys, color=colour, label=words(layer, 16), marker="o", markersize=3)
    values = np.array([y for line in lines.values() for _, y in line])
    wide = values.min() > 0 and values.max() / values.min() > _LOG_RANGE
    moved = values[values > 0]
    if name == "update_ratio" and len(moved):  # 0 where the rate is, at the ends of a schedule
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(float(moved.min()), _LEAST_UPDATE) / 2)
    elif wide:
        axes.set_yscale("log")
    else:
        counted(axes.yaxis)
    if name == "update_ratio":
        axes.axhspan(*_USUAL, color="#888888", alpha=0.12, linewidth=0)
    counted(axes.xaxis)
    axes.set_xlabel("step")
    legend(figure, axes)
    return figure


def shown_by(finding: Any, course: Course) -> Callable[[], Figure] | None:
    """What draws the evidence of a finding: its layers, the loss, or its numbers side by side."""
    quantity = _SHOWN_BY_LAYERS.get(finding.code)
    lines = _lines_of(course.layers, quantity) if quantity else {}
    if quantity and lines:
        return partial(_draw, quantity, lines)
    losses = {name: curve for name, curve in course.curves.items() if name in ("loss", "val_loss")}
    if finding.code in _SHOWN_BY_LOSS and any(np.isfinite(v).any() for _, v in losses.values()):
        return partial(curve, losses, None)
    numbers = _comparable(finding)
    return partial(_bars, numbers) if numbers else None


def curve(pair: Pair, best: int | None) -> Figure:
    """A quantity over the epochs, with the epoch whose weights were kept."""
    figure = curves.draw(pair)
    figure.set_size_inches(5.0, 3.2)
    (axes, *_) = figure.axes
    axes.set_title(axes.get_title(), size=10, weight="bold")
    if best:
        axes.axvline(best, color="#888888", linestyle="--", linewidth=1)
    return figure


def _comparable(finding: Any) -> list[Any]:
    """The numbers of the evidence, if they are of one unit, or all shares of a whole."""
    finite = [
        one for one in finding.evidence if not isinstance(one.value, str) and np.isfinite(one.value)
    ]
    one_unit = len({one.unit for one in finite}) == 1
    shares = all(0 <= one.value <= 1 for one in finite)
    return finite if len(finite) > 1 and one_unit and (finite[0].unit or shares) else []


def _bars(numbers: Sequence[Any]) -> Figure:
    import textwrap

    values = np.array([float(one.value) for one in numbers])
    figure, axes = panel(0.8 + 0.5 * len(numbers))
    places = np.arange(len(numbers))
    axes.barh(places, values, color=figures.VALIDATION, alpha=0.7, height=0.6)
    if values.min() > 0 and values.max() / values.min() > _LOG_RANGE:
        axes.set_xscale("log")
    else:
        counted(axes.xaxis)
    labels = [textwrap.wrap(words(one.what, 60), 26) for one in numbers]
    axes.set_yticks(places, ["\n".join(lines) for lines in labels], size="small")
    axes.set_ylim(len(numbers) - 0.5, -0.5)
    axes.set_xlabel(numbers[0].unit)
    return figure
