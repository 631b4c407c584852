"""A view of one layer in a model: its description bound to the model's arrays."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.composing import at_layer
from fitwell.errors import (
    InvalidArgument,
    InvalidData,
    NotReady,
    ShapeMismatch,
    UnknownAttribute,
    did_you_mean,
)
from fitwell.habits import ATTRIBUTES
from fitwell.layers.base import Layer
from fitwell.layers.lookup import Lookup
from fitwell.network import Network, Node
from fitwell.randomness import abstract_key
from fitwell.tree import flatten, size, unflatten
from fitwell.types import Array, HostArray, Params, State


class Owner(Protocol):
    """What a view needs of its model."""

    name: str

    @property
    def network(self) -> Network: ...
    def weights_of(self, name: str) -> tuple[Params, State]: ...
    def set_weights_of(self, name: str, params: Params, state: State) -> None: ...
    def change_layer(self, name: str, **changes: Any) -> None: ...
    @property
    def input_names(self) -> list[str]: ...
    def shared_layer(self, name: str) -> Layer: ...


@functools.lru_cache(maxsize=1024)
def weight_order(layer: Layer, shapes: tuple[tuple[int, ...], ...], many: bool) -> tuple[Any, Any]:
    """The names of a layer's weights and state in the order `init` gives them.

    JAX sorts the keys of a dict; Keras' users expect the kernel before the bias.
    """
    seen: list[tuple[str, ...]] = []
    shape: Any = list(shapes) if many else shapes[0] if shapes else ()

    def trace(key: Array) -> None:
        seen.append(tuple(flatten(layer.init(key, shape))))
        seen.append(tuple(flatten(layer.init_state(shape))))

    jax.eval_shape(trace, abstract_key())
    return seen[0], seen[1]


def names_in_order(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    layer = node.layer.program() if node.layer.on_host else node.layer  # keep no vocabulary
    return weight_order(layer, node.shapes_in, node.many)


class LayerView:
    """One layer of a model with Keras' habits: `.kernel`, `.get_weights()`, `.trainable = False`.

    Arrays it returns are copies: they stay valid while the model goes on training.
    """

    def __init__(self, owner: Owner, name: str) -> None:
        self.__dict__.update(_owner=owner, name=name)

    # What it is

    @property
    def description(self) -> Layer:
        """The frozen description: a new instance, which shares no weights with the model."""
        return dataclasses.replace(self._layer)

    @property
    def _layer(self) -> Layer:
        return self._owner.network.layers[self.name]

    @property
    def node(self) -> Node:
        return self._owner.network.first_use(self.name)

    @property
    def input_shape(self) -> Any:
        """The shape of the input with None for the batch axis; a list for several inputs."""
        shapes = [(None, *s) for s in self.node.shapes_in]
        return shapes if self.node.many else (shapes or [self.output_shape])[0]

    @property
    def output_shape(self) -> Any:
        """The shape of the output with None for the batch axis; a list for several outputs."""
        shapes = [(None, *shape) for shape, _ in self.node.out]
        return shapes if len(shapes) > 1 else shapes[0]

    @property
    def trainable(self) -> bool:
        """Whether `fit` changes its weights; may be assigned."""
        return self._layer.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool | np.bool_):
            cure = "Assign one of them."
            raise InvalidArgument(f"{self.name}.trainable", "True or False", repr(value), cure)
        self._owner.change_layer(self.name, trainable=bool(value))

    @property
    def input(self) -> Any:
        """What goes into it as a symbol of the model's graph; a list for several inputs."""
        return at_layer(self._owner, self.name)[0]

    @property
    def output(self) -> Any:
        """What comes out of it as a symbol: `Model(model.inputs, model["code"].output)`."""
        return at_layer(self._owner, self.name)[1]

    def __call__(self, x: Any, **more: Any) -> Any:
        """The layer, with the weights it has in this model, on a symbol of another."""
        return self._owner.shared_layer(self.name)(x, **more)

    # Its arrays

    @property
    def weights(self) -> list[Array]:
        """Weights, then state, in Keras' order."""
        return [jnp.array(a) for a in self._named().values()]

    @property
    def trainable_weights(self) -> list[Array]:
        params, _ = names_in_order(self.node)
        return [jnp.array(self._named()[n]) for n in params] if self.trainable else []

    def get_weights(self) -> list[HostArray]:
        """Copies as numpy arrays, in Keras' order: kernel, then bias."""
        return [np.array(a) for a in self._named().values()]

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Takes arrays in the order of `get_weights`.

        Raises:
            ShapeMismatch: a different number of arrays, or a different shape.
            InvalidData: something else than numbers.
        """
        named, given = self._named(), list(weights)
        subject = f"set_weights of {self.name}"
        if len(given) != len(named):
            cure = f"The order is {', '.join(named) or 'empty'}."
            raise ShapeMismatch(subject, f"{len(named)} arrays", f"{len(given)}", cure)
        new: dict[str, Array] = {}
        for (name, old), value in zip(named.items(), given, strict=True):
            new[name] = _like(old, value, subject, name, f"The order is {', '.join(named)}.")
        params, state = names_in_order(self.node)
        self._owner.set_weights_of(
            self.name,
            unflatten({n: new[n] for n in params}),
            unflatten({n: new[n] for n in state}),
        )

    def count_params(self) -> int:
        """How many numbers the layer holds, state included, as in Keras."""
        return size(self._named())

    def reset_state(self) -> None:
        """Sets the layer's state (what `stateful=True` keeps) to what it was at the start."""
        params, _ = self._owner.weights_of(self.name)
        fresh = self._layer.init_state(self.node.shape_in)
        self._owner.set_weights_of(self.name, params, fresh)

    def adapt(self, data: Any) -> None:
        """Computes a preprocessing layer's statistics from data and keeps them in the model."""
        if isinstance(self._layer, Lookup):
            fresh = dataclasses.replace(self._layer)
            fresh.adapt(data)
            self._take_vocabulary(self._layer, fresh)
            return
        if not self._layer.adapts:
            cure = "Normalization does."
            raise InvalidArgument(repr(self), "a layer that adapts to data", "adapt", cure)
        state = self._layer.statistics([np.asarray(data)])  # type: ignore[attr-defined]
        params, _ = self._owner.weights_of(self.name)
        self._owner.set_weights_of(self.name, params, jax.tree.map(jnp.asarray, state))

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Gives a lookup layer other terms.

        Raises:
            InvalidArgument: it would return another number of indicators than before.
        """
        if not isinstance(self._layer, Lookup):
            cure = "StringLookup, IntegerLookup and TextVectorization have one."
            raise InvalidArgument(repr(self), "a layer with a vocabulary", "set_vocabulary", cure)
        fresh = dataclasses.replace(self._layer)
        fresh.set_vocabulary(vocabulary, idf_weights)
        self._take_vocabulary(self._layer, fresh)

    def _take_vocabulary(self, old: Lookup, fresh: Lookup) -> None:
        if fresh.program() != old.program():
            raise InvalidArgument(
                f"layer {self.name} ({type(old).__name__})",
                f"a vocabulary of {old.vocabulary_size()} tokens, as when the model was built",
                f"{fresh.vocabulary_size()}",
                "Build the model with the new vocabulary, or pass max_tokens and "
                "pad_to_max_tokens=True.",
            )
        learnt = {"vocabulary": fresh.vocabulary, "idf_weights": fresh.idf_weights}
        self._owner.change_layer(self.name, **learnt)
        params, _ = self._owner.weights_of(self.name)
        self._owner.set_weights_of(self.name, params, fresh.init_state(self.node.shape_in))

    def _named(self) -> dict[str, Array]:
        params, state = self._owner.weights_of(self.name)
        first, second = names_in_order(self.node)
        flat_params, flat_state = flatten(params), flatten(state)
        return {n: flat_params[n] for n in first} | {n: flat_state[n] for n in second}

    # Attributes: the layer's own arrays by name, then its hyper-parameters

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        description = self._layer
        try:
            params, state = self._owner.weights_of(self.name)
        except NotReady:
            params, state = {}, {}
        for arrays in (params, state):
            if attribute in arrays:
                return jax.tree.map(jnp.array, arrays[attribute])
        if hasattr(description, attribute):
            return getattr(description, attribute)
        if attribute in ATTRIBUTES:
            cure = ATTRIBUTES[attribute]
            raise UnknownAttribute(repr(self), "an attribute it has", f".{attribute}", cure)
        known = [*params, *state, *(n for n in dir(description) if not n.startswith("_"))]
        raise AttributeError(f"{self!r} has no {attribute}. {did_you_mean(attribute, known)}")

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "trainable":
            object.__setattr__(self, attribute, value)
            return
        params, state = self._owner.weights_of(self.name)
        if attribute in params or attribute in state:
            old = params.get(attribute, state.get(attribute))
            array = _like(old, value, repr(self), attribute, "Assign an array of that shape.")
            target = params if attribute in params else state
            changed = {**target, attribute: array}
            self._owner.set_weights_of(
                self.name,
                changed if target is params else params,
                changed if target is state else state,
            )
            return
        raise InvalidArgument(
            repr(self),
            f"an assignment to trainable or a weight ({', '.join(self._named())})",
            f".{attribute} = ...",
            "Hyper-parameters are fixed once a layer is in a model: build a new model.",
        )

    def __repr__(self) -> str:
        return f"<{self.name}: {self._layer!r}>"


def _like(old: Array, value: Any, subject: str, name: str, cure: str) -> Array:
    """`value` as an array that can take the place of `old`."""
    try:
        array = np.asarray(value, old.dtype)
    except (TypeError, ValueError) as error:
        received = f"{type(value).__name__}: {error}"
        raise InvalidData(subject, f"{name} as an array of numbers", received, cure) from error
    if array.shape != old.shape:
        raise ShapeMismatch(subject, f"{name} of shape {old.shape}", f"{array.shape}", cure)
    return jnp.array(array)
