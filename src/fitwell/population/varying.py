"""Hyper-parameters as arrays: descriptions whose numbers differ between the lanes of a program.

A description is a constant of a compiled program. Here copies of it get a traced number in the
place of a field, so that one program serves all values, and `vmap` gives each lane its own.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fitwell.description import unchecked
from fitwell.errors import InvalidArgument, did_you_mean
from fitwell.layers import (
    AlphaDropout,
    DropConnect,
    Dropout,
    GaussianDropout,
    Layer,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.training import Objective
from fitwell.types import Array, Key, Params, State

DROPOUTS = (
    AlphaDropout, DropConnect, Dropout, GaussianDropout, SpatialDropout1D, SpatialDropout2D,
    SpatialDropout3D,
)  # fmt: skip


GATE = "gate."
"""The names of values that open (1) or close (0) a layer begin so."""


@functools.cache
def _gated(kind: type[Layer]) -> type[Layer]:
    """Layers of this kind with a gate: where it is 0, they pass on what they get.

    A subclass, not a wrapper: penalties and rules find the fields where they are.
    """

    def forward(
        self: Any, params: Params, state: State, x: Array, *, key: Key, train: bool, **more: Any
    ) -> tuple[Array, State]:
        y, new = kind.forward(self, params, state, x, key=key, train=train, **more)
        return jnp.where(self.gate > 0, y, x), new

    fields = {"__module__": kind.__module__, "__annotations__": {"gate": Any}, "gate": 1.0}
    return type(f"Gated{kind.__name__}", (kind,), {**fields, "forward": forward})


def varied(
    network: Network, objective: Objective, optimizer: Optimizer, values: Mapping[str, Any],
    change: Callable[..., Any] = unchecked,
) -> tuple[Network, Objective, Optimizer]:  # fmt: skip
    """The parts of a step with a lane's own numbers in them.

    Args:
        values: by the names that `check` allows.
        change: makes a copy of a description with other fields; `dataclasses.replace` for
            numbers that are not traced.
    """
    layers: dict[str, Layer] = {}
    losses = list(objective.losses)
    gates = {n.removeprefix(GATE): v for n, v in values.items() if n.startswith(GATE)}
    for name, value in values.items():
        if name.startswith(GATE):
            continue
        owner, attribute = _place(name)
        if owner == "optimizer":
            optimizer = change(optimizer, **{attribute: value})
        elif owner == "loss":
            losses = [
                change(loss, **{attribute: value})
                if loss is not None and hasattr(loss, attribute)
                else loss
                for loss in losses
            ]
        else:
            for layer in _layers(network, owner):
                before = layers.get(layer, network.layers[layer])
                layers[layer] = change(before, **{attribute: value})
    for name, value in gates.items():
        inner = layers.get(name, network.layers[name])
        gated = _gated(type(inner))  # type: ignore[arg-type] # a class can be hashed
        layers[name] = unchecked(inner, gated, gate=value)
    if layers:
        network = network.with_layers(layers)
    return network, dataclasses.replace(objective, losses=tuple(losses)), optimizer


def check(
    subject: str, network: Network, objective: Objective, optimizer: Optimizer, name: str,
    values: list[float],
) -> None:  # fmt: skip
    """Whether lanes can differ in `name`, and whether each value is one the description takes.

    Raises:
        InvalidArgument: there is nothing of that name, or a value is refused.
    """
    owner, attribute = _place(name)
    if name == "optimizer.learning_rate":
        raise InvalidArgument(
            subject,
            "learning rates as an argument of their own",
            f"vary={{{name!r}: ...}}",
            "Pass learning_rate=[...], with numbers or schedules.",
        )
    there: list[Any]
    if owner == "optimizer":
        there = [optimizer]
    elif owner == "loss":
        there = [loss for loss in objective.losses if loss is not None]
    else:
        there = [network.layers[n] for n in _layers(network, owner)]
    owners = [one for one in there if hasattr(one, attribute)]
    if not any(isinstance(getattr(one, attribute), int | float | None) for one in owners):
        raise InvalidArgument(
            subject, f"{name} to be a number of the model", *_cure(name, there, network)
        )
    for one in owners:
        # Each value gets the description's own check, with its own message.
        each = [dataclasses.replace(one, **{attribute: v}) for v in dict.fromkeys(values)]
        if owner != "loss" and len(each) > 1 and len({copy.program() for copy in each}) == 1:
            raise _not_of_a_step(subject, name, type(one).__name__)


def _not_of_a_step(subject: str, name: str, kind: str) -> InvalidArgument:
    received = f"{name}, which {kind} only needs before the first step"
    cure = "Fit one population for each of its values."
    return InvalidArgument(subject, "numbers that enter the arithmetic of a step", received, cure)


def of_loss(name: str) -> bool:
    """Whether a name stands for a number of the losses."""
    return _place(name)[0] == "loss"


def _place(name: str) -> tuple[str, str]:
    short = {
        "weight_decay": ("optimizer", "weight_decay"),
        "label_smoothing": ("loss", "label_smoothing"),
        "dropout": ("*", "rate"),
    }
    owner, _, attribute = name.rpartition(".")
    return short.get(name, (owner, attribute))


def _layers(network: Network, owner: str) -> list[str]:
    """The layers a name stands for: `*` is every dropout."""
    if owner != "*":
        return [owner] if owner in network.layers else []
    return [name for name, layer in network.layers.items() if isinstance(layer, DROPOUTS)]


def _cure(name: str, there: list[Any], network: Network) -> tuple[str, str]:
    owner, attribute = _place(name)
    if name == "dropout":
        return "a network without dropout", "Add Dropout(0.1) to it: its rate can differ then."
    if there:
        kinds = ", ".join(type(one).__name__ for one in there)
        numbers = [
            field.name
            for one in there
            for field in dataclasses.fields(one)
            if isinstance(getattr(one, field.name), float)
        ]
        return f"{attribute!r}, which {kinds} does not have", did_you_mean(attribute, numbers)
    places = ["optimizer", "loss", *network.layers]
    cure = did_you_mean(owner, places) if owner else 'Write "optimizer.beta_1" or "dense.rate".'
    return repr(name), cure


def answer_concrete(subject: str, names: list[str], error: Exception) -> InvalidArgument:
    """What to say where a number decides about the program itself and so cannot differ."""
    reasons = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)
    assert isinstance(error, reasons)
    return InvalidArgument(
        subject,
        "numbers that only enter the arithmetic of a step",
        f"one among {', '.join(names)} that decides what is computed",
        "Fit one population for each of its values.",
    )
