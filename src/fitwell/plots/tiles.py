"""Small images side by side: filters, feature maps, inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILE = 0.72  # of one image, in inches
LABEL = 0.17  # room above it
TITLE = 0.34  # room above all
MARGIN = 0.15
SCALE = 0.62  # room below for the colours in numbers


def largest(values: HostArray) -> float:
    """The size of the largest finite number; 1 if there is none but zeros."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0)) or 1.0


def colours(values: HostArray, most: float) -> HostArray:
    """Red, green and blue: signed numbers around grey, or in the diverging colours."""
    if values.ndim == 3:
        return np.clip(0.5 + 0.5 * np.nan_to_num(values) / most, 0, 1)
    return np.asarray(figures.diverging()((np.nan_to_num(values) / most + 1) / 2))[..., :3]


def draw_tiles(
    axes: Axes, images: Sequence[HostArray], labels: Sequence[str], columns: int, **how: Any
) -> None:
    """Images in rows, each with its label above it; `how` goes to `imshow`.

    An image that is not square keeps its shape; the longer side fills the tile.
    """
    rows = -(-len(images) // columns)
    pitch = TILE + LABEL
    axes.set(xlim=(0, columns * pitch), ylim=(rows * pitch, 0), aspect="equal")
    axes.set_axis_off()
    for k, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = (k % columns) * pitch, (k // columns) * pitch + LABEL
        high, wide = np.array(image.shape[:2]) * TILE / max(image.shape[:2])
        x, y = left + (TILE - wide) / 2, top + (TILE - high) / 2
        axes.imshow(image, extent=(x, x + wide, y + high, y), interpolation="nearest", **how)
        axes.text(left + TILE / 2, top - 0.03, label, size=6.5, ha="center", va="bottom")
    axes.set(xlim=(0, columns * pitch), ylim=(rows * pitch, 0))


def size_of(count: int, columns: int) -> tuple[float, float]:
    """Width and height of the tiles in inches."""
    return columns * (TILE + LABEL), -(-count // columns) * (TILE + LABEL)


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes by inches from the upper left corner."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))


def title(figure: Figure, words: str, top: float = MARGIN, size: float = 9.5) -> None:
    """A line of text by inches from the upper edge."""
    wide, high = figure.get_size_inches()
    figure.text(
        MARGIN / wide, 1 - top / high, words, size=size, weight="bold", va="top", parse_math=False
    )


def scale(axes: Axes, most: float, words: str) -> None:
    """The diverging colours in numbers, from -most to most, in axes of their own."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shown = ScalarMappable(Normalize(-most, most), figures.diverging())
    axes.figure.colorbar(shown, cax=axes, orientation="horizontal", ticks=[-most, 0, most])
    axes.set_xticklabels([f"−{most:.2g}", "0", f"{most:.2g}"])
    axes.tick_params(labelsize=7, length=2)
    axes.set_title(words, size=7.5, pad=3)
