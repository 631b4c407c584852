"""Learnt features: the code of an autoencoder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale

import fitwell as fw
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Dense
from fitwell.optimizers import SGD
from fitwell.sklearn import NetTransformer
from fitwell.sklearn.rows import Scaling

X, Y = load_wine(return_X_y=True)
X = scale(X)[:, :6]


def test_a_linear_autoencoder_spans_the_principal_components() -> None:
    linear = NetTransformer(
        2,
        fw.architectures.autoencoder,
        optimizer=SGD(0.1, momentum=0.9),
        epochs=800,
        batch_size="full",
        random_state=0,
    ).fit(X)
    truth = PCA(2).fit(X)
    rebuilt = truth.inverse_transform(truth.transform(X))
    assert np.allclose(linear.model_.predict(X), rebuilt, atol=1e-3)
    codes = linear.transform(X)
    assert codes.shape == (178, 2)
    kernel, bias = linear.model_["code"].get_weights()
    assert np.allclose(codes, X @ kernel + bias, atol=1e-5)


def test_the_layer_says_which_features() -> None:
    layers = [Dense(3, activation="relu"), Dense(6)]
    for layer in ("dense", 0):
        net = NetTransformer(network=layers, layer=layer, epochs=1, random_state=0).fit(X)
        kernel, bias = net.model_["dense"].get_weights()
        assert np.allclose(net.transform(X), np.maximum(X @ kernel + bias, 0), atol=1e-5)
    with pytest.raises(InvalidArgument, match=r'layer with name="code", received layers dense,'):
        NetTransformer(network=layers).fit(X)
    with pytest.raises(ShapeMismatch, match=r"output has the shape \(6,\): the features again"):
        NetTransformer(network=layers[:1], layer=0).fit(X)


def test_a_trained_model_gives_its_features() -> None:
    model = fw.architectures.autoencoder(6, 2, (4,), seed=0)
    net = NetTransformer(network=model, epochs=0).fit(X)
    code = fw.Model(model.inputs, model["code"].output)
    assert np.allclose(net.transform(X), code.predict(X), atol=1e-6)


def test_parts_names_and_frames() -> None:
    frame = pd.DataFrame(X, columns=list("abcdef"))
    net = NetTransformer(2, network_args={"units": (4,)}, epochs=2, batch_size=64, random_state=0)
    parts = NetTransformer(2, network_args={"units": (4,)}, batch_size=64, random_state=0)
    whole = net.set_params(early_stopping=False).set_output(transform="pandas").fit(frame)
    codes = whole.transform(frame)
    assert list(codes.columns) == ["nettransformer0", "nettransformer1"]
    assert whole.feature_names_in_.tolist() == list("abcdef")
    parts.partial_fit(X).partial_fit(X)
    assert np.array_equal(parts.transform(X), codes.to_numpy())


def test_the_default_keeps_more_than_the_best_linear_code() -> None:
    net = NetTransformer(3, early_stopping=False, random_state=0).fit(X)
    scaled = Scaling.of(X)(X)
    truth = PCA(3).fit(scaled)
    lost = np.mean((truth.inverse_transform(truth.transform(scaled)) - scaled) ** 2)
    assert np.mean((net.model_.predict(scaled) - scaled) ** 2) < 0.8 * lost
    pipeline = make_pipeline(net, LogisticRegression()).fit(X, Y)
    assert pipeline.score(X, Y) > 0.75
