"""Widths and depths as lanes: narrow and shallow networks inside a wide and deep one.

A narrow layer is a wide one whose other units have no weights: their kernels begin as 0, and their
gradients are multiplied by 0, so nothing reaches or leaves them. A layer that a shallow network
does not have passes on what it gets.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import tree
from fitwell.errors import InvalidArgument
from fitwell.layers import (
    ELU,
    Activation,
    BatchNormalization,
    Dense,
    Flatten,
    Input,
    LeakyReLU,
    Normalization,
    PReLU,
    ReLU,
)
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.population.across import objection, separate
from fitwell.population.varying import DROPOUTS
from fitwell.sequential import Sequential
from fitwell.types import Params, State

_OF_CHAINS = (
    Activation, BatchNormalization, Dense, ELU, Flatten, LeakyReLU, Normalization, PReLU, ReLU,
    *DROPOUTS,
)  # fmt: skip

Shape = tuple[tuple[int, ...] | None, int | None]
"""Units of each hidden layer, and how many hidden layers; None for those of the model."""


@dataclasses.dataclass(frozen=True)
class Chain:
    """A network as what varies of it sees it.

    Attributes:
        names: of all layers but the input, in order.
        blocks: each hidden Dense layer with what follows it up to the next Dense layer.
    """

    network: Network
    names: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]

    @property
    def units(self) -> tuple[int, ...]:
        return tuple(self.network.layers[block[0]].units for block in self.blocks)  # type: ignore[attr-defined]


def chain(
    subject: str, network: Network, optimizer: Optimizer | None = None,
    kept: frozenset[str] = frozenset(),
) -> Chain:  # fmt: skip
    """The hidden blocks of a dense network.

    Args:
        optimizer: what trains it; None if it was checked before.
        kept: layers whose arrays are the model's own, which cannot be narrow ones.

    Raises:
        InvalidArgument: the network is no chain of Dense layers and what acts on single units, or
            something mixes the units that a lane has with those that it has not.
    """
    for place, node in enumerate(network.nodes):
        straight = place == 0 or node.inputs == ((place - 1, None),)
        if not straight or (place > 0 and not isinstance(node.layer, _OF_CHAINS)):
            raise _no_chain(subject, node.name, type(node.layer).__name__)
    if network.outputs != ((len(network.nodes) - 1, None),):
        raise InvalidArgument(
            subject,
            "a network with one output, of its last layer, for width and depth",
            f"outputs of {', '.join(network.output_names)}",
            "Fit one population for each of the networks.",
        )
    names = [node.name for node in network.nodes[1:]]
    dense = [i for i, name in enumerate(names) if isinstance(network.layers[name], Dense)]
    blocks = [tuple(names[a:b]) for a, b in itertools.pairwise(dense)]
    found = Chain(network, tuple(names), tuple(blocks))
    if optimizer is not None:
        _check_units(subject, found, kept, names[dense[-1]] if dense else None)
        _check_optimizer(subject, found, optimizer)
    return found


def _no_chain(subject: str, name: str, received: str) -> InvalidArgument:
    return InvalidArgument(
        f"{subject}, layer {name}",
        "a chain of Dense layers for width and depth, with activations, dropout and batch "
        "normalization between them",
        received,
        "Fit one population for each of the networks.",
    )


def _check_units(subject: str, of: Chain, kept: frozenset[str], last: str | None) -> None:
    hidden = [name for block in of.blocks for name in block]
    params, _ = of.network.weight_shapes
    for node in of.network.nodes:
        if node.name not in (*hidden, last):
            continue
        found = objection(node.layer, len(node.out[0][0]), hidden=node.name != last)
        if node.name in kept and node.name in params:
            found = found or "weights that are not the lane's own (frozen or shared)"
        if found:
            raise _no_chain(subject, node.name, found)


def _check_optimizer(subject: str, of: Chain, optimizer: Optimizer) -> None:
    weights = tree.flatten(of.network.split_trainable(of.network.weight_shapes[0])[0])
    ranks = tuple((name, len(weight.shape)) for name, weight in weights.items())
    if not separate(optimizer.program(), ranks):
        raise InvalidArgument(
            subject,
            "an optimizer that moves each weight by itself, for width and depth",
            f"{type(optimizer).__name__}, whose steps depend on the size of a kernel",
            "Choose Adam, or fit one population for each of the networks.",
        )


def checked(subject: str, of: Chain, width: Any, depth: Any) -> Shape:
    """The shape of one lane.

    Raises:
        InvalidArgument: wider or deeper than the model, or no whole numbers.
    """
    most = len(of.blocks)
    if depth is not None and not (_whole(depth) and 1 <= depth <= most):
        cure = "Pass a model as deep as the deepest lane."
        expected = f"depth to be whole numbers from 1 to {most}, the hidden layers of the model"
        raise InvalidArgument(subject, expected, f"depth={depth!r}", cure)
    if width is None:
        units = None
    else:
        given = tuple(width) if isinstance(width, list | tuple) else (width,) * most
        fits = 0 < most == len(given) and all(
            _whole(w) and 1 <= w <= u for w, u in zip(given, of.units, strict=False)
        )
        if not fits:
            cure = "Pass a model as wide as the widest lane."
            expected = f"width to be whole numbers from 1 to the units of the model, {of.units}"
            raise InvalidArgument(subject, expected, f"width={width!r}", cure)
        units = tuple(int(w) for w in given)
    if depth is not None and len(set(of.units[depth - 1 :])) > 1:
        cure = "Give the model's hidden layers the same number of units."
        expected = f"layers of equal units from the last that depth={depth} keeps"
        raise InvalidArgument(subject, expected, f"{of.units[depth - 1 :]}", cure)
    return units, None if depth is None else int(depth)


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def truly(of: Chain, shape: Shape) -> Network:
    """The narrow and shallow network itself, its layers named as in the wide and deep one."""
    units = dict(zip((b[0] for b in of.blocks), shape[0] or of.units, strict=True))
    skipped = set(closed(of, shape))
    layers: list[Any] = []
    for name in of.names:
        if name in skipped:
            continue
        layer = of.network.layers[name]
        changes: dict[str, Any] = {"units": units[name]} if name in units else {}
        layers.append(dataclasses.replace(layer, name=name, **changes))
    ((example, dtype),) = of.network.input_shapes
    start = Input(example, dtype=dtype, name=of.network.input_names[0])
    return Sequential([start, *layers], seed=0).network


def closed(of: Chain, shape: Shape) -> list[str]:
    """The layers that a lane of this depth skips."""
    depth = len(of.blocks) if shape[1] is None else shape[1]
    return [name for block in of.blocks[depth:] for name in block]


def embedded(params: Params, state: State, wide: tuple[Params, State]) -> tuple[Params, State]:
    """Narrow weights and state inside wide ones: weights that are not there are 0."""
    nothing = jax.tree.map(jnp.zeros_like, wide[0])
    return (
        {name: _into(nothing[name], params.get(name)) for name in nothing},
        {name: _into(wide[1][name], state.get(name)) for name in wide[1]},
    )


def mask(of: Chain, shape: Shape) -> Params:
    """1 for each weight of the wide network that the narrow one has, 0 for the others."""
    (small, _), (wide, _) = truly(of, shape).weight_shapes, of.network.weight_shapes
    ones = jax.tree.map(lambda s: np.ones(s.shape, s.dtype), small)
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), wide)
    return {name: _into(zeros[name], ones.get(name)) for name in zeros}


def _into(wide: Any, narrow: Any) -> Any:
    if narrow is None:
        return wide

    def one(a: Any, b: Any) -> Any:
        return jnp.asarray(a).at[tuple(slice(0, n) for n in np.shape(b))].set(b)

    return jax.tree.map(one, wide, narrow)


def cut(of: Chain, params: Params, state: State, shape: Shape) -> tuple[Network, Params, State]:
    """The truly narrow and shallow network of a lane, with its weights."""
    network = truly(of, shape)
    small, small_state = network.weight_shapes

    def one(a: Any, b: Any) -> Any:
        return a[tuple(slice(0, n) for n in b.shape)]

    own = {name: jax.tree.map(one, params[name], small[name]) for name in small}
    own_state = {name: jax.tree.map(one, state[name], small_state[name]) for name in small_state}
    return network, own, own_state
