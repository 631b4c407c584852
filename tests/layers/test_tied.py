"""Weights that two layers share, one of them transposed: in networks, files and fits."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

import fitwell as fw
from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.errors import InvalidArgument

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 6)).astype(np.float32)


def autoencoder(seed: int = 0) -> fw.Sequential:
    encoder = L.Dense(2, activation="tanh")
    return fw.Sequential([fw.Input((6,)), encoder, L.Tied(encoder)], seed=seed)


def test_it_maps_back_with_the_kernel_of_the_other() -> None:
    model = autoencoder()
    kernel, bias = model["dense"].get_weights()
    (own,) = model["tied"].get_weights()
    own = own + 0.5
    model["tied"].set_weights([own])
    expected = np.tanh(X @ kernel + bias) @ kernel.T + own
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    assert model.count_params() == 6 * 2 + 2 + 6
    assert [row.get_weights()[0].shape for row in model.layers] == [(6, 2), (6,)]


def test_the_kernel_gets_the_gradients_of_both_uses() -> None:
    model = autoencoder()
    network, state = model.network, model.train_state

    def loss(params: object) -> jax.Array:
        values, _ = network.forward(params, state.state, [X], key=state.key, train=True)  # type: ignore[arg-type]
        return ((values[-1] - X) ** 2).mean()

    grad = jax.grad(loss)(state.params)["dense"]["kernel"]
    kernel, bias = (np.asarray(w, np.float64) for w in model["dense"].get_weights())
    h = np.tanh(X @ kernel + bias)
    error = 2 * (h @ kernel.T - X) / X.size
    by_hand = error.T @ h + X.T @ ((error @ kernel) * (1 - h**2))
    np.testing.assert_allclose(grad, by_hand, rtol=1e-4, atol=1e-6)


def test_a_fit_moves_one_kernel_and_a_frozen_lender_stays() -> None:
    model = autoencoder()
    model.compile(fw.optimizers.Adam(0.01), loss="mse")
    history = model.fit(X, X, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.9 * history[0]
    model["dense"].trainable = False
    before, own = model["dense"].get_weights(), model["tied"].get_weights()
    model.fit(X, X + 1, epochs=1, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model["dense"].get_weights(), strict=True))
    assert (own[0] != model["tied"].get_weights()[0]).all()


def test_a_file_keeps_the_tie(tmp_path: Path) -> None:
    model = autoencoder()
    model.save(tmp_path / "tied.safetensors")
    again = fw.load(tmp_path / "tied.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    kernel, bias = again["dense"].get_weights()
    again["dense"].set_weights([0 * kernel, bias])
    np.testing.assert_array_equal(again.predict(X), np.zeros_like(X))


def test_a_model_inside_another_keeps_the_tie() -> None:
    inner = autoencoder()
    outer = fw.Sequential([fw.Input((6,)), inner, L.Dense(1)], seed=1)
    kernel, bias = inner["dense"].get_weights()
    outer["dense"].set_weights([0 * kernel, bias])  # the lender, by its name in the outer model
    assert (inner["dense"].get_weights()[0] == 0).all()
    head, offset = outer["dense_1"].get_weights()
    np.testing.assert_allclose(outer.predict(X), 0 * X @ head + offset, atol=1e-7)


def test_a_convolution_and_its_transpose_bring_the_size_back() -> None:
    encoder = L.Conv2D(4, 3, strides=2, padding="same", use_bias=False)
    model = fw.Sequential([fw.Input((8, 6, 1)), encoder, L.Tied(encoder, use_bias=False)])
    assert model.output_shape == (None, 8, 6, 1)
    # <y, W x> = <W^T y, x>: what makes it the transpose.
    x = RNG.normal(size=(1, 8, 6, 1)).astype(np.float32)
    bare = fw.Sequential([fw.Input((8, 6, 1)), L.Conv2D(4, 3, 2, "same", use_bias=False)])
    bare["conv2d"].set_weights(model["conv2d"].get_weights())
    code = bare.predict(x)
    np.testing.assert_allclose((code * code).sum(), (model.predict(x) * x).sum(), rtol=1e-4)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (
            lambda: L.Tied("dense"),
            "Tied: expected of to be a layer of the network, received of='dense'. Write encoder = "
            "Dense(8), use encoder in the network, and then Tied(encoder).",
        ),
        (
            lambda: fw.Sequential([fw.Input((4,)), L.Dense(2), L.Tied(L.Dense(2))]),
            "layer 2 of 2, tied (Tied) after dense (Dense): expected the instance of Dense it "
            "borrows from among the layers before it, "
            "received none of them. Write encoder = Dense(8), use encoder in the network, and then "
            "Tied(encoder).",
        ),
    ],
)
def test_errors_of_making(build: object, text: str) -> None:
    with pytest.raises(InvalidArgument) as found:
        build()  # type: ignore[operator]
    assert str(found.value) == text


def test_a_layer_without_a_transpose_is_refused() -> None:
    lstm = L.LSTM(3, return_sequences=True)
    with pytest.raises(InvalidArgument, match="expected a layer whose map has a transpose"):
        fw.Sequential([fw.Input((5, 4)), lstm, L.Tied(lstm)])
    grouped = L.Conv2D(4, 3, groups=2)
    with pytest.raises(InvalidArgument, match='expected groups=1 and padding "same" or "valid"'):
        fw.Sequential([fw.Input((8, 8, 4)), grouped, L.Tied(grouped)])
