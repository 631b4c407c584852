"""Parts of a model: its inputs, outputs and layers as symbols, with their weights."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import fitwell as fw
from fitwell.errors import UnknownAttribute
from fitwell.layers import Dense, Input

RNG = np.random.default_rng(4)
X = RNG.normal(size=(16, 5)).astype(np.float32)


def test_the_code_of_an_autoencoder_is_read_by_name() -> None:
    """Also of one that a function built, and as it is after training."""
    whole = fw.architectures.autoencoder((5,), 2, (4,), seed=0)
    encoder = fw.Model(whole.inputs, whole["code"].output)
    whole.compile("sgd", loss="mse")
    whole.fit(X, X, epochs=2, verbose=0)
    hidden = next(view for view in whole.layers if view.name != "code")
    h = X @ hidden.kernel + hidden.bias
    act = np.maximum(h, 0)
    code = act @ whole["code"].kernel + whole["code"].bias
    np.testing.assert_allclose(encoder.predict(X), code, atol=1e-5)
    assert whole["code"].input.example_shape == (4,)


def test_the_same_symbols_every_time_and_the_whole_from_end_to_end() -> None:
    model = fw.Sequential([Input((5,)), Dense(3, "tanh"), Dense(2)], seed=0)
    assert model.input is model.inputs[0] is model.layers[0].input
    assert model.output is model.outputs[0] is model.layers[-1].output
    again = fw.Model(model.input, model.output)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_layers_of_a_loaded_model_go_on_in_another_one(tmp_path: Path) -> None:
    base = fw.Sequential([Input((5,)), Dense(3, "tanh"), Dense(2)], seed=0)
    base.save(tmp_path / "base.safetensors")
    trunk = fw.load(tmp_path / "base.safetensors").layers[:-1]
    model = fw.Sequential([Input((5,)), *trunk, Dense(1)], seed=9)
    np.testing.assert_array_equal(model.layers[0].kernel, base.layers[0].kernel)
    model.layers[0].trainable = False
    model.compile("sgd", loss="mse")
    model.fit(X, X[:, 0], verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel, base.layers[0].kernel)


def test_a_view_on_a_symbol_is_the_layer_with_its_weights() -> None:
    base = fw.Sequential([Input((5,)), Dense(3, name="a")], seed=0)
    x = Input((5,))
    other = fw.Model(x, base["a"](x))
    np.testing.assert_array_equal(other.predict(X), base.predict(X))


def test_several_inputs_come_as_a_list() -> None:
    a, b = Input((5,), name="a"), Input((5,), name="b")
    model = fw.Model([a, b], Dense(2, name="sum")(fw.layers.Add()([a, b])), seed=0)
    assert [s.example_shape for s in model.input] == [(5,), (5,)]
    part = fw.Model(model.inputs, model["add"].output)
    np.testing.assert_allclose(part.predict([X, X]), 2 * X, rtol=1e-6)


def test_a_description_has_no_output() -> None:
    message = "Build the graph with symbols: h = first(x), y = second(h), Model(x, [h, y]). Of a"
    with pytest.raises(UnknownAttribute, match=re.escape(message)):
        _ = Dense(3).output


def test_a_view_takes_what_its_layer_takes_beside_the_input() -> None:
    """The decoder of a sequence-to-sequence model, from its layers by name."""
    x, h = fw.Input((3, 2)), fw.Input((4,))
    trained = fw.Model([x, h], fw.layers.GRU(4, name="decoder")(x, initial_state=h))
    again = fw.Model([x, h], trained.get_layer("decoder")(x, initial_state=h))
    data = np.ones((2, 3, 2), np.float32), np.full((2, 4), 0.3, np.float32)
    np.testing.assert_array_equal(trained.predict(list(data)), again.predict(list(data)))
    assert np.ptp(trained.predict([data[0], 2 * data[1]]) - trained.predict(list(data))) > 0
