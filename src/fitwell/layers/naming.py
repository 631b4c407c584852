"""What layers are called: names by class and position, and where in a graph a layer stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fitwell.errors import FitwellError, InvalidArgument

if TYPE_CHECKING:
    from fitwell.layers.base import Layer
    from fitwell.layers.symbols import Call, Symbol


def describe(layer: Layer) -> str:
    """`dense_1 (Dense)` for a named layer, `Dense` otherwise."""
    kind = type(layer).__name__
    return f"{layer.name} ({kind})" if layer.name else kind


def placed(call: Call) -> str:
    """A use of a layer by the names that its network would give: `dense_1 (Dense) after ...`."""
    calls = [*ordered(call.inputs), call]
    try:
        names = assign_names([each.layer for each in calls])
    except FitwellError:  # two layers of one name: an error for later
        return describe(call.layer)
    known = {
        id(each): f"{name} ({type(each.layer).__name__})"
        for each, name in zip(calls, names, strict=True)
    }
    before = dict.fromkeys(known[id(symbol.call)] for symbol in call.inputs)
    return known[id(call)] + (f" after {' and '.join(before)}" if before else "")


def ordered(outputs: Sequence[Symbol], first: Sequence[Call] = ()) -> list[Call]:
    """The calls that the outputs need, `first` in front, each behind all that it needs itself.

    No recursion, so that depth has no limit.
    """
    order = [*first]
    done = {id(call) for call in order}
    stack = [(symbol.call, False) for symbol in reversed(outputs)]
    while stack:
        call, ready = stack.pop()
        if id(call) in done:
            continue
        if ready or not call.inputs:
            done.add(id(call))
            order.append(call)
            continue
        stack.append((call, True))
        stack.extend((symbol.call, False) for symbol in reversed(call.inputs))
    return order


def assign_names(layers: Iterable[Layer]) -> list[str]:
    """`dense`, `dense_1`, ... by class and position; `name=` overrides; one instance, one name."""
    layers = list(layers)
    by_identity: dict[int, str] = {}
    taken: dict[str, int] = {}
    for layer in layers:
        if layer.name is None or id(layer) in by_identity:
            continue
        if not isinstance(layer.name, str) or "/" in layer.name or not layer.name:
            cure = "Use letters, digits and _."
            raise InvalidArgument(type(layer).__name__, "a name without /", repr(layer.name), cure)
        if layer.name in taken:
            raise InvalidArgument(
                "Model",
                "a different name for every layer",
                f"two layers called {layer.name!r}",
                "Rename one, or use the same instance twice to share its weights.",
            )
        taken[layer.name] = id(layer)
        by_identity[id(layer)] = layer.name
    counts: dict[str, int] = {}
    for layer in layers:
        if id(layer) in by_identity:
            continue
        kind = snake_case(type(layer).__name__.replace("InputLayer", "Input"))
        while True:
            n = counts.get(kind, 0)
            counts[kind] = n + 1
            name = f"{kind}_{n}" if n else kind
            if name not in taken:
                break
        taken[name] = id(layer)
        by_identity[id(layer)] = name
    return [by_identity[id(layer)] for layer in layers]


def by_position(layer: Layer, name: str) -> bool:
    """Whether a network gave the name; another one names the layer by its own positions."""
    return bool(re.fullmatch(rf"{snake_case(type(layer).__name__)}(_\d+)?", name))


def snake_case(name: str) -> str:
    """`Conv2DTranspose` -> `conv2d_transpose`, as Keras names layers."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


__all__ = ["assign_names", "describe", "ordered", "placed", "snake_case"]
