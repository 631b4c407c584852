"""Writes layers_attention.npz: inputs, weights, outputs and gradients of attention layers.

    KERAS_BACKEND=torch python tests/golden/make_layers_attention.py

Needs torch and keras 3; the tests need neither. The form is that of make_layers.py, in float64.
A mask is an input too: > 0 where attention is allowed.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras import layers
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

keras.config.set_floatx("float64")
ROWS = 3
Shapes = tuple[tuple[int, ...], ...]
Case = tuple[object, Shapes, Callable[..., torch.Tensor]]

Q, V = (4, 6), (5, 3)  # a query of 4 positions, a value of 5, of different widths


def keras_case(layer: keras.Layer, *shapes: tuple[int, ...], **call: object) -> Case:
    """query, value, key and mask by position."""

    def run(query: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        value, key, mask = (*others, *[None] * (3 - len(others)))
        value = query if value is None else value
        if isinstance(layer, layers.Attention):  # and AdditiveAttention
            inputs = [query, value] + ([] if key is None else [key])
            return layer(inputs, **call)
        mask = None if mask is None else mask > 0
        # With the scores asked for it takes the plain path, which is exact to float64.
        call["return_attention_scores"] = True
        return layer(query, value, key, attention_mask=mask, **call)[0]

    return layer, shapes, run


def encoder_case(shape: tuple[int, ...], causal: bool = False, **arguments: object) -> Case:
    layer = nn.TransformerEncoderLayer(
        shape[-1], dropout=0.0, batch_first=True, dtype=torch.float64, **arguments
    )
    mask = nn.Transformer.generate_square_subsequent_mask(shape[0], dtype=torch.float64)
    return layer, (shape,), lambda x: layer(x, src_mask=mask if causal else None)


def decoder_case(shape: tuple[int, ...], memory: tuple[int, ...], **arguments: object) -> Case:
    layer = nn.TransformerDecoderLayer(
        shape[-1], dropout=0.0, batch_first=True, dtype=torch.float64, **arguments
    )
    mask = nn.Transformer.generate_square_subsequent_mask(shape[0], dtype=torch.float64)
    return layer, (shape, memory), lambda x, m: layer(x, m, tgt_mask=mask)


CASES: dict[str, Case] = {
    "mha": keras_case(layers.MultiHeadAttention(2, 4), Q, V),
    "mha_self_causal": keras_case(
        layers.MultiHeadAttention(3, 2, use_bias=False), Q, use_causal_mask=True
    ),
    "mha_key_mask": keras_case(
        layers.MultiHeadAttention(2, 4, value_dim=3, output_shape=5), Q, V, (5, 7), (4, 5)
    ),
    "mha_head_masks": keras_case(
        layers.MultiHeadAttention(2, 2, sliding_window=3), Q, V, V, (2, 4, 5)
    ),
    "gqa": keras_case(layers.GroupQueryAttention(4, 4, 2), Q, V),
    "gqa_multi_query_causal": keras_case(
        layers.GroupQueryAttention(2, 3, 1, use_bias=False), Q, use_causal_mask=True
    ),
    "attention": keras_case(layers.Attention(), (4, 6), (5, 6)),
    "attention_scale_causal": keras_case(
        layers.Attention(use_scale=True), (4, 6), (4, 3), (4, 6), use_causal_mask=True
    ),
    "attention_concat": keras_case(
        layers.Attention(use_scale=True, score_mode="concat"), (4, 3), (5, 2), (5, 3)
    ),
    "additive_attention": keras_case(layers.AdditiveAttention(), (4, 3), (5, 3)),
    "additive_attention_plain": keras_case(
        layers.AdditiveAttention(use_scale=False), (4, 3), use_causal_mask=True
    ),
    "encoder": encoder_case((4, 6), nhead=2, dim_feedforward=5),
    "encoder_first": encoder_case(
        (4, 6), nhead=3, dim_feedforward=5, activation="gelu", norm_first=True, layer_norm_eps=1e-3
    ),
    "encoder_causal": encoder_case((4, 6), causal=True, nhead=2, dim_feedforward=5),
    "decoder": decoder_case((4, 6), (5, 3 * 2), nhead=2, dim_feedforward=5),
    "decoder_first": decoder_case((4, 6), (3, 6), nhead=1, dim_feedforward=5, norm_first=True),
    "decoder_only": encoder_case((4, 6), causal=True, nhead=2, dim_feedforward=5, norm_first=True),
}

TORCH_NAMES = {
    "self_attn": "self_attention",
    "multihead_attn": "cross_attention",
    "linear1": "intermediate",
    "linear2": "output",
    "norm1": "self_attention_norm",
    "norm2": "cross_attention_norm",
    "norm3": "feedforward_norm",
}


def turned(array: torch.Tensor) -> torch.Tensor:
    """PyTorch's (out, in) kernels as (in, out); biases as they are."""
    return array.T if array.ndim == 2 else array


def from_torch(layer: nn.Module, part: str) -> dict[str, torch.Tensor]:
    """The weights (`part` = "data") or gradients ("grad") by fitwell's names and shapes."""
    found = {}
    for path, weight in layer.named_parameters():
        block, *_, last = path.split(".")
        array = getattr(weight, part)
        name = TORCH_NAMES[block]
        if isinstance(layer, nn.TransformerEncoderLayer) and block == "norm2":
            name = "feedforward_norm"
        if block.startswith("norm"):
            found[f"{name}/{'gamma' if last == 'weight' else 'beta'}"] = array
        elif block.startswith("linear"):
            found[f"{name}/{'kernel' if last == 'weight' else 'bias'}"] = (
                array.T if array.ndim > 1 else array
            )
        else:
            attention = getattr(layer, block)
            heads, size = attention.num_heads, attention.head_dim
            kind = "kernel" if last.endswith("weight") else "bias"
            if "out_proj" in path:
                joined = turned(array).reshape(heads, size, -1) if kind == "kernel" else array
                found[f"{name}/attention_output/{kind}"] = joined
                continue
            for each, third in zip(("query", "key", "value"), array.chunk(3), strict=True):
                split = turned(third)
                found[f"{name}/{each}/{kind}"] = split.reshape(*split.shape[:-1], heads, size)
    return found


def from_keras(layer: keras.Layer, part: str) -> dict[str, torch.Tensor]:
    """The same; a sublayer's weights are under its name."""
    found = {}
    for weight in layer.trainable_weights:
        path = weight.path.split("/")
        name = "/".join(path[1:]) if path[0] == layer.name else "/".join(path)
        found[name] = getattr(weight.value, part)
    return found


def record(name: str, layer: object, shapes: Shapes, run: Callable[..., torch.Tensor]) -> dict:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    xs = [torch.tensor(rng.normal(size=(ROWS, *s)) * 1.5, requires_grad=True) for s in shapes]
    if len(xs) == 4:  # a mask, under which every query may still attend to something
        xs[3].data += 1
        assert (xs[3] > 0).any(-1).all()
    run(*xs)  # Keras makes its weights now
    keras_layer = isinstance(layer, keras.Layer)
    weights = layer.trainable_weights if keras_layer else list(layer.parameters())
    for weight in weights:
        value = weight.value if keras_layer else weight
        value.data = torch.as_tensor(rng.normal(size=tuple(value.shape)))
        value.requires_grad_(True)
    read = from_keras if keras_layer else from_torch
    params = read(layer, "data")
    y = run(*xs)
    cotangent = torch.tensor(rng.normal(size=tuple(y.shape)))
    (y * cotangent).sum().backward()
    arrays = {"y": y, "cotangent": cotangent}
    for i, x in enumerate(xs):
        arrays |= {f"x{i}": x, f"grad/x{i}": torch.zeros_like(x) if x.grad is None else x.grad}
    grads = read(layer, "grad")
    for key, value in params.items():
        arrays |= {f"param/{key}": value, f"grad/{key}": grads[key]}
    return {f"{name}/{key}": value.detach().numpy() for key, value in arrays.items()}


if __name__ == "__main__":
    with sdpa_kernel(SDPBackend.MATH):  # PyTorch's fused kernels are not exact to float64
        golden = {k: v for name, case in CASES.items() for k, v in record(name, *case).items()}
    np.savez_compressed(Path(__file__).with_name("layers_attention.npz"), **golden)
