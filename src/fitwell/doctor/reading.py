"""From a model and its data to the record: on the host, in milliseconds."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fitwell import activations
from fitwell.doctor import statistics
from fitwell.doctor.labels import Labels
from fitwell.doctor.mixture import mixture
from fitwell.doctor.record import Features, Head, Layer, Plan
from fitwell.layers.augmenting import RandomBrightness
from fitwell.layers.base import Layer as LayerDescription
from fitwell.layers.nodes import readers
from fitwell.layers.weights import weight_fields
from fitwell.layerwise import even_rows
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.training import Batch, Objective
from fitwell.types import HostArray, Params

_MOST_CLASSES = 200
_NOTHING = 1e-4  # of the typical size of targets
_FEW_ROWS = 50  # that may stand in order by chance
_LABELS, _SAMPLED = 1_000_000, 100_000  # values; beyond so many, an even sample of the rows
_DROPOUTS = ("Dropout", "AlphaDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
_ACTIVATIONS = ("Activation", "Softmax", "ReLU", "LeakyReLU", "PReLU", "ELU")
_NORMALIZING = ("Normalization", "BatchNormalization", "LayerNormalization", "GroupNormalization")
_IDS = ("Embedding", "CategoryEncoding", "Discretization", "Hashing")
_LINEAR = (
    "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout", "Flatten",
    "Identity", "Normalization", "Permute", "Rescaling", "Reshape", "Subtract",
)  # fmt: skip
_LINEAR_FAMILIES = (
    "AveragePooling", "Conv", "Cropping", "Depthwise", "GlobalAveragePooling", "LocallyConnected",
    "Separable", "SpatialDropout", "UpSampling", "ZeroPadding",
)  # fmt: skip
_REACH = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}
_REACH |= {"softplus": (0.0, np.inf), "exponential": (0.0, np.inf), "hard_sigmoid": (0.0, 1.0)}
_REACH |= {"softsign": (-1.0, 1.0), "relu6": (0.0, 6.0)}


# Inputs


def features(network: Network, data: Batch, held_out: Batch | None) -> tuple[Features, ...]:
    """Every input of numbers; those that stand for ids or words are left out."""
    found = []
    for place, at, first in _first(network):
        kinds = {type(layer).__name__ for layer in first}
        if kinds & set(_IDS):
            continue
        other = None if held_out is None else held_out.x[at]
        one = statistics.features(network.nodes[place].name, data.x[at], other)
        rescaling = next((each for each in first if type(each).__name__ == "Rescaling"), None)
        one = one if rescaling is None else _rescaled(one, rescaling)
        known = bool(kinds & set(_NORMALIZING))
        found.append(dataclasses.replace(one, normalized=known, jolt=_jolt(first)))
    return tuple(found)


def _first(network: Network) -> Iterator[tuple[int, int, list[LayerDescription]]]:
    """Of each input that is fed: its node, its place in the data, and the layers that read it."""
    reading = list(readers(network.nodes, network.inputs))
    for which, place in enumerate(network.inputs):
        if place in network.fed:
            first = [node.layer for node, index in reading if index == which]
            yield place, network.fed.index(place), first


def ids(network: Network) -> set[int]:
    """The places in the data of inputs that are read as names, not as numbers."""
    return {
        at for _, at, first in _first(network) if {type(one).__name__ for one in first} & set(_IDS)
    }


def _jolt(first: Sequence[LayerDescription]) -> float:
    """How far a RandomBrightness among the first layers moves the values in training."""
    found = [0.0]
    for layer in first:
        if isinstance(layer, RandomBrightness):
            low, high = layer.value_range
            found.append((high - low) * float(np.abs(layer.factor).max()))
    return max(found)


def _rescaled(one: Features, layer: LayerDescription) -> Features:
    """What the network sees behind it, of training and of validation data alike."""
    scale, offset = (float(np.mean(getattr(layer, name))) for name in ("scale", "offset"))
    low, high = sorted((one.low * scale + offset, one.high * scale + offset), key=np.nansum)
    held_out = one.held_out_mean, one.held_out_std
    return dataclasses.replace(
        one,
        mean=one.mean * scale + offset,
        std=one.std * abs(scale),
        low=low,
        high=high,
        held_out_mean=None if held_out[0] is None else held_out[0] * scale + offset,
        held_out_std=None if held_out[1] is None else held_out[1] * abs(scale),
    )


# Targets


def labels(y: HostArray, activation: str) -> Labels:
    """What the labels of one output are, from all of them: of millions, all for their range."""
    ends = (float(np.min(y)), float(np.max(y))) if np.size(y) > _LABELS else ()
    y = labels_in_memory(y)
    flat = y.reshape(len(y), -1).astype(np.float64)
    flat = flat[np.isfinite(flat).all(1)] if not np.isfinite(flat).all() else flat
    kind, counts = _kind(flat)
    low, high = _REACH.get(activation, (-np.inf, np.inf))
    if kind == "classes" and activation == "softmax":
        low, high = -np.inf, np.inf
    room = 1e-6 * max(1.0, float(abs(flat).max(initial=0)))
    outside = float(((flat < low - room) | (flat > high + room)).mean()) if flat.size else 0.0
    least, most = ends or (float(flat.min(initial=np.inf)), float(flat.max(initial=-np.inf)))
    return Labels(
        kind, len(flat), flat.shape[1], least, most, float(flat.mean()) if flat.size else 0.0,
        float(np.sqrt(flat.var(0).mean())) if flat.size else 0.0, counts, outside,
        bool((flat == np.round(flat)).all()), _zeros(flat), _ordered(flat),
    )  # fmt: skip


def _zeros(flat: HostArray) -> float:
    """The share of values that are 0, or as good as 0 against the others."""
    if not flat.size:
        return 0.0
    return float((abs(flat) <= _NOTHING * np.sqrt((flat**2).mean())).mean())


def _ordered(flat: HostArray) -> bool:
    """Whether one column of many different numbers stands in order."""
    if flat.shape[1] != 1 or len(flat) < _FEW_ROWS:
        return False
    steps = np.diff(flat[:, 0])
    one_way = (steps >= 0).all() or (steps <= 0).all()
    return bool(one_way and np.count_nonzero(steps) >= len(flat) / 3)


def labels_in_memory(y: HostArray) -> HostArray:
    """All labels, or of millions an even sample of the rows."""
    y = np.asarray(y)
    each = max(y.size // max(len(y), 1), 1)
    return y[even_rows(len(y), max(_SAMPLED // each, 1))] if y.size > _LABELS else y


def _kind(flat: HostArray) -> tuple[str, tuple[int, ...]]:
    if not len(flat):
        return "numbers", ()
    whole = bool((flat == np.round(flat)).all())
    bits = whole and bool(((flat == 0) | (flat == 1)).all())
    if flat.shape[1] > 1:
        if bits:
            hot = bool((flat.sum(1) == 1).all())
            return "one_hot" if hot else "multi_hot", tuple(int(v) for v in flat.sum(0))
        shares = flat.min() >= 0 and bool(np.isclose(flat.sum(1), 1, atol=1e-4).all())
        return "shares" if shares else "numbers", ()
    if bits:
        ones = int(flat.sum())
        return "binary", (len(flat) - ones, ones)
    if whole:
        values, counts = np.unique(flat, return_counts=True)
        # Whole numbers that repeat and follow each other are names of classes.
        few = len(values) <= min(_MOST_CLASSES, max(len(flat) // 5, 3))
        if few and values[0] >= 0 and values[-1] < 2 * len(values) + 2:
            return "classes", tuple(int(c) for c in counts)
    inside = flat.min() >= 0 and flat.max() <= 1
    return "shares" if inside else "numbers", ()


# The network


def heads(
    network: Network, objective: Objective, ys: Sequence[HostArray], refused: Sequence[str] = (),
    held_out: Sequence[HostArray] | None = None,
) -> tuple[Head, ...]:  # fmt: skip
    found = []
    for i, (loss, y) in enumerate(zip(objective.losses, ys, strict=True)):
        place = network.outputs[i][0]
        node = network.nodes[place]
        _, activation = node.layer.split_activation()
        name = activation_name(activation)
        if name == "linear" and not getattr(node.layer, "units", None) and node.inputs:
            place = node.inputs[0][0]  # an Activation layer, Flatten, Reshape after the last units
        shape = network.output_shapes[i][0]
        measures = [m.metric for m in objective.measures if m.output == i]
        found.append(
            Head(
                node.name,
                shape[-1] if shape else 1,
                name,
                None if loss is None else type(loss).__name__,
                bool(getattr(loss, "from_logits", False)),
                str(getattr(loss, "reduction", "")),
                tuple(type(metric).__name__ for metric in measures),
                labels(y, "linear" if getattr(loss, "from_logits", False) else name),
                refused[i] if refused else "",
                None
                if held_out is None
                else mixture(labels_in_memory(y), labels_in_memory(held_out[i])),
            )
        )
    return tuple(found)


def activation_name(activation: Any) -> str:
    if activation is None:
        return "linear"
    return activations.name_of(activation) or "linear"


def layers(network: Network, params: Params) -> tuple[Layer, ...]:
    """Layers with weights, and dropouts, in order; an activation of its own counts as its layer's.

    `params`: arrays of the host, before training.
    """
    outputs = {place for place, _ in network.outputs}
    found: list[Layer] = []
    kernels: list[HostArray | None] = []
    source: dict[int, int] = {}  # node -> the layer in `found` whose values it passes on
    for place, node in enumerate(network.nodes):
        kind, hidden = type(node.layer).__name__, place not in outputs
        if len(node.inputs) == 1 and node.inputs[0][0] in source:
            source[place] = source[node.inputs[0][0]]
        own = params.get(node.name, {})
        kernel = own.get("kernel") if isinstance(own, dict) else None
        if kind in _DROPOUTS:
            rate = float(getattr(node.layer, "rate", 0.0))
            found.append(Layer(node.name, kind, rate=rate, hidden=hidden))
        elif kind in _ACTIVATIONS:
            of = source.get(place)
            if of is not None and found[of].activation == "linear":
                name = activation_name(node.layer.split_activation()[1])
                name = kind.lower() if name == "linear" and kind != "Activation" else name
                found[of] = dataclasses.replace(found[of], activation=name, hidden=hidden)
            continue
        elif own:
            found.append(_layer(node.name, node.layer, kernel, own, hidden))
            if kernel is not None:  # normalization passes values on, a kernel makes new ones
                source[place] = len(found) - 1
        else:
            continue
        kernels.append(None if kernel is None else np.asarray(kernel))
    return tuple(_twins(found, kernels))


def _layer(name: str, layer: LayerDescription, kernel: Any, own: Params, hidden: bool) -> Layer:
    _, activation = layer.split_activation()
    facts: dict[str, Any] = {
        "activation": activation_name(activation), "hidden": hidden,
        "use_bias": bool(getattr(layer, "use_bias", False)),
        "momentum": float(getattr(layer, "momentum", 0.0)),
    }  # fmt: skip
    if isinstance(own, dict) and "bias" in own:
        facts["bias"] = float(np.mean(own["bias"]))
    if kernel is not None:
        array = np.asarray(kernel)
        fan_in = int(np.prod(array.shape[:-1]))
        facts |= {
            "units": int(array.shape[-1]), "fan_in": fan_in,
            "gain": float(array.std() * np.sqrt(fan_in)),
            "constant": bool(array.size > 1 and (array == array.flat[0]).all()),
            "zero": bool(not array.any()),
        }  # fmt: skip
    for _, weight, regularizer in weight_fields(layer, own, "_regularizer"):
        if weight == "kernel":
            facts["l1"] = float(getattr(regularizer, "l1", 0.0) or 0.0)
            facts["l2"] = float(getattr(regularizer, "l2", 0.0) or 0.0)
    return Layer(name, type(layer).__name__, **facts)


def _twins(found: Sequence[Layer], kernels: Sequence[HostArray | None]) -> Iterator[Layer]:
    """Marks layers whose units start equal and are read with equal weights: they stay equal."""
    dense = [i for i, k in enumerate(kernels) if k is not None and k.ndim == 2]
    after = dict(itertools.pairwise(dense))
    for i, layer in enumerate(found):
        kernel, then = kernels[i], kernels[after[i]] if i in after else None
        if kernel is not None and then is not None and kernel.shape[-1] > 1:
            same = bool((kernel == kernel[:, :1]).all())
            if same and then.shape[0] == kernel.shape[1] and bool((then == then[:1]).all()):
                layer = dataclasses.replace(layer, twins=True)
        yield layer


def straight(network: Network) -> bool:
    """Whether a network is one linear map, up to the activation of its outputs."""
    outputs = {place for place, _ in network.outputs}
    for place, node in enumerate(network.nodes):
        bare, activation = node.layer.split_activation()
        kind = type(node.layer).__name__
        linear = kind in _LINEAR or kind.startswith(_LINEAR_FAMILIES)
        if place in network.inputs or (place in outputs and (linear or bare is None)):
            continue
        if not linear or activation_name(activation) != "linear":
            return False
    return True


# The plan


def plan(
    optimizer: Optimizer, batch_size: int, epochs: int, steps: int, rows: int, validated: bool,
    parameters: int, rate: float | None = None, trained: int = 0,
) -> Plan:  # fmt: skip
    """`rate`: one that was assigned, in place of the optimizer's schedule; `trained`: epochs."""
    total = max(steps * epochs, 1)
    at = np.unique(np.linspace(0, total - 1, min(total, 1000)).astype(np.int64))
    rates = optimizer.rate(at) if rate is None else np.full(len(at), rate)
    clips = ("clipnorm", "clipvalue", "global_clipnorm")
    return Plan(
        type(optimizer).__name__, float(rates.max()),
        float(rates.mean() * (total + trained * steps)),
        float(getattr(optimizer, "momentum", 0.0) or 0.0),
        float(getattr(optimizer, "epsilon", 0.0) or 0.0),
        min((float(v) for name in clips if (v := getattr(optimizer, name, None))), default=0.0),
        batch_size, epochs, steps, rows, validated, parameters, trained,
        float(getattr(optimizer, "weight_decay", 0.0) or 0.0),
    )  # fmt: skip
