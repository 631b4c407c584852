"""Small products as sums: what numpy computes in float64, and no products are left."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fitwell as fw
from fitwell.layers import Dense, Input
from fitwell.ops.products import with_small_products
from fitwell.programs import is_small

RNG = np.random.default_rng(0)
SHAPES = [(2, 2, 2), (5, 3, 4), (32, 25, 15), (32, 2, 25), (3, 64, 8), (64, 10, 16), (7, 40, 3)]
SHAPES += [tuple(RNG.integers(2, 33, 3)) for _ in range(8)]


def dots(function: Any, *arguments: Any) -> int:
    return str(jax.make_jaxpr(function)(*arguments)).count("dot_general")


@pytest.mark.parametrize("axes", [(1, 0), (0, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_of_any_shape_and_axes_equal_those_of_numpy(
    shape: tuple[int, int, int], axes: tuple[int, int]
) -> None:
    m, k, n = map(int, shape)
    x, y = RNG.normal(size=(m, k)), RNG.normal(size=(k, n))
    given = np.float32(x if axes[0] == 1 else x.T), np.float32(y if axes[1] == 0 else y.T)
    product = with_small_products(
        lambda x, y: jax.lax.dot_general(x, y, (((axes[0],), (axes[1],)), ((), ())))
    )
    exact = np.float64(np.float32(x)) @ np.float64(np.float32(y))
    np.testing.assert_allclose(jax.jit(product)(*given), exact, rtol=1e-5, atol=2e-6 * k)


def test_small_products_become_sums_also_inside_calls_and_large_ones_stay() -> None:
    small, large = jnp.ones((8, 8)), jnp.ones((64, 64))
    inside = jax.jit(lambda x: jax.nn.relu(x @ x) @ x.T)
    assert dots(inside, small) == 2
    assert dots(with_small_products(inside), small) == 0
    assert dots(with_small_products(inside), large) == 2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.einsum("bij,bjk->bik", jnp.stack([x, x]), jnp.stack([x, 2 * x])),
        lambda x: x[0] @ x,
        lambda x: x[:, :1].T @ x,
        lambda x: x.astype(jnp.bfloat16) @ x.astype(jnp.bfloat16).T,
        lambda x: jax.lax.fori_loop(0, 3, lambda i, y: y @ x, x),
        lambda x: jax.random.normal(jax.random.key(0), (8, 8)) @ x,
    ],
    ids=["a batch", "a vector", "a row", "bfloat16", "a loop", "keys"],
)
def test_what_is_no_small_product_of_float32_is_what_it_was(function: Any) -> None:
    x = jnp.asarray(RNG.normal(size=(8, 8)), jnp.float32)
    found, expected = with_small_products(function)(x), function(x)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(np.float32(found), np.float32(expected), rtol=1e-5, atol=1e-5)


def test_one_step_of_gradient_descent_is_what_numpy_computes() -> None:
    x, y = RNG.normal(size=(32, 3)), RNG.normal(size=(32, 2))
    model = fw.Sequential([Input((3,)), Dense(7, activation="tanh"), Dense(2)], seed=0)
    model.compile(fw.optimizers.SGD(0.1), loss="mse")
    before = [np.float64(a) for a in model.get_weights()]
    assert is_small(model.network)
    model.fit(x, y, batch_size=32, epochs=1, verbose=0)
    hidden = np.tanh(x @ before[0] + before[1])
    to_output = 2 * (hidden @ before[2] + before[3] - y) / y.size
    to_hidden = to_output @ before[2].T * (1 - hidden**2)
    gradients = [x.T @ to_hidden, to_hidden.sum(0), hidden.T @ to_output, to_output.sum(0)]
    for found, weight, gradient in zip(model.get_weights(), before, gradients, strict=True):
        np.testing.assert_allclose(found, weight - 0.1 * gradient, rtol=1e-5, atol=1e-6)
