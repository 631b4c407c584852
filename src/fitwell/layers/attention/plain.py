"""Attention without weights, or with next to none: a dot product or a sum decides who is read."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from fitwell import initializers
from fitwell.description import check_choice, check_number
from fitwell.errors import ShapeMismatch
from fitwell.layers.attention.inputs import (
    AttentionLayer,
    Roles,
    check_shapes,
    real_keys,
    roles_of,
    shapes_of,
)
from fitwell.layers.base import describe
from fitwell.ops import attention as ops
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, Shape, State


class _PlainAttention(AttentionLayer):
    """What both layers share; they differ in the scores."""

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """(batch, T, features) and (batch, S, features) -> (batch, T, S)."""
        raise NotImplementedError

    def validate(self) -> None:
        check_number(self, "dropout", 0, 1, open_high=True)
        for name in ("use_scale", "causal", "return_attention_scores"):
            check_choice(self, name, (True, False))
        check_seed(self, getattr(self, "seed", None))

    def forward(
        self,
        params: Params,
        state: State,
        x: list[Array],
        *,
        key: Key,
        train: bool,
        mask: list[Array | None] | None = None,
    ) -> tuple[Any, State]:
        own: Any = self
        roles = roles_of(self, tuple(x))
        self._check(shapes_of(roles))
        where = ops.allowed(
            roles.query.shape[1],
            roles.key.shape[1],
            mask=roles.mask,
            real=real_keys(mask),
            causal=own.causal,
        )
        if where is not None:
            where = where.reshape(-1, *where.shape[-2:])
        weights = ops.softmax(self.scores(params, roles.query, roles.key), where)
        used = weights
        if train and own.dropout:
            seed = getattr(self, "seed", None)
            keep = jax.random.bernoulli(seeded(key, seed), 1 - own.dropout, weights.shape)
            used = jnp.where(keep, weights / (1 - own.dropout), 0)
        y = used @ roles.value
        return ([y, weights] if own.return_attention_scores else y), state

    def _check(self, shapes: Roles) -> None:
        check_shapes(self, shapes, heads=None)
        if shapes.query[1] != shapes.key[1]:
            raise ShapeMismatch(
                describe(self),
                "a query and a key of as many features",
                f"{shapes.query[1]} and {shapes.key[1]}",
                "Put a Dense before one of them, or use MultiHeadAttention.",
            )


class Attention(_PlainAttention):
    """softmax(query key^T) value: each query's mean of the values, weighted by likeness.

    query (T, features), value (S, features_out), key (S, features) -> (T, features_out). Called
    as MultiHeadAttention: `layer([query, value, key])`.

    Args:
        use_scale: True learns a factor `scale` of the scores, 1 at the start.
        score_mode: "dot" for query . key, "concat" for the sum over the features of
            `concat_score_weight` * tanh(scale * (query + key)).
        dropout: the part of the weights that is dropped in training, in [0, 1).
        seed: a whole number mixed into the layer's random key.
        causal: True lets no position see a later one.
        return_attention_scores: True also returns the weights, (T, S).

    Raises:
        InvalidArgument: an unknown score_mode, or a dropout outside [0, 1).
        ShapeMismatch: inputs that are no sequences of vectors, or that do not fit together.

    >>> x = jnp.array([[[1.0, 0.0], [3.0, 0.0]]])
    >>> Attention(causal=True).forward({}, {}, [x], key=jax.random.key(0), train=False)[0][0, 0]
    Array([1., 0.], dtype=float32)

    Source: Luong, Pham & Manning 2015, arXiv:1508.04025.
    """

    use_scale: bool = False
    score_mode: str = "dot"
    dropout: float = 0.0
    seed: int | None = None
    causal: bool = False
    return_attention_scores: bool = False

    def validate(self) -> None:
        check_choice(self, "score_mode", ("dot", "concat"))
        super().validate()

    def init(self, key: Key, shape: list[Shape]) -> Params:
        self._check(roles_of(self, tuple(shape)))
        params = {"scale": jnp.ones(())} if self.use_scale else {}
        if self.score_mode == "concat":
            params["concat_score_weight"] = jnp.ones(())
        return params

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        scale = params.get("scale", 1.0)
        if self.score_mode == "dot":
            return scale * jnp.einsum("btd,bsd->bts", query, key)
        sums = query[:, :, None] + key[:, None]
        return params["concat_score_weight"] * jnp.tanh(scale * sums).sum(-1)


class AdditiveAttention(_PlainAttention):
    """softmax(sum_i scale_i tanh(query_i + key_i)) value.

    query (T, features), value (S, features_out), key (S, features) -> (T, features_out). Called
    as MultiHeadAttention: `layer([query, value, key])`.

    Args:
        use_scale: True learns a factor for each feature; False takes 1.
        dropout: the part of the weights that is dropped in training, in [0, 1).
        causal: True lets no position see a later one.
        return_attention_scores: True also returns the weights, (T, S).

    Raises:
        InvalidArgument: a dropout outside [0, 1).
        ShapeMismatch: inputs that are no sequences of vectors, or that do not fit together.

    >>> AdditiveAttention().init(jax.random.key(0), [(5, 8)])["scale"].shape
    (8,)

    Source: Bahdanau, Cho & Bengio 2015, arXiv:1409.0473.
    """

    use_scale: bool = True
    dropout: float = 0.0
    causal: bool = False
    return_attention_scores: bool = False

    def init(self, key: Key, shape: list[Shape]) -> Params:
        roles = roles_of(self, tuple(shape))
        self._check(roles)
        if not self.use_scale:
            return {}
        return {"scale": initializers.get("glorot_uniform")(key, roles.query[-1:])}

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        return (params.get("scale", 1.0) * jnp.tanh(query[:, :, None] + key[:, None])).sum(-1)


__all__ = ["AdditiveAttention", "Attention"]
