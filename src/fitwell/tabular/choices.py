"""Networks for a table in place of the default: plain layers, and one that a search found."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence

from fitwell.arguments import named
from fitwell.callbacks.until import Until
from fitwell.errors import InvalidArgument
from fitwell.feeding import seconds
from fitwell.layers import Dense, Input
from fitwell.model import Model
from fitwell.population import search
from fitwell.population.grouping import Trial
from fitwell.population.searching import Search
from fitwell.sequential import Sequential
from fitwell.tabular.preparing import Prepared
from fitwell.tabular.recipe import described, head_names, head_of, loss_of, plan, stopping
from fitwell.tabular.training import build

DEFAULT = "default network"
_SHARE, _LEAST = 0.4, 0.5  # of the budget: what the default may take, what a search has at least


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
    named = zip(targets, head_names(targets), strict=True)
    heads = [Dense(*head_of(one), name=name) for one, name in named]
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
    """The better one of the default network and of dense networks that a search finds.

    The default network comes first, for two fifths of the budget at most; the rest of it is the
    search's. Both learn from the training part and are compared by their loss on the validation
    part. If the default network stays, `best_values` has the key `"default network"` alone.

    Args:
        prepared: what `prepare` returned.
        budget, seed, path, verbose: as in `fitwell.search`.
    """
    began, total = time.perf_counter(), seconds("search", "budget", budget)
    part, held = prepared.train, prepared.validation
    own = build(prepared, seed=seed)
    _fit(prepared, own, _SHARE * total)
    history = own.history
    assert history is not None
    cut = history.stopped == "interrupted"
    if cut and not history.epoch:
        raise KeyboardInterrupt  # before the first step: there is nothing to keep
    loss, spent = _loss(prepared, own), time.perf_counter() - began
    trial = Trial(0, {DEFAULT: described(own)}, None, loss, len(history.epoch))
    kept = Search([], own, trial, "val_loss", spent, cut)
    if kept.interrupted:
        return kept
    try:
        found = search(
            None,
            part.x,
            part.encoded,
            budget=max(total - spent, _LEAST * total),
            validation_data=(held.x, held.encoded),
            seed=seed,
            path=path,
            verbose=verbose,
        )
    except (InvalidArgument, KeyboardInterrupt) as end:  # before one epoch of one trial
        kept.interrupted = isinstance(end, KeyboardInterrupt)
        return kept
    found.seconds += spent
    if _loss(prepared, found.best) < loss:
        return found
    return Search(found.trials, own, trial, found.monitor, found.seconds, found.interrupted)


def _fit(prepared: Prepared, network: Model, limit: float) -> None:
    """Trains the default network, on the training part alone: it is compared by the other."""
    part, held = prepared.train, prepared.validation
    chosen = plan(len(part.x))
    network.fit(
        part.x,
        part.encoded,
        batch_size=chosen.batch_size,
        epochs=chosen.epochs,
        validation_data=(held.x, held.encoded),
        validation_freq=chosen.validation_freq,
        callbacks=[stopping(chosen), Until("search", limit)],
        verbose=0,
        doctor="off",
    )


def _loss(prepared: Prepared, network: Model) -> float:
    """That of the validation rows, without what a network's own loss adds (smoothed labels)."""
    held, target = prepared.validation, prepared.target
    y = held.encoded if target.task == "multiclass" else held.encoded[:, None]
    return float(loss_of(target)(y, network.predict(held.x)))
