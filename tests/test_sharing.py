"""One layer instance in several models is one set of weights, as in Keras."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import Dense, Normalization

RNG = np.random.default_rng(5)
X = RNG.normal(size=(32, 4)).astype(np.float32)


def autoencoder() -> tuple[fw.Model, fw.Model, fw.Model]:
    """The whole, the encoder and the decoder, all made before anything is trained."""
    x, z = fw.Input((4,)), fw.Input((2,))
    code, back = Dense(2, name="code"), Dense(4, name="back")
    whole = fw.Model(x, back(code(x)))
    whole.compile("adam", loss="mse")
    return whole, fw.Model(x, code(x)), fw.Model(z, back(z))


def test_the_encoder_is_the_trained_one_whenever_it_was_made() -> None:
    whole, encoder, decoder = autoencoder()
    before = encoder.predict(X)
    whole.fit(X, epochs=3)
    kernel, bias = whole["code"].get_weights()
    assert np.abs(encoder.predict(X) - before).max() > 1e-3
    np.testing.assert_allclose(encoder.predict(X), X @ kernel + bias, atol=1e-5)
    np.testing.assert_allclose(decoder.predict(encoder.predict(X)), whole.predict(X), atol=1e-5)


def test_training_the_part_trains_the_whole_and_goes_on_after_that() -> None:
    whole, encoder, _ = autoencoder()
    encoder.compile("sgd", loss="mse")
    encoder.fit(X, X[:, :2], epochs=2)
    np.testing.assert_array_equal(encoder["code"].kernel, whole["code"].kernel)
    whole.fit(X, epochs=2)
    encoder.fit(X, X[:, :2], epochs=1)
    np.testing.assert_array_equal(encoder["code"].kernel, whole["code"].kernel)
    encoder.set_weights([np.ones((4, 2)), np.zeros(2)])
    np.testing.assert_array_equal(whole["code"].kernel, np.ones((4, 2)))


def test_an_inner_model_learns_with_the_outer_one() -> None:
    inner = fw.Sequential([fw.Input((4,)), Normalization(), Dense(3, activation="tanh")])
    outer = fw.Sequential([inner, Dense(1)])
    outer.compile("sgd", loss="mse")
    outer.fit(X, X[:, :1], epochs=2)
    np.testing.assert_array_equal(inner["dense"].kernel, outer["dense"].kernel)
    np.testing.assert_allclose(inner["normalization"].mean, X.mean(axis=0), atol=1e-5)
    inner["dense"].kernel = np.zeros((4, 3))
    assert not outer["dense"].kernel.any()


def test_through_two_models_the_owner_is_still_the_first() -> None:
    first = fw.Sequential([fw.Input((4,)), Dense(4)])
    second = fw.Sequential([first, Dense(4)])
    third = fw.Sequential([second, Dense(1)])
    third.compile("sgd", loss="mse")
    third.fit(X, X[:, :1], epochs=1)
    np.testing.assert_array_equal(first["dense"].kernel, third["dense"].kernel)
    np.testing.assert_array_equal(second["dense_1"].kernel, third["dense_1"].kernel)


def test_an_instance_in_two_chains_and_what_happens_when_the_owner_is_gone() -> None:
    layer = Dense(2)
    a, b = fw.Sequential([fw.Input((4,)), layer]), fw.Sequential([fw.Input((4,)), layer])
    np.testing.assert_array_equal(a["dense"].kernel, b["dense"].kernel)
    kept = b["dense"].get_weights()[0]
    del a
    gc.collect()
    np.testing.assert_array_equal(b["dense"].kernel, kept)  # the link keeps the owner
    del b
    gc.collect()
    c = fw.Sequential([fw.Input((4,)), layer], seed=123)
    assert np.abs(c["dense"].get_weights()[0] - kept).max() > 1e-3  # a new owner begins anew


def test_a_description_taken_from_a_view_shares_nothing() -> None:
    a = fw.Sequential([fw.Input((4,)), Dense(2)])
    b = fw.Sequential([fw.Input((4,)), a.layers[0].description])
    c = fw.Sequential([fw.Input((4,)), a.layers[0].description])
    a.set_weights([np.zeros((4, 2)), np.zeros(2)])
    assert np.abs(b.get_weights()[0]).max() > 0
    b.set_weights([np.ones((4, 2)), np.zeros(2)])
    assert (c.get_weights()[0] != 1).all()


def test_a_shared_layer_of_another_size_is_refused() -> None:
    layer = Dense(2)
    keep = fw.Sequential([fw.Input((4,)), layer], name="four")
    with pytest.raises(fw.errors.ShapeMismatch) as error:
        fw.Sequential([fw.Input((5,)), layer], name="five")
    assert str(error.value) == (
        "five, layer dense (Dense): expected the input size that it has in four, with which it "
        "shares its weights, received another size. Make a new layer for this model."
    )
    assert keep.count_params() == 10


def test_a_model_that_nobody_else_keeps_gives_its_weights() -> None:
    """As in `Model(x, head(load("trunk.safetensors")(x)))`."""

    def trunk() -> fw.Sequential:
        model = fw.Sequential([fw.Input((2,)), Dense(1)], seed=0)
        model.set_weights([np.full((2, 1), 7.0), np.full(1, 3.0)])
        return model

    x = fw.Input((2,))
    whole = fw.Model(x, Dense(1)(trunk()(x)))
    gc.collect()
    np.testing.assert_array_equal(whole.get_weights()[0], np.full((2, 1), 7.0))
    np.testing.assert_array_equal(whole.get_weights()[1], [3.0])


COMPOSED: dict[str, Callable[[fw.Model], fw.Model]] = {
    "in a chain": lambda base: fw.Sequential([base, Dense(1)]),
    "called": lambda base: fw.Model(x := fw.Input((4,)), Dense(1)(base(x))),
    "its output": lambda base: fw.Model(base.inputs, Dense(1)(base.output)),
    "its layers": lambda base: fw.Sequential([fw.Input((4,)), *base.layers, Dense(1)]),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_a_base_is_frozen_wherever_and_whenever_it_is_frozen(name: str) -> None:
    """The recipe of transfer: train the head on a frozen base, then all of it."""
    x = fw.Input((4,))
    base = fw.Model(x, Dense(3, name="code")(x))
    whole = COMPOSED[name](base)
    whole.compile("sgd", loss="mse")
    start = np.array(base["code"].kernel)

    def moved() -> bool:
        whole.fit(X, X[:, :1], verbose=0)
        return bool((np.array(base["code"].kernel) != start).any())

    base.trainable = False
    assert not whole["code"].trainable
    assert not moved()
    base.trainable = True
    assert moved()
    start = np.array(base["code"].kernel)
    whole["code"].trainable = False
    assert not base.trainable
    assert not moved()


def test_a_base_that_was_frozen_before_can_be_fine_tuned() -> None:
    base = fw.Sequential([fw.Input((4,)), Dense(3, name="code")])
    base.trainable = False
    whole = fw.Sequential([base, Dense(1)])
    whole.compile("sgd", loss="mse")
    start = np.array(base["code"].kernel)
    whole.fit(X, X[:, :1], verbose=0)
    np.testing.assert_array_equal(base["code"].kernel, start)
    base.trainable = True
    whole.fit(X, X[:, :1], verbose=0)
    assert (np.array(base["code"].kernel) != start).any()
