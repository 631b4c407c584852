"""Lanes before their first step: checks, what they have in common, and where each begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell import tree
from fitwell.errors import InvalidArgument
from fitwell.model import Model
from fitwell.population import programs, shapes, varying
from fitwell.population.lanes import Lane
from fitwell.population.members import copy_of
from fitwell.population.plan import Plan, Report, Signals
from fitwell.population.running import Group
from fitwell.programs import start
from fitwell.training import Batch, TrainState
from fitwell.types import HostArray

_SCALED = re.compile(r"(^|_)(kernel|embeddings|depthwise|pointwise)(_|$)")


class Prepared:
    """Lanes of one call, checked.

    Args:
        lanes: all of them; groups are made of some.
        common: the fields of the Plan that do not depend on the lanes.
    """

    def __init__(
        self, subject: str, model: Model, lanes: Sequence[Lane], common: dict[str, Any]
    ) -> None:
        self.subject, self.model, self.lanes = subject, model, list(lanes)
        self.kept = kept(model)
        shaped = any(lane.width is not None or lane.depth is not None for lane in lanes)
        self.chain: shapes.Chain | None = None
        self.gated: list[str] = []
        if shaped:
            self.chain = shapes.chain(subject, model.network, common["optimizer"], self.kept)
            closed = [set(shapes.closed(self.chain, self._shape(lane))) for lane in lanes]
            self.gated = sorted(set().union(*closed))
        names = tuple(sorted({name for lane in lanes for name in lane.values}))
        parts = model.network, common["objective"], common["optimizer"]
        for name in names:
            varying.check(subject, *parts, name, [lane.values[name] for lane in lanes])
        self.plan = Plan(
            **common, network=model.network.program(), names=names, gates=self._gates,
        )  # fmt: skip

    def group(self, lanes: Sequence[Lane], signals: Signals, report: Report | None = None) -> Group:
        """Some of the lanes, before their first step."""
        return Group(self.plan, lanes, self._start(lanes), self._masks(lanes), signals, report)

    def _start(self, lanes: Sequence[Lane]) -> TrainState:
        """The lanes' states before the first step, stacked: those of models with their seeds."""
        train = stacked([self._start_of(lane) for lane in lanes])
        learn, _ = self.model.network.split_trainable(train.params)
        begin = programs.optimizer_program(
            self.plan.network, self.plan.objective, self.plan.optimizer.program()
        )
        return train._replace(optimizer=begin(learn, self.plan.values(lanes)))

    def _start_of(self, lane: Lane) -> TrainState:
        begun, own = start(self.model.network, lane.seed), self.model.train_state
        if self.chain is not None:
            small = start(shapes.truly(self.chain, self._shape(lane)), lane.seed)
            wide = begun.params, begun.state
            params, state = shapes.embedded(small.params, small.state, wide)
            begun = begun._replace(params=params, state=state)
        if lane.init_scale != 1.0:
            begun = begun._replace(params=_scaled(begun.params, lane.init_scale))
        begun = begun._replace(
            params={n: own.params[n] if n in self.kept else p for n, p in begun.params.items()},
            state={n: own.state[n] if n in self.kept else s for n, s in begun.state.items()},
        )
        if not any(layer.adapts for layer in self.model.network.layers.values()):
            return begun
        copy = copy_of(self.model, begun, lane.seed)
        copy._adapt(_some(self.plan.data, lane.rows))
        return copy.train_state

    # Shapes

    def _shape(self, lane: Lane) -> shapes.Shape:
        assert self.chain is not None
        return shapes.checked(self.subject, self.chain, lane.width, lane.depth)

    def _gates(self, lanes: Sequence[Lane]) -> dict[str, HostArray]:
        if self.chain is None:
            return {}
        closed = [set(shapes.closed(self.chain, self._shape(lane))) for lane in lanes]
        return {
            f"{varying.GATE}{name}": np.array([name not in one for one in closed], np.float32)
            for name in self.gated
        }

    def _masks(self, lanes: Sequence[Lane]) -> Any:
        """1 for each weight that a lane has, 0 for the others; of the weights that learn."""
        if self.chain is None:
            return {}
        own = [shapes.mask(self.chain, self._shape(lane)) for lane in lanes]
        return self.model.network.split_trainable(jax.tree.map(on_top, *own))[0]


def kept(model: Model) -> frozenset[str]:
    """The layers whose arrays are the model's own in every lane, whatever its seed.

    Frozen ones, those that another model lends, and those that were adapted to data: a model that
    is built with another seed has the same.
    """
    fresh = model._unadapted()
    return frozenset(
        name
        for name, layer in model.network.layers.items()
        if not layer.trainable or name in model._links or (layer.adapts and name not in fresh)
    )


def check_comparable(subject: str, lanes: Sequence[Lane]) -> None:
    """Lanes whose losses differ cannot be compared by them, unless someone says so.

    Raises:
        InvalidArgument: numbers of the loss differ.
    """
    for name in {name for lane in lanes for name in lane.values if varying.of_loss(name)}:
        if len({lane.values[name] for lane in lanes}) > 1:
            raise InvalidArgument(
                subject,
                "monitor to say what lanes are compared by, since each has a loss of its own",
                f"{name} that differs, and no monitor",
                'Name a metric of compile(metrics=...), such as monitor="val_accuracy"; '
                'monitor="val_loss" compares what each lane calls its loss.',
            )


def _scaled(params: Any, factor: float) -> Any:
    """Kernels and tables of embeddings times a factor; biases and the like as they are."""

    def scale(name: str, weight: Any) -> Any:
        return weight * factor if _SCALED.search(name.rpartition("/")[2]) else weight

    return tree.map_with_names(scale, params)


def _some(data: Batch, rows: HostArray | None) -> Batch:
    return data if rows is None else jax.tree.map(lambda a: a[rows], data)


def stacked(begun: Sequence[TrainState]) -> TrainState:
    """States on top of each other, on the host: a program for each number of lanes costs more."""
    keys = jnp.stack([one.key for one in begun])
    bare = [one._replace(key=(), optimizer=()) for one in begun]  # type: ignore[arg-type] # numpy knows no keys
    return jax.tree.map(on_top, *bare)._replace(key=keys)


def on_top(*leaves: Any) -> HostArray:
    """Arrays of the device as one of the host."""
    return np.stack([np.asarray(leaf) for leaf in leaves])
