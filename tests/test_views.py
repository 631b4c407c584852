"""A layer of a model with Keras' habits: its arrays, its description, what may be assigned."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import (
    FitwellError,
    FrozenDescription,
    InvalidArgument,
    InvalidData,
    ShapeMismatch,
)
from fitwell.layers import Concatenate, Dense, Dropout, Normalization

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X[:, :1] * 2 + 1


def chain() -> fw.Sequential:
    model = fw.Sequential(
        [fw.Input((3,)), Normalization(), Dense(4, "tanh"), Dropout(0.1), Dense(1)], seed=0
    )
    model.compile(fw.optimizers.SGD(0.1), "mse")
    return model


@pytest.fixture
def model() -> fw.Sequential:
    return chain()


def test_layers_by_name_and_place(model: fw.Sequential) -> None:
    assert [view.name for view in model.layers] == ["normalization", "dense", "dropout", "dense_1"]
    assert model["dense_1"].units == model.get_layer("dense_1").units == 1
    assert model.get_layer(index=1).name == model.layers[1].name == "dense"
    assert model.layers[1].description == Dense(4, "tanh", name="dense")


def test_facts(model: fw.Sequential) -> None:
    view = model["dense"]
    assert (view.input_shape, view.output_shape) == ((None, 3), (None, 4))
    assert (view.count_params(), model.count_params()) == (16, 7 + 16 + 5)
    assert repr(view) == "<dense: Dense(name='dense', units=4, activation='tanh')>"
    x = fw.Input((3,))
    two = fw.Model(x, Concatenate()([x, Dense(2)(x)]))["concatenate"]
    assert (two.input_shape, two.output_shape) == ([(None, 3), (None, 2)], (None, 5))


def test_the_kernel_comes_before_the_bias(model: fw.Sequential) -> None:
    view = model["dense"]
    assert [a.shape for a in view.get_weights()] == [(3, 4), (4,)]
    assert [a.shape for a in model.trainable_weights] == [(3, 4), (4,), (4, 1), (1,)]
    for array, name in zip(view.weights, ("kernel", "bias"), strict=True):
        np.testing.assert_array_equal(array, getattr(view, name))
    model["dense"].set_weights([np.full((3, 4), 2.0), np.full(4, 3.0)])
    # tanh(2 (1 + 1 + 1) + 3) is 1 in float32.
    hidden = np.ones((1, 4)) @ np.asarray(model["dense_1"].kernel)
    model["normalization"].adapt(np.array([[-1.0] * 3, [1.0] * 3]))
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), hidden, rtol=1e-5)


def test_weights_round_trip_through_another_model(model: fw.Sequential) -> None:
    other = fw.Sequential(
        [fw.Input((3,)), Normalization(), Dense(4, "tanh"), Dropout(0.1), Dense(1)], seed=9
    )
    assert not np.array_equal(other.predict(X), model.predict(X))
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_weights_are_assigned_by_name(model: fw.Sequential) -> None:
    view = model["dense_1"]
    view.bias = [5.0]
    view.kernel = np.zeros((4, 1))
    np.testing.assert_array_equal(model.predict(X), np.full((40, 1), 5.0))


def test_a_frozen_layer_keeps_its_weights_bit_for_bit_while_others_learn(
    model: fw.Sequential,
) -> None:
    model["dense"].trainable = False
    before = {view.name: view.get_weights() for view in model.layers}
    model.fit(X, Y, epochs=3, verbose=0)
    for a, b in zip(before["dense"], model["dense"].get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    for a, b in zip(before["dense_1"], model["dense_1"].get_weights(), strict=True):
        assert not np.array_equal(a, b)
    assert [a.shape for a in model.trainable_weights] == [(4, 1), (1,)]
    model["dense"].trainable = True
    model.fit(X, Y, epochs=1, verbose=0)
    assert not np.array_equal(before["dense"][0], model["dense"].kernel)


def test_a_wholly_frozen_model_stays_as_it_is(model: fw.Sequential) -> None:
    model["normalization"].adapt(X)
    model.trainable = False
    assert not model.trainable
    before = model.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_arrays_outlive_the_fits_that_follow(model: fw.Sequential) -> None:
    model.fit(X, Y, verbose=0)
    kept = [model["dense"].kernel, *model.weights, *model["dense_1"].trainable_weights]
    copies = [np.array(a) for a in kept]
    model.fit(X, Y, epochs=2, verbose=0)
    assert not any(isinstance(a, jax.Array) and a.is_deleted() for a in kept)
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))
    host = model.get_weights()
    host[0][:] = 7.0
    assert not np.array_equal(host[0], model.get_weights()[0])


def test_adapt_gives_keras_statistics(model: fw.Sequential) -> None:
    model["normalization"].adapt(X)
    np.testing.assert_allclose(model["normalization"].mean, X.mean(0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model["normalization"].variance, X.var(0), rtol=1e-5)


DENSE = "<dense: Dense(name='dense', units=4, activation='tanh')>"
MESSAGES: list[tuple[Callable[[Any], Any], type[FitwellError], str]] = [
    (
        lambda m: m["dens"],
        InvalidArgument,
        "model: expected a layer's name, received 'dens'. Did you mean dense?",
    ),
    (
        lambda m: m["dense"].set_weights([np.zeros((3, 4))]),
        ShapeMismatch,
        "set_weights of dense: expected 2 arrays, received 1. The order is kernel, bias.",
    ),
    (
        lambda m: m["dense"].set_weights([np.zeros((4, 3)), np.zeros(4)]),
        ShapeMismatch,
        "set_weights of dense: expected kernel of shape (3, 4), received (4, 3). "
        "The order is kernel, bias.",
    ),
    (
        lambda m: m["dropout"].set_weights([1]),
        ShapeMismatch,
        "set_weights of dropout: expected 0 arrays, received 1. The order is empty.",
    ),
    (
        lambda m: m.set_weights([np.zeros(3)]),
        ShapeMismatch,
        "set_weights: expected 7 arrays, received 1. "
        "Pass what get_weights() of an equal model returns.",
    ),
    (
        lambda m: setattr(m["dense"], "bias", [1.0]),
        ShapeMismatch,
        f"{DENSE}: expected bias of shape (4,), received (1,). Assign an array of that shape.",
    ),
    (
        lambda m: setattr(m["dense"], "units", 8),
        InvalidArgument,
        f"{DENSE}: expected an assignment to trainable or a weight (kernel, bias), received "
        ".units = .... Hyper-parameters are fixed once a layer is in a model: build a new model.",
    ),
    (
        lambda m: setattr(m["dense"].description, "trainable", False),
        FrozenDescription,
        "Dense: expected no change after it was made (it is a frozen description), received an "
        "assignment to .trainable. Make a new one with the value you want, or, if it is part of "
        'a model, set it on the model\'s own layer: model["name"].trainable = ....',
    ),
    (
        lambda m: setattr(m["dense"], "trainable", "no"),
        InvalidArgument,
        "dense.trainable: expected True or False, received 'no'. Assign one of them.",
    ),
    (
        lambda m: m.set_weights([*[np.ones_like(w) for w in m.get_weights()[:-1]], ["a"]]),
        InvalidData,
        "set_weights of dense_1: expected bias as an array of numbers, received list: could not "
        "convert string to float: 'a'. The order is kernel, bias.",
    ),
    (
        lambda m: m["dense"].adapt(X),
        InvalidArgument,
        f"{DENSE}: expected a layer that adapts to data, received adapt. Normalization does.",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), MESSAGES)
def test_messages(
    model: fw.Sequential, call: Callable[[Any], Any], error: type[FitwellError], text: str
) -> None:
    before = model.get_weights()
    with pytest.raises(error) as caught:
        call(model)
    assert type(caught.value) is error
    assert str(caught.value) == text
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_an_unknown_attribute_is_answered_with_the_nearest(model: fw.Sequential) -> None:
    text = f"{DENSE} has no kernle. Did you mean kernel?"
    with pytest.raises(AttributeError, match=f"^{re.escape(text)}$"):
        _ = model["dense"].kernle
    assert not hasattr(model["dense"], "gamma")


def test_set_weights_changes_nothing_if_a_later_layer_does_not_fit(model: fw.Sequential) -> None:
    before = model.get_weights()
    wrong = [np.ones_like(w) for w in before[:-1]] + [np.ones(9)]
    with pytest.raises(ShapeMismatch, match="set_weights of dense_1: expected bias of shape"):
        model.set_weights(wrong)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
