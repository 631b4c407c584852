"""A stack of linear layers is one linear layer: `W = W1 W2`, `b = b1 W2 + b2`."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from fitwell.layers import Dense
from fitwell.layers.base import Layer
from fitwell.training import activation_name
from fitwell.types import Params


def collapse(layers: list[Layer], params: Params) -> tuple[list[Layer], Params]:
    """The shortest chain with the same map: every linear Dense is merged into the Dense after it.

    Args:
        layers: a chain, named.
        params: weights by layer name.

    Returns:
        the layers that are left and their weights.
    """
    kept: list[Layer] = []
    weights = dict(params)
    for layer in layers:
        before = kept[-1] if kept else None
        if not (isinstance(layer, Dense) and isinstance(before, Dense) and is_linear(before)):
            kept.append(layer)
            continue
        assert before.name is not None
        assert layer.name is not None
        first, second = weights.pop(before.name), weights.pop(layer.name)
        merged = {"kernel": first["kernel"] @ second["kernel"]}
        if "bias" in first or "bias" in second:
            bias = first["bias"] @ second["kernel"] if "bias" in first else jnp.zeros(())
            merged["bias"] = bias + second.get("bias", jnp.zeros(layer.units))
        kept[-1] = dataclasses.replace(layer, use_bias="bias" in merged)
        weights[layer.name] = merged
    return kept, weights


def is_linear(layer: Dense) -> bool:
    return activation_name(layer.activation) in (None, "linear")
