"""The input that a unit answers to most, by gradient ascent."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fitwell import compiling, figures
from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument, InvalidData, warn
from fitwell.network import Network, Node, Ref, pick
from fitwell.plots import tiles
from fitwell.plots.reading import (
    Built,
    as_image,
    checked_image,
    is_image,
    network_of,
    place_of,
    single_input,
)
from fitwell.types import Array, HostArray, Params, Shape, State

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SUBJECT = "maximal_input"
_STEP = 0.5  # of the first step, as a share of the norm
_TINY = 1e-30


class MaximalInput(NamedTuple):
    """What `maximal_input` returns.

    Attributes:
        input: one example, of the shape of the model's input.
        value: the unit's pre-activation for it.
        figure: its picture, a matplotlib Figure.
    """

    input: HostArray
    value: float
    figure: Figure


def maximal_input(
    model: Built,
    layer: Any,
    unit: int | tuple[int, ...],
    *,
    steps: int = 64,
    norm: float | None = None,
    smoothing: float = 0.0,
    starts: int = 4,
    seed: int = 0,
    shape: Sequence[int] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> MaximalInput:
    """argmax of a_u(x) over |x| <= norm: the input that excites a unit most.

    a_u is the unit's value before the activation (a saturated sigmoid has no slope to climb). For
    a unit of the first layer that is its weights, norm * w / |w|; deeper units show what they
    have learnt to look for. Gradient ascent in one compiled loop: x + s g / |g|, brought back into
    the ball, with s falling from norm / 2 to 0.

    Args:
        model: built, with one input of real numbers.
        layer: the layer's name.
        unit: which unit; of a convolution, which channel (in the middle of the image), or a whole
            index (row, column, channel).
        steps: >= 1.
        norm: > 0, the Euclidean length of the input; by default that of an input whose numbers
            are 1 on average (root mean square).
        smoothing: >= 0, in pixels: the gradient is blurred by a Gaussian of this width, which
            leads to smoother images.
        starts: >= 1, random inputs to climb from at once; the best end is returned.
        seed: of the random inputs.
        shape: (rows, columns) or (rows, columns, channels) of the picture, where the input is an
            image in a row of numbers.
        path: a file to write, .svg, .png or .pdf.

    Raises:
        UnknownName: no layer of that name.
        InvalidArgument: a unit out of range, several inputs, inputs that are whole numbers.
        ShapeMismatch: a shape of another number of pixels than the input has.
        InvalidData: the network's answer is not finite.

    >>> import numpy as np
    >>> import fitwell as fw
    >>> model = fw.Sequential([fw.Input((2,)), fw.layers.Dense(1, "sigmoid")])
    >>> model.layers[0].kernel = [[3.0], [4.0]]
    >>> found = fw.plots.maximal_input(model, "dense", 0, norm=1.0)
    >>> np.round(found.input, 4).tolist(), round(found.value, 4)
    ([0.6000000238418579, 0.800000011920929], 5.0)

    Source: Erhan et al. 2009, "Visualizing higher-layer features of a deep network", Université de
    Montréal, technical report 1341.
    """
    figures.check_path(path)
    network = network_of(_SUBJECT, model)
    size = single_input(_SUBJECT, network)
    drawn = size if shape is None else checked_image(_SUBJECT, shape, math.prod(size))
    _check(network, norm, smoothing, steps=(steps, 1), starts=(starts, 1), seed=(seed, 0))
    place = place_of(_SUBJECT, network, layer)
    node = network.nodes[place]
    index = _index(node, unit)
    if smoothing and len(size) < 2:
        cure = "Leave smoothing out."
        raise InvalidArgument(_SUBJECT, "an image to smooth", f"inputs of shape {size}", cure)
    length = math.sqrt(math.prod(size)) if norm is None else float(norm)
    part = Network(network.nodes[: place + 1], network.inputs, (_whole(place, node),))
    before, ref, _ = part.logits(0)
    blurs = [_blur(n, smoothing) for n in size[:2]] if smoothing else []
    start = _starts(starts, size, length, seed)
    train = model.train_state
    x, values, slopes = _ascent(before.program(), ref)(
        train.params, train.state, start, index, np.float32(length), blurs, np.int32(steps)
    )
    best = int(np.argmax(values))
    subject = f"layer {node.name}, unit {unit}"
    _check_climb(subject, np.asarray(values), np.asarray(slopes))
    found, value = np.asarray(x[best]), float(values[best])
    words = f"{model.name}, {subject}: {value:.3g}"
    figure = figures.finish(_draw(words, found.reshape(drawn)), path)
    return MaximalInput(found, value, figure)


def _starts(count: int, shape: Shape, length: float, seed: int) -> HostArray:
    """Random directions; the first lies nearest to zero, the last is as long as is allowed."""
    noise = np.random.default_rng(seed).normal(size=(count, math.prod(shape)))
    radii = length * np.arange(1, count + 1) / count
    noise *= (radii / np.linalg.norm(noise, axis=1))[:, None]
    return noise.reshape(count, *shape).astype(np.float32)


def _whole(place: int, node: Node) -> Ref:
    return place, None if len(node.out) == 1 else 0


@compiling.program()
def _ascent(network: Network, ref: Ref) -> Any:
    """Compiled: the climb from a batch of inputs -> (inputs, values, lengths of gradients)."""

    def climb(
        params: Params,
        state: State,
        start: Array,
        unit: Array,
        norm: Array,
        blurs: list[Array],
        steps: Array,
    ) -> tuple[Array, Array, Array]:
        def response(x: Array) -> tuple[Array, Array]:
            key = jax.random.key(0)  # no layer draws from it in inference
            values, _ = network.forward(params, state, [x], key=key, train=False)
            own = pick(values, ref).reshape(len(x), -1)[:, unit]
            return own.sum(), own  # rows do not see each other: the sum's gradient is each one's

        def turn(i: Array, x: Array) -> Array:
            gradient = jax.grad(response, has_aux=True)(x)[0]
            for axis, blur in enumerate(blurs, 1):
                gradient = jnp.moveaxis(jnp.tensordot(blur, gradient, (1, axis)), 0, axis)
            step = _STEP * norm * (1 - i / steps)
            x = x + step * gradient / jnp.maximum(_lengths(gradient), _TINY)
            return x * jnp.minimum(1, norm / jnp.maximum(_lengths(x), _TINY))

        x = lax.fori_loop(0, steps, turn, start)
        slope, values = jax.grad(response, has_aux=True)(x)
        return x, values, _lengths(slope).ravel()

    return compiling.compile(climb)


def _lengths(x: Array) -> Array:
    """The Euclidean length of each row, with axes of 1 to divide by."""
    return jnp.sqrt(jnp.square(x).sum(axis=tuple(range(1, x.ndim)), keepdims=True))


def _blur(size: int, width: float) -> HostArray:
    """The matrix that blurs an axis: each row a Gaussian that sums to 1."""
    places = np.arange(size)
    weights = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _index(node: Node, unit: Any) -> np.int32:
    """Where the unit lies in the flattened output of its layer."""
    shape: Shape = node.out[0][0]
    numbers = unit if isinstance(unit, tuple) else (*(n // 2 for n in shape[:-1]), unit)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers)
    if (
        not whole
        or len(numbers) != len(shape)
        or not all(0 <= n < size for n, size in zip(numbers, shape, strict=True))
    ):
        last = shape[-1] - 1 if shape else 0
        raise InvalidArgument(
            f"{_SUBJECT}, layer {node.name} ({type(node.layer).__name__})",
            f"a unit from 0 to {last}, or an index into an output of shape {shape}",
            f"unit={unit!r}",
            "Units count from 0.",
        )
    return np.int32(np.ravel_multi_index(numbers, shape))


def _check(network: Network, norm: Any, smoothing: Any, **whole: tuple[Any, int]) -> None:
    """Raises InvalidArgument for values out of range; `whole` gives values and their least."""
    cure = "Leave it out for the default."
    dtype = network.input_shapes[0][1]
    if not dtype.startswith(("float", "bfloat")):
        other = "Ask the layer after the Embedding in a Model of its own, which begins there."
        raise InvalidArgument(_SUBJECT, "an input of real numbers", dtype, other)
    for name, (value, least) in whole.items():
        whole_number(_SUBJECT, name, value, least, cure)
    if norm is not None and not (_is_finite(norm) and norm > 0):
        raise InvalidArgument(_SUBJECT, "norm > 0", f"norm={norm!r}", cure)
    if not (_is_finite(smoothing) and smoothing >= 0):
        raise InvalidArgument(_SUBJECT, "smoothing >= 0", f"smoothing={smoothing!r}", cure)


def _is_finite(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _check_climb(subject: str, values: HostArray, slopes: HostArray) -> None:
    if not np.isfinite(values).all():
        cure = "Look for NaN in the weights: train again with a smaller learning rate."
        raise InvalidData(f"{_SUBJECT}, {subject}", "a finite answer", f"{values[0]}", cure)
    if not slopes.any():
        warn(
            f"{_SUBJECT}: {subject} does not change with the input, at none of {len(slopes)} "
            "starts. The picture shows noise: a unit before it may be dead."
        )


def _draw(words: str, found: HostArray) -> Figure:
    from matplotlib.figure import Figure

    image = as_image(found)
    if not is_image(image.shape):
        return _bars(words, found.ravel())
    most = tiles.largest(image)
    rows, columns = image.shape[:2]
    scale = 3.2 / max(rows, columns)
    wide, high = columns * scale, rows * scale
    top = tiles.MARGIN + tiles.TITLE
    width = max(wide + 2 * tiles.MARGIN, 3.6)
    below = tiles.SCALE if image.ndim == 2 else tiles.MARGIN
    figure = Figure(figsize=(width, top + high + below))
    tiles.title(figure, words, size=8.5)
    axes = tiles.place(figure, (width - wide) / 2, top, wide, high)
    axes.imshow(tiles.colours(image, most), interpolation="nearest")
    axes.set_axis_off()
    if image.ndim == 2:
        bar = tiles.place(figure, width / 2 - 1.2, top + high + 0.26, 2.4, 0.1)
        tiles.scale(bar, most, "value of the input")
    return figure


def _bars(words: str, values: HostArray) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(min(max(3.6, 0.25 * len(values)), 12), 2.6), layout="constrained")
    axes = figure.subplots()
    colour = [figures.POSITIVE if v >= 0 else figures.NEGATIVE for v in values]
    axes.bar(np.arange(len(values)), values, color=colour)
    axes.axhline(0, color="#444444", linewidth=0.8)
    axes.set_title(words, size=8.5, weight="bold", loc="left", parse_math=False)
    axes.set_xlabel("number of the input, from 0")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    return figure
