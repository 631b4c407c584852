"""The parts of a Transformer block: attention or dense layers, normalised and added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from fitwell import activations
from fitwell.description import check_choice, check_number, check_positive_int
from fitwell.errors import ShapeMismatch
from fitwell.layers.attention.heads import MultiHeadAttention
from fitwell.layers.base import Layer, describe
from fitwell.ops import attention as ops
from fitwell.types import Array, Key, Params, Shape


class Block(Layer):
    """What encoder and decoder share: the fields' checks, and the parts a block is made of."""

    several_inputs: ClassVar[bool | None] = True
    uses_mask: ClassVar[bool] = True
    init_only: ClassVar[tuple[str, ...]] = (
        "kernel_initializer",
        "bias_initializer",
        "output_initializer",
    )

    def validate(self) -> None:
        check_positive_int(self, "intermediate_dim", "num_heads")
        check_number(self, "dropout", 0, 1, open_high=True)
        check_number(self, "layer_norm_epsilon", 0, open_low=True)
        for name in ("normalize_first", "causal", "use_bias"):
            check_choice(self, name, (True, False))

    def output_mask(self, x: Any, y: Any, mask: Any) -> Array | None:
        own: Array | None = mask[0]  # the steps of the output are the first input's
        return own

    def split_activation(self) -> tuple[Layer | None, Any]:
        return self, None  # the activation is inside, not at the output

    def attention(self, features: int, *, causal: bool) -> MultiHeadAttention:
        own: Any = self
        if features % own.num_heads:
            raise ShapeMismatch(
                describe(self),
                f"a number of features that num_heads={own.num_heads} divides",
                f"{features}",
                "Choose another num_heads, or put a Dense before the block.",
            )
        return MultiHeadAttention(
            own.num_heads,
            features // own.num_heads,
            dropout=own.dropout,
            kernel_initializer=own.kernel_initializer,
            bias_initializer=own.bias_initializer,
            use_bias=own.use_bias,
            causal=causal,
            name=self.name,
        )

    def init_norm(self, features: int) -> Params:
        own: Any = self
        params = {"gamma": jnp.ones(features)}
        return {**params, "beta": jnp.zeros(features)} if own.use_bias else params

    def init_attention(self, attention: MultiHeadAttention, key: Key, shape: list[Shape]) -> Params:
        """The attention's weights, its output kernel by `output_initializer`."""
        own: Any = self
        params = attention.init(key, shape)
        if own.output_initializer is not None:
            old = params["attention_output"]
            fresh = self.initializer("output")(jax.random.fold_in(key, 1), old["kernel"].shape)
            params = {**params, "attention_output": {**old, "kernel": fresh}}
        return params

    def init_feedforward(self, key: Key, features: int) -> Params:
        own: Any = self
        keys = jax.random.split(key, 4)
        sizes = {
            "intermediate": (features, own.intermediate_dim),
            "output": (own.intermediate_dim, features),
        }
        params: Params = {}
        for i, (name, (ins, outs)) in enumerate(sizes.items()):
            special = name == "output" and own.output_initializer is not None
            drawn = self.initializer("output" if special else "kernel")
            params[name] = {"kernel": drawn(keys[2 * i], (ins, outs))}
            if own.use_bias:
                params[name]["bias"] = self.initializer("bias")(keys[2 * i + 1], (outs,))
        return {**params, "feedforward_norm": self.init_norm(features)}

    def feedforward(self, params: Params, x: Array, key: Key, train: bool) -> Array:
        own: Any = self

        def transform(x: Array) -> Array:
            y = activations.get(own.activation)(_affine(params["intermediate"], x))
            return _affine(params["output"], y)

        return self._residual(params["feedforward_norm"], x, transform, key, train)

    def attended(
        self,
        attention: MultiHeadAttention,
        params: Params,
        name: str,
        x: Array,
        others: list[Array],
        masks: list[Array | None] | None,
        key: Key,
        train: bool,
    ) -> Array:
        """x with what attention finds in the others added; without any, in x itself."""
        keys = jax.random.split(key)

        def transform(y: Array) -> Array:
            # In self-attention key and value are normalised as the query is.
            rest = [y if other is x else other for other in others]
            own = params[name]
            inputs = [y, *rest]
            y, _ = attention.forward(own, {}, inputs, key=keys[0], train=train, mask=masks)
            return y

        return self._residual(params[f"{name}_norm"], x, transform, keys[1], train)

    def _residual(
        self, norm: Params, x: Array, transform: Callable[[Array], Array], key: Key, train: bool
    ) -> Array:
        """x + dropout(transform(x)), normalised before the transform or after the sum."""
        own: Any = self
        y = transform(self._normalized(norm, x) if own.normalize_first else x)
        if train and own.dropout:
            keep = jax.random.bernoulli(key, 1 - own.dropout, y.shape)
            y = jnp.where(keep, y / (1 - own.dropout), 0)
        return x + y if own.normalize_first else self._normalized(norm, x + y)

    def _normalized(self, params: Params, x: Array) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centred).mean(-1, keepdims=True)
        scale = lax.rsqrt(variance + self.layer_norm_epsilon)  # type: ignore[attr-defined]
        y = centred * scale * params["gamma"]
        return y + params["beta"] if "beta" in params else y


def _affine(params: Params, x: Array) -> Array:
    y = ops.linear(x, params["kernel"])
    return y + params["bias"] if "bias" in params else y


__all__ = ["Block"]
