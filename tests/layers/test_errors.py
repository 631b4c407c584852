"""The text of every message that a layer can raise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import (
    FitwellError,
    InvalidArgument,
    InvalidData,
    ShapeMismatch,
    UnknownArgument,
    UnknownName,
)
from fitwell.layers import Layer
from fitwell.layers.base import infer

NAN = float("nan")

CONSTRUCTION: list[tuple[Callable[[], Layer], type[FitwellError], str]] = [
    (
        lambda: L.Dense(0),
        InvalidArgument,
        "Dense: expected units to be a whole number >= 1, received units=0. Pass units=1 or more.",
    ),
    (
        lambda: L.Dense(2.5),  # type: ignore[arg-type]
        InvalidArgument,
        "Dense: expected units to be a whole number >= 1, received units=2.5. "
        "Pass units=1 or more.",
    ),
    (
        lambda: L.Dense(3, use_bias="no"),  # type: ignore[arg-type]
        InvalidArgument,
        "Dense: expected use_bias to be one of True, False, received use_bias='no'. "
        "The choices are False, True.",
    ),
    (
        lambda: L.Dense(3, use_bias=False, bias_regularizer="l2"),
        InvalidArgument,
        "Dense: expected use_bias=True where bias_regularizer is given, received "
        "use_bias=False, bias_regularizer='l2'. Leave one of them out.",
    ),
    (
        lambda: L.Dense(3, activaton="relu"),  # type: ignore[call-arg]
        UnknownArgument,
        "Dense: expected an argument it knows, received activaton='relu'. Did you mean activation?",
    ),
    (
        lambda: L.Dense(),  # type: ignore[call-arg]
        UnknownArgument,
        "Dense: expected the argument units, received none. Write Dense(units=...).",
    ),
    (
        lambda: L.Dense(3, activation="rellu"),
        UnknownName,
        "activation: expected a name it knows, received 'rellu'. Did you mean relu?",
    ),
    (
        lambda: L.Activation("sigmod"),
        UnknownName,
        "activation: expected a name it knows, received 'sigmod'. Did you mean sigmoid?",
    ),
    (
        lambda: L.Dense(3, kernel_initializer="he_norml"),
        UnknownName,
        "initializer: expected a name it knows, received 'he_norml'. Did you mean HeNormal?",
    ),
    (
        lambda: L.Dense(3, bias_constraint="non_negativ"),
        UnknownName,
        "constraint: expected a name it knows, received 'non_negativ'. Did you mean non_neg?",
    ),
    (
        lambda: L.PReLU(alpha_regularizer="l22"),
        UnknownName,
        "regularizer: expected a name it knows, received 'l22'. Did you mean l2?",
    ),
    (
        lambda: L.ReLU(max_value=-1.0),
        InvalidArgument,
        "ReLU: expected max_value to be a number in [0, inf], received max_value=-1.0. "
        "Choose max_value inside it.",
    ),
    (
        lambda: L.ReLU(negative_slope=-0.1),
        InvalidArgument,
        "ReLU: expected negative_slope to be a number in [0, inf], received "
        "negative_slope=-0.1. Choose negative_slope inside it.",
    ),
    (
        lambda: L.ReLU(threshold=NAN),
        InvalidArgument,
        "ReLU: expected threshold to be a number in [0, inf], received threshold=nan. "
        "Choose threshold inside it.",
    ),
    (
        lambda: L.LeakyReLU(None),  # type: ignore[arg-type]
        InvalidArgument,
        "LeakyReLU: expected negative_slope to be a number in [0, inf], received "
        "negative_slope=None. Choose negative_slope inside it.",
    ),
    (
        lambda: L.ELU(-1.0),
        InvalidArgument,
        "ELU: expected alpha to be a number in [0, inf], received alpha=-1.0. "
        "Choose alpha inside it.",
    ),
    (
        lambda: L.PReLU(shared_axes=(0, 1)),
        InvalidArgument,
        "PReLU: expected shared_axes to be whole numbers >= 1, received shared_axes=(0, 1). "
        "Axis 0 is the batch; the first axis of an example is 1.",
    ),
    (
        lambda: L.Softmax(axis=0),
        InvalidArgument,
        "Softmax: expected axis to be a whole number other than 0, received axis=0. "
        "Axis 0 is the batch; the last axis is -1.",
    ),
    (
        lambda: L.Dropout(1.0),
        InvalidArgument,
        "Dropout: expected rate to be a number in [0, 1), received rate=1.0. "
        "Choose rate inside it.",
    ),
    (
        lambda: L.Dropout(-0.1),
        InvalidArgument,
        "Dropout: expected rate to be a number in [0, 1), received rate=-0.1. "
        "Choose rate inside it.",
    ),
    (
        lambda: L.Dropout(0.5, noise_shape=(3, 1)),
        InvalidArgument,
        "Dropout: expected noise_shape to begin with None or 1 (the batch), then None or sizes "
        ">= 1, received noise_shape=(3, 1). To share the mask along an axis write 1 there: "
        "noise_shape=(None, 1, 8).",
    ),
    (
        lambda: L.Dropout(0.5, seed=1.5),  # type: ignore[arg-type]
        InvalidArgument,
        "Dropout: expected seed to be a whole number or None, received seed=1.5. "
        "Leave it out: the model's seed decides all random numbers.",
    ),
    (
        lambda: L.GaussianNoise(-1),
        InvalidArgument,
        "GaussianNoise: expected stddev to be a number in [0, inf], received stddev=-1. "
        "Choose stddev inside it.",
    ),
    (
        lambda: L.Reshape((-1, -1)),
        InvalidArgument,
        "Reshape: expected target_shape to be a tuple of whole numbers >= 1, at most one of "
        "them -1, received target_shape=(-1, -1). Give one example's shape, without the batch "
        "axis: Reshape((28, 28, 1)).",
    ),
    (
        lambda: L.Permute((0, 1)),
        InvalidArgument,
        "Permute: expected dims to hold each of 1, 2, ... once, received dims=(0, 1). "
        "The batch axis is 0 and stays; to swap two axes write Permute((2, 1)).",
    ),
    (
        lambda: L.RepeatVector(0),
        InvalidArgument,
        "RepeatVector: expected n to be a whole number >= 1, received n=0. Pass n=1 or more.",
    ),
    (
        lambda: L.Normalization(axis=(0, 1)),
        InvalidArgument,
        "Normalization: expected axis to be None or different whole numbers other than 0, "
        "received axis=(0, 1). Axis 0 is the batch; the features of a table are axis -1.",
    ),
    (
        lambda: L.Normalization(mean=1.0),
        InvalidArgument,
        "Normalization: expected mean and variance together, received mean=1.0, variance=None. "
        "Give both, or neither and let adapt compute them.",
    ),
    (
        lambda: L.Normalization(mean=0.0, variance=[1.0, -1.0]),
        InvalidArgument,
        "Normalization: expected variance to be a finite number >= 0, or a list of them, "
        "received variance=(1.0, -1.0). Check where variance comes from.",
    ),
    (
        lambda: L.Normalization(mean=[[1.0], [1.0, 2.0]], variance=1.0),
        InvalidArgument,
        "Normalization: expected mean to be a finite number, or a list of them, received "
        "mean=((1.0,), (1.0, 2.0)). Check where mean comes from.",
    ),
    (
        lambda: L.Rescaling(NAN),
        InvalidArgument,
        "Rescaling: expected scale to be a finite number, or a list of them, received "
        "scale=nan. Check where scale comes from.",
    ),
    (
        lambda: L.Rescaling(1.0, offset=None),
        InvalidArgument,
        "Rescaling: expected offset to be a finite number, or a list of them, received "
        "offset=None. Check where offset comes from.",
    ),
    (
        lambda: L.Concatenate(axis=0),
        InvalidArgument,
        "Concatenate: expected axis to be a whole number other than 0, received axis=0. "
        "Axis 0 is the batch; the first axis of an example is 1.",
    ),
    (
        lambda: L.Dot(axes=(1, 2, 3)),  # type: ignore[arg-type]
        InvalidArgument,
        "Dot: expected axes to be a whole number other than 0, or a pair of them, received "
        "axes=(1, 2, 3). Axis 0 is the batch; for two vectors write Dot(axes=1).",
    ),
    (
        lambda: L.ActivityRegularization(l1=-1.0),
        InvalidArgument,
        "ActivityRegularization: expected l1 to be a number in [0, inf], received l1=-1.0. "
        "Choose l1 inside it.",
    ),
    (
        lambda: L.Lambda("x**2"),  # type: ignore[arg-type]
        InvalidArgument,
        "Lambda: expected a function array -> array, received function='x**2'. "
        "Write Lambda(lambda x: x**2).",
    ),
    (
        lambda: L.Lambda(jnp.sin, output_shape=(None, 3)),  # type: ignore[arg-type]
        InvalidArgument,
        "Lambda: expected output_shape to be a tuple of whole numbers >= 1, without the batch "
        "axis, or None, received output_shape=(None, 3). Leave it out: it is found by running "
        "the function on shapes.",
    ),
]


@pytest.mark.parametrize(("make", "kind", "message"), CONSTRUCTION)
def test_a_wrong_argument_is_refused_at_once(
    make: Callable[[], Layer], kind: type[FitwellError], message: str
) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()


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
        infer(layer, shapes, dtypes, many=layer.several_inputs, before=[])


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
        ShapeMismatch, match=r"^Sandwich after first \(Dense\): expected an input it can compute"
    ):
        Sandwich()(x)
    with pytest.raises(InvalidArgument, match=r"^Add: expected a list of inputs, received one\."):
        L.Add()(x)
    with pytest.raises(InvalidArgument, match=r"^Dense: expected one input, received a list of 2"):
        L.Dense(3)([x, x])
    with pytest.raises(InvalidArgument, match=r"^Dense: expected symbols, such as what Input"):
        L.Dense(3)(np.ones((2, 3)))
    with pytest.raises(
        InvalidArgument, match=r"^Silent after first \(Dense\): expected the method"
    ):
        Silent()(x)
    with pytest.raises(InvalidArgument, match=r"^Input: expected shape=\(n, ...\) with whole"):
        L.Input((0,))


def test_auto_is_for_weights_that_default_to_it() -> None:
    with pytest.raises(
        UnknownName, match=r"^initializer: expected a name it knows, received 'auto'"
    ):
        L.Dense(3, bias_initializer="auto")


def test_a_user_s_own_layer_is_checked_too() -> None:
    class Gate(Layer):
        activation: Any = "sigmoid"

    with pytest.raises(UnknownName, match="Did you mean tanh"):
        Gate("tahn")
    assert jax.tree.leaves(Gate("tanh").init_state((2,))) == []
