"""A program for export: operations on values whose sizes may grow with the batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from fitwell.errors import InvalidArgument
from fitwell.types import HostArray


@dataclass(frozen=True)
class Rows:
    """A size that is not known before there is a batch: factor * batch + more."""

    factor: int
    more: int = 0

    def __repr__(self) -> str:
        """As Python computes it.

        >>> Rows(1), Rows(3, 2)
        (batch, 3 * batch + 2)
        """
        first = "batch" if self.factor == 1 else f"{self.factor} * batch"
        return f"{first} + {self.more}" if self.more else first


Size: TypeAlias = int | Rows
Sizes: TypeAlias = tuple[Size, ...]


@dataclass(eq=False)
class Value:
    """What an operation reads or makes.

    Attributes:
        shape: sizes of its axes.
        dtype: of its numbers.
        array: what it is, if that is known before there are data: a weight, or made of weights.
        name: of a weight, `"dense/kernel"`; empty for what is made on the way.
    """

    shape: Sizes
    dtype: np.dtype[Any]
    array: HostArray | None = None
    name: str = ""

    @classmethod
    def known(cls, array: Any, name: str = "") -> Value:
        found = np.asarray(array)
        return cls(found.shape, found.dtype, found, name)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def grows(self) -> bool:
        """Whether a size depends on the batch."""
        return any(isinstance(size, Rows) for size in self.shape)


@dataclass(eq=False)
class Operation:
    """One operation.

    Attributes:
        kind: its name in JAX (`dot_general`).
        ins, outs: what it reads and makes.
        how: its parameters as JAX has them, sizes as `Size`.
        layer: the name of the layer that it belongs to; empty outside of layers.
        body: of a loop: what each turn does; it also reads values from around it.
    """

    kind: str
    ins: Sequence[Value]
    outs: Sequence[Value]
    how: dict[str, Any]
    layer: str = ""
    body: Program | None = None

    def reads(self) -> Iterator[Value]:
        """What must have been made before it."""
        yield from self.ins  # of a loop, too: all states go around
        if self.body is not None:
            made = self.body.made()
            yield from (v for v in self.body.reads() if v not in made)

    def writing(self, wanted: set[Value]) -> Operation:
        """A loop that writes no more than what is wanted; its states stay."""
        assert self.body is not None
        count = self.how["num_carry"]
        pairs = list(zip(self.outs, self.body.outputs, strict=True))
        kept = pairs[:count] + [pair for pair in pairs[count:] if pair[0] in wanted]
        body = Program(self.body.inputs, self.body.operations, [v for _, v in kept]).needed()
        return replace(self, outs=[v for v, _ in kept], body=body)

    def refused(self, expected: str, received: str) -> InvalidArgument:
        """The answer to what cannot be written in a format."""
        subject = f"export, layer {self.layer}" if self.layer else "export"
        cure = (
            'Export the model up to there, fw.Model(model.inputs, model["..."].output), '
            'or choose format="jax", which takes every layer.'
        )
        return InvalidArgument(subject, expected, received, cure)


@dataclass
class Program:
    """Operations in an order in which they can be computed."""

    inputs: list[Value] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)

    def reads(self) -> Iterator[Value]:
        for one in self.operations:
            yield from one.reads()
        yield from self.outputs

    def made(self) -> set[Value]:
        """The values that are its own: inputs, and results of its operations."""
        return {*self.inputs, *(value for one in self.operations for value in one.outs)}

    def needed(self) -> Program:
        """The same program without operations, and writings of loops, that no output needs."""
        wanted, kept = set(self.outputs), list[Operation]()
        for one in reversed(self.operations):
            if wanted.intersection(one.outs):
                used = one if one.body is None else one.writing(wanted)
                wanted.update(used.reads())
                kept.append(used)
        return Program(self.inputs, kept[::-1], self.outputs)


def known(values: Iterable[Value]) -> list[HostArray] | None:
    """The arrays of values that are all known; None if one is not."""
    found = [value.array for value in values]
    return None if any(array is None for array in found) else found  # type: ignore[return-value]
