"""Networks for a table in place of the default: plain layers, and one that a search found."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fitwell.arguments import named
from fitwell.layers import Dense, Input
from fitwell.model import Model
from fitwell.population import search
from fitwell.population.searching import Search
from fitwell.sequential import Sequential
from fitwell.tabular.preparing import Prepared
from fitwell.tabular.recipe import head_of, loss_of


@named
def plain(prepared: Prepared, widths: Sequence[int], seed: int = 0) -> Model:
    """Dense layers with relu, the last one as the target needs it; compiled with Adam."""
    target = prepared.target
    hidden = [Dense(width, activation="relu") for width in widths]
    layers = [Input(shape=prepared.train.x.shape[1:]), *hidden, Dense(*head_of(target))]
    model = Sequential(layers, name="table", seed=seed)
    model.compile("adam", loss=loss_of(target))
    return model


@named
def tuned(
    prepared: Prepared,
    budget: float | str,
    *,
    seed: int = 0,
    path: str | os.PathLike[str] | None = None,
    verbose: int | str = "auto",
) -> Search:
    """Dense networks searched on the training part, measured on the validation part.

    Args:
        prepared: what `prepare` returned.
        budget, seed, path, verbose: as in `fitwell.search`.
    """
    part, held = prepared.train, prepared.validation
    return search(
        None,
        part.x,
        part.encoded,
        budget=budget,
        validation_data=(held.x, held.encoded),
        seed=seed,
        path=path,
        verbose=verbose,
    )
