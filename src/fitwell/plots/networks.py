"""The picture of a network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fitwell import figures
from fitwell.plots import boxes, units
from fitwell.plots.blocks import blocks
from fitwell.plots.reading import Built, network_of
from fitwell.tree import size

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def network(model: Built, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draws a network: boxes and arrows, or for a small dense one its units and weights.

    A box says name, kind, output shape and weights. Links that skip layers run beside it; a long
    network continues in the next column, with normalisation and activations in the box of the
    layer before.

    In a chain of dense layers of up to 16 units the circles are units and the links weights:
    green and solid for positive, red and dashed for negative ones, the wider the larger. A unit's
    bias is written into its circle, and colours it.

    Args:
        model: built, that is with a known input shape.
        path: `"network.svg"`, `.png` or `.pdf` to write it to.

    Returns:
        a matplotlib Figure, which notebooks show.

    Raises:
        NotReady: the input shape is not known yet.
        InvalidArgument: a path with another suffix.
        InvalidFile: a folder that is missing or cannot be written to.

    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(4, "tanh"), fw.layers.Dense(1)])
    >>> figure = fw.plots.network(model)
    >>> len(figure.axes[0].patches)  # a circle for each of 2 + 4 + 1 units
    7
    """
    figures.check_path(path)
    graph = network_of("plot", model)
    params, state = model.train_state.params, model.train_state.state
    count = size(params) + size(state)
    title = f"{model.name}: {count:,} weight{'' if count == 1 else 's'}"
    chain = units.dense_chain(graph, params)
    figure = boxes.draw(blocks(graph), title) if chain is None else units.draw(chain, title)
    return figures.finish(figure, path)
