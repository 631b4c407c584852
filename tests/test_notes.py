"""The notes' own programs run as written, apart from imports and typos; what they claim holds."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import Sequential
from fitwell.layers import Dense
from fitwell.losses import BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 2)).astype(np.float32)
binary = (X[:, 0] + X[:, 1] > 0).astype(int)


def test_the_first_listing_25_15_1_sigmoid() -> None:
    y = binary
    # fmt: off
    model = Sequential([
        Dense(units=25, activation='sigmoid'),
        Dense(units=15, activation='sigmoid'),
        Dense(units=1, activation='sigmoid'),
    ])
    model.compile(loss=BinaryCrossentropy())
    model.fit(X, y, epochs=100)
    # fmt: on
    assert model.optimizer == fw.optimizers.Adam()  # the loss alone means Adam
    assert model.count_params() == (2 * 25 + 25) + (25 * 15 + 15) + (15 * 1 + 1)
    probability = model.predict(X)
    assert probability.shape == (64, 1)
    assert ((probability > 0) & (probability < 1)).all()


def test_the_first_listing_as_regression() -> None:
    model = Sequential([Dense(units=25, activation="relu"), Dense(units=1, activation="linear")])
    model.compile(loss=MeanSquaredError())
    y = X @ [1.0, -2.0]
    assert model.fit(X, y, epochs=200).history["loss"][-1] < 0.1 * np.var(y)


def test_the_notes_misspelt_argument_is_answered() -> None:
    model = Sequential([Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(fw.errors.UnknownArgument) as error:
        model.fit(X, binary, epoch=100)
    assert str(error.value) == (
        "fit: expected an argument it knows, received epoch=100. Did you mean epochs?"
    )


def test_the_second_listing_25_15_1_relu_learns() -> None:
    y = binary
    # fmt: off
    model = Sequential([
        Dense(units=25, activation='relu'),
        Dense(units=15, activation='relu'),
        Dense(units=1, activation='sigmoid'),
    ])
    # fmt: on
    model.compile(loss=BinaryCrossentropy(), metrics=["accuracy"])
    assert model.fit(X, y, epochs=100).history["accuracy"][-1] > 0.95


def test_the_softmax_listing() -> None:
    Y = RNG.integers(0, 10, 64)
    model = Sequential(
        [
            Dense(units=25, activation="relu"),
            Dense(units=15, activation="relu"),
            output_layer := Dense(units=10, activation="softmax"),
        ]
    )
    model.compile(loss=SparseCategoricalCrossentropy())
    model.fit(X, Y, epochs=100)
    np.testing.assert_allclose(model.predict(X).sum(axis=1), 1.0, atol=1e-6)
    assert output_layer.units == 10


@pytest.mark.parametrize(
    ("head", "loss", "labels", "probability"),
    [
        (
            Dense(1, activation="linear"),
            BinaryCrossentropy(from_logits=True),
            binary,
            jax.nn.sigmoid,
        ),
        (
            Dense(10, activation="linear"),
            SparseCategoricalCrossentropy(from_logits=True),
            RNG.integers(0, 10, 64),
            jax.nn.softmax,
        ),
    ],
    ids=["logistic", "softmax"],
)
def test_the_more_accurate_listings_train_to_the_same_model(
    head: Dense, loss: Any, labels: Any, probability: Any
) -> None:
    """A linear head with `from_logits=True` equals the activation in the head, plain loss."""
    plain_head = Dense(head.units, activation="sigmoid" if head.units == 1 else "softmax")
    logits = Sequential([Dense(8, activation="tanh"), head], seed=1)
    plain = Sequential([Dense(8, activation="tanh"), plain_head], seed=1)
    logits.compile(loss=loss)
    plain.compile(loss=type(loss)())
    a, b = logits.fit(X, labels, epochs=3), plain.fit(X, labels, epochs=3)
    np.testing.assert_allclose(a.history["loss"], b.history["loss"], rtol=1e-6)
    np.testing.assert_allclose(probability(logits.predict(X)), plain.predict(X), atol=1e-6)


@pytest.mark.parametrize("scale", [1e4, -1e4])
@pytest.mark.parametrize("loss", ["binary_crossentropy", "sparse_categorical_crossentropy"])
def test_no_overflow_whatever_the_user_wrote(loss: str, scale: float) -> None:
    """Logits of +-1e4: the loss is the exact 1e4, and one step moves by p - y."""
    head = Dense(1, activation="sigmoid") if "binary" in loss else Dense(2, activation="softmax")
    model = Sequential([head])
    model.build((None, 1))
    start = np.full((1, head.units), 0.0)
    start[0, -1] = scale
    model.set_weights([start, np.zeros(head.units)])
    model.compile(fw.optimizers.SGD(1.0), loss=loss)
    wrong = 0 if scale > 0 else 1
    x, y = np.ones((4, 1)), np.full(4, wrong)
    assert model.evaluate(x, y) == pytest.approx(1e4, rel=1e-6)
    model.fit(x, y, batch_size=4, epochs=1)
    step = model.get_weights()[1][-1]  # the bias began at 0: it is now -(p - y)
    assert step == (-1.0 if scale > 0 else 1.0)


# S4: the initialisations


def he_like_the_notes(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """`np.random.randn(n_l, n_l-1) * np.sqrt(2 / layers_dims[l-1])`."""
    return jax.random.normal(key, shape) * jnp.sqrt(2 / shape[0])


@pytest.mark.parametrize(
    ("initializer", "sd"),
    [
        ("zeros", 0.0),
        (fw.initializers.RandomNormal(stddev=0.01), 0.01),
        (fw.initializers.RandomNormal(stddev=1.0), 1.0),
        (he_like_the_notes, np.sqrt(2 / 400)),
        ("he_normal", np.sqrt(2 / 400)),
        ("glorot_normal", np.sqrt(2 / (400 + 300))),
    ],
    ids=["zeros", "small", "large", "he by hand", "he", "glorot"],
)
def test_the_notes_initialisations(initializer: object, sd: float) -> None:
    model = Sequential([Dense(300, kernel_initializer=initializer)])
    model.build((None, 400))
    kernel = model.layers[0].kernel
    assert float(kernel.std()) == pytest.approx(sd, rel=0.02)
    assert float(jnp.abs(model.layers[0].bias).max()) == 0


def test_zero_initialisation_leaves_all_units_equal() -> None:
    """I1: the kernel of the first layer keeps rank 1, however long it trains."""
    zero = {"kernel_initializer": fw.initializers.Constant(0.1)}
    model = Sequential([Dense(6, activation="tanh", **zero), Dense(1, **zero)])
    model.compile(fw.optimizers.SGD(0.1), loss="mse")
    model.fit(X, X[:, 0] * X[:, 1] + X[:, 0], epochs=20)
    kernel = np.asarray(model.layers[0].kernel)
    np.testing.assert_allclose(kernel, np.repeat(kernel[:, :1], 6, axis=1), rtol=1e-5)
    assert np.linalg.svd(kernel)[1][1] < 1e-6  # the second singular value: rank 1
    assert np.abs(kernel - 0.1).max() > 0.01  # it did train


def test_the_default_initialisation_follows_the_activation() -> None:
    """I4-I6: He for ReLU, LeCun for selu, Glorot otherwise, and the summary says so."""
    lines: list[str] = []
    model = Sequential([Dense(9, activation=a) for a in ("relu", "selu", "tanh")])
    model.build((None, 4))
    model.summary(print_fn=lines.append)
    rows = [line for line in lines[0].splitlines() if " Dense, " in line]
    for row, name in zip(rows, ("He", "Lecun", "Glorot"), strict=True):
        assert name in row


def test_all_linear_layers_are_linear_regression() -> None:
    """O14, M25, M26: W = W1 W2 and b = b1 W2 + b2, in this order."""
    stack = Sequential([Dense(5), Dense(4), Dense(3)])
    stack.build((None, 2))
    stack.set_weights([RNG.normal(size=w.shape) for w in stack.get_weights()])
    one = stack.collapse()
    assert len(one.layers) == 1
    w1, b1, w2, b2, w3, b3 = stack.get_weights()
    np.testing.assert_allclose(one.get_weights()[0], w1 @ w2 @ w3, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one.get_weights()[1], (b1 @ w2 + b2) @ w3 + b3, rtol=1e-5)
    np.testing.assert_allclose(one.predict(X), stack.predict(X), rtol=1e-5, atol=1e-5)


def test_softmax_of_two_is_the_sigmoid_of_the_difference() -> None:
    """O13."""
    z = jnp.asarray(RNG.normal(size=(50, 2)) * 10)
    two = fw.activations.softmax(z)[:, 0]
    np.testing.assert_allclose(two, fw.activations.sigmoid(z[:, 0] - z[:, 1]), atol=1e-6)


def test_one_network_with_three_outputs_or_three_networks() -> None:
    """O10: multi-label as three sigmoids in one layer; "accuracy" is per label."""
    labels = np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 0] > X[:, 1]], axis=1).astype(int)
    model = Sequential([Dense(25, activation="relu"), Dense(3, activation="sigmoid")])
    model.compile(loss=BinaryCrossentropy(), metrics=["accuracy"])
    history = model.fit(X, labels, epochs=300)
    by_hand = ((model.predict(X) > 0.5) == labels).mean()
    assert model.evaluate(X, labels)[1] == pytest.approx(by_hand, abs=1e-6)
    assert history.history["accuracy"][-1] > 0.95


def test_gradient_descent_is_simultaneous_and_by_hand() -> None:
    """P1: w <- w - alpha dJ/dw and b <- b - alpha dJ/db from the same J, checked in numpy."""
    model = Sequential([Dense(1)])
    model.build((None, 2))
    w, b = model.get_weights()
    model.compile(fw.optimizers.SGD(0.1), loss="mse")
    y = binary[:, None]
    for _ in range(3):
        error = X @ w + b - y
        w, b = w - 0.1 * 2 * X.T @ error / 64, b - 0.1 * 2 * error.mean(axis=0)
    model.fit(X, binary, batch_size="full", epochs=3)
    np.testing.assert_allclose(model.get_weights()[0], w, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[1], b, atol=1e-6)
