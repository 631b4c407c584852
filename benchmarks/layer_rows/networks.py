"""Whole networks and blocks of them."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import Any

from layer_rows.row import BATCH, Row

VOCABULARY, CONTEXT = 65, 64


def mlp(*widths: int, batch: int = BATCH) -> Row:
    """Dense layers with ReLU between; the first width is the input's, the last has no activation.

    One output stands for two classes.
    """
    inputs, *hidden, outputs = widths

    def ours(L: Any) -> list[Any]:
        return [*(L.Dense(n, activation="relu") for n in hidden), L.Dense(outputs)]

    def theirs(nn: Any) -> list[Any]:
        pairs = [[nn.Linear(i, o), nn.ReLU()] for i, o in pairwise(widths)]
        return [*chain(*pairs)][:-1]

    return Row((inputs,), ours, theirs, batch, classes=max(outputs, 2))


def reader(name: str, steps: int, features: int, units: int) -> Row:
    """A recurrent layer and a dense one that sees its last output."""

    def theirs(nn: Any) -> list[Any]:
        from layer_rows.modules import Last

        module = getattr(nn, name)(features, units, batch_first=True)
        if name == "LSTM":  # as Keras begins: without it the loss rises for an epoch on its way
            nn.init.ones_(module.bias_ih_l0.data[units : 2 * units])  # the forget gate's
        return [Last(module), nn.Linear(units, 10)]

    shape = (steps, features)
    return Row(
        shape,
        lambda L: [getattr(L, name)(units), L.Dense(10)],
        theirs,
        classes=10,
        sequence=True,
        more={"LSTM": 4 * units, "GRU": 0}[name],  # the second bias, see `sequences.recurrent`
    )


def cnn(shape: tuple[int, ...], *filters: int) -> Row:
    """Convolutions 3 x 3 with ReLU, each followed by max-pooling 2 x 2, and a dense layer."""
    flat = shape[0] * shape[1] // 4 ** len(filters) * filters[-1]

    def ours(L: Any) -> list[Any]:
        blocks = [
            [L.Conv2D(f, 3, padding="same", activation="relu"), L.MaxPooling2D()] for f in filters
        ]
        return [*chain(*blocks), L.Flatten(), L.Dense(10)]

    def theirs(nn: Any) -> list[Any]:
        inputs = (shape[-1], *filters[:-1])
        blocks = [
            [nn.Conv2d(i, f, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            for i, f in zip(inputs, filters, strict=True)
        ]
        return [*chain(*blocks), nn.Flatten(), nn.Linear(flat, 10)]

    return Row(shape, ours, theirs, classes=10, bar=1.0)


def residual(L: Any, filters: int, strides: int) -> Any:
    """x to relu(x + norm(conv(relu(norm(conv(x)))))); with strides, x passes a 1 x 1 one."""

    def convolved(x: Any, size: int, strides: int) -> Any:
        x = L.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
        return L.BatchNormalization()(x)

    def block(x: Any) -> Any:
        y = convolved(L.ReLU()(convolved(x, 3, strides)), 3, 1)
        return L.ReLU()(L.Add()([x if strides == 1 else convolved(x, 1, strides), y]))

    return block


def resnet_block(shape: tuple[int, ...], filters: int, strides: int = 1) -> Row:
    def theirs(_: Any) -> list[Any]:
        from layer_rows.modules import Residual

        return [Residual(shape[-1], filters, strides)]

    return Row(shape, lambda L: [residual(L, filters, strides)], theirs)


def language_model(L: Any) -> list[Any]:
    """Four causal blocks 128 wide without biases; the scores are products with the embeddings."""
    tokens = L.Embedding(VOCABULARY, 128)

    def embedded(x: Any) -> Any:
        y = tokens(x)
        return L.Add()([y, L.PositionEmbedding(CONTEXT)(y)])

    blocks = [
        L.TransformerDecoder(512, 4, activation="gelu", normalize_first=True, use_bias=False)
        for _ in range(4)
    ]
    norm = L.LayerNormalization(epsilon=1e-5, center=False)
    return [embedded, *blocks, norm, L.Tied(tokens, use_bias=False)]


def torch_language_model(_: Any) -> list[Any]:
    from layer_rows.modules import LanguageModel

    return [LanguageModel(VOCABULARY, CONTEXT, 128, heads=4, blocks=4)]


ROWS = {
    "cnn_28": cnn((28, 28, 1), 32, 64),
    "cnn_32": cnn((32, 32, 3), 32, 64, 128),
    "resnet_block": resnet_block((16, 16, 32), 32),
    "resnet_block_strides": resnet_block((16, 16, 32), 64, 2),
    "language_model": Row(
        (CONTEXT,),
        language_model,
        torch_language_model,
        batch=12,
        classes=VOCABULARY,
        ids=VOCABULARY,
        sequence=True,
        bar=1.0,
    ),
}
