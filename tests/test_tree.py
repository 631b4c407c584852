"""Nested dicts of arrays: names, flat form, size, equality to the last bit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fitwell import tree

names = st.text(st.characters(blacklist_characters="/"), max_size=3)
trees = st.recursive(
    st.dictionaries(names, st.integers(), min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(trees)
def test_flatten_and_unflatten_are_inverse(nested: dict[str, Any]) -> None:
    flat = tree.flatten(nested)
    assert tree.unflatten(flat) == nested
    assert not any(isinstance(leaf, dict) for leaf in flat.values())
    assert [*flat.values()] == [leaf for _, leaf in tree.leaves_with_names(nested)]


@given(trees)
def test_map_with_names_sees_every_leaf_under_its_flat_name(nested: dict[str, Any]) -> None:
    mapped = tree.map_with_names(lambda name, leaf: (name, leaf), nested)
    assert tree.flatten(mapped) == {k: (k, v) for k, v in tree.flatten(nested).items()}


def test_order_is_that_of_insertion() -> None:
    nested = {"b": {"kernel": 1, "bias": 2}, "a": 3}
    assert list(tree.flatten(nested)) == ["b/kernel", "b/bias", "a"]


def test_size_counts_numbers() -> None:
    assert tree.size({"a": jnp.zeros((2, 3)), "b": {"c": np.zeros(4), "d": jnp.zeros(())}}) == 11
    assert tree.size({}) == 0


def test_host_equal_is_equality_of_bits_types_and_structure() -> None:
    nan = np.array([np.nan, 0.0], np.float32)
    a: dict[str, Any] = {"a": nan, "b": {"c": jnp.ones(2)}}
    assert tree.host_equal(a, jax.tree.map(np.array, a))
    for other in (
        {"a": nan, "b": {"d": jnp.ones(2)}},
        {"a": nan, "b": jnp.ones(2)},
        {"a": nan.astype(np.float64), "b": {"c": jnp.ones(2)}},
        {"a": np.array([np.nan, -0.0], np.float32), "b": {"c": jnp.ones(2)}},
        {"a": nan[None], "b": {"c": jnp.ones(2)}},
    ):
        assert not tree.host_equal(a, other)
