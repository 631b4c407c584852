"""Models of tables for export: an input per column, in the units of the table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp

from fitwell.data.encoding import FittedColumn, TableEncoder
from fitwell.data.features import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    NumberColumn,
    PresenceColumn,
)
from fitwell.data.labels import Target
from fitwell.data.target_encoding import TargetEncodedColumn
from fitwell.data.wording import TextColumn
from fitwell.errors import InvalidArgument
from fitwell.exporting.package import Feed, Lookup, Package, Port, Terms, packed
from fitwell.network import Network
from fitwell.training import TrainState
from fitwell.types import Array, Shape

_FAR = 1e6
"""Where the smooth clip of a number no longer changes in float32."""

Features: TypeAlias = Callable[..., Array]
"""What a column is read as, each (rows,) or (rows, terms) -> (rows, features)."""


class _Net(Protocol):
    name: str

    @property
    def network(self) -> Network: ...
    @property
    def train_state(self) -> TrainState: ...


@runtime_checkable
class Table(Protocol):
    """What is needed of a model of a table; one of several targets also has `models`, one each."""

    @property
    def network(self) -> _Net: ...
    @property
    def encoder(self) -> TableEncoder: ...


def packed_table(table: Table) -> Package:
    """Columns -> the prediction in the unit of the target; or the class, and all probabilities.

    Raises:
        InvalidArgument: a column of a kind that is not known here.
    """
    net = table.network
    heads: tuple[Any, ...] = getattr(table, "models", (table,))
    raw_names = [f"raw {i}" for i, _ in enumerate(heads)]
    inner = packed(net.name, net.network, net.train_state, ["features"], raw_names)
    ports, feeds, makers = _inputs(table.encoder)
    decodings = [_decoding(one.target, getattr(one, "temperature", 1.0)) for one in heads]

    def function(weights: Any, *columns: Any) -> list[Any]:
        read: list[list[Any]] = [[] for _ in ports]
        for feed, x in zip(feeds, columns, strict=True):
            read[feed.port].append(x)
        features = [make(*found) for make, found in zip(makers, read, strict=True)]
        raw = inner.function(weights, jnp.concatenate(features, axis=1))
        return [y for decode, one in zip(decodings, raw, strict=True) for y in decode(one)]

    outputs = [port for one in heads for port in _outputs(one.target, len(heads) > 1)]
    examples = [_example(feed) for feed in feeds]
    return Package(net.name, ports, outputs, feeds, function, inner.weights, examples, inner.scopes)


def _outputs(target: Target, several: bool) -> list[Port]:
    if target.task == "regression":
        return [Port(target.name, (), "float32")]
    shares = f"{target.name} probabilities" if several else "probabilities"
    return [Port(target.name, (), "int32", target.classes),
            Port(shares, (len(target.classes),), "float32")]  # fmt: skip


def _inputs(encoder: TableEncoder) -> tuple[list[Port], list[Feed], list[Features]]:
    """The inputs; what is read of them; and the features of what was read, input by input."""
    ports: list[Port] = []
    feeds: list[Feed] = []
    makers: list[Features] = []
    for column in encoder.columns:
        parts = column.parts if isinstance(column, DateColumn) else [column]
        for part in parts:
            found, features = _read(part, len(ports))
            ports.append(Port(part.name, (), "float64" if found[0].scaling else "string"))
            feeds += found
            makers.append(features)
    return ports, feeds, makers


def _example(feed: Feed) -> tuple[Shape, str]:
    """Shape and dtype of one example of what is read."""
    if feed.terms is not None:
        return (len(feed.terms.terms),), "float32"
    return (), "float32" if feed.lookup is None else "int32"


def _read(column: FittedColumn, port: int) -> tuple[list[Feed], Features]:
    if isinstance(column, NumberColumn):
        feed = Feed(port, scaling=(column.center, column.scale))
        return [feed], lambda z: _with_missing(z, _smoothly_clipped(z), column.missing)
    if isinstance(column, BooleanColumn):
        feed = Feed(port, scaling=(0.5, 2.0))  # 0 and 1 become -1 and 1
        return [feed], lambda z: _with_missing(z, z, column.missing)
    if isinstance(column, CategoryColumn | TargetEncodedColumn):
        terms = tuple("" if value is None else value for value in column.values)
        lookup = Lookup(terms, tuple(range(len(terms))), len(terms))
        if isinstance(column, TargetEncodedColumn):
            table = jnp.asarray(column.matrix)
            return [Feed(port, lookup)], lambda ids: table.at[ids].get(mode="clip")
        return [Feed(port, lookup)], lambda ids: _indicated(column, ids)
    there = Feed(port, Lookup(("",), (0,), 1))
    if isinstance(column, PresenceColumn):
        return [there], lambda ids: 2.0 * ids[:, None] - 1.0
    if isinstance(column, TextColumn):
        counts = Feed(port, terms=Terms(column.terms, column.unit))
        text = functools.partial(_meaning, column)
        return [counts, there] if column.missing else [counts], text
    raise InvalidArgument(
        f"export, column {column.name} ({type(column).__name__})",
        "columns of numbers, truth values, categories, dates and text",
        type(column).__name__,
        "Train without it, or call predict of the model itself.",
    )


def _meaning(column: TextColumn, counts: Array, *there: Array) -> Array:
    """Latent semantic analysis, as `TextColumn.encode`."""
    weights = jnp.where(counts > 0, 1.0 + jnp.log(jnp.maximum(counts, 1.0)), 0.0)
    weights = weights * jnp.asarray(column.idf, jnp.float32)
    length = jnp.sqrt(jnp.square(weights).sum(axis=1, keepdims=True))
    z = (weights / jnp.where(length > 0, length, 1.0)) @ column.matrix
    known = (z != 0).any(axis=1, keepdims=True)
    features = _smoothly_clipped(jnp.where(known, z - jnp.asarray(column.center), 0.0))
    absent = [1.0 - ids[:, None] for ids in there]
    return jnp.concatenate([features, *absent], axis=1)


def _smoothly_clipped(z: Array) -> Array:
    z = jnp.clip(z, -_FAR, _FAR)
    return z / jnp.sqrt(1.0 + jnp.square(z / 3.0))


def _with_missing(z: Array, feature: Array, missing: bool) -> Array:
    """The feature, 0 where there is no number; and a second one that says where."""
    absent = jnp.isnan(z)
    feature = jnp.where(absent, 0.0, feature)
    both = [feature, absent.astype(jnp.float32)] if missing else [feature]
    return jnp.stack(both, axis=1)


def _indicated(column: CategoryColumn, ids: Array) -> Array:
    hot: Array = jax.nn.one_hot(ids, len(column.values) + column.other)
    return hot[:, 1:] - hot[:, :1] if column.two else hot


def _decoding(target: Target, temperature: float) -> Callable[[Array], list[Array]]:
    """From what the network says to what the outputs are."""
    if target.task == "regression":
        return lambda raw: [jnp.clip(raw[:, 0] * target.sd + target.mean, target.low, target.high)]

    def classes(raw: Array) -> list[Array]:
        both = jnp.concatenate([1 - raw, raw], axis=1) if target.task == "binary" else raw
        powers = both if temperature == 1.0 else both ** (1.0 / temperature)
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        return [jnp.argmax(probabilities, axis=1).astype(jnp.int32), probabilities]

    return classes
