"""A small dense network unit by unit: circles for units, links for weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.layers import Dense, Dropout
from fitwell.layers.base import is_plain_function
from fitwell.layers.inputs import InputLayer
from fitwell.network import Network
from fitwell.plots import tiles
from fitwell.summary import kind_of
from fitwell.types import HostArray, Params

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_UNITS = 16
_MOST_LAYERS = 8
_ACROSS, _DOWN = 1.9, 0.62  # from layer to layer, from unit to unit, in inches
_WIDER = 0.08  # per unit of the largest layer, where more links cross
_RADIUS = 0.19
_THINNEST, _THICKEST = 0.4, 4.0  # points
_TOP, _BELOW, _ROOM = 0.75, 0.75, 1.15  # above, below and beside: title, scale, names
_LINE = 0.16  # from a line of text to the next
_LONGEST = 24  # characters that fit between layers


@dataclass(frozen=True)
class DenseLayer:
    """A column of the picture: its weights (None for the inputs) and what is written below it."""

    units: int
    lines: tuple[str, ...]
    kernel: HostArray | None = None
    bias: HostArray | None = None


def dense_chain(network: Network, params: Params) -> list[DenseLayer] | None:
    """The columns, or None for a network that is no chain of small dense layers."""
    chain = network.nodes
    if len(network.inputs) != 1 or [ref[0] for ref in network.outputs] != [len(chain) - 1]:
        return None
    found: list[DenseLayer] = []
    for i, node in enumerate(chain):
        if [ref[0] for ref in node.inputs] != ([i - 1] if i else []) or len(node.out) != 1:
            return None
        ((shape, dtype),) = node.out
        if len(shape) != 1 or not dtype.startswith("float"):
            return None
        if isinstance(node.layer, InputLayer):
            found.append(DenseLayer(shape[0], (node.name,)))
        elif type(node.layer) is Dense:
            own = {k: np.asarray(a, np.float64) for k, a in params[node.name].items()}
            name = (node.name, kind_of(node.layer))
            found.append(DenseLayer(shape[0], name, own["kernel"], own.get("bias")))
        elif isinstance(node.layer, Dropout) or is_plain_function(node.layer):
            before = found[-1]
            lines = (*before.lines, kind_of(node.layer))
            found[-1] = DenseLayer(before.units, lines, before.kernel, before.bias)
        else:
            return None
    small = max(layer.units for layer in found) <= _MOST_UNITS
    return found if small and 2 <= len(found) <= _MOST_LAYERS else None


def draw(layers: list[DenseLayer], title: str) -> Figure:
    """The figure: layers from left to right, every link and every bias in its colour."""
    from matplotlib.figure import Figure

    most = max(layer.units for layer in layers)
    across = _ACROSS + _WIDER * most
    width = (len(layers) - 1) * across + 2 * _ROOM
    lines = max(len(layer.lines) for layer in layers)
    height = _TOP + most * _DOWN + 0.35 + lines * _LINE + _BELOW
    figure = Figure(figsize=(max(width, 4.6), height))
    left = (figure.get_figwidth() - width) / 2 + _ROOM
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(height, 0))
    axes.set_axis_off()
    axes.text(0.25, 0.25, title, size=9.5, weight="bold", va="top", parse_math=False)
    middle = _TOP + most * _DOWN / 2
    arrays = [a.ravel() for each in layers for a in (each.kernel, each.bias) if a is not None]
    largest = tiles.largest(np.concatenate(arrays))
    places = [_column(left + k * across, middle, layer.units) for k, layer in enumerate(layers)]
    for k in range(1, len(layers)):
        _links(axes, layers[k], places[k - 1], places[k], largest)
    for layer, place in zip(layers, places, strict=True):
        _circles(axes, layer, place, largest)
        _words(axes, layer.lines, place[0, 0], _TOP + most * _DOWN + 0.2)
    bar = tiles.place(figure, figure.get_figwidth() / 2 - 1.6, height - 0.5, 3.2, 0.1)
    tiles.scale(bar, largest, "weights: links (negative ones dashed), biases: circles")
    return figure


def _words(axes: Axes, lines: tuple[str, ...], x: float, y: float) -> None:
    """Name and kind of a layer, below its units."""
    for i, line in enumerate(lines):
        short = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
        how: dict[str, Any] = {"weight": "normal" if i else "bold", "parse_math": False}
        axes.text(x, y + i * _LINE, short, size=8, ha="center", va="center", **how)


def _column(x: float, middle: float, units: int) -> HostArray:
    y = middle + (np.arange(units) - (units - 1) / 2) * _DOWN
    return np.column_stack([np.full(units, x), y])


def _links(
    axes: Axes, layer: DenseLayer, before: HostArray, after: HostArray, largest: float
) -> None:
    from matplotlib.collections import LineCollection

    assert layer.kernel is not None
    order = np.argsort(np.abs(layer.kernel), axis=None)  # the strongest on top
    starts, ends = np.unravel_index(order, layer.kernel.shape)
    values = layer.kernel.ravel()[order] / largest
    values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0)
    axes.add_collection(
        LineCollection(
            list(np.stack([before[starts], after[ends]], axis=1)),
            colors=figures.diverging()((values + 1) / 2),
            linewidths=_THINNEST + (_THICKEST - _THINNEST) * np.abs(values),
            linestyles=["solid" if v >= 0 else (0, (4, 1.2)) for v in values],
            zorder=1,
            label=layer.lines[0],
        )
    )


def _circles(axes: Axes, layer: DenseLayer, places: HostArray, largest: float) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Circle

    for i, (x, y) in enumerate(places):
        fill: Any = "white"
        words = f"x{i + 1}" if layer.kernel is None else ""
        if layer.bias is not None:
            value = layer.bias[i] / largest
            fill = figures.diverging()((np.nan_to_num(value, nan=0.0) + 1) / 2)
            words = f"{layer.bias[i]:.2g}".replace("-", "−")
        circle = Circle((x, y), _RADIUS, facecolor=fill, edgecolor="#444444", zorder=2)
        axes.add_patch(circle)
        colour = "white" if sum(to_rgb(fill)) < 1.6 else "#222222"
        axes.text(x, y, words, size=7, ha="center", va="center", color=colour, zorder=3)
