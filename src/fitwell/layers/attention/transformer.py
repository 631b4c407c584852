"""The Transformer's blocks: attention, then a small dense network, each added to its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from fitwell import activations
from fitwell.description import check_choice, check_number, check_positive_int
from fitwell.errors import InvalidArgument, ShapeMismatch
from fitwell.layers.attention.heads import MultiHeadAttention
from fitwell.layers.attention.inputs import Roles, check_shapes
from fitwell.layers.base import Layer, describe
from fitwell.types import Array, Key, Params, Shape, State


class _Block(Layer):
    """What encoder and decoder share: the fields' checks, and the parts a block is made of."""

    several_inputs: ClassVar[bool] = True
    init_only: ClassVar[tuple[str, ...]] = ("kernel_initializer", "bias_initializer")

    def validate(self) -> None:
        check_positive_int(self, "intermediate_dim", "num_heads")
        check_number(self, "dropout", 0, 1, open_high=True)
        check_number(self, "layer_norm_epsilon", 0, open_low=True)
        for name in ("normalize_first", "causal"):
            check_choice(self, name, (True, False))

    def split_activation(self) -> tuple[Layer | None, Any]:
        return self, None  # the activation is inside, not at the output

    def _attention(self, features: int, *, causal: bool) -> MultiHeadAttention:
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
            causal=causal,
            name=self.name,
        )

    def _init_feedforward(self, key: Key, features: int) -> Params:
        own: Any = self
        keys = jax.random.split(key, 4)
        sizes = {
            "intermediate": (features, own.intermediate_dim),
            "output": (own.intermediate_dim, features),
        }
        params: Params = {}
        for i, (name, (ins, outs)) in enumerate(sizes.items()):
            kernel = self.initializer("kernel")(keys[2 * i], (ins, outs))
            bias = self.initializer("bias")(keys[2 * i + 1], (outs,))
            params[name] = {"kernel": kernel, "bias": bias}
        return {**params, "feedforward_norm": _init_norm(features)}

    def _feedforward(self, params: Params, x: Array, key: Key, train: bool) -> Array:
        own: Any = self

        def transform(x: Array) -> Array:
            inner, out = params["intermediate"], params["output"]
            y = activations.get(own.activation)(x @ inner["kernel"] + inner["bias"])
            return y @ out["kernel"] + out["bias"]

        return self._residual(params["feedforward_norm"], x, transform, key, train)

    def _attended(
        self,
        attention: MultiHeadAttention,
        params: Params,
        name: str,
        x: Array,
        others: list[Array],
        key: Key,
        train: bool,
    ) -> Array:
        """x with what attention finds in the others added; without any, in x itself."""
        keys = jax.random.split(key)

        def transform(y: Array) -> Array:
            # In self-attention key and value are normalised as the query is.
            rest = [y if other is x else other for other in others]
            own = params[name]
            return attention.forward(own, {}, [y, *rest], key=keys[0], train=train)[0]

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
        return centred * scale * params["gamma"] + params["beta"]


class TransformerEncoder(_Block):
    """y = norm(x + attention(x)), then norm(y + dense(activation(dense(y)))): (T, f) -> (T, f).

    With `normalize_first=True` it is x + attention(norm(x)), and so on. Call it as `layer(x)` or
    `layer(x, attention_mask=mask)`.

    Args:
        intermediate_dim: units of the inner dense layer, >= 1; often 4 * features.
        num_heads: heads of the attention; divides the number of features.
        dropout: the part that is dropped in training, in [0, 1): of the attention's weights and of
            what is added to the input.
        activation: of the inner dense layer.
        layer_norm_epsilon: added to the variance, > 0.
        kernel_initializer: of all kernels; bias_initializer alike.
        normalize_first: True keeps a path from input to output free of normalisation: deep
            stacks train without a slow start, and want a LayerNormalization at their end.
        causal: True lets no position see a later one: a stack of such blocks is a language model.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a dropout outside [0, 1).
        ShapeMismatch: an input that is no sequence of vectors, or whose features num_heads does
            not divide, or a mask that does not fit.

    >>> layer = TransformerEncoder(32, num_heads=2, causal=True)
    >>> params = layer.init(jax.random.key(0), [(5, 8)])
    >>> x = jnp.ones((1, 5, 8))
    >>> layer.forward(params, {}, [x], key=jax.random.key(0), train=False)[0].shape
    (1, 5, 8)

    Source: Vaswani et al. 2017, arXiv:1706.03762; normalising first: Xiong et al. 2020,
    arXiv:2002.04745.
    """

    intermediate_dim: int
    num_heads: int
    dropout: float = 0.0
    activation: activations.Activation = "relu"
    layer_norm_epsilon: float = 1e-5
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    normalize_first: bool = False
    causal: bool = False

    def __call__(self, inputs: Any, *, attention_mask: Any = None) -> Any:
        """Adds the layer to a graph: `layer(x)`, or with a mask (T, T), > 0 where it may attend."""
        given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        return super().__call__(given if attention_mask is None else [*given, attention_mask])

    def init(self, key: Key, shape: list[Shape]) -> Params:
        features = self._check(shape)
        keys = jax.random.split(key)
        attention = self._attention(features, causal=self.causal)
        return {
            "self_attention": attention.init(keys[0], shape[:1]),
            "self_attention_norm": _init_norm(features),
            **self._init_feedforward(keys[1], features),
        }

    def forward(
        self, params: Params, state: State, x: list[Array], *, key: Key, train: bool
    ) -> tuple[Array, State]:
        features = self._check([each.shape[1:] for each in x])
        keys = jax.random.split(key)
        attention = self._attention(features, causal=self.causal)
        others = [x[0], x[0], x[1]] if len(x) == 2 else []
        y = self._attended(attention, params, "self_attention", x[0], others, keys[0], train)
        return self._feedforward(params, y, keys[1], train), state

    def _check(self, shapes: list[Shape]) -> int:
        if len(shapes) not in (1, 2):
            raise InvalidArgument(
                describe(self),
                "a sequence, or a sequence and a mask",
                f"{len(shapes)} inputs",
                "Write layer(x) or layer(x, attention_mask=mask).",
            )
        mask = shapes[1] if len(shapes) == 2 else None
        check_shapes(self, Roles(shapes[0], shapes[0], shapes[0], mask), heads=self.num_heads)
        return shapes[0][-1]


class TransformerDecoder(_Block):
    """Causal self-attention, attention to an encoder's output, two dense layers, each added.

    (T, features) and, of the encoder, (S, any) -> (T, features). Each part is
    x + part(norm(x)) with `normalize_first=True`, norm(x + part(x)) otherwise. Without an encoder
    it is a block of a decoder-only model. Call it as `layer(x)`, `layer(x, encoded)` or
    `layer(x, encoded, encoder_attention_mask=mask)`.

    Args:
        intermediate_dim: units of the inner dense layer, >= 1; often 4 * features.
        num_heads: heads of both attentions; divides the number of features.
        dropout: the part that is dropped in training, in [0, 1): of the attention's weights and of
            what is added to the input.
        activation: of the inner dense layer.
        layer_norm_epsilon: added to the variance, > 0.
        kernel_initializer: of all kernels; bias_initializer alike.
        normalize_first: True keeps a path from input to output free of normalisation.
        causal: False lets every position see all others, later ones too.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a dropout outside [0, 1).
        ShapeMismatch: an input that is no sequence of vectors, or whose features num_heads does
            not divide, or a mask that does not fit.

    >>> layer = TransformerDecoder(32, num_heads=2)
    >>> sorted(layer.init(jax.random.key(0), [(5, 8), (3, 6)]))[:2]
    ['cross_attention', 'cross_attention_norm']

    Source: Vaswani et al. 2017, arXiv:1706.03762; normalising first: Xiong et al. 2020,
    arXiv:2002.04745.
    """

    intermediate_dim: int
    num_heads: int
    dropout: float = 0.0
    activation: activations.Activation = "relu"
    layer_norm_epsilon: float = 1e-5
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    normalize_first: bool = False
    causal: bool = True

    def __call__(
        self, decoder_sequence: Any, encoder_sequence: Any = None, *,
        encoder_attention_mask: Any = None,
    ) -> Any:  # fmt: skip
        """Adds the layer to a graph.

        Args:
            decoder_sequence: (T, features); or a list of all that follow it here.
            encoder_sequence: (S, any); None leaves the attention to it out.
            encoder_attention_mask: (T, S) or (1, S), > 0 where it may be attended to.
        """
        first = decoder_sequence
        given = list(first) if isinstance(first, list | tuple) else [first]
        more = [x for x in (encoder_sequence, encoder_attention_mask) if x is not None]
        return super().__call__([*given, *more])

    def init(self, key: Key, shape: list[Shape]) -> Params:
        features = self._check(shape)
        keys = jax.random.split(key, 3)
        attention = self._attention(features, causal=self.causal)
        params: Params = {
            "self_attention": attention.init(keys[0], shape[:1]),
            "self_attention_norm": _init_norm(features),
        }
        if len(shape) > 1:
            params["cross_attention"] = attention.init(keys[1], shape[:2])
            params["cross_attention_norm"] = _init_norm(features)
        return {**params, **self._init_feedforward(keys[2], features)}

    def forward(
        self, params: Params, state: State, x: list[Array], *, key: Key, train: bool
    ) -> tuple[Array, State]:
        features = self._check([each.shape[1:] for each in x])
        keys = jax.random.split(key, 3)

        def part(name: str, y: Array, key: Key, others: list[Array], causal: bool) -> Array:
            attention = self._attention(features, causal=causal)
            return self._attended(attention, params, name, y, others, key, train)

        y = part("self_attention", x[0], keys[0], [], self.causal)
        if len(x) > 1:
            others = [x[1], x[1], *x[2:]] if len(x) > 2 else [x[1]]
            y = part("cross_attention", y, keys[1], others, causal=False)
        return self._feedforward(params, y, keys[2], train), state

    def _check(self, shapes: list[Shape]) -> int:
        if len(shapes) not in (1, 2, 3):
            raise InvalidArgument(
                describe(self),
                "a sequence, an encoder's output and a mask",
                f"{len(shapes)} inputs",
                "Write layer(x), layer(x, encoded) or "
                "layer(x, encoded, encoder_attention_mask=mask).",
            )
        encoded = shapes[1] if len(shapes) > 1 else shapes[0]
        mask = shapes[2] if len(shapes) > 2 else None
        check_shapes(self, Roles(shapes[0], encoded, encoded, mask), heads=self.num_heads)
        return shapes[0][-1]


def _init_norm(features: int) -> Params:
    return {"gamma": jnp.ones(features), "beta": jnp.zeros(features)}


__all__ = ["TransformerDecoder", "TransformerEncoder"]
