"""What a network consists of: shapes, weights, arithmetic and memory of each layer."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from fitwell import activations, notebook, tree
from fitwell.arithmetic import operations
from fitwell.families import OTHERS, family_of
from fitwell.layers.base import Layer
from fitwell.layers.inputs import InputLayer
from fitwell.layers.nodes import fed_output
from fitwell.network import Network, Node, Output
from fitwell.randomness import abstract_key
from fitwell.types import HOST_DTYPES

_WORTH_NAMING = 0.0005  # a smaller share of "others" would be printed as <0.1 %


@dataclass(frozen=True)
class Row:
    """One layer's numbers.

    Attributes:
        flops: operations of the forward pass for one example.
        kind: its class and its activation.
        family: what its arithmetic is (see `families.py`).
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
    family: str


def rows(network: Network) -> list[Row]:
    """A row per layer; the inputs are layer 0, as in the textbooks."""
    params, state = network.weight_shapes
    found = []
    counted: set[str] = set()
    index = 0
    for place, node in enumerate(network.nodes):
        is_input = isinstance(node.layer, InputLayer)
        index += not is_input
        inputs = [network.nodes[i].out[k or 0] for i, k in node.inputs]
        inputs = [fed_output(network.nodes, place)] if node.layer.on_host else inputs
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
                    math.prod(shape) * jnp.dtype(dtype).itemsize
                    for shape, dtype in node.out
                    if dtype not in HOST_DTYPES
                ),
                initializer=", ".join(node.layer.initializer_names().values()),
                family=family_of(node.layer),
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
    """Operations of a layer for one example, in inference (see `arithmetic.operations`)."""
    xs = [jax.ShapeDtypeStruct((1, *s), dtype) for s, dtype in inputs]

    def run(params: Any, state: Any, key: Any, xs: list[Any]) -> Any:
        x = xs if node.many else xs[0]
        return node.layer.forward(params, state, x, key=key, train=False)[0]

    return operations(jax.make_jaxpr(run)(params, state, abstract_key(), xs))


def shares(found: list[Row]) -> dict[str, tuple[float, float]]:
    """Each family's share of the weights and of the FLOPs: the most arithmetic first, others last.

    "others" are layers of no family: pooling, sums, activations, a user's own.
    """
    weights = sum(row.weights for row in found) or 1
    arithmetic = sum(row.flops for row in found) or 1
    each: dict[str, tuple[float, float]] = {}
    for row in found:
        held, done = each.get(row.family, (0.0, 0.0))
        each[row.family] = (held + row.weights / weights, done + row.flops / arithmetic)
    return dict(sorted(each.items(), key=lambda item: (item[0] == OTHERS, -item[1][1])))


def summary(name: str, network: Network, seed: int) -> str:
    """The table as text."""
    found = rows(network)
    lines = [f'Model "{name}" (seed {seed})', *_table(found), *_closing(found, network)]
    return "\n".join(lines)


def _closing(found: list[Row], network: Network) -> list[str]:
    """What stands below the table."""
    params, state = network.weight_shapes
    learn, kept = network.split_trainable(params)
    total = tree.size(params) + tree.size(state)
    lines = [
        f"{total:,} weights ({size_text(4 * total)}): {tree.size(learn):,} trainable, "
        f"{tree.size(kept) + tree.size(state):,} not.",
        f"Forward pass: {sum(r.flops for r in found):,} FLOPs and "
        f"{size_text(sum(r.activation_bytes for r in found))} of activations per example.",
        _share_line(found),
    ]
    return [line for line in lines if line]


def summary_html(model: Any) -> str:
    """The table as a notebook shows it: the `_repr_html_` of models."""
    if not model.built:
        return notebook.paragraph(repr(model))
    network: Network = model.network
    found = rows(network)
    text = notebook.text
    cells = [
        (
            text(row.index),
            notebook.code(row.name),
            text(row.kind),
            text(row.output_shape),
            text(f"{row.weights:,}" + ("" if row.learns or not row.weights else " frozen")),
            text(count_text(row.flops)),
            text(size_text(row.activation_bytes)),
            text(row.initializer),
        )
        for row in found
    ]
    title = notebook.paragraph(f'Model "{model.name}" (seed {model.seed})')
    closing = notebook.paragraph("\n".join(_closing(found, network)))
    return title + notebook.table(_HEADER, cells) + closing


_HEADER = ("", "layer", "kind", "output shape", "weights", "FLOPs", "memory", "initializer")


def _table(found: list[Row]) -> list[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for title in ("", "layer", "kind", "output shape"):
        table.add_column(title, no_wrap=True)
    for title in ("weights", "share", "FLOPs", "share", "memory"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("initializer", no_wrap=True)
    weights, arithmetic = (sum(getattr(r, n) for r in found) for n in ("weights", "flops"))
    for row in found:
        table.add_row(
            str(row.index),
            row.name,
            row.kind,
            row.output_shape,
            f"{row.weights:,}" + ("" if row.learns or not row.weights else " frozen"),
            percent(row.weights / weights) if row.weights else "",
            count_text(row.flops),
            percent(row.flops / arithmetic) if row.flops else "",
            size_text(row.activation_bytes),
            row.initializer,
        )
    # As wide as it needs: numbers that are cut off would be wrong numbers.
    console = Console(width=10_000, file=(text := io.StringIO()), color_system=None)
    console.print(table)
    return [line.rstrip() for line in text.getvalue().splitlines() if line.strip()]


def _share_line(found: list[Row]) -> str:
    """`Convolutions: 9 % of the weights, 99 % of the arithmetic; dense: ...`; "" for one family."""
    of_weights, of_flops = " of the weights", " of the arithmetic"
    parts = []
    known = {row.family for row in found} - {"inputs", OTHERS}
    for family, (weights, arithmetic) in shares(found).items():
        if family in known or max(weights, arithmetic) >= _WORTH_NAMING:
            parts.append(
                f"{family}: {percent(weights)}{of_weights}, {percent(arithmetic)}{of_flops}"
            )
            of_weights = of_flops = ""
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if len(known) > 1 else ""


def percent(share: float) -> str:
    """A share of 1 as people read it.

    >>> [percent(share) for share in (0.0, 0.0004, 0.0123, 0.4567, 1.0)]
    ['0 %', '<0.1 %', '1.2 %', '46 %', '100 %']
    """
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def count_text(count: int) -> str:
    """A number of operations as people read it.

    >>> [count_text(count) for count in (0, 9999, 12345, 999_960, 8_228_243_119)]
    ['0', '9,999', '12.3 k', '1.0 M', '8.2 G']
    """
    if count < 10_000:
        return f"{count:,}"
    value, units = float(count), ["k", "M", "G", "T"]
    while (value := value / 1000) >= 999.95 and len(units) > 1:
        units.pop(0)
    return f"{value:,.1f} {units[0]}"


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
