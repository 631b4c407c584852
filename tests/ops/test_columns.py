"""Means of columns and repeated rows: against numpy, and in both modes of differentiation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell.ops.columns import add_row, column_mean, column_sum, repeat_row

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype(np.float32)
W = RNG.integers(0, 2, size=50).astype(np.float32)


def test_values() -> None:
    np.testing.assert_allclose(column_mean(jnp.asarray(X)), X.mean(0), rtol=1e-5, atol=1e-6)
    weighted = column_mean(jnp.asarray(X), jnp.asarray(W))
    np.testing.assert_allclose(weighted, X[W > 0].mean(0), rtol=1e-5, atol=1e-6)
    assert repeat_row(jnp.array([1.0, 2.0]), 3).tolist() == [[1, 2]] * 3


def test_of_several_matrices() -> None:
    several = X.reshape(5, 10, 3)
    sums = column_sum(jnp.asarray(several))
    np.testing.assert_allclose(sums, several.sum(1), rtol=1e-5, atol=1e-5)
    repeated = repeat_row(sums, 4)
    assert repeated.shape == (5, 4, 3)
    np.testing.assert_array_equal(repeated, np.broadcast_to(sums[:, None], (5, 4, 3)))
    assert column_sum(jnp.zeros((0, 3))).tolist() == [0, 0, 0]


def test_a_row_is_added_to_every_row_and_gets_the_sum_of_their_gradients() -> None:
    several, row = jnp.asarray(X.reshape(5, 10, 3)), jnp.array([1.0, -2.0, 3.0])
    y, pull = jax.vjp(add_row, several, row)
    np.testing.assert_array_equal(y, several + row)
    d_several, d_row = pull(several)
    np.testing.assert_array_equal(d_several, several)
    np.testing.assert_allclose(d_row, X.sum(0), rtol=1e-5, atol=1e-5)


def test_rows_of_lanes_get_the_sums_of_their_own() -> None:
    rows, weight = jnp.array([[1.0, -2.0, 3.0], [0.0, 4.0, 5.0]]), jnp.asarray(X)
    energy = jax.grad(lambda row: (weight * add_row(weight, row) ** 2).sum())
    wanted = [2 * (X * (X + np.asarray(row))).sum(0) for row in rows]
    np.testing.assert_allclose(jax.vmap(energy)(rows), wanted, rtol=1e-5, atol=1e-4)
    curvature = jax.jacfwd(energy)(rows[0])  # of a sum over rows: diagonal
    np.testing.assert_allclose(curvature, np.diag(2 * X.sum(0)), rtol=1e-5, atol=1e-4)


def test_gradients_are_each_other() -> None:
    cotangent = jnp.array([1.0, -2.0, 3.0])
    _, pull = jax.vjp(lambda x: column_mean(x, jnp.asarray(W)), jnp.asarray(X))
    wanted = np.outer(W / W.sum(), cotangent)
    np.testing.assert_allclose(pull(cotangent)[0], wanted, rtol=1e-6)
    _, pull = jax.vjp(lambda row: repeat_row(row, 50), cotangent)
    np.testing.assert_allclose(pull(jnp.asarray(X))[0], X.sum(0), rtol=1e-5, atol=1e-5)
    _, forward = jax.jvp(lambda row: repeat_row(row, 2), (cotangent,), (2 * cotangent,))
    assert forward.tolist() == [[2, -4, 6]] * 2


@pytest.mark.parametrize("rows", [100_000, 65_537, 1 << 20])
def test_long_sums_keep_their_digits(rows: int) -> None:
    """Of a hundred thousand additions in a row each rounds: 1e-5 and more."""
    x = np.random.default_rng(0).random((rows, 3)).astype(np.float32)
    true = x.sum(0, dtype=np.float64)
    weight = jnp.asarray(np.arange(rows) % 2, jnp.float32)
    half = x[1::2].mean(0, dtype=np.float64)
    gradient = jax.grad(lambda row: (repeat_row(row, rows) * x).sum())(jnp.ones(3))
    for found, exact in ((column_sum(x), true), (gradient, true), (column_mean(x, weight), half)):
        np.testing.assert_allclose(found, exact, rtol=2e-6)


@pytest.mark.parametrize("rows", [0, 1, 1024, 1025, 2048, 4099])
def test_any_number_of_rows(rows: int) -> None:
    x = np.arange(rows * 2.0, dtype=np.float32).reshape(rows, 2) % 7
    np.testing.assert_allclose(column_sum(jnp.stack([x, 2 * x])), [x.sum(0), 2 * x.sum(0)])
    row = jnp.array([3.0, 4.0])
    np.testing.assert_array_equal(repeat_row(row, rows), np.broadcast_to(row, (rows, 2)))
    np.testing.assert_array_equal(add_row(jnp.asarray(x), row), x + np.asarray(row))
