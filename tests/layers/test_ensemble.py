"""EnsembleAdapter and EnsembleDense: which member sees which row. Their maps are contract rows."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitwell import Input, Sequential
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers import Dense, EnsembleAdapter, EnsembleDense

MEMBERS = 3


def network(rows: int, *, train: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the two layers make of some rows, and what each member alone makes of them."""
    draw = np.random.default_rng(0)
    scale, x = draw.normal(size=(MEMBERS, 4)), draw.normal(size=(rows, 4))
    kernel, bias = draw.normal(size=(MEMBERS, 4, 2)), draw.normal(size=(MEMBERS, 2))
    key = jax.random.key(0)
    adapted, _ = EnsembleAdapter(MEMBERS).forward(
        {"scale": jnp.asarray(scale)}, {}, jnp.asarray(x), key=key, train=train
    )
    assert len(adapted) == rows
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    y, _ = EnsembleDense(2).forward(params, {}, adapted, key=key, train=train)
    each = np.stack([(x * scale[k]) @ kernel[k] + bias[k] for k in range(MEMBERS)], axis=1)
    return np.asarray(y), each


@pytest.mark.parametrize("rows", [1, 3, 7, 12])
def test_in_prediction_the_members_are_averaged(rows: int) -> None:
    y, each = network(rows, train=False)
    np.testing.assert_allclose(y, each.mean(axis=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [3, 7, 12])
def test_in_training_a_row_is_one_members_own(rows: int) -> None:
    y, each = network(rows, train=True)
    own = each[np.arange(rows), np.arange(rows) % MEMBERS]
    np.testing.assert_allclose(y, own, rtol=1e-5, atol=1e-6)


def test_fewer_rows_than_members_are_seen_by_all() -> None:
    y, each = network(2, train=True)
    np.testing.assert_allclose(y, each.mean(axis=1), rtol=1e-5, atol=1e-6)


def test_a_member_learns_from_its_own_rows_alone() -> None:
    model = Sequential([Input((1,)), EnsembleAdapter(2), EnsembleDense(1)], seed=0)
    model.compile("sgd", loss="mse")
    model.learning_rate = 0.1
    before = np.asarray(model["ensemble_dense"].kernel).copy()
    x = np.array([[1.0], [0.0]], np.float32)  # the second member's row is 0: no gradient
    model.fit(x, np.array([5.0, 0.0]), batch_size=2, shuffle=False, verbose=0)
    moved = np.abs(np.asarray(model["ensemble_dense"].kernel) - before).ravel()
    assert moved[0] > 0.1
    assert moved[1] == 0


def test_it_fits_with_any_batch_size() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    y = x @ np.array([1.0, -2.0, 0.5], np.float32)
    hidden = Dense(16, "relu")
    model = Sequential([Input((3,)), EnsembleAdapter(4), hidden, EnsembleDense(1)], seed=0)
    model.compile("adam", loss="mse")
    model.learning_rate = 0.02
    for size in (7, 50, 64):
        model.fit(x, y, batch_size=size, epochs=40, verbose=0)
    assert np.mean((np.asarray(model.predict(x, verbose=0))[:, 0] - y) ** 2) < 0.05 * np.var(y)


def test_start() -> None:
    params = EnsembleDense(1, kernel_initializer="he_normal").init(jax.random.key(0), (50, 400))
    kernel = np.asarray(params["kernel"])
    assert kernel.std() == pytest.approx(np.sqrt(2 / 400), rel=0.05)  # the fan-in is a member's own
    assert len(np.unique(kernel[:, 0, 0])) == 50


def test_refusals() -> None:
    for make in (lambda: EnsembleAdapter(0), lambda: EnsembleDense(0)):
        with pytest.raises(InvalidArgument, match=r"whole number >= 1, received \w+=0"):
            make()
    with pytest.raises(ShapeMismatch, match=r"Put Flatten\(\) before it"):
        EnsembleAdapter(2).init(jax.random.key(0), (3, 4))
    cure = "Put EnsembleAdapter(members) before the layers that the members share."
    with pytest.raises(ShapeMismatch, match=re.escape(cure)):
        EnsembleDense(1).init(jax.random.key(0), (4,))
