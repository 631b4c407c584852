"""What a network consists of: shapes, weights, arithmetic and memory of each layer."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from fitwell import activations, tree
from fitwell.layers.base import InputLayer, Layer
from fitwell.network import Network, Node, Output
from fitwell.randomness import abstract_key


@dataclass(frozen=True)
class Row:
    """One layer's numbers.

    Attributes:
        flops: operations of the forward pass for one example, from the compiler's own count.
        kind: its class and its activation.
        activation_bytes: memory of the layer's output for one example.
    """

    index: int
    name: str
    kind: str
    output_shape: str
    weights: int
    learns: bool
    flops: int
    activation_bytes: int
    initializer: str


def rows(network: Network) -> list[Row]:
    """A row per layer; the inputs are layer 0, as in the textbooks."""
    params, state = network.weight_shapes
    found = []
    counted: set[str] = set()
    index = 0
    for node in network.nodes:
        is_input = isinstance(node.layer, InputLayer)
        index += not is_input
        inputs = [network.nodes[i].out[k or 0] for i, k in node.inputs]
        own = {**params.get(node.name, {}), **state.get(node.name, {})}
        shared = node.name in counted
        counted.add(node.name)
        found.append(
            Row(
                index=0 if is_input else index,
                name=node.name + (" (shared)" if shared else ""),
                kind=kind_of(node.layer),
                output_shape=", ".join(str((None, *shape)) for shape, _ in node.out),
                weights=0 if shared else tree.size(own),
                learns=node.layer.trainable,
                flops=0
                if is_input
                else flops(
                    node, inputs, network.weights_for(node, params), state.get(node.name, {})
                ),
                activation_bytes=sum(
                    math.prod(shape) * jnp.dtype(dtype).itemsize for shape, dtype in node.out
                ),
                initializer=", ".join(node.layer.initializer_names().values()),
            )
        )
    return found


def kind_of(layer: Layer) -> str:
    """The layer's class and, unless it is linear, its activation: `"Dense, relu"`."""
    if isinstance(layer, InputLayer):
        return "Input"
    kind, activation = type(layer).__name__, getattr(layer, "activation", None)
    if isinstance(activation, Layer):
        return f"{kind}, {type(activation).__name__}"
    name = activations.name_of(activation) or getattr(activation, "__name__", None)
    return kind if name in (None, "linear") else f"{kind}, {name}"


def flops(node: Node, inputs: list[Output], params: Any, state: Any) -> int:
    """Operations of a layer for one example: XLA's count of the program before optimization."""
    xs = [jax.ShapeDtypeStruct((1, *s), dtype) for s, dtype in inputs]

    def run(params: Any, state: Any, key: Any, xs: list[Any]) -> Any:
        x = xs if node.many else xs[0]
        return node.layer.forward(params, state, x, key=key, train=False)[0]

    analysis = jax.jit(run).lower(params, state, abstract_key(), xs).cost_analysis() or {}
    return int(analysis.get("flops", 0)) if isinstance(analysis, dict) else 0


def summary(name: str, network: Network, seed: int) -> str:
    """The table as text."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "layer", "kind", "output shape"):
        table.add_column(title, no_wrap=True)
    for title in ("weights", "FLOPs", "output memory"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("initializer", no_wrap=True)
    found = rows(network)
    for row in found:
        weights = f"{row.weights:,}" + ("" if row.learns or not row.weights else " frozen")
        table.add_row(
            str(row.index),
            row.name,
            row.kind,
            row.output_shape,
            weights,
            f"{row.flops:,}",
            size_text(row.activation_bytes),
            row.initializer,
        )
    params, state = network.weight_shapes
    learn, kept = network.split_trainable(params)
    total = tree.size(params) + tree.size(state)
    console = Console(width=120, file=(text := io.StringIO()), color_system=None)
    console.print(f'Model "{name}" (seed {seed})', highlight=False)
    console.print(table)
    console.print(
        f"{total:,} weights ({size_text(4 * total)}): {tree.size(learn):,} trainable, "
        f"{tree.size(kept) + tree.size(state):,} not. Forward pass: "
        f"{sum(r.flops for r in found):,} FLOPs and "
        f"{size_text(sum(r.activation_bytes for r in found))} of activations per example.",
        highlight=False,
    )
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def size_text(count: int) -> str:
    """Bytes as people read them.

    >>> size_text(512), size_text(2048), size_text(3 * 2**20)
    ('512 B', '2.0 KiB', '3.0 MiB')
    """
    if count < 1024:
        return f"{count} B"
    value = float(count)
    units = ["KiB", "MiB", "GiB", "TiB"]
    while (value := value / 1024) >= 1024 and len(units) > 1:
        units.pop(0)
    return f"{value:.1f} {units[0]}"
