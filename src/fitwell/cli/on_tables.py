"""Training on a table: the default network, plain layers, a user's own, or a searched one."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitwell import report, tabular
from fitwell.callbacks import Callback
from fitwell.cli import patients, runs, showing
from fitwell.cli.backing import Backup
from fitwell.cli.order import Order
from fitwell.data.tables import write_table
from fitwell.errors import InvalidArgument
from fitwell.model import Model
from fitwell.tabular import MultiTargetModel, Prepared, TableModel
from fitwell.tabular.recipe import described

if TYPE_CHECKING:
    import polars as pl


class OnTable:
    """A table that is ready for training, and the network for it.

    Attributes:
        network: what is trained, or what the search will replace.
        out_of_fold: what the networks of `--folds` said of the rows that they had not seen.
    """

    def __init__(self, order: Order) -> None:
        self.order, self.prepared = order, prepare(order)
        self.network = _chosen(order, self.prepared) or tabular.build(
            self.prepared, epochs=order.epochs, seed=order.seed
        )
        self.out_of_fold: pl.DataFrame | None = None

    def show(self, diary: runs.Diary) -> None:
        """What was read, and what will be trained."""
        order = self.order
        how = f"searched for {order.tune}" if order.tune else described(self.network)
        name, inferred = Path(order.data).name, order.task is None
        showing.table(diary, name, [self.prepared], how, inferred=inferred)

    def fit(self, run: runs.Run, verbose: int | str) -> TableModel:
        """The trained and measured model."""
        folds = self._folds(run, verbose)
        model = self._fitted(run, verbose)
        return dataclasses.replace(model, facts={**model.facts, **folds})

    def report(self, run: runs.Run, model: Any) -> None:
        """The page about it."""
        page, history = run.folder / runs.REPORT, model.network.history
        of = model, self.prepared, history
        report.write(page, *of, saved=str(run.model), out_of_fold=self.out_of_fold)

    def _fitted(self, run: runs.Run, verbose: int | str) -> TableModel:
        order, prepared = self.order, self.prepared
        if order.tune is not None:
            began = time.perf_counter()
            found = tabular.tuned(
                prepared,
                order.tune,
                seed=order.seed,
                path=run.folder / "trials.json",
                verbose=verbose,
            )
            return tabular.measured(
                prepared,
                found.best,
                network=", ".join(f"{name} {value}" for name, value in found.best_values.items()),
                trials=len(found.trials),
                stopped="interrupted" if found.interrupted else None,
                seconds=time.perf_counter() - began,
            )
        callbacks: list[Callback] = [] if order.treat else [Backup(run.backup)]
        model = tabular.fit(
            prepared,
            self.network,
            epochs=order.epochs,
            time_limit=order.time_limit,
            verbose=verbose,
            callbacks=callbacks,
            doctor="treat" if order.treat else "warn",
        )
        history = model.network.history
        treated = None if history is None else history.treated
        if treated is None:
            return model
        course = {k: v for k, v in model.facts.items() if k not in ("scores", "baselines")}
        return tabular.measured(prepared, treated.model, **{**course, "treated": str(treated)})

    def _folds(self, run: runs.Run, verbose: int | str) -> dict[str, Any]:
        """Scores of rows that were held out in turn, with a file of them; {} without --folds."""
        order = self.order
        if order.folds is None:
            return {}
        measures, self.out_of_fold = tabular.cross_validate(
            self.prepared, self.network, order.folds,
            epochs=order.epochs, seed=order.seed, verbose=verbose,
        )  # fmt: skip
        write_table(self.out_of_fold, run.folder / runs.OUT_OF_FOLD)
        return {"folds": {"folds": order.folds, "scores": measures}}


class OnTargets:
    """A table with several targets, and one network with an output for each."""

    def __init__(self, order: Order) -> None:
        order.check_targets()
        self.order = order
        self.prepared = prepare_several(order)
        self.network = _chosen(order, self.prepared) or tabular.build_several(
            self.prepared, epochs=order.epochs, seed=order.seed
        )

    def show(self, diary: runs.Diary) -> None:
        """What was read, and what will be trained."""
        how, inferred = described(self.network), self.order.task is None
        showing.table(diary, Path(self.order.data).name, self.prepared, how, inferred=inferred)

    def fit(self, run: runs.Run, verbose: int | str) -> MultiTargetModel:
        """The trained and measured model."""
        return tabular.fit_several(
            self.prepared,
            self.network,
            epochs=self.order.epochs,
            time_limit=self.order.time_limit,
            verbose=verbose,
            callbacks=[Backup(run.backup)],
        )

    def report(self, run: runs.Run, model: Any) -> None:
        """The page about it, with all targets on it."""
        page, history = run.folder / runs.REPORT, self.network.history
        report.write(page, model, self.prepared, history, saved=str(run.model))


def _chosen(order: Order, prepared: Prepared | tuple[Prepared, ...]) -> Model | None:
    """The network that the order names; None for the default one."""
    if order.layers:
        return tabular.plain(prepared, order.layers, order.seed)
    if order.model is None:
        return None
    several = (prepared,) if isinstance(prepared, Prepared) else prepared
    model = patients.built(order.model, several[0].train.x.shape[1:])
    if len(model.outputs) != len(several):
        each = ", one for each target" if len(several) > 1 else ""
        count = f"{len(several)} output{'s' if len(several) > 1 else ''}{each}"
        cure = "Return fw.Model(inputs, outputs), compiled with a loss for each output."
        raise InvalidArgument(f"MODEL {order.model}", count, f"{len(model.outputs)}", cure)
    return model


def prepare(order: Order) -> Prepared:
    """The table of an order, ready for training: the same for the same file and options."""
    target = order.target[0] if order.target else None
    return tabular.prepare(order.data, target, **_options(order))


def prepare_several(order: Order) -> tuple[Prepared, ...]:
    """The same table for each of several targets."""
    return tuple(tabular.prepare_several(order.data, order.target, **_options(order)))


def _options(order: Order) -> dict[str, Any]:
    """Of both ways to prepare a table."""
    names = ("task", "kinds", "weights", "group", "time", "skip_bad_rows", "seed")
    return {name: getattr(order, name) for name in names}
