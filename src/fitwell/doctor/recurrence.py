"""Recurrent layers of a network: the padding they read, and the gradient at each of their steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import compiling
from fitwell.doctor.rewriting import rewritten
from fitwell.doctor.sequences import Memory, Padding, behind, memory
from fitwell.layers.base import Layer
from fitwell.layers.masking import Masking
from fitwell.layers.nodes import readers
from fitwell.layers.recurrent.bidirectional import Bidirectional
from fitwell.layers.recurrent.rnn import Recurrent
from fitwell.layerwise import even_rows
from fitwell.network import Network, Node
from fitwell.training import Batch, Objective, TrainState, losses_and_stats
from fitwell.types import Array, Key, Params, Shape, State

_ROWS = 512  # of a sample
_NUDGE = "nudge"


def _recurrent(network: Network) -> list[Node]:
    return [n for n in network.nodes if isinstance(n.layer, Recurrent | Bidirectional)]


def padding(network: Network, data: Batch) -> Padding | None:
    """The padding that a recurrent layer reads; None where it is masked, in front, or not there.

    In front it does no harm: the state after the last step is that after data. So it is where a
    layer returns every step, or begins at both ends.
    """
    reading = _recurrent(network)
    masked = any(
        isinstance(layer, Masking) or getattr(layer, "mask_zero", False)
        for layer in network.layers.values()
    )
    if not reading or masked or isinstance(reading[-1].layer, Bidirectional):
        return None
    if getattr(reading[-1].layer, "return_sequences", False):
        return None
    for node, which in readers(network.nodes, network.inputs):
        ids = type(node.layer).__name__ == "Embedding"
        place = network.inputs[which]
        if place not in network.fed or not (ids or isinstance(node.layer, Recurrent)):
            continue
        x = data.x[network.fed.index(place)]
        some = np.asarray(x[even_rows(len(x), _ROWS)])
        some = some[..., None] if ids else some
        if some.ndim == 3 and some.size:
            value, share = behind(some)
            name, layer = network.nodes[place].name, reading[-1].name
            return Padding(name, layer, value, x.shape[1], share, ids) if share else None
    return None


class _Nudge(Layer):
    """x + nudge, which is 0: its gradient is that of x."""

    def init(self, key: Key, shape: Shape) -> Params:
        return {_NUDGE: jnp.zeros(shape)}

    def apply(self, params: Params, x: Array) -> Array:
        y: Array = x + params[_NUDGE]
        return y


def reach(network: Network, objective: Objective, train: TrainState, batch: Batch) -> Memory | None:
    """How far back the loss reaches in the first recurrent layer, from the gradient of its input.

    size at step t = mean over the rows of |dL/dx_t|

    None where there is no such layer, or none with an input of its own.
    """
    node = next((one for one in _recurrent(network) if not one.many), None)
    if node is None:
        return None
    nudged = rewritten(network, {node.name: [_Nudge(name=_NUDGE), network.layers[node.name]]})
    if nudged is None:
        return None
    slope = _slope_program(nudged.program(), dataclasses.replace(objective, measures=()))
    zeros = np.zeros((len(batch.mask), *node.shapes_in[0]), np.float32)
    return memory(node.name, np.asarray(slope(train.params, train.state, batch, zeros)))


@compiling.program()
def _slope_program(network: Network, objective: Objective) -> Any:
    """Compiled: `(params, state, batch, zeros) -> sizes of the gradient, (steps,)`."""

    def slope(params: Params, state: State, batch: Batch, zeros: Array) -> Array:
        def cost(nudge: Array) -> Array:
            given, key = {**params, _NUDGE: {_NUDGE: nudge}}, jax.random.key(0)
            return losses_and_stats(network, objective, given, state, batch, key=key, train=False)[
                0
            ]

        return jnp.linalg.norm(jax.grad(cost)(zeros), axis=-1).mean(0)

    return compiling.compile(slope, once=True)
