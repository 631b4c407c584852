"""Inputs and targets on the scale that training likes, inside the model: data stay as they are."""

from __future__ import annotations

import dataclasses

import numpy as np

from fitwell import activations
from fitwell.doctor.edits.heads import is_discrete
from fitwell.doctor.record import Features
from fitwell.doctor.rewriting import Edit, rewritten
from fitwell.doctor.setup import Facts, Setup
from fitwell.layers.preprocessing import Normalization, Rescaling
from fitwell.losses import Huber, Loss, MeanAbsoluteError, MeanSquaredError
from fitwell.types import HostArray

_LARGE, _SMALL = 3.0, 0.2  # sizes that initial weights and usual learning rates are not made for
_UNEQUAL = 20.0  # a spread this many times another's


def scaled_inputs(setup: Setup, facts: Facts) -> Setup | None:
    """A Normalization behind every input of numbers that needs one; `fit` computes it."""
    return _behind_inputs(setup, facts)


def as_they_are(setup: Setup, facts: Facts) -> Setup | None:
    """The same with the mean 0 and the variance 1: one program, and inputs as they are."""
    return _behind_inputs(setup, facts, (0.0, 1.0))


def _behind_inputs(
    setup: Setup, facts: Facts, known: tuple[float, float] | tuple[None, None] = (None, None)
) -> Setup | None:
    edits: dict[str, Edit] = {
        one.name: [Normalization(None if _share_a_scale(one) else -1, *known)]
        for one in facts.record.inputs
        if not one.normalized and needs_scaling(one)
    }
    network = rewritten(setup.network, edits) if edits else None
    return None if network is None else dataclasses.replace(setup, network=network)


def needs_scaling(one: Features) -> bool:
    """Whether values are far from 1, or from each other's scale."""
    varying = one.std[one.std > 0]
    if not len(varying):
        return False
    size = float(one.size.max())
    if _share_a_scale(one):
        return size > _LARGE or size < _SMALL
    unequal = varying.max() > _UNEQUAL * varying.min()
    shifted = bool((abs(one.mean) > _LARGE * one.std)[one.std > 0].any())
    return bool(size > _LARGE or varying.max() < _SMALL or unequal or shifted)


def _share_a_scale(one: Features) -> bool:
    """Pixels and the like: a rare one must not be blown up to the spread of the others."""
    if one.low.size < 16:
        return False
    low, high = one.low.min(), one.high.max()
    wide = (one.high - one.low > 0.5 * (high - low)).mean() > 0.5
    return bool(wide and (one.low - low < 0.1 * (high - low)).mean() > 0.8)


def scaled_targets(setup: Setup, facts: Facts) -> Setup | None:
    """The last Dense learns (y - mean) / std, a Rescaling brings it back to y.

    The loss is weighted so that its gradients are those of standardised targets.
    """
    network, told = setup.network, setup.compiled
    weights = list(told.weights)
    for i, of in enumerate(facts.record.heads):
        mean, std, loss = facts.means[i], facts.stds[i], told.losses[i]
        last = network.nodes[network.outputs[i][0]]
        known = isinstance(loss, MeanSquaredError | MeanAbsoluteError | Huber)
        if is_discrete(of) or not known or facts.ranks[i] > 1 or isinstance(last.layer, Rescaling):
            continue
        _, activation = last.layer.split_activation()
        plain = activation is None or activations.name_of(activation) == "linear"
        if not _far(mean, std) or not plain or last.out[0][0] != mean.shape:
            continue
        back = Rescaling(_digits(np.where(std > 0, std, 1)), offset=_digits(mean))
        changed = rewritten(network, {last.name: [last.layer, back]})
        if changed is None:
            continue
        network, weights[i] = changed, weights[i] * _weight(loss, std)
    if network is setup.network:
        return None
    compiled = dataclasses.replace(told, weights=tuple(weights))
    return dataclasses.replace(setup, network=network, compiled=compiled)


def _far(mean: HostArray, std: HostArray) -> bool:
    """Whether targets are far from mean 0 and spread 1."""
    size = float(np.sqrt((mean**2 + std**2).mean()))
    return size > 1.5 or 0 < size < 0.5


def _weight(loss: Loss, std: HostArray) -> float:
    scale = float(np.sqrt((std**2).mean())) or 1.0
    return float(f"{scale ** (-1 if isinstance(loss, MeanAbsoluteError) else -2):.3g}")


def _digits(values: HostArray) -> float | list[float]:
    rounded = [float(f"{value:.4g}") for value in values]
    return rounded[0] if len(rounded) == 1 else rounded


__all__ = ["needs_scaling", "scaled_inputs", "scaled_targets"]
