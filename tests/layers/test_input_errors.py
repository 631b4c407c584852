"""The text of every message about an input: shapes, several inputs, data to adapt to."""

from __future__ import annotations

import re
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument, InvalidData, ShapeMismatch
from fitwell.layers import Layer
from fitwell.layers.base import infer

NAN = float("nan")

SHAPES: list[tuple[Layer, list[tuple[int, ...]], str]] = [
    (
        L.Dense(3),
        [()],
        "Dense: expected at least one axis besides the batch axis, received a single number per "
        "example (shape ()). Put Reshape((1,)) before it.",
    ),
    (
        L.PReLU(shared_axes=(1, 2)),
        [(4,)],
        "PReLU: expected an input with the axes (1, 2) besides the batch axis, received shape "
        "(4,). Choose shared_axes from 1 to 1.",
    ),
    (
        L.Softmax(axis=2),
        [(4,)],
        "Softmax: expected an input with the axis 2, received shape (4,). "
        "Choose axis from 1 to 1, or -1.",
    ),
    (
        L.Dropout(0.5, noise_shape=(None, 1)),
        [(4, 3)],
        "Dropout: expected an input that noise_shape=(None, 1) can be stretched to, received "
        "shape (4, 3). Give noise_shape 3 entries, each None, 1 or the input's size.",
    ),
    (
        L.Reshape((4, 2), name="square"),
        [(6,)],
        "square (Reshape): expected an input of 8 numbers for target_shape=(4, 2), received 6 in "
        "shape (6,). Choose a target_shape whose product is the input's size.",
    ),
    (
        L.Reshape((-1, 4)),
        [(6,)],
        "Reshape: expected an input of a multiple of 4 numbers for target_shape=(-1, 4), "
        "received 6 in shape (6,). Choose a target_shape whose product is the input's size.",
    ),
    (
        L.Permute((2, 1)),
        [(6,)],
        "Permute: expected an input with 2 axes for dims=(2, 1), received shape (6,). "
        "Give dims 1 entries.",
    ),
    (
        L.RepeatVector(2),
        [(6, 3)],
        "RepeatVector: expected one vector per example, shape (features,), received shape "
        "(6, 3). Put Flatten() before it.",
    ),
    (
        L.Normalization(),
        [()],
        "Normalization: expected an input with the axes axis=-1, received shape (). "
        "Choose axes the input has, or axis=None for one mean of all numbers.",
    ),
    (
        L.Normalization(mean=[1.0, 2.0], variance=[1.0, 1.0]),
        [(3,)],
        "Normalization: expected mean to be a number or of shape (3,) for an input of shape "
        "(3,), received mean of shape (2,). Give one per feature, or adapt the layer to data "
        "like its input.",
    ),
    (
        L.Rescaling([1.0, 2.0]),
        [(3,)],
        "Rescaling: expected an input that scale of shape (2,) fits, received shape (3,). "
        "Give one scale per feature, or one number.",
    ),
    (
        L.Rescaling(1.0, offset=[[1.0], [2.0]]),
        [(2,)],
        "Rescaling: expected an input that offset of shape (2, 1) fits, received shape (2,). "
        "Give one offset per feature, or one number.",
    ),
    (
        L.Add(),
        [(3,), (4,)],
        "Add: expected inputs whose shapes broadcast to each other, received shapes (3,) and "
        "(4,). Give both branches the same sizes, or 1 where one is to be repeated.",
    ),
    (
        L.Concatenate(axis=1),
        [(3, 2), (3, 4)],
        "Concatenate: expected inputs with the axis 1 and equal sizes on all other axes, "
        "received shapes (3, 2) and (3, 4). Reshape or crop them first.",
    ),
    (
        L.Concatenate(axis=3),
        [(3, 2), (3, 2)],
        "Concatenate: expected inputs with the axis 3 and equal sizes on all other axes, "
        "received shapes (3, 2) and (3, 2). Reshape or crop them first.",
    ),
    (
        L.Dot(axes=1),
        [(3,), (4,)],
        "Dot: expected inputs of equal size on axes=1, received shapes (3,) and (4,). "
        "Choose axes of equal size, one of each input.",
    ),
    (
        L.Dot(axes=(2, 1)),
        [(3,), (3,)],
        "Dot: expected inputs of equal size on axes=(2, 1), received shapes (3,) and (3,). "
        "Choose axes of equal size, one of each input.",
    ),
    (
        L.Lambda(jnp.sin, output_shape=(2,)),
        [(3,)],
        "Lambda: expected the function to return output_shape=(2,), received shape (3,). "
        "Correct output_shape or leave it out.",
    ),
]


@pytest.mark.parametrize(("layer", "shapes", "message"), SHAPES)
def test_a_wrong_shape_is_refused_before_anything_trains(
    layer: Layer, shapes: list[tuple[int, ...]], message: str
) -> None:
    dtypes = ["float32"] * len(shapes)
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        infer(layer, shapes, dtypes, many=layer.several_inputs)


@pytest.mark.parametrize(
    ("layer", "count", "message"),
    [
        (L.Subtract(), 3, "Subtract: expected exactly two inputs, received 3."),
        (L.Dot(axes=1), 1, "Dot: expected exactly two inputs, received 1."),
        (L.Add(), 0, "Add: expected at least one input, received an empty list."),
        (L.Concatenate(), 0, "Concatenate: expected at least one input, received an empty list."),
    ],
)
def test_merging_the_wrong_number_of_inputs(layer: Layer, count: int, message: str) -> None:
    with pytest.raises(
        InvalidArgument, match=f"^{re.escape(message)} Write layer\\(\\[a, b\\]\\).$"
    ):
        layer.apply({}, [jnp.ones((2, 3))] * count)


ADAPTING: list[tuple[Any, str]] = [
    (
        [[1.0, NAN, 3.0], [1.0, 2.0, float("inf")]],
        "expected finite numbers to adapt to, received NaN or infinite values in features 1, 2. "
        "Fill them in, or leave those rows or features out.",
    ),
    (
        np.full((2, 12), NAN),
        "expected finite numbers to adapt to, received NaN or infinite values in features "
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more. "
        "Fill them in, or leave those rows or features out.",
    ),
    (
        np.zeros((0, 2)),
        "expected data to adapt to, received no rows. Pass at least one example.",
    ),
    (
        iter([]),
        "expected data to adapt to, received no rows. Pass at least one example.",
    ),
    (
        [["1", "2"]],
        "expected an array of numbers with the examples on its first axis, received dtype <U1 "
        "and shape (1, 2). Convert the data to numbers first.",
    ),
    (
        [[1e30], [-1e30]],
        "expected values whose mean and variance fit float32, received a variance of 1e+60. "
        "Take the logarithm of the large values or divide them first.",
    ),
]


@pytest.mark.parametrize(("data", "message"), ADAPTING)
def test_normalization_refuses_data_it_cannot_adapt_to(data: Any, message: str) -> None:
    with pytest.raises(InvalidData, match=f"^Normalization: {re.escape(message)}$"):
        L.Normalization().adapt(data)


def test_nan_is_named_by_all_its_axes_or_by_none() -> None:
    data = np.zeros((2, 3, 2))
    data[1, 2, 0] = NAN
    with pytest.raises(InvalidData, match=re.escape("values in features (2, 0). Fill")):
        L.Normalization(axis=(1, 2)).adapt(data)
    with pytest.raises(InvalidData, match=re.escape("NaN or infinite values. Fill")):
        L.Normalization(axis=None).adapt(data)


def test_normalization_refuses_chunks_and_data_of_other_shapes() -> None:
    layer = L.Normalization()
    message = (
        "Normalization: expected chunks with the same features, shape (2,), received shape (3,). "
        "Check the source of the chunks."
    )
    with pytest.raises(ShapeMismatch, match=f"^{re.escape(message)}$"):
        layer.statistics([np.zeros((4, 2)), np.zeros((4, 3))])
    with pytest.raises(ShapeMismatch, match="or axis=None for one mean of all numbers"):
        layer.adapt([1.0, 2.0])


class Silent(Layer):
    """A layer whose author forgot the map."""


class Sandwich(Layer):
    """A layer that fails inside JAX."""

    def apply(self, params: Any, x: Any) -> Any:
        return x @ jnp.ones((5, 2))


def test_errors_in_a_graph_name_the_layer_and_what_came_before() -> None:
    x = L.Dense(3, name="first")(L.Input((4,)))
    with pytest.raises(
        ShapeMismatch, match=r"^second \(Reshape\) after first \(Dense\): expected an input of 8"
    ):
        L.Reshape((8,), name="second")(x)
    with pytest.raises(
        ShapeMismatch,
        match=r"^sandwich \(Sandwich\) after first \(Dense\): expected an input it can compute",
    ):
        Sandwich()(x)
    with pytest.raises(
        InvalidArgument,
        match=r"^add \(Add\) after first .* expected a list of inputs, received one\.",
    ):
        L.Add()(x)
    with pytest.raises(
        InvalidArgument,
        match=r"^dense \(Dense\) after first .* expected one input, received a list of 2",
    ):
        L.Dense(3)([x, x])
    with pytest.raises(InvalidArgument, match=r"^Dense: expected symbols, such as what Input"):
        L.Dense(3)(np.ones((2, 3)))
    with pytest.raises(
        InvalidArgument, match=r"^silent \(Silent\) after first \(Dense\): expected the method"
    ):
        Silent()(x)
    with pytest.raises(InvalidArgument, match=r"^Input: expected shape=\(n, ...\) with whole"):
        L.Input((0,))
