"""One use of a layer in a network: where its input comes from, and what it returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fitwell.layers.base import Layer
from fitwell.types import HOST_DTYPES, Shape

Ref: TypeAlias = tuple[int, int | None]
"""A node's output: position of the node, and which of its outputs (None: it has one)."""

Output: TypeAlias = tuple[Shape, str]
"""Shape of one example, and dtype."""


@dataclass(frozen=True)
class Node:
    """One use of a layer. Two nodes with the same name share their weights.

    `lender` is the name of the layer whose weights this one borrows (see `Tied`).
    """

    name: str
    layer: Layer
    inputs: tuple[Ref, ...]
    many: bool
    shapes_in: tuple[Shape, ...]
    out: tuple[Output, ...]
    lender: str | None = None

    @property
    def shape_in(self) -> Any:
        """What `layer.init` takes: a shape, or a list of shapes for several inputs."""
        return list(self.shapes_in) if self.many else (self.shapes_in or (self.out[0][0],))[0]


def places_fed(nodes: Sequence[Node], inputs: Sequence[int]) -> tuple[int, ...]:
    """The nodes that data are given to: inputs of numbers, and layers on the host.

    Text and 64-bit numbers never enter a compiled program: such an input stays out, and the layers
    that read it get what they made of it on the host.
    """
    found: list[int] = []
    for place in inputs:
        if nodes[place].out[0][1] not in HOST_DTYPES:
            found.append(place)
        found += [i for i, n in enumerate(nodes) if n.layer.on_host and n.inputs[0][0] == place]
    return tuple(found)


def readers(nodes: Sequence[Node], inputs: Sequence[int]) -> Iterator[tuple[Node, int]]:
    """The nodes that read the numbers of an input as they are, at most moved; and which input."""
    holds = {place: which for which, place in enumerate(inputs)}
    for i, node in enumerate(nodes):
        for place, _ in node.inputs:
            if place in holds:
                yield node, holds[place]
                if node.layer.moves_only:
                    holds[i] = holds[place]


def fed_output(nodes: Sequence[Node], place: int) -> Output:
    """Shape and dtype of what the node at `place` is given."""
    node = nodes[place]
    if not node.layer.on_host:
        return node.out[0]
    return node.layer.encoded(*nodes[node.inputs[0][0]].out[0])


__all__ = ["Node", "Output", "Ref", "fed_output", "places_fed", "readers"]
