"""The weights of a layer as images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell import figures
from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument
from fitwell.families import family_of
from fitwell.layers import LocallyConnected1D, LocallyConnected2D
from fitwell.network import Network, Node
from fitwell.plots import tiles
from fitwell.plots.reading import (
    Built,
    as_image,
    checked_image,
    image_shape,
    network_of,
    place_of,
)
from fitwell.types import HostArray, Params, Shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SUBJECT = "filters"
_COLUMNS, _MOST_COLUMNS = 8, 16
_NARROWEST = 4.4  # inches, for the title


def filters(
    model: Built,
    layer: Any = None,
    *,
    shape: Sequence[int] | None = None,
    most: int = 64,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """What the units of a layer look for: each unit's kernel as an image.

    A unit answers strongest to inputs that look like its weights: green is positive, red negative,
    zero nearly white. Kernels that see red, green and blue are shown in these colours around grey.
    Kernels on more channels are shown channel by channel, labelled filter.channel.

    Args:
        model: built.
        layer: the name of a convolution, or of a Dense layer whose input is an image; None takes
            the first there is.
        shape: (rows, columns) or (rows, columns, channels) of what a Dense layer sees, where the
            network takes images as rows of numbers.
        most: how many images at most.
        path: a file to write, .svg, .png or .pdf.

    Returns:
        a matplotlib Figure.

    Raises:
        UnknownName: no layer of that name.
        InvalidArgument: a layer without kernels that can be shown as images, or a wrong `most`.
        ShapeMismatch: a shape of another number of pixels than the layer has inputs.

    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((8, 8, 1)), fw.layers.Conv2D(4, 3), fw.layers.Flatten()])
    >>> len(fw.plots.filters(model).axes[0].images)
    4

    Source: Zeiler & Fergus 2014, arXiv:1311.2901.
    """
    figures.check_path(path)
    network, params = network_of(_SUBJECT, model), model.train_state.params
    most = whole_number(_SUBJECT, "most", most, cure="Pass how many images.")
    if layer is None:
        node, kernels = _first(network, params, shape)
    else:
        node = network.nodes[place_of(_SUBJECT, network, layer)]
        kernels = _kernels(network, node, params, shape)
    return figures.finish(_draw(node, kernels, most), path)


def _first(network: Network, params: Params, shape: Any) -> tuple[Node, HostArray]:
    for node in network.nodes:
        if _kernel(node, params) is not None and (
            family_of(node.layer) == "convolutions" or shape or image_shape(network, node)
        ):
            return node, _kernels(network, node, params, shape)
    raise InvalidArgument(
        _SUBJECT,
        "a convolution, or a Dense layer on images",
        f"neither among {', '.join(network.layers)}",
        "For a network that takes images as rows of numbers pass shape=(rows, columns).",
    )


def _kernel(node: Node, params: Params) -> HostArray | None:
    """The kernel that is an image, or a row of pixels, for each unit; None if there is none."""
    own, family = params.get(node.name, {}), family_of(node.layer)
    local = isinstance(node.layer, LocallyConnected1D | LocallyConnected2D)
    if local or family not in ("convolutions", "dense"):
        return None
    if "depthwise" in own:  # each channel has filters of its own
        kernel = np.asarray(own["depthwise"], np.float32)
        kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    elif isinstance(own.get("kernel", {}), dict):
        return None
    else:
        kernel = np.asarray(own["kernel"], np.float32)
    return kernel if kernel.ndim in ((3, 4) if family == "convolutions" else (2,)) else None


def _kernels(network: Network, node: Node, params: Params, shape: Any) -> HostArray:
    """(rows, columns, channels, units)."""
    kernel = _kernel(node, params)
    subject = f"{_SUBJECT}, layer {node.name} ({type(node.layer).__name__})"
    if kernel is None:
        raise InvalidArgument(
            subject,
            "a convolution of one or two axes, or a Dense layer",
            "a layer whose weights are no images",
            "fw.plots.feature_maps shows what comes out of a layer.",
        )
    if kernel.ndim == 4:
        return kernel
    if kernel.ndim == 3:  # one axis: taps from left to right, channels from top to bottom
        return kernel.transpose(1, 0, 2)[:, :, None]
    pixels = _pixels(subject, network, node, shape, len(kernel))
    return kernel.reshape(*pixels, *[1] * (3 - len(pixels)), kernel.shape[-1])


def _pixels(subject: str, network: Network, node: Node, shape: Any, inputs: int) -> Shape:
    """The shape of the image that a Dense layer sees."""
    found = image_shape(network, node) if shape is None else shape
    if found is None:
        raise InvalidArgument(
            subject,
            "an image as its input",
            f"{inputs} numbers",
            "If they are the pixels of an image pass shape=(rows, columns).",
        )
    return checked_image(subject, found, inputs)


def _images(kernels: HostArray) -> list[tuple[str, HostArray]]:
    """Labels and images: a filter as one if it can be, otherwise one for each of its channels."""
    channels, units = kernels.shape[2:]
    if channels in (1, 3):
        return [(str(u), as_image(kernels[..., u])) for u in range(units)]
    return [(f"{u}.{c}", kernels[:, :, c, u]) for u in range(units) for c in range(channels)]


def _draw(node: Node, kernels: HostArray, most: int) -> Figure:
    from matplotlib.figure import Figure

    channels, largest = kernels.shape[2], tiles.largest(kernels)
    each = _images(kernels)
    labels, images = zip(*each[:most], strict=True)
    columns = channels if 3 < channels <= _MOST_COLUMNS else _COLUMNS  # a row for each filter
    wide, high = tiles.size_of(len(images), columns)
    signed, top = channels != 3, tiles.MARGIN + tiles.TITLE
    width = max(wide + 2 * tiles.MARGIN, _NARROWEST)
    figure = Figure(figsize=(width, top + high + (tiles.SCALE if signed else tiles.MARGIN)))
    of = f"{len(images)} of {len(each)}" if len(images) < len(each) else f"{len(each)}"
    what = "filters" if channels in (1, 3) else "kernels (filter.channel)"
    size = " x ".join(map(str, kernels.shape[:2]))
    tiles.title(figure, f"{node.name}: {of} {what}, {size}")
    axes = tiles.place(figure, tiles.MARGIN, top, wide, high)
    tiles.draw_tiles(axes, [tiles.colours(i, largest) for i in images], labels, columns)
    if signed:
        bar = tiles.place(figure, width / 2 - 1.2, top + high + 0.26, 2.4, 0.1)
        tiles.scale(bar, largest, "weight")
    return figure
