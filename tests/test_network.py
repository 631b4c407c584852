"""The network's map, its penalties, and cross-entropies from logits whatever the user wrote."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell import activations, losses
from fitwell.constraints import MaxNorm, NonNeg
from fitwell.layers import (
    Activation,
    ActivityRegularization,
    Add,
    Dense,
    Dropout,
    Input,
    Layer,
    Rescaling,
    Softmax,
)
from fitwell.regularizers import L1, L2
from fitwell.training import Batch, Objective, losses_and_stats

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
KEY = jax.random.key(0)


def chain(*layers: Layer, size: int = 3) -> fw.Sequential:
    return fw.Sequential([fw.Input((size,)), *layers], seed=0)


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class Counter(Layer):
    """Counts the batches it saw in training."""

    def init_state(self, shape: Any) -> Any:
        return {"seen": jnp.zeros(())}

    def forward(self, params: Any, state: Any, x: Any, *, key: Any, train: bool) -> Any:
        return x, {"seen": state["seen"] + train}


# The map


def test_forward_is_pure_and_gives_every_layers_output() -> None:
    model = chain(Dense(2, "relu"), Counter(), Dropout(0.5))
    train = model.train_state
    state = train.state

    def forward(on: bool, key: Any = KEY) -> Any:
        return model.network.forward(train.params, state, [jnp.asarray(X)], key=key, train=on)

    kernel, bias = model["dense"].get_weights()
    hidden = np.maximum(X @ kernel + bias, 0)
    values, new = forward(True)
    close(values[0], X)
    close(values[1], hidden)
    assert float(new["counter"]["seen"]) == 1
    assert float(state["counter"]["seen"]) == 0  # the state that was given is as it was
    kept = np.asarray(values[3]) != 0
    close(values[3], np.where(kept, 2 * hidden, 0))
    np.testing.assert_array_equal(forward(True)[0][3], values[3])
    others = [np.asarray(forward(True, jax.random.key(i))[0][3]) for i in range(8)]
    assert any(not np.array_equal(other, values[3]) for other in others)
    values, new = forward(False)
    close(values[3], hidden)
    assert float(new["counter"]["seen"]) == 0


def test_a_frozen_layer_is_a_fixed_map() -> None:
    model = chain(Counter(trainable=False), Dropout(0.5, trainable=False))
    values, new = model.network.forward(
        {}, model.train_state.state, [jnp.asarray(X)], key=KEY, train=True
    )
    close(values[-1], X)
    assert float(new["counter"]["seen"]) == 0


def test_inputs_become_what_the_input_says() -> None:
    model = chain(Rescaling(1.0))
    values, _ = model.network.forward({}, {}, [jnp.arange(6).reshape(2, 3)], key=KEY, train=False)
    assert values[0].dtype == jnp.float32


# Penalties, constraints, proximal steps


def test_penalty_by_hand_for_the_layers_that_learn() -> None:
    model = chain(
        Dense(2, kernel_regularizer=L2(0.1), bias_regularizer=L1(0.5)),
        Dense(1, kernel_regularizer="l2", trainable=False),
    )
    model["dense"].set_weights([[[1.0, -2.0], [0.0, 3.0], [0.0, 0.0]], [2.0, -4.0]])
    # 0.1 (1 + 4 + 9) + 0.5 (2 + 4); the frozen layer's own does not count.
    close(model.network.penalty(model.train_state.params), 1.4 + 3.0)
    assert chain(Dense(1)).network.penalty({}) == 0


def test_activity_penalty_is_per_real_example() -> None:
    model = chain(ActivityRegularization(l1=0.5), Rescaling(1.0))
    values = [jnp.asarray(v) for v in (X, X, X)]
    mask = jnp.array([1.0, 1.0, 0.0, 0.0])
    close(model.network.activity_penalty(values, None), 0.5 * np.abs(X).sum() / 4)
    close(model.network.activity_penalty(values, mask), 0.5 * np.abs(X[:2]).sum() / 2)
    poisoned = [jnp.asarray(v).at[3].set(jnp.nan) for v in (X, X, X)]
    close(model.network.activity_penalty(poisoned, mask), 0.5 * np.abs(X[:2]).sum() / 2)


def test_project_takes_proximal_steps_then_constraints() -> None:
    shrunk = L1(0.5, proximal=True)
    model = chain(
        Dense(2, kernel_regularizer=shrunk, kernel_constraint=NonNeg()),
        Dense(1, kernel_constraint=MaxNorm(1.0), use_bias=False),
        Dense(1, kernel_regularizer=shrunk, trainable=False),
    )
    kernel = np.array([[1.0, -2.0], [0.04, 0.3], [-0.01, 0.05]], np.float32)
    model["dense"].set_weights([kernel, [-1.0, 1.0]])
    model["dense_1"].set_weights([[[3.0], [4.0]]])
    model["dense_2"].set_weights([[[2.0]], [0.0]])
    params = model.train_state.params
    got = model.network.project(params, jnp.float32(0.1))
    close(got["dense"]["kernel"], [[0.95, 0.0], [0.0, 0.25], [0.0, 0.0]])
    assert (np.asarray(got["dense"]["kernel"]) == 0).sum() == 4
    close(got["dense"]["bias"], [-1.0, 1.0])
    close(got["dense_1"]["kernel"], [[0.6], [0.8]])
    close(got["dense_2"]["kernel"], [[2.0]])
    close(params["dense"]["kernel"], kernel)  # what was given is as it was


def test_a_proximal_l1_gives_exact_zeros_in_a_fit() -> None:
    x = np.random.default_rng(1).normal(size=(64, 6)).astype(np.float32)
    model = fw.Sequential([Dense(1, kernel_regularizer=L1(0.2, proximal=True))], seed=0)
    model.compile(fw.optimizers.SGD(0.1), "mse")
    model.fit(x, 3 * x[:, :1], epochs=60, batch_size=64, verbose=0)
    kernel = np.asarray(model["dense"].kernel)[:, 0]
    assert (kernel[1:] == 0).all()
    assert 2.5 < kernel[0] < 3


# Cross-entropies from logits


def final(kind: str, link: str) -> list[Layer]:
    units = 1 if link == "sigmoid" else 3
    function = getattr(activations, link)
    return {
        "name": [Dense(units, link)],
        "function": [Dense(units, function)],
        "jax function": [Dense(units, getattr(jax.nn, link))],
        "layer": [Dense(units), Activation(link)],
        "layer with a function": [Dense(units), Activation(function)],
        "Softmax": [Dense(units), Softmax()],
    }[kind]


KINDS = ["name", "function", "jax function", "layer", "layer with a function"]
LABELS = np.array([0, 1, 2, 1])
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
BINARY = np.array([[0.0], [1.0], [1.0], [0.0]], np.float32)
CASES: list[tuple[str, str, losses.Loss, Any]] = [
    *((k, "sigmoid", losses.BinaryCrossentropy(), BINARY) for k in KINDS),
    *((k, "softmax", losses.CategoricalCrossentropy(), ONE_HOT) for k in [*KINDS, "Softmax"]),
    *((k, "softmax", losses.SparseCategoricalCrossentropy(), LABELS) for k in ["name", "Softmax"]),
    # With gamma = 0 (and alpha = 1) the focal loss is the cross-entropy.
    ("name", "sigmoid", losses.BinaryFocalCrossentropy(gamma=0.0), BINARY),
    ("layer", "softmax", losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=0.0), ONE_HOT),
]
HUGE = [[-1e4, 0.0, 1e4], [1e4, 1e4, -1e4], [0.5, -1.0, 2.0], [3.0, -1e4, 0.0]]


def of_batch(model: fw.Model, loss: losses.Loss, y: Any, x: Any = X, mask: Any = None) -> Any:
    """Loss, metrics' input and gradient with respect to the weights, as training takes them."""
    network = model.network
    objective = Objective((loss,), (1.0,), (), tuple(network.output_names))
    mask = jnp.ones(len(x)) if mask is None else mask
    batch = Batch((jnp.asarray(x),), (jnp.asarray(y),), (None,), mask)

    def value(params: Any) -> Any:
        state = model.train_state.state
        return losses_and_stats(network, objective, params, state, batch, key=KEY, train=True)[0]

    return jax.value_and_grad(value)(model.train_state.params)


@pytest.mark.parametrize(("kind", "link", "loss", "y"), CASES)
def test_value_and_gradient_are_exact_at_logits_of_ten_thousand(
    kind: str, link: str, loss: losses.Loss, y: Any
) -> None:
    logits = np.array(HUGE)[:, :1] if link == "sigmoid" else np.array(HUGE)
    units = logits.shape[1]
    model = chain(*final(kind, link), size=4)
    # Example i is the i-th unit vector: the kernel holds the logits, its gradient is theirs.
    model["dense"].set_weights([logits, np.zeros(units)])
    with np.errstate(over="ignore"):
        if link == "sigmoid":
            p = 1 / (1 + np.exp(-logits))
            expected = np.maximum(logits, 0) - logits * BINARY + np.log1p(np.exp(-abs(logits)))
            slope = p - BINARY
        else:
            shifted = logits - logits.max(1, keepdims=True)
            p = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
            expected = np.log(np.exp(shifted).sum(1)) - shifted[range(4), LABELS]
            slope = p - ONE_HOT
    value, grads = of_batch(model, loss, y, np.eye(4, dtype=np.float32))
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-6)
    np.testing.assert_allclose(4 * grads["dense"]["kernel"], slope, rtol=1e-5, atol=1e-7)
    # predict still gives probabilities.
    np.testing.assert_allclose(model.predict(np.eye(4)), p, rtol=1e-5, atol=1e-7)


def test_from_logits_means_what_it_means_in_keras() -> None:
    """The model's output is taken as the logit, even behind a sigmoid."""
    model = chain(Dense(1, "sigmoid"))
    output = np.asarray(model.predict(X), np.float64)
    value, _ = of_batch(model, losses.BinaryCrossentropy(from_logits=True), BINARY)
    close(value, (np.log1p(np.exp(output)) - output * BINARY).mean())


def logistic(x: Any) -> Any:
    return 1 / (1 + jnp.exp(-3 * x))


logistic.__name__ = "sigmoid"


def test_a_users_function_of_the_same_name_is_the_users() -> None:
    model = chain(Dense(1, logistic))
    p = np.asarray(model.predict(X), np.float64)
    value, _ = of_batch(model, losses.BinaryCrossentropy(), BINARY)
    close(value, -(BINARY * np.log(p) + (1 - BINARY) * np.log(1 - p)).mean())


def test_softmax_over_another_axis_than_the_losss_stays() -> None:
    model = fw.Sequential([fw.Input((3, 2)), Activation("softmax")])
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    y = np.moveaxis(np.eye(3, dtype=np.float32)[np.random.default_rng(1).integers(3, size=8)], 0, 1)
    y = y.reshape(3, 4, 2).swapaxes(0, 1)
    p = np.exp(x) / np.exp(x).sum(2, keepdims=True)
    value, _ = of_batch(model, losses.CategoricalCrossentropy(axis=1), y, x)
    close(value, -(y * np.log(p / p.sum(1, keepdims=True))).sum(1).mean())


def test_an_output_that_other_layers_also_read() -> None:
    x = fw.Input((3,))
    p = Dense(1, "sigmoid", activity_regularizer=L2(0.5))(x)
    model = fw.Model(x, [p, Add()([p, p])])
    network, place, activation = model.network.logits(0)
    assert activation == "sigmoid"
    before = model.network.forward(
        model.train_state.params, {}, [jnp.asarray(X)], key=KEY, train=False
    )[0]
    after, _ = network.forward(model.train_state.params, {}, [jnp.asarray(X)], key=KEY, train=False)
    kernel, bias = model["dense"].get_weights()
    close(after[place[0]], X @ kernel + bias)
    for output, old in zip(network.outputs, model.network.outputs, strict=True):
        close(after[output[0]], before[old[0]])
    probabilities = np.asarray(before[1])
    # The activity regularizer still sees probabilities, and only once.
    close(network.activity_penalty(after, None), 0.5 * (probabilities**2).sum() / 4)
    close(model.network.activity_penalty(before, None), 0.5 * (probabilities**2).sum() / 4)


def test_an_output_without_an_activation_is_as_it_was() -> None:
    model = chain(Dense(1))
    network, place, activation = model.network.logits(0)
    assert network is model.network
    assert (place, activation) == ((1, None), None)


def test_padded_rows_change_nothing() -> None:
    model = chain(Dense(1, "sigmoid", kernel_regularizer="l2", activity_regularizer="l2"))
    loss = losses.BinaryCrossentropy()
    value, grads = of_batch(model, loss, BINARY)
    x = np.vstack([X, np.full((2, 3), 1e3)]).astype(np.float32)
    y = np.vstack([BINARY, np.full((2, 1), np.nan)])
    padded, padded_grads = of_batch(model, loss, y, x, jnp.array([1.0, 1, 1, 1, 0, 0]))
    close(value, padded)
    jax.tree.map(close, grads, padded_grads)


# Descriptions


def test_equal_networks_are_one_key_and_initializers_do_not_enter_it() -> None:
    a = chain(Dense(2, "relu", kernel_initializer="zeros")).network
    b = chain(Dense(2, "relu", kernel_initializer="ones")).network
    assert a != b
    assert a.program() == b.program()
    assert hash(a.program()) == hash(b.program())
    assert a.program() != chain(Dense(2, "tanh")).network.program()


def test_with_layer_changes_every_use() -> None:
    x, shared = fw.Input((3,)), Dense(3)
    network = fw.Model(x, shared(shared(x))).network.with_layer("dense", trainable=False)
    assert [node.layer.trainable for node in network.nodes] == [True, False, False]


def test_what_follows_from_a_network_is_found_once() -> None:
    """Every call of predict asks for the program and its hash: both are kept with the network."""
    network = fw.Sequential([Input((2,)), Dense(3), Dense(1)], seed=0).network
    assert network.program() is network.program()
    assert network.layers is network.layers
    params, state = network.weight_shapes
    assert {n: p["kernel"].shape for n, p in params.items()} == {"dense": (2, 3), "dense_1": (3, 1)}
    assert state == {}
    equal = dataclasses.replace(network)
    assert equal is not network
    assert (equal, hash(equal)) == (network, hash(network))
