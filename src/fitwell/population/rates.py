"""`find_learning_rate`: many rates at the same time, from several starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitwell.arguments import named, whole_number
from fitwell.compiling import in_words
from fitwell.errors import InvalidArgument
from fitwell.model import Model
from fitwell.population.jobs import Job
from fitwell.population.lanes import Lane, is_list
from fitwell.population.results import Population
from fitwell.types import HostArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = tuple(float(f"{10**e:.2g}") for e in np.arange(-5, 0.6, 0.5))
_STEPS = 300  # of each lane, unless epochs says otherwise


class RateSearch:
    """What came of each learning rate.

    Attributes:
        rate: the recommended one; `float(search)` is the same.
        reason: why, in a sentence with the numbers.
        rates: those tried, ascending.
        losses: (rates, seeds) the loss at the end; NaN or infinite where training diverged.
        population: all the networks.
    """

    def __init__(self, rates: HostArray, losses: HostArray, population: Population) -> None:
        self.rates, self.losses, self.population = rates, losses, population
        self.rate, self.reason = recommend(rates, losses, population.monitor)

    def __float__(self) -> float:
        return self.rate

    def frame(self) -> Any:
        """One row per rate: mean and standard deviation of the loss over the seeds."""
        import polars as pl

        finite = np.isfinite(self.losses)
        held = np.where(finite, self.losses, 0.0)
        counts = finite.sum(1)
        mean = np.where(counts, held.sum(1) / np.maximum(counts, 1), np.nan)
        squares = np.where(finite, (self.losses - mean[:, None]) ** 2, 0.0).sum(1)
        return pl.DataFrame(
            {
                "learning_rate": self.rates,
                self.population.monitor: mean,
                "sd": np.sqrt(squares / np.maximum(counts - 1, 1)),
                "diverged": (~finite).sum(1),
            }
        )

    def plot(self, path: Any = None) -> Figure:
        """Loss against rate, one line per seed, with the recommendation."""
        from matplotlib.figure import Figure

        from fitwell.figures import finish

        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, color="0.7", lw=1)
        mean = np.where(np.isfinite(self.losses).all(1), self.losses.mean(1), np.nan)
        axes.plot(self.rates, mean, marker="o", lw=2, label="mean")
        axes.axvline(self.rate, ls="--", color="0.3", label=f"recommended: {self.rate:g}")
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel(self.population.monitor)
        axes.legend(frameon=False)
        return finish(figure, path)

    def __repr__(self) -> str:
        return f"<RateSearch: {self.reason}>"


@named
@in_words
def find_learning_rate(
    model: Model,
    x: Any = None,
    y: Any = None,
    rates: Any = None,
    seeds: int = 3,
    epochs: int | None = None,
    batch_size: int | str | None = None,
    validation_data: Any = None,
    sample_weight: Any = None,
    verbose: int | str = 0,
    time_limit: float | str | None = None,
) -> RateSearch:
    """Which learning rate trains fastest: every rate is tried, at the same time, from many starts.

    Not a sweep within one run, where what is seen at a rate depends on all rates before it: each
    lane is a training of its own, long enough to tell.

    Args:
        model, x, y, batch_size, validation_data, sample_weight, time_limit: as in `fit`. The model
            is left as it is.
        rates: numbers > 0; by default twelve from 1e-5 to about 3.
        seeds: starts for each rate.
        epochs: how long each lane trains; by default about 300 steps, at least one epoch.

    Returns:
        a RateSearch: `.rate`, `.reason`, `.frame()`, `.plot()`. There always is a rate.

    >>> from fitwell import Sequential
    >>> from fitwell.layers import Dense
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", loss="mse")
    >>> 0.01 <= find_learning_rate(model, x, 3 * x + 1, epochs=50).rate <= 1
    True

    Source: the comparison is a grid; for the sweep it replaces see Smith 2017, "Cyclical learning
    rates for training neural networks", arXiv:1506.01186.
    """
    subject = "find_learning_rate"
    tried = np.array(_checked(subject, rates))
    count = whole_number(subject, "seeds", seeds, 1)
    job = Job(
        subject, model, x, y, batch_size=batch_size, epochs=epochs, steps=_STEPS,
        sample_weight=sample_weight, validation_data=validation_data,
    )  # fmt: skip
    lanes = [
        Lane(model.seed + s, learning_rate=float(rate)) for rate in tried for s in range(count)
    ]
    population = Population(*job.run(lanes, verbose, time_limit))
    return RateSearch(tried, population.scores.reshape(len(tried), count), population)


def recommend(rates: HostArray, losses: HostArray, monitor: str) -> tuple[float, str]:
    """The rate with the smallest mean loss among those at which no start diverged.

    Next to a rate at which one did, the next smaller is taken if it is as good.

    >>> recommend(np.array([0.1, 1.0]), np.array([[0.5, 0.7], [0.2, np.nan]]), "loss")[0]
    0.1
    """
    finite = np.isfinite(losses)
    safe: HostArray = np.asarray(finite.all(1))
    if not safe.any():
        rate = float(rates[0])
        if finite.any():
            rate = float(rates[np.argmax(finite.sum(1))])
        return rate, (
            f"{rate:g}, with doubt: every rate from {rates[0]:g} to {rates[-1]:g} diverged from "
            "some start. Scale the inputs, or try smaller rates."
        )
    mean = np.where(safe, np.where(safe[:, None], losses, 0).mean(1), np.inf)
    best = _away_from_the_edge(mean, losses, safe)
    claim = f"ends at the smallest mean {monitor}, {mean[best]:.4g}"
    if mean[best] > mean.min():
        claim = "is farther from divergence and as good, within the error: "
        claim += f"mean {monitor} {mean[best]:.4g}"
    text = f"{rates[best]:g} {claim}"
    if losses.shape[1] > 1:
        text += f" (sd {losses[best].std(ddof=1):.2g} over {losses.shape[1]} starts)"
    for other, word in ((best - 1, "smaller"), (best + 1, "larger")):
        if 0 <= other < len(rates):
            value = f"{mean[other]:.4g}" if safe[other] else "diverges"
            text += (
                f"; the next {word}, {rates[other]:g}, {'ends at ' if safe[other] else ''}{value}"
            )
    if best in (0, len(rates) - 1):
        text += "; it is the last one tried on that side: try more"
    return float(rates[best]), text + "."


def _away_from_the_edge(mean: HostArray, losses: HostArray, safe: HostArray) -> int:
    """The best rate; the next smaller if that is as good and the next larger diverges.

    As good: worse by no more than the standard error of the difference, from the same starts. Next
    to a rate at which training diverges a longer training, or another start, may diverge too.
    """
    best = int(np.argmin(mean))
    if 0 < best < len(mean) - 1 and not safe[best + 1] and losses.shape[1] > 1:
        worse = losses[best - 1] - losses[best]
        error = worse.std(ddof=1) / np.sqrt(len(worse))
        return best - int(worse.mean() <= error)
    return best


def _checked(subject: str, rates: Any) -> list[float]:
    given = list(rates) if is_list(rates) else list(RATES) if rates is None else [rates]
    numbers = [r for r in given if isinstance(r, int | float | np.number) and 0 < r < np.inf]
    if not given or len(numbers) != len(given) or any(isinstance(r, bool) for r in given):
        cure = "Pass rates=[1e-4, 1e-3, 1e-2], or leave it out."
        raise InvalidArgument(subject, "rates to be finite numbers > 0", repr(rates), cure)
    return sorted(float(r) for r in numbers)
