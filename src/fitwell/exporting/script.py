"""A program as a Python file that needs numpy alone."""

from __future__ import annotations

import base64
import builtins
import functools
import inspect
import io
import keyword
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from fitwell.exporting import numerics, reading
from fitwell.exporting.folding import Float, call
from fitwell.exporting.package import Feed, Package, Port
from fitwell.exporting.program import Operation, Program, Value

_HEAD = '''\
"""{title}

    python {file} {arguments}result.npy

or `from predict import predict`: predict({names}) -> {result}.
Each array has one example per row. {shapes}
Written by fitwell; needs numpy alone.
"""

import base64
import builtins
import io
import math
import re
import sys
from typing import Any

import numpy as np
'''
_TAIL = """

USAGE = {usage!r}

if __name__ == "__main__":
    if len(sys.argv) != {count} or not all(name.endswith(".npy") for name in sys.argv[1:-1]):
        sys.exit(USAGE)
    *given, target = sys.argv[1:]
    found = predict(*(np.load(name) for name in given))
    np.save(target, found) if isinstance(found, np.ndarray) else np.savez(target, *found)
"""

_OWN = {"batch", "np", "turn", "WEIGHTS", "NAMES", "ARCHIVE"}
"""Names of the file itself."""


def script(package: Package, file: str = "predict.py") -> str:
    """The text of the file: functions, weights, and `predict`."""
    program = package.program
    names = _identifiers(package.inputs)
    writer = _Writer(names)
    for port, name in zip(package.inputs, names, strict=True):
        dtype = "object" if port.dtype == "string" else port.dtype
        writer.line(f"{name} = checked({name!r}, {name}, {dtype!r}, {port.shape})")
    writer.line(f"batch = len({names[0]})")
    for value, feed in zip(program.inputs, package.feeds, strict=True):
        writer.feed(value, names[feed.port], feed)
    writer.program(program)
    outputs = [
        f"np.array({port.labels!r})[{writer.read(value)}]" if port.labels else writer.read(value)
        for value, port in zip(program.outputs, package.outputs, strict=True)
    ]
    results = ", ".join(outputs)
    writer.line(f"return {results}" if len(outputs) == 1 else f"return [{results}]")
    arrays = "".join(f"{name}.npy " for name in names)
    head = _HEAD.format(
        title=f"Predictions of {_harmless(package.name)}.",
        file=_harmless(file),
        arguments=arrays,
        names=", ".join(names),
        result=" and ".join(_harmless(port.name) for port in package.outputs),
        shapes=_shapes(package.inputs, names),
    )
    arguments = ", ".join(f"{name}: Any" for name in names)
    body = [
        f'\n\n@np.errstate(all="ignore")\ndef predict({arguments}) -> Any:',
        *(f"    {line}" for line in writer.lines),
    ]
    functions = "".join(f"\n\n{text}" for text in _sources(writer.functions))
    usage = f"usage: python {_harmless(file)} {arrays}result.npy"
    usage += "  (arrays with one example per row, as numpy.save writes them)"
    tail = _TAIL.format(usage=usage, count=len(names) + 2)
    parts = [head, functions, writer.weights(), "\n".join(body), "\n", tail]
    return "".join(parts)


def _shapes(inputs: Sequence[Port], names: Sequence[str]) -> str:
    parts = [
        f"{name}: ({', '.join(['batch', *map(str, port.shape)])}) of {port.dtype}"
        for name, port in zip(names, inputs, strict=True)
    ]
    return "; ".join(parts) + "."


def _harmless(name: str) -> str:
    """A name for a comment: it may come from a file of others, and must not end the comment."""
    return re.sub(r"[^\w .:=()-]", "_", name)


def _identifiers(inputs: Sequence[Port]) -> list[str]:
    """The names of the arguments: those of the inputs, where they mean nothing else in Python."""
    taken = {*_OWN, *vars(builtins), *vars(reading), *vars(numerics)} - {"input"}
    found: list[str] = []
    for place, port in enumerate(inputs):
        name = re.sub(r"\W", "_", port.name)
        good = name.isidentifier() and not keyword.iskeyword(name)
        found.append(free(name if good and name not in taken else f"input_{place}", taken))
        taken.add(found[-1])
    return found


def free(name: str, taken: Collection[str]) -> str:
    """The name, with as many lines below as it takes to be none of these.

    >>> free("x", ["x", "x_"])
    'x__'
    """
    while name in taken:
        name += "_"
    return name


def together(parts: Sequence[str]) -> str:
    """A tuple, as Python writes it."""
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


@functools.cache
def _texts() -> dict[str, str]:
    """The functions that a file may hold."""
    return {
        name: inspect.getsource(function)
        for name, function in (vars(reading) | vars(numerics)).items()
        if inspect.isfunction(function)
    }


def _sources(wanted: set[str]) -> Iterator[str]:
    """The functions of `numerics` that are called, and those that they call, in its order."""
    texts = _texts()
    missing = list(wanted)
    while missing:
        used = {name for name in re.findall(r"\w+", texts[missing.pop()]) if name in texts}
        missing += used - wanted
        wanted = wanted | used
    return (text for name, text in texts.items() if name in wanted)


class _Writer:
    """The lines of `predict`, and what they need."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = frozenset(taken)
        self.lines: list[str] = []
        self.names: dict[Value, str] = {}
        self.functions = {"checked"}
        self.arrays: dict[str, Any] = {}
        self.indent = ""

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def new(self, value: Value, layer: str) -> str:
        title = f"{re.sub(r'[^0-9a-zA-Z_]', '_', layer) or 'value'}_{len(self.names)}"
        self.names[value] = free(f"own_{title}" if title[0].isdigit() else title, self.taken)
        return self.names[value]

    def feed(self, value: Value, name: str, feed: Feed) -> None:
        """What is made of an input before the program gets it."""
        if feed.plain:
            self.names[value] = name
            return
        function, given = "scaled", tuple[Any, ...](feed.scaling or ())
        if feed.lookup is not None:
            function = "look_up"
            given = feed.lookup.terms, feed.lookup.ids, feed.lookup.unknown
        elif feed.terms is not None:
            function, given = "count_terms", (feed.terms.terms, feed.terms.unit)
        self.functions.add(function)
        title = self.new(value, f"{name}_{function}")
        self.line(f"{title} = {function}({name}, {', '.join(map(repr, given))})")

    def read(self, value: Value) -> str:
        """A value as an expression."""
        if value.array is None:
            return self.names[value]
        if not value.shape:
            number = value.array.item()
            number = Float(number) if isinstance(number, float) else number
            return f"np.{value.dtype.name.replace('bool', 'bool_')}({number!r})"
        if value not in self.names:
            title, count = value.name or "constant", 1
            while title in self.arrays:
                count += 1
                title = f"{value.name or 'constant'}_{count}"
            self.arrays[title] = value.array
            self.names[value] = f"WEIGHTS[{title!r}]"
        return self.names[value]

    def written(self, argument: Any) -> str:
        """An argument of a call: values by name, everything else as Python writes it."""
        if isinstance(argument, Value):
            return self.read(argument)
        if isinstance(argument, list):
            return f"[{', '.join(map(self.written, argument))}]"
        if isinstance(argument, tuple):
            return together(list(map(self.written, argument)))
        return repr(argument.item() if isinstance(argument, np.generic) else argument)

    def program(self, program: Program) -> None:
        for one in program.operations:
            if one.body is None:
                self.operation(one)
            else:
                self.loop(one, one.body)

    def operation(self, one: Operation) -> None:
        if one.kind == "size":
            self.line(f"{self.new(one.outs[0], one.layer)} = "
                      f"np.{one.outs[0].dtype}({one.how['size']!r})")  # fmt: skip
            return
        found = call(one)
        if found is None:
            raise one.refused("operations that numpy has", one.kind)
        if not found.function.startswith("np."):
            self.functions.add(found.function)
        parts = [self.written(argument) for argument in found.arguments]
        parts += [f"{key}={self.written(value)}" for key, value in found.options.items()]
        names = [self.new(value, one.layer) for value in one.outs]
        results = together(names) if found.several else names[0]
        self.line(f"{results} = {found.function}({', '.join(parts)})")

    def loop(self, one: Operation, body: Program) -> None:
        """A scan: states go around, slices of arrays go in, what turns write is stacked."""
        count, length = one.how["num_carry"], one.how["length"]
        arrays = [self.read(value) for value in one.ins[count:]]
        states = [self.new(value, one.layer) for value in body.inputs[:count]]
        slices = [self.new(value, one.layer) for value in body.inputs[count:]]
        turns = free(f"turns_{len(self.names)}", self.taken)
        self.line(f"{turns} = []")
        for name, value in zip(states, one.ins[:count], strict=True):
            self.line(f"{name} = {self.read(value)}")
        order = f"range({length})"
        self.line(f"for turn in {f'reversed({order})' if one.how['reverse'] else order}:")
        self.indent += "    "
        for name, array in zip(slices, arrays, strict=True):
            self.line(f"{name} = {array}[turn]")
        self.program(body)
        results = [self.read(value) for value in body.outputs]
        self.line(f"{turns}.append({together(results[count:])})")
        if states:
            self.line(f"{', '.join(states)} = {', '.join(results[:count])}")
        self.indent = self.indent[4:]
        back = "[::-1]" if one.how["reverse"] else ""
        for value, name in zip(one.outs[:count], states, strict=True):
            self.names[value] = name
        for i, value in enumerate(one.outs[count:]):
            made = f"np.stack([turn[{i}] for turn in {turns}{back}])"
            self.line(f"{self.new(value, one.layer)} = {made}")

    def weights(self) -> str:
        """The arrays as text: a numpy archive in base64."""
        if not self.arrays:
            return ""
        # By number: names of layers may hold what a file name in an archive may not.
        buffer = io.BytesIO()
        np.savez_compressed(buffer, *self.arrays.values())
        text = base64.encodebytes(buffer.getvalue()).decode()
        return (
            f"\n\nNAMES = {list(self.arrays)!r}\n"
            f'ARCHIVE = np.load(io.BytesIO(base64.b64decode("""\n{text}""")))\n'
            'WEIGHTS = {name: ARCHIVE[f"arr_{i}"] for i, name in enumerate(NAMES)}\n'
        )
