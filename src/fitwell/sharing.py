"""Layers that several models use: the same instance means the same weights, as in Keras.

A layer is a description; the first model that is built with an instance owns its weights. Models
built with it later look them up there, and put them back there when they train. Whether it learns
is the owner's to say, too.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import jax

from fitwell.errors import ShapeMismatch
from fitwell.layers.base import Layer
from fitwell.network import Network
from fitwell.training import TrainState


class Owner(Protocol):
    """A model, as far as sharing is concerned."""

    name: str
    _train_state: TrainState | None

    @property
    def network(self) -> Network: ...
    def change_layer(self, name: str, **changes: Any) -> None: ...


Links: TypeAlias = dict[str, tuple[Layer, Owner]]
"""Names of layers whose weights another model owns, with the instance and that model."""


def owner_of(layer: Layer) -> tuple[Owner, str] | None:
    """The model that owns an instance's weights, and its name there; None if there is none."""
    found = layer.__dict__.get("_owner")
    model = found[0]() if found else None
    return None if found is None or model is None else (model, found[1])


def set_owner(layer: Layer, model: Owner, name: str, *, keep: bool = False) -> None:
    """Notes the owner on the instance: it is no field, so equality, hash and JSON stay.

    Args:
        keep: the instance keeps the model alive. In `fitwell.load("m.safetensors")(x)` nobody else
            does until the weights are linked.
    """
    held = (lambda: model) if keep else weakref.ref(model)
    layer.__dict__["_owner"] = (held, name)


def link(model: Owner, instances: Mapping[str, Layer], train: TrainState) -> Links:
    """Owns what nobody owns yet, and links the rest.

    Raises:
        ShapeMismatch: an instance that another model uses with weights of other shapes.
    """
    links: Links = {}
    for name, layer in instances.items():
        found = owner_of(layer)
        if found is None or found[0] is model or found[0]._train_state is None:
            set_owner(layer, model, name)
            continue
        theirs = _weights(found[0]._train_state, found[1])
        if _shapes(theirs) != _shapes(_weights(train, name)):
            raise ShapeMismatch(
                f"{model.name}, layer {name} ({type(layer).__name__})",
                f"the input size that it has in {found[0].name}, with which it shares its weights",
                "another size",
                "Make a new layer for this model.",
            )
        if any(theirs):
            links[name] = (layer, found[0])
    return links


def pull(train: TrainState, links: Links) -> TrainState:
    """`train` with the current weights of the layers that others own."""
    params, state = dict(train.params), dict(train.state)
    for name, (layer, owner) in links.items():
        found = owner_of(layer)
        theirs = _weights(owner._train_state, found[1]) if found else ({}, {})
        if theirs[0]:
            params[name] = theirs[0]
        if theirs[1]:
            state[name] = theirs[1]
    return train._replace(params=params, state=state)


def push(train: TrainState, links: Links) -> None:
    """Gives the owners the weights that `train` has."""
    for name, (layer, owner) in links.items():
        found = owner_of(layer)
        if found is None or owner._train_state is None:
            continue
        theirs = owner._train_state
        params, state = _weights(train, name)
        owner._train_state = theirs._replace(
            params={**theirs.params, **({found[1]: params} if params else {})},
            state={**theirs.state, **({found[1]: state} if state else {})},
        )


def as_trainable(network: Network, links: Links) -> Network:
    """The network with layers that learn if the owners' do: to freeze one freezes it everywhere."""
    for name, (layer, _) in links.items():
        found = owner_of(layer)
        learns = network.layers[name].trainable
        if found and found[0]._train_state and learns != _layer(found).trainable:
            network = network.with_layer(name, trainable=not learns)
    return network


def change(links: Links, name: str, changes: Mapping[str, Any]) -> None:
    """Makes the owner's layer learn, or not, as that of a model that shares it."""
    found = owner_of(links[name][0]) if name in links and "trainable" in changes else None
    if found and found[0]._train_state and _layer(found).trainable != changes["trainable"]:
        found[0].change_layer(found[1], trainable=changes["trainable"])


def _layer(found: tuple[Owner, str]) -> Layer:
    return found[0].network.layers[found[1]]


def _weights(train: TrainState | None, name: str) -> tuple[Any, Any]:
    return ({}, {}) if train is None else (train.params.get(name, {}), train.state.get(name, {}))


def _shapes(weights: Any) -> Any:
    return jax.tree.map(lambda a: a.shape, weights)
