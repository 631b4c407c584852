"""clone, pickle, joblib: what is kept, and how."""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import jax.numpy as jnp
import joblib
import numpy as np
import pytest
from sklearn.base import clone

import fitwell as fw
from fitwell.errors import InvalidArgument
from fitwell.layers import Dense, Lambda
from fitwell.sklearn import NetClassifier, NetRegressor

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ [1.0, 2.0, 3.0]


class Halved(fw.layers.Layer):
    """A layer of a user's own."""

    def apply(self, params: Any, x: Any) -> Any:
        return x / 2


def bent(x: Any) -> Any:
    """An activation of a user's own."""
    return jnp.where(x > 0, x, 0.1 * x)


def model() -> fw.Sequential:
    made = fw.Sequential([fw.Input((3,)), Dense(1)], seed=7)
    made.compile("sgd", "mse")
    return made


def named_in(content: bytes) -> set[str]:
    """The modules that a pickle names: what Python may import and call when it is read."""
    found, texts = set(), []
    for code, argument, _ in pickletools.genops(content):
        if isinstance(argument, str):
            texts.append(argument)
        if code.name == "STACK_GLOBAL":
            found.add(texts[-2])
        elif code.name == "GLOBAL":
            found.add(str(argument).split()[0])
    return found


def test_a_pickle_holds_the_bytes_of_a_file(tmp_path: Any) -> None:
    net = NetRegressor(model(), epochs=2, random_state=0).fit(X, Y)
    content = pickle.dumps(net)
    assert content.count(b'"__metadata__"') == 2  # headers of safetensors: the model, and network=
    assert not {name for name in named_in(content) if name.startswith("jax")}
    assert {name for name in named_in(content) if name.startswith("fitwell")} == {
        "fitwell.sklearn.regressor",
        "fitwell.sklearn.packing",
    }
    back = pickle.loads(content)
    assert np.array_equal(back.predict(X), net.predict(X))
    assert np.array_equal(back.fit(X, Y).predict(X), net.predict(X))
    joblib.dump(net, tmp_path / "net.joblib")
    assert np.array_equal(joblib.load(tmp_path / "net.joblib").predict(X), net.predict(X))


def test_layers_and_functions_of_users_are_kept_by_name() -> None:
    layers = [Halved(), Dense(4, activation=bent), Dense(1)]
    net = NetRegressor(layers, epochs=2, random_state=0).fit(X, Y)
    assert np.array_equal(pickle.loads(pickle.dumps(net)).predict(X), net.predict(X))


def test_a_layer_of_code_is_refused_with_the_cure() -> None:
    net = NetRegressor([Lambda(lambda x: 2 * x), Dense(1)], epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(InvalidArgument, match="Write it as a Layer class of your own"):
        pickle.dump(net, io.BytesIO())


def test_what_was_passed_stays_as_it_was() -> None:
    network, layers = model(), [Dense(1)]
    before = network.get_weights()
    first = NetRegressor(network, epochs=3, random_state=0).fit(X, Y)
    copies = [NetRegressor(layers, epochs=3, random_state=0).fit(X, Y) for _ in range(2)]
    assert network.epochs_trained == 0
    assert all(map(np.array_equal, network.get_weights(), before))
    assert np.array_equal(copies[0].predict(X), copies[1].predict(X))
    assert pickle.loads(pickle.dumps(layers)) == layers  # no model owns them
    assert np.array_equal(clone(first).fit(X, Y).predict(X), first.predict(X))


def test_a_model_begins_with_its_weights() -> None:
    network = model()
    net = NetRegressor(network, epochs=0).fit(X, Y)
    assert np.array_equal(net.predict(X), network.predict(X)[:, 0])
    assert net.n_iter_ == 0
    truth = model()
    truth.fit(X, Y, epochs=2, batch_size=64, shuffle=False, verbose=0)
    trained = NetRegressor(network, epochs=2, batch_size="full", random_state=0).fit(X, Y)
    assert np.allclose(trained.predict(X), truth.predict(X)[:, 0], atol=1e-5)


def test_layers_of_a_trained_model_bring_their_weights() -> None:
    trained = fw.Sequential([fw.Input((3,)), Dense(4, activation="relu"), Dense(1)], seed=0)
    kernel, bias = trained["dense"].get_weights()
    net = NetRegressor([*trained.layers[:-1], Dense(1)], epochs=0, random_state=0).fit(X, Y)
    hidden = np.maximum(X @ kernel + bias, 0)
    for each in (net, pickle.loads(pickle.dumps(net)), clone(net).fit(X, Y)):
        last, zero = each.model_.get_weights()[2:]
        assert np.allclose(each.predict(X), (hidden @ last + zero)[:, 0], atol=1e-5)
        assert np.array_equal(each.network[0].kernel, kernel)
    net.set_params(epochs=2).fit(X, Y)
    assert np.array_equal(trained["dense"].kernel, kernel)


def test_options_of_the_estimator_go_before_those_of_the_model() -> None:
    net = NetRegressor(model(), loss="mae", optimizer="adam", learning_rate=0.5, epochs=1)
    fitted = net.fit(X, Y).model_
    assert fitted.optimizer == fw.optimizers.Adam(0.5)
    assert fitted.compiled().losses == (fw.losses.MeanAbsoluteError(),)
    kept = NetRegressor(model(), learning_rate=0.5, epochs=1).fit(X, Y).model_
    assert kept.optimizer == fw.optimizers.SGD(0.5)


def test_a_network_that_was_not_compiled() -> None:
    shares = NetClassifier(fw.Sequential([Dense(2)], seed=1), epochs=1, random_state=0)
    assert shares.fit(X, Y > 0).predict_proba(X).sum(1) == pytest.approx(np.ones(40))
    assert pickle.loads(pickle.dumps(shares)).classes_.tolist() == [False, True]
