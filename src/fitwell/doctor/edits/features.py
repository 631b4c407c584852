"""Inputs read in another way: ids as names, numbers by the bin they are in."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fitwell.doctor.record import Features
from fitwell.doctor.rewriting import Edit, rewritten
from fitwell.doctor.setup import Facts, Setup
from fitwell.layers.embedding import Embedding
from fitwell.layers.nodes import readers
from fitwell.layers.piecewise import PiecewiseLinearEmbedding
from fitwell.layers.preprocessing import Normalization
from fitwell.layers.reshaping import Flatten
from fitwell.layers.spatial.overall import GlobalAveragePooling1D

_DIMENSION = 16  # of the vector of an id
_MANY_IDS = 50_000
_SENTENCE = 16  # ids of a row: of more, their order is left out
_UNITS, _BINS, _ROWS_OF_A_BIN = 8, 128, 10
_COLUMNS = 64


def embedded(setup: Setup, facts: Facts) -> Setup | None:
    """A learned vector for each id, where an input is rows of ids."""
    edits: dict[str, Edit] = {}
    for one in facts.record.inputs:
        count = int(np.nanmax(one.high, initial=0)) + 1
        if one.listed and not one.normalized and len(one.shape) == 1 and count <= _MANY_IDS:
            join: Any = Flatten() if one.shape[0] <= _SENTENCE else GlobalAveragePooling1D()
            edits[one.name] = [Embedding(count, _DIMENSION), join]
    return _replaced(setup, edits)


def binned(setup: Setup, facts: Facts) -> Setup | None:
    """Piecewise linear functions of every feature, with bins at quantiles: they bend anywhere."""
    bins = int(np.clip(facts.rows // _ROWS_OF_A_BIN, 4, _BINS))
    edits: dict[str, Edit] = {}
    for one in facts.record.inputs:
        layer = PiecewiseLinearEmbedding(_UNITS, bins)
        if _is_table(one) and one.name in setup.network.input_names:
            edits |= _in_front(setup, one.name, layer)
    return _replaced(setup, edits)


def named(setup: Setup, facts: Facts) -> Setup | None:
    """The same, where whole numbers are known to be names."""
    return binned(setup, facts) if facts.named else None


def _is_table(one: Features) -> bool:
    return len(one.shape) == 1 and one.shape[0] <= _COLUMNS and not one.missing and not one.listed


def _in_front(setup: Setup, name: str, layer: PiecewiseLinearEmbedding) -> dict[str, Edit]:
    """Behind the input, in the place of a Normalization there; nothing where there are bins."""
    network = setup.network
    which = network.input_names.index(name)
    reading = [node for node, index in readers(network.nodes, network.inputs) if index == which]
    if any(isinstance(node.layer, PiecewiseLinearEmbedding) for node in reading):
        return {}
    if len(reading) == 1 and isinstance(reading[0].layer, Normalization):
        return {reading[0].name: [layer]}
    return {name: [layer]}


def _replaced(setup: Setup, edits: dict[str, Edit]) -> Setup | None:
    network = rewritten(setup.network, edits) if edits else None
    return None if network is None else dataclasses.replace(setup, network=network)


__all__ = ["binned", "embedded", "named"]
