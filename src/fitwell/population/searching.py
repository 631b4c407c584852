"""`search`: structure and hyper-parameters by successive halving over lanes."""

from __future__ import annotations

import os
from typing import Any

from fitwell import feeding
from fitwell.arguments import named
from fitwell.compiling import in_words
from fitwell.model import Model
from fitwell.population.grouping import Trial
from fitwell.population.hunting import Hunt


class Search:
    """What a search found.

    Attributes:
        best: the winner, fitted anew until its held-out value got no better.
        best_values: what was chosen for it.
        score: its value on held-out data, before that fit.
        trials: all of them.
        monitor: the name of the value.
        seconds: how long it took.
        interrupted: whether Ctrl-C ended it: then this is the best so far.
    """

    def __init__(
        self, trials: list[Trial], best: Model, winner: Trial, monitor: str, seconds: float,
        interrupted: bool,
    ) -> None:  # fmt: skip
        self.trials, self.best, self.monitor, self.seconds = trials, best, monitor, seconds
        self.interrupted = interrupted
        self.best_values, self.score = dict(winner.values), winner.score

    def frame(self) -> Any:
        """One row per trial, the best first."""
        import polars as pl

        names = dict.fromkeys(name for trial in self.trials for name in trial.values)
        ordered = sorted(self.trials, key=Trial.rank)
        columns: dict[str, list[Any]] = {"trial": [t.number for t in ordered]}
        columns[self.monitor] = [t.score for t in ordered]
        columns["epochs"] = [t.epochs for t in ordered]
        for name in names:
            values = [t.values.get(name) for t in ordered]
            numbers = all(v is None or isinstance(v, int | float) for v in values)
            columns[name] = values if numbers else [None if v is None else str(v) for v in values]
        return pl.DataFrame(columns, strict=False)

    def __repr__(self) -> str:
        chosen = ", ".join(f"{k}={v}" for k, v in self.best_values.items())
        return (
            f"<Search: {len(self.trials)} trials in {self.seconds:.0f} s, best {self.monitor} "
            f"{self.score:.4g} with {chosen}>"
        )


@named
@in_words
def search(
    space: Any = None,
    x: Any = None,
    y: Any = None,
    budget: float | str = "60s",
    validation_split: float = 0.2,
    validation_data: Any = None,
    batch_size: int | None = None,
    first_epochs: int = 2,
    max_epochs: int = 100,
    max_trials: int | None = None,
    monitor: str | None = None,
    mode: str = "auto",
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
    sampler: str = "random",
    verbose: int | str = "auto",
) -> Search:
    """Finds a network and its hyper-parameters for these data, within a budget of time.

    Successive halving: many trials train for a few epochs, the best third goes on three times as
    long, and so forth; then fresh trials, until the budget is spent. Trials of one shape are lanes
    of one program, so that sixteen cost little more than one. Ctrl-C ends the trials, and the
    best so far is fitted; a second one ends that fit, too.

    Args:
        space: a function `build(choose) -> compiled model` that asks `choose.number("rate", low,
            high, log=True)`, `choose.integer(...)` and `choose.option(name, options)`; or a dict
            that narrows the space of dense networks (see `dense`); None takes that space.
        x, y: arrays, as in `fit`.
        budget: seconds, or "60s", "10m"; the winner's last fit included.
        validation_split: the share of the rows, drawn at random, that trials are measured on.
        validation_data: `(x, y)` in its place.
        batch_size: 32 by default; for more than 10,000 examples 128, as steps are what takes time.
        first_epochs: of the first rung.
        max_epochs: of any trial.
        max_trials: no fresh trials after so many, drawn 36 at a time: with enough time, the same
            arguments then give the same result.
        monitor, mode: as in `fit_many`.
        seed: of the trials, the split and the networks.
        path: a JSON file that keeps the trials; a search that finds it goes on from there.
        sampler: "random", or "optuna" if that package is installed: what went well is tried more.
        verbose: 0 is silent.

    Raises:
        InvalidArgument: a space without a valid point, a budget too small for one trial.

    >>> import numpy as np
    >>> from fitwell import Sequential, optimizers
    >>> from fitwell.layers import Dense
    >>> x = np.linspace(-1, 1, 80)[:, None]
    >>> def build(choose):
    ...     model = Sequential([Dense(1)], seed=0)
    ...     rate = choose.number("rate", 1e-4, 1.0, log=True)
    ...     model.compile(optimizers.SGD(rate), loss="mse")
    ...     return model
    >>> found = search(build, x, 2 * x, budget="60s", max_epochs=6, max_trials=36, verbose=0)
    >>> found.best_values["rate"] > 0.01
    True

    Source: Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter
    optimization"; Li et al. 2018, "Hyperband".
    """
    hunt = Hunt(
        space, x, y, seconds=feeding.seconds("search", "budget", budget), seed=seed, path=path,
        sampler=sampler, verbose=verbose, first_epochs=first_epochs, max_epochs=max_epochs,
        max_trials=max_trials, batch_size=batch_size, validation_split=validation_split,
        validation_data=validation_data, monitor=monitor, mode=mode,
    )  # fmt: skip
    return Search(*hunt.run())
