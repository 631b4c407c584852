"""Attention by several heads that look for different things."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from fitwell.description import check_choice, check_number, check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.layers.attention.inputs import (
    AttentionLayer,
    check_shapes,
    real_keys,
    roles_of,
    shapes_of,
)
from fitwell.ops import attention as ops
from fitwell.randomness import check_seed, seeded
from fitwell.types import Array, Key, Params, Shape, State


class _Heads(NamedTuple):
    """Sizes: of the query's heads and the key's, and of a head's key and value."""

    query: int
    key: int
    key_dim: int
    value_dim: int
    output: Shape


class _HeadAttention(AttentionLayer):
    """What both layers share; they differ in the names of the sizes."""

    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def heads(self, features: int) -> _Heads:
        """The sizes for a query of so many features."""
        raise NotImplementedError

    def validate(self) -> None:
        own: Any = self
        check_number(self, "dropout", 0, 1, open_high=True)
        for name in ("use_bias", "causal", "return_attention_scores"):
            check_choice(self, name, (True, False))
        if own.sliding_window is not None:
            check_positive_int(self, "sliding_window")
        check_seed(self, own.seed)
        for name in ("bias_regularizer", "bias_constraint"):
            if not own.use_bias and getattr(self, name) is not None:
                raise InvalidArgument(
                    type(self).__name__,
                    f"use_bias=True where {name} is given",
                    f"use_bias=False, {name}={getattr(self, name)!r}",
                    "Leave one of them out.",
                )

    def init(self, key: Key, shape: list[Shape]) -> Params:
        roles = roles_of(self, tuple(shape))
        sizes = self.heads(roles.query[-1])
        check_shapes(self, roles, heads=sizes.query)
        kernels: dict[str, tuple[Shape, Shape]] = {
            "query": (roles.query[1:], (sizes.query, sizes.key_dim)),
            "key": (roles.key[1:], (sizes.key, sizes.key_dim)),
            "value": (roles.value[1:], (sizes.key, sizes.value_dim)),
            "attention_output": ((sizes.query, sizes.value_dim), sizes.output),
        }
        keys = jax.random.split(key, len(kernels))
        return {
            name: self._dense(each, *kernels[name])
            for name, each in zip(kernels, keys, strict=True)
        }

    def _dense(self, key: Key, ins: Shape, outs: Shape) -> Params:
        kernel_key, bias_key = jax.random.split(key)
        # Drawn as the matrix it is: of the three axes, fan-in and fan-out could not be read off.
        matrix = self.initializer("kernel")(kernel_key, (math.prod(ins), math.prod(outs)))
        params = {"kernel": matrix.reshape(*ins, *outs)}
        if self.use_bias:  # type: ignore[attr-defined]
            params["bias"] = self.initializer("bias")(bias_key, outs)
        return params

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
        sizes = self.heads(roles.query.shape[-1])
        check_shapes(self, shapes_of(roles), heads=sizes.query)
        where = ops.allowed(
            roles.query.shape[1],
            roles.key.shape[1],
            mask=roles.mask,
            real=real_keys(mask),
            causal=own.causal,
            window=own.sliding_window,
        )

        def drop(weights: Array) -> Array:
            keep = jax.random.bernoulli(seeded(key, own.seed), 1 - own.dropout, weights.shape)
            return jnp.where(keep, weights / (1 - own.dropout), 0)

        y, weights = ops.attend(
            ops.split_heads(roles.query, **params["query"]),
            ops.split_heads(roles.key, **params["key"]),
            ops.split_heads(roles.value, **params["value"]),
            scale=sizes.key_dim**-0.5,
            where=where,
            drop=drop if train and own.dropout else None,
        )
        y = ops.join_heads(y, **params["attention_output"])
        y = y.reshape(*y.shape[:2], *sizes.output)
        return ([y, weights] if own.return_attention_scores else y), state


class MultiHeadAttention(_HeadAttention):
    """concat_h(softmax(q_h k_h^T / sqrt(key_dim)) v_h) @ kernel + bias.

    q_h, k_h and v_h are query, key and value, each @ kernel_h + bias_h of head h.
    query (T, features), value and key (S, features) -> (T, features of the query). Call it as
    `layer(query, value)`, `layer(query, value, key)`, `layer(x)` for self-attention, or with a
    list `[query, value, key, mask]` of one to four. A query that may attend to nothing gets 0
    from every head.

    Args:
        num_heads: heads, >= 1.
        key_dim: size of a head's query and key, >= 1.
        value_dim: size of a head's value; None takes key_dim.
        dropout: the part of the attention weights that is dropped in training, in [0, 1).
        use_bias: False leaves the four biases out.
        output_shape: features of the output; None takes the query's.
        sliding_window: a position sees only those fewer than this many steps away.
        kernel_initializer: of the four kernels, each drawn as the matrix (in, out).
        kernel_regularizer: added to the loss for each kernel; bias_regularizer alike.
        kernel_constraint: applied to each kernel after a step; bias_constraint alike.
        seed: a whole number mixed into the layer's random key.
        causal: True lets no position see a later one.
        return_attention_scores: True also returns the weights, (num_heads, T, S).

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a dropout outside [0, 1).
        ShapeMismatch: inputs that are no sequences of vectors, or a mask that does not fit.

    >>> layer, x = MultiHeadAttention(2, key_dim=4, causal=True), jnp.ones((1, 5, 8))
    >>> params = layer.init(jax.random.key(0), [(5, 8)])
    >>> {name: weights["kernel"].shape for name, weights in params.items()}["query"]
    (8, 2, 4)
    >>> layer.forward(params, {}, [x], key=jax.random.key(0), train=False)[0].shape
    (1, 5, 8)

    Source: Vaswani et al. 2017, arXiv:1706.03762; the window: Beltagy et al. 2020,
    arXiv:2004.05150.
    """

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    output_shape: int | tuple[int, ...] | None = None
    sliding_window: int | None = None
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    seed: int | None = None
    causal: bool = False
    return_attention_scores: bool = False

    def validate(self) -> None:
        check_positive_int(self, "num_heads", "key_dim")
        if self.value_dim is not None:
            check_positive_int(self, "value_dim")
        out = self.output_shape
        sizes = out if isinstance(out, tuple) else (out,)
        if out is not None and (not sizes or any(type(n) is not int or n < 1 for n in sizes)):
            raise InvalidArgument(
                "MultiHeadAttention",
                "output_shape to be a whole number >= 1 or a tuple of them",
                f"output_shape={out!r}",
                "Leave it out for as many features as the query has.",
            )
        super().validate()

    def heads(self, features: int) -> _Heads:
        out = features if self.output_shape is None else self.output_shape
        return _Heads(
            self.num_heads,
            self.num_heads,
            self.key_dim,
            self.value_dim or self.key_dim,
            out if isinstance(out, tuple) else (out,),
        )


class GroupQueryAttention(_HeadAttention):
    """Multi-head attention whose keys and values are shared by groups of the query's heads.

    query (T, features), value and key (S, features) -> (T, features of the query). Head h of the
    query reads head h // (num_query_heads / num_key_value_heads) of key and value. With as many of
    both it is MultiHeadAttention; with one, multi-query attention. Called in the same ways.

    Args:
        head_dim: size of a head, >= 1.
        num_query_heads: heads of the query, a multiple of num_key_value_heads.
        num_key_value_heads: heads of key and value, >= 1.

    The other arguments are MultiHeadAttention's.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or head counts that do not divide.
        ShapeMismatch: inputs that are no sequences of vectors, or a mask that does not fit.

    >>> layer = GroupQueryAttention(4, num_query_heads=6, num_key_value_heads=2)
    >>> layer.init(jax.random.key(0), [(5, 8)])["key"]["kernel"].shape
    (8, 2, 4)

    Source: Ainslie et al. 2023, arXiv:2305.13245.
    """

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int
    dropout: float = 0.0
    use_bias: bool = True
    sliding_window: int | None = None
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    seed: int | None = None
    causal: bool = False
    return_attention_scores: bool = False

    def validate(self) -> None:
        check_positive_int(self, "head_dim", "num_query_heads", "num_key_value_heads")
        if self.num_query_heads % self.num_key_value_heads:
            raise InvalidArgument(
                "GroupQueryAttention",
                "num_query_heads to be a multiple of num_key_value_heads",
                f"num_query_heads={self.num_query_heads}, "
                f"num_key_value_heads={self.num_key_value_heads}",
                "Every head of key and value serves the same number of the query's heads.",
            )
        super().validate()

    def heads(self, features: int) -> _Heads:
        return _Heads(
            self.num_query_heads,
            self.num_key_value_heads,
            self.head_dim,
            self.head_dim,
            (features,),
        )


GroupedQueryAttention = GroupQueryAttention  # the name in the paper

__all__ = ["GroupQueryAttention", "GroupedQueryAttention", "MultiHeadAttention"]
