"""A network: a graph of named layers, its weights at the start and its map. Pure and hashable."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from fitwell import activations, regularizers
from fitwell.layers.base import Layer
from fitwell.layers.nodes import Node, Output, Ref, fed_output, places_fed
from fitwell.layers.weights import weight_fields
from fitwell.ops import precision as rounding
from fitwell.randomness import abstract_key
from fitwell.serialization import Catalog
from fitwell.types import Array, Key, Params, State


@dataclass(frozen=True)
class Network:
    """Nodes in an order in which they can be computed.

    Attributes:
        nodes: the uses of layers.
        inputs: positions of the input nodes, in the order of the model's inputs.
        outputs: what the model returns, in order.
        precision: of what layers with weights compute, `"float32"` or `"bfloat16"`. Weights, state
            and what the network returns are float32.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Ref, ...]
    precision: str = "float32"

    # Facts

    @functools.cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer once, by name, inputs first."""
        return {node.name: node.layer for node in self.nodes}

    @property
    def input_shapes(self) -> list[Output]:
        return [self.nodes[i].out[0] for i in self.inputs]

    @functools.cached_property
    def fed(self) -> tuple[int, ...]:
        """Positions of the nodes that `forward` gets arrays for: `inputs` where none is text."""
        return places_fed(self.nodes, self.inputs)

    @functools.cached_property
    def fed_outputs(self) -> list[Output]:
        """Shape and dtype of each array that `forward` gets, for one example."""
        return [fed_output(self.nodes, place) for place in self.fed]

    @property
    def output_shapes(self) -> list[Output]:
        return [self.nodes[i].out[index or 0] for i, index in self.outputs]

    @property
    def input_names(self) -> list[str]:
        return [self.nodes[i].name for i in self.inputs]

    @property
    def output_names(self) -> list[str]:
        return [self.nodes[i].name for i, _ in self.outputs]

    def first_use(self, name: str) -> Node:
        return self._first_uses[name]

    @functools.cached_property
    def _first_uses(self) -> dict[str, Node]:
        return {node.name: node for node in reversed(self.nodes)}

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.nodes, self.inputs, self.outputs, self.precision))

    def __hash__(self) -> int:  # every dispatch looks its program up by it
        return self._hash

    @functools.cached_property
    def remembers(self) -> bool:
        """Whether a prediction depends on those before it."""
        return any(layer.remembers for layer in self.layers.values())

    # Weights

    @functools.cached_property
    def weight_shapes(self) -> tuple[Params, State]:
        """Shape and dtype of what `init` returns, found without making it."""
        shapes: tuple[Params, State] = jax.eval_shape(self.init, abstract_key())
        return shapes

    def init(self, key: Key) -> tuple[Params, State]:
        """Fresh weights and state; a layer's key depends on its place alone."""
        params: Params = {}
        state: State = {}
        for i, (name, layer) in enumerate(self.layers.items()):
            shape = self.init_shape(name)
            fresh = layer.init(jax.random.fold_in(key, i), shape)
            if fresh:
                params[name] = fresh
            fresh = layer.init_state(shape)
            if fresh:
                state[name] = fresh
        return params, state

    def init_shape(self, name: str) -> Any:
        """What the layer's `init` takes: the shape of its input, or of that of its lender."""
        node = self.first_use(name)
        return (node if node.lender is None else self.first_use(node.lender)).shape_in

    def weights_for(self, node: Node, params: Params) -> Params:
        """What a node's layer computes with: its own weights, and those it borrows."""
        own = params.get(node.name, {})
        return own if node.lender is None else {**own, "lender": params[node.lender]}

    def split_trainable(self, params: Params) -> tuple[Params, Params]:
        """The weights that learn and those that are kept, by each layer's `trainable`."""
        layers = self.layers
        learn = {name: p for name, p in params.items() if layers[name].trainable}
        return learn, {name: p for name, p in params.items() if name not in learn}

    # The map

    def forward(
        self, params: Params, state: State, xs: Sequence[Array], *, key: Key, train: bool
    ) -> tuple[list[Any], State]:
        """Every node's output, and the new state: `masked_forward` where all rows are real."""
        values, _, state = self.masked_forward(params, state, xs, key=key, train=train)
        return values, state

    def masked_forward(
        self,
        params: Params,
        state: State,
        xs: Sequence[Array],
        *,
        key: Key,
        train: bool,
        rows: Array | None = None,
    ) -> tuple[list[Any], list[Array | None], State]:
        """Every node's output, the mask of its steps, and the new state.

        Unused outputs cost nothing once compiled, and neither do masks nobody reads.

        Args:
            xs: one array per place in `fed`, batch axis in front.
            key: the key of this step; each node draws from its own.
            train: whether dropout, noise and batch statistics are on.
            rows: (batch,), 1 for a real example and 0 for padding; None if all are real.
        """
        values: list[Any] = []
        masks: list[Array | None] = []
        state = dict(state)
        given = dict(zip(self.fed, xs, strict=True))
        for i, node in enumerate(self.nodes):
            if i in self.inputs:  # None for what only the host reads
                values.append(given[i].astype(node.out[0][1]) if i in given else None)
                masks.append(None)
                continue
            arrays = [given[i]] if i in given else [pick(values, ref) for ref in node.inputs]
            weights, arrays = rounding.lowered(
                self.precision, self.weights_for(node, params), arrays
            )
            x = arrays if node.many else arrays[0]
            each = [pick_mask(masks, ref) for ref in node.inputs]
            mask = each if node.many else each[0]
            more = {"mask": mask} if node.layer.uses_mask else {}
            more |= {"rows": rows} if node.layer.uses_rows else {}
            # A frozen layer is a fixed map: its statistics and noise rest, as in Keras.
            with jax.named_scope(node.name):  # what profiles and the doctor call its operations
                y, new = node.layer.forward(
                    weights,
                    state.get(node.name, {}),
                    x,
                    key=jax.random.fold_in(key, i),
                    train=train and node.layer.trainable,
                    **more,
                )
            if new:
                state[node.name] = new
            values.append(y)
            masks.append(node.layer.output_mask(x, y, mask))
        return rounding.raised(self.precision, values), masks, state

    def penalty(self, params: Params) -> Array | float:
        """The sum of all weight regularizers, for the layers that learn."""
        return sum(
            regularizer(group[weight])
            for group, weight, regularizer in self._weight_fields(params, "_regularizer")
        )

    def activity_penalty(self, values: Sequence[Any], mask: Array | None) -> Array | float:
        """The sum of all activity regularizers, per real example (Keras 3 divides so too)."""
        total: Array | float = 0.0
        for node, value in zip(self.nodes, values, strict=True):
            regularizer = regularizers.get(getattr(node.layer, "activity_regularizer", None))
            if regularizer is None:
                continue
            for y in jax.tree.leaves(value):
                rows = y.shape[0]
                if mask is not None:
                    y = jnp.where(mask.reshape(-1, *[1] * (y.ndim - 1)) > 0, y, 0)
                    rows = jnp.maximum(mask.sum(), 1)
                total += regularizer(y) / rows
        return total

    def project(self, params: Params, learning_rate: Array) -> Params:
        """What follows an optimizer's step: proximal steps, then constraints."""
        params = jax.tree.map(lambda weight: weight, params)  # dicts of its own, to change below
        for group, weight, regularizer in self._weight_fields(params, "_regularizer"):
            if regularizer.proximal:
                group[weight] = regularizer.proximal_step(group[weight], learning_rate)
        for group, weight, constraint in self._weight_fields(params, "_constraint"):
            group[weight] = constraint(group[weight])
        return params

    def _weight_fields(self, params: Params, suffix: str) -> Iterator[tuple[Params, str, Any]]:
        """`weight_fields` of all layers that learn."""
        for name, layer in self.layers.items():
            if layer.trainable:
                yield from weight_fields(layer, params.get(name, {}), suffix)

    # Transformations

    def program(self) -> Network:
        """The same network without what only matters to `init`: the key of compiled code."""
        return self._program

    @functools.cached_property
    def _program(self) -> Network:
        found = self.with_layers({name: layer.program() for name, layer in self.layers.items()})
        if not any(layer.on_host for layer in self.layers.values()):  # a vocabulary has a shape
            vars(found)["weight_shapes"] = self.weight_shapes  # to trace `init` again costs time
        return found

    def with_layer(self, name: str, **changes: Any) -> Network:
        """The same network with fields of one layer changed, at every use of it."""
        return self.with_layers({name: dataclasses.replace(self.layers[name], **changes)})

    def with_layers(self, new: dict[str, Layer]) -> Network:
        """The same network with other layers, by name, at every use of them."""
        nodes = tuple(
            dataclasses.replace(node, layer=new.get(node.name, node.layer)) for node in self.nodes
        )
        return dataclasses.replace(self, nodes=nodes)

    def logits(self, output: int) -> tuple[Network, Ref, Any]:
        """The network with the activation of one output as a node of its own.

        Returns:
            the network, the place of the values before the activation, and the activation
            (None, and everything as it was, if the output has none).
        """
        i, index = self.outputs[output]
        node = self.nodes[i]
        bare, activation = node.layer.split_activation()
        if activation is None or index is not None:
            return self, (i, index), None
        if bare is None:
            return self, node.inputs[0], activation
        if getattr(bare, "activity_regularizer", None) is not None:
            bare = dataclasses.replace(bare, activity_regularizer=None)  # type: ignore[call-arg]
        before = dataclasses.replace(node, layer=bare)
        after = dataclasses.replace(
            node, layer=_Output(activation), inputs=((len(self.nodes), None),), many=False
        )
        after = dataclasses.replace(after, name=f"{node.name}/activation")
        nodes = (*self.nodes, before, after)
        # The old node stays for those that read it; unused, it disappears in compilation.
        outputs = list(self.outputs)
        outputs[output] = (len(self.nodes) + 1, None)
        moved = dataclasses.replace(self, nodes=nodes, outputs=tuple(outputs))
        return moved, (len(self.nodes), None), activation

    # JSON

    def to_json(self, catalog: Catalog) -> dict[str, Any]:
        nodes = [
            {
                "name": node.name,
                "layer": catalog.to_json(node.layer),
                "inputs": [list(ref) for ref in node.inputs],
                "many": node.many,
                **({} if node.lender is None else {"lender": node.lender}),
            }
            for node in self.nodes
        ]
        outputs = [*map(list, self.outputs)]
        own = {} if self.precision == "float32" else {"precision": self.precision}
        return {"nodes": nodes, "inputs": list(self.inputs), "outputs": outputs, **own}


class _Output(Layer):
    """An output activation that was taken out of its layer (see `Network.logits`)."""

    function: Any

    def apply(self, params: Params, x: Array) -> Array:
        return activations.get(self.function)(x)


def pick(values: Sequence[Any], ref: Ref) -> Any:
    """The array a reference stands for."""
    value = values[ref[0]]
    return value if ref[1] is None else value[ref[1]]


def pick_mask(masks: Sequence[Array | None], ref: Ref) -> Array | None:
    """The mask of what a reference stands for: of several outputs, only the first has steps."""
    return None if ref[1] else masks[ref[0]]


def real_steps(masks: Sequence[Array | None], ref: Ref, y: Array, weight: Array) -> Array:
    """The weight of each row of y, (batch,), or where steps are masked of each step."""
    mask = pick_mask(masks, ref)
    return weight if mask is None or y.ndim < 3 else weight[:, None] * mask


__all__ = ["Network", "Node", "Output", "Ref", "pick", "pick_mask", "real_steps"]
