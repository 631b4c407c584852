"""A network as boxes and arrows."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fitwell.plots.blocks import Block
from fitwell.plots.layout import MARGIN, Link, Point, plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE, _SMALL = 8.5, 7.5  # of text, in points
_LINE = 0.155  # from a line of text to the next, in inches
_PADDING = 0.11
_INK, _ARROW = "#222222", "#555555"
_FILLS = {
    "inputs": "#EDEDED",
    "convolutions": "#D6E6F4",
    "dense": "#DCEFD9",
    "recurrent": "#EADCF2",
    "attention": "#FBE3D0",
    "embeddings": "#FDF3C7",
    "normalization": "#F7F7F7",
    "others": "#FFFFFF",
}


def draw(blocks: list[Block], title: str) -> Figure:
    """The figure of a network's boxes, in its natural size."""
    from matplotlib.figure import Figure

    box = _box_size(blocks)
    placed = plan([b.sources for b in blocks], box, top=2 * _LINE)
    width = max(placed.width, _width(title, _SIZE + 1, bold=True) + 2 * MARGIN)
    figure = Figure(figsize=(width, placed.height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(placed.height, 0))
    axes.set_axis_off()
    bold: dict[str, Any] = {"size": _SIZE + 1, "weight": "bold", "parse_math": False}
    axes.text(MARGIN, MARGIN, title, va="top", color=_INK, **bold)
    for link in placed.links:
        _arrow(axes, link)
    for fold in placed.folds:
        xs, ys = zip(*fold, strict=True)
        axes.plot(xs, ys, color=_ARROW, linewidth=1, solid_joinstyle="round", gid="fold")
    for block, centre in zip(blocks, placed.centres, strict=True):
        _box(axes, block, centre, box)
    return figure


def _box_size(blocks: list[Block]) -> Point:
    widest = max(
        _width(line, _SIZE if k == 0 else _SMALL, bold=k == 0)
        for block in blocks
        for k, line in enumerate(block.lines)
    )
    most = max(len(block.lines) for block in blocks)
    return widest + 2 * _PADDING, most * _LINE + _PADDING


@functools.lru_cache(maxsize=4096)
def _width(text: str, size: float, *, bold: bool = False) -> float:
    """Of a line of text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(weight="bold" if bold else "normal", size=size)
    return (
        float(TextPath((0, 0), text.replace("$", "S"), size=size, prop=font).get_extents().x1) / 72
    )


def _box(axes: Axes, block: Block, centre: Point, size: Point) -> None:
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = centre, size
    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=_FILLS[block.family],
        edgecolor="#888888",
        linewidth=0.8,
        gid=block.lines[0],
    )
    axes.add_patch(shape)
    first = y - (len(block.lines) - 1) * _LINE / 2
    for k, line in enumerate(block.lines):
        axes.text(
            x,
            first + k * _LINE,
            line,
            size=_SMALL if k else _SIZE,
            weight="normal" if k else "bold",
            ha="center",
            va="center_baseline",
            color=_INK,
            parse_math=False,
        )


def _arrow(axes: Axes, link: Link) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(
            path=_path(link),
            arrowstyle="-|>,head_length=3.4,head_width=1.7",
            color=_ARROW,
            linewidth=1,
            shrinkA=0,
            shrinkB=0,
            gid=f"{link.source}-{link.target}",
        )
    )


def _path(link: Link) -> Any:
    """Straight lines and, where x changes, curves that begin and end upright."""
    from matplotlib.path import Path

    vertices, codes = [link.points[0]], [Path.MOVETO]
    for (x, y), (x_next, y_next) in pairwise(link.points):
        if abs(x - x_next) < 1e-6:
            vertices.append((x_next, y_next))
            codes.append(Path.LINETO)
        else:
            middle = (y + y_next) / 2
            vertices += [(x, middle), (x_next, middle), (x_next, y_next)]
            codes += [Path.CURVE4] * 3
    return Path(vertices, codes)
