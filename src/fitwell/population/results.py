"""What `fit_many` and `cross_validate` return: tables, the best model, the mean of all."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.arguments import whole_number
from fitwell.errors import InvalidArgument
from fitwell.history import History
from fitwell.model import Model
from fitwell.population import shapes, varying
from fitwell.population.members import copy_of, mean_of
from fitwell.population.plan import Outcome, Plan, rate_of
from fitwell.training import TrainState
from fitwell.types import HostArray

if TYPE_CHECKING:
    import polars


_NOTHING = TrainState({}, {}, (), (), ())  # type: ignore[arg-type] # of a model that only describes


class Population:
    """Networks that were trained together.

    Attributes:
        histories: one History per lane.
        scores: the monitored value of each lane: its best with `patience`, else its last.
        monitor: the name of that value.
        seconds: the wall time of all.
    """

    def __init__(self, model: Model, plan: Plan, outcomes: list[Outcome], seconds: float) -> None:
        # What is needed later, not the data; and a copy, since the model may change.
        self._model = copy_of(model, _NOTHING, model.seed)
        self._objective, self._optimizer, self._sign = plan.objective, plan.optimizer, plan.sign
        self._outcomes = outcomes
        self.monitor, self.seconds = plan.monitor, seconds
        self.histories: list[History] = [one.history for one in outcomes]
        self.scores: HostArray = np.array([one.score for one in outcomes])

    def __len__(self) -> int:
        return len(self._outcomes)

    @functools.cached_property
    def models(self) -> list[Model]:
        """One model per lane, compiled, with the lane's seed and hyper-parameters."""
        made = []
        for one in self._outcomes:
            model = self._member(one)
            model.epochs_trained, model.history = len(one.history.epoch), one.history
            made.append(model)
        return made

    def _member(self, one: Outcome) -> Model:
        """A lane's model; that of a narrow or shallow lane is truly narrow or shallow."""
        train = jax.tree.map(jnp.asarray, one.train)
        network, objective, optimizer = varying.varied(
            self._model.network, self._objective, rate_of(self._optimizer, one.lane),
            one.lane.values, dataclasses.replace,
        )  # fmt: skip
        shape = one.lane.width, one.lane.depth
        if shape != (None, None):
            of = shapes.chain("Population", network)
            wanted = shapes.checked("Population", of, *shape)
            network, params, state = shapes.cut(of, train.params, train.state, wanted)
            train = train._replace(params=params, state=state, optimizer=())
        model = copy_of(self._model, train, one.lane.seed, network)
        model.optimizer = optimizer
        if objective != self._objective:
            model._compiled = dataclasses.replace(model.compiled(), losses=objective.losses)
        return model

    @property
    def best_lane(self) -> int:
        """The number of the lane with the best score; lanes without a number come last.

        Raises:
            InvalidArgument: no lane has a finite score.
        """
        values = self._sign * self.scores
        if not np.isfinite(values).any():
            raise InvalidArgument(
                "Population",
                f"a lane with a finite {self.monitor}",
                "none: all of them diverged",
                "Try learning rates ten times smaller, or scale the inputs.",
            )
        return int(np.nanargmin(np.where(np.isfinite(values), values, np.nan)))

    @property
    def best(self) -> Model:
        """The model with the best score."""
        return self.models[self.best_lane]

    def frame(self) -> polars.DataFrame:
        """One row per lane: what it was given, how long it trained, where it ended."""
        import polars as pl

        rows: list[dict[str, Any]] = []
        for number, one in enumerate(self._outcomes):
            values = one.history.history
            at = one.history.epoch.index(one.best_epoch) if one.history.epoch else 0
            rows.append(
                {
                    "lane": number,
                    **one.lane.facts,
                    "epochs": len(one.history.epoch),
                    "best_epoch": one.best_epoch,
                    **{name: series[at] for name, series in values.items()},
                    "stopped": one.history.stopped,
                }
            )
        names = dict.fromkeys(name for row in rows for name in row)
        return pl.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})

    def mean(self) -> dict[str, tuple[float, float]]:
        """By name the mean and the standard deviation (n - 1 in the divisor) over the lanes.

        Lanes without a finite value are left out.
        """
        table = self.frame()
        names = [name for name in self._outcomes[0].history.history if name in table.columns]
        found = {}
        for name in names:
            values = table[name].drop_nulls().to_numpy()
            values = values[np.isfinite(values)]
            if len(values):
                spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
                found[name] = (float(values.mean()), spread)
        return found

    def ensemble(self, best: int | None = None) -> Model:
        """One model that predicts the mean of the lanes' predictions.

        Args:
            best: only so many of the best lanes; None takes all with a finite score.

        Raises:
            InvalidArgument: best is no whole number >= 1; no lane has a finite score.
        """
        if best is not None:
            whole_number("ensemble", "best", best, 1)
        order = np.argsort(np.where(np.isfinite(self.scores), self._sign * self.scores, np.inf))
        chosen = [int(i) for i in order[:best] if np.isfinite(self.scores[i])]
        if not chosen:
            _ = self.best_lane  # says that none is finite
        return mean_of([self.models[i] for i in sorted(chosen)], f"{self._model.name}_ensemble")

    def __repr__(self) -> str:
        means = self.mean()
        of_validation = self.monitor.startswith("val_")
        shown = {
            name: f", {name} {mean:.4g} ± {spread:.2g}"
            for name, (mean, spread) in means.items()
            if name.startswith("val_") == of_validation
        }
        text, others = shown.pop(self.monitor, ""), "".join(shown.values())
        finite = np.isfinite(self.scores)
        best = (
            f" (best {self.scores[self.best_lane]:.4g}, lane {self.best_lane})"
            if finite.any()
            else ""
        )
        diverged = f", {int((~finite).sum())} diverged" if not finite.all() else ""
        end = f"{best}{others}{diverged}, {self.seconds:.1f} s"
        return f"<{type(self).__name__}: {len(self)} lanes{text}{end}>"


def _column(values: list[Any]) -> list[Any]:
    """Values of one kind: numbers, or text where some are schedules or tuples."""
    if all(v is None or isinstance(v, int | float) for v in values):
        return values
    return [None if v is None else str(v) for v in values]


class CrossValidation(Population):
    """Networks that were each trained without a part of the data.

    Attributes:
        predictions: of each example the mean over the models that did not see it.
        held_out: of each model the rows that it did not see.
    """

    predictions: Any
    held_out: list[HostArray]
