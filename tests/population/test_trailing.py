"""Lanes as the last axis: whatever is computed, it is what `jax.vmap` computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import fitwell as fw
from fitwell.layers import Dense, Dropout, Input
from fitwell.population import programs
from fitwell.population.trailing import trailing_vmap

LANES = 3
RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(4, 5, LANES)), jnp.float32)
W = jnp.asarray(RNG.normal(size=(5, 2, LANES)), jnp.float32)
SHARED = jnp.asarray(RNG.normal(size=(4, 5)), jnp.float32)


def attention_like(x: Any, w: Any, shared: Any) -> Any:
    """Products with a batch axis, which are left to `jax.vmap`."""
    return jnp.einsum("bi,bj->bij", x, shared) @ w[None].repeat(4, 0)


FUNCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a layer": lambda x, w, s: jnp.tanh(x @ w + w[0]),
    "products": lambda x, w, s: (x @ w, w.T @ x.T, x.T @ x, s @ w, x @ s.T, s @ s.T),
    "vectors": lambda x, w, s: (x[0] @ w, x[0] @ s[1], jnp.vdot(x, s)),
    "sums": lambda x, w, s: (x.sum(), x.mean(0), (x * s).prod(1), jnp.cumsum(x, 1)),
    "extremes": lambda x, w, s: (x.max(1), (x * s).min(), x.argmax(-1), (x > 0).any(0)),
    "views": lambda x, w, s: (x.T.reshape(2, 10), x[1:3, ::2], x[None, :, None], x[::-1]),
    "squeezes": lambda x, w, s: (jnp.squeeze(x[:1], 0), x.swapaxes(0, 1), x[jnp.array([2, 0])]),
    "joins": lambda x, w, s: (jnp.concatenate([x, s]), jnp.concatenate([s, x], 1)),
    "more joins": lambda x, w, s: (jnp.stack([x, s]), jnp.pad(x, 1), jnp.tile(x, 2)),
    "choices": lambda x, w, s: (jnp.where(x > 0, s, 0), jnp.where(s > 0, x, w[0, 0])),
    "bounds": lambda x, w, s: (jnp.clip(x, -0.5, w[1, 1]), lax.select(w[0, 0] > 0, x, s)),
    "powers": lambda x, w, s: (x**2, x**-1, 2**x, abs(x) ** 0.5, lax.rsqrt(abs(x))),
    "whole numbers": lambda x, w, s: (x.astype("int32") // 2, jnp.floor(x).astype("int32") % 3),
    "functions": lambda x, w, s: (jax.nn.sigmoid(x), lax.erf(x), -x, jnp.sign(x), jnp.isfinite(x)),
    "softmax": lambda x, w, s: (
        jax.nn.logsumexp(x, -1),
        jax.nn.softmax(x),
        jax.nn.log_softmax(x, 0),
    ),
    "activations": lambda x, w, s: (jax.nn.gelu(x), jax.nn.elu(x), jax.nn.relu(x)),
    "labels": lambda x, w, s: (
        jax.nn.one_hot(x.argmax(-1), 5),
        jnp.take_along_axis(x, x.argmax(-1)[:, None], -1),
    ),
    "orders": lambda x, w, s: (jnp.sort(x, 0), jnp.argsort(x)),
    "loops": lambda x, w, s: (
        lax.fori_loop(0, 3, lambda i, y: y * x[0, i] + s, x),
        lax.scan(lambda c, r: (c + r, c * r), x[0], s)[1],
        lax.cond(w[0, 0] > 0, lambda: x, lambda: -x),
        lax.while_loop(lambda y: y.sum() < 9, lambda y: y + 1, x),
    ),
    "constants": lambda x, w, s: (s, jnp.zeros(3), s.sum(), jnp.arange(4)),
    "linear algebra": lambda x, w, s: jnp.linalg.inv(x.T @ x + jnp.eye(5)),
    "attention": attention_like,
    "gradients": lambda x, w, s: jax.grad(lambda w: ((jnp.tanh(x @ w) - s[:, :2]) ** 2).sum())(w),
    "second derivatives": lambda x, w, s: jax.hessian(lambda w: jnp.tanh(x @ w).sum())(w),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_those_of_vmap(name: str) -> None:
    function = FUNCTIONS[name]
    ours = jax.jit(trailing_vmap(function, (True, True, False), LANES))(X, W, SHARED)
    theirs = jax.vmap(function, in_axes=(-1, -1, None), out_axes=-1)(X, W, SHARED)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_random_numbers_are_those_of_each_key() -> None:
    def draws(key: Any, step: Any) -> Any:
        key = jax.random.fold_in(key, step)
        a, b = jax.random.split(key)
        return jax.random.normal(a, (2, 3)), jax.random.bernoulli(b, 0.5, (7,)), b

    keys = jax.random.split(jax.random.key(1), LANES)
    found = trailing_vmap(draws, (True, True), LANES)(keys, jnp.arange(LANES))
    for lane in range(LANES):
        for a, b in zip(found, draws(keys[lane], lane), strict=True):
            assert bool((a[..., lane] == b).all())


def test_a_dot_of_lanes_is_no_call() -> None:
    """Two matrices with lanes: no product is left in the program."""
    run = trailing_vmap(lambda x, w: x @ w, (True, True), LANES)
    assert "dot_general" not in str(jax.make_jaxpr(run)(X, W))
    assert "dot_general" in str(jax.make_jaxpr(jax.vmap(lambda x, w: x @ w, -1))(X, W))


def test_many_tiny_networks_are_what_fit_makes_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes on each of two threads take the vectors; with dropout and a rate for each lane."""
    taken: list[bool] = []
    real = programs.is_tiny

    def noted(*arguments: Any) -> bool:
        taken.append(real(*arguments))
        return taken[-1]

    monkeypatch.setattr(programs, "is_tiny", noted)
    x = RNG.normal(size=(50, 3)).astype(np.float32)
    y = (x.sum(1) > 0).astype(int)
    rates = [10 ** (-3 + i / 31) for i in range(32)]

    def model(seed: int, rate: float) -> fw.Sequential:
        made = fw.Sequential(
            [Input((3,)), Dense(9, "tanh"), Dropout(0.2), Dense(1, "sigmoid")], seed=seed
        )
        made.compile(fw.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"])
        return made

    given: dict[str, Any] = {"epochs": 3, "batch_size": 16, "verbose": 0}
    many = fw.fit_many(model(4, 0.1), x, y, seeds=32, learning_rate=rates, **given)
    assert any(taken)
    for lane in (0, 13, 31):
        alone = model(4 + lane, rates[lane])
        history = alone.fit(x, y, **given).history
        for name, values in many.models[lane].history.history.items():  # type: ignore[union-attr]
            np.testing.assert_allclose(values, history[name], rtol=1e-5, atol=1e-6)
        for a, b in zip(many.models[lane].get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
