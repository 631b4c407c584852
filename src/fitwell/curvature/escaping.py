"""The way on from a saddle at which training has stopped: a step along the worst direction."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fitwell.curvature.asking import found_at
from fitwell.curvature.surface import Point, Surface
from fitwell.data.sources import ArraySource, Source
from fitwell.errors import InvalidArgument, InvalidData
from fitwell.hooks import Callback, MutableLogs
from fitwell.network import Network
from fitwell.optimizers import Optimizer
from fitwell.programs import optimizer_program
from fitwell.settings import settings
from fitwell.training import Objective
from fitwell.types import HostArray, Params

__all__ = ["SaddleEscape"]

_GAIN = 1e-3  # of the loss: an epoch that lowers it by less stands still
_PATIENCE = 3  # epochs that stand still before the first look
_PROBES, _STEPS = 2, 32  # of the estimate of the worst direction
_LENGTHS = 2.0 ** -np.arange(8)  # of the step, in lengths of the weights (at least 1)


class SaddleEscape(Callback):
    """w <- w + t v where training stands still at a saddle, v the worst direction of the Hessian.

    An epoch stands still if its loss is not a thousandth below the best so far. After three of
    them the curvature is looked at; if the point is stationary and has a negative eigenvalue, both
    signs and eight lengths of t are tried, and the one with the smallest loss over all data is
    taken. Then the optimizer begins anew: its moments belong to the old place. If there is no way
    down, the next look waits twice as long. The eigenvalue enters the logs of the epoch as
    `saddle_curvature`.

    Source: Dauphin et al. 2014, arXiv:1406.2572 (which rescales all directions; one is enough to
    leave).

    Args:
        verbose: whether to print a line at each step.

    Raises:
        InvalidArgument: batches from an iterable, which may be read only once.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        optimizer: Optimizer,
        source: Source,
        *,
        verbose: bool,
    ) -> None:
        if not isinstance(source, ArraySource):
            raise InvalidArgument(
                "fit with escape_saddles=True",
                "arrays: the curvature is that of the loss over all data",
                "an iterable of batches",
                "Pass x and y as arrays, or leave escape_saddles out.",
            )
        self.network, self.objective, self.optimizer = network, objective, optimizer
        self.source, self.verbose = source, verbose
        self.surface: Surface | None = None
        self._reset(None)

    def _reset(self, best: float | None) -> None:
        self.best, self.wait, self.patience = best, 0, _PATIENCE

    def on_train_begin(self, logs: MutableLogs | None = None) -> None:
        self._reset(None)

    def on_epoch_end(self, epoch: int, logs: MutableLogs | None = None) -> None:
        logs = {} if logs is None else logs
        loss = logs["loss"]
        if self.best is None or loss < self.best - _GAIN * abs(self.best):
            self._reset(loss)
            return
        self.wait += 1
        if self.wait >= self.patience and np.isfinite(loss):
            self.wait, self.patience = 0, 2 * self.patience
            self._look(epoch, logs)

    def _look(self, epoch: int, logs: MutableLogs) -> None:
        if self.surface is None:
            self.surface = Surface("fit", self.network, self.objective, self.source.data)
        point = self.surface.at(self.model.train_state)
        try:
            # All of a small H costs no more than the estimate.
            found = found_at(point, point.size <= _PROBES * _STEPS, _PROBES, _STEPS, seed=epoch)
            if not (found.negative and found.stationary):
                return
            moved, after = self._best_step(point, found.spectrum.vectors[0])
        except InvalidData:  # a fit goes on where its loss has no second derivative
            return
        if not after < found.loss:
            return
        self._move(moved)
        self._reset(None)
        logs["saddle_curvature"] = worst = float(found.spectrum.ends[0])
        if self.verbose and settings.progress != "off":
            print(
                f"Epoch {epoch + 1}: a saddle, curvature {worst:.3g} along the worst direction. "
                f"A step along it takes the loss from {found.loss:.4g} to {after:.4g}.",
                flush=True,
            )

    def _best_step(self, point: Point, vector: HostArray) -> tuple[Params, float]:
        """The best weights along both signs of the vector, constraints kept, and the loss there."""
        lengths = max(float(np.linalg.norm(point.weights)), 1.0) * _LENGTHS
        train = self.model.train_state
        found = []
        for steps in (lengths, -lengths):  # a constraint may forbid the better of the two
            losses = point.losses(vector[None], steps[:, None])
            best = steps[np.argmin(np.where(np.isfinite(losses), losses, np.inf))]
            there = point.as_tree((point.weights + best * vector).astype(np.float32))
            moved = self.network.project(jax.tree.map(jnp.array, there), jnp.zeros(()))
            at = point.surface.at(train._replace(params={**train.params, **moved}))
            found.append((moved, at.slope()[0]))
        return min(found, key=lambda each: each[1])

    def _move(self, learn: Params) -> None:
        train = self.model.train_state
        begin = optimizer_program(self.network.program(), self.optimizer.program())
        fresh = begin(learn)
        params = {**train.params, **learn}
        self.model.train_state = train._replace(params=params, optimizer=fresh)

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "patience": self.patience}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait, self.patience = state["best"], state["wait"], state["patience"]
