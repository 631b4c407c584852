"""The loss over a plane through the weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import named, whole_number
from fitwell.curvature.asking import Fitted, point_of
from fitwell.errors import InvalidArgument
from fitwell.plots.planes import SUBJECT, curved_plane, random_plane
from fitwell.plots.reading import network_of
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEVELS = 24
_LOG_RANGE = 100.0  # from this ratio of largest to smallest loss on, the levels are logarithmic


@named
def landscape(
    model: Fitted,
    x: Any = None,
    y: Any = None,
    directions: str | None = None,
    span: float = 1.0,
    resolution: int = 25,
    *,
    sample_weight: Any = None,
    batch_size: int | None = None,
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """L(w + a d1 + b d2) as a map, for -span <= a, b <= span: the loss around the weights w.

    L is the loss over all data, in inference, with penalties; w the weights that learn.

    Args:
        model: compiled.
        x, y, sample_weight: arrays, as in `fit`.
        directions: `"random"` (the default): normal numbers, scaled filter by filter to the length
            of the model's own filter, so that maps of different networks compare; biases and other
            weights with one axis stay. `"curvature"`: the two eigenvectors of length 1 with the
            largest and the most negative eigenvalue, or the two most curved if none is negative.
        span: > 0, in lengths of the directions.
        resolution: points on each side, an odd number >= 3; the middle one is the model.
        batch_size: examples per step; only memory and speed depend on it.
        seed: of the random directions.
        path: a file to write, .svg, .png or .pdf.

    Returns:
        a matplotlib Figure: a filled contour plot, with the loss at the centre in its title.

    Raises:
        NotReady: the model is not compiled.
        InvalidArgument: other directions, a span or resolution out of range, fewer than two
            weights; for random directions, no weight with two axes.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> figure = fw.plots.landscape(model, np.eye(2), np.ones((2, 1)), resolution=5)

    Source: Li et al. 2018, arXiv:1712.09913.
    """
    figures.check_path(path)
    network_of(SUBJECT, model)
    _check(directions, span, resolution)
    whole_number(SUBJECT, "seed", seed, 0)
    point = point_of(SUBJECT, model, x, y, sample_weight, batch_size)
    if directions == "curvature":
        vectors, names = curved_plane(model, x, y, sample_weight, batch_size, seed=seed)
    else:
        vectors, names = (
            random_plane(point, seed),
            ("a, along a random direction", "b, along another"),
        )
    ticks = np.linspace(-span, span, resolution)
    b, a = np.meshgrid(ticks, ticks, indexing="ij")
    losses = point.losses(vectors, np.stack([a.ravel(), b.ravel()], axis=1)).reshape(a.shape)
    return figures.finish(_draw(model.name, ticks, losses, names), path)


def _check(directions: Any, span: Any, resolution: Any) -> None:
    if directions not in (None, "random", "curvature"):
        expected = 'directions to be "random", "curvature" or None'
        received = f"directions={directions!r}"
        raise InvalidArgument(SUBJECT, expected, received, "Leave it out for random ones.")
    number = isinstance(span, int | float | np.number) and not isinstance(span, bool)
    if not number or not 0 < span < np.inf:
        cure = "Pass 1.0 to move by about the length of the weights."
        raise InvalidArgument(SUBJECT, "a finite span > 0", f"span={span!r}", cure)
    whole = isinstance(resolution, int | np.integer) and not isinstance(resolution, bool)
    if not whole or resolution < 3 or resolution % 2 == 0:
        received = f"resolution={resolution!r}"
        cure = "With an odd number the middle point is the model: pass 25."
        raise InvalidArgument(SUBJECT, "an odd resolution >= 3", received, cure)


def _draw(title: str, ticks: HostArray, losses: HostArray, names: Sequence[str]) -> Figure:
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.8, 4.6), layout="constrained")
    axes = figure.subplots()
    shown = np.ma.masked_invalid(losses)
    low, high = float(shown.min()), float(shown.max())
    high = max(high, low + 1e-6 * max(abs(low), 1e-6))  # a flat one has levels, too
    decades = low > 0 and high / low > _LOG_RANGE
    spaced, scale = (np.geomspace, LogNorm) if decades else (np.linspace, Normalize)
    levels, norm = spaced(low, high, _LEVELS), scale(low, high)
    filled = axes.contourf(ticks, ticks, shown, levels, norm=norm, cmap="viridis")
    axes.contour(ticks, ticks, shown, levels, colors="white", linewidths=0.4, alpha=0.6)
    axes.plot(0, 0, "o", color="white", markeredgecolor="black", markersize=6)
    figure.colorbar(filled, label="loss", format="%.3g")
    middle = losses[len(ticks) // 2, len(ticks) // 2]
    axes.set_title(f"{title}: loss {middle:.4g} at the centre", size=9.5, weight="bold",
                   parse_math=False)  # fmt: skip
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.locator_params(nbins=5)
    return figure
