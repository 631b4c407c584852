"""The text of every message about an argument: raised when the layer is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import FitwellError, InvalidArgument, UnknownArgument, UnknownName
from fitwell.layers import Layer

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
    assert Gate("tanh").activation == "tanh"
