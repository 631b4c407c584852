"""Networks for a table in place of the default: plain layers, and one that a search found."""

from __future__ import annotations

import functools
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
def plain(prepared: Prepared | Sequence[Prepared], widths: Sequence[int], seed: int = 0) -> Model:
    """Dense layers with relu, the last one as the target needs it; compiled with Adam.

    Args:
        prepared: what `prepare` returned; of `prepare_several`, each target gets a last layer.
        widths: units of the hidden layers.
        seed: of the weights and the order of the rows.
    """
    hidden = [Dense(width, activation="relu") for width in widths]
    if isinstance(prepared, Prepared):
        target = prepared.target
        inputs = Input(shape=prepared.train.x.shape[1:])
        layers = [inputs, *hidden, Dense(*head_of(target))]
        model: Model = Sequential(layers, name="table", seed=seed)
        model.compile("adam", loss=loss_of(target))
        return model
    targets = [one.target for one in prepared]
    inputs = Input(shape=prepared[0].train.x.shape[1:])
    x = functools.reduce(lambda x, layer: layer(x), hidden, inputs)
    heads = [Dense(*head_of(one), name=f"target_{n}") for n, one in enumerate(targets, 1)]
    model = Model(inputs, [head(x) for head in heads], name="table", seed=seed)
    model.compile("adam", loss=[loss_of(target) for target in targets])
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
