"""Attention, and the Transformer's blocks built from it."""

from fitwell.layers.attention.heads import (
    GroupedQueryAttention,
    GroupQueryAttention,
    MultiHeadAttention,
)
from fitwell.layers.attention.inputs import CausalMask
from fitwell.layers.attention.plain import AdditiveAttention, Attention
from fitwell.layers.attention.transformer import TransformerDecoder, TransformerEncoder

__all__ = [
    "AdditiveAttention",
    "Attention",
    "CausalMask",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "MultiHeadAttention",
    "TransformerDecoder",
    "TransformerEncoder",
]
