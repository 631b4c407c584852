"""What Keras programs write, taken here too: small functions, Input's forms, data_format, masks."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument
from fitwell.layers import Layer
from fitwell.ops import pool

KEY = jax.random.key(0)
REAL = jnp.array([[True, False, True], [False, False, False]])
STEPS = jnp.array([[[1.0, -5], [9, 9], [2, -7]], [[3, 3], [4, 4], [5, 5]]])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("add", {}, [[5.0, 7.0]]),
        ("subtract", {}, [[-3.0, -3.0]]),
        ("multiply", {}, [[4.0, 10.0]]),
        ("average", {}, [[2.5, 3.5]]),
        ("maximum", {}, [[4.0, 5.0]]),
        ("minimum", {}, [[1.0, 2.0]]),
        ("concatenate", {}, [[1.0, 2.0, 4.0, 5.0]]),
        ("dot", {"axes": 1}, [[14.0]]),
    ],
)
def test_small_letters_make_a_layer_and_call_it(
    name: str, arguments: dict[str, Any], expected: list[list[float]]
) -> None:
    x, y = L.Input((2,)), L.Input((2,))
    model = fw.Model([x, y], getattr(L, name)([x, y], name="merged", **arguments))
    assert model["merged"].name == "merged"
    found = model.predict([np.array([[1.0, 2.0]]), np.array([[4.0, 5.0]])])
    assert found.tolist() == expected


def test_input_takes_a_batch_shape() -> None:
    assert fw.Input(batch_shape=(None, 3, 4)).shape == (None, 3, 4)
    assert fw.Input(batch_shape=[8, 3]).shape == (None, 3)


FORM = "For 4 numbers per example write Input(shape=(4,))."


@pytest.mark.parametrize(
    ("arguments", "received", "cure"),
    [
        ({}, "shape=None", FORM),
        ({"batch_shape": ()}, "batch_shape=()", FORM),
        ({"batch_shape": (None, 0)}, "batch_shape=(None, 0)", FORM),
        ({"shape": 2, "batch_shape": (None, 2)}, "batch_shape=(None, 2), shape=2", FORM),
        (
            {"shape": (None, 3)},
            "shape=(None, 3)",
            "Pad sequences to one length and write that; later steps can be masked.",
        ),
    ],
)
def test_inputs_that_are_refused(arguments: Any, received: str, cure: str) -> None:
    message = (
        "Input: expected shape=(n, ...) with whole numbers >= 1, without the batch axis, "
        f"received {received}. {cure}"
    )
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        fw.Input(**arguments)


FORMATS: list[Any] = [
    lambda f: L.Flatten(f),
    lambda f: L.SpatialDropout2D(0.5, f),
    lambda f: L.SpatialDropout3D(0.5, f, seed=1),
    lambda f: L.RandomFlip(data_format=f),
    lambda f: L.RandomCrop(2, 2, data_format=f),
    lambda f: L.RandomErasing(data_format=f),
    lambda f: L.RandomZoom(0.1, data_format=f),
]


@pytest.mark.parametrize("make", FORMATS)
def test_channels_are_last(make: Any) -> None:
    assert make("channels_last").data_format == "channels_last"
    message = (
        f'{type(make(None)).__name__}: expected data_format=None or "channels_last", received '
        "data_format='channels_first'. Move the channels to the last axis: Permute before the "
        "layer, or numpy.moveaxis(x, 1, -1) on the data."
    )
    with pytest.raises(InvalidArgument, match=f"^{re.escape(message)}$"):
        make("channels_first")


def masked(layer: Layer, x: Any, mask: Any) -> Any:
    return layer.forward({}, {}, x, key=KEY, train=False, mask=mask)[0]


@pytest.mark.parametrize("keepdims", [False, True])
def test_pooling_over_time_leaves_masked_steps_out(keepdims: bool) -> None:
    shape = (2, 1, 2) if keepdims else (2, 2)
    largest = masked(L.GlobalMaxPooling1D(keepdims=keepdims), STEPS, REAL)
    np.testing.assert_array_equal(largest, np.reshape([[2, -5], [0, 0]], shape))
    mean = masked(L.GlobalAveragePooling1D(keepdims=keepdims), STEPS, REAL)
    np.testing.assert_array_equal(mean, np.reshape([[1.5, -6], [0, 0]], shape))


def test_the_gradient_of_masked_pooling_goes_to_real_steps_alone() -> None:
    slope = jax.grad(lambda x: masked(L.GlobalMaxPooling1D(), x, REAL).sum())(STEPS)
    np.testing.assert_array_equal(slope, [[[0, 1], [0, 0], [1, 0]], np.zeros((3, 2))])
    counts = masked(L.GlobalMaxPooling1D(), STEPS.astype(jnp.int32), REAL)
    assert counts.tolist() == [[2, -5], [0, 0]]
    assert pool.lowest(jnp.int32) == -(2**31)
