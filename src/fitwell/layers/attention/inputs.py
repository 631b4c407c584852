"""How attention takes its inputs: query, value, key and mask, as Keras' calls name them."""

from __future__ import annotations

import functools
import operator
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np

from fitwell.arguments import named
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Params, Shape


class Roles(NamedTuple):
    """What each input of attention is; None for a mask that was not given."""

    query: Any
    value: Any
    key: Any
    mask: Any


class AttentionLayer(Layer):
    """A layer whose inputs are a query, a value, a key and a mask.

    They come as a list in that order: `[x]` is self-attention, `[query, value]` takes the value
    as the key too.
    """

    several_inputs: ClassVar[bool | None] = True
    uses_mask: ClassVar[bool] = True

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        own: Array | None = mask[0]  # the steps of the output are the query's
        return own

    @named
    def __call__(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        *,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Adds the layer to a graph: `layer(query, value)` or `layer([query, value])`.

        Args:
            query: (T, features); or a list of all that follow it here.
            value: (S, features); None takes the query.
            key: (S, features); None takes the value.
            attention_mask: (T, S), (1, S) or (heads, T, S); > 0 where it may be attended to.
            use_causal_mask: True lets no position see a later one (for this call alone; the
                field `causal` does it for all).
        """
        given = tuple(query) if isinstance(query, list | tuple) else (query,)
        if len(given) > 1 and (value is not None or key is not None):
            cure = "Write layer(query, value, key) or layer([query, value, key])."
            raise InvalidArgument(describe(self), "the inputs once", "them twice", cure)
        roles = roles_of(self, given if value is None and key is None else (query, value, key))
        mask = roles.mask if attention_mask is None else attention_mask
        if use_causal_mask:
            mask = CausalMask()([roles.query, roles.value, *([] if mask is None else [mask])])
        full = [*roles[:3], mask] if mask is not None else list(roles[:3])
        # As short as it can be, so that equal inputs are one input.
        while mask is None and len(full) > 1 and full[-1] is full[-2]:
            full.pop()
        return super().__call__(full)


class CausalMask(Layer):
    """1 where position t of a query may see position s of a value: s <= t: (T, S), or with a mask.

    Attention's field `causal` does the same without a layer of its own; this is what
    `use_causal_mask=True` in a call becomes.

    >>> CausalMask().apply({}, [jnp.ones((1, 2, 8)), jnp.ones((1, 2, 8))]).tolist()
    [[[1.0, 0.0], [1.0, 1.0]]]
    """

    several_inputs: ClassVar[bool | None] = True

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        return None  # these are pairs of steps

    def apply(self, params: Params, x: list[Array]) -> Array:
        roles = roles_of(self, (*x[:2], x[1], x[2]) if len(x) == 3 else tuple(x))
        queries, keys = roles.query.shape[1], roles.value.shape[1]
        order = jnp.tril(jnp.ones((len(x[0]), queries, keys)))
        if roles.mask is None:
            return order
        check_mask(self, roles.mask.shape[1:], queries, keys, heads=None)
        return jnp.where(roles.mask > 0, order, 0)


def roles_of(owner: Layer, given: tuple[Any, ...]) -> Roles:
    """One to four inputs by their roles."""
    if not 1 <= len(given) <= 4:
        raise InvalidArgument(
            describe(owner),
            "one to four inputs: query, value, key, mask",
            str(len(given)),
            "Write layer(query, value), or layer(x) for self-attention.",
        )
    query, value, key, mask = [*given, None, None, None][:4]
    value = query if value is None else value
    return Roles(query, value, value if key is None else key, mask)


def real_keys(mask: list[Array | None] | None) -> Array | None:
    """Which steps of key and value are no padding, given this for each input in order."""
    own = [] if mask is None else [mask[i] for i in {min(len(mask) - 1, n) for n in (1, 2)}]
    real = [each for each in own if each is not None]
    return functools.reduce(operator.and_, real) if real else None


def check_shapes(owner: Layer, roles: Roles, *, heads: int | None) -> None:
    """Sequences of vectors, as many keys as values, and a mask that fits.

    Args:
        roles: shapes of one example, without the batch axis.
        heads: how many a mask may tell apart; None: none.
    """
    for name in ("query", "value", "key"):
        shape = getattr(roles, name)
        if len(shape) != 2:
            raise ShapeMismatch(
                describe(owner),
                f"a {name} of shape (time, features)",
                f"shape {shape}",
                "Put Embedding before it for whole numbers, or Reshape((time, features)).",
            )
    if roles.key[0] != roles.value[0]:
        raise ShapeMismatch(
            describe(owner),
            "as many keys as values",
            f"{roles.key[0]} and {roles.value[0]}",
            "Take both from the same sequence: layer(query, value).",
        )
    if roles.mask is not None:
        check_mask(owner, roles.mask, roles.query[0], roles.key[0], heads=heads)


def check_mask(owner: Layer, mask: Shape, queries: int, keys: int, *, heads: int | None) -> None:
    """Raises ShapeMismatch unless the mask broadcasts to (queries, keys), or one such per head."""
    full = (heads or 1, queries, keys)[-len(mask) :] if len(mask) > 1 else ()
    ranks = (2,) if heads is None else (2, 3)
    if len(mask) not in ranks or any(n not in (1, m) for n, m in zip(mask, full, strict=True)):
        per_head = "" if heads is None else f" or ({heads}, {queries}, {keys})"
        raise ShapeMismatch(
            describe(owner),
            f"a mask of shape ({queries}, {keys}){per_head}, or with 1 in place of a size",
            f"shape {mask}",
            "Its rows are the queries, its columns the keys; for padding give it shape "
            f"(1, {keys}).",
        )


def shapes_of(roles: Roles) -> Roles:
    """The shapes of one example of arrays."""
    return Roles(*(None if x is None else np.shape(x)[1:] for x in roles))


__all__ = [
    "AttentionLayer",
    "CausalMask",
    "Roles",
    "check_shapes",
    "real_keys",
    "roles_of",
    "shapes_of",
]
