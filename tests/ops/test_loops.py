"""Loops in place: those of `lax.scan` in value and derivatives, in less memory."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fitwell.ops.loops import loop

pytestmark = pytest.mark.optimized  # what is timed, read as XLA's text or run for long

RNG = np.random.default_rng(0)
KERNEL = jnp.asarray(RNG.normal(size=(3, 3)) / 2, jnp.float32)
START = (jnp.asarray(RNG.normal(size=(2, 3)), jnp.float32),)
XS = {
    "a": jnp.asarray(RNG.normal(size=(5, 2, 3)), jnp.float32),
    "b": jnp.asarray(RNG.normal(size=(5, 2)), jnp.float32),
    "real": jnp.asarray([[1, 1], [1, 0], [0, 1], [1, 1], [0, 0]], bool),
}


def turn(kernel: Any, states: Any, now: Any) -> Any:
    """Writes two arrays of the shape of "a", one that "b" has and one that nothing has."""
    (state,) = states
    new = jnp.where(now["real"][:, None], jnp.tanh(now["a"] + state @ kernel), state)
    new = new * now["b"][:, None]
    return (new,), (new, state * now["a"], now["b"] + 1, new.sum())


def scan(reverse: bool, kernel: Any, start: Any, xs: Any) -> Any:
    return lax.scan(functools.partial(turn, kernel), start, xs, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_values_are_those_of_the_scan(reverse: bool) -> None:
    found = jax.jit(functools.partial(loop, turn, reverse))(KERNEL, START, XS)
    jax.tree.map(np.testing.assert_allclose, found, scan(reverse, KERNEL, START, XS))
    lanes = jax.vmap(functools.partial(loop, turn, reverse), (0, None, None))
    two = lanes(jnp.stack([KERNEL, 2 * KERNEL]), START, XS)
    second = jax.tree.map(lambda a: a[1], two)
    other = scan(reverse, 2 * KERNEL, START, XS)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), second, other)


@pytest.mark.parametrize("reverse", [False, True])
def test_derivatives_are_those_of_the_scan(reverse: bool) -> None:
    def total(run: Any, kernel: Any, start: Any, a: Any) -> Any:
        last, written = run(kernel, start, {**XS, "a": a})
        return sum((leaf**2).sum() for leaf in jax.tree.leaves((last, written)))

    arguments = KERNEL, START, XS["a"]
    runs = functools.partial(loop, turn, reverse), functools.partial(scan, reverse)
    close = functools.partial(np.testing.assert_allclose, rtol=2e-5, atol=1e-5)
    for derivative in (
        lambda f: jax.grad(f, (0, 1, 2)),
        lambda f: jax.jacfwd(f, (0, 1, 2)),
        lambda f: jax.jacfwd(jax.grad(f)),
        lambda f: jax.jacrev(jax.grad(f)),
    ):
        ours, theirs = (
            jax.jit(derivative(functools.partial(total, run)))(*arguments) for run in runs
        )
        jax.tree.map(close, ours, theirs)


def test_what_is_written_needs_no_memory_of_its_own() -> None:
    """A step that reads and writes one array of a megabyte."""
    xs = jnp.ones((64, 4096))

    def double(_: Any, state: Any, x: Any) -> Any:
        return state + x[0], 2 * x

    def temporary(run: Any) -> int:
        compiled = jax.jit(run, donate_argnums=0).lower(xs).compile()
        return int(compiled.memory_analysis().temp_size_in_bytes)

    size, start = xs.nbytes, jnp.float32(0)
    assert temporary(lambda xs: loop(double, False, None, start, xs)[1]) < size / 4
    last, written = loop(double, False, None, start, xs)
    assert float(last) == 64
    np.testing.assert_array_equal(written, 2 * xs)


def test_no_steps_change_nothing() -> None:
    empty = jax.tree.map(lambda a: a[:0], XS)
    last, written = loop(turn, False, KERNEL, START, empty)
    np.testing.assert_array_equal(last[0], START[0])
    assert [a.shape for a in written] == [(0, 2, 3), (0, 2, 3), (0, 2), (0,)]
