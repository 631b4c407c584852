"""In a small table every row counts: those that said when to stop are learned from as well."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitwell.history import History
from fitwell.model import Model
from fitwell.types import HostArray

MOST_ROWS = 10_000
"""Training and validation rows: of more, a fifth adds little and costs as much time again."""

ENDED = (None, "callback EarlyStopping")
"""How a training ended (`History.stopped`) after which there may be another."""


def refit(
    network: Model,
    fresh: Model,
    x: HostArray,
    y: Any,
    *,
    steps: int,
    batch_size: int,
    **options: Any,
) -> dict[str, Any]:
    """Gives a trained network the weights that the same training leaves on more rows.

    The length is counted in steps, so a learning rate that follows a schedule goes as far down as
    it did. Where the training does not come to its end, or to finite weights, the
    network stays as it is.

    Args:
        network: trained, with rows left out that said when to stop.
        fresh: a copy of it from before that training.
        x, y: all rows.
        steps: as many as `network` ought to have taken, >= 1.
        batch_size: of that training.
        options: as for `Model.fit`: sample_weight, time_limit.

    Returns:
        facts: `{"refit_epochs": passes over all rows}`, or `{"stopped": why}` as in `History`.
    """
    per_epoch = math.ceil(len(x) / batch_size)
    epochs = max(round(steps / per_epoch), 1)
    options |= {"batch_size": batch_size, "epochs": epochs, "verbose": 0, "doctor": "off"}
    history = fresh.fit(x, y, **options)
    weights = fresh.get_weights()
    if history.stopped is not None:
        return {"stopped": history.stopped}
    if not all(np.isfinite(weight).all() for weight in weights):
        return {}
    network.set_weights(weights)
    return {"refit_epochs": epochs}


def epochs_enough(history: History, best: int, rows: int) -> int:
    """After how many epochs a training like this one ought to end: all of them, or fewer.

    The mean square of n normal errors has the relative standard error sqrt(2 / n), so the least of
    many validation losses on few rows is chance for the most part. Where the last one is within
    two of these of it, all epochs are as good, and the learning rate has fallen to its end.

    Args:
        history: of the training, with validation losses > 0.
        best: the epoch of the least, from 1.
        rows: of the validation part.

    >>> history = History()
    >>> history.epoch = list(range(30))
    >>> for last in (1.39, 1.41):
    ...     history.history["val_loss"] = [3.0, 1.0, last]
    ...     print(epochs_enough(history, 20, rows=50))
    30
    20
    """
    losses = history.history.get("val_loss")
    if history.stopped is not None or not losses:
        return best
    near = losses[-1] <= min(losses) * (1 + 2 * math.sqrt(2 / rows))
    return len(history.epoch) if near else best


__all__ = ["ENDED", "MOST_ROWS", "epochs_enough", "refit"]
