"""Layers: how they begin, what bends them, how many there are, what they leave out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from fitwell import activations, initializers
from fitwell.doctor.rewriting import Edit, activation_after, head, hidden, is_chain, rewritten
from fitwell.doctor.setup import Facts, Setup
from fitwell.initializers.random import Orthogonal, VarianceScaling, _Named
from fitwell.layers.activation import Activation
from fitwell.layers.dense import Dense
from fitwell.layers.embedding import Embedding
from fitwell.layers.masking import Masking
from fitwell.layers.maxout import Maxout
from fitwell.layers.merging import Add
from fitwell.layers.noise import Dropout
from fitwell.layers.normalizing import BatchNormalization
from fitwell.layers.recurrent import LSTM, SimpleRNN
from fitwell.layers.spatial import Conv1D, Conv2D, Conv3D
from fitwell.network import Network
from fitwell.regularizers import L2

_FLAT = ("sigmoid", "hard_sigmoid", "softmax", "exponential", "linear")
_NARROW = 8  # units: so few relus may all be dead on a side
_DEEP, _KEPT = 4, 3  # hidden Dense layers
_FILTERS = 64  # units that a convolution counts as: none is narrow
_PASSING = ("Dropout", "Flatten", "Global", "MaxPool", "AveragePool", "Spatial", "ZeroPadding")
_CONVOLUTIONS = (Conv1D, Conv2D, Conv3D)
_OWN = ("activation", "name")  # fields of a SimpleRNN that are not those of its gates
_BOTTLENECK = 2  # units
_STRONG_L2, _STRONG_L1, _STRONG_DROPOUT = 1e-3, 1e-4, 0.45


def _replaced(setup: Setup, edits: dict[str, Edit]) -> Setup | None:
    network = rewritten(setup.network, edits) if edits else None
    return None if network is None else dataclasses.replace(setup, network=network)


# Initialisation

_LOW = -1.0  # a first bias: below, relu is at 0 for inputs of size 1


def initialised(setup: Setup, facts: Facts) -> Setup | None:
    """Kernels by fan-in and activation, biases 0, where others make units alike or huge."""
    marked = {
        one.name
        for one in facts.record.layers
        if one.twins or one.constant or not 0.3 < one.gain < 2.5
    }
    low = {one.name for one in facts.record.layers if one.bias < _LOW}
    edits: dict[str, Edit] = {}
    for name, layer in setup.network.layers.items():
        if name in low:
            edits[name] = [_with_fields(layer, bias_initializer="zeros")]
        given = getattr(layer, "kernel_initializer", "auto")
        if name not in marked or given == "auto" or _scales_itself(given):
            continue
        edits[name] = [_with_fields(layer, kernel_initializer="auto", bias_initializer="zeros")]
    return _replaced(setup, edits)


def _scales_itself(given: Any) -> bool:
    return isinstance(initializers.get(given), VarianceScaling | Orthogonal | _Named)


def _with_fields(layer: Any, **values: Any) -> Any:
    there = {name: value for name, value in values.items() if hasattr(layer, name)}
    return dataclasses.replace(layer, **there)


# Activations


def bent(setup: Setup, facts: Facts) -> Setup | None:
    """Hidden sigmoid, softmax, exponential and linear units become relu; narrow ones tanh."""
    deep = len(hidden(setup.network)) > _DEEP
    flat = (*_FLAT, "tanh") if deep else _FLAT
    return _activated(setup, lambda units: "tanh" if units <= _NARROW else "relu", flat)


def self_normalised(setup: Setup, facts: Facts) -> Setup | None:
    """Hidden units become selu with the initialisation that goes with it."""
    return _activated(setup, lambda units: "selu", None)


def leaky(setup: Setup, facts: Facts) -> Setup | None:
    """Hidden units become leaky relu: none can die."""
    return _activated(setup, lambda units: "leaky_relu", None)


def _activated(
    setup: Setup, choose: Callable[[int], str], flat: tuple[str, ...] | None
) -> Setup | None:
    edits: dict[str, Edit] = {}
    for name in _bendable(setup.network):
        layer: Any = setup.network.layers[name]
        behind = activation_after(setup.network, name)
        own = layer.activation if behind is None else setup.network.layers[behind].activation  # type: ignore[attr-defined]
        now, new = _name(own), choose(getattr(layer, "units", _FILTERS))
        if now == new or (flat is not None and now not in flat):
            continue
        if now == "linear" and behind is None and not _feeds_another(setup.network, name):
            continue
        given = layer.kernel_initializer
        start = "auto" if isinstance(given, str) or _scales_itself(given) else given
        edits[name] = [dataclasses.replace(layer, activation=new, kernel_initializer=start)]
        if behind is not None:
            edits[behind] = []
    return _replaced(setup, edits)


def _bendable(network: Network) -> list[str]:
    """Hidden Dense layers and convolutions, in order."""
    outputs = {network.nodes[place].name for place, _ in network.outputs}
    dense = hidden(network)
    return [
        node.name
        for node in network.nodes
        if node.name in dense
        or (
            isinstance(node.layer, _CONVOLUTIONS)
            and not {node.name, activation_after(network, node.name)} & outputs
        )
    ]


def _name(activation: Any) -> str:
    return "linear" if activation is None else activations.name_of(activation) or "own"


def _feeds_another(network: Network, name: str) -> bool:
    """Whether a linear layer is read by another one, at most pooling between: a bend is missing."""
    places = [i for i, node in enumerate(network.nodes) if node.name == name]
    while True:
        reading = [i for i, n in enumerate(network.nodes) if any(r[0] in places for r in n.inputs)]
        if len(reading) != 1:
            return False
        layer = network.nodes[reading[0]].layer
        if not type(layer).__name__.startswith(_PASSING):
            return isinstance(layer, (Dense, *_CONVOLUTIONS))
        places = reading


# Sequences


def masked(setup: Setup, facts: Facts) -> Setup | None:
    """Padding is left out: by the Embedding that reads it, or by a Masking in front."""
    found = facts.record.padding
    if found is None:
        return None
    if not found.ids:
        return _replaced(setup, {found.name: [Masking(found.value)]})
    edits: dict[str, Edit] = {
        name: [dataclasses.replace(layer, mask_zero=True)]
        for name, layer in setup.network.layers.items()
        if isinstance(layer, Embedding)
    }
    return _replaced(setup, edits) if found.value == 0 else None


def gated(setup: Setup, facts: Facts) -> Setup | None:
    """SimpleRNN becomes LSTM: its gates keep what was read long ago."""
    edits: dict[str, Edit] = {}
    for name, layer in setup.network.layers.items():
        if isinstance(layer, SimpleRNN):
            names = {one.name for one in dataclasses.fields(layer)} - {*_OWN}
            same = {one.name for one in dataclasses.fields(LSTM) if one.name in names}
            edits[name] = [LSTM(**{each: getattr(layer, each) for each in same})]
    return _replaced(setup, edits)


# Depth and width


def shallower(setup: Setup, facts: Facts) -> Setup | None:
    """A chain of many hidden Dense layers keeps its first three."""
    network = setup.network
    names = hidden(network)
    if len(names) <= _DEEP or not is_chain(network):
        return None
    order = [node.name for node in network.nodes]
    last = order.index(names[_KEPT])
    stop = head(network)[0]
    return _replaced(setup, {name: [] for name in order[last:stop]})


def normalised(setup: Setup, facts: Facts) -> Setup | None:
    """Batch normalization before the activation of every hidden Dense layer."""
    edits: dict[str, Edit] = {}
    for name in hidden(setup.network):
        layer: Any = setup.network.layers[name]
        if _read_by_normalization(setup.network, name):
            continue
        bare = dataclasses.replace(layer, activation=None)
        bend = [Activation(layer.activation)] if layer.activation is not None else []
        edits[name] = [bare, BatchNormalization(), *bend]
    return _replaced(setup, edits)


def _read_by_normalization(network: Network, name: str) -> bool:
    places = {i for i, node in enumerate(network.nodes) if node.name == name}
    reading = [n.layer for n in network.nodes if any(ref[0] in places for ref in n.inputs)]
    return any("Normalization" in type(layer).__name__ for layer in reading)


def residual(setup: Setup, facts: Facts) -> Setup | None:
    """x + layer(x) for hidden Dense layers as wide as what they read, in deep networks."""
    edits: dict[str, Edit] = {}
    names = hidden(setup.network)
    for name in names if len(names) > _DEEP else ():
        node = setup.network.first_use(name)
        if node.shape_in == node.out[0][0]:
            edits[name] = _around(setup.network.layers[name])
    return _replaced(setup, edits)


def _around(layer: Any) -> Callable[[Any], Any]:
    return lambda x: Add()([x, layer(x)])


def wider(setup: Setup, facts: Facts) -> Setup | None:
    """At least 64 units in every hidden Dense layer, and one such layer at least."""
    names = hidden(setup.network)
    edits: dict[str, Edit] = {}
    for name in names:
        layer: Any = setup.network.layers[name]
        if layer.units < 64:
            bend = layer.activation if layer.activation is not None else "relu"
            bend = "relu" if _name(bend) in ("linear", "tanh") else bend
            edits[name] = [dataclasses.replace(layer, units=64, activation=bend)]
    place, _ = head(setup.network)
    last = setup.network.nodes[place]
    if len(names) < 2 and type(last.layer) is Dense and len(setup.network.outputs) == 1:
        more = [Dense(64, activation="relu") for _ in range(2 - len(names))]
        edits[last.name] = [*more, last.layer]
    return _replaced(setup, edits)


def narrower(setup: Setup, facts: Facts) -> Setup | None:
    """Hidden Dense layers with a quarter of their units, 8 at least."""
    edits: dict[str, Edit] = {}
    for name in hidden(setup.network):
        layer: Any = setup.network.layers[name]
        if layer.units > 16:
            edits[name] = [dataclasses.replace(layer, units=max(8, layer.units // 4))]
    return _replaced(setup, edits)


def maxout(setup: Setup, facts: Facts) -> Setup | None:
    """Hidden Dense layers become Maxout: the activation is learnt, and no unit can die."""
    return _replaced(
        setup,
        {name: [Maxout(setup.network.layers[name].units)] for name in hidden(setup.network)},  # type: ignore[attr-defined]
    )


# Regularisation


def less_regularised(setup: Setup, facts: Facts) -> Setup | None:
    """Penalties above 1e-3 become 1e-5; dropout of half the units and more becomes 0.1."""
    edits: dict[str, Edit] = {}
    for one in facts.record.layers:
        layer: Any = setup.network.layers.get(one.name)
        if layer is None:
            continue
        if one.rate >= _STRONG_DROPOUT:
            edits[one.name] = [dataclasses.replace(layer, rate=0.1)]
        elif one.l2 > _STRONG_L2 or one.l1 > _STRONG_L1:
            edits[one.name] = [dataclasses.replace(layer, kernel_regularizer=L2(1e-5))]
    return _replaced(setup, edits)


def without_dropout(setup: Setup, facts: Facts) -> Setup | None:
    """No dropout at all."""
    layers = setup.network.layers
    return _replaced(setup, {n: [] for n, one in layers.items() if isinstance(one, Dropout)})


def regularised(setup: Setup, facts: Facts) -> Setup | None:
    """Dropout 0.3 behind hidden Dense layers, and L2 of 1e-3 on their kernels."""
    edits: dict[str, Edit] = {}
    if any(isinstance(layer, Dropout) for layer in setup.network.layers.values()):
        return None
    for name in hidden(setup.network):
        layer: Any = setup.network.layers[name]
        if layer.units >= 16:
            penalty = layer.kernel_regularizer or L2(1e-3)
            edits[name] = [dataclasses.replace(layer, kernel_regularizer=penalty), Dropout(0.3)]
    return _replaced(setup, edits)


# What keeps layers from learning, or values from passing


def thawed(setup: Setup, facts: Facts) -> Setup | None:
    """Every layer learns, where none does."""
    plan = facts.record.plan
    if plan is None or plan.parameters:
        return None
    network = setup.network
    frozen = {name: one for name, one in network.layers.items() if not one.trainable}
    learning = {name: dataclasses.replace(one, trainable=True) for name, one in frozen.items()}
    return dataclasses.replace(setup, network=network.with_layers(learning)) if frozen else None


def widened(setup: Setup, facts: Facts) -> Setup | None:
    """32 units where one or two hidden ones stand between more features and the output."""
    edits: dict[str, Edit] = {}
    if sum(one.mean.size for one in facts.record.inputs) <= _BOTTLENECK:
        return None
    for name in hidden(setup.network):
        layer: Any = setup.network.layers[name]
        if layer.units <= _BOTTLENECK and layer.activation is not None:  # a linear code is meant
            edits[name] = [dataclasses.replace(layer, units=32)]
    return _replaced(setup, edits)
