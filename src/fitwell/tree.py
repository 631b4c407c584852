"""Nested dicts of arrays, and their flat form with `/` in the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from fitwell.types import HostArray, Tree


def leaves_with_names(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name and leaf of every array, in the order of insertion.

    >>> list(leaves_with_names({"dense": {"kernel": 1, "bias": 2}}))
    [('dense/kernel', 1), ('dense/bias', 2)]
    """
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves_with_names(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """`{"dense": {"kernel": a}}` -> `{"dense/kernel": a}`; the inverse of `unflatten`."""
    return dict(leaves_with_names(tree))


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"dense/kernel": a}` -> `{"dense": {"kernel": a}}`; the inverse of `flatten`."""
    tree: dict[str, Any] = {}
    for name, leaf in flat.items():
        *path, last = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = leaf
    return tree


def map_with_names(function: Callable[[str, Any], Any], tree: Mapping[str, Any]) -> dict[str, Any]:
    """`function(name, leaf)` at every leaf, with the structure kept, empty dicts included.

    >>> map_with_names(lambda name, leaf: f"{name}={leaf}", {"a": {"b": 1}, "c": {}})
    {'a': {'b': 'a/b=1'}, 'c': {}}
    """

    def walk(node: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        return {
            key: walk(value, f"{prefix}{key}/")
            if isinstance(value, Mapping)
            else function(f"{prefix}{key}", value)
            for key, value in node.items()
        }

    return walk(tree, "")


def size(tree: Tree) -> int:
    """The number of numbers in a tree."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


def host_equal(a: Tree, b: Tree) -> bool:
    """Same structure, and every array equal to the last bit."""
    left, right = jax.tree.leaves(a), jax.tree.leaves(b)
    if str(jax.tree.structure(a)) != str(jax.tree.structure(b)):
        return False

    def same(x: HostArray, y: HostArray) -> bool:
        x, y = np.asarray(x), np.asarray(y)
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()

    return all(same(x, y) for x, y in zip(left, right, strict=True))
