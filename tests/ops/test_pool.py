"""Pooling against XLA's windows, by hand, and what its gradient is made of."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fitwell.ops import pool
from fitwell.ops.geometry import windows

pytestmark = pytest.mark.optimized  # what is timed, read as XLA's text or run for long

CASES: dict[str, tuple[Any, Any, Any, str]] = {
    "touching": ((6, 4), (2, 2), (2, 2), "valid"),
    "rest_left_out": ((7, 5), (3, 2), (3, 2), "valid"),
    "overlap": ((7, 6), (3, 3), (2, 1), "valid"),
    "overlap_same": ((7, 6), (3, 2), (2, 2), "same"),
    "gaps": ((9, 8), (2, 1), (3, 3), "same"),
    "touching_same": ((5, 4), (2, 3), (2, 3), "same"),
    "wide": ((5,), (4,), (3,), "same"),
    "three_axes": ((4, 5, 6), (2, 3, 2), (2, 1, 1), "same"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_pooling_agrees_with_windows_of_xla(case: Any) -> None:
    sizes, size, strides, padding = case
    x = np.random.default_rng(0).normal(size=(3, *sizes, 2))
    found = windows(sizes, size, strides, padding, [1] * len(size))
    window = ((1, *size, 1), (1, *strides, 1))
    around = ((0, 0), *((w.before, w.after) for w in found), (0, 0))

    def naive_max(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, *window, around)

    def naive_mean(x: Any) -> Any:
        total, count = (lax.reduce_window(a, 0.0, lax.add, *window, around) for a in (x, x * 0 + 1))
        return total / count

    def everything(largest: Any, mean: Any) -> Any:
        def f(x: Any) -> Any:
            return jnp.sum(jnp.sin(largest(x))), jnp.sum(jnp.sin(mean(x)))

        return jax.jit(lambda x: (largest(x), mean(x), jax.jacrev(f)(x)))(x)

    with jax.enable_x64(True):
        own = everything(
            lambda x: pool.max_pool(x, size, strides, padding),
            lambda x: pool.average_pool(x, size, strides, padding),
        )
        naive = everything(naive_max, naive_mean)
        for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(naive), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def gradient(function: Any, x: Any) -> Any:
    return jax.jit(jax.grad(lambda x: function(x).sum()))(jnp.asarray(x, jnp.float32))


def pulled(pool: Any, bins: Any, x: Any, cotangent: Any) -> Any:
    """What is pooled, and the gradient of its product with the cotangent."""
    y, pull = jax.vjp(lambda x: pool(x, bins), x)
    return y, pull(cotangent)[0]


def test_the_first_of_equal_values_in_reading_order_gets_the_gradient() -> None:
    x = np.array([[0, 5, 1], [5, 5, 0], [2, 1, 0]]).reshape(1, 3, 3, 1)
    one_window = gradient(lambda x: pool.max_pool(x, (3, 3), (3, 3)), x)
    assert one_window[0, :, :, 0].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    # The four windows 2 x 2 with stride 1: the first three see the 5 of the first row or their own.
    overlap = gradient(lambda x: pool.max_pool(x, (2, 2), (1, 1)), x)
    assert overlap[0, :, :, 0].tolist() == [[0, 2, 0], [1, 1, 0], [0, 0, 0]]
    everywhere = gradient(pool.global_max_pool, x)
    assert everywhere[0, :, :, 0].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(("sizes", "bins"), [((7,), (3,)), ((5, 8), (3, 5)), ((9, 6), (9, 4))])
def test_bins_that_share_entries_are_pooled_one_by_one(
    sizes: tuple[int, ...], bins: tuple[int, ...]
) -> None:
    """Each bin is cut out and pooled as a whole; the gradients of bins that overlap add up."""
    x = np.random.default_rng(0).normal(size=(2, *sizes, 3))
    cotangent = np.random.default_rng(1).normal(size=(2, *bins, 3))
    places = list(np.ndindex(*bins))
    for whole, mean in ((pool.adaptive_max_pool, False), (pool.adaptive_average_pool, True)):
        y = np.zeros(cotangent.shape)
        slope = np.zeros(x.shape)
        for place in places:
            pairs = list(zip(place, sizes, bins, strict=True))
            box = [slice(i * n // o, -(-(i + 1) * n // o)) for i, n, o in pairs]
            for b, c in np.ndindex(2, 3):
                at = (b, *box, c)
                largest = x[at] == x[at].max()
                share = np.full(largest.shape, 1 / largest.size) if mean else largest
                y[(b, *place, c)] = (share * x[at]).sum()
                slope[at] += share * cotangent[(b, *place, c)]
        with jax.enable_x64(True):
            found, back = jax.jit(functools.partial(pulled, whole, bins))(x, cotangent)
            np.testing.assert_allclose(found, y, rtol=1e-12)
            np.testing.assert_allclose(back, slope, rtol=1e-12)


def test_an_entry_that_two_bins_share_gets_the_gradient_of_both() -> None:
    # Bins 0..1 and 1..2. Of equal values in a bin, the first wins.
    slope = gradient(lambda x: pool.adaptive_max_pool(x, (2,)), [[[1], [5], [5]]])
    assert slope.ravel().tolist() == [0, 2, 0]


@pytest.mark.parametrize("where", range(4))
def test_nan_in_a_window_gives_nan(where: int) -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(1, 6, 1)
    x[0, where] = np.nan
    y = pool.max_pool(jnp.asarray(x), (4,), (2,))
    assert np.isnan(y[0, 0, 0])
    assert np.isnan(y[0, 1, 0]) == (where >= 2)
    assert np.isnan(pool.global_max_pool(jnp.asarray(x))).all()


@pytest.mark.parametrize(
    "function", [pool.max_pool, pool.adaptive_max_pool], ids=["max", "adaptive"]
)
def test_nan_among_many_channels_gives_nan_in_its_own_window(function: Any) -> None:
    """Compiled, and in as many channels as a vector unit takes at once."""
    x = np.random.default_rng(0).normal(size=(2, 9, 64)).astype(np.float32)
    x[1, 4, 5:40:7] = np.nan
    wanted = np.isnan(x).reshape(2, 3, 3, 64).any(2)
    args = ((3,), (3,)) if function is pool.max_pool else ((3,),)

    def total(x: Any) -> Any:
        y = function(x, *args)
        return y.sum(), y

    (_, y), slope = jax.jit(jax.value_and_grad(total, has_aux=True))(x)
    np.testing.assert_array_equal(np.isnan(y), wanted)
    np.testing.assert_array_equal(np.asarray(slope)[np.isnan(x)], 1.0)


def test_negative_infinity_and_whole_numbers() -> None:
    lowest = jnp.full((1, 4, 1), -jnp.inf)
    assert pool.max_pool(lowest, (3,), (2,), "same").ravel().tolist() == [-np.inf, -np.inf]
    whole = jnp.array([3, -7, -9]).reshape(1, 3, 1)
    assert pool.max_pool(whole, (2,), (2,), "same").ravel().tolist() == [3, -9]


def test_windows_larger_than_a_byte_counts() -> None:
    x = jnp.arange(130.0).reshape(1, 130, 1)
    y, slope = jax.jit(jax.value_and_grad(lambda x: pool.max_pool(x, (130,), (130,)).sum()))(x)
    assert y == 129.0
    assert (int(slope.argmax()), float(slope.sum())) == (129, 1.0)


@pytest.mark.parametrize("strides", [(2, 2), (1, 2)])
def test_the_gradient_has_no_scatter_and_no_window(strides: Any) -> None:
    """`reduce_window` and its gradient are thirty times slower on the CPU."""
    x = jnp.zeros((2, 6, 6, 3))

    def f(x: Any) -> Any:
        largest = pool.max_pool(x, (2, 2), strides, "same")
        return jnp.sum(largest**2) + jnp.sum(pool.average_pool(x, (2, 2), strides) ** 2)

    text = jax.jit(jax.grad(f)).lower(x).as_text()
    assert "scatter" not in text
    assert "reduce_window" not in text


@pytest.mark.parametrize("function", ["max_pool", "adaptive_max_pool"])
def test_the_gradient_does_not_compare_tap_by_tap(function: str) -> None:
    """XLA's CPU back end repeats a chain of comparisons for every entry of the input."""

    def comparisons(size: int) -> int:
        args = ((size,), (size,)) if function == "max_pool" else ((2,),)
        f = getattr(pool, function)
        x = jnp.zeros((1, 2 * size, 2))
        return jax.jit(jax.grad(lambda x: f(x, *args).sum())).lower(x).as_text().count("compare")

    assert comparisons(12) == comparisons(3)
