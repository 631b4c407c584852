"""From what `compile` was told (names, lists, dicts) to an Objective, once the labels are known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from fitwell import activations, losses, metrics
from fitwell.data.arrays import to_array
from fitwell.data.targets import BINARY, ONE_HOT, align, choose_loss
from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.layers.augmenting.mixing import Mixing, mixings
from fitwell.losses import Loss, SparseCategoricalCrossentropy
from fitwell.network import Network
from fitwell.training import Measure, Objective
from fitwell.types import HostArray, Shape


@dataclass(frozen=True)
class Compiled:
    """The arguments of `compile`, one entry per output.

    Attributes:
        names: of the outputs: the keys of a dict of outputs, or the names of their layers.
        losses: a Loss, None for no loss, or "auto": chosen when the labels are seen.
        weights: the factor of each loss.
        metrics, weighted_metrics: names or Metrics, for each output.
        augment: mixtures of examples and labels.
    """

    names: tuple[str, ...]
    losses: tuple[Any, ...]
    weights: tuple[float, ...]
    metrics: tuple[tuple[Any, ...], ...]
    weighted_metrics: tuple[tuple[Any, ...], ...]
    augment: tuple[Mixing, ...] = ()


def per_output(
    names: Sequence[str],
    loss: Any,
    loss_weights: Any,
    metrics_: Any,
    weighted: Any,
    augment: Any = None,
) -> Compiled:
    """Spreads single values, lists and dicts over the outputs; checks every name."""
    several = _spread("loss", loss, names, None) if loss is not None else ["auto"] * len(names)
    chosen = tuple(one if one in (None, "auto") else losses.get(one) for one in several)
    if all(one is None for one in chosen):
        cure = "Name the loss of an output, or leave loss out: it is chosen then."
        raise InvalidArgument("compile", "a loss for at least one output", repr(loss), cure)
    factors = tuple(_factor(f) for f in _spread("loss_weights", loss_weights, names, 1.0))
    return Compiled(
        tuple(names),
        chosen,
        factors,
        _metric_lists("metrics", metrics_, names),
        _metric_lists("weighted_metrics", weighted, names),
        mixings(augment),
    )


def check_names(loss: Any, metrics_: Any, weighted: Any, augment: Any) -> None:
    """Answers unknown names now: a network whose input size is not known yet has no outputs."""
    for one in jax.tree.leaves(loss):
        if not (isinstance(one, str) and one == "auto"):
            losses.get(one)
    for one in jax.tree.leaves((metrics_, weighted)):
        metrics.get(one)
    mixings(augment)


def _factor(value: Any) -> float:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if value is None:
        return 1.0
    if not number or not 0 <= value < float("inf"):
        cure = "Pass 1.0 for an output that counts as it is."
        raise InvalidArgument("compile, loss_weights", "finite numbers >= 0", repr(value), cure)
    return float(value)


def _spread(argument: str, value: Any, names: Sequence[str], default: Any) -> list[Any]:
    if isinstance(value, Mapping):
        for name in value:
            if name not in names:
                subject = f"compile, {argument}"
                cure = did_you_mean(str(name), names)
                raise InvalidArgument(subject, "names of outputs", repr(name), cure)
        return [value.get(name, default) for name in names]
    if isinstance(value, list | tuple):
        if len(value) != len(names):
            raise InvalidArgument(
                f"compile, {argument}",
                f"one entry for each of the {len(names)} outputs",
                f"{len(value)}",
                "Give one per output, or a dict by output name.",
            )
        return list(value)
    return [value if value is not None else default] * len(names)


def _metric_lists(argument: str, value: Any, names: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
    """Keras' forms: a list for one output; a list of lists or a dict for several."""
    if value is None:
        return tuple(() for _ in names)
    if isinstance(value, list | tuple) and len(names) == 1:
        value = [value[0] if len(value) == 1 and isinstance(value[0], list) else value]
    entries = _spread(argument, value, names, ())
    lists = [
        tuple(e) if isinstance(e, list | tuple) else () if e is None else (e,) for e in entries
    ]
    for one in (m for entry in lists for m in entry):
        metrics.get(one)  # an unknown name is answered now, not after the first epoch
    return tuple(lists)


def resolve(
    network: Network, compiled: Compiled, ys: Sequence[Any], subjects: Sequence[str]
) -> tuple[Objective, list[HostArray], list[str]]:
    """The objective for these labels, the labels aligned with it, and what was decided.

    `subjects` says for each output where its labels come from, for messages.
    """
    notes: list[str] = []
    chosen: list[Loss | None] = []
    arrays: list[HostArray] = []
    for i, ((shape, _), loss, y, of) in enumerate(
        zip(network.output_shapes, compiled.losses, ys, subjects, strict=True)
    ):
        if loss == "auto":
            activation = activations.name_of(network.logits(i)[2])
            loss, why = choose_loss(activation, shape, to_array(of, y))
            notes.append(f"loss of {compiled.names[i]}: {type(loss).__name__}, because {why}")
        chosen.append(loss)
        arrays.append(align(of, y, loss, shape))
    measures = _measures(network, compiled, chosen, arrays)
    _check_mixing(network, compiled.augment)
    objective = Objective(
        tuple(chosen), compiled.weights, tuple(measures), compiled.names, compiled.augment
    )
    return objective, arrays, notes


def _check_mixing(network: Network, augment: Sequence[Mixing]) -> None:
    if augment and len(network.inputs) != 1:
        raise InvalidArgument(
            "compile, augment",
            "a model with one input",
            f"one with {len(network.inputs)}",
            "Leave augment out.",
        )
    for one in augment:
        one.check_input(*network.input_shapes[0])


def _measures(
    network: Network,
    compiled: Compiled,
    chosen: Sequence[Loss | None],
    arrays: Sequence[HostArray],
) -> list[Measure]:
    found: list[Measure] = []
    taken = {"loss", *(f"{name}_loss" for name in compiled.names)}
    for i, (name, (shape, _)) in enumerate(zip(compiled.names, network.output_shapes, strict=True)):
        kind = label_kind(chosen[i], arrays[i], shape)
        logits = getattr(chosen[i], "from_logits", False) is True
        entries = [(m, False) for m in compiled.metrics[i]]
        entries += [(m, True) for m in compiled.weighted_metrics[i]]
        for one, weighted in entries:
            metric = metrics.get(one, kind=kind, from_logits=logits)
            label = metric.label if len(network.outputs) == 1 else f"{name}_{metric.label}"
            endings = (f"_{n}" if n else "" for n in itertools.count())
            label = next(label + e for e in endings if label + e not in taken)
            taken.add(label)
            found.append(Measure(label, i, metric, weighted))
    return found


def label_kind(loss: Loss | None, y: HostArray, shape: Shape) -> str:
    """What "accuracy" means here: "binary", "categorical" or "sparse"."""
    if isinstance(loss, SparseCategoricalCrossentropy):
        return "sparse"
    if isinstance(loss, BINARY):
        return "binary"
    if isinstance(loss, ONE_HOT):
        return "categorical"
    if not shape or shape[-1] == 1:
        return "binary"
    return "categorical" if y.shape[1:] == shape else "sparse"
