"""The contract table: one row per layer. Adding a layer adds a row here and nothing else.

A row is checked against an independent truth: the case of the same name in `golden/layers.npz`
(PyTorch and Keras; add it to `golden/make_layers.py`), or the row's `formula` in numpy.
`test_contract.py` runs every check on every row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from fitwell import layers
from fitwell.layers import Layer
from fitwell.types import Array, Params, Shape


class Scale(Layer):
    """A user's own layer, as short as the contract lets it be."""

    start: float = 1.0

    def init(self, key: Any, shape: Shape) -> Params:
        return {"factor": jnp.full(shape[-1:], self.start)}

    def apply(self, params: Params, x: Array) -> Array:
        return x * params["factor"]


def halve(x: Array, power: int = 1) -> Array:
    return x / 2**power


@dataclass(frozen=True)
class Row:
    """A layer, the shapes of its inputs without the batch axis, and where its truth comes from.

    Args:
        name: of the test; the golden case of that name is the truth if there is no formula.
        layer: the instance.
        shapes: one for most layers.
        formula: `(params, x) -> y` in numpy for prediction; x is a list for several inputs.
        custom: a user's classes and functions, which the catalogue does not have.
        dtype: "float64" where products of products amplify the rounding of float32 beyond what is
            compared.
        ids: for inputs that are whole numbers, how many there are to choose from.
        lent: of a layer that borrows weights: the shape of the lender's input.
    """

    name: str
    layer: Layer
    shapes: tuple[Shape, ...]
    formula: Callable[[Any, Any], Any] | None = None
    custom: tuple[Any, ...] = ()
    dtype: str = "float32"
    ids: int = 0
    lent: Shape | None = None

    @property
    def many(self) -> bool:
        """Whether the layer gets a list of arrays."""
        return bool(self.layer.several_inputs) or len(self.shapes) > 1


def row(name: str, layer: Layer, *shapes: Shape, **more: Any) -> Row:
    return Row(name, layer, shapes, **more)


def same(params: Params, x: Any) -> Any:
    return x


KNOWN = {"mean": [0.5, -1.0, 2.0], "variance": [4.0, 0.25, 1e-3]}
TABLES = {"mean": [[0.0, 1.0], [2.0, 3.0]], "variance": [[1.0, 2.0], [3.0, 4.0]]}


def waves(params: Any, x: Any) -> Any:
    """PeriodicEmbedding, one example and one feature at a time."""
    rows = []
    for example in x:
        mixed: list[float] = []
        for j, value in enumerate(example):
            turns = params["frequency"][j] * value
            wave = np.cos(2 * np.pi * turns + params["phase"][j])
            mixed += list(wave @ params["kernel"][j] + params["bias"][j])
        rows.append(np.array([*mixed, *example]) * params["scale"])
    return np.array(rows)


EDGES = [[-1.0, -0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 2.0]]


def bins(params: Any, x: Any) -> Any:
    """PiecewiseLinearEmbedding with EDGES, one number at a time: np.interp fills a bin."""
    rows = []
    for example in x:
        row: list[float] = []
        for j, value in enumerate(example):
            y = value * params["weight"][j] + params["bias"][j]
            for t, (low, high) in enumerate(itertools.pairwise(EDGES[j])):
                if low < high:
                    y = y + np.interp(value, [low, high], [0, 1]) * params["height"][j, t]
            row += list(y)
        rows.append(row)
    return np.array(rows)


def mean_of_members(params: Any, x: Any) -> Any:
    """EnsembleDense in prediction, one member at a time."""
    each = [x[:, k] @ params["kernel"][k] + params["bias"][k] for k in range(x.shape[1])]
    return np.tanh(sum(each) / len(each))


ROWS = [
    row("own_layer", Scale(2.0), (3,), formula=lambda p, x: x * p["factor"], custom=(Scale,)),
    row("input", layers.InputLayer((3,)), (3,), formula=same),
    row("dense", layers.Dense(3), (4,)),
    row("dense_torch", layers.Dense(3, kernel_initializer="lecun_normal"), (4,)),
    row("dense_relu", layers.Dense(3, activation="relu"), (4,)),
    row("dense_tanh_no_bias", layers.Dense(2, "tanh", use_bias=False), (5, 4)),
    row("dense_softmax", layers.Dense(3, activation="softmax", kernel_regularizer="l2"), (2, 2, 4)),
    row("activation", layers.Activation("silu"), (4,)),
    row("relu", layers.ReLU(), (4,)),
    row("relu_full", layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.4), (4, 3)),
    row("leaky_relu", layers.LeakyReLU(), (4,)),
    row("leaky_relu_torch", layers.LeakyReLU(0.01), (4,)),
    row("prelu", layers.PReLU(), (3, 2)),
    row("prelu_shared", layers.PReLU(shared_axes=[1, 2]), (2, 2, 3)),
    row("prelu_torch", layers.PReLU(shared_axes=1), (4,)),
    row("elu", layers.ELU(alpha=0.7), (4,)),
    row("softmax", layers.Softmax(), (4,)),
    row("softmax_axis", layers.Softmax(axis=1), (3, 2)),
    row("dropout", layers.Dropout(0.4, seed=3), (4,), formula=same),
    row("dropout_shared", layers.Dropout(0.4, noise_shape=(None, 1, 2)), (3, 2), formula=same),
    row("gaussian_noise", layers.GaussianNoise(0.3), (4,), formula=same),
    row("identity", layers.Identity(), (2, 3), formula=same),
    row("flatten", layers.Flatten(), (2, 3)),
    row("reshape", layers.Reshape((3, -1)), (2, 6)),
    row("permute", layers.Permute((3, 1, 2)), (2, 3, 4)),
    row("repeat_vector", layers.RepeatVector(3), (2,)),
    row("normalization", layers.Normalization(**KNOWN), (2, 3)),
    row("normalization_invert", layers.Normalization(**KNOWN, invert=True), (3,)),
    row("normalization_all", layers.Normalization(axis=None, mean=1.5, variance=2.0), (3,)),
    row("normalization_axes", layers.Normalization(axis=(1, 3), **TABLES), (2, 3, 2)),
    row("normalization_unadapted", layers.Normalization(), (3,), formula=same),
    row("periodic_embedding", layers.PeriodicEmbedding(5, 2, stddev=0.5), (3,), formula=waves),
    row("piecewise", layers.PiecewiseLinearEmbedding(2, 3, EDGES), (2,), formula=bins),
    row(
        "piecewise_unadapted",
        layers.PiecewiseLinearEmbedding(2, 3),
        (2,),
        formula=lambda p, x: (x[..., None] * p["weight"] + p["bias"]).reshape(len(x), -1),
    ),
    row(
        "ensemble_adapter",
        layers.EnsembleAdapter(4),
        (3,),
        formula=lambda p, x: np.stack([x * scale for scale in p["scale"]], axis=1),
    ),
    row("ensemble_dense", layers.EnsembleDense(2, "tanh"), (4, 3), formula=mean_of_members),
    row("rescaling", layers.Rescaling(0.25, offset=-1.0), (2, 3)),
    row("rescaling_features", layers.Rescaling([0.5, 2.0, -1.0], [1.0, 0.0, 3.0]), (2, 3)),
    row("add", layers.Add(), (3,), (3,), (3,)),
    row("add_ranks", layers.Add(), (3,), (2, 3)),
    row("subtract", layers.Subtract(), (2, 3), (2, 1)),
    row("multiply", layers.Multiply(), (2, 1), (2, 3)),
    row("average", layers.Average(), (3,), (3,), (3,)),
    row("maximum", layers.Maximum(), (3,), (3,), (1,)),
    row("minimum", layers.Minimum(), (3,), (3,)),
    row("concatenate", layers.Concatenate(), (2, 3), (2, 1)),
    row("concatenate_axis", layers.Concatenate(axis=1), (2, 3), (4, 3)),
    row("dot", layers.Dot(axes=1), (3,), (3,)),
    row("dot_axes", layers.Dot(axes=(2, 1)), (2, 3), (3, 4)),
    row("dot_cosine", layers.Dot(axes=-1, normalize=True), (2, 3), (4, 3)),
    row("activity", layers.ActivityRegularization(l1=0.1, l2=0.2), (3,), formula=same),
    row(
        "lambda",
        layers.Lambda(halve, output_shape=(3,), arguments={"power": 2}),
        (3,),
        formula=lambda p, x: np.asarray(x) / 4,
        custom=(halve,),
    ),
]
