"""Rows of the contract table: attention, Transformer blocks and positions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fitwell import layers as L  # noqa: N812 - read in every line

from .table import row


def causal_mask(params: Any, x: Any) -> Any:
    return np.broadcast_to([[1, 0, 0], [1, 1, 0]], (len(x[0]), 2, 3))


def masked_causal_mask(params: Any, x: Any) -> Any:
    return causal_mask(params, x) * (np.asarray(x[2]) > 0)


def waves(params: Any, x: Any) -> Any:
    """SinePositionEncoding, number by number."""
    rows = []
    for t in range(3):
        angles = [t / 100 ** (2 * (i // 2) / 5) for i in range(5)]
        rows.append([np.cos(a) if i % 2 else np.sin(a) for i, a in enumerate(angles)])
    return np.broadcast_to(rows, np.shape(x))


def turns(params: Any, x: Any) -> Any:
    """RotaryEmbedding(100, 2) as products of complex numbers, one position at a time."""
    first, second = np.split(np.asarray(x, np.float64), 2, axis=-1)
    points = first + 1j * second
    for t in range(points.shape[1]):
        points[:, t] *= np.exp(1j * t / 2 * 100 ** (-np.arange(3) / 3))
    return np.concatenate([points.real, points.imag], axis=-1)


def turns_of_heads(params: Any, x: Any) -> Any:
    """RotaryEmbedding(sequence_axis=2, feature_axis=1)."""
    moved = np.moveaxis(np.asarray(x, np.float64), (2, 1), (1, 3))
    points = moved[..., 0] + 1j * moved[..., 1]
    points = points * np.exp(1j * np.arange(moved.shape[1]))[:, None]
    return np.moveaxis(np.stack([points.real, points.imag], -1), (1, 3), (2, 1))


Q, V = (4, 6), (5, 3)

_ROWS = [
    row("mha", L.MultiHeadAttention(2, 4), Q, V),
    row("mha_self_causal", L.MultiHeadAttention(3, 2, use_bias=False, causal=True), Q),
    row(
        "mha_key_mask",
        L.MultiHeadAttention(2, 4, value_dim=3, output_shape=5),
        *(Q, V, (5, 7), (4, 5)),
    ),
    row(
        "mha_head_masks",
        L.MultiHeadAttention(2, 2, sliding_window=3, kernel_regularizer="l2"),
        *(Q, V, V, (2, 4, 5)),
    ),
    row("gqa", L.GroupQueryAttention(4, 4, 2), Q, V),
    row("gqa_multi_query_causal", L.GroupQueryAttention(2, 3, 1, use_bias=False, causal=True), Q),
    row("attention", L.Attention(), (4, 6), (5, 6)),
    row(
        "attention_scale_causal",
        L.Attention(use_scale=True, causal=True),
        *((4, 6), (4, 3), (4, 6)),
    ),
    row(
        "attention_concat",
        L.Attention(use_scale=True, score_mode="concat"),
        *((4, 3), (5, 2), (5, 3)),
    ),
    row("additive_attention", L.AdditiveAttention(), (4, 3), (5, 3)),
    row("additive_attention_plain", L.AdditiveAttention(use_scale=False, causal=True), (4, 3)),
    row("causal_mask", L.CausalMask(), (2, 4), (3, 5), formula=causal_mask),
    row("causal_mask_and", L.CausalMask(), (2, 4), (3, 5), (2, 3), formula=masked_causal_mask),
    row("encoder", L.TransformerEncoder(5, 2), (4, 6)),
    row(
        "encoder_first",
        L.TransformerEncoder(5, 3, 0, "gelu", layer_norm_epsilon=1e-3, normalize_first=True),
        (4, 6),
    ),
    row("encoder_causal", L.TransformerEncoder(5, 2, causal=True), (4, 6)),
    row("decoder", L.TransformerDecoder(5, 2), (4, 6), (5, 6)),
    row("decoder_first", L.TransformerDecoder(5, 1, normalize_first=True), (4, 6), (3, 6)),
    row("decoder_only", L.TransformerDecoder(5, 2, normalize_first=True), (4, 6)),
    row(
        "position_embedding",
        L.PositionEmbedding(5),
        (3, 4),
        formula=lambda p, x: np.broadcast_to(p["embeddings"][:3], np.shape(x)),
    ),
    row("sine_position_encoding", L.SinePositionEncoding(100), (3, 5), formula=waves),
    row("rotary", L.RotaryEmbedding(100, 2), (5, 6), formula=turns),
    row(
        "rotary_axes",
        L.RotaryEmbedding(sequence_axis=2, feature_axis=1),
        (2, 3, 2),
        formula=turns_of_heads,
    ),
]

ROWS = [dataclasses.replace(each, dtype="float32" if each.formula else "float64") for each in _ROWS]
