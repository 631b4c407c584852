"""Language models: from the characters so far to scores of the next one."""

from __future__ import annotations

from typing import Any

from fitwell import layers as L  # noqa: N812 - read in every line
from fitwell.architectures.checks import choice, sizes, whole
from fitwell.initializers import RandomNormal
from fitwell.layers import Input
from fitwell.model import Model
from fitwell.sequential import Sequential

_CELLS = {"lstm": L.LSTM, "gru": L.GRU, "simple": L.SimpleRNN}


def char_rnn(
    vocabulary: int,
    units: Any = (128,),
    *,
    context: int = 64,
    cell: str = "lstm",
    width: int = 32,
    dropout: float = 0.0,
    seed: int | None = None,
) -> Sequential:
    """h_t = cell(h_(t-1), embedding[x_t]), scores of x_(t+1) = W h_t + b.

    (context,) ids -> (context, vocabulary). With `cell="simple"` it is the textbooks'
    a_t = tanh(W_ax x_t + W_aa a_(t-1) + b). The outputs are logits: compile it with
    `SparseCategoricalCrossentropy(from_logits=True)`, and clip the gradients
    (`global_clipnorm=1.0`).

    Args:
        vocabulary: how many characters (or tokens) there are, >= 1.
        units: of each recurrent layer, in order.
        context: characters of an example, >= 1.
        cell: "lstm", "gru" or "simple".
        width: numbers that stand for a character, >= 1.
        dropout: between the layers, in [0, 1).
        seed: of the weights.

    Returns:
        a Sequential that is not compiled yet. `generate` writes with it.

    Raises:
        InvalidArgument: a size below 1, or another cell.

    >>> char_rnn(65, (128,), context=64).output_shape
    (None, 64, 65)

    Source: Graves 2013, arXiv:1308.0850; Sutskever, Martens & Hinton 2011.
    """
    choice("char_rnn", "cell", cell, tuple(_CELLS))
    whole("char_rnn", vocabulary=vocabulary, context=context, width=width)
    chain: list[Any] = [Input((context,), dtype="int32"), L.Embedding(vocabulary, width)]
    for n in sizes("char_rnn", "units", units):
        chain.append(_CELLS[cell](n, return_sequences=True))
        if dropout:
            chain.append(L.Dropout(dropout))
    chain.append(L.Dense(vocabulary))
    return Sequential(chain, name="char_rnn", seed=seed)


def transformer_lm(
    vocabulary: int,
    *,
    context: int = 64,
    layers: int = 4,
    heads: int = 4,
    width: int = 128,
    dropout: float = 0.0,
    use_bias: bool = True,
    tied: bool = True,
    seed: int | None = None,
) -> Model:
    """Tokens + positions, causal blocks x + attention(norm(x)), x + dense(norm(x)), norm, scores.

    (context,) -> (context, vocabulary): GPT-2's form. The dense part of a block is 4 * width wide
    with GELU; kernels start as N(0, 0.02^2), those that write to the path of sums smaller by
    sqrt(2 * layers). The outputs are logits: compile it with
    `SparseCategoricalCrossentropy(from_logits=True)`.

    Args:
        vocabulary: how many characters (or tokens) there are, >= 1.
        context: tokens that are seen at most, >= 1.
        layers: blocks, >= 1.
        heads: of the attention; divides width.
        width: numbers that stand for a token, >= 1.
        dropout: of the embedding, the attention and what the blocks add, in [0, 1).
        use_bias: False leaves all biases out.
        tied: the scores are inner products with the embeddings: no output kernel of its own.
        seed: of the weights.

    Returns:
        a Model that is not compiled yet. `generate` writes with it.

    Raises:
        InvalidArgument: a size below 1.
        ShapeMismatch: heads that do not divide width.

    >>> transformer_lm(65, use_bias=False).count_params()
    804096

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners".
    """
    whole("transformer_lm", vocabulary=vocabulary, context=context)
    whole("transformer_lm", layers=layers, heads=heads, width=width)
    normal = RandomNormal(stddev=0.02)
    written = RandomNormal(stddev=0.02 / (2 * layers) ** 0.5)
    start = Input((context,), dtype="int32")
    tokens = L.Embedding(vocabulary, width, embeddings_initializer=normal)
    x = tokens(start)
    x = L.Add()([x, L.PositionEmbedding(context, embeddings_initializer=normal)(x)])
    if dropout:
        x = L.Dropout(dropout)(x)
    for _ in range(layers):
        x = L.TransformerDecoder(
            4 * width,
            heads,
            dropout=dropout,
            activation="gelu",
            normalize_first=True,
            use_bias=use_bias,
            kernel_initializer=normal,
            output_initializer=written,
        )(x)
    x = L.LayerNormalization(epsilon=1e-5, center=use_bias)(x)
    head = L.Dense(vocabulary, use_bias=False, kernel_initializer=normal)
    y = (L.Tied(tokens, use_bias=False) if tied else head)(x)
    return Model(start, y, name="transformer_lm", seed=seed)
