"""The nodes of an ONNX graph while it is built, and the names of the values in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fitwell.exporting.program import Rows, Size, Sizes, Value
from fitwell.types import HostArray

_WIDER = {"int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64",
          "uint64": "int64"}  # fmt: skip
"""Types that onnxruntime has few operations for, and what holds all their numbers."""


def onnx_dtype(dtype: Any) -> np.dtype[Any]:
    """The type that a value has in the file."""
    return np.dtype(_WIDER.get(str(dtype), dtype))


class Named(NamedTuple):
    """A name in the graph and the shape of what it stands for: axes of size 1 may not have been
    repeated yet."""

    name: str
    shape: Sizes


class Graph:
    """A graph, or one inside a loop, which also reads the values of the graph around it."""

    def __init__(self, around: Graph | None = None) -> None:
        self.around = around
        self.root: Graph = around.root if around else self
        self.nodes: list[Any] = []
        self.first: list[Any] = []  # before all others: the size of the batch
        self.initializers: list[Any] = []
        self.layer = ""
        self._named: dict[Value, Named] = {}
        self._full: dict[Value, str] = {}
        self._sources: dict[Value, Value] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._sizes: dict[Size, str] = {}
        self._taken: set[str] = around._taken if around else set()
        self.batch_of: str = around.batch_of if around else ""

    # Names

    def fresh(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        found, count = name, 1
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found

    def emit(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **how: Any) -> Any:
        """Adds a node; returns the name of its output, or a list of several."""
        from onnx import helper

        title = self.fresh(f"{self.layer}/{kind}" if self.layer else kind)
        names = [title] if outputs == 1 else [self.fresh(f"{title}/{i}") for i in range(outputs)]
        node = helper.make_node(kind, list(inputs), names, name=title, domain=domain, **how)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def constant(self, array: Any, name: str = "") -> str:
        """The name of an array that the file holds; equal arrays are held once."""
        from onnx import numpy_helper

        root, found = self.root, np.asarray(array)
        own = tuple(found.ravel()) if found.dtype == object else found.tobytes()
        key = found.dtype.str, found.shape, own
        if key not in root._constants:
            root._constants[key] = title = self.fresh(name or "constant")
            root.initializers.append(numpy_helper.from_array(found, title))
        return root._constants[key]

    def integers(self, numbers: Sequence[int]) -> str:
        return self.constant(np.array(numbers, np.int64))

    # Values

    def name(self, value: Value, name: str, shape: Sizes | None = None) -> None:
        """Says what a value is called; with a shape, where axes have yet to be repeated."""
        self._named[value] = Named(name, value.shape if shape is None else shape)

    def small(self, value: Value) -> Named:
        """A value as elementwise operations may read it: repeated axes once."""
        if value.array is not None:
            array = _unrepeated(value.array).astype(onnx_dtype(value.dtype))
            return Named(self.constant(array, value.name), array.shape)
        graph: Graph | None = self
        while graph is not None:
            if value in graph._sources and value not in graph._named:
                graph.name(value, graph.reshape(graph.read(graph._sources[value]), value.shape))
            if value in graph._named:
                return graph._named[value]
            graph = graph.around
        raise KeyError(value)  # a fault of ours: an operation before its operands

    def read(self, value: Value) -> str:
        """The name of a value in its full shape."""
        if value.array is not None:
            return self.constant(value.array.astype(onnx_dtype(value.dtype)), value.name)
        found = self.small(value)
        if found.shape == value.shape:
            return found.name
        if value not in self._full:
            self._full[value] = self.emit("Expand", found.name, self.sizes(value.shape))
        return self._full[value]

    # Rows: what is done to the rows of an array in one shape can be done in another

    def view(self, value: Value, source: Value) -> None:
        """Says that a value is the source with its rows arranged in another shape: it is reshaped
        only if something reads more than rows."""
        self._sources[value] = source

    def source(self, value: Value) -> Value | None:
        """What a value is another shape of; None if it is no view."""
        graph: Graph | None = self
        while graph is not None:
            if value in graph._sources:
                return graph._sources[value]
            graph = graph.around
        return None

    # Sizes

    def sizes(self, shape: Sizes) -> str:
        """A shape as a vector of whole numbers."""
        if not any(isinstance(size, Rows) for size in shape):
            return self.integers(shape)  # type: ignore[arg-type]
        parts = [self.size(size) for size in shape]
        return parts[0] if len(parts) == 1 else self.emit("Concat", *parts, axis=0)

    def size(self, size: Size) -> str:
        """A size as a vector of one whole number."""
        if isinstance(size, int):
            return self.integers([size])
        root = self.root
        if size not in root._sizes:
            nodes, root.nodes, layer, root.layer = root.nodes, root.first, root.layer, ""
            root._sizes[size] = root._size(size)
            root.nodes, root.layer = nodes, layer
        return root._sizes[size]

    def _size(self, size: Rows) -> str:
        if size == Rows(1):
            return self.emit("Shape", self.batch_of, start=0, end=1)
        found = self.size(Rows(1))
        if size.factor != 1:
            found = self.emit("Mul", found, self.integers([size.factor]))
        return self.emit("Add", found, self.integers([size.more])) if size.more else found

    def reshape(self, name: str, shape: Sizes) -> str:
        """A tensor in another shape."""
        growing = sum(isinstance(size, Rows) for size in shape)
        if growing > 1 or 0 in shape:
            return self.emit("Reshape", name, self.sizes(shape))
        given = [-1 if isinstance(size, Rows) else size for size in shape]
        return self.emit("Reshape", name, self.integers(given))

    def transpose(self, name: str, order: Sequence[int]) -> str:
        """A tensor with its axes in another order."""
        if list(order) == sorted(order):
            return name
        return self.emit("Transpose", name, perm=list(order))


def joint(shapes: Sequence[Sizes]) -> Sizes:
    """The shape of an elementwise operation on tensors of these shapes."""
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(shape)) + shape for shape in shapes]
    return tuple(next((s for s in sizes if s != 1), 1) for sizes in zip(*padded, strict=True))


def _unrepeated(array: HostArray) -> HostArray:
    """The array with axes along which nothing changes cut to one entry."""
    for axis, size in enumerate(array.shape):
        one = np.take(array, [0], axis) if size > 1 else array
        if size > 1 and np.array_equal(np.broadcast_to(one, array.shape), array):
            array = one
    return array


__all__ = ["Graph", "Named", "joint", "onnx_dtype"]
