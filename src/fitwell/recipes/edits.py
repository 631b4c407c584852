"""The two ways to regularise, each by itself, as edits of a network."""

from __future__ import annotations

import dataclasses
from typing import Any

from fitwell.doctor.rewriting import Edit, hidden, rewritten
from fitwell.doctor.setup import Facts, Setup
from fitwell.layers.noise import Dropout
from fitwell.regularizers import L2

_FEW = 16  # units: of fewer, dropout leaves too little


def decayed(setup: Setup, facts: Facts) -> Setup | None:
    """L2 of 1e-3 on the kernels of hidden Dense layers that have no penalty."""
    edits: dict[str, Edit] = {
        name: [dataclasses.replace(layer, kernel_regularizer=L2(1e-3))]
        for name, layer in _hidden(setup).items()
        if layer.kernel_regularizer is None
    }
    return _with(setup, edits)


def dropped_out(setup: Setup, facts: Facts) -> Setup | None:
    """Dropout 0.3 behind hidden Dense layers, in a network that has none."""
    if any(isinstance(layer, Dropout) for layer in setup.network.layers.values()):
        return None
    edits: dict[str, Edit] = {
        name: [layer, Dropout(0.3)] for name, layer in _hidden(setup).items() if layer.units >= _FEW
    }
    return _with(setup, edits)


def _hidden(setup: Setup) -> dict[str, Any]:
    return {name: setup.network.layers[name] for name in hidden(setup.network)}


def _with(setup: Setup, edits: dict[str, Edit]) -> Setup | None:
    network = rewritten(setup.network, edits) if edits else None
    return None if network is None else dataclasses.replace(setup, network=network)
