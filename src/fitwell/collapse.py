"""A stack of linear layers is one linear layer: `W = W1 W2`, `b = b1 W2 + b2`."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from fitwell import activations
from fitwell.errors import InvalidArgument
from fitwell.layers import Dense, InputLayer
from fitwell.layers.base import Layer
from fitwell.network import Network
from fitwell.training import TrainState
from fitwell.types import Params, State


def collapse(network: Network, train: TrainState) -> list[tuple[Layer, Params, State]]:
    """The shortest chain with the same map: every linear Dense is merged into the Dense after it.

    A layer that is used twice becomes two.

    Returns:
        layers, each with its weights and state.

    Raises:
        InvalidArgument: the network is no chain.
    """
    kept: list[tuple[Layer, Params, State]] = []
    names: set[str] = set()
    for i, node in enumerate(network.nodes):
        if isinstance(node.layer, InputLayer) and i == 0:
            continue
        if node.inputs != ((i - 1, None),) or network.outputs != ((len(network.nodes) - 1, None),):
            raise InvalidArgument(
                "collapse",
                "a chain of layers",
                f"a network with branches, at layer {node.name}",
                "Collapse the chains before they are joined.",
            )
        layer = dataclasses.replace(node.layer, name=None if node.name in names else node.name)
        names.add(node.name)
        params = train.params.get(node.name, {})
        before, first, _ = kept[-1] if kept else (None, {}, {})
        if isinstance(layer, Dense) and isinstance(before, Dense) and is_linear(before):
            kept.pop()
            params = merged(first, params)
            layer = dataclasses.replace(layer, use_bias="bias" in params)
        kept.append((layer, params, train.state.get(node.name, {})))
    return kept


def merged(first: Params, second: Params) -> Params:
    """The weights of one Dense that maps as `first` followed by `second`."""
    params = {"kernel": first["kernel"] @ second["kernel"]}
    if "bias" in first:
        params["bias"] = first["bias"] @ second["kernel"] + second.get("bias", jnp.zeros(()))
    elif "bias" in second:
        params["bias"] = second["bias"]
    return params


def is_linear(layer: Dense) -> bool:
    return layer.activation is None or activations.name_of(layer.activation) == "linear"
