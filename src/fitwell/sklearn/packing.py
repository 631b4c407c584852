"""Models inside a pickle: the bytes of their safetensors file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitwell.catalog import catalog
from fitwell.description import Description
from fitwell.layers.base import Layer
from fitwell.loading import load
from fitwell.model import Model
from fitwell.sklearn.building import fresh
from fitwell.views import LayerView


@dataclass(frozen=True)
class Packed:
    """A model as a file's bytes, with what it needs that is not fitwell's: by reference."""

    content: bytes
    custom: tuple[Any, ...]


@dataclass(frozen=True)
class PackedLayer:
    """A layer of another model (`*model.layers[:-1]`), whose weights come along."""

    model: Packed
    name: str


def pack(value: Any) -> Any:
    """A model as Packed; layers without the model that owns their weights; all else as it is.

    Raises:
        InvalidArgument: a model that cannot be saved (a Lambda layer).
    """
    if isinstance(value, list | tuple):
        return type(value)(fresh(v) if isinstance(v, Layer) else pack(v) for v in value)
    if isinstance(value, LayerView):
        return PackedLayer(pack(value._owner), value.name)
    if not isinstance(value, Model) or not value.built:
        return value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        value.save(path, include_optimizer=True)
        content = path.read_bytes()
    compiled = () if value.optimizer is None else _parts(value)
    described = (tuple(value.network.layers.values()), *compiled)
    custom = {id(each): each for each in _custom(described)}
    return Packed(content, tuple(custom.values()))


def unpack(value: Any) -> Any:
    """The inverse of `pack`."""
    if isinstance(value, list | tuple):
        return type(value)(map(unpack, value))
    if isinstance(value, PackedLayer):
        return unpack(value.model)[value.name]
    if not isinstance(value, Packed):
        return value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(value.content)
        return load(path, custom_objects=list(value.custom))


def _parts(model: Model) -> tuple[Any, ...]:
    told = model.compiled()
    return model.optimizer, told.losses, told.metrics, told.weighted_metrics, told.augment


def _custom(value: Any) -> Iterator[Any]:
    """Classes and functions of the user in a description."""
    if isinstance(value, Description):
        if type(value) not in catalog().names:
            yield type(value)
        for each in vars(value).values():
            yield from _custom(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _custom(each)
    elif callable(value) and value not in catalog().names:
        yield value
