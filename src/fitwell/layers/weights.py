"""Which weight each regularizer and constraint of a layer acts on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from fitwell import constraints, regularizers
from fitwell.layers.base import Layer
from fitwell.types import Params


def weight_fields(layer: Layer, params: Params, suffix: str) -> Iterator[tuple[Params, str, Any]]:
    """The dict of weights, the weight's name and the object of every field that is set.

    Goes through the layer and those inside it. A field called `recurrent_regularizer` acts on
    `recurrent` or else on `recurrent_kernel`.
    """
    get = {"_regularizer": regularizers.get, "_constraint": constraints.get}[suffix]
    for field in dataclasses.fields(layer):
        weight = field.name.removesuffix(suffix)
        if weight in (field.name, "activity"):
            continue
        found = get(getattr(layer, field.name))
        if found is not None:
            for group in _groups(params, weight):
                yield group, weight if weight in group else f"{weight}_kernel", found
    for name, inside in layer.inner().items():
        yield from weight_fields(inside, params.get(name, {}), suffix)


def _groups(params: Params, weight: str) -> list[Params]:
    """The dicts that hold a weight: a layer's own, or those of its parts (a head's query, ...)."""
    if weight in params or f"{weight}_kernel" in params:
        return [params]
    return [each for each in params.values() if isinstance(each, dict) and weight in each]


__all__ = ["weight_fields"]
