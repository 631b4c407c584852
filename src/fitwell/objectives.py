"""From what `compile` was told (names, lists, dicts) to an Objective, once the labels are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitwell import losses, metrics
from fitwell.data.targets import BINARY, ONE_HOT, align, choose_loss
from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.losses import Loss, SparseCategoricalCrossentropy
from fitwell.network import Network
from fitwell.training import Measure, Objective, activation_name
from fitwell.types import HostArray, Shape


@dataclass(frozen=True)
class Compiled:
    """The arguments of `compile`, one entry per output.

    Attributes:
        losses: a Loss, None for no loss, or "auto": chosen when the labels are seen.
        weights: the factor of each loss.
        metrics, weighted_metrics: names or Metrics, for each output.
    """

    losses: tuple[Any, ...]
    weights: tuple[float, ...]
    metrics: tuple[tuple[Any, ...], ...]
    weighted_metrics: tuple[tuple[Any, ...], ...]


def per_output(
    network: Network, loss: Any, loss_weights: Any, metrics_: Any, weighted: Any
) -> Compiled:
    """Spreads single values, lists and dicts over the outputs; checks every name."""
    names = network.output_names
    several = _spread("loss", loss, names, None) if loss is not None else ["auto"] * len(names)
    chosen = tuple(one if one in (None, "auto") else losses.get(one) for one in several)
    factors = tuple(
        1.0 if f is None else float(f) for f in _spread("loss_weights", loss_weights, names, 1.0)
    )
    return Compiled(
        chosen,
        factors,
        _metric_lists("metrics", metrics_, names),
        _metric_lists("weighted_metrics", weighted, names),
    )


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
    network: Network, compiled: Compiled, ys: Sequence[Any], subject: str
) -> tuple[Objective, list[HostArray], list[str]]:
    """The objective for these labels, the labels aligned with it, and what was decided."""
    notes: list[str] = []
    chosen: list[Loss | None] = []
    arrays: list[HostArray] = []
    for i, ((shape, _), loss, y) in enumerate(
        zip(network.output_shapes, compiled.losses, ys, strict=True)
    ):
        name = network.output_names[i]
        of = f"{subject}, y" if len(ys) == 1 else f"{subject}, y of {name}"
        if loss == "auto":
            activation = activation_name(network.logits(i)[2])
            loss, why = choose_loss(activation, shape, np.asarray(y))
            notes.append(f"loss of {name}: {type(loss).__name__}, because {why}")
        chosen.append(loss)
        arrays.append(align(of, y, loss, shape))
    measures = _measures(network, compiled, chosen, arrays)
    objective = Objective(
        tuple(chosen), compiled.weights, tuple(measures), tuple(network.output_names)
    )
    return objective, arrays, notes


def _measures(
    network: Network,
    compiled: Compiled,
    chosen: Sequence[Loss | None],
    arrays: Sequence[HostArray],
) -> list[Measure]:
    found: list[Measure] = []
    taken: dict[str, int] = {"loss": 1}
    for i, (name, (shape, _)) in enumerate(
        zip(network.output_names, network.output_shapes, strict=True)
    ):
        kind = label_kind(chosen[i], arrays[i], shape)
        logits = getattr(chosen[i], "from_logits", False) is True
        entries = [(m, False) for m in compiled.metrics[i]]
        entries += [(m, True) for m in compiled.weighted_metrics[i]]
        for one, weighted in entries:
            metric = metrics.get(one, kind=kind, from_logits=logits)
            label = metric.label if len(network.outputs) == 1 else f"{name}_{metric.label}"
            n = taken.get(label, 0)
            taken[label] = n + 1
            found.append(Measure(f"{label}_{n}" if n else label, i, metric, weighted))
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
