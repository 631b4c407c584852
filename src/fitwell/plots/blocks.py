"""The boxes of a network's picture and what is written in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fitwell.families import OTHERS, family_of
from fitwell.layers.inputs import InputLayer
from fitwell.network import Network, Node
from fitwell.summary import kind_of
from fitwell.tree import size

_SHORT = 24  # uses of layers up to which each has a box of its own
_LONGEST = 42  # characters of a line

FOLDED = (OTHERS, "normalization")
"""Families that a long network shows in the box of the layer before."""


@dataclass(frozen=True)
class Block:
    """One box: a use of a layer, with what follows it alone and keeps its shape.

    Attributes:
        nodes: positions in the network.
        sources: positions of the boxes it reads.
        lines: its name, kind, output shape and weights, and the kinds that follow.
        family: of the first layer.
    """

    nodes: tuple[int, ...]
    sources: tuple[int, ...]
    lines: tuple[str, ...]
    family: str


def blocks(network: Network) -> list[Block]:
    """The boxes in an order in which each comes after what it reads."""
    weights = {n: size(p) + size(s) for n, p, s in _weights(network)}
    groups = _groups(network)
    place = {i: k for k, group in enumerate(groups) for i in group}
    seen: set[str] = set()
    found = []
    for group in groups:
        nodes = [network.nodes[i] for i in group]
        shared = nodes[0].name in seen and weights[nodes[0].name] > 0
        lines = _lines(nodes, weights, shared)
        seen.update(node.name for node in nodes)
        sources = dict.fromkeys(place[i] for i, _ in nodes[0].inputs)
        found.append(Block(group, tuple(sources), lines, family_of(nodes[0].layer)))
    return found


def _weights(network: Network) -> list[tuple[str, object, object]]:
    params, state = network.weight_shapes
    return [(name, params.get(name, {}), state.get(name, {})) for name in network.layers]


def _groups(network: Network) -> list[tuple[int, ...]]:
    """The nodes of each box; those of a long network are several, where nothing is lost by it."""
    groups: list[tuple[int, ...]] = []
    read = Counter(i for node in network.nodes for i in {ref[0] for ref in node.inputs})
    read.update(i for i, _ in network.outputs)
    fold = len(network.nodes) > _SHORT
    ends: dict[int, int] = {}  # the last node of a box -> which box
    for i, node in enumerate(network.nodes):
        before = node.inputs[0][0] if len(node.inputs) == 1 else -1
        if fold and before in ends and read[before] == 1 and _folds(network.nodes[before], node):
            box = ends.pop(before)
            groups[box] = (*groups[box], i)
            ends[i] = box
        else:
            ends[i] = len(groups)
            groups.append((i,))
    return groups


def _folds(before: Node, node: Node) -> bool:
    same = [shape for shape, _ in before.out] == [shape for shape, _ in node.out]
    return same and family_of(node.layer) in FOLDED and not isinstance(before.layer, InputLayer)


def _lines(nodes: list[Node], weights: dict[str, int], shared: bool) -> tuple[str, ...]:
    first = nodes[0]
    shapes = [str((None, *shape)) for shape, _ in first.out]
    same = len(shapes) > 1 and len(set(shapes)) == 1  # an output and its last states
    shape = f"{len(shapes)} x {shapes[0]}" if same else ", ".join(shapes)
    held = sum(weights[node.name] for node in nodes)
    words = [] if not held else ["1 weight" if held == 1 else f"{held:,} weights"]
    if held and not first.layer.trainable:
        words.append("frozen")
    if first.lender is not None:
        words.append(f"{'and those' if held else 'weights'} of {first.lender}")
    if shared:  # drawn at each of its uses, counted at the first
        words = [f"weights of {first.name}"]
    facts = [shape, ", ".join(words)] if words else [shape]
    lines = [first.name, kind_of(first.layer), "  ".join(facts)]
    if len(nodes) > 1:
        lines.append("then " + ", ".join(kind_of(node.layer) for node in nodes[1:]))
    return tuple(line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…" for line in lines)
