"""Recurrent layers, embedding, attention and blocks of it."""

from __future__ import annotations

from typing import Any

from layer_rows.row import Row, lengths


def recurrent(
    name: str,
    steps: int = 64,
    features: int = 32,
    units: int = 128,
    *,
    both: bool = False,
    padded: bool = False,
    bar: float = 0.5,
) -> Row:
    """A recurrent layer that returns the output of every step.

    PyTorch's have two biases, one added to each product. That of fitwell's SimpleRNN and LSTM is
    their sum; the GRU has both, since the reset gate acts between them.
    """
    short = {"SimpleRNN": "RNN"}.get(name, name)

    def ours(L: Any) -> list[Any]:
        layer = getattr(L, name)(units, return_sequences=True)
        return [*([L.Masking()] if padded else []), L.Bidirectional(layer) if both else layer]

    def theirs(nn: Any) -> list[Any]:
        from layer_rows.modules import First, Packed

        module = getattr(nn, short)(features, units, batch_first=True, bidirectional=both)
        return [Packed(module, lengths(64, steps)) if padded else First(module)]

    biases = {"SimpleRNN": 1, "LSTM": 4, "GRU": 0}[name] * units * (2 if both else 1)
    shape = (steps, features)
    return Row(shape, ours, theirs, sequence=True, padded=padded, more=biases, bar=bar)


def attention(L: Any) -> list[Any]:
    return [L.MultiHeadAttention(4, 32)]


def torch_attention(nn: Any) -> list[Any]:
    from layer_rows.modules import SelfAttention

    return [SelfAttention(nn.MultiheadAttention(128, 4, batch_first=True))]


def torch_causal(_: Any) -> list[Any]:
    from layer_rows.modules import CausalBlock

    return [CausalBlock(128, 4)]


ROWS = {
    "simple_rnn": recurrent("SimpleRNN"),
    "simple_rnn_small": recurrent("SimpleRNN", 16, 8, 32),
    "lstm": recurrent("LSTM", bar=0.8),
    "lstm_small": recurrent("LSTM", 16, 8, 32),
    "lstm_bidirectional": recurrent("LSTM", 32, 32, 64, both=True),
    "lstm_masked": recurrent("LSTM", 32, 32, 64, padded=True),
    "gru": recurrent("GRU", bar=0.8),
    "gru_small": recurrent("GRU", 16, 8, 32),
    "gru_bidirectional": recurrent("GRU", 32, 32, 64, both=True),
    "gru_masked": recurrent("GRU", 32, 32, 64, padded=True),
    "embedding": Row(
        (64,),
        lambda L: [L.Embedding(1000, 128)],
        lambda nn: [nn.Embedding(1000, 128)],
        ids=1000,
        sequence=True,
    ),
    "multi_head_attention": Row((64, 128), attention, torch_attention, batch=12, sequence=True),
    "transformer_encoder": Row(
        (64, 128),
        lambda L: [L.TransformerEncoder(512, 4)],
        lambda nn: [nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)],
        batch=12,
        sequence=True,
    ),
    "causal_block": Row(
        (64, 128),
        lambda L: [L.TransformerDecoder(512, 4, activation="gelu", normalize_first=True)],
        torch_causal,
        batch=12,
        sequence=True,
    ),
}
