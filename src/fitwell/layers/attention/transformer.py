"""The Transformer's blocks: attention, then a small dense network, each added to its input."""

from __future__ import annotations

from typing import Any

import jax

from fitwell import activations
from fitwell.arguments import named
from fitwell.errors import InvalidArgument
from fitwell.layers.attention.block import Block
from fitwell.layers.attention.inputs import Roles, check_shapes
from fitwell.layers.base import describe
from fitwell.types import Array, Key, Params, Shape, State


class TransformerEncoder(Block):
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
        use_bias: False leaves out every bias, those of the normalisations too.
        output_initializer: of the kernels whose product is added to the input; None takes
            kernel_initializer.

    Raises:
        InvalidArgument: a size that is no whole number >= 1, or a dropout outside [0, 1).
        ShapeMismatch: an input that is no sequence of vectors, or whose features num_heads does
            not divide, or a mask that does not fit.

    >>> import jax.numpy as jnp
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
    use_bias: bool = True
    output_initializer: Any = None

    @named
    def __call__(self, inputs: Any, *, attention_mask: Any = None) -> Any:
        """Adds the layer to a graph: `layer(x)`, or with a mask (T, T), > 0 where it may attend."""
        given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        return super().__call__(given if attention_mask is None else [*given, attention_mask])

    def init(self, key: Key, shape: list[Shape]) -> Params:
        features = self._check(shape)
        keys = jax.random.split(key)
        attention = self.attention(features, causal=self.causal)
        return {
            "self_attention": self.init_attention(attention, keys[0], shape[:1]),
            "self_attention_norm": self.init_norm(features),
            **self.init_feedforward(keys[1], features),
        }

    def forward(
        self,
        params: Params,
        state: State,
        x: list[Array],
        *,
        key: Key,
        train: bool,
        mask: list[Array | None] | None = None,
    ) -> tuple[Array, State]:
        features = self._check([each.shape[1:] for each in x])
        keys = jax.random.split(key)
        attention = self.attention(features, causal=self.causal)
        others = [x[0], x[0], x[1]] if len(x) == 2 else []
        own = None if mask is None else [mask[0]]
        y = self.attended(attention, params, "self_attention", x[0], others, own, keys[0], train)
        return self.feedforward(params, y, keys[1], train), state

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


class TransformerDecoder(Block):
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
        use_bias: False leaves out every bias, those of the normalisations too.
        output_initializer: of the kernels whose product is added to the input; None takes
            kernel_initializer.

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
    use_bias: bool = True
    output_initializer: Any = None

    @named
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
        attention = self.attention(features, causal=self.causal)
        params: Params = {
            "self_attention": self.init_attention(attention, keys[0], shape[:1]),
            "self_attention_norm": self.init_norm(features),
        }
        if len(shape) > 1:
            params["cross_attention"] = self.init_attention(attention, keys[1], shape[:2])
            params["cross_attention_norm"] = self.init_norm(features)
        return {**params, **self.init_feedforward(keys[2], features)}

    def forward(
        self,
        params: Params,
        state: State,
        x: list[Array],
        *,
        key: Key,
        train: bool,
        mask: list[Array | None] | None = None,
    ) -> tuple[Array, State]:
        features = self._check([each.shape[1:] for each in x])
        keys = jax.random.split(key, 3)

        own = None if mask is None else [mask[0]]
        attention = self.attention(features, causal=self.causal)
        y = self.attended(attention, params, "self_attention", x[0], [], own, keys[0], train)
        if len(x) > 1:
            others = [x[1], x[1], *x[2:]] if len(x) > 2 else [x[1]]
            encoded = None if mask is None else mask[:2]
            attention = self.attention(features, causal=False)
            y = self.attended(
                attention, params, "cross_attention", y, others, encoded, keys[1], train
            )
        return self.feedforward(params, y, keys[2], train), state

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


__all__ = ["TransformerDecoder", "TransformerEncoder"]
