"""What the layers make of one example, as images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument
from fitwell.families import family_of
from fitwell.network import Network
from fitwell.plots import tiles
from fitwell.plots.reading import Built, as_image, is_image, network_of, one_example, place_of
from fitwell.programs import predict_program
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SUBJECT = "feature_maps"
_COLUMNS = 8


def feature_maps(
    model: Built,
    x: Any,
    layer: Any = None,
    *,
    most: int = 16,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """The outputs of layers for one example: a map per channel, bright where the channel answers.

    Args:
        model: built, with one input.
        x: one example, with or without the batch axis.
        layer: the name of a layer whose output is (rows, columns, channels), or a list of names;
            None takes every convolution.
        most: how many maps of each layer at most, from the first channel on.
        path: a file to write, .svg, .png or .pdf.

    Returns:
        a matplotlib Figure: the example, then the layers from top to bottom. Each layer's colours
        go from its smallest to its largest value.

    Raises:
        UnknownName: no layer of that name.
        InvalidArgument: a layer whose output is no maps, several inputs, or a wrong `most`.
        InvalidData: several examples.
        ShapeMismatch: an example of another shape than the model's input.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((8, 8, 1)), fw.layers.Conv2D(4, 3), fw.layers.Flatten()])
    >>> figure = fw.plots.feature_maps(model, np.ones((8, 8, 1)))
    >>> [len(axes.images) for axes in figure.axes]
    [1, 4]

    Source: Zeiler & Fergus 2014, arXiv:1311.2901.
    """
    figures.check_path(path)
    network = network_of(_SUBJECT, model)
    most = whole_number(_SUBJECT, "most", most, cure="Pass how many maps.")
    example = one_example(_SUBJECT, network, x)
    places = _places(network, layer)
    part = Network(network.nodes, network.inputs, tuple((i, None) for i in places))
    train = model.train_state
    outputs, _ = predict_program(part.program())(
        train.params, train.state, [example], np.ones(1, np.float32)
    )
    found = {
        network.nodes[i].name: np.asarray(y[0], np.float32)
        for i, y in zip(places, outputs, strict=True)
    }
    return figures.finish(_draw(model.name, example[0], found, most), path)


def _places(network: Network, layer: Any) -> list[int]:
    if layer is None:
        names = [n.name for n in network.nodes if family_of(n.layer) == "convolutions"]
        names = [name for name in dict.fromkeys(names) if _has_maps(network, name)]
        if not names:
            raise InvalidArgument(
                _SUBJECT,
                "a convolution over rows and columns",
                f"none among {', '.join(network.layers)}",
                "Name a layer whose output is (rows, columns, channels).",
            )
    else:
        several = isinstance(layer, Sequence) and not isinstance(layer, str)
        names = list(layer) if several else [layer]
    places = [place_of(_SUBJECT, network, name) for name in names]
    for i in places:
        node = network.nodes[i]
        if not _has_maps(network, node.name):
            raise InvalidArgument(
                f"{_SUBJECT}, layer {node.name} ({type(node.layer).__name__})",
                "an output of (rows, columns, channels)",
                ", ".join(str(shape) for shape, _ in node.out),
                "Name a convolution or a pooling layer.",
            )
    return places


def _has_maps(network: Network, name: str) -> bool:
    out = network.first_use(name).out
    return len(out) == 1 and len(out[0][0]) == 3


def _draw(name: str, example: HostArray, found: dict[str, HostArray], most: int) -> Figure:
    from matplotlib.figure import Figure

    panels: list[tuple[str, list[HostArray], list[str], dict[str, Any]]] = []
    if is_image(example.shape):
        panels.append(("input", [_seen(example)], [""], {"cmap": "gray"}))
    for layer, y in found.items():
        count = y.shape[-1]
        shown = min(count, most)
        of = f"{shown} of {count}" if shown < count else f"{count}"
        size = " x ".join(map(str, y.shape[:2]))
        words = f"{layer}: {of} maps, {size}, from {y.min():.2g} to {y.max():.2g}"
        images = [y[..., c] for c in range(shown)]
        how = {"cmap": "viridis", "vmin": float(y.min()), "vmax": float(y.max())}
        panels.append((words, images, [str(c) for c in range(shown)], how))
    sizes = [tiles.size_of(len(images), _COLUMNS) for _, images, _, _ in panels]
    heights = [tiles.TITLE - tiles.LABEL + high + 0.16 for _, high in sizes]
    width = sizes[0][0] + 2 * tiles.MARGIN
    figure = Figure(figsize=(width, tiles.MARGIN + tiles.TITLE + sum(heights) + tiles.MARGIN))
    tiles.title(figure, f"{name}: feature maps of one example")
    top = tiles.MARGIN + tiles.TITLE
    for (words, images, labels, how), (wide, high), height in zip(
        panels, sizes, heights, strict=True
    ):
        tiles.title(figure, words, top, size=8)
        axes = tiles.place(figure, tiles.MARGIN, top + tiles.TITLE - tiles.LABEL, wide, high)
        tiles.draw_tiles(axes, images, labels, _COLUMNS, **how)
        top += height
    return figure


def _seen(example: HostArray) -> HostArray:
    """An input as it would be looked at: its values from the smallest to the largest."""
    image = as_image(np.asarray(example, np.float32))
    low, high = image.min(), image.max()
    return (image - low) / (high - low if high > low else 1)
