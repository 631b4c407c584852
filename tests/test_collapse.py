"""Depth without non-linearity adds nothing: the collapsed chain is the same map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fitwell as fw
from fitwell import activations
from fitwell.errors import InvalidArgument
from fitwell.layers import Add, Dense, Dropout, Normalization

X = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)


def randomised(*layers: Any) -> fw.Sequential:
    """Biases start at 0: random ones show whether they are carried over."""
    model = fw.Sequential([fw.Input((5,)), *layers], seed=0)
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(size=w.shape) for w in model.get_weights()])
    return model


def linear(x: Any) -> Any:
    return 2 * x


CASES: dict[str, tuple[list[Any], list[int]]] = {
    "all linear": ([Dense(7), Dense(3, "linear"), Dense(2)], [2]),
    "a function": ([Dense(7, activations.linear), Dense(2)], [2]),
    "without bias": ([Dense(7, use_bias=False), Dense(2, use_bias=False)], [2]),
    "first bias alone": ([Dense(7), Dense(2, use_bias=False)], [2]),
    "second bias alone": ([Dense(7, use_bias=False), Dense(2)], [2]),
    "bias in the middle": ([Dense(7, use_bias=False), Dense(4), Dense(2, use_bias=False)], [2]),
    "the last keeps its activation": ([Dense(7), Dense(2, "tanh")], [2]),
    "stops at tanh": ([Dense(7), Dense(6, "tanh"), Dense(4), Dense(2)], [6, 2]),
    "nothing to do": ([Dense(7, "relu"), Dense(2)], [7, 2]),
    "own function called linear": ([Dense(7, linear), Dense(2)], [7, 2]),
    "dropout between": ([Dense(7), Dropout(0.5), Dense(2)], [7, 2]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_collapsed_chain_is_the_same_map(case: str) -> None:
    layers, units = CASES[case]
    model = randomised(*layers)
    before = model.get_weights()
    short = model.collapse()
    kept = [view.units for view in short.layers if isinstance(view.description, Dense)]
    assert kept == units
    expected = model.predict(X)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(short.predict(X) / scale, expected / scale, rtol=0, atol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_three_linear_layers_are_one_by_the_formula() -> None:
    model = randomised(Dense(7), Dense(3), Dense(2))
    w1, b1, w2, b2, w3, b3 = (w.astype(np.float64) for w in model.get_weights())
    (only,) = model.collapse().layers
    np.testing.assert_allclose(only.kernel, w1 @ w2 @ w3, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(only.bias, (b1 @ w2 + b2) @ w3 + b3, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", [None, "relu"])
def test_a_layer_that_is_used_twice_acts_twice(activation: str | None) -> None:
    shared = Dense(5, activation)
    model = randomised(shared, shared, Dense(1))
    short = model.collapse()
    assert len(short.layers) == (3 if activation else 1)
    expected = model.predict(X)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(short.predict(X) / scale, expected / scale, rtol=0, atol=1e-6)


def test_state_comes_along() -> None:
    model = fw.Sequential([fw.Input((5,)), Normalization(), Dense(3), Dense(1)], seed=0)
    model["normalization"].adapt(3 * X + 1)
    short = model.collapse()
    assert [view.name for view in short.layers] == ["normalization", "dense_1"]
    np.testing.assert_allclose(short.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


def test_a_network_with_branches_is_refused() -> None:
    x = fw.Input((5,))
    model = fw.Sequential([fw.Model(x, Add()([Dense(5)(x), x])), Dense(1)])
    with pytest.raises(InvalidArgument) as caught:
        model.collapse()
    assert str(caught.value) == (
        "collapse: expected a chain of layers, received a network with branches, at layer add. "
        "Collapse the chains before they are joined."
    )
