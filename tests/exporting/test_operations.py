"""Operations that layers of users may hold, in onnxruntime and in numpy, against numpy's formulas.

Those that the library's own layers consist of are tested with the layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from .running import both, package_of

X = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32) * 2
N = np.random.default_rng(1).integers(-3, 9, (4, 5)).astype(np.int32)
TINY = np.array([[1e-6, -3e-5, 0.0, 2.0, 1e4]], np.float32)
INDEX = np.array([2, 0, 2])


def windows(x: Any, size: int, function: Callable[..., Any]) -> Any:
    """Of channels-last sequences, without padding, stride 1."""
    parts = [x[:, i : x.shape[1] - size + 1 + i] for i in range(size)]
    return function(np.stack(parts), axis=0)


def convolved(x: Any) -> Any:
    """(batch, 3, 5) with a kernel of ones (2, 5, 1): sums of two neighbouring steps."""
    return (x[:, :-1] + x[:, 1:]).sum(-1, keepdims=True)


def put(x: Any, where: Any, values: Any) -> Any:
    x = x.copy()
    x[where] = values
    return x


def counted(states: Any, _: Any) -> Any:
    place, total = states
    return (place + 1, total + jnp.float32(place) * 2), None


def scaled(i: Any, x: Any) -> Any:
    return lax.dynamic_update_index_in_dim(x, x[i] * (i + 1), i, 0)


CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], Any]] = [
    ("trigonometry", lambda x: jnp.sin(x) + jnp.cosh(x) + jnp.arctan(x),
     lambda x: np.sin(x) + np.cosh(x) + np.arctan(x), X),
    ("cbrt", jnp.cbrt, np.cbrt, X),
    ("exp2", jnp.exp2, np.exp2, X),
    ("expm1 near 0", lambda x: jnp.expm1(-jnp.abs(x)) * 1e6,
     lambda x: np.expm1(-np.abs(x)) * 1e6, TINY),
    ("log1p near 0", lambda x: jnp.log1p(jnp.abs(x)) * 1e6,
     lambda x: np.log1p(np.abs(x)) * 1e6, TINY),
    ("round to even", jnp.round, np.round, np.array([[0.5, 1.5, -2.5, 2.4]], np.float32)),
    ("round away", lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
     lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5), np.array([[0.5, -2.5, 2.4]], np.float32)),
    ("remainder", lambda x: lax.rem(x, jnp.full_like(x, 1.5)), lambda x: np.fmod(x, 1.5), X),
    ("powers", lambda x: x**3 + jnp.abs(x) ** 0.3, lambda x: x**3 + np.abs(x) ** 0.3, X),
    ("clip", lambda x: lax.clamp(-1.0, x, 0.5), lambda x: np.clip(x, -1, 0.5), X),
    ("finite", lambda x: jnp.isfinite(1 / x) & ~(x > 1) ^ (x < 0),
     lambda x: (x != 0) & ~(x > 1) ^ (x < 0), np.array([[0.0, 2, -3, 1]], np.float32)),
    ("whole numbers", lambda n: (n & 6) | (n // 2) ^ 1, lambda n: (n & 6) | (n // 2) ^ 1, N),
    ("division to 0", lambda n: lax.div(n, jnp.full_like(n, 2)), lambda n: np.fix(n / 2), N),
    ("cumulative sum", lambda x: jnp.cumsum(x, 1), lambda x: np.cumsum(x, 1), X),
    ("cumulative sum from behind", lambda x: lax.cumsum(x, 2, reverse=True),
     lambda x: np.flip(np.cumsum(np.flip(x, 2), 2), 2), X),
    ("argmax", lambda x: jnp.argmax(x, 2), lambda x: np.argmax(x, 2), X),
    ("argmin", lambda x: jnp.argmin(x, 1), lambda x: np.argmin(x, 1), X),
    ("product", lambda x: jnp.prod(x, 1), lambda x: np.prod(x, 1), X),
    ("all", lambda x: (x > -2).all(2), lambda x: (x > -2).all(2), X),
    ("sort", lambda x: jnp.sort(x, 2), lambda x: np.sort(x, 2), X),
    ("argsort", lambda x: jnp.argsort(x, 2), lambda x: np.argsort(x, 2), X),
    ("columns", lambda x: x[:, :, INDEX], lambda x: x[:, :, INDEX], X),
    ("rows of pairs", lambda x: x[:, INDEX, INDEX + 1], lambda x: x[:, INDEX, INDEX + 1], X),
    ("own places", lambda n: jnp.take_along_axis(n, jnp.abs(n) % 5, 1),
     lambda n: np.take_along_axis(n, np.abs(n) % 5, 1), N),
    ("own place of each row", lambda n: n[jnp.arange(n.shape[0]), jnp.abs(n[:, 0]) % 5],
     lambda n: n[np.arange(len(n)), np.abs(n[:, 0]) % 5], N),
    ("clipped places", lambda n: jnp.take(jnp.arange(4.0), n, mode="clip"),
     lambda n: np.clip(n, 0, 3), N),
    ("flip", lambda x: jnp.flip(x, (1, 2)), lambda x: np.flip(x, (1, 2)), X),
    ("spread", lambda x: lax.pad(x, 7.0, [(0, 0, 0), (1, -1, 1), (0, 2, 2)]),
     lambda x: np.pad(np.insert(np.insert(x, [1, 2], 7, 1), [1, 1, 2, 2, 3, 3, 4, 4], 7, 2),
                      [(0, 0), (1, 0), (0, 2)], constant_values=7)[:, :-1], X),
    ("dynamic slice", lambda x: lax.dynamic_slice_in_dim(x, jnp.argmax(x[0, :, 0]), 2, 1),
     lambda x: (lambda i: x[:, i : i + 2])(min(np.argmax(x[0, :, 0]), 1)), X),
    ("numbered rows", lambda x: x + jnp.arange(x.shape[0])[:, None, None],
     lambda x: x + np.arange(len(x))[:, None, None], X),
    ("put", lambda x: x.at[:, 0].set(7.0).at[..., 1:3].add(x[..., 1:3]),
     lambda x: put(put(x, np.s_[:, 0], 7), np.s_[..., 1:3], put(x, np.s_[:, 0], 7)[..., 1:3]
                   + x[..., 1:3]), X),
    ("put in pairs", lambda x: x.at[:, INDEX, INDEX + 1].multiply(2.0),
     lambda x: put(x, np.s_[:, [0, 2], [1, 3]], x[:, [0, 2], [1, 3]] * [2, 4]), X),
    ("mean of the batch", lambda x: x - x.mean(0), lambda x: x - x.mean(0), X),
    ("products of examples", lambda x: jnp.einsum("aij,bij->ab", x, x),
     lambda x: np.einsum("aij,bij->ab", x, x), X),
    ("convolution", lambda x: lax.conv_general_dilated(
        x, jnp.ones((2, 5, 1)), (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC")),
     convolved, X),
    ("largest of windows",
     lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 1), (1, 1, 1), "VALID"),
     lambda x: windows(x, 2, np.max), X),
    ("sum of windows",
     lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 1), (1, 1, 1), "VALID"),
     lambda x: windows(x, 2, np.sum), X),
    ("loop that counts", lambda x: lax.scan(counted, (0, x[:, 0, 0]), None, 4)[0][1],
     lambda x: x[:, 0, 0] + 12, X),
    ("loop in place",
     lambda x: lax.fori_loop(0, 3, scaled, x.swapaxes(0, 1)),
     lambda x: (x * np.array([1, 2, 3])[:, None]).swapaxes(0, 1), X),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "formula", "x"), CASES, ids=[c[0] for c in CASES])
def test_operations_agree_with_numpy(name: str, function: Any, formula: Any, x: Any) -> None:
    for program in both(package_of(lambda _, x: [function(x)], {}, [x])):
        (y,) = program(x)
        wanted = np.asarray(formula(x))
        assert y.shape == wanted.shape
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)


def test_places_outside_are_nan() -> None:
    table = jnp.arange(6.0).reshape(3, 2)

    def function(_: Any, ids: Any) -> Any:
        return [table.at[ids].get(mode="fill", fill_value=jnp.nan)]

    ids = np.array([[0], [2], [3]], np.int32)
    for program in both(package_of(function, {}, [ids])):
        np.testing.assert_equal(program(ids)[0], [[[0, 1]], [[4, 5]], [[np.nan, np.nan]]])


def test_several_keys_decide_about_an_order_in_numpy() -> None:
    def function(_: Any, a: Any, b: Any) -> Any:
        return lax.sort((a, b), dimension=1, num_keys=2)

    a, b = np.array([[2, 1, 1]], np.int32), np.array([[0, 9, 3]], np.int32)
    from fitwell.exporting.script import script

    from .running import load_script

    first, second = load_script(script(package_of(function, {}, [a, b], 2)))(a, b)
    assert (first.tolist(), second.tolist()) == ([[1, 1, 2]], [[3, 9, 0]])


def test_what_is_known_is_computed_before(  # the file holds results, not what led to them
) -> None:
    def function(weights: Any, x: Any) -> Any:
        kernel = jax.nn.softmax(weights["kernel"], axis=0)
        return [x @ (kernel / jnp.linalg.norm(kernel))]

    x = np.ones((2, 3), np.float32)
    package = package_of(function, {"kernel": jnp.ones((3, 2))}, [x])
    assert [one.kind for one in package.program.operations] == ["dot_general"]
    for program in both(package):  # 1/3 each, over sqrt(6/9)
        np.testing.assert_allclose(program(x)[0], np.full((2, 2), 1 / np.sqrt(6 / 9)), rtol=1e-6)


ROW = jnp.array([1.0, -2.0, 4.0])
PRODUCTS: dict[str, Any] = {
    "a sum, a factor, a sum": (lambda p: [((p - ROW) * ROW + 3) / 2], ["dot_general", "add"]),
    "what is subtracted from": (lambda p: [ROW - (p * ROW)], ["dot_general", "add"]),
    "in another shape": (lambda p: [(p.reshape(-1, 1, 3) * ROW).reshape(-1, 3)], ["dot_general"]),
    "two readers": (lambda p: [p * ROW, p + ROW], ["dot_general", "mul", "add"]),
    "by itself": (lambda p: [p * p + ROW], ["dot_general", "mul", "add"]),
    "a divisor with a 0": (
        lambda p: [jnp.maximum(p / (ROW - 1), 0)],
        ["dot_general", "div", "max"],
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_take_up_rows(name: str) -> None:
    """The operations that are left; the values are numpy's."""
    after, kinds = PRODUCTS[name]
    kernel = jnp.asarray(np.random.default_rng(2).normal(size=(5, 3)), jnp.float32)
    x = X[:, 0]
    package = package_of(lambda w, x: after(x @ w), kernel, [x], len(after(x @ kernel)))
    left = [one.kind for one in package.program.operations]
    assert [kind for kind in left if kind not in ("reshape", "broadcast_in_dim")] == kinds
    product = x.astype(np.float64) @ np.asarray(kernel, np.float64)
    with np.errstate(divide="ignore"):
        wanted = after(jnp.asarray(product, jnp.float32))
    for program in both(package):
        for y, truly in zip(program(x), wanted, strict=True):
            np.testing.assert_allclose(y, truly, rtol=1e-5, atol=1e-5)
